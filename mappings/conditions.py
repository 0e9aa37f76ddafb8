"""Conditions in CEL (Common Expression Language, https://cel.dev) over named scalars.

What we take of CEL: comparisons, `&& || !`, `? :`, `in [...]`, `startsWith`, `endsWith`, `contains`, and names. A name is a
path of the record, Chinese names included; one with spaces stands in backticks. Macros, arithmetic, indexing, maps and
all other functions are refused when the map is loaded, so that evaluation is bounded and comparisons are exact.

Exact, because a decimal reaches CEL as a double only if the double's shortest text is that decimal again. Two such decimals
compare as their doubles do: doubles that are equal have one shortest text. Without arithmetic nothing else can be rounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import cel

from mappings import limits
from mappings.paths import BadPath, Path, Reader, Scope, parse_path, reader
from mappings.values import MISSING, Bad, shown

METHODS = frozenset({"startsWith", "endsWith", "contains"})
_OPERATORS = (
    frozenset({"_&&_", "_||_", "!_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_?_:_", "@in", "_in_", "in", "-_"}) | METHODS
)
_RESERVED = frozenset({"true", "false", "null", "in"})
_SAFE_INTEGER = 2**53

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<triple>"{3}|'{3})
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>\d+(?:\.\d+)?)(?![\w.])
    |(?P<odd>`[^`\n]+`)
    |(?P<name>[$@](?![\w])(?:\.[^\W\d]\w*)*|[^\W\d]\w*(?:\.[^\W\d]\w*)*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[<>!?:(),\[\]-])""",
    re.VERBOSE,
)


class BadCondition(ValueError):
    """A condition that we do not accept; the message says which part and why."""


class _Read(NamedTuple):
    source: str
    names: dict[str, str]


class Condition:
    """A compiled condition. `holds(record, scope)` is true or false; a value that cannot be compared raises `Bad`."""

    def __init__(self, text: str, inputs: Mapping[str, Callable[[Any, Scope], Any]] | None = None) -> None:
        """`inputs` are names that are rules of their own; every other name is a path. Raises `BadCondition`."""
        self.text = text
        given = inputs or {}
        written = _translate(text)
        self.paths: list[Path] = []
        self._inputs: list[tuple[str, str, Reader]] = []
        for name, alias in written.names.items():
            if name in given:
                self._inputs.append((alias, name, given[name]))
                continue
            path = _path(name)
            self.paths.append(path)
            self._inputs.append((alias, name, reader(path)))
        unused = set(given) - set(written.names)
        if unused:
            raise BadCondition(f"the input {sorted(unused)[0]!r} does not occur in the condition {text!r}")
        self._program = _compile(written.source, text)
        self._only = self._inputs[0] if len(self._inputs) == 1 else None

    def holds(self, record: Any, scope: Scope) -> bool:
        """Whether it is so for this record."""
        values: dict[str, object] = {}
        for alias, name, read in self._inputs:
            value = read(record, scope)
            kind = type(value)
            if kind is str or kind is bool:
                values[alias] = value
            elif value is MISSING:
                values[alias] = None
            else:
                values[alias] = _scalar(name, value)
        try:
            result = self._program.execute(values)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            raise self._bad(record, scope) from None
        if result is not True and result is not False:
            raise Bad(f"the condition {self.text!r} gives {shown(result)}", "write a condition that is true or false")
        return result

    def seen(self, record: Any, scope: Scope) -> dict[str, object]:
        """The inputs by name, for the trace."""
        found = {name: read(record, scope) for _, name, read in self._inputs}
        return {name: None if value is MISSING else value for name, value in found.items()}

    def _bad(self, record: Any, scope: Scope) -> Bad:
        inputs = ", ".join(f"{name} = {shown(value)}" for name, value in self.seen(record, scope).items())
        return Bad(
            f"the condition {self.text!r} cannot be decided with {inputs}",
            "compare a text with a text and a number with a number; write `name != null && …` where it can be absent, "
            "or make the input a rule with `as`",
        )


def _scalar(name: str, value: object) -> object:
    match value:
        case int() if -_SAFE_INTEGER <= value <= _SAFE_INTEGER:
            return value
        case int():
            raise Bad(f"{name} is too large an integer to be compared", "make it a text: `{ from = …, as = 'text' }`", value)
        case Decimal():
            return _number(name, value)
        case datetime():
            return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()
        case date():
            return value.isoformat()
        case float():
            raise Bad(f"{name} is a float, which is not exact", "read the record with mappings.parse_json", value)
        case dict() | list() | tuple():
            raise Bad(
                f"{name} is {shown(value)}, not a single value", "name a text, a number, a date or a yes/no inside it", value
            )
        case _:
            return value


def _number(name: str, value: Decimal) -> int | float:
    if value.is_finite():
        if value == value.to_integral_value() and value.copy_abs() <= _SAFE_INTEGER:
            return int(value)
        double = float(value)
        if abs(double) <= _SAFE_INTEGER and Decimal(repr(double)) == value:
            return double
    raise Bad(f"{name} has too many digits to be compared exactly", "compare a rounded or shorter number", value)


def _path(name: str) -> Path:
    try:
        path = parse_path(name)
    except BadPath as error:
        raise BadCondition(str(error)) from None
    if path.many:
        raise BadCondition(f"{name!r} is a list; a condition compares single values")
    return path


def _translate(text: str) -> _Read:
    """The expression with every name replaced by `v0`, `v1`, …: CEL's own names are ASCII, a record's are not."""
    if len(text) > limits.EXPRESSION:
        raise BadCondition(f"the condition is longer than {limits.EXPRESSION} characters")
    names: dict[str, str] = {}
    out: list[str] = []
    opened: list[str] = []
    at, before, count = 0, "", 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadCondition(f"{_rest(text, at)} is not part of a condition{_hint(text[at])}")
        kind, token = str(found.lastgroup), found.group()
        at, count = found.end(), count + 1
        if kind == "blank":
            out.append(" ")
            continue
        if count > limits.EXPRESSION_TOKENS:
            raise BadCondition(f"the condition has more than {limits.EXPRESSION_TOKENS} parts")
        out.append(_part(kind, token, before, names, opened, called=text[at:].lstrip()[:1] == "("))
        before = token
    return _Read("".join(out), names)


def _part(kind: str, token: str, before: str, names: dict[str, str], opened: list[str], *, called: bool) -> str:
    match kind:
        case "triple":
            raise BadCondition("texts in three quotation marks are not part of a condition")
        case "text":
            return token
        case "number":
            return _literal(token)
        case "odd":
            return names.setdefault(token[1:-1], f"v{len(names)}")
        case "name":
            return _name(token, names, called=called)
        case _:
            return _sign(token, before, opened)


def _literal(token: str) -> str:
    try:
        _number("the number", Decimal(token[: limits.NUMBER]))
    except Bad:
        raise BadCondition(f"the number {token[:24]} has too many digits to be compared exactly") from None
    return token


def _name(token: str, names: dict[str, str], *, called: bool) -> str:
    if called:
        receiver, _, method = token.rpartition(".")
        if method not in METHODS or not receiver:
            raise BadCondition(f"{token}(…) is not one of the functions a condition has: name.{', name.'.join(sorted(METHODS))}")
        return f"{names.setdefault(receiver, f'v{len(names)}')}.{method}"
    if token in _RESERVED:
        return token
    return names.setdefault(token, f"v{len(names)}")


def _sign(token: str, before: str, opened: list[str]) -> str:
    match token:
        case "[" if before != "in":
            raise BadCondition("a list stands only after `in`")
        case "(" | "[":
            opened.append(token)
            if len(opened) > limits.EXPRESSION_DEPTH:
                raise BadCondition(f"the condition is nested deeper than {limits.EXPRESSION_DEPTH}")
        case ")" | "]":
            if not opened or opened.pop() != {")": "(", "]": "["}[token]:
                raise BadCondition(f"a {token!r} closes nothing")
        case "-" if before and before not in {"(", "[", ",", "==", "!=", "<", "<=", ">", ">=", "?", ":"}:
            raise BadCondition("conditions do not calculate; let a field do it (add, subtract, multiply) and compare its result")
    return token


def _rest(text: str, at: int) -> str:
    return repr(text[at : at + 12])


def _hint(sign: str) -> str:
    if sign in "+*/%":
        return "; conditions do not calculate, let a field do it (add, subtract, multiply)"
    if sign == "=":
        return "; write == to compare"
    if sign in "&|":
        return "; write && and ||"
    return ""


def _compile(source: str, text: str) -> cel.Program:
    try:
        program = cel.compile(source)
        used = set(program.functions())
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0].partition(": ")[2] or "its parts do not fit together"
        raise BadCondition(f"the condition {text!r} is not valid: {reason[:120]}") from None
    if not used <= _OPERATORS:
        raise BadCondition(f"{sorted(used - _OPERATORS)[0]} is not part of a condition")
    return program
