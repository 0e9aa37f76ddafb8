"""A table's rows as the lines of statements: one statement for each account and currency, its lines oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from hub.sdk import Balances, Grouping, Movement, Read, Row, Unread, Unreadable
from hub.sdk import cells as read

from .entry import owner, parse_entry
from .profiles import Header
from .rows import Preamble, booked_rows


def statements(rows: Iterable[Row], header: Header, preamble: Preamble, *, account: str, currency: str) -> Iterator[Read]:
    """The lines and statements below `header`. `account` and `currency` stand in where the file does not tell them.

    All rows are read before the first line is told: a file is refused as a whole or not at all.
    """
    whose = preamble.account or read.account_number(account), preamble.currency or currency
    with Grouping() as lines:
        for row in booked_rows(rows, header):
            line, money = _line(row, header, whose, known=bool(preamble.account))
            lines.add(line, currency=money)
        _refuse_without_direction([group.balances for group in lines.groups.values()], header)
        yield from lines.told(header.profile.name, whose=whose, period=preamble.period)


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


def _refuse_without_direction(sums: Sequence[Balances], header: Header) -> None:
    """Refuse a file of an unknown bank whose one amount column shows no sign: it could be money in or out, and a guess moves money."""
    if header.profile.signed or any(role in header.columns for role in ("debit", "credit", "direction")):
        return
    if header.names[header.columns["amount"][0]].isascii():
        return  # where the column is called Amount, money out has a minus
    told = [one for one in sums if one.first]
    if told and not any(one.debits for one in told) and not all(one.balanced for one in told):
        first = told[0].first
        raise Unreadable(
            happened="the amounts have no sign and no column says which way the money went",
            next="tell the connection's setting `columns` which column is the direction (借贷标志), or which the money in and which out",
            rule="no direction",
            pointer=first.pointer if first else "",
        )
