"""How each word for a source is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mappings.building import Builder, MakeSource, kind_of
from mappings.conditions import Condition
from mappings.fields import Fields
from mappings.kinds import ANY, RECORD, Kind, list_of
from mappings.lists import Count, Each, Nested, Sum
from mappings.locate import Place
from mappings.paths import BadPath, parse_path
from mappings.rules import Rule, Source
from mappings.sources import Arithmetic, Choose, Const, First, FromPath, Join, Listed, Template
from mappings.steps.clock_texts import zone_named
from mappings.steps.numbers import difference, product, total
from mappings.templates import BadTemplate, parse_template, shape
from mappings.templates import Place as Spot

Table = Mapping[str, Any]


def _from(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
    path = builder.path(table["from"], (*place, "from"))
    return FromPath(path) if path else None


def _const(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
    value = table["const"]
    if isinstance(value, dict):
        builder.findings.error((*place, "const"), "value", "a constant is a single value or a list", "write a record with fields")
        return None
    return Const(value, kind_of(value))


def _rules(builder: Builder, written: Any, place: Place, depth: int, targets: tuple[Kind, ...] = ()) -> list[Rule] | None:
    if not isinstance(written, list) or not written:
        builder.findings.error(place, "source", "a list of rules is expected", 'write ["路径一", "路径二"]', written)
        return None
    kinds = targets if len(targets) == len(written) else (ANY,) * len(written)
    pairs = zip(written, kinds, strict=True)
    return [builder.rule("", rule, (*place, number), kind, depth=depth + 1) for number, (rule, kind) in enumerate(pairs)]


def _common(rules: list[Rule]) -> Kind:
    kinds = {rule.gives for rule in rules}
    return kinds.pop() if len(kinds) == 1 else ANY


def _first(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
    rules = _rules(builder, table["first"], (*place, "first"), depth)
    return First(rules, _common(rules)) if rules else None


def _join(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
    rules = _rules(builder, table["join"], (*place, "join"), depth)
    between = table.get("with", "")
    if not isinstance(between, str):
        builder.findings.error((*place, "with"), "value", "with is the text between the parts", 'write with = " "', between)
        return None
    return Join(rules, between) if rules else None


def _list(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
    rules = _rules(builder, table["list"], (*place, "list"), depth, target.of if target.name == "tuple" else ())
    if rules is None:
        return None
    if target.name == "tuple":
        if len(target.of) != len(rules):
            builder.findings.error((*place, "list"), "type", f"the target takes {len(target.of)} values", "give as many rules")
            return None
        return _Tupled(rules, target)
    return Listed(rules, list_of(_common(rules)))


class _Tupled(Listed):
    """A list of fixed length, as the vocabulary has it for a day and a quantity."""

    def fetch(self, record: Any, scope: Any) -> Any:
        values = super().fetch(record, scope)
        return tuple(values) if isinstance(values, list) else values


def _template(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
    text, parts = table["template"], table.get("parts", {})
    if not isinstance(text, str) or not isinstance(parts, dict):
        builder.findings.error(
            (*place, "template"), "source", "a template is a text, its parts a table of rules", "correct it", text
        )
        return None
    try:
        pieces = parse_template(text)
        zone = None if builder.making.zone is None else zone_named(builder.making.zone)
        made: list[Any] = [
            (_spot(builder, piece, parts, place, depth), shape(piece.format, zone), piece.fallback, piece.format)
            if isinstance(piece, Spot)
            else piece
            for piece in pieces
        ]
    except (BadTemplate, BadPath) as error:
        builder.findings.error((*place, "template"), "template", str(error), "write {path}, {path:format} or {path|if missing}")
        return None
    unused = sorted(set(parts) - {piece.name for piece in pieces if isinstance(piece, Spot)})
    if unused:
        builder.findings.error(
            (*place, "parts", unused[0]), "template", f"the part {unused[0]!r} is not in the text", "use it or drop it"
        )
    return Template(text, made)


def _spot(builder: Builder, spot: Spot, parts: Table, place: Place, depth: int) -> Rule:
    if spot.name in parts:
        return builder.rule(spot.name, parts[spot.name], (*place, "parts", spot.name), depth=depth + 1)
    return Rule(name=spot.name, source=FromPath(parse_path(spot.name)))


def _where(builder: Builder, table: Table, place: Place, depth: int) -> Condition | None:
    return builder.condition(table["where"], (*place, "where"), depth) if "where" in table else None


def _each(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
    path = builder.path(table["each"], (*place, "each"))
    where = _where(builder, table, place, depth)
    item = target.of[0] if target.name == "list" else ANY
    inner: Fields | Rule | None = None
    if "fields" in table:
        item = item if item.name == "record" else RECORD
        inner = builder.fields(table["fields"], (*place, "fields"), item, depth=depth + 1)
    elif "value" in table:
        inner = builder.rule("", table["value"], (*place, "value"), item, depth=depth + 1)
        item = inner.gives
    elif item.struct is not None:
        builder.findings.error(
            place, "fields", f"each item becomes a {item}: its fields are not given", "write [… .fields] below it"
        )
        return None
    else:
        item = ANY
    return Each(path, where, inner, item) if path else None


def _sum(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
    path = builder.path(table["sum"], (*place, "sum"))
    where = _where(builder, table, place, depth)
    of = builder.rule("", table["of"], (*place, "of"), depth=depth + 1) if "of" in table else None
    return Sum(path, where, of) if path else None


def _count(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
    path = builder.path(table["count"], (*place, "count"))
    where = _where(builder, table, place, depth)
    return Count(path, where) if path else None


def _fields(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
    kind = target if target.name == "record" else RECORD
    path = builder.path(table["from"], (*place, "from")) if "from" in table else None
    fields = builder.fields(table["fields"], (*place, "fields"), kind, depth=depth + 1)
    return Nested(fields, kind, path)


def _choose(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
    written = table["choose"]
    if not isinstance(written, list) or not all(isinstance(case, dict) and set(case) == {"if", "then"} for case in written):
        builder.findings.error(
            (*place, "choose"), "source", "choose is a list of cases", "write [{ if = …, then = … }, …]", written
        )
        return None
    cases: list[tuple[Condition, Rule]] = []
    for number, case in enumerate(written):
        where = (*place, "choose", number)
        condition = builder.condition(case["if"], (*where, "if"), depth)
        rule = builder.rule("", case["then"], (*where, "then"), depth=depth + 1)
        if condition is not None:
            cases.append((condition, rule))
    otherwise = builder.rule("", table["otherwise"], (*place, "otherwise"), depth=depth + 1) if "otherwise" in table else None
    return Choose(cases, otherwise, _common([rule for _, rule in cases] + ([otherwise] if otherwise else [])))


def _arithmetic(word: str, work: Callable[[list[Any]], Any]) -> MakeSource:
    def make(builder: Builder, table: Table, place: Place, target: Kind, depth: int) -> Source | None:
        rules = _rules(builder, table[word], (*place, word), depth)
        return (
            Arithmetic({"add": "the sum", "subtract": "the difference", "multiply": "the product"}[word], rules, work)
            if rules
            else None
        )

    return make


MAKERS: dict[str, MakeSource] = {
    "from": _from,
    "const": _const,
    "first": _first,
    "template": _template,
    "join": _join,
    "each": _each,
    "sum": _sum,
    "count": _count,
    "fields": _fields,
    "choose": _choose,
    "list": _list,
    "add": _arithmetic("add", total),
    "subtract": _arithmetic("subtract", difference),
    "multiply": _arithmetic("multiply", product),
}
