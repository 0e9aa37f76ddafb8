"""A table's rows as the lines of statements: one statement for each account and currency, its lines oldest first."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from hub.sdk import Movement, Read, Row, Spool, Statement, Unread, Unreadable

from . import cells as read
from .balances import Balances
from .entry import owner, parse_entry
from .profiles import Header
from .rows import Preamble, booked_rows


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


def statements(rows: Iterable[Row], header: Header, preamble: Preamble, *, account: str, currency: str) -> Iterator[Read]:
    """The lines and statements below `header`. `account` and `currency` stand in where the file does not tell them.

    All rows are read before the first line is told: a file is refused as a whole or not at all.
    """
    whose = preamble.account or read.account_number(account), preamble.currency or currency
    groups: dict[tuple[str, str], Group] = {}
    with Spool() as spool:
        for row in booked_rows(rows, header):
            line, money = _line(row, header, whose, known=bool(preamble.account))
            groups.setdefault((line.account, money), Group()).add(spool.add(line), line)
        _refuse_without_direction(groups, header)
        for (owner, money), group in (groups or {whose: Group()}).items():
            repeated = _repeated(group, spool)
            yield from _told(group, spool, repeated)
            yield _statement(group, header, preamble, account=owner, currency=money, repeated=len(repeated))


def _line(row: Row, header: Header, whose: tuple[str, str], *, known: bool) -> tuple[Movement | Unread, str]:
    """The row and its currency, or why it cannot be read."""
    account, currency = whose
    try:
        line = parse_entry(row, header, currency=currency)
    except Unreadable as problem:
        if problem.rule == "lost digits":
            raise  # the file was saved by a spreadsheet program: every row of it is in doubt
        text = ",".join(row.cells)
        own, money = owner(row, header) if problem.rule != "extra cells" else ("", "")
        return Unread.because(problem, text=text, pointer=problem.pointer, account=own or account), money or currency
    # An account column speaks for its row; the side that is ours (BOC) only where nothing above the header named the account.
    is_own = bool(line.account) and ("account" in header.columns or not known)
    return (line if is_own else msgspec.structs.replace(line, account=account)), line.currency


def _refuse_without_direction(groups: Mapping[tuple[str, str], Group], header: Header) -> None:
    """Refuse a file of an unknown bank whose one amount column shows no sign: it could be money in or out, and a guess moves money."""
    if header.profile.signed or any(role in header.columns for role in ("debit", "credit", "direction")):
        return
    if header.names[header.columns["amount"][0]].isascii():
        return  # where the column is called Amount, money out has a minus
    told = [group.balances for group in groups.values() if group.balances.first]
    if told and not any(one.debits for one in told) and not all(one.balanced for one in told):
        first = told[0].first
        raise Unreadable(
            happened="the amounts have no sign and no column says which way the money went",
            next="tell the connection's setting `columns` which column is the direction (借贷标志), or which the money in and which out",
            rule="no direction",
            pointer=first.pointer if first else "",
        )


def _repeated(group: Group, spool: Spool) -> frozenset[int]:
    """The lines that the file prints twice: the same in everything, with the bank's number and a balance that did not move.

    They are looked for where the balances break, since without a break there can be none.
    """
    if group.balances.balanced is not False or not group.numbered:
        return frozenset()
    seen: set[int] = set()
    repeated: set[int] = set()
    group.balances = Balances()
    for place, line in zip(group.places, spool.lines(group.places), strict=True):
        if isinstance(line, Unread):
            continue
        print_ = hash((line.bank_reference, line.booked_on, line.at, line.amount, line.balance, line.party_account, line.memo))
        if line.bank_reference and line.amount and print_ in seen:
            repeated.add(place)
            continue
        seen.add(print_)
        group.balances.add(line)
    return frozenset(repeated)


def _told(group: Group, spool: Spool, repeated: frozenset[int]) -> Iterator[Movement | Unread]:
    """Oldest first, and on each day a booking that takes money in back after what it can take back."""
    places = group.places[::-1] if group.balances.runs_backwards else group.places
    day, waiting = None, list[Movement]()
    for place, line in zip(places, spool.lines(places), strict=True):
        if place in repeated and isinstance(line, Movement):
            yield _printed_twice(line)
            continue
        if isinstance(line, Movement) and line.booked_on != day:
            yield from waiting
            day, waiting = line.booked_on, []
        if isinstance(line, Movement) and line.reversal and line.amount < 0:
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


def _statement(group: Group, header: Header, preamble: Preamble, *, account: str, currency: str, repeated: int) -> Statement:
    sums = group.balances
    days = (sums.from_day, sums.to_day)
    period = preamble.period or days
    balanced = sums.balanced
    if group.unread:
        balanced = False if balanced is False else None  # a row whose amount is not known leaves the sum open
    return Statement(
        format=header.profile.name,
        account=account,
        currency=currency,
        opening=sums.opening,
        closing=sums.closing,
        from_day=period[0],
        to_day=period[1],
        lines=len(group.places) - repeated,
        unread=group.unread + repeated,
        credits=sums.credits,
        debits=sums.debits,
        balanced=balanced,
    )
