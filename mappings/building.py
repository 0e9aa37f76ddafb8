"""From the tables of a map to rules: what is written is checked here, once, and nothing is guessed later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mappings import limits
from mappings.companions import COMPANIONS
from mappings.conditions import BadCondition, Condition
from mappings.fields import Fields
from mappings.findings import Findings
from mappings.kinds import ANY, BOOLEAN, DATE, DATETIME, DECIMAL, INTEGER, RECORD, SCALARS, TEXT, Kind, list_of
from mappings.locate import Place
from mappings.paths import BadPath, Path, parse_path
from mappings.rules import Rule, Source
from mappings.sources import Const
from mappings.steps import OPTIONS, STEPS, BadStep, Making, Step, implied
from mappings.values import MISSING, Bad, is_empty

COMMON = ("if", "default", "about", "steps", "to")
_NEXT_WORDS = "correct the word; mappings/README.md lists them all"


MakeSource = Callable[["Builder", Mapping[str, Any], Place, Kind, int], Source | None]


class Builder:
    """Reads rules. What is wrong is reported and something harmless is put in its place, so that all of it is found at once."""

    def __init__(self, making: Making, findings: Findings, makers: Mapping[str, MakeSource], *, frozen: bool) -> None:
        """`makers` read the words for sources; `frozen` is for targets that are structs, whose lists are tuples."""
        self.making = making
        self.makers = makers
        self.findings = findings
        self.frozen = frozen
        self.count = 0

    # --- a rule --------------------------------------------------------------------------------------------------

    def rule(self, name: str, written: Any, place: Place, target: Kind = ANY, *, depth: int = 0, required: bool = False) -> Rule:
        """The rule that is written, fitted to its target."""
        self.count += 1
        if depth > limits.RULE_DEPTH or self.count > limits.FIELDS:
            if depth == limits.RULE_DEPTH + 1 or self.count == limits.FIELDS + 1:
                self.findings.error(place, "too-much", "the map is nested too deeply or has too many rules", "make it smaller")
            return self.nothing(name, place)
        table = {"from": written} if isinstance(written, str) else written
        if not isinstance(table, dict):
            self.findings.error(
                place,
                "not-a-rule",
                "a rule is a path in quotation marks or a table",
                "write { const = … } for a fixed value",
                written,
            )
            return self.nothing(name, place)
        before = len(self.findings.found)
        source = self.source(table, place, target, depth)
        steps, gives = self.steps(table, place, source.gives if source else ANY)
        condition = self.condition(table["if"], (*place, "if"), depth) if "if" in table else None
        if source is None or len(self.findings.found) > before:
            return self.nothing(name, place)
        steps, gives = self.fitted(steps, gives, target, place)
        default = self.default(table, place, gives)
        if condition is None and isinstance(source, Const):
            source, steps, default = self.constant(source, steps, gives, place), (), MISSING
        return Rule(
            name=name,
            source=source,
            steps=steps,
            gives=gives,
            default=default,
            condition=condition,
            about=str(table.get("about", "")),
            line=self.findings.line(place),
            required=required and default is MISSING,
        )

    def nothing(self, name: str, place: Place) -> Rule:
        """Stands for a rule that could not be read; the map it is in is never used."""
        return Rule(name=name, source=Const(MISSING, ANY), line=self.findings.line(place))

    def source(self, table: Mapping[str, Any], place: Place, target: Kind, depth: int) -> Source | None:
        words = [word for word in COMPANIONS if word in table]
        if "each" in words or "from" in words:
            words = [word for word in words if word != "fields"]
        if "from" in words and "fields" in table:
            words = ["fields" if word == "from" else word for word in words]
        if len(words) != 1:
            said = "two sources: " + " and ".join(words) if words else f"no source ({', '.join(COMPANIONS)})"
            self.findings.error(place, "source", f"the rule has {said}", "give it exactly one")
            return None
        word = words[0]
        allowed = {word, *COMPANIONS[word], *COMMON, *STEPS, *(option for options in OPTIONS.values() for option in options)}
        for strange in table:
            if strange not in allowed:
                self.findings.error((*place, strange), "word", f"{strange!r} is not a word of a rule with {word!r}", _NEXT_WORDS)
        return self.makers[word](self, table, place, target, depth)

    def constant(self, source: Const, steps: tuple[Step, ...], gives: Kind, place: Place) -> Const:
        value = source.value
        try:
            for step in steps:
                value = step.apply(value)
        except Bad as bad:
            self.findings.error(place, "value", f"the constant does not fit: {bad.happened}", bad.next, value)
        return Const(value, gives)

    # --- its parts -----------------------------------------------------------------------------------------------

    def steps(self, table: Mapping[str, Any], place: Place, gives: Kind) -> tuple[tuple[Step, ...], Kind]:
        """The steps beside the source, in the order written, then those of `steps`."""
        made: list[Step] = []
        groups: list[tuple[Mapping[str, Any], Place]] = [(table, place)]
        more = table.get("steps", [])
        if not isinstance(more, list) or not all(isinstance(group, dict) for group in more):
            self.findings.error((*place, "steps"), "word", "steps is a list of tables", "write steps = [{ strip = true }, …]")
            more = []
        groups += [(group, (*place, "steps", number)) for number, group in enumerate(more)]
        for group, where in groups:
            owned: set[str] = set()
            for word in [word for word in group if word in STEPS]:
                options = {name: group[name] for name in OPTIONS.get(word, ()) if name in group}
                owned |= {word, *options}
                step = self.step(word, group[word], options, gives, where)
                if step is not None:
                    made.append(step)
                    gives = step.gives if step.whole or gives.name != "list" else list_of(step.gives)
            stray = {option for options in OPTIONS.values() for option in options if option in group} - owned
            stray |= set(group) - owned if where is not place else set()
            for word in sorted(stray):
                self.findings.error((*where, word), "word", f"{word!r} stands without the step it belongs to", _NEXT_WORDS)
        return tuple(made), gives

    def step(self, word: str, option: Any, options: Mapping[str, Any], gives: Kind, place: Place) -> Step | None:
        item = gives.of[0] if gives.name == "list" else gives
        try:
            made = STEPS[word](option, options, _with(self.making, gives))
        except BadStep as error:
            self.findings.error((*place, error.option or word), "step", str(error), _NEXT_WORDS, option)
            return None
        if made.whole:
            wants_list = made.takes == ("list",)
            if wants_list and gives.name not in ("list", "any"):
                self.findings.error(
                    (*place, word), "type", f"{word} works on a list, here is a {gives}", "take the list with [*], each or split"
                )
                return None
            return made
        if made.takes and item.name != "any" and item.name not in made.takes:
            self.findings.error(
                (*place, word),
                "type",
                f"{word} does not work on a {item}",
                "change the order of the steps, or take another value",
            )
            return None
        return _lifted(made) if gives.name == "list" else made

    def fitted(self, steps: tuple[Step, ...], gives: Kind, target: Kind, place: Place) -> tuple[tuple[Step, ...], Kind]:
        """The steps with the one that the target's kind implies, and the kind they give."""
        try:
            if target.name == "list" and gives.name == "list" and target.struct is None:
                inner = implied(target.of[0], gives.of[0], self.making)
                steps = (*steps, *([_lifted(inner)] if inner else []))
                tupled = Step(name="list", says="as a list", apply=tuple, gives=target, whole=True)
                return ((*steps, tupled) if self.frozen else steps), target
            step = implied(target, gives, self.making)
        except BadStep as error:
            code = "lossy" if "lose" in str(error) or "exact" in str(error) else "type"
            self.findings.error(place, code, str(error), "make both the same kind")
            return steps, gives
        if step is None:
            return steps, target if target.name != "any" else gives
        return (*steps, step), step.gives

    def default(self, table: Mapping[str, Any], place: Place, gives: Kind) -> Any:
        if "default" not in table:
            return MISSING
        value = table["default"]
        kind = kind_of(value)
        if isinstance(value, list):
            return tuple(value) if self.frozen else value
        if gives.name in SCALARS and kind != gives:
            try:
                step = implied(gives, kind, self.making)
                return value if step is None else step.apply(value)
            except (BadStep, Bad) as error:
                self.findings.error(
                    (*place, "default"),
                    "type",
                    f"the default is not a {gives}: {error}",
                    "give a default of the same kind",
                    value,
                )
        return value

    def condition(self, written: Any, place: Place, depth: int = 0) -> Condition | None:
        """A condition: a text, or a table of `if` and named inputs that are rules."""
        text, inputs = written, {}
        if isinstance(written, dict):
            text = written.get("if")
            inputs = {
                name: self.rule(name, rule, (*place, name), depth=depth + 1) for name, rule in written.items() if name != "if"
            }
        if not isinstance(text, str):
            self.findings.error(place, "condition", "a condition is a text, or a table with `if`", 'write "数量 > 0"', written)
            return None
        try:
            made = Condition(text, {name: rule.run for name, rule in inputs.items()})
        except BadCondition as error:
            self.findings.error(
                place, "condition", str(error), "write a comparison of named values, such as \"状态 == '已审批'\""
            )
            return None
        made.paths += [path for rule in inputs.values() for path in rule.reads()]
        return made

    def path(self, written: Any, place: Place) -> Path | None:
        if not isinstance(written, str):
            self.findings.error(place, "path", "a path is a text", 'write it in quotation marks, such as "客户.编码"', written)
            return None
        try:
            return parse_path(written)
        except BadPath as error:
            self.findings.error(place, "path", str(error), "names with dots stand in quotation marks: '\"a.b\".c'")
            return None

    # --- records -------------------------------------------------------------------------------------------------

    def fields(self, written: Any, place: Place, target: Kind = RECORD, *, depth: int = 0) -> Fields:
        """The rules of one record, complete for a target that is known."""
        if not isinstance(written, dict) or not written:
            self.findings.error(place, "fields", "there are no fields", "write [fields] with one line for each target field")
            return Fields(())
        rules: list[Rule] = []
        for name, rule in written.items():
            kind = target.field(name)
            if kind is None:
                self.findings.error(
                    (*place, name), "unknown-target", f"{target} has no field {name!r}", f"use one of {', '.join(target.names)}"
                )
                continue
            rules.append(self.rule(name, rule, (*place, name), kind, depth=depth, required=name in target.required))
        for name in sorted(target.required - set(written)):
            self.findings.error(
                place, "missing-target", f"{target} needs the field {name!r}, which no rule fills", "write a rule for it"
            )
        return Fields(tuple(rules), target.struct)


def _lifted(step: Step) -> Step:
    """The step for every item of a list; items that have no value are left out."""
    apply, seeks = step.apply, step.seeks

    def each(value: Any) -> Any:
        made = (apply(item) for item in value if not is_empty(item))
        return [item for item in made if not is_empty(item)]

    def each_seeking(value: Any, scope: Any) -> Any:
        assert seeks is not None
        made = (seeks(item, scope) for item in value if not is_empty(item))
        return [item for item in made if not is_empty(item)]

    return Step(
        name=step.name,
        says=f"each {step.says}",
        apply=each,
        gives=step.gives,
        takes=step.takes,
        seeks=each_seeking if seeks else None,
    )


def _with(making: Making, before: Kind) -> Making:
    return Making(zone=making.zone, tables=making.tables, lookups=making.lookups, before=before)


def kind_of(value: Any) -> Kind:
    """The kind of a value written in a map."""
    kinds = {str: TEXT, bool: BOOLEAN, int: INTEGER, Decimal: DECIMAL, datetime: DATETIME, date: DATE, dict: RECORD}
    if isinstance(value, list):
        inner = {kind_of(item) for item in value}
        return list_of(inner.pop() if len(inner) == 1 else ANY)
    return kinds.get(type(value), ANY)
