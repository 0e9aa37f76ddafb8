"""Texts with places for values: `客户 {客户} 的订单 {订单编号}，金额 {金额:money}，交期 {交期:date|未定}`.

A place is `{path}`, `{path:format}` or either with `|text` for when there is no value; `{{` and `}}` are braces.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

from mappings import limits
from mappings.steps.base import text_of
from mappings.steps.clock_texts import reads, to_day, to_instant
from mappings.steps.numbers import decimal_reader, product
from mappings.values import Bad

Shape = Callable[[Any], str]


class BadTemplate(ValueError):
    """A template that is not written as one; the message says where."""


class Place(NamedTuple):
    """One place in a template."""

    name: str
    format: str
    fallback: str | None


_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_to_decimal = decimal_reader()
_iso = reads("iso")


def parse_template(text: str) -> list[str | Place]:
    """The template's literal texts and places in order. Raises `BadTemplate`."""
    if len(text) > limits.TEMPLATE:
        raise BadTemplate(f"the template is longer than {limits.TEMPLATE} characters")
    pieces: list[str | Place] = []
    at = 0
    for found in _PIECE.finditer(text):
        pieces.append(text[at : found.start()])
        at = found.end()
        if found.group() in ("{{", "}}"):
            pieces.append(found.group()[0])
        elif found.group(1) is None:
            raise BadTemplate(f"a brace is alone at character {found.start() + 1}; write {{{{ or }}}} for the sign itself")
        else:
            pieces.append(_place(found.group(1)))
    pieces.append(text[at:])
    return [piece for piece in pieces if piece != ""]


def _place(inside: str) -> Place:
    inside, bar, fallback = inside.partition("|")
    name, colon, form = inside.rpartition(":")
    if not colon:
        name, form = inside, ""
    if not name.strip():
        raise BadTemplate("a place {} names no value")
    if form.strip() not in FORMATS:
        raise BadTemplate(f"{form.strip()!r} is not a format; there are {', '.join(sorted(filter(None, FORMATS)))}")
    return Place(name.strip(), form.strip(), fallback if bar else None)


def shape(form: str, zone: tzinfo | None) -> Shape:
    """The function that writes a value in that format."""
    write = FORMATS[form]
    if not form:
        return lambda value: value if type(value) is str else _as_is(value, zone)
    return lambda value: write(value, zone)


def _as_is(value: Any, zone: tzinfo | None) -> str:
    if isinstance(value, datetime):
        return _datetime(value, zone)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple):
        return "、".join(_as_is(item, zone) for item in value)
    return text_of(value)


def _number(value: Any, _: tzinfo | None) -> str:
    return f"{_trimmed(_to_decimal(value)):,f}"


def _plain(value: Any, _: tzinfo | None) -> str:
    return f"{_trimmed(_to_decimal(value)):f}"


def _money(value: Any, _: tzinfo | None) -> str:
    number = _trimmed(_to_decimal(value))
    places = max(2, -int(number.as_tuple().exponent))
    # The amount is never rounded: one with more than two decimals is shown with all of them.
    return f"{number:,.{places}f}"


def _percent(value: Any, _: tzinfo | None) -> str:
    return f"{_trimmed(product((_to_decimal(value), Decimal(100)))):f}%"


def _trimmed(number: Decimal) -> Decimal:
    """Without zeros at the end of its fraction, whatever its length."""
    text = f"{number:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def _when(value: Any) -> date | datetime:
    return value if isinstance(value, date) else _iso(value)


def _date(value: Any, zone: tzinfo | None) -> str:
    return to_day(_when(value), zone, value).isoformat()


def _day_zh(value: Any, zone: tzinfo | None) -> str:
    day = to_day(_when(value), zone, value)
    return f"{day.month}月{day.day}日"


def _datetime(value: Any, zone: tzinfo | None) -> str:
    if zone is None:
        raise Bad("a time is written only in a time zone", 'say zone = "Asia/Shanghai" for the whole map', value)
    return to_instant(_when(value), zone, value).astimezone(zone).strftime("%Y-%m-%d %H:%M")


FORMATS: dict[str, Callable[[Any, tzinfo | None], str]] = {
    "": _as_is,
    "money": _money,
    "number": _number,
    "plain": _plain,
    "percent": _percent,
    "date": _date,
    "day": _day_zh,
    "datetime": _datetime,
}
