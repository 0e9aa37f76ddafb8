"""The values that rules work on: JSON read exactly, the absence of a value, and a value that cannot be used."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

from hub.core.errors import Unreadable
from mappings import limits


class _Missing:
    """The value of a source that is not there or is empty."""

    def __repr__(self) -> str:
        return "(missing)"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()


class Bad(Exception):
    """A value that a step cannot use; the field map turns it into `Unreadable` with the rule and the place."""

    def __init__(self, happened: str, next: str, value: object = None, pointer: str | None = None) -> None:
        super().__init__(happened)
        self.happened = happened
        self.next = next
        self.value = value
        self.pointer = pointer
        self.inner = ""

    def within(self, field: str, pointer: str) -> Bad:
        """The same, seen from the rule around it."""
        dot = "." if field and self.inner and not self.inner.startswith("[") else ""
        self.inner = f"{field}{dot}{self.inner}"
        self.pointer = pointer + (self.pointer or "")
        return self


def is_empty(value: object) -> bool:
    """Whether there is nothing in it: absent, null, or text of spaces only. Zero, false and an empty list are values."""
    return value is MISSING or value is None or (isinstance(value, str) and (not value or value.isspace()))


def shown(value: object) -> str:
    """The value in short, for an error or a trace; a text in quotation marks."""
    match value:
        case str():
            text = f"“{value}”"
        case Decimal():
            text = f"{value:f}" if abs(value.adjusted() if value.is_finite() else 0) <= limits.EXPONENT else str(value)
        case datetime() | date():
            text = value.isoformat()
        case bool() | None:
            text = {True: "true", False: "false", None: "null"}[value]
        case int():
            text = str(value) if value.bit_length() < 4 * limits.NUMBER else "a very long integer"
        case dict():
            text = f"a record of {len(value)} fields"
        case list() | tuple():
            text = f"a list of {len(value)}"
        case _:
            text = repr(value) if value is MISSING else f"{type(value).__name__} {value!r}"
    return text if len(text) <= limits.SHOWN else text[: limits.SHOWN - 1] + "…"


# --- JSON --------------------------------------------------------------------------------------------------------

# A text that never ends is taken to the end at once, so that no arrangement of quotes makes this slow.
_OUTSIDE_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_ESCAPED = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _NotJson(f"the name {shown(twice)} stands twice in one record")
    return record


class _NotJson(ValueError):
    """A JSON text that we do not accept, in words."""


def _no_constant(name: str) -> NoReturn:
    raise _NotJson(f"{name} is not a number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once)


def parse_json(body: bytes | str) -> Any:
    """The JSON value, exactly: integers of any length as `int`, other numbers as `Decimal`, never a float.

    Raises `Unreadable` for what is not UTF-8 or not JSON, for NaN, a name twice in one record, half a surrogate pair, a NUL
    character (no database keeps it), and for what is nested or long beyond the limits.
    """
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    try:
        if len(raw) > limits.JSON_BYTES:
            raise _NotJson(f"it is longer than {limits.JSON_BYTES} bytes")
        text = raw.decode("utf-8-sig")
        if raw.count(b"[") + raw.count(b"{") > limits.JSON_DEPTH:
            _refuse_depth(raw)
        value = _DECODER.decode(text)
        if _ESCAPED.search(raw):
            _refuse_halves(value)
    except UnicodeDecodeError as error:
        raise _unreadable(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _unreadable(f"{error.msg}, line {error.lineno}, column {error.colno}") from None
    except (_NotJson, RecursionError) as error:
        raise _unreadable(str(error) or "it is nested too deeply") from None
    except ValueError:
        raise _unreadable("it holds an integer of thousands of digits") from None
    return value


def _unreadable(why: str) -> Unreadable:
    return Unreadable(
        happened=f"the body cannot be read as JSON: {why}",
        next="look at the bytes as they arrived; the sender must send UTF-8 JSON",
        rule="json",
        pointer="",
    )


def _refuse_depth(raw: bytes) -> None:
    depth = 0
    for found in _OUTSIDE_TEXT.finditer(raw):
        sign = raw[found.start()]
        if sign in b"[{":
            depth += 1
            if depth > limits.JSON_DEPTH:
                raise _NotJson(f"it is nested deeper than {limits.JSON_DEPTH}")
        elif sign in b"]}":
            depth -= 1


def _refuse_halves(value: object) -> None:
    """Escapes can write what no encoding can carry (half a surrogate pair) and what no database keeps (NUL)."""
    pending = [value]
    while pending:
        match pending.pop():
            case str() as text:
                if "\0" in text:
                    raise _NotJson("a text holds a NUL character")
                try:
                    text.encode()
                except UnicodeEncodeError:
                    raise _NotJson("a text holds half a surrogate pair") from None
            case dict() as record:
                pending += [*record, *record.values()]
            case list() as items:
                pending += items
