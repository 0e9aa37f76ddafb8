"""A map looked at: its examples are run, and what it does not read of them is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from hub.core.errors import Unreadable
from mappings.fieldmap import Example, FieldMap
from mappings.findings import Finding
from mappings.steps.numbers import exact
from mappings.values import Bad, shown


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An example that did not become what stands beside it."""

    line: int
    happened: str
    expected: Any = None
    got: Any = None

    def __str__(self) -> str:
        return f"line {self.line}: {self.happened}"


def run_examples(field_map: FieldMap) -> list[Failure]:
    """The examples of the map that fail; none if all is well."""
    return [failure for example in field_map.examples if (failure := _run(field_map, example)) is not None]


def _run(field_map: FieldMap, example: Example) -> Failure | None:
    tables = example.tables
    lookup = (lambda table, key: tables.get(table, {}).get(key)) if field_map.lookups else None
    try:
        mapped = field_map.apply(example.record, lookup=lookup)
    except Unreadable as error:
        if example.error and example.error in str(error):
            return None
        return Failure(
            line=example.line, happened=f"the example is not read: {error}", expected=example.error or example.out, got=str(error)
        )
    if mapped.ignored or example.ignored:
        if mapped.ignored == example.ignored:
            return None
        said = f"ignored by {mapped.ignored!r}" if mapped.ignored else "not ignored"
        return Failure(
            line=example.line, happened=f"the example is {said}", expected=example.ignored or example.out, got=mapped.ignored
        )
    if example.error:
        return Failure(
            line=example.line, happened="the example is read, and should not be", expected=example.error, got=mapped.data
        )
    return _compared(field_map, example, mapped.data)


def _compared(field_map: FieldMap, example: Example, data: Any) -> Failure | None:
    got: Any = data
    if field_map.fact is not None:
        try:
            expected = msgspec.convert(_texts(example.out), field_map.fact, strict=False)
        except msgspec.ValidationError as error:
            return Failure(line=example.line, happened=f"what the example expects is no {field_map.fact.__name__}: {error}")
        if expected == data:
            return None
        got, wanted = msgspec.to_builtins(data, builtin_types=(Decimal, date, datetime)), example.out
    else:
        wanted = example.out
    difference = first_difference(wanted, got)
    if difference is None and field_map.fact is None:
        return None
    return Failure(line=example.line, happened=difference or "the example differs", expected=wanted, got=got)


def _texts(value: Any) -> Any:
    """TOML's own numbers and dates as msgspec takes them."""
    match value:
        case dict():
            return {name: _texts(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_texts(inner) for inner in value]
        case _:
            return value


def first_difference(expected: Any, got: Any, at: str = "") -> str | None:
    """Where two results differ, in words; a number and a day may be written as text."""
    if isinstance(expected, dict) and isinstance(got, Mapping):
        for name in [*expected, *(name for name in got if name not in expected)]:
            there = f"{at}.{name}" if at else name
            if name not in got or name not in expected:
                return f"{there} is {'missing' if name not in got else f'not expected: {shown(got[name])}'}"
            difference = first_difference(expected[name], got[name], there)
            if difference:
                return difference
        return None
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        if len(expected) != len(got):
            return f"{at} has {len(got)} items, not {len(expected)}"
        pairs = enumerate(zip(expected, got, strict=True))
        return next((found for i, (left, right) in pairs if (found := first_difference(left, right, f"{at}[{i}]"))), None)
    return None if _same(expected, got) else f"{at} is {shown(got)}, not {shown(expected)}"


def _same(expected: Any, got: Any) -> bool:
    if isinstance(got, bool) or isinstance(expected, bool):
        return expected is got
    if isinstance(got, Decimal):
        try:
            return bool(exact(expected) == got)
        except Bad:
            return False
    if isinstance(got, datetime):
        expected = datetime.fromisoformat(expected) if isinstance(expected, str) else expected
        return bool(expected == got)
    if isinstance(got, date) and isinstance(expected, str):
        return expected == got.isoformat()
    return type(expected) is type(got) and bool(expected == got)


# --- checking ----------------------------------------------------------------------------------------------------


def check_map(field_map: FieldMap, sample: Any = None) -> list[Finding]:
    """What is wrong with a map that loads, or worth a look: failing examples, sources that nothing reads, floats, rules that never apply.

    `sample` is a record, or a list of them, as the source sends it; the examples' records are always used as well.
    """
    found = [
        Finding(
            severity="error",
            code="example",
            happened=str(failure.happened),
            next="correct the map or the example",
            line=failure.line,
        )
        for failure in run_examples(field_map)
    ]
    samples = [example.record for example in field_map.examples]
    samples += sample if isinstance(sample, list) else [] if sample is None else [sample]
    if not samples:
        found.append(
            _warning(
                "no-sample", "there is no example to check the map against", "add [[examples]] with a real, anonymised record"
            )
        )
        return found
    unread: dict[str, Any] = {}
    filled: set[str] = set()
    for record in samples:
        place = next(_floats(record, ""), None)
        if place is not None:
            found.append(
                _warning("float", f"the sample holds a float at {place}, which is not exact", "read it with mappings.parse_json")
            )
        unread |= dict.fromkeys(_unread(field_map, record))
        filled |= _filled(field_map, record)
    said = "the map neither reads nor ignores it"
    found += [_warning("unread", f"{path}: {said}", "write a rule for it, or add it to ignore", value=path) for path in unread]
    for rule in field_map.fields.rules:
        if rule.name not in filled:
            found.append(
                _warning("never-filled", "no sample has a value for it", "look at the path", line=rule.line, field=rule.name)
            )
    if sample is not None:
        found += _unreadable(field_map, sample if isinstance(sample, list) else [sample])
    return found


def _warning(code: str, happened: str, next: str, **about: Any) -> Finding:
    return Finding(severity="warning", code=code, happened=happened, next=next, **about)


def _unread(field_map: FieldMap, record: Any) -> tuple[str, ...]:
    try:
        return field_map.reads.unread(field_map._unpacked(record))
    except Unreadable:
        return ()


def _filled(field_map: FieldMap, record: Any) -> set[str]:
    try:
        return set(field_map.apply(record, lookup=lambda table, key: key).values)
    except Unreadable:
        return set()


def _unreadable(field_map: FieldMap, samples: list[Any]) -> list[Finding]:
    lookup = (lambda table, key: key) if field_map.lookups else None
    found = []
    for record in samples:
        for error in field_map.problems(record, lookup=lookup):
            about = {
                "field": error.about.get("field", ""),
                "line": int(error.about.get("line", 0)),
                "value": error.about.get("value", ""),
            }
            found.append(Finding(severity="error", code="unreadable", happened=error.happened, next=error.next, **about))  # type: ignore[arg-type]
    return found


def _floats(value: Any, at: str) -> Any:
    pending = [(value, at)]
    while pending:
        inner, there = pending.pop()
        if isinstance(inner, float):
            yield there or "/"
        elif isinstance(inner, dict):
            pending += [(item, f"{there}/{name}") for name, item in inner.items()]
        elif isinstance(inner, list | tuple):
            pending += [(item, f"{there}/{number}") for number, item in enumerate(inner)]
