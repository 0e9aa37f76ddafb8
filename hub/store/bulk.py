"""Many rows in one statement.

A driver that is given rows one by one stops and starts again for each: SQLite's gives its turn to another thread every time,
PostgreSQL's server plans and answers every time. SQLite takes `VALUES (…), (…)`. PostgreSQL takes the rows as one JSON
parameter: of a long list of parameters its driver looks at every mark again, which costs more than all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

_AT_ONCE = (128, 64, 32, 16, 8, 4, 2, 1)  # few sizes, so that SQLite's driver keeps the statements that it has prepared

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
    return sum(connection.exec_driver_sql(*one).rowcount for one in _statements(connection.dialect, table, rows, known))


def insert_new_rows(connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, returning: str) -> set[Any]:
    """Insert those rows whose key is not there yet; returns this column of what was inserted."""
    tail = f" RETURNING {connection.dialect.identifier_preparer.quote(returning)}"
    written: set[Any] = set()
    for statement, values in _statements(connection.dialect, table, rows, "keep"):
        written.update(connection.exec_driver_sql(statement + tail, values).scalars())
    return written


def _statements(
    dialect: Dialect, table: sa.Table, rows: Sequence[Mapping[str, Any]], known: Known
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The statements that write the rows, each with its parameters."""
    if not rows:
        return
    key = (dialect.name, table.name, known, tuple(rows[0]))
    plan = _plans.get(key) or _plans.setdefault(key, _plan(dialect, table, known, tuple(rows[0])))
    if dialect.name == "postgresql":
        values = [{name: make(row[name]) if make else row[name] for name, make in plan.columns} for row in rows]
        yield plan.statement(1), (as_json(values),)
        return
    start = 0
    for count in _AT_ONCE:
        while len(rows) - start >= count:
            yield plan.statement(count), _flat(plan, rows[start : start + count])
            start += count


def _flat(plan: _Plan, rows: Iterable[Mapping[str, Any]]) -> tuple[Any, ...]:
    return tuple([make(row[name]) if make else row[name] for row in rows for name, make in plan.columns])


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as the one parameter of `selected`: bytes in base64, decimals as text, times in ISO."""
    return msgspec.json.encode(rows).decode()


def selected(dialect: Dialect, table: sa.Table, names: Sequence[str]) -> str:
    """PostgreSQL: a SELECT of these columns from rows given as JSON."""
    quote, told = dialect.identifier_preparer.quote, dialect.type_compiler_instance
    given, taken = [], []
    for name in names:
        type_ = table.c[name].type.dialect_impl(dialect)
        is_bytes = isinstance(type_, sa.LargeBinary)
        given.append(f"{quote(name)} {'text' if is_bytes else told.process(type_)}")
        taken.append(f"decode({quote(name)}, 'base64')" if is_bytes else quote(name))
    return f"SELECT {', '.join(taken)} FROM json_to_recordset(%s::json) AS given({', '.join(given)})"  # noqa: S608 - our own names


def _plan(dialect: Dialect, table: sa.Table, known: Known, names: tuple[str, ...]) -> _Plan:
    quote = dialect.identifier_preparer.quote
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in names if name not in keys)
    tails: dict[Known, str] = {
        "error": "",
        "keep": " ON CONFLICT DO NOTHING",
        "replace": f" ON CONFLICT ({', '.join(map(quote, keys))}) DO UPDATE SET {changes}",
    }
    into = f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, names))}) "
    makers = [(name, table.c[name].type.dialect_impl(dialect)) for name in names]
    if dialect.name == "postgresql":
        kept = [(name, None if isinstance(type_, sa.LargeBinary) else type_.bind_processor(dialect)) for name, type_ in makers]
        return _Plan(into, selected(dialect, table, names), tails[known], tuple(kept))
    columns = tuple((name, type_.bind_processor(dialect)) for name, type_ in makers)
    return _Plan(f"{into}VALUES ", f"({','.join('?' * len(names))})", tails[known], columns)
