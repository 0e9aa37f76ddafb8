"""Customers, leads, quotes, contracts and orders, and which record of which system is which of ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hub.core import vocabulary as v
from hub.core.event import Event
from hub.core.money import to_minor
from hub.ledger.books import Books, Place
from hub.ledger.projectors import connection_of, known, projects, union
from hub.store import ledger_tables as l

# A contract only moves forward, whatever order the platform's callbacks arrive in; a terminal state stays.
_STATUS = {
    "contract.created": ("draft", 0),
    "contract.sent": ("sent", 1),
    "contract.viewed": ("viewed", 2),
    "contract.partly_signed": ("partly_signed", 3),
    "contract.signed": ("signed", 9),
    "contract.declined": ("declined", 9),
    "contract.expired": ("expired", 9),
    "contract.revoked": ("revoked", 10),  # also after signing: what both sides annul was signed before
}
_RANK = dict(_STATUS.values())

NODES = ("方案确认", "合同签署", "付款到账", "交付启动")


def link(event: Event, books: Books, kind: str, ours: str, record: str | None, *, connection: str | None = None) -> None:
    """Remember that this record of the connection is this thing of ours."""
    if record:
        where = connection or connection_of(event)
        books.put(l.links, link_id(where, kind, ours), event.seq, connection=where, kind=kind, ours=ours, record=record)


def link_id(connection: str, kind: str, ours: str) -> str:
    return f"{connection}|{kind}|{ours}"


def node(event: Event, books: Books, order: str | None, name: str, owner: str | None = None) -> None:
    """A step of the order is reached."""
    if order and (books.get(l.nodes, f"{order}|{name}") or {}).get("done_at") is None:
        books.put(l.nodes, f"{order}|{name}", event.seq, order=order, node=name, done_at=event.time, owner=owner)


@projects("customer.created", "customer.updated", touches=lambda data: [(l.customers, data.customer)])
def _customer(event: Event, data: v.Customer, books: Books) -> None:
    old = books.get(l.customers, data.customer) or {}
    books.put(
        l.customers,
        data.customer,
        event.seq,
        name=data.name,
        aliases=union(old.get("aliases"), data.aliases),
        accounts=union(old.get("accounts"), data.accounts),
        **known(tax_id=data.tax_id, owner=data.owner),
    )
    link(event, books, "customer", data.customer, data.record)


@projects("lead.created", "lead.updated", touches=lambda data: [(l.leads, data.lead)])
def _lead(event: Event, data: v.Lead, books: Books) -> None:
    told = known(name=data.name, company=data.company, phone=data.phone, source=data.source, owner=data.owner)
    books.put(l.leads, data.lead, event.seq, **told)
    link(event, books, "lead", data.lead, data.record)


@projects("opportunity.stage_changed", touches=lambda data: [(l.opportunities, data.opportunity)])
def _opportunity(event: Event, data: v.OpportunityStage, books: Books) -> None:
    amount = None if data.amount is None else to_minor(data.amount, data.currency)
    told = known(customer=data.customer, amount_minor=amount, owner=data.owner)
    books.put(l.opportunities, data.opportunity, event.seq, stage=data.stage, currency=data.currency, **told)
    link(event, books, "opportunity", data.opportunity, data.record)


@projects("quote.requested", touches=lambda data: [(l.quotes, data.quote)])
def _quote_requested(event: Event, data: v.QuoteRequested, books: Books) -> None:
    old = books.get(l.quotes, data.quote) or {}
    books.put(
        l.quotes,
        data.quote,
        event.seq,
        lines=msgspec.to_builtins(data.lines),
        currency=data.currency,
        state="approved" if old.get("state") == "approved" else "requested",
        **known(
            customer=data.customer,
            customer_name=data.customer_name,
            amount_minor=None if data.amount is None else to_minor(data.amount, data.currency),
            payment_terms=data.payment_terms,
            need_by=data.need_by,
            salesperson=data.salesperson,
            contact_name=data.contact_name,
            contact_phone=data.contact_phone,
        ),
    )
    link(event, books, "quote", data.quote, data.record)


@projects("quote.checked", touches=lambda data: [(l.quotes, data.quote)])
def _quote_checked(event: Event, data: v.QuoteChecked, books: Books) -> None:
    old = books.get(l.quotes, data.quote)
    if old is not None:
        state = "approved" if old["state"] == "approved" else "checked"
        books.put(l.quotes, data.quote, event.seq, verdict=data.verdict, promise_date=data.promise_date, state=state)


@projects("quote.approved", touches=lambda data: [(l.quotes, data.quote)])
def _quote_approved(event: Event, data: v.QuoteApproved, books: Books) -> None:
    if books.get(l.quotes, data.quote) is None:
        books.put(l.quotes, data.quote, event.seq, lines=[], currency="CNY", state="approved")
    else:
        books.put(l.quotes, data.quote, event.seq, state="approved")
    link(event, books, "quote", data.quote, data.record)


@projects(*_STATUS, touches=lambda data: [(l.contracts, data.contract)])
def _contract(event: Event, data: v.Contract, books: Books) -> None:
    old: dict[str, Any] = books.get(l.contracts, data.contract) or {"status": "draft", "signers": []}
    status, rank = _STATUS[event.type]
    moves = rank > _RANK[old["status"]] or not old.get("id")
    signers = old["signers"]
    if event.type == "contract.partly_signed":
        signers = union(signers, [data.signer or data.organisation or "?"])
    books.put(
        l.contracts,
        data.contract,
        event.seq,
        status=status if moves else old["status"],
        signers=signers,
        **known(
            title=data.title,
            quote=data.quote,
            order=data.order,
            customer=data.customer,
            reason=data.reason,
            signed_at=event.time if moves and status == "signed" else None,
        ),
    )
    link(event, books, "contract", data.contract, data.record)


def _order_rows(data: v.Order) -> list[Place]:
    return [(l.orders, data.order), *((l.nodes, f"{data.order}|{name}") for name in NODES[:2])]


@projects("order.placed", "order.changed", touches=_order_rows)
def _order(event: Event, data: v.Order, books: Books) -> None:
    old = books.get(l.orders, data.order) or {}
    books.put(
        l.orders,
        data.order,
        event.seq,
        amount_minor=to_minor(data.amount, data.currency),
        currency=data.currency,
        lines=msgspec.to_builtins(data.lines) if data.lines else old.get("lines") or [],
        state=old.get("state") or "placed",
        **known(
            customer=data.customer,
            customer_name=data.customer_name,
            open_minor=None if data.open_amount is None else to_minor(data.open_amount, data.currency),
            ordered_on=data.ordered_on,
            due_on=data.due_on,
            payment_terms=data.payment_terms,
            contract=data.contract,
            quote=data.quote,
            invoice=data.invoice,
            salesperson=data.salesperson,
        ),
    )
    if data.quote:
        node(event, books, data.order, NODES[0], data.salesperson)
    if data.contract:
        node(event, books, data.order, NODES[1], data.salesperson)
    link(event, books, "order", data.order, data.record)


@projects("order.cancelled", touches=lambda data: [(l.orders, data.order)])
def _order_cancelled(event: Event, data: v.OrderCancelled, books: Books) -> None:
    if books.get(l.orders, data.order) is None:
        return
    books.put(l.orders, data.order, event.seq, state="cancelled")
    for receivable in books.find(l.receivables, order=data.order, state="open"):
        if receivable["paid_minor"] == 0:
            books.put(l.receivables, receivable["id"], event.seq, state="cancelled")


def _about(data: v.ActionResult) -> Iterable[Place]:
    kind, _, ours = (data.about or "").partition(":")
    return [(l.links, link_id(data.connection, kind, ours))] if ours else ()


@projects("action.done", touches=_about)
def _action_done(event: Event, data: v.ActionResult, books: Books) -> None:
    """What we had made at a vendor is linked to ours, so that the next write finds it."""
    kind, _, ours = (data.about or "").partition(":")
    creates = data.what.partition(".")[2] == "create" and kind == data.what.partition(".")[0]
    if ours and creates:
        link(event, books, kind, ours, data.record, connection=data.connection)


@projects("shipment.changed")
def _shipment(event: Event, data: v.Shipment, books: Books) -> None:
    node(event, books, data.order, NODES[3])
