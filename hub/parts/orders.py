"""An order is placed: what is to be paid for it is opened, one receivable an instalment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hub.core import vocabulary as v
from hub.core.event import Event, following
from hub.core.money import from_minor, to_minor
from hub.core.outcome import DONE, Outcome
from hub.ledger.record import record
from hub.store.work import Work
from hub.subscribers import Subscriber
from reconciliation.payments.orders import instalments

NAME = "orders"


def receivables_of(order: v.Order) -> list[v.ReceivableOpened]:
    """The instalments of an order that are still open.

    Where part of the order is paid already (`open_amount`), the earliest instalments count as paid first.
    """
    total = to_minor(order.amount, order.currency)
    paid = 0 if order.open_amount is None else max(0, total - to_minor(order.open_amount, order.currency))
    opened = []
    parts = instalments(order.amount, order.currency, order.payment_terms)
    for position, (label, percent, amount) in enumerate(parts, start=1):
        minor = to_minor(amount, order.currency)
        used = min(paid, minor)
        paid -= used
        if minor - used > 0:
            opened.append(
                v.ReceivableOpened(
                    receivable=f"{order.order}/{position}",
                    order=order.order,
                    amount=from_minor(minor - used, order.currency),
                    currency=order.currency,
                    customer=order.customer,
                    customer_name=order.customer_name,
                    due_on=_due(order, position, len(parts)),
                    position=position,
                    label=label,
                    percent=percent,
                    invoice=order.invoice,
                    contract=order.contract,
                )
            )
    return opened


def _due(order: v.Order, position: int, parts: int) -> date | None:
    """A deposit is due with the order, the last instalment when the order is."""
    return order.due_on if position == parts else order.ordered_on or order.due_on


def open_receivables(facts: Sequence[Event], work: Work) -> list[Outcome]:
    opened = [
        following(fact, "receivable.opened", by=NAME, subject=one.receivable, data=one, key=fact.key)
        for fact in facts
        if isinstance(fact.data, v.Order)
        for one in receivables_of(fact.data)
    ]
    record(work, opened)
    return [DONE] * len(facts)


def subscriber(shards: int = 1) -> Subscriber:
    return Subscriber(name=NAME, patterns=("order.placed",), handle=open_receivables, shards=shards)
