"""Dropping the ledger and making it again from the events, and the hash that shows it is the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import sqlalchemy as sa

from hub.ledger.books import Books
from hub.ledger.record import apply_all, events_of
from hub.store.ledger_tables import LEDGER
from hub.store.work import Work

_AT_ONCE = 1000


def state_hash(work: Work) -> str:
    """SHA-256 over every ledger row of the tenant, in a fixed order and a form that both databases share."""
    digest = hashlib.sha256()
    for table in sorted(LEDGER, key=lambda table: table.name):
        digest.update(table.name.encode())
        columns = sorted(table.columns, key=lambda column: column.name)
        query = sa.select(*columns).where(table.c.tenant == work.tenant)
        rows = work.connection.execute(query.execution_options(yield_per=_AT_ONCE))
        # Sorted here and not by the database, whose collations differ.
        for line in sorted(msgspec.json.encode(list(row), order="deterministic") for row in rows):
            digest.update(line)
    return digest.hexdigest()


def rebuild(work: Work, progress: Callable[[int], None] = lambda done: None) -> str:
    """Drop the tenant's ledger and apply every event again, in the order they were recorded. Returns the new state hash."""
    work.take_numbers(0)  # nobody records while we replay
    for table in reversed(LEDGER):
        work.connection.execute(table.delete().where(table.c.tenant == work.tenant))
    after, done = 0, 0
    while facts := events_of(work, after=after, limit=_AT_ONCE):
        books = Books(work.connection, work.tenant)
        apply_all(facts, books)
        books.flush()
        after = facts[-1].seq
        done += len(facts)
        progress(done)
    return state_hash(work)
