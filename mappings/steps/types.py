"""`as`: what kind of value it is. Also what is done where a rule does not say `as` and the target's kind is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from mappings import kinds
from mappings.kinds import Kind
from mappings.steps.base import BadStep, Maker, Making, Step, text_of
from mappings.steps.clock_texts import ReadWhen, When, reads, to_day, to_instant, zone_named
from mappings.steps.numbers import decimal_reader, exact, integer
from mappings.values import Bad

AS_OPTIONS = ("format", "zone", "unit", "group", "point", "yes", "no")
_YES = ("true", "1", "yes", "y", "是", "有", "√")
_NO = ("false", "0", "no", "n", "否", "无", "×")


def _as(option: Any, options: Mapping[str, Any], making: Making) -> Step:
    if not isinstance(option, str) or option not in _AS:
        raise BadStep(f"as takes one of {', '.join(_AS)}", "as")
    allowed, make = _AS[option]
    strange = set(options) - set(allowed)
    if strange:
        raise BadStep(f"{sorted(strange)[0]} has no meaning beside as = {option!r}", sorted(strange)[0])
    return make(options, making)


def _text(_: Mapping[str, Any], __: Making) -> Step:
    return Step(name="as", says="as text", apply=_to_text, gives=kinds.TEXT, takes=(*kinds.SCALARS,), plain="text")


def _to_text(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return text_of(value)


def _integer(_: Mapping[str, Any], __: Making) -> Step:
    return Step(name="as", says="as whole number", apply=integer, gives=kinds.INTEGER, takes=("text", "integer", "decimal"))


def _decimal(options: Mapping[str, Any], _: Making) -> Step:
    group, point, unit = options.get("group", ","), options.get("point", "."), options.get("unit")
    if not (isinstance(group, str) and isinstance(point, str) and len(point) == 1 and group != point):
        raise BadStep("group and point are two different signs", "group")
    factor: Decimal | None = None
    if unit is not None:
        try:
            factor = exact(unit)
        except Bad as bad:
            raise BadStep(f'unit takes an exact number such as "0.01": {bad.happened}', "unit") from None
        if factor <= 0:
            raise BadStep("unit is a positive number", "unit")
    says = "as decimal" + (f", in units of {factor}" if factor else "")
    return Step(
        name="as",
        says=says,
        apply=decimal_reader(group=group, point=point, unit=factor),
        gives=kinds.DECIMAL,
        takes=("text", "integer", "decimal"),
        plain="" if options else "decimal",
    )


def _boolean(options: Mapping[str, Any], _: Making) -> Step:
    yes, no = _words(options.get("yes", list(_YES)), "yes"), _words(options.get("no", list(_NO)), "no")
    if yes & no:
        raise BadStep(f"{sorted(yes & no)[0]!r} cannot mean both yes and no", "yes")

    meaning = {**dict.fromkeys(yes, True), **dict.fromkeys(no, False)}

    def apply(value: Any) -> bool:
        if type(value) is bool:
            return value
        said = meaning.get(value) if type(value) is str else None
        said = meaning.get(text_of(value).strip().lower()) if said is None else said
        if said is not None:
            return said
        raise Bad("the word is neither a yes nor a no", "name the words with `yes` and `no`", value)

    return Step(name="as", says="as yes or no", apply=apply, gives=kinds.BOOLEAN, takes=("text", "integer", "boolean"))


def _words(option: Any, word: str) -> frozenset[str]:
    words = option if isinstance(option, list) else [option]
    if not words or not all(isinstance(item, str) for item in words):
        raise BadStep(f"{word} takes a word or a list of words", word)
    return frozenset(item.strip().lower() for item in words)


def _date(options: Mapping[str, Any], making: Making) -> Step:
    zone, read, says = _clock(options, making)

    def apply(value: Any) -> date:
        return to_day(value if isinstance(value, date) else read(value), zone, value)

    plain = "date" if "format" not in options else ""
    takes = ("text", "integer", "decimal", "date", "datetime")
    return Step(name="as", says=f"as day{says}", apply=apply, gives=kinds.DATE, takes=takes, plain=plain)


def _datetime(options: Mapping[str, Any], making: Making) -> Step:
    zone, read, says = _clock(options, making)

    def apply(value: Any) -> datetime:
        return to_instant(value if isinstance(value, date) else read(value), zone, value)

    takes = ("text", "integer", "decimal", "date", "datetime")
    if str(options.get("format")).startswith("epoch_"):  # an instant already
        return Step(name="as", says=f"as instant{says}", apply=read, gives=kinds.DATETIME, takes=takes[:3])
    return Step(name="as", says=f"as instant{says}", apply=apply, gives=kinds.DATETIME, takes=takes)


def _clock(options: Mapping[str, Any], making: Making) -> tuple[tzinfo | None, ReadWhen, str]:
    name = options.get("zone", making.zone)
    zone = None if name is None else zone_named(name)
    forms = options.get("format", "iso")
    forms = forms if isinstance(forms, list) else [forms]
    if not forms:
        raise BadStep("format names no format", "format")
    readers = [reads(form) for form in forms]
    says = (f" of {' or '.join(forms)}" if "format" in options else "") + (f" in {name}" if name else "")
    if len(readers) == 1:
        return zone, readers[0], says

    def read(value: object) -> When:
        for one in readers:
            try:
                return one(value)
            except Bad:
                continue
        raise Bad(
            f"the value is of none of the formats {', '.join(forms)}", "look at what was sent, or name its format as well", value
        )

    return zone, read, says


_AS: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any], Making], Step]]] = {
    "text": ((), _text),
    "integer": ((), _integer),
    "decimal": (("unit", "group", "point"), _decimal),
    "boolean": (("yes", "no"), _boolean),
    "date": (("format", "zone"), _date),
    "datetime": (("format", "zone"), _datetime),
}

TYPE_STEPS: dict[str, Maker] = {"as": _as}


# --- what a target's kind implies --------------------------------------------------------------------------------


def implied(target: Kind, gives: Kind, making: Making) -> Step | None:
    """The step that brings a value of kind `gives` into a target; `None` where none is needed. Raises `BadStep` where none is right."""
    if target.name in (gives.name, "any"):
        return None
    if target.name == "float":
        raise BadStep("the target is a float, which a field map does not fill: it would not be exact")
    if target.name in ("record", "list", "tuple"):
        if gives.name == "any":
            raise BadStep(f"the target is a {target}: fill it with `each` or `fields`")
        raise BadStep(f"the rule gives a {gives}, the target is a {target}")
    if gives.name in ("any", "text") or (target.name, gives.name) == ("decimal", "integer"):
        made = _as(target.name, {}, making)
        return Step(name="fit", says=made.says, apply=made.apply, gives=made.gives, takes=made.takes, plain=made.plain)
    lossy = {
        ("integer", "decimal"): "the fraction",
        ("date", "datetime"): "the time of day",
        ("boolean", "integer"): "the number",
    }
    lost = lossy.get((target.name, gives.name))
    if lost:
        raise BadStep(f"the rule gives a {gives}, the target is a {target}: this would lose {lost}; say it with `as`")
    raise BadStep(f"the rule gives a {gives}, the target is a {target}; say `as = {target.name!r}` where that is meant")
