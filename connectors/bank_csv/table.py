"""From a file to its tables: which have a header row that is known, and their rows one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

import msgspec

from hub.sdk import Row, check_source, head_text, is_spreadsheet, sheets, stream_rows, text_encoding, text_rows

from .profiles import HEADER_WITHIN, Header, Profile, find_header

DELIMITERS = (",", "\t", ";", "|")


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table whose header row was found: what stands above it, and the rows below, which can be read once."""

    header: Header
    above: tuple[Row, ...]
    below: Iterator[Row]


def tables(source: BinaryIO, among: Sequence[Profile]) -> Iterator[Table]:
    """The tables with a known header row, one for each sheet. Raises `Unreadable` for what is no table."""
    if is_spreadsheet(check_source(source)):
        source.seek(0)
        for _, rows in sheets(source.read()):
            if header := find_header([row.cells for row in rows], among):
                below = islice(rows, header.index + 1, None)
                yield Table(header=header, above=rows[: header.index], below=below)
        return
    encoding = text_encoding(source)
    for delimiter in DELIMITERS:
        head = tuple(islice(stream_rows(source, encoding, delimiter), HEADER_WITHIN))
        if header := find_header([row.cells for row in head], among):
            below = islice(stream_rows(source, encoding, delimiter), header.index + 1, None)
            yield Table(header=header, above=head[: header.index], below=below)
            return


def heads(source: BinaryIO, count: int) -> Iterator[tuple[Row, ...]]:
    """The first rows of every sheet, or of a text once for each delimiter: what there is to guess from."""
    if is_spreadsheet(check_source(source)):
        source.seek(0)
        yield from (rows[:count] for _, rows in sheets(source.read()))
        return
    encoding = text_encoding(source)
    for delimiter in DELIMITERS:
        yield tuple(islice(stream_rows(source, encoding, delimiter), count))


def known_at_the_beginning(head: bytes, among: Sequence[Profile]) -> bool:
    """Whether a known header row stands in the first bytes. Raises `Unreadable`, for a spreadsheet of which they are a part as well."""
    if is_spreadsheet(head):
        return any(find_header([row.cells for row in rows], among) for _, rows in sheets(head))
    text = head_text(head)
    tried = (islice(text_rows(text, delimiter), HEADER_WITHIN) for delimiter in DELIMITERS)
    return any(find_header([row.cells for row in rows], among) for rows in tried)
