"""What is only kept for a while: marks and counts whose use is over, so that an old hub is as quick as a new one.

Raws, events, outcomes and decisions are never tidied: they are the record.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from hub.store import tables as t
from hub.store.among import among
from hub.store.sql import Store

KEPT = {
    # A mark is needed for as long as its event can come again: from a queue, from the outbox, from a restored backup.
    t.seen: (t.seen.c.at, timedelta(days=60)),
    t.duplicates: (t.duplicates.c.received_at, timedelta(days=90)),
    # Whoever repeats a request does so within hours; a day is what callers are told.
    t.idempotency: (t.idempotency.c.at, timedelta(days=7)),
}
REPUBLISHED = timedelta(days=14)
"""How far back a restored backup tells its facts again; well within what `seen` remembers."""

_AT_ONCE = 2000


def tidy(store: Store) -> int:
    """Delete what is older than it is kept for, some rows at a time so that nobody waits. Returns how many rows."""
    return sum(_tidy_table(store, table, stamp, store.clock.now() - kept) for table, (stamp, kept) in KEPT.items())


def _tidy_table(store: Store, table: sa.Table, stamp: sa.Column[object], before: object) -> int:
    keys = list(table.primary_key)
    gone = 0
    while True:
        with store.read_transaction() as connection:
            rows = connection.execute(sa.select(*keys).where(stamp < before).order_by(*keys).limit(_AT_ONCE)).all()
        with store.write_transaction() as connection:
            for tenant_and_more in {tuple(row[:-1]) for row in rows}:
                last = [row[-1] for row in rows if tuple(row[:-1]) == tenant_and_more]
                same = [key == value for key, value in zip(keys[:-1], tenant_and_more, strict=True)]
                connection.execute(table.delete().where(*same, among(keys[-1], last)))
        gone += len(rows)
        if len(rows) < _AT_ONCE:
            return gone
