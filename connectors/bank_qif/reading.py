"""From QIF's records to movements and statements: one statement for each section of an account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import msgspec

from hub.sdk import Movement, Read, Statement, Unread, Unreadable

from .records import BOOKED, Record, Section
from .values import Writing, amount, day, writing

# Quicken books what was on the account before as its first line, under this name.
_OPENINGS = frozenset(("opening balance", "期初余额"))


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """What QIF does not tell and a connection's settings do."""

    account: str = ""
    currency: str = "CNY"
    dates: str = ""
    decimals: str = ""


def statements(sections: list[Section], silent: Silent) -> Iterator[Read]:
    """The lines of each account, then its statement. Raises `Unreadable` where the file's days can be read in two ways."""
    booked = [section for section in sections if section.kind.lower() in BOOKED]
    records = [record for section in booked for record in section.records]
    how = writing(
        [text for record in records for text in record.fields.get("D", ()) if text],
        [text for record in records for letter in "TU" for text in record.fields.get(letter, ())],
        order=silent.dates,
        mark=silent.decimals,
    )
    for section in booked:
        yield from _Account(section, silent, how).read()


class _Account:
    """One section while it is read."""

    def __init__(self, section: Section, silent: Silent, how: Writing) -> None:
        self._section = section
        self._how = how
        self._currency = silent.currency
        self._account = _named(section) or silent.account
        self._opening: Decimal | None = None
        self._lines: list[Movement] = []
        self._unread = 0

    def read(self) -> Iterator[Read]:
        for number, record in enumerate(self._section.records, 1):
            try:
                line = self._line(record, number)
            except Unreadable as problem:
                self._unread += 1
                text = "; ".join(f"{letter}{value}" for letter, values in record.fields.items() for value in values)
                pointer = f"line {record.line}, record {number}"
                yield Unread.because(problem, text=text, pointer=pointer, account=self._account)
                continue
            if number == 1 and line.party_name.lower() in _OPENINGS:
                self._opening = line.amount
                continue
            self._lines.append(line)
            yield line
        yield self._statement()

    def _line(self, record: Record, number: int) -> Movement:
        booked_on = day(record.text("D"), self._how.order)
        value = self._amount(record)
        check = record.text("N")
        texts = (record.text("M"), *(split.memo for split in record.splits))
        return Movement(
            booked_on=booked_on,
            amount=value,
            currency=self._currency,
            account=self._account,
            party_name=record.text("P"),
            memo="; ".join(dict.fromkeys(text for text in texts if text)),
            # N is the number of a cheque, or a word for the way of paying.
            reference=check if any(character.isdecimal() for character in check) else "",
            code=record.text("L"),
            pointer=f"line {record.line}, record {number}",
        )

    def _amount(self, record: Record) -> Decimal:
        """T, which U repeats, and which the splits add up to. Raises `Unreadable`."""
        read = [self._money(text, letter) for letter in "TU" if (text := record.text(letter))]
        if not read:
            raise Unreadable(happened="T is missing: no amount is told", next="correct it in a copy", rule="amount", pointer="T")
        if len(set(read)) > 1:
            raise Unreadable(
                happened="T and U are two amounts", next="ask the program's maker which is meant", rule="two amounts", pointer="U"
            )
        if record.splits:
            parts = sum((self._money(split.amount or "", "$") for split in record.splits), Decimal(0))
            if parts != read[0]:
                raise Unreadable(
                    happened=f"the splits add up to {parts} and the record is {read[0]}",
                    next="export the file again; if it stays, correct the splits where they were entered",
                    rule="splits",
                    pointer="$",
                )
        return read[0]

    def _money(self, text: str, field: str) -> Decimal:
        return amount(text, self._how.mark, currency=self._currency, field=field)

    def _statement(self) -> Statement:
        days = [line.booked_on for line in self._lines]
        credits_ = sum((line.amount for line in self._lines if line.amount > 0), Decimal(0))
        debits = sum((-line.amount for line in self._lines if line.amount < 0), Decimal(0))
        closing = self._closing(max(days, default=None))
        told = self._opening is not None and closing is not None
        return Statement(
            format="qif",
            account=self._account,
            currency=self._currency,
            opening=self._opening,
            closing=closing,
            from_day=min(days, default=None),
            to_day=max(days, default=None),
            lines=len(self._lines) + self._unread,
            unread=self._unread,
            credits=credits_,
            debits=debits,
            balanced=self._opening + credits_ - debits == closing if told and self._opening is not None else None,
        )

    def _closing(self, last: date | None) -> Decimal | None:
        """The balance that `!Account` tells, where its day says that all lines are in it."""
        record = self._section.account
        if record is None or last is None:
            return None
        try:
            as_of, balance = record.text("/"), record.text("$")
            return self._money(balance, "$") if as_of and balance and day(as_of, self._how.order) >= last else None
        except Unreadable:
            return None  # a balance that cannot be read is a balance that is not told


def _named(section: Section) -> str:
    """The account's name: from `!Account`, else from the first line of Quicken, whose category is the account itself."""
    if section.account is not None and (name := section.account.fields.get("N")):
        return name[0]
    first = section.records[0].fields if section.records else {}
    is_opening = any(payee.lower() in _OPENINGS for payee in first.get("P", ()))
    category = (first.get("L") or [""])[0]
    return category[1:-1] if is_opening and category.startswith("[") and category.endswith("]") else ""
