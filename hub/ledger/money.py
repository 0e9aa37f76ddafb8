"""Receivables, receipts, and the shares between them. Money is conserved here, and the database checks it again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from hub.core import vocabulary as v
from hub.core.event import Event
from hub.core.ids import derive
from hub.core.money import to_minor
from hub.ledger.books import Books, Place, Row
from hub.ledger.deals import NODES, node
from hub.ledger.projectors import projects
from hub.store import ledger_tables as l


@projects("receivable.opened", touches=lambda data: [(l.receivables, data.receivable)])
def _opened(event: Event, data: v.ReceivableOpened, books: Books) -> None:
    if books.get(l.receivables, data.receivable) is not None:
        return
    books.put(
        l.receivables,
        data.receivable,
        event.seq,
        order=data.order,
        customer=data.customer,
        customer_name=data.customer_name,
        amount_minor=to_minor(data.amount, data.currency),
        paid_minor=0,
        difference_minor=0,
        currency=data.currency,
        due_on=data.due_on,
        position=data.position,
        label=data.label,
        percent=data.percent,
        invoice=data.invoice,
        contract=data.contract,
        state="open",
    )


@projects("receivable.settled", touches=lambda data: [(l.nodes, f"{data.order}|{NODES[2]}")])
def _settled(event: Event, data: v.ReceivableSettled, books: Books) -> None:
    if data.order_settled:
        node(event, books, data.order, NODES[2], data.salesperson)


@projects("receipt.received", touches=lambda data: [(l.receipts, data.receipt)])
def _received(event: Event, data: v.Receipt, books: Books) -> None:
    if books.get(l.receipts, data.receipt) is not None:
        return
    told = msgspec.structs.asdict(data)
    columns = ("account", "booked_on", "value_on", "currency", "payer_name", "payer_account", "payer_bank", "memo")
    more = ("reference", "bank_reference", "end_to_end_id", "file", "row")
    books.put(
        l.receipts,
        data.receipt,
        event.seq,
        amount_minor=to_minor(data.amount, data.currency),
        shared_minor=0,
        state="new",
        **{name: told[name] for name in columns + more},
    )


@projects("match.proposed", touches=lambda data: [(l.matches, data.match), (l.receipts, data.receipt)])
def _proposed(event: Event, data: v.MatchProposed, books: Books) -> None:
    receipt = books.get(l.receipts, data.receipt)
    if receipt is None or receipt["state"] in ("matched", "reversed"):
        return  # a decided receipt is never changed by a later proposal
    if receipt["match"] not in (None, data.match) and books.get(l.matches, receipt["match"]) is not None:
        books.put(l.matches, receipt["match"], event.seq, state="replaced")
    plain = msgspec.to_builtins(data)
    books.put(
        l.matches,
        data.match,
        event.seq,
        receipt=data.receipt,
        lane=data.lane,
        probability=data.probability,
        shares=plain.get("shares", []),
        reasons=plain.get("reasons", []),
        runners_up=plain.get("runners_up", []),
        held_by=data.held_by,
        policy=data.policy,
        customer=data.customer,
        state="proposed",
        by=data.by,
        reason=None,
        decided_on=None,
    )
    books.put(l.receipts, data.receipt, event.seq, state="proposed", lane=data.lane, match=data.match)


def _accept_rows(data: v.MatchAccepted) -> Iterable[Place]:
    return [
        (l.matches, data.match),
        (l.receipts, data.receipt),
        (l.payers, payer_id(data)),
        *((l.receivables, share.receivable) for share in data.shares),
        *((l.shares, share_id(data, position)) for position in range(len(data.shares))),
    ]


@projects("match.accepted", touches=_accept_rows)
def _accepted(event: Event, data: v.MatchAccepted, books: Books) -> None:
    receipt = books.get(l.receipts, data.receipt)
    if receipt is None or receipt["state"] in ("matched", "reversed"):
        return
    total = 0
    for position, share in enumerate(data.shares):
        amount, difference = to_minor(share.amount, data.currency), to_minor(share.difference, data.currency)
        total += amount
        books.put(
            l.shares,
            share_id(data, position),
            event.seq,
            match=data.match,
            receipt=data.receipt,
            receivable=share.receivable,
            amount_minor=amount,
            difference_minor=difference,
            booked_as=share.booked_as,
        )
        _pay(event, books, share.receivable, amount, difference)
    told: Row = {"lane": receipt["lane"] or "review", "probability": 1.0, "reasons": [], "runners_up": [], "policy": ""}
    old = books.get(l.matches, data.match) or told
    books.put(
        l.matches,
        data.match,
        event.seq,
        **{name: old[name] for name in told},
        receipt=data.receipt,
        shares=msgspec.to_builtins(data.shares),
        state="accepted",
        by=data.by,
        customer=data.customer,
        reason=None,
        decided_on=event.time.date(),
    )
    books.put(
        l.receipts, data.receipt, event.seq, state="matched", match=data.match, shared_minor=receipt["shared_minor"] + total
    )
    _learn(event, data, receipt, books)


def _pay(event: Event, books: Books, receivable: str, amount: int, difference: int) -> None:
    row = books.get(l.receivables, receivable)
    if row is None:
        return  # the share itself is refused by the database: there is nothing it could belong to
    paid, written = row["paid_minor"] + amount, row["difference_minor"] + difference
    state = row["state"]
    if state != "cancelled":
        state = "settled" if paid + written >= row["amount_minor"] else "open"
    books.put(l.receivables, receivable, event.seq, paid_minor=paid, difference_minor=written, state=state)


def share_id(data: v.MatchAccepted, position: int) -> str:
    """One share of an accepted match."""
    return f"{data.match}|{position}"


def payer_id(data: v.MatchAccepted) -> str:
    """Who paid for which customer: the memory that finds the next receipt of a person or an affiliate."""
    return derive("payer", data.payer_name or "", data.payer_account or "", data.customer or "")


def _learn(event: Event, data: v.MatchAccepted, receipt: Row, books: Books) -> None:
    if not data.customer or not (data.payer_name or data.payer_account):
        return
    old = books.get(l.payers, payer_id(data))
    books.put(
        l.payers,
        payer_id(data),
        event.seq,
        name=data.payer_name,
        account=data.payer_account,
        customer=data.customer,
        times=(old["times"] if old else 0) + 1,
        last_seen=max(filter(None, (receipt["booked_on"], old and old["last_seen"]))),
    )


@projects("match.rejected", touches=lambda data: [(l.matches, data.match), (l.receipts, data.receipt)])
def _rejected(event: Event, data: v.MatchRejected, books: Books) -> None:
    if books.get(l.matches, data.match) is not None:
        told = {"by": data.by, "reason": data.reason, "decided_on": event.time.date()}
        books.put(l.matches, data.match, event.seq, state="rejected", customer=data.customer, **told)
    receipt = books.get(l.receipts, data.receipt)
    if receipt is not None and receipt["state"] == "proposed":
        books.put(l.receipts, data.receipt, event.seq, state="rejected", lane="open")


@projects("match.undone", touches=lambda data: [(l.matches, data.match), (l.receipts, data.receipt)])
def _undone(event: Event, data: v.MatchUndone, books: Books) -> None:
    match = books.get(l.matches, data.match)
    if match is None or match["state"] != "accepted":
        return
    _take_back(event, books, data.match)
    books.put(l.matches, data.match, event.seq, state="undone", by=data.by)
    receipt = books.get(l.receipts, data.receipt)
    if receipt is not None and receipt["state"] == "matched":
        books.put(l.receipts, data.receipt, event.seq, state="proposed", lane="review")


@projects("receipt.reversed", touches=lambda data: [(l.receipts, data.receipt)])
def _reversed(event: Event, data: v.ReceiptReversed, books: Books) -> None:
    receipt = books.get(l.receipts, data.receipt)
    if receipt is None:
        return
    if receipt["match"] and receipt["state"] == "matched":
        _take_back(event, books, receipt["match"])
        books.put(l.matches, receipt["match"], event.seq, state="undone")
    books.put(l.receipts, data.receipt, event.seq, state="reversed", lane=None)


def _take_back(event: Event, books: Books, match: str) -> None:
    """Withdraw a match's shares, what they paid, and what was learnt from them."""
    for share in books.find(l.shares, match=match):
        books.drop(l.shares, share["id"])
        _pay(event, books, share["receivable"], -share["amount_minor"], -share["difference_minor"])
        receipt = books.get(l.receipts, share["receipt"])
        assert receipt is not None
        books.put(l.receipts, receipt["id"], event.seq, shared_minor=receipt["shared_minor"] - share["amount_minor"])
    row = books.get(l.matches, match)
    receipt = books.get(l.receipts, row["receipt"]) if row else None
    if row is None or receipt is None or not row["customer"]:
        return
    for payer in books.find(l.payers, customer=row["customer"], name=receipt["payer_name"], account=receipt["payer_account"]):
        if payer["times"] <= 1:
            books.drop(l.payers, payer["id"])
        else:
            seen = _last_seen(books, row, receipt)
            books.put(l.payers, payer["id"], event.seq, times=payer["times"] - 1, last_seen=seen or payer["last_seen"])


def _last_seen(books: Books, match: Row, receipt: Row) -> date | None:
    """When the payer of this receipt last paid for this customer, without this match."""
    others = [one for one in books.find(l.matches, customer=match["customer"], state="accepted") if one["id"] != match["id"]]
    books.fetch((l.receipts, one["receipt"]) for one in others)
    paid = [one for other in others if (one := books.get(l.receipts, other["receipt"])) is not None]
    payer = (receipt["payer_name"], receipt["payer_account"])
    return max((one["booked_on"] for one in paid if (one["payer_name"], one["payer_account"]) == payer), default=None)
