"""The unit of work: one transaction of one tenant, and what may be written in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from hub.core.clock import Clock
from hub.core.event import Event
from hub.core.ids import derive
from hub.store import tables as t
from hub.store.bells import Bells

_NUMBERS = (
    t.tenants.update()
    .where(t.tenants.c.tenant == sa.bindparam("of"))
    .values(last_seq=t.tenants.c.last_seq + sa.bindparam("count", type_=sa.BigInteger))
    .returning(t.tenants.c.last_seq)
)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Something we ask of a vendor. `once` makes it the same request however often it is asked."""

    connection: str
    what: str
    fields: Mapping[str, Any]
    once: str
    about: str | None = None
    cause: str = ""
    trace: str = ""
    due_at: datetime | None = None
    most_attempts: int | None = None
    """Give up after so many; a question that is only useful now is asked once."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """An action as it lies in the queue."""

    tenant: str
    id: str
    connection: str
    what: str
    about: str | None
    fields: Mapping[str, Any]
    cause: str
    trace: str
    attempts: int
    most_attempts: int | None


class Work:
    """A transaction bound to a tenant. Only whoever opened it commits."""

    def __init__(self, connection: Connection, tenant: str, clock: Clock, bells: Bells) -> None:
        self.connection = connection
        self.tenant = tenant
        self.clock = clock
        self._bells = bells

    def take_numbers(self, count: int) -> int:
        """The first of `count` new event numbers. Locks the tenant's record until the commit, so numbers follow commits."""
        last = self.connection.execute(_NUMBERS, {"of": self.tenant, "count": count}).scalar_one()
        return int(last) - count + 1

    def ask(self, asked: Sequence[Ask], *, cause: Event | None = None) -> list[str]:
        """Queue actions; one that was asked before is not asked again. Returns their ids."""
        now = self.clock.now()
        rows = [
            {
                "tenant": self.tenant,
                "id": derive("act", self.tenant, ask.connection, ask.what, ask.once),
                "connection": ask.connection,
                "what": ask.what,
                "about": ask.about,
                "fields": dict(ask.fields),
                "cause": ask.cause or (cause.id if cause else ""),
                "trace": ask.trace or (cause.trace if cause else ""),
                "state": "waiting",
                "attempts": 0,
                "most_attempts": ask.most_attempts,
                "due_at": ask.due_at or now,
                "asked_at": now,
            }
            for ask in asked
        ]
        if rows:
            self.connection.execute(insert_new(self.connection, t.actions), rows)
            self.ring("actions")
        return [str(row["id"]) for row in rows]

    def ring(self, bell: str) -> None:
        """Wake whoever waits for this bell, once the transaction is committed."""
        self._bells.ring_on_commit(self.connection, bell)


def insert_new(connection: Connection, table: sa.Table) -> Any:
    """An INSERT that leaves out the rows whose key is already there."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()
