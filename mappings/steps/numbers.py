"""Numbers, exactly: what would lose a digit is refused, never rounded, unless the map says `round`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
)
from typing import Any

from mappings import limits
from mappings.kinds import DECIMAL
from mappings.steps.base import BadStep, Maker, Making, Step, bounded
from mappings.values import Bad, is_empty

EXACT = Context(prec=2 * limits.NUMBER, Emax=999_999, Emin=-999_999, traps=[Inexact, InvalidOperation, Overflow, Rounded])
_WIDE = Context(prec=2 * limits.NUMBER, traps=[InvalidOperation, Overflow])
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_ROUNDING = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "down": ROUND_DOWN}
_NEXT = "look at what was sent, or give the number's signs with `group` and `point`"
_GROUPS = "the text is not a number: its groups are not groups of three"
_MARKS = "¥￥$€£元 \u00a0\u202f\t\r\n"

ToDecimal = Callable[[Any], Any]


def exact(value: Any) -> Decimal:
    """The number in `value`, which is a number already or its plain digits."""
    kind = type(value)
    if kind is Decimal:
        return bounded(value)
    if kind is int:
        if value.bit_length() > 4 * limits.NUMBER:
            raise Bad("the integer is out of all proportion", "look at what was sent", value)
        return Decimal(value)
    if kind is str:
        return _plain(value)
    if kind is float:
        raise Bad("the number is a float, which is not exact", "read the record with mappings.parse_json", value)
    raise Bad("a number is expected here", "take a number or a text of digits from the record", value)


def _plain(text: str) -> Decimal:
    if len(text) < limits.NUMBER:
        if text.removeprefix("-").replace(".", "", 1).isdecimal():
            return Decimal(text)
        if "_" not in text:
            try:
                return bounded(Decimal(text))
            except InvalidOperation:
                pass
    raise Bad("the text is not a number", _NEXT, text)


def decimal_reader(*, group: str = ",", point: str = ".", unit: Decimal | None = None) -> ToDecimal:
    """A function from a number or its text to a decimal. Groups of thousands must be whole groups of three."""
    simple = point == "." and group != "."
    grouped = re.compile(rf"[+-]?\d{{1,3}}(?:{re.escape(group)}\d{{3}})+(?:{re.escape(point)}\d*)?") if group else None

    def clean(value: str) -> Decimal:
        if grouped and value.isascii() and len(value) < limits.NUMBER and grouped.fullmatch(value):
            return Decimal(value.replace(group, "").replace(point, "."))
        text = unicodedata.normalize("NFKC", value[: 4 * limits.NUMBER])
        negative = text.startswith("(") and text.endswith(")")
        text = (text[1:-1] if negative else text).strip(_MARKS).replace("−", "-").replace(" ", "")
        text = text[0] + text[1:].lstrip(_MARKS) if text[:1] in ("-", "+") else text
        if grouped and len(text) < limits.NUMBER and grouped.fullmatch(text):
            text = text.replace(group, "")
        if (group and group in text) or (point != "." and "." in text):
            raise Bad(_GROUPS, "give its signs with `group` and `point`", value)
        text = text.replace(point, ".")
        if not _NUMBER.fullmatch(text):
            raise Bad("the text is not a number", _NEXT, value)
        number = _plain(text)
        return number.copy_negate() if negative else number

    def read(value: Any) -> Any:
        if type(value) is not str:
            number = exact(value)
        elif simple and len(value) < limits.NUMBER and value.removeprefix("-").replace(".", "", 1).isdecimal():
            number = Decimal(value)
        else:
            number = clean(value)
        return number if unit is None else product((number, unit))

    return read


def product(numbers: Sequence[Decimal]) -> Decimal:
    """The exact product."""
    return _exactly(EXACT.multiply, Decimal(1), numbers)


def total(numbers: Sequence[Decimal]) -> Decimal:
    """The exact sum; 0 for none."""
    return _exactly(EXACT.add, Decimal(0), numbers)


def difference(numbers: Sequence[Decimal]) -> Decimal:
    """The first less all the others, exactly."""
    return _exactly(EXACT.subtract, numbers[0], numbers[1:])


def _exactly(operation: Callable[[Decimal, Decimal], Decimal], result: Decimal, numbers: Sequence[Decimal]) -> Decimal:
    try:
        for number in numbers:
            result = operation(result, number)
    except ArithmeticError:
        raise Bad("the result has too many digits to be exact", "round the parts first", result) from None
    return bounded(result)


def integer(value: Any) -> Any:
    """The whole number in `value`; 12.00 is one, 12.5 is not."""
    kind = type(value)
    if kind is int:
        return value
    if kind is bool or is_empty(value):
        raise Bad("a whole number is expected here", "take a number from the record", value)
    number = decimal_reader()(value)
    whole = int(number)
    if whole != number:
        raise Bad("the number has a fraction, which an integer would lose", "use a decimal, or `round` it first", value)
    return whole


def _round(option: Any, _: Mapping[str, Any], __: Making) -> Step:
    settings = {"mode": "half_up", **(option if isinstance(option, dict) else {"places": option})}
    places, mode = settings.get("places"), settings["mode"]
    if type(places) is not int or not -20 <= places <= 20 or mode not in _ROUNDING or set(settings) != {"mode", "places"}:
        raise BadStep('round takes a number of places, or { places = 2, mode = "half_up" | "half_even" | "down" }', "round")
    unit = Decimal(1).scaleb(-places)

    def apply(value: Any) -> Decimal:
        return exact(value).quantize(unit, rounding=_ROUNDING[mode], context=_WIDE)

    return Step(
        name="round",
        says=f"rounded to {places} places ({mode})",
        apply=apply,
        gives=DECIMAL,
        takes=("decimal", "integer", "text"),
    )


NUMBER_STEPS: dict[str, Maker] = {"round": _round}
