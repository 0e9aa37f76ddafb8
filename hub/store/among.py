"""`column IN (…)` with any number of values as one parameter.

A list of parameters is another statement for each length: it is put together and parsed anew every time, which costs more
than finding the rows. One array (PostgreSQL) or JSON text (SQLite) leaves the statement as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from hub.store.columns import Json


class _Several(TypeDecorator[Sequence[Any]]):
    """Values of one column's type, as one parameter."""

    impl = Json
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(Json())
        of = sa.Text() if isinstance(self.of, sa.String) else self.of  # a length would cut what is longer, and find another row
        return dialect.type_descriptor(postgresql.ARRAY(of))


class among(FunctionElement[Any]):
    """Whether the column is one of `values`: a sequence, or the name of a parameter that brings one."""

    type = sa.types.NULLTYPE  # of a boolean, SQLAlchemy would have SQLite ask whether it is 1, and no index would help
    inherit_cache = True

    def __init__(self, column: sa.ColumnElement[Any], values: str | Sequence[Any]) -> None:
        type_ = _Several(column.type)
        given = sa.bindparam(values, type_=type_) if isinstance(values, str) else sa.bindparam(None, list(values), type_=type_)
        super().__init__(column, given)


@compiles(among, "sqlite")
def _in_sqlite(element: among, compiler: Any, **named: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **named)} IN (SELECT value FROM json_each({compiler.process(values, **named)}))"  # noqa: S608 - a column of ours


@compiles(among)
def _in_postgresql(element: among, compiler: Any, **named: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **named)} = ANY ({compiler.process(values, **named)})"
