"""What a connector remembers for a while, such as an access token: sealed, for its connection only."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from hub.core.clock import Clock
from hub.crypto import Seal
from hub.store import tables as t
from hub.store.sql import Store


class Memory:
    """Short-lived values of every connection."""

    def __init__(self, store: Store, seal: Seal, clock: Clock) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock

    def recall(self, tenant: str, connection: str, name: str, bound_to: str) -> str | None:
        """The value, unless its time is over."""
        k = t.tokens.c
        query = sa.select(k.sealed).where(*_place(tenant, connection, name), k.until > self._clock.now())
        with self._store.read_transaction() as transaction:
            sealed = transaction.execute(query).scalar()
        return None if sealed is None else self._seal.open(sealed, bound_to=bound_to)

    def remember(self, tenant: str, connection: str, name: str, value: str, seconds: float, bound_to: str) -> None:
        """Keep the value for so long; 0 seconds forgets it."""
        with self._store.write_transaction() as transaction:
            transaction.execute(t.tokens.delete().where(*_place(tenant, connection, name)))
            if seconds > 0:
                transaction.execute(
                    t.tokens.insert().values(
                        tenant=tenant,
                        connection=connection,
                        name=name,
                        sealed=self._seal.seal(value, bound_to=bound_to),
                        until=self._clock.now() + timedelta(seconds=seconds),
                    )
                )


def _place(tenant: str, connection: str, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    k = t.tokens.c
    return (k.tenant == tenant, k.connection == connection, k.name == name)
