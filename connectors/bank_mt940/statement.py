"""From fields to statements: lines as they come, pages that belong together, balances and counts that are checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from hub.sdk import Movement, Spool, Statement, Unread, Unreadable

from .envelope import Begin, Field
from .fields import Balance, Line, Total, account_of, read_balance, read_line, read_total
from .movement import Place, movement, text_of

FORMAT = "MT940"
# Nobody books a line days after the statement that it stands on is closed; weekends and time zones are not meant.
_LATEST = timedelta(days=10)
_PAGE = re.compile(r"/(\d{1,9})$")


class Page:
    """The statement that is being read: one message, or several pages of one account."""

    def __init__(self, begin: Begin, *, account: str, currency: str) -> None:
        self.line, self.interim, self._enveloped = begin.line, begin.interim, begin.enveloped
        self.account, self.currency = account, currency
        self.reference = self.number = self._last_number = ""
        self.opening: Balance | None = None
        self.closing: Balance | None = None
        self.opens_as = self.closes_as = ""
        self.told: dict[str, Total] = {}
        self.counted = {"C": Total(count=0, amount=Decimal(0)), "D": Total(count=0, amount=Decimal(0))}
        self.lines = self.unread = 0
        self.not_booked: dict[str, int] = {}
        self.first: date | None = None
        self.latest: date | None = None
        self._has_end = self._cut = False
        self.spool = Spool()

    def head(self, field: Field) -> None:
        """A field before the lines: what it says is kept."""
        match field.tag:
            case "20":
                self.reference = field.text.strip()
            case "25" | "25P":
                account, currency = account_of(field.text)
                self.account, self.currency = account or self.account, currency or self.currency
            case "28" | "28C":
                self.number = self._last_number = field.text.strip()
            case "34F":
                self.interim = self.interim or not self.opens_as
                self.currency = field.text[:3] if field.text[:3].isalpha() and len(field.text) > 2 else self.currency
            case "13" | "13D":
                self.interim = self.interim or not self.opens_as

    def balance(self, field: Field) -> None:
        """An opening or a closing balance; one that cannot be read is parked."""
        opens = field.tag.startswith("60")
        self.interim = False
        if opens:
            self.opens_as = field.tag
        else:
            self.closes_as = field.tag
        try:
            found = read_balance(field.text, f"line {field.line}, :{field.tag}:", opens=opens)
        except Unreadable as problem:
            self.park(problem, f":{field.tag}:{field.text}")
            return
        self.currency = found.currency
        if opens:
            self.opening = found
        else:
            self.closing = found

    def total(self, field: Field) -> None:
        self._has_end = True
        self.interim = self.interim or not self.opens_as
        found = read_total(field.text)
        if found:
            self.currency = self.currency or found[0]
            self.told[field.tag[-1]] = found[1]

    def entry(self, field: Field, texts: list[str], others: list[str]) -> None:
        """A line with its text; one that cannot be read is parked."""
        pointer = f"line {field.line}, :61:"
        self.lines += 1
        try:
            line = read_line(field.text, pointer)
            if line.mark.startswith("E"):  # MT942 tells what the bank expects; nothing is booked
                self.lines -= 1
                self.not_booked["expected"] = self.not_booked.get("expected", 0) + 1
                return
            self._count(line)
            opened_on = self.opening.day if self.opening else None
            place = Place(account=self.account, currency=self.currency, opened_on=opened_on, pointer=pointer)
            found = movement(line, texts, others, place)
        except Unreadable as problem:
            self.park(problem, text_of(field, texts))
            return
        self.first = min(self.first or found.booked_on, found.booked_on)
        self.latest = max(self.latest or found.booked_on, found.booked_on)
        self.spool.add(found)

    def cut_entry(self, field: Field, texts: list[str]) -> None:
        """The line in which the file ends: its text, its amount or its balance may be missing, so it is not booked."""
        self.lines += 1
        self.park(_cut(f"line {field.line}, :61:"), text_of(field, texts))

    def park(self, problem: Unreadable, text: str) -> None:
        self.unread += 1
        self.spool.add(Unread.because(problem, text=text, pointer=problem.pointer, account=self.account))

    def goes_on(self, other: Page) -> bool:
        """Whether another page continues this one: same account, and it opens with what this one ended with."""
        return (
            self.closes_as == "62M"
            and other.opens_as == "60M"
            and (other.account, other.currency) == (self.account, self.currency)
            and self.closing is not None
            and other.opening is not None
            and other.opening.amount == self.closing.amount
            and _follows(self._last_number, other.number)
        )

    def resume(self, other: Page) -> None:
        """Go on with the page that continues this one."""
        self._last_number, self.closes_as, self.closing = other.number, "", None
        self.unread += other.unread
        other.discard()

    def discard(self) -> None:
        """Give up what was kept of it."""
        with self.spool:
            pass

    def end(self, *, marked: bool, last: bool) -> None:
        """The message is over. An envelope that is not closed was cut."""
        self._has_end = self._has_end or marked
        self._cut = self._enveloped and last and not marked

    def fragment(self) -> Unreadable | None:
        """Why this is no statement: one names an account and a currency, and has a balance or a line."""
        if not self.account:
            missing, rule, next_ = "names no account (:25:)", "no account", "tell it by the connection's setting `account`"
        elif not self.currency:
            missing, rule, next_ = (
                "names no currency (:60F:, :34F:)",
                "no currency",
                "tell it by the connection's setting `currency`",
            )
        elif not (self.lines or self.opening or self.closing or self.told):
            missing, rule, next_ = "has neither a balance nor a line", "no statement", "download the statement again"
        else:
            return None
        return Unreadable(
            happened=f"the message {missing}; it is a part of a statement at most",
            next=f"check that the file is whole; if the bank writes it like this, {next_}",
            rule=rule,
            pointer=f"line {self.line}",
        )

    def _count(self, line: Line) -> None:
        way = "C" if line.amount > 0 or (line.amount == 0 and line.mark in ("C", "RD")) else "D"
        before = self.counted[way]
        self.counted[way] = Total(count=before.count + 1, amount=before.amount + abs(line.amount))

    # --- when it is over ------------------------------------------------------------------------------------------

    def results(self) -> Iterator[Movement | Unread | Statement]:
        """The lines, and after them the statement."""
        self._look_for_what_is_missing()
        with self.spool:
            for line in self.spool.lines():
                yield self._checked(line)
        came, went = self.counted["C"].amount, self.counted["D"].amount
        balanced = None
        if self.opening and self.closing:
            balanced = self.opening.amount + came - went == self.closing.amount
        yield Statement(
            format="MT942" if self.interim else FORMAT,
            account=self.account,
            currency=self.currency,
            opening=self.opening.amount if self.opening else None,
            closing=self.closing.amount if self.closing else None,
            from_day=self.opening.day if self.opening else self.first,
            to_day=self.closing.day if self.closing else self.latest,
            number=self.number,
            lines=self.lines,
            unread=self.unread,
            credits=came,
            debits=went,
            balanced=balanced,
            not_booked=self.not_booked,
        )

    def _checked(self, line: Movement | Unread) -> Movement | Unread:
        if isinstance(line, Unread):
            return line
        if not line.currency:  # without an opening balance the closing one names it
            line = msgspec.structs.replace(line, currency=self.currency)
        if self.closing is None or line.booked_on - self.closing.day <= _LATEST:
            return line
        self.unread += 1
        problem = Unreadable(
            happened=f"the line is booked on {line.booked_on}, {(line.booked_on - self.closing.day).days} days after its statement closes",
            next="ask the bank on which day it was booked, correct the line in a copy of the file and upload that",
            rule="day after closing",
            pointer=line.pointer,
        )
        text = f"{line.booked_on} {line.amount} {line.currency} {line.party_name} {line.memo}"
        return Unread.because(problem, text=text, pointer=line.pointer, account=self.account)

    def _look_for_what_is_missing(self) -> None:
        """A statement that was cut off, a page that is not there and totals that do not agree are told, not passed over."""
        for problem in self._missing():
            self.park(problem, f":20:{self.reference} :25:{self.account} :28C:{self.number}")

    def _missing(self) -> Iterator[Unreadable]:
        pointer = f"line {self.line}"
        if not self.interim:
            if not self.opens_as:
                yield _incomplete("the statement has no opening balance (:60F:)", "no opening balance", pointer)
            if not self.closes_as:
                yield _incomplete("the statement has no closing balance (:62F:)", "no closing balance", pointer)
            if self.opens_as == "60M" or self.closes_as == "62M":
                yield _incomplete("the statement has further pages, and they are not in this file", "page missing", pointer)
        elif not self._has_end:
            yield _incomplete("the report has no end mark and no totals (:90C:, :90D:)", "cut off", pointer)
        if self._cut:
            yield _incomplete("the message's envelope ({4: ... -}) is not closed", "cut off", pointer)
        if self.opening and self.closing and self.opening.currency != self.closing.currency:
            yield _incomplete("the opening and the closing balance have different currencies", "currency", pointer)
        for way, total in sorted(self.told.items()):
            if total != self.counted[way]:
                happened = f":90{way}: tells {total.count} lines of {total.amount}, and there are {self.counted[way].count} of {self.counted[way].amount}"
                yield _incomplete(happened, "totals", pointer)


def _follows(number: str, next_: str) -> bool:
    """Whether the page number after the slash counts on; banks without page numbers are trusted."""
    before, after = _PAGE.search(number), _PAGE.search(next_)
    return before is None or after is None or int(after[1]) == int(before[1]) + 1


def _cut(pointer: str) -> Unreadable:
    return _incomplete("the file ends in this line: nothing shows that it is whole", "cut off", pointer)


def _incomplete(happened: str, rule: str, pointer: str) -> Unreadable:
    return Unreadable(
        happened=happened,
        next="download the statement again and upload it; lines that were read are known by then",
        rule=rule,
        pointer=pointer,
    )
