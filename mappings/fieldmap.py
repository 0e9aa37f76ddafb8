"""A field map, loaded: applied to a record it gives data, and on request the way of every field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from hub.core.errors import Unreadable
from hub.core.vocabulary import VOCABULARY, Fact
from mappings.conditions import Condition
from mappings.fields import Fields
from mappings.lists import Each, Nested
from mappings.paths import Path, Reads, Scope
from mappings.rules import Rule
from mappings.trace import Traced
from mappings.values import MISSING, Bad, is_empty, parse_json, shown

Lookup = Callable[[str, str], object]
"""The hub's tables: table and key to a value, `None` where there is none. Pure within one record."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A record beside the map and what must become of it: `out`, or `error` (part of its text), or `ignored` (the rule's name)."""

    record: Any
    out: Any = None
    error: str = ""
    ignored: str = ""
    tables: Mapping[str, Mapping[str, object]] = {}
    line: int = 0
    about: str = ""


class Mapped(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What a record becomes.

    `data` is the fact of an event target, else a plain record. `ignored` names the rule of `when` that left the record out;
    then there is no data. `trace` is filled if it was asked for.
    """

    data: Any
    subject: str = ""
    key: str | None = None
    occurred_at: datetime | None = None
    trace: tuple[Traced, ...] = ()
    ignored: str = ""

    # Beside the fields, so that they are neither compared nor encoded; most callers never ask what comes of them.
    def _by(self, field_map: FieldMap, record: Any, values: Mapping[str, Any]) -> Mapped:
        self.__dict__["_made"] = (field_map, record, values)
        return self

    @property
    def values(self) -> Mapping[str, Any]:
        """The values by target field, those that were missing left out."""
        values: Mapping[str, Any] = self.__dict__["_made"][2]
        return values

    @property
    def unread(self) -> tuple[str, ...]:
        """The sources in the record that the map neither reads nor lists under `ignore`."""
        field_map, record, _ = self.__dict__["_made"]
        found: tuple[str, ...] = field_map.reads.unread(record)
        return found

    @property
    def missing(self) -> tuple[str, ...]:
        """The target fields with a rule, for which the record had no value."""
        field_map, _, values = self.__dict__["_made"]
        return () if self.ignored else tuple(rule.name for rule in field_map.fields.rules if rule.name not in values)


class FieldMap:
    """One system's record into another's. Made by `load_map`; immutable and free of side effects, so it may be shared."""

    def __init__(
        self,
        *,
        name: str,
        version: int,
        target: str,
        fields: Fields,
        about: str = "",
        file: str = "",
        text: str = "",
        zone: str | None = None,
        when: tuple[tuple[str, Condition], ...] = (),
        records: Path | None = None,
        unpack: tuple[Path, ...] = (),
        subject: Rule | None = None,
        key: Rule | None = None,
        occurred_at: Rule | None = None,
        ignore: tuple[Path, ...] = (),
        lookups: tuple[str, ...] = (),
        examples: tuple[Example, ...] = (),
    ) -> None:
        self.name = name
        self.version = version
        self.target = target
        self.fields = fields
        self.about = about
        self.file = file
        self.text = text
        self.zone = zone
        self.when = when
        self.records = records
        self.unpack = unpack
        self.subject = subject
        self.key = key
        self.occurred_at = occurred_at
        self.ignore = ignore
        self.lookups = lookups
        self.examples = examples
        self.fact: type[Fact] | None = VOCABULARY.get(target)
        self.reads = self._reads()

    def __repr__(self) -> str:
        return f"<FieldMap {self.name} version {self.version} to {self.target}>"

    @property
    def envelope(self) -> tuple[Rule, ...]:
        """The rules of the event around the data."""
        return tuple(rule for rule in (self.subject, self.key, self.occurred_at) if rule is not None)

    def _reads(self) -> Reads:
        reads = Reads()
        conditions = (path for _, condition in self.when for path in condition.paths)
        envelope = (path for rule in self.envelope for path in rule.reads())
        for path in (*self.fields.reads(), *envelope, *conditions, *self.ignore):
            reads.add(path.segments)
        return reads

    def apply(self, record: Mapping[str, Any], *, trace: bool = False, lookup: Lookup | None = None) -> Mapped:
        """What the record becomes. Raises `Unreadable` for the first rule that cannot be followed."""
        if self.unpack:
            record = self._unpacked(record)
        scope = Scope(record, lookup)
        try:
            for name, condition in self.when:
                if not condition.holds(record, scope):
                    return Mapped(data=None, ignored=name, trace=self._ignored(name, condition, trace))._by(self, record, {})
        except Bad as bad:
            raise self.unreadable(bad.within(f"when.{name}", "")) from None
        notes: list[Traced] | None = [] if trace else None
        try:
            values = self.fields.fill(record, scope) if notes is None else self.fields.traced(record, scope, notes, "")
            fact = self.fact
            if fact is None:
                return Mapped(data=values, trace=tuple(notes) if notes else ())._by(self, record, values)
            subject, key, occurred_at = self._envelope(record, scope, values, notes)
            data = fact(**values)
        except Bad as bad:
            raise self.unreadable(bad) from None
        mapped = Mapped(data=data, subject=subject, key=key, occurred_at=occurred_at, trace=tuple(notes or ()))
        return mapped._by(self, record, values)

    def problems(self, record: Mapping[str, Any], *, lookup: Lookup | None = None) -> list[Unreadable]:
        """Every rule that cannot be followed for this record, in the order written."""
        try:
            record = self._unpacked(record)
        except Unreadable as error:
            return [error]
        scope = Scope(record, lookup)
        return [
            self.unreadable(bad) for bad in (*self.fields.failures(record, scope), *Fields(self.envelope).failures(record, scope))
        ]

    def _envelope(
        self, record: Any, scope: Scope, values: Mapping[str, Any], notes: list[Traced] | None
    ) -> tuple[str, str | None, datetime | None]:
        made: dict[str, Any] = {}
        for rule in self.envelope:
            if notes is None:
                made[rule.name] = rule.checked(record, scope)
            else:
                made.update(Fields((rule,)).traced(record, scope, notes, ""))
        subject = made.get("subject", MISSING)
        if subject is MISSING:
            assert self.fact is not None
            subject = values[self.fact.__struct_fields__[0]]
        key, occurred_at = made.get("key"), made.get("occurred_at")
        return subject, key or None, occurred_at or None

    def _unpacked(self, record: Any) -> Any:
        """The record with the JSON texts of `unpack` read; the record itself is left as it is."""
        for path in self.unpack:
            record = _unpack(record, path.segments, path)
        return record

    def _ignored(self, name: str, condition: Condition, trace: bool) -> tuple[Traced, ...]:
        return (Traced(field=f"when.{name}", source=condition.text, note="the record is ignored by this rule"),) if trace else ()

    # --- errors --------------------------------------------------------------------------------------------------

    def unreadable(self, bad: Bad) -> Unreadable:
        """The error of a rule, with the file, line, field and value."""
        return Unreadable(
            happened=bad.happened,
            next=bad.next,
            rule=f"{self.name}/{bad.inner}",
            pointer=bad.pointer or "",
            file=self.file or None,
            line=self.line_of(bad.inner) or None,
            field=bad.inner or None,
            value=None if is_empty(bad.value) else shown(bad.value),
            version=self.version,
        )

    def line_of(self, field: str) -> int:
        """The line of the rule that fills the field, or of the nearest rule around it."""
        rules, line = (*self.fields.rules, *self.envelope), 0
        while field:
            found = next(
                (rule for rule in rules if field == rule.name or field.startswith((f"{rule.name}.", f"{rule.name}["))), None
            )
            if found is None:
                break
            line = found.line or line
            rest = field[len(found.name) :]
            field = (rest.partition("]")[2] if rest.startswith("[") else rest).lstrip(".")
            inner = _inner(found)
            rules = inner.rules if inner else ()
        return line


def _inner(rule: Rule) -> Fields | None:
    match rule.source:
        case Each(inner=Fields() as fields) | Nested(fields=fields):
            return fields
    return None


def _unpack(record: Any, segments: tuple[Any, ...], path: Path) -> Any:
    if not segments:
        if is_empty(record) or not isinstance(record, str):
            return record
        try:
            return parse_json(record)
        except Unreadable as error:
            raise Unreadable(happened=error.happened, next=error.next, rule="unpack", pointer=path.pointer) from None
    if isinstance(record, dict) and segments[0] in record:
        return {**record, segments[0]: _unpack(record[segments[0]], segments[1:], path)}
    return record
