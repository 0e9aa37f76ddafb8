"""Everything in one file, from one consistent view, for a database of either kind.

A ZIP of one JSON-lines member a table, and a first member that says which version of the database it is of.
Secrets are sealed in it as they are in the database; the key that opens them is not in it.
"""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.core.errors import Conflict, Unreadable
from hub.store import tables as t
from hub.store.columns import Exact, Instant, Json
from hub.store.migrate import version
from hub.store.sql import Store
from hub.store.tables import metadata
from hub.store.tidy import REPUBLISHED

_HEAD = "shuniu.json"
_AT_ONCE = 500


def backup(store: Store, file: Path) -> int:
    """Write a backup; returns how many rows. The file appears only once it is whole."""
    draft = file.with_name(file.name + ".part")
    rows = 0
    with store.read_transaction() as connection, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        archive.writestr(
            _HEAD,
            msgspec.json.encode(
                {"version": version(connection), "tables": [str(table.name) for table in metadata.sorted_tables]}
            ),
        )
        for table in metadata.sorted_tables:
            with archive.open(f"{table.name}.jsonl", "w") as member:
                for line in _lines(connection, table):
                    member.write(line)
                    rows += 1
    draft.replace(file)
    return rows


def restore(store: Store, file: Path) -> int:
    """Read a backup into a database that is migrated and holds nothing yet; returns how many rows. All of it or nothing."""
    try:
        archive = zipfile.ZipFile(file)
        head = msgspec.json.decode(archive.read(_HEAD))
    except (zipfile.BadZipFile, KeyError, msgspec.DecodeError) as error:
        raise Unreadable(
            happened="this is not a backup of ours, or only half of one",
            next="choose the right file",
            rule="backup",
            file=file.name,
        ) from error
    rows = 0
    with archive, store.write_transaction() as connection:
        if head["version"] != version(connection):
            raise Conflict(
                happened=f"the backup is of version {head['version']}, the database of {version(connection)}",
                next="restore it with the program it was made with, then migrate",
            )
        for table in metadata.sorted_tables:
            if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one():
                raise Conflict(happened="the database is not empty", next="restore into a new one", table=table.name)
        for table in metadata.sorted_tables:
            with archive.open(f"{table.name}.jsonl") as member:
                rows += _fill(connection, table, iter(member))
        _continue_numbers(connection)
        _tell_again(connection)
    return rows


def _lines(connection: Connection, table: sa.Table) -> Iterator[bytes]:
    query = sa.select(table).execution_options(yield_per=_AT_ONCE)
    for row in connection.execute(query):
        yield msgspec.json.encode(list(row)) + b"\n"


def _fill(connection: Connection, table: sa.Table, lines: Iterator[bytes]) -> int:
    columns = list(table.columns)
    rows, count = [], 0
    for line in lines:
        values = msgspec.json.decode(line)
        rows.append({column.name: _value(column, value) for column, value in zip(columns, values, strict=True)})
        if len(rows) == _AT_ONCE:
            connection.execute(table.insert(), rows)
            count += len(rows)
            rows = []
    if rows:
        connection.execute(table.insert(), rows)
    return count + len(rows)


def _value(column: sa.Column[Any], value: Any) -> Any:
    """The value as the column has it in Python."""
    if value is None:
        return None
    read = next((read for kind, read in _READ if isinstance(column.type, kind)), None)
    return value if read is None else read(value)


_READ: tuple[tuple[type[Any], Callable[[Any], Any]], ...] = (
    (Json, lambda value: value),
    (Instant, lambda value: msgspec.convert(value, datetime)),
    (Exact, Decimal),
    (sa.Date, lambda value: msgspec.convert(value, date)),
    (sa.LargeBinary, base64.b64decode),
)


def _tell_again(connection: Connection) -> None:
    """Put the latest facts into the outbox: what lay on the bus is in no backup. Who has handled one knows it by its mark."""
    latest = connection.execute(sa.select(sa.func.max(t.events.c.recorded_at))).scalar()
    if latest is None:
        return
    waiting = sa.select(t.outbox.c.seq).where(t.outbox.c.tenant == t.events.c.tenant, t.outbox.c.seq == t.events.c.seq)
    facts = (
        sa.select(t.events.c.tenant, t.events.c.seq)
        .where(t.events.c.recorded_at >= latest - REPUBLISHED, ~sa.exists(waiting))
        .order_by(t.events.c.tenant, t.events.c.seq)
    )
    waited = connection.execute(sa.select(t.outbox.c.tenant, t.outbox.c.seq, t.outbox.c.place).order_by(t.outbox.c.place)).all()
    connection.execute(t.outbox.insert().from_select(["tenant", "seq"], facts))
    told = sa.select(t.outbox.c.place).where(t.outbox.c.place > waited[-1].place) if waited else None
    if (
        told is not None and connection.execute(told.limit(1)).first() is not None
    ):  # behind them, so that each tenant's facts still leave in their order
        connection.execute(t.outbox.delete().where(t.outbox.c.place <= waited[-1].place))
        connection.execute(t.outbox.insert(), [{"tenant": tenant, "seq": seq} for tenant, seq, _ in waited])


def _continue_numbers(connection: Connection) -> None:
    """PostgreSQL counts apart from the rows: go on after the highest one."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            highest = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            connection.execute(sa.select(sa.func.setval(sequence, highest, False)))
