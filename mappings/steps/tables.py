"""Words into other words: `enum` beside the field, `lookup` in a table of the map or of the hub."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from mappings.kinds import ANY, BOOLEAN, DATE, DECIMAL, INTEGER, TEXT, Kind
from mappings.paths import Scope
from mappings.steps.base import BadStep, Maker, Making, Step, text_of, wants_text
from mappings.values import MISSING, Bad, shown

_TAKES = ("text", "integer", "boolean", "decimal")
_NOT_GIVEN = object()


def _key(value: Any) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    return text_of(value).strip()


def _kind(values: list[Any]) -> Kind:
    kinds = {type(value) for value in values}
    if len(kinds) != 1:
        return ANY
    found = {str: TEXT, bool: BOOLEAN, int: INTEGER, date: DATE}.get(kinds.pop(), ANY)
    return DECIMAL if found is ANY and values and type(values[0]).__name__ == "Decimal" else found


def _from_table(name: str, says: str, table: Mapping[str, Any], options: Mapping[str, Any]) -> Step:
    otherwise = options.get("else", _NOT_GIVEN)
    known = "、".join(list(table)[:12]) + ("…" if len(table) > 12 else "")

    direct = {key: found for key, found in table.items() if found != ""}

    def apply(value: Any) -> Any:
        found = direct.get(value) if type(value) is str else None
        if found is not None:
            return found
        found = table.get(_key(value), otherwise)
        if found is _NOT_GIVEN:
            raise Bad(f"{shown(value)} is not in the table ({known})", "add it to the table, or give `else`", value)
        return MISSING if found == "" else found

    values = [*table.values(), *([] if otherwise is _NOT_GIVEN else [otherwise])]
    return Step(name=name, says=says, apply=apply, gives=_kind(values), takes=_TAKES)


def _enum(option: Any, options: Mapping[str, Any], _: Making) -> Step:
    if not isinstance(option, dict) or not option:
        raise BadStep('enum takes a table of "their word" = "our word"', "enum")
    if any(isinstance(value, dict | list) for value in option.values()):
        raise BadStep("an enum's words are single values", "enum")
    says = "、".join(f"{theirs} → {shown(ours)}" for theirs, ours in option.items())
    return _from_table("enum", f"translated: {says}", option, options)


def _lookup(option: Any, options: Mapping[str, Any], making: Making) -> Step:
    table = wants_text(option, "lookup")
    if table in making.tables:
        return _from_table("lookup", f"looked up in the table {table}", making.tables[table], options)
    if table not in making.lookups:
        raise BadStep(
            f"there is no table {table!r}; write [tables.{table}], or lookups = [{table!r}] if the hub has it", "lookup"
        )
    otherwise = options.get("else", _NOT_GIVEN)

    def seek(value: Any, scope: Scope) -> Any:
        if scope.lookup is None:
            raise Bad(f"the table {table} of the hub is not at hand", "apply the map with `lookup`", value)
        found = scope.lookup(table, _key(value))
        if found is None:
            found = otherwise
        if found is _NOT_GIVEN:
            raise Bad(f"{shown(value)} is not in the hub's table {table}", "add it there, or give `else`", value)
        return MISSING if found == "" else found

    def without(value: Any) -> Any:
        return seek(value, Scope(None))

    return Step(name="lookup", says=f"looked up in the hub's table {table}", apply=without, seeks=seek, gives=ANY, takes=_TAKES)


TABLE_STEPS: dict[str, Maker] = {"enum": _enum, "lookup": _lookup}
