"""BAI2 files: one raw a line, one a statement."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Generator, Iterable, Iterator
from typing import BinaryIO

from hub.sdk import Context, Event, Ignored, Raw, Read, Unreadable, digest, normalised, statement_raws

from .reading import Reading
from .records import records

_PARSER = "bank_bai2/1"
_LONGEST_LINE = 262_144
_HEADER = re.compile(rb"[\xef\xbb\xbf\x00-\x20]{0,64}01,[^,\r\n]{0,64},[^,\r\n]{0,64},[0-9]{6,8},")
_CONTROLS = dict.fromkeys([*range(9), *range(10, 32), 0xFEFF], " ")


class Connector:
    """Reads balance and transaction reports in the BAI2 format."""

    def __init__(self, context: Context) -> None:
        settings = context.settings
        self._currency = str(settings.get("currency") or "USD")
        told = settings.get("directions")
        self._directions = {str(code): str(way) for code, way in told.items()} if isinstance(told, dict) else {}
        self._zone = context.zone

    def recognises(self, name: str, head: bytes) -> bool:
        """True for a file that begins with a file header: 01, sender, receiver, day."""
        return _HEADER.match(head) is not None

    def statements(self, name: str, source: BinaryIO) -> Iterator[Read]:
        """The lines of each account, and after them its statement. Raises `Unreadable` for a file that is not BAI2."""
        lines = _lines(source)
        try:
            yield from Reading(currency=self._currency, directions=self._directions).results(records(lines))
        finally:
            lines.close()

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        """One raw a line, and one a statement after its lines."""
        return statement_raws(self.statements(name, io.BytesIO(body)), name=name, file_digest=digest(body), parser=_PARSER)

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        """`statement.read` for a statement; for a line a receipt, a reversal, or the rule by which it is left out."""
        return normalised(raw, zone=self._zone)


def _lines(source: BinaryIO) -> Generator[tuple[int, str], None, None]:
    """Each line with its number, as UTF-8 where all of it is, else CP1252. Raises `Unreadable` for one without an end."""
    reader = io.TextIOWrapper(source, encoding=_encoding(source), errors="replace", newline=None)
    try:
        number = 0
        while line := reader.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE:
                raise Unreadable(
                    happened="the line is longer than any record",
                    next="check that the file is the bank's own, and not compressed or encrypted",
                    rule="line too long",
                    pointer=f"line {number}",
                )
            yield number, line.rstrip("\n").translate(_CONTROLS)
    finally:
        reader.detach()


def _encoding(source: BinaryIO) -> str:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        while chunk := source.read(2**20):
            decoder.decode(chunk)
    except UnicodeDecodeError:
        return "cp1252"
    finally:
        source.seek(0)
    return "utf-8-sig"
