"""The statements of the embedded bus: what a broker does, as rows of `hub.store.bus_tables`.

A queue is held by one consumer at a time, under a lease that its process renews; so the rows need no mark of their own.
They are read in order, stay where they are while they are handled, and are deleted when they are acknowledged: whoever
holds the queue next finds what was not.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from hub.bus.topics import matches
from hub.store.among import among
from hub.store.bulk import insert_rows
from hub.store.bus_tables import bus_bindings, bus_messages, bus_queues
from hub.store.sql import Store

PROCESS = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
LEASE = 60_000  # milliseconds
_taken_over: set[tuple[str, str]] = set()  # queues that this process has once taken from a former one
_renewed: dict[str, float] = {}  # when the leases in a database were last renewed

_CHUNK = 500
_delete = bus_messages.delete().where(among(bus_messages.c.place, "gone"))
_columns = (bus_messages.c.place, bus_messages.c.routing_key, bus_messages.c.headers, bus_messages.c.body)
_due = (
    sa.select(*_columns)
    .where(bus_messages.c.queue == sa.bindparam("queue"), bus_messages.c.due > 0, bus_messages.c.due <= sa.bindparam("now"))
    .order_by(bus_messages.c.due, bus_messages.c.place)
    .limit(sa.bindparam("limit"))
)
_ready = (
    sa.select(*_columns)
    .where(bus_messages.c.queue == sa.bindparam("queue"), bus_messages.c.due == 0)
    .order_by(bus_messages.c.place)
    .limit(sa.bindparam("limit"))
)
_next_due = sa.select(sa.func.min(bus_messages.c.due)).where(
    bus_messages.c.queue == sa.bindparam("queue"), bus_messages.c.due > 0
)
_holder = sa.select(bus_queues.c.holder).where(bus_queues.c.name == sa.bindparam("queue"))
_stamp = sa.select(sa.func.max(bus_bindings.c.id), sa.func.count())


class Row(NamedTuple):
    """A message as it stands in the table."""

    place: int
    routing_key: str
    headers: dict[str, Any] | None
    body: bytes


class Reading(NamedTuple):
    """Messages to hand over; and in how many seconds the next one is due, where there is none now."""

    rows: list[Row]
    wait: float | None


class Routes:
    """Where a routing key leads; read again when the bindings have changed."""

    def __init__(self) -> None:
        self._stamp: tuple[Any, ...] = ()
        self._bindings: list[tuple[str, str, str]] = []
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    def refresh(self, connection: Connection) -> None:
        stamp = tuple(connection.execute(_stamp).one())
        if stamp != self._stamp:
            rows = connection.execute(sa.select(bus_bindings.c.exchange, bus_bindings.c.pattern, bus_bindings.c.queue))
            self._bindings = [(str(exchange), str(pattern), str(queue)) for exchange, pattern, queue in rows]
            self._known, self._stamp = {}, stamp

    def queues(self, exchange: str, routing_key: str) -> tuple[str, ...]:
        key = (exchange, routing_key)
        if key not in self._known:
            found = {q for e, pattern, q in self._bindings if e == exchange and matches(pattern, routing_key)}
            self._known[key] = tuple(sorted(found))
        return self._known[key]


class Rows:
    """A broker's work over one store. Each method is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> int:
        return int(self._store.clock.now().timestamp() * 1000)

    # --- queues and bindings -------------------------------------------------------------------------------------

    def declare(self, queue: str) -> None:
        if not self.exists(queue):
            with self._store.write_transaction() as connection:
                insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
                connection.execute(insert(bus_queues).values(name=queue).on_conflict_do_nothing())

    def exists(self, queue: str) -> bool:
        with self._store.read_transaction() as connection:
            return connection.execute(sa.select(bus_queues.c.name).where(bus_queues.c.name == queue)).first() is not None

    def bind(self, exchange: str, patterns: Iterable[tuple[str, str, bool]]) -> None:
        """Add (queue, pattern, True) and take away (queue, pattern, False), in one transaction and only where it is not so."""
        with self._store.read_transaction() as connection:
            there = {
                (str(queue), str(pattern))
                for queue, pattern in connection.execute(
                    sa.select(bus_bindings.c.queue, bus_bindings.c.pattern).where(bus_bindings.c.exchange == exchange)
                )
            }
        changes = [(queue, pattern, wanted) for queue, pattern, wanted in patterns if ((queue, pattern) in there) != wanted]
        if not changes:
            return
        with self._store.write_transaction() as connection:
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            for queue, pattern, wanted in changes:
                same = sa.and_(
                    bus_bindings.c.exchange == exchange, bus_bindings.c.pattern == pattern, bus_bindings.c.queue == queue
                )
                row = {"exchange": exchange, "pattern": pattern, "queue": queue}
                connection.execute(
                    insert(bus_bindings).values(row).on_conflict_do_nothing() if wanted else bus_bindings.delete().where(same)
                )

    def delete_queue(self, queue: str) -> None:
        with self._store.write_transaction() as connection:
            connection.execute(bus_messages.delete().where(bus_messages.c.queue == queue))
            connection.execute(bus_bindings.delete().where(bus_bindings.c.queue == queue))
            connection.execute(bus_queues.delete().where(bus_queues.c.name == queue))

    def purge(self, queue: str) -> int:
        with self._store.write_transaction() as connection:
            return int(connection.execute(bus_messages.delete().where(bus_messages.c.queue == queue)).rowcount)

    def count(self, queue: str) -> int:
        """How many messages are due."""
        ready = sa.select(sa.func.count()).where(bus_messages.c.queue == queue, bus_messages.c.due <= self.now())
        with self._store.read_transaction() as connection:
            return int(connection.execute(ready).scalar_one())

    # --- messages ------------------------------------------------------------------------------------------------

    def put(self, routes: Routes, messages: Sequence[tuple[str, str, bytes, dict[str, Any] | None]]) -> set[int]:
        """Store messages (exchange, routing key, body, headers) in every queue that wants them. Returns the places in
        `messages` of those that no queue took."""
        homeless: set[int] = set()
        rows: list[dict[str, Any]] = []
        with self._store.write_transaction() as connection:
            routes.refresh(connection)
            queues: dict[str, bool] = {}
            for number, (exchange, routing_key, body, headers) in enumerate(messages):
                if exchange:
                    targets = routes.queues(exchange, routing_key)
                else:
                    if routing_key not in queues:
                        queues[routing_key] = self._is_there(connection, routing_key)
                    targets = (routing_key,) if queues[routing_key] else ()
                if not targets:
                    homeless.add(number)
                due = int(headers.get("due", 0)) if headers else 0
                rows += [
                    {"queue": queue, "due": due, "routing_key": routing_key, "headers": headers, "body": body}
                    for queue in targets
                ]
            if rows:
                insert_rows(connection, bus_messages, rows)
                for queue in {row["queue"] for row in rows}:
                    self._store.bells.ring_on_commit(connection, bell(queue))
        return homeless

    @staticmethod
    def _is_there(connection: Connection, queue: str) -> bool:
        return connection.execute(sa.select(bus_queues.c.name).where(bus_queues.c.name == queue)).first() is not None

    def read(self, queue: str, limit: int, *, holder: str | None = None) -> Reading | None:
        """The next messages, those that were put off and are due before the others. `None` where the queue is not the holder's."""
        now = self.now()
        with self._store.read_transaction() as connection:
            if holder is not None and connection.execute(_holder, {"queue": queue}).scalar() != holder:
                return None
            upcoming = connection.execute(_next_due, {"queue": queue}).scalar()
            rows: list[Any] = []
            if upcoming is not None and upcoming <= now:
                rows += connection.execute(_due, {"queue": queue, "now": now, "limit": limit}).all()
            if len(rows) < limit:
                rows += connection.execute(_ready, {"queue": queue, "limit": limit - len(rows)}).all()
        wait = max(upcoming - now, 1) / 1000 if upcoming is not None and not rows else None
        return Reading([Row(*row) for row in rows], wait)

    def remove(self, queue: str, holder: str, places: Sequence[int]) -> bool:
        """Delete acknowledged messages; false, and nothing deleted, if the queue is another consumer's by now."""
        with self._store.write_transaction() as connection:
            if connection.execute(_holder, {"queue": queue}).scalar() != holder:
                return False
            self._delete(connection, places)
        return True

    def take_out(self, places: Sequence[int]) -> None:
        """Delete messages that were got one by one, without holding the queue."""
        with self._store.write_transaction() as connection:
            self._delete(connection, places)

    @staticmethod
    def _delete(connection: Connection, places: Sequence[int]) -> None:
        for start in range(0, len(places), _CHUNK):
            connection.execute(_delete, {"gone": places[start : start + _CHUNK]})

    # --- leases --------------------------------------------------------------------------------------------------

    def hold(self, queue: str, holder: str) -> bool:
        """Try to become the one consumer of the queue.

        The embedded hub is one process a database. So the first time a process wants a queue, a lease that another
        process left behind does not count, however long it would still run.
        """
        mark = (str(self._store.engine.url), queue)
        free = sa.or_(bus_queues.c.holder.is_(None), bus_queues.c.holder == holder, bus_queues.c.held_until < self.now())
        if mark not in _taken_over:
            free = sa.or_(free, bus_queues.c.holder.not_like(f"{PROCESS}:%"))
        mine = sa.and_(bus_queues.c.name == queue, free)
        with self._store.read_transaction() as connection:
            if connection.execute(sa.select(bus_queues.c.name).where(mine)).first() is None:
                return False  # a consumer that stands by asks often, and must not write each time
        with self._store.write_transaction() as connection:
            values = {"holder": holder, "held_until": self.now() + LEASE}
            taken = connection.execute(bus_queues.update().where(mine).values(values)).rowcount == 1
        _taken_over.add(mark)
        return taken

    def renew(self) -> None:
        """Keep every queue that this process holds: one statement for all of them, and only now and then."""
        database = str(self._store.engine.url)
        if time.monotonic() - _renewed.get(database, 0.0) < LEASE / 3000:
            return
        _renewed[database] = time.monotonic()
        with self._store.write_transaction() as connection:
            ours = bus_queues.c.holder.like(f"{PROCESS}:%")
            connection.execute(bus_queues.update().where(ours).values(held_until=self.now() + LEASE))

    def release(self, queue: str, holder: str) -> None:
        with self._store.write_transaction() as connection:
            connection.execute(
                bus_queues.update().where(bus_queues.c.name == queue, bus_queues.c.holder == holder).values(holder=None)
            )
            self._store.bells.ring_on_commit(connection, bell(queue))


def bell(queue: str) -> str:
    """The bell that wakes whoever waits for this queue."""
    return f"bus {queue}"
