"""From a file's bytes to rows of text: CSV, XLS, XLSX and their kin. The bytes decide what it is, never the name."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from typing import BinaryIO

import msgspec
import python_calamine

from hub.archives import MAX_UNPACKED, is_archive
from hub.core.errors import Unreadable

_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_ZIP = b"PK\x03\x04"
_BYTE_ORDERS = (b"\xff\xfe", b"\xfe\xff")
_LOST_DIGITS = re.compile(r"\d(?:\.\d+)?[eE]\+?(?P<exponent>\d{2})")
_PART = _HEAD = 2**16
MAX_BYTES = 100 * 2**20
MAX_ROWS = 1_000_000
MAX_COLUMNS = 512


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row and the line it stands on in the file (or sheet)."""

    line: int
    cells: tuple[str, ...]


def is_spreadsheet(head: bytes) -> bool:
    return head.startswith(_OLE) or (head.startswith(_ZIP) and not is_archive(head))


def recognised_by(source: BinaryIO) -> bytes:
    """What a connector recognises a file by: its first bytes, or a spreadsheet whole, since no part of one can be read."""
    source.seek(0)
    head = source.read(_HEAD)
    return head + source.read(MAX_BYTES) if is_spreadsheet(head) else head


def decode_text(body: bytes) -> str:
    """The text: strict UTF-8 (with or without BOM), else UTF-16, else GB18030, of which GBK and GB2312 are parts. Raises `Unreadable`."""
    for encoding in _encodings(body):
        with suppress(UnicodeDecodeError):
            return body.decode(encoding)
    raise _no_encoding()


def _encodings(body: bytes) -> list[str]:
    order = ["utf-8-sig", "gb18030"]
    if _is_utf_16(body):
        # Only UTF-16 has zero bytes; in the first of each pair they are the high ones of plain characters.
        start = body[:4096]
        order = ["utf-16-be" if start[::2].count(0) > start[1::2].count(0) else "utf-16-le"]
        order = ["utf-16"] if body.startswith(_BYTE_ORDERS) else order
    return order


def _no_encoding() -> Unreadable:
    return Unreadable(
        happened="the text is neither UTF-8, UTF-16 nor GB18030",
        next="export the file again and do not open it in another program first",
        rule="encoding",
    )


def text_encoding(source: BinaryIO) -> str:
    """The encoding of a whole file, tried as `decode_text` does and held in small parts. Raises `Unreadable`."""
    source.seek(0)
    for encoding in _encodings(source.read(4096)):
        with suppress(UnicodeDecodeError):
            source.seek(0)
            decoder = codecs.getincrementaldecoder(encoding)()
            while part := source.read(_PART):
                decoder.decode(part)
            decoder.decode(b"", final=True)
            return encoding
    raise _no_encoding()


def head_text(head: bytes) -> str:
    """The text of a file's first bytes, without a last line that may be cut in the middle of a character. Raises `Unreadable`."""
    check_table(head)
    cut = head.rfind(b"\n")
    whole = head[:cut] if cut > 0 else head
    return decode_text(whole[: len(whole) // 2 * 2] if _is_utf_16(head) else whole)


def _is_utf_16(body: bytes) -> bool:
    return body.startswith(_BYTE_ORDERS) or b"\x00" in body[:4096]


def text_rows(text: str, delimiter: str) -> Iterator[Row]:
    """The rows of delimited text. Raises `Unreadable` where quotes swallow the rest of the file."""
    return _rows(io.StringIO(text.replace("\x00", ""), newline=""), delimiter)


def stream_rows(source: BinaryIO, encoding: str, delimiter: str, *, quoted: bool = True) -> Iterator[Row]:
    """The rows of a delimited file from its beginning on, one at a time. `source` stays open. Raises as `text_rows` does.

    Where a file is not `quoted`, a quotation mark is a character like any other.
    """
    source.seek(0)
    text = io.TextIOWrapper(source, encoding=encoding, newline="")
    try:
        yield from _rows((line.replace("\x00", "") for line in text), delimiter, quoted=quoted)
    except UnicodeDecodeError as error:
        raise _no_encoding() from error
    finally:
        with suppress(ValueError):  # the file was closed before
            text.detach()


def _rows(lines: Iterable[str], delimiter: str, *, quoted: bool = True) -> Iterator[Row]:
    line = 1
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
    try:
        for number, cells in enumerate(reader):
            if number >= MAX_ROWS or len(cells) > MAX_COLUMNS:
                raise _too_large(f"line {line}")
            if reader.line_num - line > 5 and any(cell.count("\n") > 5 for cell in cells):
                raise Unreadable(
                    happened="a quote is opened and not closed",
                    next="export the file again",
                    rule="unclosed quote",
                    pointer=f"line {line}",
                )
            yield Row(line=line, cells=tuple(cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(
            happened=f"the text is not a table: {error}",
            next="export the file again",
            rule="table",
            pointer=f"line {line}",
        ) from error


def sheets(body: bytes) -> Iterator[tuple[str, tuple[Row, ...]]]:
    """The sheets of an XLS, XLSX or other spreadsheet, each as its name and rows. Raises `Unreadable`."""
    _check_container(body)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(body))
        names = book.sheet_names
        for name in names:
            sheet = book.get_sheet_by_name(name)
            if sheet.total_height > MAX_ROWS or sheet.total_width > MAX_COLUMNS:
                raise _too_large(f"sheet {name}")
            rows = sheet.to_python(skip_empty_area=False)
            yield name, tuple(Row(line=number, cells=tuple(map(cell_text, row))) for number, row in enumerate(rows, 1))
    except python_calamine.PasswordError as error:
        raise _locked() from error
    except Unreadable:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # the reader's own panics are not Exceptions
        raise Unreadable(
            happened="the spreadsheet is damaged",
            next="export the file again",
            rule="spreadsheet",
        ) from error


def _check_container(body: bytes) -> None:
    """Refuse what is locked, and what would unpack to more than anyone exports."""
    # An encrypted workbook is an OLE container whose directory names this stream, in UTF-16.
    if body.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in body:
        raise _locked()
    if body.startswith(_ZIP):
        try:
            members = zipfile.ZipFile(io.BytesIO(body)).infolist()
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            raise Unreadable(
                happened="the spreadsheet is cut off or damaged", next="export the file again", rule="spreadsheet"
            ) from error
        if sum(member.file_size for member in members) > MAX_UNPACKED:
            raise _too_large("spreadsheet")


def check_table(body: bytes) -> None:
    """Refuse by the first bytes what is no table at all. Raises `Unreadable`."""
    if len(body) > MAX_BYTES:
        raise _too_large("file")
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise Unreadable(happened="the file is empty", next="export the period again", rule="empty file")
    if start.startswith(b"<"):
        raise Unreadable(
            happened="the file is a web page or XML, whatever its name ends in",
            next="choose CSV or Excel when exporting, or open the page and save it as CSV",
            rule="html",
            pointer="line 1",
        )
    if start.startswith(b"%PDF"):
        raise Unreadable(happened="the file is a PDF", next="choose CSV or Excel when exporting", rule="pdf")


def check_source(source: BinaryIO) -> bytes:
    """The first bytes of a file that may be a table, from the beginning; refuses as `check_table` does."""
    if source.seek(0, io.SEEK_END) > MAX_BYTES:
        raise _too_large("file")
    source.seek(0)
    head = source.read(4096)
    check_table(head)
    return head


def _locked() -> Unreadable:
    return Unreadable(
        happened="the spreadsheet is locked with a password", next="remove the password and upload it again", rule="password"
    )


def _too_large(pointer: str) -> Unreadable:
    return Unreadable(
        happened="the file is larger than a table of this kind is", next="export a part of it", rule="too large", pointer=pointer
    )


# --- cells -------------------------------------------------------------------------------------------------------


def lost_digits(text: str) -> bool:
    """True for a long number that a spreadsheet program has saved as `6.22E+18`: its digits are gone."""
    match = _LOST_DIGITS.fullmatch(text)
    return match is not None and int(match["exponent"]) >= 10


def cell_text(value: object) -> str:
    """A spreadsheet's cell as text. A number is written out exactly as it was stored, never in scientific notation."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime():
            # A day without a time is stored as midnight.
            written = value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ", timespec="seconds")
        case date() | time():
            written = value.isoformat()
        case _ if type(value).__name__ == "float":
            written = _number(Decimal(repr(value)))
        case _:
            written = str(value)
    return written


def _number(stored: Decimal) -> str:
    whole = stored.is_finite() and stored == stored.to_integral_value()
    # Above 2^53 a stored number has lost its last digits; it is written so that `lost_digits` sees it.
    if whole and abs(stored) >= 2**53:
        return f"{stored:.5E}"
    return f"{stored:.0f}" if whole else f"{stored:f}"
