"""QIF's lines as sections and records: `!Type:Bank` begins a section, `^` ends a record, the first letter of a line names its field."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

import msgspec

from hub.sdk import Unreadable

MAX_BYTES = 100 * 2**20
BOOKED = frozenset(("bank", "ccard", "cash", "oth a", "oth l"))
_HEADER = re.compile(rb"\s*!(?:type:|account\b|option:|clear:)", re.IGNORECASE)
_ENDS = re.compile("\r\n|\n|\r")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Split(msgspec.Struct, kw_only=True):
    """One part of a record: its category, its text and its amount, as written."""

    category: str
    memo: str = ""
    amount: str | None = None


class Record(msgspec.Struct, kw_only=True):
    """The lines up to a `^`: fields by their letter, several of one letter in their order, and splits apart."""

    line: int
    fields: dict[str, list[str]] = {}
    splits: list[Split] = []
    ended: bool = False

    def text(self, letter: str) -> str:
        """The field's text, empty where there is none. Raises `Unreadable` where it is said twice and differently."""
        said = list(dict.fromkeys(value for value in self.fields.get(letter, ()) if value))
        if len(said) > 1:
            raise Unreadable(
                happened=f"{letter} is said {len(said)} times in one record",
                next="look whether a ^ is missing between two records, and put it in in a copy",
                rule="said twice",
                pointer=letter,
            )
        return said[0] if said else ""


class Section(msgspec.Struct, kw_only=True):
    """What stands under one header. `account` and `balance` are those of the `!Account` block before it."""

    kind: str
    line: int
    account: Record | None = None
    records: list[Record] = []


def is_qif(head: bytes) -> bool:
    """Whether a file that begins like this is QIF."""
    return _HEADER.match(head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")) is not None


def decoded(body: bytes, encoding: str) -> str:
    """The file's text: by its mark, by the setting, else UTF-8. Raises `Unreadable`.

    QIF does not say in which character set it is, and the old ones are told apart by no rule: what is not UTF-8 is asked for.
    """
    if len(body) > MAX_BYTES:
        raise Unreadable(
            happened="the file is larger than any register", next="export a shorter period", rule="too large", bytes=len(body)
        )
    if not is_qif(body[:4096]):
        raise Unreadable(
            happened="the file does not begin as QIF does, with !Type or !Account",
            next="send the file as it was exported",
            rule="not QIF",
            pointer="line 1",
        )
    marked = next((name for mark, name in _MARKS if body.startswith(mark)), None)
    try:
        return body.decode(marked or encoding or "utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(
            happened=f"the text is not in {marked or encoding or 'UTF-8'}, and QIF does not say what it is in",
            next="set the connection's setting `encoding`: gb18030 for Chinese, cp1252 for Western programs",
            rule="encoding",
            pointer=f"byte {error.start}",
        ) from error


def sections(text: str) -> list[Section]:
    """The sections in the order of the file. Raises `Unreadable` where it ends within a record."""
    found: list[Section] = []
    account: Record | None = None
    for header, line, records in _blocks(text):
        if records and not records[-1].ended:
            last = records[-1]
            raise Unreadable(
                happened="a record has no ^ at its end: a part of it may be missing",
                next="export the file again",
                rule="cut off",
                pointer=f"line {last.line}",
            )
        name = header.lower()
        if name == "account":
            account = records[-1] if records else account
        elif name.startswith("clear:"):
            account = None  # what came was a list of all accounts, and not the one that follows
        elif name.startswith("type:"):
            kind = header.partition(":")[2].strip()
            found.append(Section(kind=kind, line=line, account=account, records=records))
    return found


def _blocks(text: str) -> Iterator[tuple[str, int, list[Record]]]:
    """Each header with the records under it."""
    header, begun, records = "", 1, list[Record]()
    for line, written in enumerate(_ENDS.split(text), 1):
        said = written.strip()
        if said.startswith("!"):
            yield header, begun, records
            header, begun, records = said[1:].strip(), line, []
        elif said:
            if not records or records[-1].ended:
                records.append(Record(line=line, fields={}, splits=[]))
            _add(records[-1], said)
    yield header, begun, records


def _add(record: Record, said: str) -> None:
    letter, value = said[0].upper(), said[1:].strip()
    match letter:
        case "^":
            record.ended = True
        case "S":
            record.splits.append(Split(category=value))
        case "E" | "$" | "%" if record.splits:
            split = record.splits[-1]
            split.memo = value if letter == "E" else split.memo
            split.amount = value if letter == "$" else split.amount
        case _:
            record.fields.setdefault(letter, []).append(value)
