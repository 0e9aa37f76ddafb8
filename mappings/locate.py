"""Which line of a TOML text a key stands on: the parser of the standard library does not say."""

from __future__ import annotations

import re

Key = str | int
Place = tuple[Key, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INLINE_BLANK = re.compile(r"[ \t]*")
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]+")


def lines_of(text: str) -> dict[Place, int]:
    """The line, from 1, of every key and list item of a TOML text that has already been parsed without an error."""
    finder = _Finder(text)
    finder.document()
    return finder.lines


class _Finder:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Place, int] = {}
        self.counts: dict[Place, int] = {}
        self._line, self._seen = 1, 0

    def line(self) -> int:
        self._line += self.text.count("\n", self._seen, self.at)
        self._seen = self.at
        return self._line

    def skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found.group()

    def document(self) -> None:
        place: Place = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                place = self.header()
            else:
                self.pair(place)
            self.skip(_BLANK)

    def header(self) -> Place:
        line = self.line()
        twice = self.text.startswith("[[", self.at)
        self.at += 2 if twice else 1
        place = self.resolved(self.key())
        self.at = self.text.index("]", self.at) + (2 if twice else 1)
        if twice:
            self.lines.setdefault(place, line)
            number = self.counts.get(place, -1) + 1
            self.counts[place] = number
            place = (*place, number)
        self.lines[place] = line
        return place

    def resolved(self, keys: list[str]) -> Place:
        """A header's keys with the number of the current item after each list of tables."""
        place: Place = ()
        for position, key in enumerate(keys):
            place = (*place, key)
            if place in self.counts and position < len(keys) - 1:
                place = (*place, self.counts[place])
        return place

    def key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self.skip(_INLINE_BLANK)
            text = self.skip(_TEXT)
            parts.append(_plain(text) if text else self.skip(_BARE))
            self.skip(_INLINE_BLANK)
            if self.text[self.at : self.at + 1] != ".":
                return parts
            self.at += 1

    def pair(self, place: Place) -> None:
        line = self.line()
        for part in self.key():
            place = (*place, part)
            self.lines.setdefault(place, line)
        self.at = self.text.index("=", self.at) + 1
        self.value(place)

    def value(self, place: Place) -> None:
        self.skip(_INLINE_BLANK)
        sign = self.text[self.at : self.at + 1]
        if sign == "[":
            self.items(place)
        elif sign == "{":
            self.table(place)
        elif not self.skip(_TEXT):
            self.skip(_SCALAR)

    def items(self, place: Place) -> None:
        self.at += 1
        number = 0
        while True:
            self.skip(_BLANK)
            if self.text[self.at] == "]":
                break
            self.lines[(*place, number)] = self.line()
            self.value((*place, number))
            number += 1
            self.skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1

    def table(self, place: Place) -> None:
        self.at += 1
        while True:
            self.skip(_BLANK)
            if self.text[self.at] == "}":
                break
            self.pair(place)
            self.skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1


def _plain(text: str) -> str:
    if text.startswith("'"):
        return text[1:-1]
    # A basic string's escapes are those of JSON, and \UXXXXXXXX.
    return re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", _escape, text[1:-1])


def _escape(found: re.Match[str]) -> str:
    code = found.group(1)
    if code[0] in "uU" and len(code) > 1:
        return chr(int(code[1:], 16))
    return {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}.get(code, code)
