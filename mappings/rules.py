"""A rule is a source, steps in order, a default and a condition, compiled once into one function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from mappings.conditions import Condition
from mappings.kinds import ANY, Kind
from mappings.paths import Path, Scope
from mappings.steps import Step
from mappings.trace import Traced, plain
from mappings.values import MISSING, Bad, is_empty

Run = Callable[[Any, Scope], Any]


class Source(Protocol):
    """Where a rule's value comes from."""

    @property
    def gives(self) -> Kind: ...

    @property
    def pointer(self) -> str: ...

    def fetch(self, record: Any, scope: Scope, /) -> Any: ...

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        """The value as `fetch` gives it, and the words for where it was found; inner rules add their own notes."""
        ...

    def reads(self) -> list[Path]: ...

    def says(self) -> str: ...


class Rule:
    """What fills one target field. `run` gives the value or `MISSING`, and raises `Bad`."""

    def __init__(
        self,
        *,
        name: str,
        source: Source,
        steps: tuple[Step, ...] = (),
        gives: Kind = ANY,
        default: Any = MISSING,
        condition: Condition | None = None,
        about: str = "",
        line: int = 0,
        required: bool = False,
    ) -> None:
        self.name = name
        self.source = source
        self.steps = steps
        self.gives = gives
        self.default = default
        self.condition = condition
        self.about = about
        self.line = line
        self.required = required
        self.run = self._compiled()

    @property
    def pointer(self) -> str:
        return self.source.pointer

    def reads(self) -> list[Path]:
        """All the paths it reads, from its own record on."""
        return [*self.source.reads(), *(self.condition.paths if self.condition else ())]

    def plain(self) -> tuple[str, str] | None:
        """The source's name and the kind of step, if the rule is no more than one name and one plain step."""
        reads = self.source.reads()
        simple = len(reads) == 1 and len(reads[0].segments) == 1 and not reads[0].rooted and type(reads[0].segments[0]) is str
        if simple and getattr(self.source, "is_path", False) and self.condition is None and len(self.steps) == 1 and self.steps[0].plain:
            return str(reads[0].segments[0]), self.steps[0].plain
        return None

    def _compiled(self) -> Run:
        fetch, default, steps = self.source.fetch, self.default, self.steps
        if not steps:

            def run(record: Any, scope: Scope) -> Any:
                value = fetch(record, scope)
                return default if is_empty(value) else value

        elif len(steps) == 1 and steps[0].seeks is None:
            apply = steps[0].apply

            def run(record: Any, scope: Scope) -> Any:
                value = fetch(record, scope)
                if value is MISSING or value is None or (type(value) is str and (not value or value.isspace())):
                    return default
                value = apply(value)
                return default if is_empty(value) else value

        else:

            def run(record: Any, scope: Scope) -> Any:
                value = fetch(record, scope)
                for step in steps:
                    if is_empty(value):
                        return default
                    value = step.apply(value) if step.seeks is None else step.seeks(value, scope)
                return default if is_empty(value) else value

        return run if self.condition is None else _guarded(run, self.condition)

    def checked(self, record: Any, scope: Scope) -> Any:
        """As `run`; a `Bad` carries the place in the record, and a required value that is missing is one."""
        try:
            value = self.run(record, scope)
        except Bad as bad:
            raise bad.within(self.name, self.pointer) from None
        if value is MISSING and self.required:
            raise self.lacking()
        return value

    def lacking(self) -> Bad:
        """The error of a required value that is not there."""
        return Bad("a value is required and there is none", "look at what was sent, or give the field a default").within(self.name, self.pointer)

    def traced(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> Any:
        """As `run`, and notes each step."""
        if self.condition is not None and not self.condition.holds(record, scope):
            notes.append(Traced(field=at, note=f"not taken: {self.condition.text} is not so", source=self.source.says()))
            return MISSING
        place = len(notes)
        value, words = self.source.told(record, scope, notes, at)
        raw = value
        done: list[tuple[str, Any]] = []
        for step in self.steps:
            if is_empty(value):
                break
            value = step.apply(value) if step.seeks is None else step.seeks(value, scope)
            done.append((step.says, plain(value)))
        note = ""
        if is_empty(value):
            value = self.default
            note = "there is no value" if value is MISSING else "there is no value: the default is taken"
        notes.insert(place, Traced(field=at, source=words, raw=plain(raw), steps=tuple(done), value=plain(value), note=note))
        return value


def _guarded(run: Run, condition: Condition) -> Run:
    holds = condition.holds

    def guarded(record: Any, scope: Scope) -> Any:
        return run(record, scope) if holds(record, scope) else MISSING

    return guarded


def run_inner(rule: Rule, record: Any, scope: Scope) -> Any:
    """Run a rule that is part of another's source; its error says where in the record."""
    try:
        return rule.run(record, scope)
    except Bad as bad:
        bad.pointer = rule.pointer + (bad.pointer or "")
        raise
