"""What follows from a match: which receivables it settled, and who should hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from hub.core import vocabulary as v
from hub.core.event import Event, following
from hub.core.money import from_minor
from hub.ledger.record import record
from hub.store import ledger_tables as l
from hub.store.work import Work

NAME = "payments"


def tell_settled(work: Work, accepted: Sequence[Event]) -> None:
    """Say which receivables these matches settled, and whether the whole order is paid with them."""
    shares = [(fact, share) for fact in accepted if isinstance(fact.data, v.MatchAccepted) for share in fact.data.shares]
    orders = sorted({share.order for _, share in shares})
    rows: dict[str, Any] = {}
    for start in range(0, len(orders), 400):
        query = sa.select(l.receivables).where(
            l.receivables.c.tenant == work.tenant, l.receivables.c.order.in_(orders[start : start + 400])
        )
        rows |= {row["id"]: row for row in work.connection.execute(query).mappings()}
    still_open = {row["order"] for row in rows.values() if row["state"] == "open"}
    people = _salespeople(work, orders)
    told = []
    for fact, share in shares:
        row = rows[share.receivable]
        if row["state"] == "settled":
            told.append(_settlement(fact, share, row, people.get(share.order), order_settled=share.order not in still_open))
    record(work, told)


def _settlement(fact: Event, share: v.ShareOf, row: Any, order: Any, *, order_settled: bool) -> Event:
    data = v.ReceivableSettled(
        receivable=share.receivable,
        order=share.order,
        amount=from_minor(row["amount_minor"], row["currency"]),
        currency=row["currency"],
        customer=row["customer"],
        customer_name=row["customer_name"],
        receipt=fact.subject,
        label=row["label"],
        salesperson=order["salesperson"] if order else None,
        quote=order["quote"] if order else None,
        order_settled=order_settled,
    )
    return following(fact, "receivable.settled", by=NAME, subject=share.receivable, data=data, key=f"order:{share.order}")


def _salespeople(work: Work, orders: Sequence[str]) -> dict[str, Any]:
    columns = (l.orders.c.id, l.orders.c.salesperson, l.orders.c.quote)
    found: dict[str, Any] = {}
    for start in range(0, len(orders), 400):
        query = sa.select(*columns).where(l.orders.c.tenant == work.tenant, l.orders.c.id.in_(orders[start : start + 400]))
        found |= {row["id"]: row for row in work.connection.execute(query).mappings()}
    return found
