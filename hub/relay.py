"""From the outbox to the bus: every recorded fact is published, in order, and forgotten only once the bus has it."""

from __future__ import annotations

import sqlalchemy as sa

from hub.bus import Bus
from hub.bus.envelope import Envelope, encode
from hub.core.steps import reached
from hub.ledger.record import row_event
from hub.store import tables as t
from hub.store.sql import Store

_AT_ONCE = 500


class Relay:
    """Publishes what was recorded. One relay is active per database, so a tenant's facts leave in their order."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus

    def run_once(self, limit: int = _AT_ONCE) -> int:
        """Publish up to `limit` facts; returns how many. A crash in between publishes some of them twice, never less."""
        places, envelopes = self._waiting(limit)
        if not places:
            return 0
        self._bus.publish(envelopes)
        reached("relay.published")
        with self._store.write_transaction() as connection:
            connection.execute(t.outbox.delete().where(t.outbox.c.place.in_(places)))
        reached("relay.forgotten")
        return len(places)

    def _waiting(self, limit: int) -> tuple[list[int], list[Envelope]]:
        query = (
            sa.select(t.outbox.c.place, t.events)
            .join(t.events, sa.and_(t.events.c.tenant == t.outbox.c.tenant, t.events.c.seq == t.outbox.c.seq))
            .order_by(t.outbox.c.place)
            .limit(limit)
        )
        places: list[int] = []
        envelopes: list[Envelope] = []
        with self._store.read_transaction() as connection:
            for row in connection.execute(query).mappings():
                values = dict(row)
                places.append(values.pop("place"))
                envelopes.append(encode(row_event(values)))
        return places, envelopes
