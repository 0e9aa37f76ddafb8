"""Bills of wallets: a table that is found by its column names, with notes above it and totals below, and what its rows mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, time
from decimal import Decimal
from itertools import islice
from typing import BinaryIO

import msgspec

from hub import cells as read
from hub.archives import beginnings, is_archive, members
from hub.core.errors import Unreadable
from hub.core.event import Event, Ignored, Raw, event
from hub.core.ids import derive
from hub.core.vocabulary import Payout
from hub.statements import Movement, Unread, normalised
from hub.statements.facts import booked_at
from hub.tables import Row, check_source, head_text, is_spreadsheet, sheets, stream_rows, text_encoding, text_rows

HEADER_WITHIN = 40
PAYOUT = "payout"
_DELIMITERS = (",", "\t")
_UNIT = re.compile(r"\([+-]?元\)$")
_BACKTICK = "`"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of bill, known by columns that it needs."""

    name: str
    needs: tuple[str, ...]


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """A bill that was found: where its columns are, what stands above them, and the rows below, which can be read once."""

    kind: Kind
    columns: Mapping[str, int]
    above: tuple[Row, ...]
    below: Iterator[Row]

    def cells(self, row: Row) -> Cells:
        return Cells(row, self.columns)


class Cells:
    """One row's cells by the names of their columns, which are said without their unit. Refusals name the line and the column."""

    def __init__(self, row: Row, columns: Mapping[str, int]) -> None:
        self.pointer = f"line {row.line}"
        self._cells = tuple(map(read.tidy, _whole(row.cells)))
        self._columns = columns
        width = max(columns.values()) + 1
        if any(self._cells[width:]):
            raise self.refuse("the row has more cells than the header has names", "extra cells", self._cells[width])

    def text(self, *names: str) -> str:
        """What stands under the first of these names that has something; wallets write `/` and `-` for nothing."""
        for name in names:
            place = self._columns.get(name, -1)
            written = self._cells[place] if 0 <= place < len(self._cells) else ""
            if not read.is_empty(written):
                return written
        return ""

    def number(self, *names: str) -> str:
        """A number that names something; zeros name nothing. Raises `Unreadable` where a spreadsheet program has shortened it."""
        written = self.text(*names)
        if re.fullmatch(r"\d(?:\.\d+)?[eE]\+?\d{2}", written):
            raise self.refuse("a long number was shortened by a spreadsheet program; its digits are gone", "lost digits", written)
        return written if written.strip("0") else ""

    def amount(self, *names: str, places: int = 2) -> Decimal | None:
        written = self.text(*names)
        try:
            return read.amount(written, places=places)
        except read.BadCell as bad:
            raise self.refuse(f"the cell is not {bad}", "amount", written, column=names[0]) from bad

    def when(self, *names: str) -> tuple[date, time | None]:
        written = self.text(*names)
        try:
            day, rest = read.day(written)
            return day, read.clock_time(rest)
        except read.BadCell as bad:
            raise self.refuse(f"the cell is not {bad}", "day", written, column=names[0]) from bad

    def currency(self, name: str, default: str) -> str:
        try:
            return read.currency(self.text(name)) or default
        except read.BadCell as bad:
            raise self.refuse(f"the cell is not {bad}", "currency", self.text(name), column=name) from bad

    def refuse(self, happened: str, rule: str, value: str, *, column: str = "") -> Unreadable:
        pointer = f"{self.pointer}, {column}" if column else self.pointer
        again = "download the bill again, and upload it without opening it in between"
        return Unreadable(happened=happened, next=again, rule=rule, pointer=pointer, value=value[:80])


def _whole(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Cells that begin with a backtick, put together again where a comma in one of them has parted it."""
    if not cells or not cells[0].startswith(_BACKTICK):
        return cells
    whole: list[str] = []
    for cell in cells:
        if cell.startswith(_BACKTICK):
            whole.append(cell)
        else:
            whole[-1] += f",{cell}"
    return tuple(whole)


# --- finding -----------------------------------------------------------------------------------------------------


def named(cells: Sequence[str]) -> dict[str, int]:
    """Where each column is, by its name without blanks and unit, as it is compared."""
    names = (_UNIT.sub("", read.header_name(cell)) for cell in cells)
    return {name: place for place, name in reversed(list(enumerate(names))) if name}


def shows_bill(head: bytes, kinds: Sequence[Kind]) -> bool:
    """Whether a bill of one of these kinds can be seen in a file's first bytes, packed or not. A large workbook shows nothing."""
    if is_archive(head):
        return any(shows_bill(inner, kinds) for inner in beginnings(head) if inner and not is_archive(inner))
    with suppress(Unreadable):
        if is_spreadsheet(head):
            return any(_header(rows[:HEADER_WITHIN], kinds) for _, rows in sheets(head))
        text = head_text(head)
        return any(_header(tuple(islice(text_rows(text, one), HEADER_WITHIN)), kinds) for one in _DELIMITERS)
    return False


def bills(name: str, source: BinaryIO, kinds: Sequence[Kind]) -> Iterator[Bill]:
    """The bills in a file or archive, which is left where it holds something else too. Raises `Unreadable` where there is none."""
    source.seek(0)
    found = False
    if is_archive(source.read(1024)):
        for member in members(name, source):
            if member.problem is not None:
                raise member.problem
            for bill in _of(member.source, kinds):
                found = True
                yield bill
    else:
        for bill in _of(source, kinds):
            found = True
            yield bill
    if not found:
        raise Unreadable(
            happened="none of the first 40 rows has the column names of a known bill",
            next="download the bill from the wallet's merchant platform or app, and upload it unchanged",
            rule="no bill",
        )


def _of(source: BinaryIO, kinds: Sequence[Kind]) -> Iterator[Bill]:
    if is_spreadsheet(check_source(source)):
        source.seek(0)
        for _, rows in sheets(source.read()):
            if found := _header(rows[:HEADER_WITHIN], kinds):
                kind, index = found
                columns = named(rows[index].cells)
                yield Bill(kind=kind, columns=columns, above=rows[:index], below=islice(rows, index + 1, None))
        return
    encoding = text_encoding(source)
    for delimiter in _DELIMITERS:
        head = tuple(islice(stream_rows(source, encoding, delimiter, quoted=False), HEADER_WITHIN))
        if found := _header(head, kinds):
            kind, index = found
            # Values with a backtick in front are not quoted: a quotation mark is part of the goods' name.
            plain = any(cell.startswith(_BACKTICK) for row in head[index + 1 : index + 2] for cell in row.cells)
            below = islice(stream_rows(source, encoding, delimiter, quoted=not plain), index + 1, None)
            yield Bill(kind=kind, columns=named(head[index].cells), above=head[:index], below=below)
            return


def _header(rows: Sequence[Row], kinds: Sequence[Kind]) -> tuple[Kind, int] | None:
    for index, row in enumerate(rows):
        names = named(row.cells)
        for kind in kinds:
            if all(need in names for need in kind.needs):
                return kind, index
    return None


def disagreement(told: Mapping[str, Decimal], found: Mapping[str, Decimal], *, pointer: str, account: str) -> Unread | None:
    """What a bill's own totals say otherwise than its rows, as a line that a person looks at; `None` where they agree."""
    wrong = [f"{name} {told[name]} ≠ {found[name]}" for name in told if name in found and told[name] != found[name]]
    if not wrong:
        return None
    problem = Unreadable(
        happened="the bill's totals are not those of its rows: " + ", ".join(wrong),
        next="rows are missing or were changed: download the bill again",
        rule="totals",
        pointer=pointer,
    )
    return Unread.because(problem, text=", ".join(wrong), pointer=pointer, account=account)


# --- meaning -----------------------------------------------------------------------------------------------------


def meant(raw: Raw, *, zone: str, receipts_from: str) -> Iterator[Event | Ignored]:
    """The facts of a bill's raw. `receipts_from` is the kind of bill that tells of orders' money, where two kinds tell the same.

    The kinds of a merchant's bills are `trade` and `funds`, a person's is `personal`. What left for a bank account is `payout.sent`;
    everything else means what it means on a bank's statement.
    """
    line: Movement | None = None
    if raw.stream == "row":
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            line = msgspec.json.decode(raw.body, type=Movement)
    if line is not None and line.code == PAYOUT and line.amount < 0:
        yield _payout(raw, line, zone)
    elif line is not None and _is_told_elsewhere(line, raw.headers.get("message", ""), receipts_from):
        yield Ignored(rule=f"told by the {receipts_from} bill")
    else:
        yield from normalised(raw, zone=zone)


def _is_told_elsewhere(line: Movement, kind: str, receipts_from: str) -> bool:
    """Trades are in both bills of a merchant; of the fund flow those are that name an order."""
    return kind not in ("personal", receipts_from) and (kind == "trade" or bool(line.reference))


def _payout(raw: Raw, line: Movement, zone: str) -> Event:
    payout = derive("payout", raw.connection, raw.key)
    data = Payout(
        payout=payout,
        account=line.account or None,
        sent_on=line.booked_on,
        amount=-line.amount - line.charges,
        charges=line.charges or None,
        currency=line.currency,
        to_name=line.party_name or None,
        to_account=line.party_account or None,
        memo=line.memo,
        reference=line.reference or None,
        bank_reference=line.bank_reference or None,
        file=raw.headers.get("file"),
    )
    when = booked_at(line, zone)
    return event(raw, "payout.sent", subject=payout, key=f"account:{line.account}", occurred_at=when, data=data)
