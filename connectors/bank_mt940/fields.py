"""What single fields say: the account (:25:), a balance (:60:, :62:), a line (:61:), a total (:90:)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from hub.sdk import Unreadable

_CURRENCY_BEHIND = re.compile(r"(?<=\d)[ ]*([A-Z]{3})$")
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d{1,15}[,.]\d{0,6}|,\d{1,6})\s*$")
_WHOLE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d{1,15})\s*$")
_TOTAL = re.compile(r"(\d{0,9})([A-Z]{3})(\d{1,15}(?:[,.]\d{0,6})?|,\d{1,6})\s*$")
_LINE = re.compile(r"\s*(\d{6})(\d{4}|[ ]{4})?([RE]?)([CD])([A-Z]?)\s{0,2}")
_AMOUNT = re.compile(r"(?:\d{1,15}(?:[,.]\d{0,6})?|,\d{1,6})[ ]*(?=[A-Z])")
# Words of SWIFT and of banks that say where a reference is to be found, or that there is none.
_NO_REFERENCE = frozenset({"", "NONREF", "NONE", "NOREF", "NOTPROVIDED", "EREF", "KREF", "MREF", "MARF", "PREF", "X"})

_NEAR, _BEFORE = timedelta(days=90), timedelta(days=31)


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """A signed balance at the end of a day."""

    day: date
    currency: str
    amount: Decimal


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines of one direction there are, and their sum without a sign."""

    count: int
    amount: Decimal


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A :61: as it is written. `amount` is signed; `value_day` (YYMMDD) and `entry_day` (MMDD) are not looked at yet."""

    value_day: str
    entry_day: str
    mark: str
    amount: Decimal
    code: str
    reference: str
    bank_reference: str
    supplementary: tuple[str, ...] = ()


def account_of(text: str) -> tuple[str, str]:
    """The account without blanks, and the currency that some banks write behind it, or nothing."""
    first = text.strip().partition("\n")[0].strip().removeprefix("/")
    found = _CURRENCY_BEHIND.search(first)
    account = first[: found.start()] if found else first
    return "".join(account.split()), found[1] if found else ""


def read_balance(text: str, pointer: str, *, opens: bool) -> Balance:
    """Raises `Unreadable`. A closing amount without a comma is not trusted: it may have been cut off."""
    found = _BALANCE.match(text) or (_WHOLE.match(text) if opens else None)
    if found is None:
        raise Unreadable(
            happened="the balance is not of the form C260131EUR1234,56",
            next="ask the bank for the statement again; a file that was cut off ends like this",
            rule="balance",
            pointer=pointer,
        )
    amount = _decimal(found[4])
    return Balance(day=calendar_day(found[2], pointer), currency=found[3], amount=amount if found[1] == "C" else -amount)


def read_total(text: str) -> tuple[str, Total] | None:
    """Currency and total of a :90C: or :90D:, or `None` where it is not of their form."""
    found = _TOTAL.match(text)
    return (found[2], Total(count=int(found[1] or 0), amount=_decimal(found[3]))) if found else None


def read_line(text: str, pointer: str) -> Line:
    """The parts of a :61:. Raises `Unreadable` where they are not there."""
    head = _LINE.match(text)
    if head is None:
        raise Unreadable(
            happened="the line does not begin with a day and a mark for credit or debit, like 2601310131C",
            next="correct the line in a copy of the file and upload that; the lines beside it are known by then",
            rule="line",
            pointer=pointer,
        )
    found = _AMOUNT.match(text, head.end())
    if found is None:
        raise Unreadable(
            happened="the amount is not digits with one comma, followed by the kind of the booking, like 1234,56NTRF",
            next="correct the line in a copy of the file and upload that; a line that was cut off looks like this",
            rule="amount",
            pointer=pointer,
        )
    amount = _decimal(found[0].strip())
    mark = head[3] + head[4]
    first, *supplementary = text[found.end() :].split("\n")
    reference, _, bank_reference = first[4:].partition("//")
    return Line(
        value_day=head[1],
        entry_day=(head[2] or "").strip(),
        mark=mark,
        # A reversal of a credit takes money out, one of a debit brings it back.
        amount=amount if mark in ("C", "EC", "RD") else -amount,
        code=first[:4].strip(),
        reference=reference.rstrip(),
        bank_reference=told_reference(bank_reference),
        supplementary=tuple(line.strip() for line in supplementary if line.strip()),
    )


def told_reference(text: str) -> str:
    """The reference, or nothing where it is a word that stands for none."""
    text = text.strip()
    return "" if text.upper().rstrip("+") in _NO_REFERENCE else text


def calendar_day(text: str, pointer: str) -> date:
    """YYMMDD as a day. Raises `Unreadable` for one that the calendar does not have, such as the 30 February of German interest."""
    year = int(text[:2])
    try:
        return date(year + (2000 if year < 80 else 1900), int(text[2:4]), int(text[4:6]))
    except ValueError:
        raise _no_such_day(text, pointer) from None


def entry_day(text: str, value_on: date, opened_on: date | None, pointer: str) -> date:
    """MMDD as the day nearest to the value day: around New Year the two lie in different years.

    Where they lie months apart (interest that is corrected), the booking is the first such day of the statement.
    """
    same = _day_of(value_on.year, text)
    if same is not None and abs(same - value_on) <= _NEAR:
        return same
    days = [day for year in range(value_on.year - 1, value_on.year + 3) if (day := _day_of(year, text)) is not None]
    if not days:
        raise _no_such_day(text, pointer)
    near = min(days, key=lambda day: abs(day - value_on))
    if opened_on is None or abs(near - value_on) <= _NEAR:
        return near
    return next((day for day in days if day >= opened_on - _BEFORE), near)


def _day_of(year: int, text: str) -> date | None:
    try:
        return date(year, int(text[:2]), int(text[2:4]))
    except ValueError:
        return None


def _no_such_day(text: str, pointer: str) -> Unreadable:
    return Unreadable(
        happened="the line or balance names a day that the calendar does not have",
        next="look up the booking's day at the bank, correct it in a copy of the file and upload that",
        rule="day",
        pointer=pointer,
        value=text,
    )


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))
