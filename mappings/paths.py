"""Where a value stands in a record: `客户.编码`, `"a.b".c`, `明细[*].数量`, `行[0]`, `$.单号` (from the whole record), `@` (the item itself)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from mappings import limits
from mappings.values import MISSING, Bad

Segment = str | int
EVERY: int = -(10**9)
"""The segment `[*]`: every item of a list."""


class Scope(msgspec.Struct, frozen=True):
    """What a rule can see besides its own record: the whole record and the external lookup."""

    root: Any
    lookup: Callable[[str, str], object] | None = None


Reader = Callable[[Any, Scope], Any]


class BadPath(ValueError):
    """A path that is not written as one; the message says where."""


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed path. `rooted` ones start at the whole record, the others at the record (or item) their rule works on."""

    text: str
    segments: tuple[Segment, ...]
    rooted: bool = False

    @property
    def many(self) -> bool:
        """Whether it gives a list of values."""
        return EVERY in self.segments

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901), with `*` for every item."""
        return "".join(f"/{'*' if s == EVERY else str(s).replace('~', '~0').replace('/', '~1')}" for s in self.segments)


_TOKEN = re.compile(
    r"""(?P<quoted>"[^"]*"|'[^']*')|\[(?P<index>\*|-?\d{1,6})\]|(?P<dot>\.)|(?P<name>[^.\[\]"'\s](?:[^.\[\]"'\n]*[^.\[\]"'\s])?)""",
)


_START = re.compile(r"([$@])(?=$|[.\[])")


def parse_path(text: str) -> Path:
    """The path that the text writes. Raises `BadPath`."""
    stripped = text.strip()
    start = _START.match(stripped)
    at = start.end() if start else 0
    segments: list[Segment] = []
    # After a name comes a dot or an index, after a dot a name; `$` and `@` count as names.
    named, dotted = start is not None, False
    while at < len(stripped):
        found = _TOKEN.match(stripped, at)
        if found is None:
            raise BadPath(f"the path {text!r} cannot be read from character {at + 1} on")
        at = found.end()
        if found["dot"]:
            if dotted or not named:
                raise BadPath(f"a name is missing in the path {text!r}")
            dotted = True
            continue
        if found["index"] and dotted:
            raise BadPath(f"write the index right after the name in the path {text!r}")
        if named and not dotted and not found["index"]:
            raise BadPath(f"a dot is missing in the path {text!r}; names with dots are put in quotation marks")
        segments.append(_segment(found))
        named, dotted = True, False
    if dotted or not named:
        raise BadPath(f"the path {text!r} has no name at its end")
    if len(segments) > limits.PATH_SEGMENTS:
        raise BadPath(f"the path has more than {limits.PATH_SEGMENTS} parts")
    return Path(text=stripped, segments=tuple(segments), rooted=start is not None and start[1] == "$")


def _segment(found: re.Match[str]) -> Segment:
    if found["index"]:
        return EVERY if found["index"] == "*" else int(found["index"])
    return found["quoted"][1:-1] if found["quoted"] else found["name"]


# --- reading -----------------------------------------------------------------------------------------------------


def reader(path: Path) -> Reader:
    """The function that reads the path's value from a record; `MISSING` where it is not there or null."""
    match path.segments:
        case (str() as outer, int() as index, str() as inner) if index == EVERY:
            usual = _every_name(outer, inner)
            return (lambda record, scope: usual(scope.root, scope)) if path.rooted else usual
    if path.many:
        read = _every(path.segments)
    elif len(path.segments) == 1 and isinstance(path.segments[0], str):
        read = _name(path.segments[0])
    else:
        read = _steps(path.segments)
    if path.rooted:
        return lambda record, scope: read(scope.root, scope)
    return read


def _name(name: str) -> Reader:
    def read(record: Any, scope: Scope) -> Any:
        if type(record) is not dict:
            return MISSING
        value = record.get(name)
        return MISSING if value is None else value

    return read


def _two_names(outer: str, inner: str) -> Reader:
    def read(record: Any, scope: Scope) -> Any:
        found = record.get(outer) if type(record) is dict else None
        value = found.get(inner) if type(found) is dict else None
        return MISSING if value is None else value

    return read


def _item_name(outer: str, index: int, inner: str) -> Reader:
    def read(record: Any, scope: Scope) -> Any:
        items = record.get(outer) if type(record) is dict else None
        if not isinstance(items, list | tuple) or not -len(items) <= index < len(items):
            return MISSING
        item = items[index]
        value = item.get(inner) if type(item) is dict else None
        return MISSING if value is None else value

    return read


def _steps(segments: tuple[Segment, ...]) -> Reader:
    """The usual shapes have functions of their own; a loop reads the others."""
    match segments:
        case (str() as outer, str() as inner):
            return _two_names(outer, inner)
        case (str() as outer, int() as index, str() as inner):
            return _item_name(outer, index, inner)
    names = all(isinstance(segment, str) for segment in segments)

    def read_names(record: Any, scope: Scope) -> Any:
        value = record
        for segment in segments:
            if type(value) is not dict:
                return MISSING
            value = value.get(segment)
        return MISSING if value is None else value

    def read(record: Any, scope: Scope) -> Any:
        value = record
        for segment in segments:
            if isinstance(segment, str):
                value = value.get(segment) if type(value) is dict else None
            elif isinstance(value, list | tuple) and -len(value) <= segment < len(value):
                value = value[segment]
            else:
                return MISSING
        return MISSING if value is None and segments else value

    return read_names if names and segments else read


def _every_name(outer: str, inner: str) -> Reader:
    careful = _every((outer, EVERY, inner))
    most = limits.ITEMS

    def read(record: Any, scope: Scope) -> Any:
        items = record.get(outer) if type(record) is dict else None
        if type(items) is not list or len(items) > most:
            return careful(record, scope)
        return [value for item in items if type(item) is dict and (value := item.get(inner)) is not None]

    return read


def _every(segments: tuple[Segment, ...]) -> Reader:
    cut = segments.index(EVERY)
    head, rest = segments[:cut], segments[cut + 1 :]
    to_list = _name(head[0]) if len(head) == 1 and isinstance(head[0], str) else _steps(head)
    nested = EVERY in rest
    inside = _every(rest) if nested else _steps(rest)

    def read(record: Any, scope: Scope) -> Any:
        items = to_list(record, scope)
        if items is MISSING:
            return MISSING
        if not isinstance(items, list | tuple):
            raise Bad("a list is expected here", "drop [*] from the path, or look at what was sent", items)
        if len(items) > limits.ITEMS:
            raise Bad(f"the list has more than {limits.ITEMS} items", "send it in parts", items)
        values = [inside(item, scope) for item in items]
        if nested:
            return [value for inner in values if inner is not MISSING for value in inner]
        return [value for value in values if value is not MISSING]

    return read


# --- what is read and what is not --------------------------------------------------------------------------------


class Reads:
    """A tree of all the paths a map reads, to tell what of a record it does not."""

    def __init__(self) -> None:
        self.children: dict[str, Reads] = {}
        self.patterns: dict[str, Reads] = {}
        self.whole = False

    def add(self, segments: tuple[Segment, ...]) -> None:
        """Say that the value at this path is read, with all that is in it."""
        node = self
        for segment in segments:
            name = "[*]" if isinstance(segment, int) else segment
            shelf = node.patterns if name.endswith("*") and name != "[*]" else node.children
            node = shelf.setdefault(name, Reads())
        node.whole = True

    def child(self, name: str) -> Reads | None:
        found = self.children.get(name)
        if found is None:
            found = next((node for start, node in self.patterns.items() if name.startswith(start[:-1])), None)
        return found

    def unread(self, record: object) -> tuple[str, ...]:
        """The paths of the record's values that nothing reads, each once, at most as many as the limit."""
        found: dict[str, None] = {}
        self._walk(record, "", found, 0)
        return tuple(found)

    def _walk(self, value: object, at: str, found: dict[str, None], depth: int) -> None:
        if self.whole or len(found) >= limits.UNREAD:
            return
        if not self.children and not self.patterns:
            found[at or "@"] = None
        elif isinstance(value, dict) and depth < limits.JSON_DEPTH:
            for name, inner in value.items():
                node = self.child(name)
                there = f"{at}.{quoted(name)}" if at else quoted(name)
                if node is None:
                    found[there] = None
                else:
                    node._walk(inner, there, found, depth + 1)
        elif isinstance(value, list | tuple) and depth < limits.JSON_DEPTH:
            node = self.children.get("[*]")
            for item in value if node else ():
                assert node is not None
                node._walk(item, f"{at}[*]", found, depth + 1)


def quoted(name: str) -> str:
    """The name as a path writes it."""
    plain = _TOKEN.fullmatch(name)
    return name if plain and plain["name"] and name not in ("$", "@") else f'"{name}"'
