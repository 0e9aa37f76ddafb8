"""From bytes to lines of text. SWIFT knows ASCII only; what banks write beyond it is told by the bytes themselves."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Generator
from typing import BinaryIO

from hub.sdk import Unreadable

LONGEST_LINE = 65_536
_HIGH = re.compile(rb"[\x80-\xff]+")
# Umlauts and sharp s of the code page that DOS programs and the MultiCash family still write.
_DOS = re.compile(rb"[\x81\x84\x94\xe1](?=[A-Za-z])|[\x8e\x99\x9a](?=[A-Za-z])")
_CONTROLS = dict.fromkeys([*range(9), *range(10, 32), 0xFEFF])


def encoding_of(source: BinaryIO) -> str:
    """UTF-8 or UTF-16 where the bytes are that, else GB18030, CP1251, CP850 or CP1252 by what their high bytes look like.

    Reads the source to its end and goes back to its beginning. Polish and Czech code pages look like CP1252: a setting tells.
    """
    start = source.read(4096)
    source.seek(0)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    evidence = _Evidence()
    while chunk := source.read(2**20):
        evidence.add(chunk)
    source.seek(0)
    return evidence.encoding()


class _Evidence:
    """What the bytes seen so far speak for."""

    def __init__(self) -> None:
        self._utf_8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8-sig")()
        self._gb: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("gb18030")()
        self._high = self._paired = self._cyrillic = self._dos = 0

    def add(self, chunk: bytes) -> None:
        self._utf_8 = _still(self._utf_8, chunk)
        if self._utf_8 is not None or chunk.isascii():
            return
        self._gb = _still(self._gb, chunk)
        self._dos += len(_DOS.findall(chunk))
        for run in _HIGH.findall(chunk):
            self._high += len(run)
            # Chinese in daily use is two high bytes, the first of them from the lower half (GB2312, signs and level 1);
            # a letter of a Latin code page mostly stands alone, and Cyrillic words are as often odd as even.
            if len(run) % 2 == 0 and min(run) > 0xA0:
                self._paired += 2 * sum(lead < 0xD8 for lead in run[::2])
            # Cyrillic words are runs from the upper quarter.
            self._cyrillic += len(run) if len(run) > 1 and min(run) > 0xBF else 0

    def encoding(self) -> str:
        if self._utf_8 is not None:
            return "utf-8-sig"
        if self._gb is not None and self._paired * 10 > self._high * 7:
            return "gb18030"
        if self._cyrillic * 3 > self._high * 2:
            return "cp1251"
        return "cp850" if self._dos * 2 > self._high else "cp1252"


def _still(decoder: codecs.IncrementalDecoder | None, chunk: bytes) -> codecs.IncrementalDecoder | None:
    """The decoder while all bytes were its own; a character that the end cuts is no fault."""
    if decoder is not None:
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            return None
    return decoder


def text_lines(source: BinaryIO, encoding: str) -> Generator[tuple[int, str], None, None]:
    """Each line with its number from 1, without control characters. Raises `Unreadable` for a line that no statement has."""
    reader = io.TextIOWrapper(source, encoding=encoding, errors="replace", newline=None)
    try:
        number = 0
        while line := reader.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise Unreadable(
                    happened="the line is longer than any line of a statement",
                    next="check that the file is the bank's own, and not compressed or encrypted",
                    rule="line too long",
                    pointer=f"line {number}",
                )
            text = line.rstrip("\n")
            yield number, text if text.isprintable() else text.translate(_CONTROLS)
    finally:
        reader.detach()
