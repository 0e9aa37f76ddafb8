"""The desk of a tenant, kept in memory and brought up to date from the record before every use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from hub.core.money import from_minor
from hub.core.vocabulary import Customer
from hub.store import ledger_tables as l
from hub.store import tables as t
from hub.store.work import Work
from reconciliation.payments import Calibration, Decision, Desk, OpenItem, Payer, Policy, Refusal, Settled, remembered

# The facts that change what is open or what is known of payers.
_CHANGES = (
    "receivable.opened",
    "match.accepted",
    "match.rejected",
    "match.undone",
    "receipt.reversed",
    "order.cancelled",
    "customer.created",
    "customer.updated",
)
_START_AGAIN = ("match.undone", "receipt.reversed", "order.cancelled", "customer.updated")
_CHUNK = 400
ENGINE = "engine"


class _Kept(NamedTuple):
    """A desk, the last fact it knows, what it works by and what people have refused."""

    desk: Desk
    seen: int
    policy: Policy
    calibration: Calibration | None
    refused: frozenset[Refusal]


class Book:
    """One desk a tenant. Between two uses only what changed is read again; a withdrawal makes it start afresh."""

    def __init__(self) -> None:
        self._desks: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def desk(self, work: Work, policy: Policy, calibration: Calibration | None = None) -> Desk:
        """The desk as of this work's transaction."""
        with self._lock:
            kept = self._desks.get(work.tenant)
            changes = [] if kept is None else _changes(work, kept.seen)
            stale = kept is None or (kept.policy, kept.calibration) != (policy, calibration)
            if kept is None or stale or any(type_ in _START_AGAIN for _, type_ in changes):
                refused = _refusals(work)
                books = (_items(work), _payers(work), _customers(work), _settled(work), _in_order(refused))
                kept = _Kept(Desk(*books, policy=policy, calibration=calibration), _last(work), policy, calibration, refused)
            elif changes:
                _bring_up(kept.desk, work, [seq for seq, _ in changes])
                # Only a refusal, or an acceptance that may end one, changes what is refused.
                told = {type_ for _, type_ in changes}
                asks = "match.rejected" in told or ("match.accepted" in told and kept.refused)
                refused = _refusals(work) if asks else kept.refused
                for gone in _in_order(kept.refused - refused):
                    kept.desk.forgive(gone)
                for new in _in_order(refused - kept.refused):
                    kept.desk.refuse(new)
                kept = kept._replace(seen=changes[-1][0], refused=refused)
            self._desks[work.tenant] = kept
            return kept.desk

    def forget(self, tenant: str) -> None:
        """Read everything again next time: what was told to the desk was rolled back."""
        with self._lock:
            self._desks.pop(tenant, None)


def _last(work: Work) -> int:
    query = sa.select(sa.func.coalesce(sa.func.max(t.events.c.seq), 0)).where(t.events.c.tenant == work.tenant)
    return int(work.connection.execute(query).scalar_one())


def _changes(work: Work, after: int) -> list[tuple[int, str]]:
    query = sa.select(t.events.c.seq, t.events.c.type).where(
        t.events.c.tenant == work.tenant, t.events.c.seq > after, t.events.c.type.in_(_CHANGES)
    )
    return [(row.seq, row.type) for row in work.connection.execute(query.order_by(t.events.c.seq))]


def _bring_up(desk: Desk, work: Work, seqs: Sequence[int]) -> None:
    """Tell the desk of the rows that these events were the last to change."""
    for start in range(0, len(seqs), _CHUNK):
        some = seqs[start : start + _CHUNK]
        for item in _items(work, l.receivables.c.version.in_(some), any_state=True):
            if item.open > 0:
                desk.add(item)
            else:
                desk.remove(item.receivable)
        for customer in _customers(work, l.customers.c.version.in_(some)):
            desk.enrol(customer)
        for payer in _payers(work, l.payers.c.version.in_(some)):
            desk.learn(payer)


def _items(work: Work, *where: Any, any_state: bool = False) -> Iterator[OpenItem]:
    order = l.orders
    query = (
        sa.select(
            l.receivables,
            order.c.amount_minor.label("order_minor"),
            order.c.ordered_on,
            order.c.payment_terms,
        )
        .join_from(
            l.receivables,
            order,
            sa.and_(order.c.tenant == l.receivables.c.tenant, order.c.id == l.receivables.c.order),
            isouter=True,
        )
        .where(l.receivables.c.tenant == work.tenant, *where)
        .order_by(l.receivables.c.id)
    )
    if not any_state:
        query = query.where(l.receivables.c.state == "open")
    for row in work.connection.execute(query).mappings():
        yield _item(row)


def _item(row: Any) -> OpenItem:
    currency = row["currency"]
    still = row["amount_minor"] - row["paid_minor"] - row["difference_minor"] if row["state"] == "open" else 0
    return OpenItem(
        receivable=row["id"],
        order=row["order"],
        amount=from_minor(row["amount_minor"], currency),
        open=from_minor(still, currency),
        currency=currency,
        customer=row["customer"],
        customer_name=row["customer_name"],
        contract=row["contract"],
        invoice=row["invoice"],
        ordered_on=row["ordered_on"],
        due_on=row["due_on"],
        label=row["label"],
        percent=row["percent"],
        position=row["position"],
        order_amount=None if row["order_minor"] is None else from_minor(row["order_minor"], currency),
    )


def _payers(work: Work, *where: Any) -> Iterator[Payer]:
    query = sa.select(l.payers).where(l.payers.c.tenant == work.tenant, *where).order_by(l.payers.c.id)
    for row in work.connection.execute(query).mappings():
        yield Payer(
            name=row["name"] or "",
            customer=row["customer"],
            account=row["account"],
            times=row["times"],
            last_seen=row["last_seen"],
        )


def _customers(work: Work, *where: Any) -> Iterator[Customer]:
    query = sa.select(l.customers).where(l.customers.c.tenant == work.tenant, *where).order_by(l.customers.c.id)
    for row in work.connection.execute(query).mappings():
        yield Customer(
            customer=row["id"],
            name=row["name"],
            tax_id=row["tax_id"],
            aliases=tuple(row["aliases"]),
            accounts=tuple(row["accounts"]),
        )


def _refusals(work: Work) -> frozenset[Refusal]:
    """What people have refused and nobody has accepted since."""
    m, r = l.matches.c, l.receipts.c
    refused = sa.select(m.customer).where(m.tenant == work.tenant, m.state == "rejected")
    query = (
        sa.select(l.matches, r.payer_name, r.payer_account, r.booked_on)
        .join_from(l.matches, l.receipts, sa.and_(r.tenant == m.tenant, r.id == m.receipt))
        .where(m.tenant == work.tenant, m.state.in_(("rejected", "accepted")), m.by != ENGINE, m.customer.in_(refused))
        .order_by(m.version, m.id)
    )
    decisions = [
        Decision(
            kind=row["state"],
            match=row["id"],
            on=row["decided_on"] or row["booked_on"],
            by=row["by"],
            customer=row["customer"],
            payer_name=row["payer_name"],
            payer_account=row["payer_account"],
            orders=tuple(sorted({share["order"] for share in row["shares"]})),
            booked_on=row["booked_on"],
            reason=row["reason"],
        )
        for row in work.connection.execute(query).mappings()
    ]
    return frozenset(remembered(decisions).refusals)


def _in_order(refusals: Iterable[Refusal]) -> list[Refusal]:
    return sorted(refusals, key=lambda one: (one.payer_name, one.payer_account or "", one.customer, one.on, one.orders))


def _settled(work: Work) -> Iterator[Settled]:
    query = sa.select(l.receivables).where(l.receivables.c.tenant == work.tenant, l.receivables.c.state == "settled")
    for row in work.connection.execute(query.order_by(l.receivables.c.id)).mappings():
        yield Settled(
            receivable=row["id"],
            order=row["order"],
            amount=from_minor(row["amount_minor"], row["currency"]),
            currency=row["currency"],
            customer=row["customer"],
            contract=row["contract"],
            invoice=row["invoice"],
        )
