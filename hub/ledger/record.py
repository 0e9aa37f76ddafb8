"""Recording facts: the one place where an event enters the tenant's record, its ledger and its outbox, in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from hub.bus.envelope import decode_data, encode_data
from hub.core.event import Event
from hub.ledger import deals as _deals  # noqa: F401 - each module registers its projectors
from hub.ledger import money as _money  # noqa: F401
from hub.ledger import statements as _statements  # noqa: F401
from hub.ledger import stock as _stock  # noqa: F401
from hub.ledger.books import Books
from hub.ledger.projectors import PROJECTORS
from hub.store import tables as t
from hub.store.among import among
from hub.store.bulk import insert_rows
from hub.store.work import Work

_CHUNK = 500
_KNOWN = sa.select(t.events.c.id).where(t.events.c.tenant == sa.bindparam("tenant"), among(t.events.c.id, "ids"))


def record(work: Work, facts: Sequence[Event]) -> list[Event]:
    """Record these facts in this order and return those that are new, numbered.

    A fact whose id is already recorded is left out, which is what makes replaying harmless. Numbers follow commits: the
    tenant's record is locked from here to the commit, so an event's number tells what was known when it was recorded.
    """
    distinct = {fact.id: fact for fact in facts}
    if not distinct:
        return []
    first = work.take_numbers(len(distinct))
    known = _already(work, list(distinct))
    now = work.clock.now()
    new = [
        msgspec.structs.replace(fact, seq=first + place, recorded_at=now)
        for place, fact in enumerate(fact for fact in distinct.values() if fact.id not in known)
    ]
    if not new:
        return []
    books = Books(work.connection, work.tenant)
    apply_all(new, books)
    books.flush()
    insert_rows(work.connection, t.events, [_row(fact) for fact in new])
    insert_rows(work.connection, t.outbox, [{"tenant": work.tenant, "seq": fact.seq} for fact in new])
    work.ring("outbox")
    return new


def apply_all(facts: Sequence[Event], books: Books) -> None:
    """Change the books by these facts, in order."""
    books.fetch(place for fact in facts if (projector := PROJECTORS.get(fact.type)) for place in projector.touches(fact.data))
    for fact in facts:
        projector = PROJECTORS.get(fact.type)
        if projector is not None:
            projector.apply(fact, fact.data, books)


def _already(work: Work, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        found.update(work.connection.execute(_KNOWN, {"tenant": work.tenant, "ids": ids[start : start + _CHUNK]}).scalars())
    return found


def _row(fact: Event) -> dict[str, object]:
    return {
        "tenant": fact.tenant,
        "seq": fact.seq,
        "id": fact.id,
        "type": fact.type,
        "version": fact.version,
        "source": fact.source,
        "subject": fact.subject,
        "key": fact.key,
        "time": fact.time,
        "recorded_at": fact.recorded_at,
        "cause": fact.cause,
        "trace": fact.trace,
        "data": encode_data(fact.data).decode(),
    }


def row_event(row: Any) -> Event:
    """The event a row holds."""
    values = dict(row)
    values["data"] = decode_data(values["type"], values["data"].encode())
    return Event(**values)


def events_of(work: Work, *, after: int = 0, limit: int = 1000, seqs: Iterable[int] | None = None) -> list[Event]:
    """The tenant's events by number: those after `after`, or the ones named."""
    query = sa.select(t.events).where(t.events.c.tenant == work.tenant)
    query = query.where(t.events.c.seq > after) if seqs is None else query.where(t.events.c.seq.in_(list(seqs)))
    return [row_event(row) for row in work.connection.execute(query.order_by(t.events.c.seq).limit(limit)).mappings()]
