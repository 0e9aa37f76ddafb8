"""What the database itself refuses: shares that exceed their receipt or their receivable."""

from __future__ import annotations

from sqlalchemy.engine import Connection

_PAIRS = (("receipts", "receipt"), ("receivables", "receivable"))

_SQLITE = """
CREATE TRIGGER IF NOT EXISTS shares_within_{column}_{verb} AFTER {event} ON shares
BEGIN
  SELECT RAISE(ABORT, 'shares exceed their {column}') WHERE
    (SELECT COALESCE(SUM(s.amount_minor), 0) FROM shares s WHERE s.tenant = NEW.tenant AND s.{column} = NEW.{column})
    > COALESCE((SELECT o.amount_minor FROM {table} o WHERE o.tenant = NEW.tenant AND o.id = NEW.{column}), 0);
END
"""

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION shares_within_{column}() RETURNS trigger AS $$
BEGIN
  IF (SELECT COALESCE(SUM(s.amount_minor), 0) FROM shares s WHERE s.tenant = NEW.tenant AND s.{column} = NEW.{column})
     > COALESCE((SELECT o.amount_minor FROM {table} o WHERE o.tenant = NEW.tenant AND o.id = NEW.{column}), 0) THEN
    RAISE EXCEPTION 'shares exceed their {column}' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$ LANGUAGE plpgsql
"""

_POSTGRESQL_TRIGGER = """
CREATE OR REPLACE TRIGGER shares_within_{column} AFTER INSERT OR UPDATE ON shares
FOR EACH ROW EXECUTE FUNCTION shares_within_{column}()
"""


def install_guards(connection: Connection) -> None:
    """Create the triggers; harmless where they exist."""
    for table, column in _PAIRS:
        if connection.dialect.name == "sqlite":
            for verb, event in (("insert", "INSERT"), ("update", "UPDATE")):
                connection.exec_driver_sql(_SQLITE.format(table=table, column=column, verb=verb, event=event))
        else:
            connection.exec_driver_sql(_POSTGRESQL_FUNCTION.format(table=table, column=column))
            connection.exec_driver_sql(_POSTGRESQL_TRIGGER.format(table=table, column=column))
