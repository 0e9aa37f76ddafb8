"""The lines of a file put together to statements: one for each account and currency, its lines oldest first."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import date

from hub.core.errors import Unreadable
from hub.statements.balances import Balances
from hub.statements.spool import Spool
from hub.statements.values import Movement, Read, Statement, Unread


class Group:
    """The lines of one account and currency: where they are kept, and what their balances say."""

    def __init__(self) -> None:
        self.places = array("L")
        self.balances = Balances()
        self.unread = 0
        self.numbered = False

    def add(self, place: int, line: Movement | Unread) -> None:
        self.places.append(place)
        if isinstance(line, Unread):
            self.unread += 1
            return
        self.balances.add(line)
        self.numbered |= bool(line.bank_reference)


class Grouping:
    """Takes a table's lines as they come and tells them as statements. Used with `with`: the lines are in a spool."""

    def __init__(self) -> None:
        self.groups: dict[tuple[str, str], Group] = {}
        self._spool = Spool()

    def __enter__(self) -> Grouping:
        return self

    def __exit__(self, *error: object) -> None:
        self._spool.close()

    def add(self, line: Movement | Unread, *, currency: str) -> None:
        self.groups.setdefault((line.account, currency), Group()).add(self._spool.add(line), line)

    def told(self, format: str, *, whose: tuple[str, str], period: tuple[date, date] | None = None) -> Iterator[Read]:
        """Every group's lines and its statement; one of no lines for `whose` (account, currency) where there are none."""
        for (account, currency), group in (self.groups or {whose: Group()}).items():
            repeated = self._repeated(group)
            yield from self._lines(group, repeated)
            yield _statement(group, format, account, currency, period, repeated=len(repeated))

    def _repeated(self, group: Group) -> frozenset[int]:
        """The lines that the file prints twice: the same in everything, with the bank's number and a balance that did not move.

        They are looked for where the balances break, since without a break there can be none.
        """
        if group.balances.balanced is not False or not group.numbered:
            return frozenset()
        seen: set[int] = set()
        repeated: set[int] = set()
        group.balances = Balances()
        for place, line in zip(group.places, self._spool.lines(group.places), strict=True):
            if isinstance(line, Unread):
                continue
            print_ = hash(
                (line.bank_reference, line.booked_on, line.at, line.amount, line.balance, line.party_account, line.memo)
            )
            if line.bank_reference and line.amount and print_ in seen:
                repeated.add(place)
                continue
            seen.add(print_)
            group.balances.add(line)
        return frozenset(repeated)

    def _lines(self, group: Group, repeated: frozenset[int]) -> Iterator[Movement | Unread]:
        """Oldest first, and on each day a booking that takes money in back after what it can take back."""
        places = group.places[::-1] if group.balances.runs_backwards else group.places
        day: date | None = None
        waiting: list[Movement] = []
        for place, line in zip(places, self._spool.lines(places), strict=True):
            if isinstance(line, Unread):
                yield line
                continue
            if place in repeated:
                yield _printed_twice(line)
                continue
            if line.booked_on != day:
                yield from waiting
                day, waiting = line.booked_on, []
            if line.reversal and line.amount < 0:
                waiting.append(line)
            else:
                yield line
        yield from waiting


def _printed_twice(line: Movement) -> Unread:
    problem = Unreadable(
        happened="the row is printed twice: the bank's number, the amount and the balance are those of another row",
        next="nothing, if the bank booked it once; else correct the balance in a copy of the file and upload that",
        rule="printed twice",
        pointer=line.pointer,
    )
    text = f"{line.booked_on} {line.amount} {line.currency} {line.party_name} {line.memo} {line.bank_reference}"
    return Unread.because(problem, text=text, pointer=line.pointer, account=line.account)


def _statement(
    group: Group, format: str, account: str, currency: str, period: tuple[date, date] | None, *, repeated: int
) -> Statement:
    sums = group.balances
    first, last = period or (sums.from_day, sums.to_day)
    balanced = sums.balanced
    if group.unread:
        balanced = False if balanced is False else None  # a row whose amount is not known leaves the sum open
    return Statement(
        format=format,
        account=account,
        currency=currency,
        opening=sums.opening,
        closing=sums.closing,
        from_day=first,
        to_day=last,
        lines=len(group.places) - repeated,
        unread=group.unread + repeated,
        credits=sums.credits,
        debits=sums.debits,
        balanced=balanced,
    )
