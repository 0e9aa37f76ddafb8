"""The vendor-neutral vocabulary: every event type, its typed data and its version.

Amounts are decimals in the unit of `currency`; quantities are decimals in the product's base unit; a day is a `date` in
the tenant's zone. `record` is the vendor's id of the thing in the connection that told us; the ledger keeps it as a
link, so that we can write back to the same record.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of every event's data."""

    __version__: ClassVar[int] = 1


F = TypeVar("F", bound=type[Fact])
VOCABULARY: dict[str, type[Fact]] = {}


def _fact(*types: str) -> Callable[[F], F]:
    def register(cls: F) -> F:
        for type_ in types:
            VOCABULARY[type_] = cls
        return cls

    return register


# --- parts -------------------------------------------------------------------------------------------------------


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a quote or an order."""

    sku: str
    quantity: Decimal
    name: str | None = None
    unit_price: Decimal | None = None
    need_by: date | None = None
    warehouse: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A quantity taken from one warehouse on one day."""

    warehouse: str
    quantity: Decimal
    on: date | None = None


class PromisedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What can be promised for one line: how much by when it is needed, the day all of it is there, what lacks until then."""

    sku: str
    quantity: Decimal
    available: Decimal
    short: Decimal
    promise_date: date | None = None
    parts: tuple[Part, ...] = ()
    as_of: datetime | None = None
    stale: bool = False
    source: str | None = None


class ShareOf(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Part of a receipt given to a receivable. `difference` is what the receivable is settled short or over by, and `booked_as` why."""

    receivable: str
    order: str
    amount: Decimal
    difference: Decimal = Decimal(0)
    booked_as: str | None = None


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One piece of evidence: which ladder, which rung, its weight in bits, the words for a person and where in the text it stands."""

    ladder: str
    level: str
    weight: float
    says: str
    span: tuple[int, int] | None = None


class RunnerUp(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A set of shares that lost, how likely it was and why it lost, in both languages."""

    shares: tuple[ShareOf, ...]
    probability: float
    lost_because: str
    lost_because_en: str = ""


class Remittance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One document that the payer says it pays, and how much of it (structured remittance, ISO 20022 `Strd`)."""

    reference: str
    amount: Decimal | None = None


class Supply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one warehouse has of one product, in the product's base unit.

    `reserved` is demand that is already promised (hard and soft). `incoming` are later changes by day: receipts are
    positive, demand that falls due later is negative.
    """

    sku: str
    warehouse: str
    on_hand: Decimal
    reserved: Decimal = Decimal(0)
    incoming: tuple[tuple[date, Decimal], ...] = ()
    as_of: datetime | None = None
    source: str | None = None


# --- customers, leads, opportunities -----------------------------------------------------------------------------


@_fact("lead.created", "lead.updated")
class Lead(Fact, frozen=True, kw_only=True):
    lead: str
    name: str | None = None
    company: str | None = None
    phone: str | None = None
    source: str | None = None
    owner: str | None = None
    record: str | None = None


@_fact("customer.created", "customer.updated")
class Customer(Fact, frozen=True, kw_only=True):
    customer: str
    name: str
    tax_id: str | None = None
    aliases: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    owner: str | None = None
    record: str | None = None


@_fact("opportunity.stage_changed")
class OpportunityStage(Fact, frozen=True, kw_only=True):
    opportunity: str
    stage: str
    customer: str | None = None
    amount: Decimal | None = None
    currency: str = "CNY"
    owner: str | None = None
    record: str | None = None


# --- quotes ------------------------------------------------------------------------------------------------------


@_fact("quote.requested")
class QuoteRequested(Fact, frozen=True, kw_only=True):
    quote: str
    lines: tuple[Line, ...]
    customer: str | None = None
    customer_name: str | None = None
    amount: Decimal | None = None
    currency: str = "CNY"
    payment_terms: str | None = None
    need_by: date | None = None
    salesperson: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    record: str | None = None


@_fact("quote.checked")
class QuoteChecked(Fact, frozen=True, kw_only=True):
    """`verdict` is `available` (all by the day it is needed), `later` (all, on `promise_date`) or `short` (never, as far as is known)."""

    quote: str
    verdict: str
    lines: tuple[PromisedLine, ...]
    promise_date: date | None = None
    as_of: datetime | None = None
    stale: bool = False
    summary: str = ""
    salesperson: str | None = None


@_fact("quote.approved")
class QuoteApproved(Fact, frozen=True, kw_only=True):
    quote: str
    approved_by: str | None = None
    record: str | None = None


# --- contracts ---------------------------------------------------------------------------------------------------


@_fact(
    "contract.created",
    "contract.sent",
    "contract.viewed",
    "contract.partly_signed",
    "contract.signed",
    "contract.declined",
    "contract.expired",
    "contract.revoked",
)
class Contract(Fact, frozen=True, kw_only=True):
    """`contract` is our number (e.g. the order or quote number given to the platform), `record` the platform's flow id."""

    contract: str
    title: str | None = None
    quote: str | None = None
    order: str | None = None
    customer: str | None = None
    signer: str | None = None
    organisation: str | None = None
    status: str | None = None
    reason: str | None = None
    record: str | None = None


# --- orders and receivables --------------------------------------------------------------------------------------


@_fact("order.placed", "order.changed")
class Order(Fact, frozen=True, kw_only=True):
    """`payment_terms` such as `30/70` are percentages of `amount`: deposit / balance. `open_amount` is what is still unpaid, if known."""

    order: str
    customer: str | None = None
    customer_name: str | None = None
    amount: Decimal
    currency: str = "CNY"
    open_amount: Decimal | None = None
    ordered_on: date | None = None
    due_on: date | None = None
    payment_terms: str | None = None
    contract: str | None = None
    quote: str | None = None
    invoice: str | None = None
    salesperson: str | None = None
    lines: tuple[Line, ...] = ()
    record: str | None = None


@_fact("order.cancelled")
class OrderCancelled(Fact, frozen=True, kw_only=True):
    order: str
    reason: str | None = None
    record: str | None = None


@_fact("receivable.opened")
class ReceivableOpened(Fact, frozen=True, kw_only=True):
    """One instalment of an order. `label` names it for people (`30 %`), `percent` is its part of the order."""

    receivable: str
    order: str
    amount: Decimal
    currency: str = "CNY"
    customer: str | None = None
    customer_name: str | None = None
    due_on: date | None = None
    position: int = 1
    label: str | None = None
    percent: Decimal | None = None
    invoice: str | None = None
    contract: str | None = None


@_fact("receivable.settled")
class ReceivableSettled(Fact, frozen=True, kw_only=True):
    """`order_settled` is true when nothing of the order is open any more."""

    receivable: str
    order: str
    amount: Decimal
    currency: str = "CNY"
    customer: str | None = None
    customer_name: str | None = None
    receipt: str | None = None
    label: str | None = None
    salesperson: str | None = None
    quote: str | None = None
    order_settled: bool = False


# --- money -------------------------------------------------------------------------------------------------------


@_fact("receipt.received")
class Receipt(Fact, frozen=True, kw_only=True):
    """Money that came in. `receipt` is derived from the account and the bank's own reference, or from the row's fingerprint.

    `remittances` are the documents that the payer says it pays. What the payer sent is `amount` + `charges`, or the original
    amount where that was in another currency. `ultimate_payer` is whose debt was paid, where somebody else sent the money.
    """

    receipt: str
    account: str | None = None
    booked_on: date
    value_on: date | None = None
    amount: Decimal
    currency: str = "CNY"
    payer_name: str | None = None
    payer_account: str | None = None
    payer_bank: str | None = None
    memo: str = ""
    reference: str | None = None
    bank_reference: str | None = None
    end_to_end_id: str | None = None
    balance: Decimal | None = None
    file: str | None = None
    row: int | None = None
    remittances: tuple[Remittance, ...] = ()
    ultimate_payer: str | None = None
    charges: Decimal | None = None
    original_amount: Decimal | None = None
    original_currency: str | None = None


@_fact("receipt.reversed")
class ReceiptReversed(Fact, frozen=True, kw_only=True):
    """`unplaced` says why it is not known which receipt is taken back; `receipt` is then an id of its own, which no receipt has."""

    receipt: str
    amount: Decimal
    currency: str = "CNY"
    booked_on: date | None = None
    reason: str | None = None
    bank_reference: str | None = None
    unplaced: str | None = None


@_fact("payout.sent")
class Payout(Fact, frozen=True, kw_only=True):
    """What a wallet or an acquirer sent on to a bank account: one credit at the bank for what many payers paid.

    `amount` arrives at the bank; `charges` were kept, so the wallet's balance fell by both. `account` is the wallet's, as on the
    receipts of its bills, `file` the bill that tells of it. `reference` is the number that the bank may repeat.
    """

    payout: str
    account: str | None = None
    sent_on: date
    amount: Decimal
    charges: Decimal | None = None
    currency: str = "CNY"
    to_name: str | None = None
    to_account: str | None = None
    memo: str = ""
    reference: str | None = None
    bank_reference: str | None = None
    file: str | None = None


@_fact("statement.read")
class StatementRead(Fact, frozen=True, kw_only=True):
    """`balanced` is true where opening + credits − debits = closing, false where not, and none where the file has no balances.

    `number` is the bank's own number of the statement. `not_booked` counts the entries that are no rows, by the status that says so.
    """

    statement: str
    format: str
    file: str
    account: str | None = None
    currency: str = "CNY"
    opening_balance: Decimal | None = None
    closing_balance: Decimal | None = None
    rows: int = 0
    credits: Decimal = Decimal(0)
    debits: Decimal = Decimal(0)
    from_day: date | None = None
    to_day: date | None = None
    balanced: bool | None = None
    number: str | None = None
    not_booked: dict[str, int] | None = None


# --- matches -----------------------------------------------------------------------------------------------------


@_fact("match.proposed")
class MatchProposed(Fact, frozen=True, kw_only=True):
    """The desk's answer for one receipt. `lane` is `auto`, `review` or `open`; `held_by` says in a short phrase why it is not automatic.

    `by` names the person whose own division waits for a second one; what the engine proposes has none.
    """

    match: str
    receipt: str
    lane: str
    probability: float
    shares: tuple[ShareOf, ...] = ()
    reasons: tuple[Reason, ...] = ()
    runners_up: tuple[RunnerUp, ...] = ()
    held_by: str | None = None
    held_code: str | None = None
    customer: str | None = None
    policy: str = ""
    by: str | None = None


@_fact("match.accepted")
class MatchAccepted(Fact, frozen=True, kw_only=True):
    match: str
    receipt: str
    currency: str = "CNY"
    shares: tuple[ShareOf, ...]
    by: str
    customer: str | None = None
    payer_name: str | None = None
    payer_account: str | None = None


@_fact("match.rejected")
class MatchRejected(Fact, frozen=True, kw_only=True):
    match: str
    receipt: str
    by: str
    reason: str | None = None
    shares: tuple[ShareOf, ...] = ()
    customer: str | None = None


@_fact("match.undone")
class MatchUndone(Fact, frozen=True, kw_only=True):
    match: str
    receipt: str
    by: str
    reason: str | None = None


# --- stock -------------------------------------------------------------------------------------------------------


@_fact("stock.changed")
class StockChanged(Fact, frozen=True, kw_only=True):
    """All that one connection knows of one product now, warehouse by warehouse; what is not named is gone."""

    sku: str
    supplies: tuple[Supply, ...]
    name: str | None = None
    as_of: datetime


@_fact("stock.reserved")
class StockReserved(Fact, frozen=True, kw_only=True):
    hold: str
    quote: str
    sku: str
    quantity: Decimal
    warehouse: str
    until: datetime
    on: date | None = None


@_fact("stock.released")
class StockReleased(Fact, frozen=True, kw_only=True):
    hold: str
    quote: str
    reason: str | None = None


# --- delivery, approvals, talk, tasks ----------------------------------------------------------------------------


@_fact("shipment.changed")
class Shipment(Fact, frozen=True, kw_only=True):
    shipment: str
    order: str | None = None
    status: str
    carrier: str | None = None
    tracking: str | None = None
    record: str | None = None


@_fact("approval.finished")
class Approval(Fact, frozen=True, kw_only=True):
    approval: str
    result: str
    about: str | None = None
    approver: str | None = None
    comment: str | None = None
    record: str | None = None


@_fact("message.received")
class MessageReceived(Fact, frozen=True, kw_only=True):
    """`kind` is `text` or `choice` (a button of card `task`). `reply_to` is what the vendor wants back to change that card, once."""

    message: str
    sender: str
    text: str = ""
    kind: str = "text"
    channel: str | None = None
    choice: str | None = None
    task: str | None = None
    reply_to: str | None = None


@_fact("message.delivered")
class MessageDelivered(Fact, frozen=True, kw_only=True):
    message: str
    to: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@_fact("call.ended")
class CallEnded(Fact, frozen=True, kw_only=True):
    call: str
    customer: str | None = None
    seconds: int = 0
    owner: str | None = None


@_fact("visit.planned")
class VisitPlanned(Fact, frozen=True, kw_only=True):
    visit: str
    on: date
    customer: str | None = None
    owner: str | None = None


@_fact("task.due")
class TaskDue(Fact, frozen=True, kw_only=True):
    task: str
    title: str
    due_at: datetime
    owner: str | None = None


@_fact("node.overdue")
class NodeOverdue(Fact, frozen=True, kw_only=True):
    node: str
    order: str
    owner: str | None = None
    due_at: datetime | None = None


# --- the hub about itself ----------------------------------------------------------------------------------------


@_fact("connection.failed", "connection.recovered")
class ConnectionState(Fact, frozen=True, kw_only=True):
    connection: str
    code: str | None = None
    happened: str | None = None
    next: str | None = None


@_fact("action.done", "action.failed")
class ActionResult(Fact, frozen=True, kw_only=True):
    """`state` is `done`, `failed` or `unknown` (the answer was lost); `record` is the vendor's id of what was made or changed."""

    action: str
    what: str
    connection: str
    state: str
    about: str | None = None
    record: str | None = None
    attempts: int = 1
    code: str | None = None
    happened: str | None = None
    next: str | None = None
    fields: dict[str, Any] = {}
