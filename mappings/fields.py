"""The rules of one record, run together: loops of their own for the fields that are a name and one plain step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec

from mappings import limits
from mappings.paths import Path, Scope
from mappings.rules import Rule
from mappings.sources import Const
from mappings.trace import Traced
from mappings.values import MISSING, Bad, is_empty

Loop = Callable[[dict[str, Any], Scope, dict[str, Any]], None]


class Fields:
    """The rules that make one record. `make` is the struct that it becomes, or `None` for a plain one."""

    def __init__(self, rules: tuple[Rule, ...], make: type[msgspec.Struct] | None = None) -> None:
        self.rules = rules
        self.make = make
        # Every field has its place from the start, so that the record keeps the map's order whichever loop comes first.
        self._blank: dict[str, Any] = {rule.name: _constant(rule) for rule in rules}
        self._loops = _loops(rules)

    def fill(self, record: Any, scope: Scope) -> dict[str, Any]:
        """The values by target field. Raises `Bad` for the first rule, in the order written, that cannot be followed."""
        if type(record) is not dict and isinstance(record, Mapping):
            record = dict(record)
        values = self._blank.copy()
        try:
            if type(record) is dict:
                for loop in self._loops:
                    loop(record, scope, values)
            else:
                for rule in self.rules:
                    _keep(rule, record, scope, values)
        except Bad as bad:
            # The loops do not keep the order of the map; its reader is told of the first rule that fails.
            raise next(iter(self.failures(record, scope)), bad) from None
        return values

    def made(self, record: Any, scope: Scope) -> Any:
        """The record made."""
        values = self.fill(record, scope)
        return values if self.make is None else self.make(**values)

    def failures(self, record: Any, scope: Scope) -> list[Bad]:
        """Every rule that cannot be followed for this record, in the order written."""
        found: list[Bad] = []
        for rule in self.rules:
            try:
                rule.checked(record, scope)
            except Bad as bad:
                found.append(bad)
        return found

    def traced(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> dict[str, Any]:
        """As `fill`, with a note of every field."""
        values: dict[str, Any] = {}
        for rule in self.rules:
            there = f"{at}.{rule.name}" if at else rule.name
            try:
                value = rule.traced(record, scope, notes, there)
            except Bad as bad:
                raise bad.within(rule.name, rule.pointer) from None
            if value is not MISSING:
                values[rule.name] = value
            elif rule.required:
                raise rule.lacking()
        return values

    def traced_made(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> Any:
        values = self.traced(record, scope, notes, at)
        return values if self.make is None else self.make(**values)

    def reads(self) -> list[Path]:
        return [path for rule in self.rules for path in rule.reads()]


def _constant(rule: Rule) -> Any:
    """The value of a rule that is always the same, else `None`."""
    if isinstance(rule.source, Const) and rule.condition is None and not rule.steps and not is_empty(rule.source.value):
        return rule.source.value
    return None


def _keep(rule: Rule, record: Any, scope: Scope, values: dict[str, Any]) -> None:
    value = rule.run(record, scope)
    if value is not MISSING:
        values[rule.name] = value
    elif rule.required:
        raise rule.lacking()
    else:
        del values[rule.name]


def _without(rule: Rule, value: Any, record: Any, scope: Scope, values: dict[str, Any]) -> None:
    """The careful way for a value that a loop does not take; at once where there is none."""
    if value is None and rule.default is not MISSING:
        values[rule.name] = rule.default
    elif value is None and not rule.required:
        del values[rule.name]
    else:
        _keep(rule, record, scope, values)


def _loops(rules: tuple[Rule, ...]) -> list[Loop]:
    """One loop for all the rules of a kind."""

    def kind(rule: Rule) -> str:
        return rule.loop

    changing = sorted((rule for rule in rules if _constant(rule) is None), key=kind)
    return [_LOOPS[name](list(group)) for name, group in groupby(changing, key=kind)]


def _any_loop(rules: list[Rule]) -> Loop:
    todo = [(rule.name, rule.run, rule) for rule in rules]

    def loop(record: dict[str, Any], scope: Scope, values: dict[str, Any]) -> None:
        for name, run, rule in todo:
            value = run(record, scope)
            if value is not MISSING:
                values[name] = value
            elif rule.required:
                raise rule.lacking()
            else:
                del values[name]

    return loop


def _plain(rules: list[Rule]) -> list[tuple[str, str, Rule]]:
    return [(rule.name, rule.simple_name or "", rule) for rule in rules]


def _value_loop(rules: list[Rule]) -> Loop:
    todo = _plain(rules)

    def loop(record: dict[str, Any], scope: Scope, values: dict[str, Any]) -> None:
        get = record.get
        for name, source, rule in todo:
            value = get(source)
            if value is None or (type(value) is str and (not value or value.isspace())):
                _without(rule, value, record, scope, values)
            else:
                values[name] = value

    return loop


def _step_loop(rules: list[Rule]) -> Loop:
    todo = [(rule.name, rule.simple_name or "", rule.steps[0].apply, rule) for rule in rules]

    def loop(record: dict[str, Any], scope: Scope, values: dict[str, Any]) -> None:
        get = record.get
        for name, source, apply, rule in todo:
            value = get(source)
            if value is not None and (type(value) is not str or (value and not value.isspace())):
                value = apply(value)
                if value is not MISSING and value is not None and (type(value) is not str or (value and not value.isspace())):
                    values[name] = value
                    continue
            _keep(rule, record, scope, values)

    return loop


def _change_loop(rules: list[Rule]) -> Loop:
    todo = [(rule.name, rule.simple_name or "", rule.steps[0].change or str, rule) for rule in rules]
    longest = limits.TEXT

    def loop(record: dict[str, Any], scope: Scope, values: dict[str, Any]) -> None:
        get = record.get
        for name, source, change, rule in todo:
            value = get(source)
            if type(value) is str and value and not value.isspace() and len(value) <= longest:
                value = change(value)
                if value and not value.isspace():
                    values[name] = value
                    continue
            _without(rule, value, record, scope, values)

    return loop


def _text_loop(rules: list[Rule]) -> Loop:
    todo = _plain(rules)

    def loop(record: dict[str, Any], scope: Scope, values: dict[str, Any]) -> None:
        get = record.get
        for name, source, rule in todo:
            value = get(source)
            if type(value) is str and value and not value.isspace():
                values[name] = value
            else:
                _without(rule, value, record, scope, values)

    return loop


def _decimal_loop(rules: list[Rule]) -> Loop:
    todo = _plain(rules)
    length = limits.NUMBER

    def loop(record: dict[str, Any], scope: Scope, values: dict[str, Any]) -> None:
        get = record.get
        for name, source, rule in todo:
            value = get(source)
            # Digits and one point only: what else Decimal accepts (NaN, 1_000, exponents, signs) takes the careful way.
            if type(value) is str and len(value) < length and value.replace(".", "", 1).isdecimal():
                values[name] = Decimal(value)
                continue
            _without(rule, value, record, scope, values)

    return loop


def _date_loop(rules: list[Rule]) -> Loop:
    todo = _plain(rules)

    def loop(record: dict[str, Any], scope: Scope, values: dict[str, Any]) -> None:
        get = record.get
        for name, source, rule in todo:
            value = get(source)
            if type(value) is str and len(value) == 10:
                try:
                    values[name] = date.fromisoformat(value)
                    continue
                except ValueError:
                    pass
            _without(rule, value, record, scope, values)

    return loop


_LOOPS: dict[str, Callable[[list[Rule]], Loop]] = {
    "": _any_loop,
    "value": _value_loop,
    "step": _step_loop,
    "change": _change_loop,
    "text": _text_loop,
    "decimal": _decimal_loop,
    "date": _date_loop,
}
