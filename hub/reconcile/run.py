"""A statement against an order book, in one go: no database, no configuration, the desk's decisions as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Protocol

import msgspec

from hub.reconcile.book import History, OrderBook
from hub.reconcile.receipts import BankFiles, Credit
from reconciliation.payments import Desk, Match, Policy, result_line

LANES = ("review", "open", "auto")


class Progress(Protocol):
    """Told what is being done, for as long as it takes."""

    def __call__(self, doing: str) -> AbstractContextManager[None]: ...


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided for one credit."""

    credit: Credit
    match: Match


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All credits with their decisions, in the order of the statement, beside what they rest on."""

    answers: tuple[Answer, ...]
    bank: BankFiles
    book: OrderBook
    history: History | None
    policy: Policy

    def of(self, lane: str) -> list[Answer]:
        return [one for one in self.answers if one.match.lane == lane]


def reconcile(bank: BankFiles, book: OrderBook, history: History | None, *, policy: Policy, progress: Progress) -> Result:
    """Decide every credit of a statement together, so that no order is given away twice."""
    with progress(f"indexing {len(book.items):,} open orders"):
        past = history or History(payers=(), settled=(), rows=0, columns={})
        desk = Desk(book.items, past.payers, settled=[*book.settled, *past.settled], policy=policy)
    asked = [one for one in bank.credits if one.settled is None]
    receipts = [msgspec.structs.replace(one.receipt, receipt=one.id, row=row) for row, one in enumerate(asked)]
    with progress(f"matching {len(asked):,} receipts"):
        found = {match.receipt: match for match in desk.propose_all(receipts)}
    answers = [Answer(credit=one, match=found.get(one.id) or _settled(one, policy)) for one in bank.credits]
    return Result(answers=tuple(answers), bank=bank, book=book, history=history, policy=policy)


def _settled(credit: Credit, policy: Policy) -> Match:
    return Match(receipt=credit.id, lane="open", probability=1.0, held=credit.settled, policy=policy.version)


def result_lines(answers: Sequence[Answer]) -> Iterator[bytes]:
    """One JSON line a credit: what each order gets in one sum, however many instalments it is laid on."""
    for one in answers:
        line = result_line(one.credit.id, one.match)
        line["allocations"] = _summed(line["allocations"])
        line["alternatives"] = [_summed(other) for other in line["alternatives"]]  # type: ignore[attr-defined]
        yield msgspec.json.encode(line) + b"\n"


def _summed(shares: object) -> list[dict[str, str]]:
    total: dict[str, Decimal] = {}
    for share in msgspec.convert(shares, list[dict[str, str]]):
        total[share["order_no"]] = total.get(share["order_no"], Decimal(0)) + Decimal(share["amount"])
    return [{"order_no": order, "amount": str(amount)} for order, amount in total.items()]
