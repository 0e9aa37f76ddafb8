"""A raw through a map whose target is an event type: one event, or one for each of its records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.core.errors import Misconfigured, Unreadable
from hub.core.event import Event, Ignored, Raw, event
from mappings import limits
from mappings.fieldmap import FieldMap, Lookup
from mappings.paths import EVERY, Path, Scope, reader
from mappings.sources import checked_items
from mappings.values import MISSING, Bad, parse_json


def events_from(field_map: FieldMap, raw: Raw, *, lookup: Lookup | None = None) -> Iterator[Event | Ignored]:
    """What the raw's JSON body means by this map.

    The iterator outlives an error: where one record cannot be read, `next` raises `Unreadable` for it and goes on with the
    following record when called again. So the good rows of a raw go on and only the bad one is parked.
    """
    if field_map.fact is None:
        raise Misconfigured(
            happened="the map's target is not an event type, so it makes no events",
            next="use a map whose target is a type of the vocabulary",
            map=field_map.name,
            target=field_map.target,
        )
    return _Events(field_map, raw, lookup)


class _Events(Iterator[Event | Ignored]):
    def __init__(self, field_map: FieldMap, raw: Raw, lookup: Lookup | None) -> None:
        self._map = field_map
        self._raw = raw
        self._lookup = lookup
        self._records: Iterator[tuple[str, Any]] | None = None
        self._made: dict[str, Event] = {}

    def __next__(self) -> Event | Ignored:
        if self._records is None:
            self._records = iter(())  # a body that cannot be read is told once
            self._records = iter(records_of(self._map, parse_json(self._raw.body)))
        pointer, record = next(self._records)
        try:
            return self._event(record)
        except Unreadable as error:
            raise _seen_from(error, pointer, self._raw) from None

    def _event(self, record: Any) -> Event | Ignored:
        mapped = self._map.apply(record, lookup=self._lookup)
        if mapped.ignored:
            return Ignored(rule=mapped.ignored)
        made = event(
            self._raw,
            self._map.target,
            subject=mapped.subject,
            data=mapped.data,
            occurred_at=mapped.occurred_at,
            key=mapped.key,
        )
        before = self._made.setdefault(mapped.subject, made)
        if before is made:
            return made
        # An event's id comes from raw, type and subject: a second one of the same subject would vanish in the store.
        if before == made:
            return Ignored(rule="repeated")
        raise Unreadable(
            happened="two records of one raw have the same subject and different data",
            next="give the map a subject that tells them apart, or have the sender send one of them",
            rule=f"{self._map.name}/subject",
            subject=mapped.subject,
        )


def records_of(field_map: FieldMap, body: Any) -> list[tuple[str, Any]]:
    """The records in a body with their pointers: those at `records`, or the body itself. Raises `Unreadable`."""
    path = field_map.records
    if path is None:
        found = [("", body)]
    else:
        try:
            value = reader(path)(body, Scope(body))
            records = [] if value is MISSING else checked_items(value) if isinstance(value, list | tuple) else [value]
        except Bad as bad:
            raise field_map.unreadable(bad.within("records", path.pointer)) from None
        if value is MISSING:
            lacking = Bad("there are no records in the body", "look at what was sent, or correct `records`")
            raise field_map.unreadable(lacking.within("records", path.pointer))
        found = [(_pointer(path, number, isinstance(value, list)), record) for number, record in enumerate(records)]
    for pointer, record in found[: limits.ITEMS]:
        if not isinstance(record, dict) and not field_map.unpack:
            wrong = Bad("a record is expected here", "look at what was sent, or name the records with `records`", record)
            raise field_map.unreadable(wrong.within("records", pointer))
    return found


def _pointer(path: Path, number: int, listed: bool) -> str:
    if path.many:
        return path.pointer.replace("*", str(number), 1) if path.segments.count(EVERY) == 1 else path.pointer
    return f"{path.pointer}/{number}" if listed else path.pointer


def _seen_from(error: Unreadable, pointer: str, raw: Raw) -> Unreadable:
    about = {name: value for name, value in error.about.items() if name not in ("rule", "pointer")}
    return Unreadable(
        happened=error.happened,
        next=error.next,
        rule=error.rule,
        pointer=pointer + error.pointer,
        **{"stream": raw.stream, "key": raw.key, **about},
    )
