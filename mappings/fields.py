"""The rules of one record, run together: loops of their own for the fields that are a name and one plain step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec

from mappings import limits
from mappings.paths import Path, Scope
from mappings.rules import Rule
from mappings.trace import Traced
from mappings.values import MISSING, Bad

Loop = Callable[[dict[str, Any], Scope, dict[str, Any]], None]


class Fields:
    """The rules that make one record. `make` is the struct that it becomes, or `None` for a plain one."""

    def __init__(self, rules: tuple[Rule, ...], make: type[msgspec.Struct] | None = None) -> None:
        self.rules = rules
        self.make = make
        self._loops = _loops(rules, ordered=make is None)

    def fill(self, record: Any, scope: Scope) -> dict[str, Any]:
        """The values by target field. Raises `Bad` for the first rule, in the order written, that cannot be followed."""
        values: dict[str, Any] = {}
        if type(record) is not dict:
            record = dict(record) if hasattr(record, "keys") else record
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


def _keep(rule: Rule, record: Any, scope: Scope, values: dict[str, Any]) -> None:
    value = rule.run(record, scope)
    if value is not MISSING:
        values[rule.name] = value
    elif rule.required:
        raise rule.lacking()


def _loops(rules: tuple[Rule, ...], *, ordered: bool) -> list[Loop]:
    """One loop for all rules of a kind; with `ordered`, for neighbours of a kind, so that a plain record keeps the map's order."""

    def kind(rule: Rule) -> str:
        plain = rule.plain()
        return plain[1] if plain else ""

    sequence = rules if ordered else tuple(sorted(rules, key=kind))
    return [_LOOPS[name](list(group)) for name, group in groupby(sequence, key=kind)]


def _any_loop(rules: list[Rule]) -> Loop:
    todo = [(rule.name, rule.run, rule) for rule in rules]

    def loop(record: dict[str, Any], scope: Scope, values: dict[str, Any]) -> None:
        for name, run, rule in todo:
            value = run(record, scope)
            if value is not MISSING:
                values[name] = value
            elif rule.required:
                raise rule.lacking()

    return loop


def _plain(rules: list[Rule]) -> list[tuple[str, str, Rule]]:
    return [(rule.name, (rule.plain() or ("", ""))[0], rule) for rule in rules]


def _text_loop(rules: list[Rule]) -> Loop:
    todo = _plain(rules)

    def loop(record: dict[str, Any], scope: Scope, values: dict[str, Any]) -> None:
        get = record.get
        for name, source, rule in todo:
            value = get(source)
            if type(value) is str and value and not value.isspace():
                values[name] = value
            else:
                _keep(rule, record, scope, values)

    return loop


def _decimal_loop(rules: list[Rule]) -> Loop:
    todo = _plain(rules)
    length = limits.NUMBER

    def loop(record: dict[str, Any], scope: Scope, values: dict[str, Any]) -> None:
        get = record.get
        for name, source, rule in todo:
            value = get(source)
            # Digits, one point and a sign only: what else Decimal accepts (NaN, 1_000, exponents) takes the careful way.
            if type(value) is str and len(value) < length and value.removeprefix("-").replace(".", "", 1).isdecimal():
                values[name] = Decimal(value)
                continue
            _keep(rule, record, scope, values)

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
            _keep(rule, record, scope, values)

    return loop


_LOOPS: dict[str, Callable[[list[Rule]], Loop]] = {
    "": _any_loop,
    "text": _text_loop,
    "decimal": _decimal_loop,
    "date": _date_loop,
}
