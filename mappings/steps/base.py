"""What a step is, and what its maker may know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Clamped, Context, Decimal, Inexact, InvalidOperation, Overflow, Rounded, Subnormal
from typing import Any

import msgspec

from mappings import limits
from mappings.kinds import ANY, Kind
from mappings.paths import Scope
from mappings.values import Bad


class BadStep(ValueError):
    """A step that cannot work as it is written. `option` is the word that is wrong, if not the step itself."""

    def __init__(self, message: str, option: str = "") -> None:
        super().__init__(message)
        self.option = option


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """`apply` turns a value into another, or `MISSING`; it raises `Bad` for a value it cannot use.

    `takes` are the kinds it can work on, `gives` the kind of its result. A step works on each item of a list unless `whole`.
    `plain` marks the steps for which the field map has a loop of its own.
    """

    name: str
    says: str
    apply: Callable[[Any], Any]
    gives: Kind = ANY
    takes: tuple[str, ...] = ()
    whole: bool = False
    plain: str = ""
    change: Callable[[str], Any] | None = None
    """What `apply` does to a text, for steps that work on texts only."""
    seeks: Callable[[Any, Scope], Any] | None = None
    """Used instead of `apply` by a step that needs the external lookup."""


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """What the map says that a step may need: its zone, its tables, the external lookups it declared."""

    zone: str | None = None
    tables: Mapping[str, Mapping[str, object]] = {}
    lookups: tuple[str, ...] = ()
    before: Kind = ANY


Maker = Callable[[Any, Mapping[str, Any], Making], Step]


def text_of(value: object) -> str:
    """The value as a text, exactly: digits stay as they are."""
    if type(value) is str:
        if len(value) > limits.TEXT:
            raise Bad(f"the text is longer than {limits.TEXT} characters", "send less, or leave the field out", value)
        return value
    if type(value) is int:
        if value.bit_length() > 4 * limits.NUMBER:
            raise Bad(f"the integer has more than {limits.NUMBER} digits", "look at what was sent", value)
        return str(value)
    if type(value) is Decimal:
        return format(bounded(value), "f")
    if type(value) is float:
        raise Bad("the value is a float, which is not exact", "read the record with mappings.parse_json", value)
    raise Bad("a text is expected here", "take a text or a number from the record, or say `as`", value)


_BOUND = Context(
    prec=limits.NUMBER,
    Emax=limits.EXPONENT,
    Emin=-limits.EXPONENT,
    traps=[Inexact, Rounded, Overflow, Subnormal, Clamped, InvalidOperation],
)


def bounded(value: Decimal) -> Decimal:
    """The decimal itself, if it is finite and of a length that a person could have written."""
    if not value.is_finite():
        raise Bad("the number is not finite", "look at what was sent", value)
    try:
        _BOUND.plus(value)
    except ArithmeticError:
        raise Bad("the number is out of all proportion", "look at what was sent", value) from None
    return value


def wants_text(option: Any, word: str) -> str:
    if not isinstance(option, str):
        raise BadStep(f"{word} takes a text", word)
    return option
