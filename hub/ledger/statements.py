"""Statements, and how each goes on from the one before: what lacks between them, and what overlaps."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from hub.core import vocabulary as v
from hub.core.event import Event
from hub.core.money import to_minor
from hub.ledger.books import Books, Row
from hub.ledger.projectors import projects
from hub.statements import Span, continuity
from hub.store import ledger_tables as l


@projects("statement.read")
def _statement(event: Event, data: v.StatementRead, books: Books) -> None:
    def minor(amount: Decimal | None) -> int | None:
        return None if amount is None else to_minor(amount, data.currency)

    books.put(
        l.statements,
        data.statement,
        event.seq,
        format=data.format,
        file=data.file,
        account=data.account,
        currency=data.currency,
        opening_minor=minor(data.opening_balance),
        closing_minor=minor(data.closing_balance),
        rows=data.rows,
        credits_minor=minor(data.credits),
        debits_minor=minor(data.debits),
        from_day=data.from_day,
        to_day=data.to_day,
        balanced=data.balanced,
        number=data.number,
        not_booked=data.not_booked,
    )
    _follow(event, data, books)


def _follow(event: Event, data: v.StatementRead, books: Books) -> None:
    """Say how this statement, and the one after it, goes on from the one before: files do not come in the order of their days."""
    kind = _kind(data.format)
    rows = [row for row in books.find(l.statements, account=data.account, currency=data.currency) if _kind(row["format"]) == kind]
    dated = sorted((row for row in rows if row["from_day"] and row["to_day"]), key=_order)
    for before, row in zip([None, *dated], dated, strict=False):
        if data.statement not in (row["id"], before and before["id"]):
            continue
        found = None if before is None else msgspec.to_builtins(continuity(_span(before), _span(row)))
        if row["breaks"] != found:
            books.put(l.statements, row["id"], event.seq, breaks=found)


def _kind(format: str) -> str:
    """A format without its version: reports and statements of one account follow their own kind."""
    return format.partition(".001")[0]


def _order(row: Row) -> tuple[object, ...]:
    digits = "".join(letter for letter in row["number"] or "" if letter.isdigit())[:18]
    return row["from_day"], row["to_day"], int(digits or 0), row["id"]


def _span(row: Row) -> Span:
    return Span(
        number=row["number"] or "",
        from_day=row["from_day"],
        to_day=row["to_day"],
        opening=row["opening_minor"],
        closing=row["closing_minor"],
    )
