"""From the outbox to the bus: every recorded fact is published, in order, and forgotten only once the bus has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from hub.bus import Bus
from hub.bus.envelope import Envelope, Letter, sealed
from hub.core.steps import reached
from hub.store import tables as t
from hub.store.among import among
from hub.store.sql import Store

_AT_ONCE = 500

# Made once: building a statement costs more than running it.
_NAMES = [column.name for column in t.events.columns]
_WAITING = (
    sa.select(t.outbox.c.place, t.events)
    .join(t.events, sa.and_(t.events.c.tenant == t.outbox.c.tenant, t.events.c.seq == t.outbox.c.seq))
    .order_by(t.outbox.c.place)
    .limit(sa.bindparam("most"))
)
_FORGET = t.outbox.delete().where(among(t.outbox.c.place, "places"))


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
            connection.execute(_FORGET, {"places": places})
        reached("relay.forgotten")
        return len(places)

    def _waiting(self, limit: int) -> tuple[list[int], list[Envelope]]:
        with self._store.read_transaction() as connection:
            rows = connection.execute(_WAITING, {"most": limit}).all()
        return [row[0] for row in rows], [sealed(_letter(row[1:])) for row in rows]


def _letter(values: Sequence[Any]) -> Letter:
    """The event a row holds, with its data as the text it was kept as."""
    named = dict(zip(_NAMES, values, strict=True))
    named["data"] = msgspec.Raw(named["data"].encode())
    return Letter(**named)
