"""Alembic's environment: the connection is given by `hub.store.migrate`, never opened here."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from hub.store import bus_tables, ledger_tables, tables
from hub.store.columns import Exact, Instant, Json

# Named so that every table is known to the one metadata.
ALL = (tables.raws, ledger_tables.orders, bus_tables.bus_messages)


def render_item(type_: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our column types into a new migration by their names."""
    if type_ == "type" and isinstance(item, Exact | Instant | Json):
        autogen.imports.add("from hub.store import columns")
        return f"columns.{type(item).__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    render_item=render_item,
    render_as_batch=True,
    compare_type=False,
    transactional_ddl=True,
)
context.run_migrations()
