"""What kind of value a rule gives and a target takes, so that a map that cannot work is refused when it is loaded."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect

from hub.core.vocabulary import VOCABULARY


class Kind(msgspec.Struct, frozen=True):
    """`any` is what a record holds before a step says what it is. `of` are the kinds inside a list, a tuple or a record."""

    name: str
    of: tuple[Kind, ...] = ()
    struct: type[msgspec.Struct] | None = None
    required: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.name == "list":
            return f"list of {self.of[0]}"
        return self.struct.__name__ if self.struct else self.name

    def field(self, name: str) -> Kind | None:
        """The kind of a record's field; `None` where the record has no such field."""
        if self.struct is None:
            return ANY
        return self.of[self.names.index(name)] if name in self.names else None


ANY = Kind("any")
TEXT = Kind("text")
INTEGER = Kind("integer")
DECIMAL = Kind("decimal")
BOOLEAN = Kind("boolean")
DATE = Kind("date")
DATETIME = Kind("datetime")
RECORD = Kind("record")
FLOAT = Kind("float")
SCALARS = {kind.name: kind for kind in (TEXT, INTEGER, DECIMAL, BOOLEAN, DATE, DATETIME)}


def list_of(kind: Kind) -> Kind:
    return Kind("list", of=(kind,))


def target_kind(target: str) -> Kind | None:
    """The kind of an event type's data; a free record for `connection/what`; `None` for neither."""
    fact = VOCABULARY.get(target)
    if fact is not None:
        return _of(inspect.type_info(fact))
    return RECORD if "/" in target.strip("/") else None


_SIMPLE: dict[type, Kind] = {
    inspect.StrType: TEXT,
    inspect.IntType: INTEGER,
    inspect.DecimalType: DECIMAL,
    inspect.BoolType: BOOLEAN,
    inspect.DateType: DATE,
    inspect.DateTimeType: DATETIME,
    inspect.FloatType: FLOAT,
    inspect.AnyType: ANY,
    inspect.DictType: RECORD,
}


def _of(info: Any) -> Kind:
    match info:
        case inspect.UnionType():
            inner = [part for part in info.types if not isinstance(part, inspect.NoneType)]
            return _of(inner[0]) if len(inner) == 1 else ANY
        case inspect.StructType():
            return Kind(
                "record",
                of=tuple(_of(field.type) for field in info.fields),
                struct=info.cls,
                required=frozenset(field.name for field in info.fields if field.required),
                names=tuple(field.name for field in info.fields),
            )
        case inspect.VarTupleType() | inspect.ListType():
            return list_of(_of(info.item_type))
        case inspect.TupleType():
            return Kind("tuple", of=tuple(_of(part) for part in info.item_types))
        case _:
            return _SIMPLE.get(type(info), ANY)
