"""Steps on texts. A number is taken by its digits; a list item by item."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import re2  # type: ignore[import-untyped]

from mappings import limits
from mappings.kinds import ANY, TEXT, list_of
from mappings.steps.base import BadStep, Maker, Making, Step, text_of, wants_text
from mappings.values import MISSING, Bad, parse_json

_TAKES = ("text", "integer", "decimal")


def _text_step(name: str, says: str, change: Callable[[str], Any]) -> Step:
    longest = limits.TEXT

    def apply(value: Any) -> Any:
        return change(value) if type(value) is str and len(value) <= longest else change(text_of(value))

    return Step(name=name, says=says, apply=apply, change=change, gives=TEXT, takes=_TAKES)


def _switch(name: str, says: str, change: Callable[[str], str]) -> Maker:
    def make(option: Any, _: Mapping[str, Any], __: Making) -> Step:
        if option is not True:
            raise BadStep(f"{name} is switched on with true", name)
        return _text_step(name, says, change)

    return make


def _strip(option: Any, _: Mapping[str, Any], __: Making) -> Step:
    if option is True:
        return _text_step("strip", "without spaces around it", str.strip)
    signs = wants_text(option, "strip")
    return _text_step("strip", f"without {signs!r} around it", lambda text: text.strip(signs))


def _replace(option: Any, _: Mapping[str, Any], __: Making) -> Step:
    if not isinstance(option, dict) or not option or not all(old and isinstance(new, str) for old, new in option.items()):
        raise BadStep('replace takes a table of old = "new" texts', "replace")
    pairs = tuple(option.items())

    def change(text: str) -> str:
        for old, new in pairs:
            text = text.replace(old, new)
            if len(text) > limits.TEXT:
                raise Bad(f"the text grows beyond {limits.TEXT} characters", "replace less", text)
        return text

    return _text_step("replace", "with " + ", ".join(f"{old!r} → {new!r}" for old, new in pairs), change)


def _extract(option: Any, _: Mapping[str, Any], __: Making) -> Step:
    pattern = wants_text(option, "extract")
    if len(pattern) > limits.PATTERN:
        raise BadStep(f"the pattern is longer than {limits.PATTERN} characters", "extract")
    settings = re2.Options()
    settings.log_errors = False
    settings.max_mem = 1 << 20
    try:
        compiled = re2.compile(pattern, settings)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise BadStep(f"the pattern is not one of RE2: {reason[:100]}", "extract") from None
    if compiled.groups > 1:
        raise BadStep("the pattern has more than one group (...); write (?:...) for those that only hold together", "extract")
    group = compiled.groups

    def change(text: str) -> Any:
        found = compiled.search(text)
        return (found.group(group) or MISSING) if found else MISSING

    return _text_step("extract", f"the part that fits {pattern!r}", change)


def _slice(option: Any, _: Mapping[str, Any], __: Making) -> Step:
    bounds = option if isinstance(option, list) else [0, option]
    if not 1 <= len(bounds) <= 2 or not all(type(bound) is int for bound in bounds):
        raise BadStep("slice takes [from, to] as whole numbers, counted from 0, from the end if negative", "slice")
    start, stop = bounds[0], bounds[1] if len(bounds) > 1 else None
    return _text_step("slice", f"characters {start} to {'the end' if stop is None else stop}", lambda text: text[start:stop])


def _pad(option: Any, _: Mapping[str, Any], __: Making) -> Step:
    settings = {"with": "0", "side": "left", **(option if isinstance(option, dict) else {"to": option})}
    width, sign, side = settings.get("to"), settings["with"], settings["side"]
    if type(width) is not int or not 0 < width <= 1_000 or set(settings) != {"to", "with", "side"}:
        raise BadStep('pad takes a length, or { to = 10, with = "0", side = "left" }', "pad")
    if not isinstance(sign, str) or len(sign) != 1 or side not in ("left", "right"):
        raise BadStep('pad fills with one character, on the side "left" or "right"', "pad")
    fill = str.rjust if side == "left" else str.ljust
    return _text_step("pad", f"filled with {sign!r} to {width}", lambda text: fill(text, width, sign))


def _split(option: Any, _: Mapping[str, Any], __: Making) -> Step:
    at = wants_text(option, "split")
    if not at:
        raise BadStep("split needs the sign to split at", "split")

    def change(value: Any) -> list[str]:
        parts = [part for part in (piece.strip() for piece in text_of(value).split(at, limits.ITEMS)) if part]
        if len(parts) > limits.ITEMS:
            raise Bad(f"the text has more than {limits.ITEMS} parts", "send it in parts", value)
        return parts

    return Step(name="split", says=f"split at {at!r}", apply=change, gives=list_of(TEXT), takes=_TAKES)


def _parse(option: Any, _: Mapping[str, Any], __: Making) -> Step:
    if option != "json":
        raise BadStep('parse takes "json": a text that holds JSON', "parse")
    return Step(name="parse", says="read as JSON", apply=lambda value: parse_json(text_of(value)), gives=ANY, takes=("text",))


TEXT_STEPS: dict[str, Maker] = {
    "strip": _strip,
    "upper": _switch("upper", "in capitals", str.upper),
    "lower": _switch("lower", "in small letters", str.lower),
    "half_width": _switch("half_width", "in half-width characters", lambda text: unicodedata.normalize("NFKC", text)),
    "replace": _replace,
    "extract": _extract,
    "slice": _slice,
    "pad": _pad,
    "split": _split,
    "parse": _parse,
}
