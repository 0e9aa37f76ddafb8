"""Rules over a list of items: a map for each, their sum, their number. And a record within the record."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mappings.conditions import Condition
from mappings.fields import Fields
from mappings.kinds import DECIMAL, INTEGER, Kind, list_of
from mappings.paths import EVERY, Path, Scope, reader
from mappings.rules import Rule
from mappings.sources import checked_items
from mappings.steps.numbers import exact, total
from mappings.trace import Traced
from mappings.values import MISSING, Bad


class Nested:
    """A record within the record, made by rules of its own; `path` is where they read, if not in the whole."""

    def __init__(self, fields: Fields, gives: Kind, path: Path | None) -> None:
        self.fields = fields
        self.gives = gives
        self.path = path
        self.pointer = path.pointer if path else ""
        self._read = reader(path) if path else None

    def fetch(self, record: Any, scope: Scope) -> Any:
        inner = record if self._read is None else self._read(record, scope)
        return MISSING if inner is MISSING else self.fields.made(inner, scope)

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        inner = record if self._read is None else self._read(record, scope)
        return MISSING if inner is MISSING else self.fields.traced_made(inner, scope, notes, at), self.says()

    def reads(self) -> list[Path]:
        return _under(self.path, self.fields.reads()) if self.path else self.fields.reads()

    def says(self) -> str:
        return f"the record {self.path.text}" if self.path else "a record"


class _Items:
    """What the rules over a list share: where the items are and which of them count."""

    def __init__(self, path: Path, where: Condition | None) -> None:
        self.path = path
        self.where = where
        self._read = reader(path)
        # `明细` and `明细[*]` both mean the items of the list; `订单[*].明细[*]` those of all the lists.
        self.items_path = path if path.many else Path(text=path.text, segments=(*path.segments, EVERY), rooted=path.rooted)
        cut = self.items_path.segments.index(EVERY)
        self.pointer = Path(text="", segments=self.items_path.segments[:cut]).pointer
        self._numbered = self.items_path.segments[cut:] == (EVERY,)

    def at(self, bad: Bad, number: int, pointer: str = "") -> Bad:
        """The error, seen from the list. Items taken from several lists have no number of their own."""
        return bad.within(f"[{number}]", f"/{number if self._numbered else '*'}{pointer}")

    def items(self, record: Any, scope: Scope) -> list[tuple[int, Any]] | None:
        """The items that count, with their numbers; `None` where there is no list."""
        value = self._read(record, scope)
        if value is MISSING:
            return None
        items = enumerate(checked_items(value))
        if self.where is None:
            return list(items)
        kept: list[tuple[int, Any]] = []
        for number, item in items:
            try:
                if self.where.holds(item, scope):
                    kept.append((number, item))
            except Bad as bad:
                raise self.at(bad, number) from None
        return kept

    def reads_inside(self, paths: list[Path]) -> list[Path]:
        inner = [*paths, *(self.where.paths if self.where else ())]
        return _under(self.items_path, inner) if inner else [self.path]

    def says_where(self) -> str:
        return f" where {self.where.text}" if self.where else ""


class Each(_Items):
    """A record or a value for every item."""

    def __init__(self, path: Path, where: Condition | None, inner: Fields | Rule | None, item: Kind) -> None:
        super().__init__(path, where)
        self.inner = inner
        self.gives = list_of(item)

    def fetch(self, record: Any, scope: Scope) -> Any:
        items = self.items(record, scope)
        if items is None:
            return MISSING
        inner = self.inner
        if inner is None:
            return [item for _, item in items]
        run = inner.made if isinstance(inner, Fields) else inner.checked
        made: list[Any] = []
        for number, item in items:
            try:
                value = run(item, scope)
            except Bad as bad:
                raise self.at(bad, number) from None
            if value is not MISSING:
                made.append(value)
        return made

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        items = self.items(record, scope)
        if items is None or self.inner is None:
            return self.fetch(record, scope), self.says()
        made: list[Any] = []
        for number, item in items:
            there = f"{at}[{number}]"
            try:
                if isinstance(self.inner, Fields):
                    made.append(self.inner.traced_made(item, scope, notes, there))
                    continue
                value = self.inner.traced(item, scope, notes, there)
            except Bad as bad:
                raise self.at(bad, number) from None
            if value is not MISSING:
                made.append(value)
        return made, self.says()

    def reads(self) -> list[Path]:
        return self.reads_inside(self.inner.reads() if self.inner is not None else [])

    def says(self) -> str:
        return f"each of {self.path.text}{self.says_where()}"


_INTEGERS = {int}
_DECIMALS = {Decimal}


class Sum(_Items):
    """The exact sum over the items; 0 for an empty list, missing where there is none."""

    gives = DECIMAL

    def __init__(self, path: Path, where: Condition | None, of: Rule | None) -> None:
        super().__init__(path, where)
        self.of = of
        self._alone = where is None and of is None

    def fetch(self, record: Any, scope: Scope) -> Any:
        if self._alone:
            value = self._read(record, scope)
            if value is MISSING:
                return MISSING
            kinds = set(map(type, value if self.path.many else checked_items(value)))
            # Whole numbers, and short decimals, are added without a step of ours for each.
            if kinds == _INTEGERS:
                return exact(sum(value))
            if kinds == _DECIMALS:
                return total(value)
        items = self.items(record, scope)
        if items is None:
            return MISSING
        numbers = []
        for number, item in items:
            try:
                value = self.of.run(item, scope) if self.of else item
                if value is not MISSING:
                    numbers.append(exact(value))
            except Bad as bad:
                pointer = self.of.pointer if self.of else ""
                raise self.at(bad, number, pointer) from None
        return total(numbers)

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        return self.fetch(record, scope), self.says()

    def reads(self) -> list[Path]:
        return self.reads_inside(self.of.reads() if self.of else [])

    def says(self) -> str:
        of = f"{self.of.source.says()} over " if self.of else ""
        return f"the sum of {of}{self.path.text}{self.says_where()}"


class Count(_Items):
    """How many items there are; missing where there is no list."""

    gives = INTEGER

    def fetch(self, record: Any, scope: Scope) -> Any:
        if self.where is None:
            value = self._read(record, scope)
            return MISSING if value is MISSING else len(checked_items(value))
        items = self.items(record, scope)
        return MISSING if items is None else len(items)

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        return self.fetch(record, scope), self.says()

    def reads(self) -> list[Path]:
        return self.reads_inside([])

    def says(self) -> str:
        return f"the number of {self.path.text}{self.says_where()}"


def _under(outer: Path, inner: list[Path]) -> list[Path]:
    """Paths of an item as paths of the record that holds it."""
    return [
        path
        if path.rooted
        else Path(text=f"{outer.text}.{path.text}", segments=(*outer.segments, *path.segments), rooted=outer.rooted)
        for path in inner
    ]
