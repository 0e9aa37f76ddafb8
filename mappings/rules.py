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

_NEVER_EMPTY = frozenset({"decimal", "integer", "boolean", "date", "datetime"})
"""Kinds whose sources give `MISSING` or a value, never an empty one."""
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

    @property
    def simple_name(self) -> str | None:
        """The source's name, if the source is no more than one name of the record."""
        paths = self.source.reads() if getattr(self.source, "is_path", False) else []
        if len(paths) == 1 and len(paths[0].segments) == 1 and not paths[0].rooted and isinstance(paths[0].segments[0], str):
            return paths[0].segments[0]
        return None

    @property
    def bare_name(self) -> str | None:
        """The name, if the rule does no more than take the value under it."""
        plain = not self.steps and self.condition is None and self.default is MISSING
        return self.simple_name if plain else None

    @property
    def loop(self) -> str:
        """Which of the loops of `Fields` can run it: for a name alone or with one step; empty for none."""
        if self.simple_name is None or self.condition is not None or len(self.steps) > 1:
            return ""
        if not self.steps:
            return "value"
        step = self.steps[0]
        return "" if step.seeks else step.plain or ("change" if step.change else "step")

    def _compiled(self) -> Run:
        name = self.simple_name
        if name is not None and not self.steps:
            run = _name_alone(name, self.default)
        elif not self.steps and self.default is MISSING and self.source.gives.name in _NEVER_EMPTY:
            run = self.source.fetch
        elif not self.steps:
            run = _without_steps(self.source.fetch, self.default)
        elif len(self.steps) == 1 and self.steps[0].seeks is None:
            run = _with_step(self.source.fetch, self.steps[0].apply, self.default)
        else:
            run = _with_steps(self.source.fetch, self.steps, self.default)
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
        return Bad("a value is required and there is none", "look at what was sent, or give the field a default").within(
            self.name, self.pointer
        )

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


# The test for an empty value is written out where every record passes; `is_empty` says the same in one word.


def _name_alone(name: str, default: Any) -> Run:
    def run(record: Any, scope: Scope) -> Any:
        value = record.get(name) if type(record) is dict else None
        if type(value) is str:
            return value if value and not value.isspace() else default
        return default if value is None else value

    return run


def _without_steps(fetch: Run, default: Any) -> Run:
    def run(record: Any, scope: Scope) -> Any:
        value = fetch(record, scope)
        if type(value) is str:
            return value if value and not value.isspace() else default
        return default if value is MISSING or value is None else value

    return run


def _with_step(fetch: Run, apply: Callable[[Any], Any], default: Any) -> Run:
    def run(record: Any, scope: Scope) -> Any:
        value = fetch(record, scope)
        if value is MISSING or value is None or (type(value) is str and (not value or value.isspace())):
            return default
        value = apply(value)
        if type(value) is str:
            return value if value and not value.isspace() else default
        return default if value is MISSING or value is None else value

    return run


def _with_steps(fetch: Run, steps: tuple[Step, ...], default: Any) -> Run:
    def run(record: Any, scope: Scope) -> Any:
        value = fetch(record, scope)
        for step in steps:
            if value is MISSING or value is None or (type(value) is str and (not value or value.isspace())):
                return default
            value = step.apply(value) if step.seeks is None else step.seeks(value, scope)
        return default if is_empty(value) else value

    return run


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
        raise seen_from(rule, bad) from None


def seen_from(rule: Rule, bad: Bad) -> Bad:
    """The error of an inner rule with its place in the record."""
    bad.pointer = rule.pointer + (bad.pointer or "")
    return bad
