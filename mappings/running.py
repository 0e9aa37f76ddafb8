"""A map over a file of records, one JSON value a line; what `shuniu map` does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

import msgspec

from hub.core.errors import Problem, Unreadable
from mappings.events import records_of
from mappings.fieldmap import FieldMap, Lookup
from mappings.values import parse_json


class Tally(msgspec.Struct, kw_only=True):
    """How many records became what; `problems` are the first hundred of the unreadable ones with their lines."""

    mapped: int = 0
    ignored: int = 0
    unreadable: int = 0
    problems: list[tuple[int, Problem]] = []


KEPT_PROBLEMS = 100


def run_file(
    field_map: FieldMap,
    in_lines: Iterable[bytes | str],
    out: IO[bytes],
    *,
    trace: bool = False,
    lookup: Lookup | None = None,
) -> Tally:
    """Write the result of every record as a line of JSON, decimals as texts; with `trace` also the way of every field.

    A line that cannot be read does not stop the others; it is counted and told in the result.
    """
    tally = Tally()
    for number, line in enumerate(in_lines, start=1):
        if not line.strip():
            continue
        try:
            records = records_of(field_map, parse_json(line.strip()))
        except Unreadable as error:
            _refuse(tally, number, error)
            continue
        for _, record in records:
            try:
                _write(field_map, record, out, tally, number, trace=trace, lookup=lookup)
            except Unreadable as error:
                _refuse(tally, number, error)
    return tally


def _refuse(tally: Tally, number: int, error: Unreadable) -> None:
    tally.unreadable += 1
    if len(tally.problems) < KEPT_PROBLEMS:
        tally.problems.append((number, error))


def _write(
    field_map: FieldMap, record: Any, out: IO[bytes], tally: Tally, number: int, *, trace: bool, lookup: Lookup | None
) -> None:
    mapped = field_map.apply(record, trace=trace, lookup=lookup)
    if mapped.ignored:
        tally.ignored += 1
    else:
        tally.mapped += 1
    if trace:
        whole = {
            "line": number,
            "data": mapped.data,
            "ignored": mapped.ignored or None,
            "trace": mapped.trace,
            "unread": mapped.unread,
            "missing": mapped.missing,
        }
        out.write(msgspec.json.encode(whole) + b"\n")
    elif not mapped.ignored:
        out.write(msgspec.json.encode(mapped.data) + b"\n")
