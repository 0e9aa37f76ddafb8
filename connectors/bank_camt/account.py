"""One account of a message: its lines in the order told, and after them the statement, for each currency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from hub.sdk import Movement, Read, Statement, Unread, Unreadable

from .entry import booking, is_reversal, movements
from .message import Message
from .parties import account_number
from .reading import amount, moment, negative, when
from .shapes import Told

_NONE: Told = {}
_NO_CURRENCY = "XXX"  # ISO 4217's own word
_BOOKED = ("OPBD", "PRCD", "ITBD", "CLBD")


class Balances(msgspec.Struct, frozen=True, kw_only=True):
    """The booked balances in one currency, signed."""

    opening: Decimal | None = None
    closing: Decimal | None = None
    closed_on: date | None = None

    def closed_by(self, total: Decimal) -> bool | None:
        """Whether these lines lead from one to the other; `None` where either is not told."""
        return None if self.opening is None or self.closing is None else self.opening + total == self.closing


class Sums:
    """What the lines of one currency come to, as they pass."""

    def __init__(self) -> None:
        self.lines = 0
        self.credits = self.debits = Decimal(0)
        self.first: date | None = None
        self.last: date | None = None

    def add(self, line: Movement) -> None:
        self.lines += 1
        if line.amount > 0:
            self.credits += line.amount
        else:
            self.debits -= line.amount
        day = line.booked_on
        if self.first is None or day < self.first:
            self.first = day
        if self.last is None or day > self.last:
            self.last = day


class Account:
    """Takes entries one by one. `told` is what stands above the first of them."""

    def __init__(self, message: Message, told: Told, place: int) -> None:
        self._message = message
        self._place = place
        self._number = account_number(told.get("Acct", _NONE))
        self._currency = _currency(told)
        self._day = _day(told)
        self._sums: dict[str, Sums] = {}
        self._elsewhere: dict[str, list[Movement]] = {}
        self._reversals: list[tuple[Told, list[Told], str]] = []
        self._not_booked: Counter[str] = Counter()
        self._entries = self._unread = 0

    def entry(self, told: Told, details: list[Told], line: int) -> Iterable[Read]:
        """The lines of an entry; `details` are those that were read before the rest of it.

        Reversals wait for the balances to say which way they went, lines in another currency for their statement.
        """
        self._entries += 1
        pointer = f"{self._message.container} {self._place}, Ntry {self._entries}, line {line}"
        details = details + _details(told)
        status = told.get("Sts")
        if status and status != "BOOK":
            self._not_booked[status[:35]] += 1
        elif is_reversal(told):
            self._reversals.append((told, details, pointer))
        else:
            return self._passed(self._lines(told, details, pointer))
        return ()

    def closed(self, told: Told) -> Iterator[Read]:
        """What waited, and the statements: that of the account's currency first."""
        balances = _balances(told, self._currency)
        taken_back = [self._lines(*one) for one in self._reversals]
        net, back = self._net(), self._of(taken_back)
        if balances.closed_by(net + back) is False and balances.closed_by(net - back):
            # Some banks write the direction of the booking that is taken back: then only the other sign closes.
            taken_back = [self._lines(*one, flipped=True) for one in self._reversals]
        for lines in taken_back:
            yield from self._passed(lines)
        yield self._statement(told, self._currency or _NO_CURRENCY, _balances(told, self._currency))
        for currency, others in self._elsewhere.items():
            yield from others
            yield self._statement(told, currency, _balances(told, currency))

    def _lines(self, told: Told, details: Sequence[Told], pointer: str, *, flipped: bool = False) -> list[Movement | Unread]:
        try:
            if not told.get("Sts"):
                happened = "the entry does not say whether it is booked"
                raise Unreadable(happened=happened, next="ask the bank for the file again", rule="status", pointer="tag Ntry/Sts")
            booked = booking(told, account=self._number, day=self._day, pointer=pointer, flipped=flipped)
            return [*movements(told, details, booked)]
        except Unreadable as problem:
            text = msgspec.json.encode([told, *details], order="sorted").decode()
            where = f"{pointer}, {problem.pointer}"
            return [Unread.because(problem, text=text, pointer=where, account=self._number)]

    def _passed(self, lines: list[Movement | Unread]) -> list[Movement | Unread]:
        """Count the lines; those in another currency than the account's are kept for a statement of their own."""
        for line in lines:
            if isinstance(line, Unread):
                self._unread += 1
                continue
            self._currency = self._currency or line.currency
            sums = self._sums.get(line.currency)
            if sums is None:
                sums = self._sums[line.currency] = Sums()
            sums.add(line)
            if line.currency != self._currency:
                self._elsewhere.setdefault(line.currency, []).append(line)
        if not self._elsewhere:
            return lines
        return [line for line in lines if isinstance(line, Unread) or line.currency == self._currency]

    def _net(self) -> Decimal:
        sums = self._sums.get(self._currency) or Sums()
        return sums.credits - sums.debits

    def _of(self, found: list[list[Movement | Unread]]) -> Decimal:
        lines = (line for some in found for line in some if isinstance(line, Movement))
        return sum((line.amount for line in lines if line.currency == self._currency), Decimal(0))

    def _statement(self, told: Told, currency: str, balances: Balances) -> Statement:
        sums = self._sums.get(currency) or Sums()
        unread = self._unread if currency == self._currency else 0
        period = told.get("FrToDt", _NONE)
        closes = balances.closed_by(sums.credits - sums.debits)
        if unread or (closes is False and self._message.kind != "camt.053"):
            closes = None  # a sum is missing; or a report that tells what is new since the one before, and the balance of now
        return Statement(
            format=self._message.format,
            account=self._number,
            currency=currency,
            opening=balances.opening,
            closing=balances.closing,
            from_day=_told_day(period, "FrDtTm", "FrDt") or sums.first or balances.closed_on or self._day,
            to_day=_told_day(period, "ToDtTm", "ToDt") or max(filter(None, (sums.last, balances.closed_on)), default=self._day),
            number=told.get("LglSeqNb") or told.get("ElctrncSeqNb") or "",
            lines=sums.lines + unread,
            unread=unread,
            credits=sums.credits,
            debits=sums.debits,
            balanced=closes,
            not_booked=dict(sorted(self._not_booked.items())) if currency == (self._currency or _NO_CURRENCY) else {},
        )


def _details(entry: Told) -> list[Told]:
    found: list[Told] = entry.get("TxDtls", [])
    for some in entry.get("NtryDtls", ()):
        found = found + some.get("TxDtls", [])
    return found


def _balances(told: Told, currency: str) -> Balances:
    """Opening is OPBD, else the previous closing, else the first of two interim ones; closing CLBD, else the last interim one.

    Raises `Unreadable` for a balance that cannot be read: all that the statement says hangs on it.
    """
    found: dict[str, list[tuple[Decimal, date | None]]] = {}
    for balance in told.get("Bal", ()):
        kind = balance.get("Tp", "")
        if kind in _BOOKED and (balance.get("Amt") or ("", ""))[1] == currency:
            value, _ = amount(balance.get("Amt"), "Bal/Amt")
            out = negative(balance.get("CdtDbtInd"), "Bal/CdtDbtInd")
            day = moment(balance.get("Dt"), "Bal/Dt")
            found.setdefault(kind, []).append((-value if out else value, day[0] if day else None))
    interim = found.get("ITBD", [])
    closing = found.get("CLBD", [])[-1:] or interim[-1:]
    opening = (
        found.get("OPBD", [])[:1]
        or found.get("PRCD", [])[:1]
        or (interim[:1] if interim[:1] and "CLBD" in found else interim[:-1][:1])
    )
    return Balances(
        opening=opening[0][0] if opening else None,
        closing=closing[0][0] if closing else None,
        closed_on=closing[0][1] if closing else None,
    )


def _currency(told: Told) -> str:
    """The account's: as told, else that of its booked balances; empty where the entries have to tell it."""
    named = told.get("Acct", _NONE).get("Ccy") or ""
    return str(named or next((one["Amt"][1] for one in told.get("Bal", ()) if one.get("Tp") in _BOOKED and "Amt" in one), ""))


def _day(told: Told) -> date | None:
    """The day that the message is of, for entries that have none."""
    return _told_day(told.get("FrToDt", _NONE), "ToDtTm", "ToDt") or _told_day(told, "CreDtTm")


def _told_day(told: Told, *names: str) -> date | None:
    found = next((found for name in names if (found := when(told.get(name, "")))), None)
    return found[0] if found else None
