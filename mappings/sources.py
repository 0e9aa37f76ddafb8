"""Where values come from: a path, a constant, the first of several, texts put together, conditions, arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from mappings import limits
from mappings.conditions import Condition
from mappings.kinds import ANY, DECIMAL, TEXT, Kind, list_of
from mappings.paths import EVERY, Path, Scope, reader
from mappings.rules import Rule, run_inner, seen_from
from mappings.steps.base import text_of
from mappings.steps.numbers import exact
from mappings.templates import Shape
from mappings.trace import Traced
from mappings.values import MISSING, Bad, is_empty


class FromPath:
    """The value at a path."""

    is_path = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.gives = list_of(ANY) if path.many else ANY
        cut = path.segments.index(EVERY) if path.many else len(path.segments)
        self.pointer = Path(text="", segments=path.segments[:cut]).pointer
        self.fetch = reader(path)

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        return self.fetch(record, scope), self.path.text

    def reads(self) -> list[Path]:
        return [self.path]

    def says(self) -> str:
        return self.path.text


class Const:
    """Always the same value."""

    pointer = ""

    def __init__(self, value: Any, kind: Kind) -> None:
        self.value = value
        self.gives = kind
        self.fetch = lambda record, scope: value

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        return self.value, "a constant"

    def reads(self) -> list[Path]:
        return []

    def says(self) -> str:
        return f"always {self.value!r}" if isinstance(self.value, str) else f"always {self.value}"


class _Of:
    """A source made of inner rules."""

    pointer = ""
    gives = ANY

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules

    def reads(self) -> list[Path]:
        return [path for rule in self.rules for path in rule.reads()]

    def says_rules(self) -> str:
        return "、".join(rule.source.says() for rule in self.rules)


class First(_Of):
    """The first of several rules that has a value."""

    def __init__(self, rules: list[Rule], gives: Kind) -> None:
        super().__init__(rules)
        self.gives = gives
        self._runs = tuple((rule.bare_name, rule.run, rule) for rule in rules)

    def fetch(self, record: Any, scope: Scope) -> Any:
        for name, run, rule in self._runs:
            if name is not None and type(record) is dict and record.get(name) is None:
                continue
            try:
                value = run(record, scope)
            except Bad as bad:
                raise seen_from(rule, bad) from None
            if value is not MISSING:
                return value
        return MISSING

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        for rule in self.rules:
            value = run_inner(rule, record, scope)
            if value is not MISSING:
                return value, rule.source.says()
        return MISSING, self.says()

    def says(self) -> str:
        return f"the first of {self.says_rules()}"


def _no_run(record: Any, scope: Scope) -> Any:
    return MISSING


class Template(_Of):
    """A text with places."""

    gives = TEXT

    def __init__(self, text: str, pieces: list[str | tuple[Rule, Shape, str | None, str]]) -> None:
        super().__init__([piece[0] for piece in pieces if not isinstance(piece, str)])
        self.text = text
        self.pieces = pieces
        self._todo = tuple(
            (piece, None, _no_run, str, None)
            if isinstance(piece, str)
            # Without a format a text is written as it is.
            else (None, None if piece[3] else piece[0].bare_name, piece[0].run, piece[1], piece[2])
            for piece in pieces
        )

    def fetch(self, record: Any, scope: Scope) -> Any:
        out: list[str] = []
        named = type(record) is dict
        number = 0
        try:
            for literal, name, run, write, fallback in self._todo:
                if literal is not None:
                    out.append(literal)
                elif named and name is not None and type(value := record.get(name)) is str and value and not value.isspace():
                    out.append(value)
                else:
                    value = run(record, scope)
                    if value is not MISSING:
                        out.append(write(value))
                    elif fallback is None:
                        return MISSING
                    else:
                        out.append(fallback)
                number += 1
        except Bad as bad:
            piece = self.pieces[number]
            assert not isinstance(piece, str)  # a literal text raises nothing
            raise seen_from(piece[0], bad) from None
        return "".join(out)

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        lacking = [
            piece[0].source.says()
            for piece in self.pieces
            if not isinstance(piece, str) and piece[2] is None and run_inner(piece[0], record, scope) is MISSING
        ]
        words = f"the text {self.text!r}"
        return self.fetch(record, scope), f"{words} ({'、'.join(lacking)} is missing)" if lacking else words

    def says(self) -> str:
        return f"the text {self.text!r}"


class Join(_Of):
    """Several values as one text; those that are not there are left out."""

    gives = TEXT

    def __init__(self, rules: list[Rule], between: str) -> None:
        super().__init__(rules)
        self.between = between
        self._runs = tuple((rule.bare_name, rule.run, rule) for rule in rules)

    def fetch(self, record: Any, scope: Scope) -> Any:
        parts: list[str] = []
        named = type(record) is dict
        for name, run, rule in self._runs:
            if named and name is not None and type(value := record.get(name)) is str and value and not value.isspace():
                parts.append(value)
                continue
            try:
                value = run(record, scope)
                if type(value) is str:
                    parts.append(value)
                elif value is not MISSING:
                    parts += [text_of(item) for item in value] if isinstance(value, list | tuple) else [text_of(value)]
            except Bad as bad:
                raise seen_from(rule, bad) from None
        return self.between.join(parts) if parts else MISSING

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        return self.fetch(record, scope), self.says()

    def says(self) -> str:
        return f"{self.says_rules()} together" + (f", with {self.between!r} between" if self.between else "")


class Listed(_Of):
    """A list of exactly these values; one that is not there makes all of it missing."""

    def __init__(self, rules: list[Rule], gives: Kind) -> None:
        super().__init__(rules)
        self.gives = gives

    def fetch(self, record: Any, scope: Scope) -> Any:
        values = [run_inner(rule, record, scope) for rule in self.rules]
        return MISSING if any(value is MISSING for value in values) else values

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        return self.fetch(record, scope), self.says()

    def says(self) -> str:
        return f"a list of {self.says_rules()}"


class Choose(_Of):
    """The rule of the first condition that holds."""

    def __init__(self, cases: list[tuple[Condition, Rule]], otherwise: Rule | None, gives: Kind) -> None:
        super().__init__([rule for _, rule in cases] + ([otherwise] if otherwise else []))
        self.cases = cases
        self.otherwise = otherwise
        self.gives = gives

    def fetch(self, record: Any, scope: Scope) -> Any:
        return self.told(record, scope, [], "")[0]

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        for condition, rule in self.cases:
            if condition.holds(record, scope):
                return run_inner(rule, record, scope), f"{rule.source.says()} (because {condition.text})"
        if self.otherwise is None:
            return MISSING, "no condition holds"
        return run_inner(self.otherwise, record, scope), f"{self.otherwise.source.says()} (no condition holds)"

    def reads(self) -> list[Path]:
        return [*super().reads(), *(path for condition, _ in self.cases for path in condition.paths)]

    def says(self) -> str:
        cases = "; ".join(f"{rule.source.says()} if {condition.text}" for condition, rule in self.cases)
        return cases + (f"; otherwise {self.otherwise.source.says()}" if self.otherwise else "")


class Arithmetic(_Of):
    """The exact sum, difference or product of several numbers; missing where one of them is."""

    gives = DECIMAL

    def __init__(self, word: str, rules: list[Rule], work: Callable[[list[Decimal]], Decimal]) -> None:
        super().__init__(rules)
        self.word = word
        self.work = work

    def fetch(self, record: Any, scope: Scope) -> Any:
        numbers: list[Decimal] = []
        for rule in self.rules:
            value = run_inner(rule, record, scope)
            if is_empty(value):
                return MISSING
            numbers.append(exact(value))
        return self.work(numbers)

    def told(self, record: Any, scope: Scope, notes: list[Traced], at: str) -> tuple[Any, str]:
        return self.fetch(record, scope), self.says()

    def says(self) -> str:
        return f"{self.word} of {self.says_rules()}"


def checked_items(value: Any) -> list[Any] | tuple[Any, ...]:
    """The items of a list, within the limit."""
    if not isinstance(value, list | tuple):
        raise Bad("a list is expected here", "look at what was sent, or take the value with `from`", value)
    if len(value) > limits.ITEMS:
        raise Bad(f"the list has more than {limits.ITEMS} items", "send it in parts", value)
    return value
