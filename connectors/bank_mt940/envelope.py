"""From lines to the fields of messages: where each message begins and ends, whatever stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

_TAG = re.compile(r"[ \t]*:(13D?|20|21|25P?|28C?|34F|6[02][FM]?|61|6[45]F?|86|90[CD]|NS|94[0-2]):")
_BLOCK = re.compile(r"[ \t]*\{[1-5S]:")
_END = re.compile(r"-(?:\}.*|X{3})?[ \t]*$")
# A bank that wraps text after 65 characters may begin a line with the minutes of a time: `...T16` and `:26:37 ...`.
_HOUR, _MINUTES = re.compile(r"[T ](?:[01]\d|2[0-3])$"), re.compile(r":[0-5]\d:[0-5]\d(?!\d)")
STARTS_MESSAGE = frozenset({"20", "940", "941", "942"})


class Field(msgspec.Struct, kw_only=True):
    """A tag and its lines; `line` is where it stands in the file."""

    tag: str
    line: int
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """A message begins. `interim` where its envelope or marker says that it is an MT942."""

    line: int
    interim: bool = False
    enveloped: bool = False


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The message before is over. `marked` where an end mark (`-`, `-}`) says so, `last` where the file ends with it."""

    line: int
    marked: bool
    last: bool = False


Part = Begin | Field | End


def parts(lines: Iterable[tuple[int, str]]) -> Iterator[Part]:
    """Beginnings, fields and ends of the messages, in order. What stands between messages is left out."""
    return _Splitter().split(lines)


class _Splitter:
    """Where in the messages the last line stood."""

    def __init__(self) -> None:
        self._field: Field | None = None
        self._open = self._enveloped = self._interim = self._marked = False
        self._behind: list[str] = []
        self._number = 0

    def split(self, lines: Iterable[tuple[int, str]]) -> Iterator[Part]:
        held = ""
        for self._number, line in lines:
            if line == ":":  # a program that wraps text blindly may cut a tag: `:` and `86:`
                held = line
                continue
            yield from self._line(held + line if _TAG.match(held + line) else line)
            held = ""
        yield from self._close(last=True)

    def _line(self, line: str) -> Iterator[Part]:
        if _BLOCK.match(line) or (line.startswith("-}") and "{" in line):
            yield from self._envelope(line)
        elif _END.match(line):
            self._marked, self._behind = self._open, []
        elif (tag := _TAG.match(line)) and not self._is_time(line):
            yield from self._tagged(tag[1], line[tag.end() :])
        elif self._marked:
            self._behind.append(line)
        elif self._field is not None:
            self._field.lines.append(line)

    def _envelope(self, line: str) -> Iterator[Part]:
        """Block headers, also those that stand behind the end of the message before."""
        if line.startswith("-}"):
            self._marked, self._behind = self._open, []
        if self._open and "{1:" in line:
            yield from self._close()
        header, found, text = line.partition("{4:")
        self._interim = self._interim or bool(re.search(r"\{2:[IO]942", header))
        if found:
            yield from self._close()
            self._enveloped = True
            if text.strip():
                yield from self._line(text)

    def _tagged(self, tag: str, text: str) -> Iterator[Part]:
        if self._open and tag in STARTS_MESSAGE:
            yield from self._close()
        if self._marked and self._field is not None:
            # The dash was a line of text after all: the message goes on behind it.
            self._field.lines += ["-", *self._behind]
            self._marked, self._behind = False, []
        if self._field is not None:
            yield self._field
            self._field = None
        self._interim = self._interim or tag == "942"
        if tag in STARTS_MESSAGE and tag != "20":
            return
        if not self._open:
            self._open = True
            yield Begin(line=self._number, interim=self._interim, enveloped=self._enveloped)
        self._field = Field(tag=tag, line=self._number, lines=[text])

    def _close(self, *, last: bool = False) -> Iterator[Part]:
        if self._open:
            if self._field is not None:
                yield self._field
            yield End(line=self._number, marked=self._marked, last=last)
            self._interim = False
        self._field = None
        self._open = self._enveloped = self._marked = False
        self._behind = []

    def _is_time(self, line: str) -> bool:
        field = self._field
        return bool(field and field.tag == "86" and _MINUTES.match(line) and _HOUR.search(field.lines[-1]))
