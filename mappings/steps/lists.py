"""Steps on a whole list, and the one that wraps a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings import limits
from mappings.kinds import RECORD, TEXT
from mappings.steps.base import BadStep, Maker, Making, Step, text_of, wants_text
from mappings.values import MISSING, Bad


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise Bad("a list is expected here", "take it with [*], `each` or `split`", value)
    return list(value)


def _joined(option: Any, _: Mapping[str, Any], __: Making) -> Step:
    between = wants_text(option, "joined")

    def apply(value: Any) -> Any:
        text = between.join(text_of(item) for item in _items(value))
        if len(text) > limits.TEXT:
            raise Bad(f"the text grows beyond {limits.TEXT} characters", "join less", value)
        return text or MISSING

    return Step(name="joined", says=f"joined with {between!r}", apply=apply, gives=TEXT, takes=("list",), whole=True)


def _unique(option: Any, _: Mapping[str, Any], making: Making) -> Step:
    if option is not True:
        raise BadStep("unique is switched on with true", "unique")

    def apply(value: Any) -> Any:
        kept: list[Any] = []
        seen: set[Any] = set()
        for item in _items(value):
            if isinstance(item, dict | list):
                raise Bad("only single values can be told apart", "take one field of each item", item)
            if item not in seen:
                seen.add(item)
                kept.append(item)
        return kept

    return Step(name="unique", says="each once", apply=apply, gives=making.before, takes=("list",), whole=True)


def _pick(option: Any, _: Mapping[str, Any], making: Making) -> Step:
    if option not in ("first", "last", "only"):
        raise BadStep('pick takes "first", "last" or "only"', "pick")

    def apply(value: Any) -> Any:
        items = _items(value)
        if option == "only" and len({shown_key(item) for item in items}) > 1:
            raise Bad("the items are not all the same", 'say which one: pick = "first" or "last"', value)
        return items[-1 if option == "last" else 0] if items else MISSING

    inner = making.before.of[0] if making.before.name == "list" else making.before
    return Step(name="pick", says=f"the {option} one", apply=apply, gives=inner, takes=("list",), whole=True)


def shown_key(item: Any) -> str:
    return f"{type(item).__name__}:{item!r}"


def _wrap(option: Any, _: Mapping[str, Any], __: Making) -> Step:
    name = wants_text(option, "wrap")
    return Step(name="wrap", says=f"as {{{name}: …}}", apply=lambda value: {name: value}, gives=RECORD, whole=True)


LIST_STEPS: dict[str, Maker] = {"joined": _joined, "unique": _unique, "pick": _pick, "wrap": _wrap}
