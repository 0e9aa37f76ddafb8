"""Many rows in one statement.

A driver that is given rows one by one stops and starts again for each: SQLite's gives its turn to another thread every time,
PostgreSQL's server plans and answers every time. One `INSERT … VALUES (…), (…)` does it once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

_AT_ONCE = (128, 64, 32, 16, 8, 4, 2, 1)  # few sizes, so that the drivers keep the statements that they have prepared

Known = Literal["error", "keep", "replace"]


class _Plan(NamedTuple):
    """How rows with these columns are written to a table."""

    head: str
    row: str
    tail: str
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    def statement(self, count: int) -> str:
        return self.head + ",".join([self.row] * count) + self.tail


_plans: dict[tuple[str, str, Known, tuple[str, ...]], _Plan] = {}


def insert_rows(connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, known: Known = "error") -> int:
    """Insert rows that all have the columns of the first; returns how many were written.

    `known` says what becomes of a row whose key is there: `error`, `keep` (what is there stays) or `replace`.
    """
    if not rows:
        return 0
    key = (connection.dialect.name, table.name, known, tuple(rows[0]))
    plan = _plans.get(key) or _plans.setdefault(key, _plan(connection.dialect, table, known, tuple(rows[0])))
    start = written = 0
    for count in _AT_ONCE:
        statement = plan.statement(count) if len(rows) - start >= count else ""
        while len(rows) - start >= count:
            values: list[Any] = []
            for row in rows[start : start + count]:
                values += [make(row[name]) if make else row[name] for name, make in plan.columns]
            written += connection.exec_driver_sql(statement, tuple(values)).rowcount
            start += count
    return written


def _plan(dialect: Dialect, table: sa.Table, known: Known, names: tuple[str, ...]) -> _Plan:
    quote = dialect.identifier_preparer.quote
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in names if name not in keys)
    tails: dict[Known, str] = {
        "error": "",
        "keep": " ON CONFLICT DO NOTHING",
        "replace": f" ON CONFLICT ({', '.join(map(quote, keys))}) DO UPDATE SET {changes}",
    }
    return _Plan(
        head=f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, names))}) VALUES ",  # noqa: S608 - names of our own tables
        row=f"({','.join(['?' if dialect.name == 'sqlite' else '%s'] * len(names))})",
        tail=tails[known],
        columns=tuple((name, table.c[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names),
    )
