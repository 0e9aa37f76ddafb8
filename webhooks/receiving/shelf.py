"""The quarantine's place in the store: the newest of each connection, older ones make room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from hub.store import tables as t
from hub.store.sql import Store
from webhooks.receiving.quarantine import Quarantined


def keep_in(store: Store, *, newest: int = 1000) -> Callable[[Sequence[Quarantined]], None]:
    """Writes a batch in one commit and keeps the `newest` of each connection."""

    def keep(batch: Sequence[Quarantined]) -> None:
        with store.write_transaction() as connection:
            connection.execute(t.quarantine.insert(), [_row(item) for item in batch])
            for tenant, name in sorted({(item.tenant, item.connection) for item in batch}):
                of_it = (t.quarantine.c.tenant == tenant, t.quarantine.c.connection == name)
                places = sa.select(t.quarantine.c.place).where(*of_it).order_by(t.quarantine.c.place.desc())
                last = connection.execute(places.offset(newest).limit(1)).scalar()
                if last is not None:
                    connection.execute(t.quarantine.delete().where(*of_it, t.quarantine.c.place <= last))

    return keep


def _row(item: Quarantined) -> dict[str, object]:
    reason = dict(item.reason) | {"verdict": item.verdict, "method": item.method}
    if item.query:
        reason["query"] = item.query
    if item.bytes_left_out:
        reason["bytes_left_out"] = item.bytes_left_out
    return {
        "tenant": item.tenant,
        "connection": item.connection,
        "reason": reason,
        "headers": dict(item.headers),
        "body": item.body,
        "received_at": item.received_at,
    }
