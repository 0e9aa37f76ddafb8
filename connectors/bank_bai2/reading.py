"""A file from its first to its last record: groups, accounts, lines; every total and count compared with what was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

from hub.sdk import Movement, Read, Statement, Unread, Unreadable

from .movement import direction, movement
from .records import Record
from .values import Group, Line, Summary, Trailer, money, read_group, read_line, read_summary, read_trailer

_LEVELS = {"49": "03", "98": "02", "99": "01"}
_DELETION, _TEST = "2", "4"


class _Sum(msgspec.Struct, kw_only=True):
    """What a level holds so far: its control total, what is inside, and its records."""

    total: int = 0
    inside: int = 0
    records: int = 0


class _Account(msgspec.Struct, kw_only=True):
    summary: Summary
    currency: str
    line: int
    lines: int = 0
    unread: int = 0
    came: Decimal = Decimal(0)
    went: Decimal = Decimal(0)
    not_booked: dict[str, int] = {}


class Reading:
    """Follows the records of one file. `currency` is meant where neither account nor group names one."""

    def __init__(self, *, currency: str, directions: Mapping[str, str]) -> None:
        self._currency, self._directions = currency, directions
        self._file, self._group_sum, self._account_sum = _Sum(), _Sum(), _Sum()
        self._group: Group | None = None
        self._account: _Account | None = None
        self._ended = False
        self._last = 1

    def results(self, records: Iterable[Record]) -> Iterator[Read]:
        """Every line and statement. Raises `Unreadable` for a file that does not begin as BAI2, or a header that cannot be read."""
        begun = False
        for record in records:
            if not begun:
                _check_header(record)
            begun, self._last = True, record.line
            if record.code == "01" and self._ended:  # another file behind the first
                _check_header(record)
                self._file, self._ended = _Sum(), False
            for level in (self._file, self._group_sum, self._account_sum):
                level.records += record.physical
            if record.code != "01" or self._file.records > record.physical:
                yield from self._record(record)
        if not begun:
            raise Unreadable(happened="the file is empty", next="export the period again", rule="empty file")
        yield from self._missing(("03", "02", "01"))

    def _record(self, record: Record) -> Iterator[Read]:
        """One record behind the header. What cannot be read or has no place is parked, and what follows goes on."""
        try:
            match record.code:
                case "02":
                    yield from self._missing(("03", "02"))
                    self._group_sum = _Sum(records=record.physical)
                    self._group = read_group(record)
                case "03":
                    yield from self._missing(("03",))
                    self._begin(record)
                case "16" if self._group is not None and self._group.status == _TEST:
                    self._count_test(record)
                case "16":
                    yield self._line(record)
                case "49" | "98" | "99":
                    yield from self._trailer(record)
                case _:
                    raise _misplaced(record)
        except Unreadable as problem:
            yield self._note(problem, f"{record.code},{record.text}")

    def _begin(self, record: Record) -> None:
        if self._group is None:
            raise _misplaced(record)
        summary = read_summary(record)
        currency = summary.currency or self._group.currency or self._currency
        self._account = _Account(summary=summary, currency=currency, line=record.line)
        self._account_sum = _Sum(total=summary.total, records=record.physical)

    def _line(self, record: Record) -> Movement | Unread:
        account, group = self._account, self._group
        if account is None or group is None:
            raise _misplaced(record)
        account.lines += 1
        pointer = f"line {record.line}, 16"
        try:
            line = read_line(record)
            self._account_sum.total += line.amount or 0
            if record.last:
                raise _cut("the file ends in this line: nothing shows that it is whole", pointer)
            if group.status == _DELETION:
                raise _told("the group of this line takes back what was reported before", "deletion", pointer)
            return self._booked(line, account, group, pointer)
        except Unreadable as problem:
            account.unread += 1
            return Unread.because(problem, text="16," + record.text, pointer=pointer, account=account.summary.account)

    def _count_test(self, record: Record) -> None:
        """A line of a group that is a test counts and books nothing."""
        if self._account is None:
            raise _misplaced(record)
        self._account_sum.total += read_line(record).amount or 0
        self._account.not_booked["test"] = self._account.not_booked.get("test", 0) + 1

    def _booked(self, line: Line, account: _Account, group: Group, pointer: str) -> Movement:
        sign = direction(line.type, self._directions)
        found = movement(
            line, account=account.summary.account, currency=account.currency, day=group.day, sign=sign, pointer=pointer
        )
        if found.amount > 0:
            account.came += found.amount
        else:
            account.went -= found.amount
        return found

    # --- ends of accounts, groups and the file ----------------------------------------------------------------------

    def _trailer(self, record: Record) -> Iterator[Read]:
        level = _LEVELS[record.code]
        yield from self._missing({"03": (), "02": ("03",), "01": ("03", "02")}[level])
        if not self._is_open(level):
            raise _misplaced(record)
        counted = {"03": self._account_sum, "02": self._group_sum, "01": self._file}[level]
        try:
            yield from self._compared(read_trailer(record), counted, record)
        except Unreadable as problem:
            yield self._note(problem, f"{record.code},{record.text}")
        yield from self._close(level)

    def _compared(self, told: Trailer, counted: _Sum, record: Record) -> Iterator[Unread]:
        text, pointer = f"{record.code},{record.text}", f"line {record.line}, {record.code}"
        what = {"49": "", "98": "accounts", "99": "groups"}[record.code]
        for name, rule, says, is_ in (
            ("control total", "control total", told.total, counted.total),
            (f"number of {what}", "control count", told.inside, counted.inside if told.inside is not None else None),
            ("number of records", "record count", told.records, counted.records),
        ):
            if says != is_:
                happened = f"the {name} is told as {says}, and the file has {is_}: records are missing, or were changed"
                yield self._note(_told(happened, rule, pointer), text)
        counted.total = told.total if record.code != "99" else counted.total

    def _close(self, level: str) -> Iterator[Read]:
        """An account, a group or the file is over: its total counts into the next level."""
        if level == "03" and self._account is not None:
            yield self._statement(self._account)
            self._group_sum.total += self._account_sum.total
            self._group_sum.inside += 1
            self._account = None
        elif level == "02":
            self._file.total += self._group_sum.total
            self._file.inside += 1
            self._group = None
        elif level == "01":
            self._ended = True

    def _missing(self, levels: Iterable[str]) -> Iterator[Read]:
        """What is still open and should be closed has lost its trailer: it is told, and closed."""
        for level in levels:
            if self._is_open(level):
                trailer = {"03": "account trailer (49)", "02": "group trailer (98)", "01": "file trailer (99)"}[level]
                problem = _cut(f"the {trailer} is missing: records may be missing before it", f"line {self._last}")
                yield self._note(problem, f"no {trailer} behind line {self._last}")
                yield from self._close(level)

    def _is_open(self, level: str) -> bool:
        return {"03": self._account is not None, "02": self._group is not None, "01": not self._ended}[level]

    def _note(self, problem: Unreadable, text: str) -> Unread:
        account = self._account
        if account is not None:
            account.unread += 1
        return Unread.because(problem, text=text, pointer=problem.pointer, account=account.summary.account if account else "")

    def _statement(self, account: _Account) -> Statement:
        assert self._group is not None
        amounts = {code: money(minor, account.currency) for code, minor in account.summary.amounts.items()}
        opening, closing = amounts.get("010"), amounts.get("015")
        if opening is None and closing is None:  # no ledger balances: the available ones
            opening, closing = amounts.get("040"), amounts.get("045")
        books = self._group.status not in (_DELETION, _TEST)
        balanced = None
        if books and opening is not None and closing is not None:
            balanced = opening + account.came - account.went == closing
        return Statement(
            format="BAI2",
            account=account.summary.account,
            currency=account.currency,
            opening=opening,
            closing=closing,
            from_day=self._group.day,
            to_day=self._group.day,
            lines=account.lines,
            unread=account.unread,
            credits=account.came,
            debits=account.went,
            balanced=balanced,
            not_booked=account.not_booked,
        )


def _cut(happened: str, pointer: str) -> Unreadable:
    return _told(happened, "cut off", pointer)


def _told(happened: str, rule: str, pointer: str) -> Unreadable:
    return Unreadable(
        happened=happened,
        next="download the file again and upload it; lines that were read are known by then",
        rule=rule,
        pointer=pointer,
    )


def _misplaced(record: Record) -> Unreadable:
    return _told(
        f"a record {record.code} has no place here: what it belongs to is missing", "record order", f"line {record.line}"
    )


def _check_header(record: Record) -> None:
    """Raises `Unreadable` for a file that is not BAI2."""
    happened, rule = "", ""
    if record.code != "01":
        happened, rule = "the file does not begin with a file header (01)", "file header"
    elif record.text.count(",") == 7 and record.text.rpartition(",")[2].strip() not in ("", "2"):
        happened, rule = "the file is of another version than BAI2", "version"
    if happened:
        raise Unreadable(
            happened=happened,
            next="choose BAI2 (BAI version 2) when exporting, and upload the file unchanged",
            rule=rule,
            pointer=f"line {record.line}",
        )
