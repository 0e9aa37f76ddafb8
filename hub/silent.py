"""Contracts that have been silent for a while are asked for, because a callback may have been missed.

An e-sign platform lists no flows; each contract that has not ended is asked for by the platform's id that we linked to it.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from hub.core.connector import Refetches
from hub.intake import keep
from hub.registry import Opened
from hub.store import ledger_tables as l
from hub.store import tables as t
from hub.store.sql import Store

_OPEN = ("draft", "sent", "viewed", "partly_signed")
SILENT_FOR = timedelta(hours=1)
_AT_ONCE = 20


def silent_contracts(store: Store, tenant: str, connection: str, *, silent_for: timedelta = SILENT_FOR) -> list[tuple[str, str]]:
    """Our number and the platform's id of contracts that have not ended and of which nothing was heard, the longest silent first."""
    query = (
        sa.select(l.contracts.c.id, l.links.c.record)
        .join(
            l.links,
            sa.and_(l.links.c.tenant == l.contracts.c.tenant, l.links.c.kind == "contract", l.links.c.ours == l.contracts.c.id),
        )
        # A row's version is the number of the event that changed it last: that event's time is when we last heard.
        .join(t.events, sa.and_(t.events.c.tenant == l.contracts.c.tenant, t.events.c.seq == l.contracts.c.version))
        .where(
            l.contracts.c.tenant == tenant,
            l.links.c.connection == connection,
            l.contracts.c.status.in_(_OPEN),
            t.events.c.recorded_at < store.clock.now() - silent_for,
        )
        .order_by(t.events.c.seq)
        .limit(_AT_ONCE)
    )
    with store.read_transaction() as transaction:
        return [(row.id, row.record) for row in transaction.execute(query)]


def ask_for_silent(store: Store, opened: Opened, *, silent_for: timedelta = SILENT_FOR) -> int:
    """Ask for them and keep what is told; returns how many told something new. Raises the vendor's problem."""
    if not isinstance(opened.connector, Refetches):
        return 0
    where, new = opened.connection, 0
    for contract, record in silent_contracts(store, where.tenant, where.id, silent_for=silent_for):
        now = store.clock.now()
        raw = opened.connector.refetch(record, contract=contract)
        raw = raw.stamped(tenant=where.tenant, connection=where.id, door="poll", received_at=now)
        with store.write_transaction() as transaction:
            known = sa.select(t.raws.c.id).where(t.raws.c.tenant == where.tenant, t.raws.c.id == raw.id)
            if transaction.execute(known).first() is None:
                new += keep(transaction, [raw])[0].kind == "new"
                store.bells.ring_on_commit(transaction, "inbox")
    return new
