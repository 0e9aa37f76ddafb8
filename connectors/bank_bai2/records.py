"""From lines to records: continuations joined to what they continue, several records of one line told apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

CONTINUATION = "88"
_CODE = re.compile(r"\s*(01|02|03|16|49|88|98|99),")
# Some programs put records behind each other in one line. Only what looks like a whole record is taken for one: a text may
# well hold a slash and a number.
_BEHIND = re.compile(
    r"/\s+(?=(?:01,[^,]*,[^,]*,\d{6}|02,[^,]*,[^,]*,[1-4]?,\d{6}|03,[^,/]+,(?:[A-Z]{3})?,|16,\d{3},\d*,|88,|49,[+-]?\d+,\d+/|9[89],[+-]?\d+,\d+,\d+/))"
)

_DELIMITER = re.compile(r"[,\n]")


class Record(msgspec.Struct, kw_only=True):
    """A record and its continuations: each piece a list of lines, without the code before and the slash behind."""

    code: str
    line: int
    pieces: list[list[str]]
    last: bool = False

    @property
    def text(self) -> str:
        """All pieces, each on a line of its own."""
        return "\n".join(" ".join(piece) for piece in self.pieces)

    @property
    def physical(self) -> int:
        """How many records the control counts see: itself and each continuation."""
        return len(self.pieces)


def records(lines: Iterable[tuple[int, str]]) -> Iterator[Record]:
    """The records in order; the last one of the file is marked. What stands before the first record is a record without a code."""
    current: Record | None = None
    for number, line in lines:
        for part in _BEHIND.split(line):
            if not part.strip():
                continue
            found = _CODE.match(part)
            if found is None and current is not None:
                current.pieces[-1].append(_ended(part))  # a line without a code goes on with the text of the line before
            elif found is not None and found[1] == CONTINUATION and current is not None:
                current.pieces.append([_ended(part[found.end() :])])
            else:
                if current is not None:
                    yield current
                text = part[found.end() :] if found else part
                current = Record(code=found[1] if found else "", line=number, pieces=[[_ended(text)]])
    if current is not None:
        current.last = True
        yield current


def _ended(text: str) -> str:
    return text.strip().removesuffix("/").rstrip()


class Fields:
    """The fields of a record from left to right. A continuation begins a field of its own."""

    def __init__(self, record: Record) -> None:
        self._text = record.text
        self._at: int | None = 0

    def next(self) -> str:
        """The next field; empty where there is none."""
        if self._at is None:
            return ""
        end = _DELIMITER.search(self._text, self._at)
        found = self._text[self._at : end.start()] if end else self._text[self._at :]
        self._at = end.end() if end else None
        return found.strip()

    def rest(self) -> str:
        """All that is left, commas and all; a continuation begins a line."""
        found = "" if self._at is None else self._text[self._at :]
        self._at = None
        return found.strip()

    @property
    def left(self) -> bool:
        return self._at is not None
