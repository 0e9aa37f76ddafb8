"""Raw in: everything that arrives is kept as it came, and only then answered.

Webhooks that arrive at the same time share one commit: a writer thread takes whatever has gathered, stores it in one
transaction and answers all of them. A page of a poll or a file is stored by its own caller, in one commit with its cursor.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DataError, IntegrityError

from hub.core.errors import Malformed, Problem, Unavailable
from hub.core.event import Raw
from hub.core.steps import reached
from hub.store import tables as t
from hub.store.bulk import as_json, selected
from hub.store.outage import passes
from hub.store.sql import Store
from hub.store.work import insert_new

log = structlog.get_logger("intake")

_AT_ONCE = 400
_IN_A_STATEMENT = 100


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a raw: new, the same as before, or another body under a key we know."""

    id: str
    kind: Literal["new", "duplicate", "conflict"]


def keep(connection: Connection, raws: Sequence[Raw]) -> list[Stored]:
    """Store stamped raws in this transaction and put the new ones into the inbox."""
    keep_new = _keep_new_in_sqlite if connection.dialect.name == "sqlite" else _keep_new_in_postgresql
    stored: list[Stored] = []
    for start in range(0, len(raws), _IN_A_STATEMENT):
        some = raws[start : start + _IN_A_STATEMENT]
        new = keep_new(connection, some)
        for raw in some:
            if raw.id in new:
                new.remove(raw.id)  # the same thing may have come twice in one batch
                stored.append(Stored(id=raw.id, kind="new"))
            else:
                stored.append(_keep_one(connection, raw))
    return stored


# The common case, that all of them are new, is one statement and not one a row: a thread gives its turn away with every row
# and gets it back late where another thread reads requests.


def _keep_new_in_sqlite(connection: Connection, raws: Sequence[Raw]) -> set[str]:
    """Store them where all are new; the ids of those that were stored, which is all or none."""
    statement, inbox = _sqlite_statements(len(raws))
    values: list[Any] = []
    for raw in raws:
        values += _values(raw, raw.received_at.astimezone(UTC).isoformat(timespec="microseconds"))
    try:
        connection.exec_driver_sql(statement, tuple(values))  # SQLite takes back the whole statement where one row is known
    except IntegrityError:
        return set()
    connection.exec_driver_sql(inbox, tuple(value for raw in raws for value in (raw.tenant, raw.id)))
    return {raw.id for raw in raws}


def _keep_new_in_postgresql(connection: Connection, raws: Sequence[Raw]) -> set[str]:
    """Store those that are new; their ids."""
    rows = [dict(zip(_COLUMNS, _values(raw, raw.received_at), strict=True)) for raw in raws]
    return set(connection.exec_driver_sql(_postgresql_statement(connection.dialect), (as_json(rows),)).scalars())


_COLUMNS = ("tenant", "id", "connection", "stream", "key", "digest", "door", "headers", "body", "received_at")


@cache
def _sqlite_statements(count: int) -> tuple[str, str]:
    row = f"({','.join('?' * len(_COLUMNS))})"
    return (
        f"INSERT INTO raws ({','.join(_COLUMNS)}) VALUES {','.join([row] * count)}",  # noqa: S608 - our own names
        f"INSERT INTO inbox (tenant, raw) VALUES {','.join(['(?,?)'] * count)}",  # noqa: S608
    )


@cache
def _postgresql_statement(dialect: Dialect) -> str:
    return (
        f"WITH new AS (INSERT INTO raws ({','.join(_COLUMNS)}) {selected(dialect, t.raws, _COLUMNS)} "  # noqa: S608
        "ON CONFLICT DO NOTHING RETURNING tenant, id), "
        "waiting AS (INSERT INTO inbox (tenant, raw) SELECT tenant, id FROM new) SELECT id FROM new"
    )


def _values(raw: Raw, received_at: datetime | str) -> tuple[Any, ...]:
    headers = msgspec.json.encode(raw.headers).decode()
    return (
        raw.tenant, raw.id, raw.connection, raw.stream, raw.key, raw.digest, raw.door, headers, raw.body, received_at,
    )  # fmt: skip


def _keep_one(connection: Connection, raw: Raw) -> Stored:
    first = (
        sa.select(t.raws.c.id, t.raws.c.digest)
        .where(t.raws.c.tenant == raw.tenant, t.raws.c.connection == raw.connection, t.raws.c.key == raw.key)
        .order_by(t.raws.c.conflict)
    )
    known = connection.execute(first).all()
    if not known:
        if connection.execute(insert_new(connection, t.raws).values(**_row(raw, conflict=False))).rowcount:
            connection.execute(t.inbox.insert().values(tenant=raw.tenant, raw=raw.id))
            return Stored(id=raw.id, kind="new")
        known = connection.execute(first).all()  # another process stored it between the two statements
    if any(row.digest == raw.digest for row in known):
        connection.execute(
            t.duplicates.insert().values(tenant=raw.tenant, connection=raw.connection, raw=raw.id, received_at=raw.received_at)
        )
        return Stored(id=raw.id, kind="duplicate")
    _keep_conflict(connection, raw, first_id=known[0].id)
    return Stored(id=raw.id, kind="conflict")


def _row(raw: Raw, *, conflict: bool) -> dict[str, Any]:
    return {name: getattr(raw, name) for name in _COLUMNS} | {"conflict": conflict}


def _keep_conflict(connection: Connection, raw: Raw, *, first_id: str) -> None:
    if not connection.execute(insert_new(connection, t.raws).values(**_row(raw, conflict=True))).rowcount:
        return
    reason = {
        "code": "conflict",
        "happened": "another body came under a key that is known",
        "next": "compare the two; replay this one if it is the right one",
        "about": {"key": raw.key, "first": first_id},
    }
    connection.execute(
        t.outcomes.insert().values(
            tenant=raw.tenant, raw=raw.id, connection=raw.connection, kind="parked", rule="conflict", reason=reason, events=0,
            at=raw.received_at,
        )
    )  # fmt: skip


class Intake:
    """The door's way into the store: many requests, one commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        self._arrived = threading.local()  # what came in this turn of the thread's event loop
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._write, name="intake", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what has gathered, then stop."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    async def submit(self, raws: Sequence[Raw]) -> list[Stored]:
        """Store stamped raws durably. Returns once they are committed; raises `Unavailable` where they are not."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Stored]] = loop.create_future()
        arrived: list[_Waiting] | None = getattr(self._arrived, "waiting", None)
        if arrived is None:
            # Handed over at the end of the turn, so that what arrived together is woken for, and committed, together.
            arrived = self._arrived.waiting = []
            loop.call_soon(self._hand_over)
        arrived.append(_Waiting(raws, future, loop))
        return await future

    def _hand_over(self, before: int = 0) -> None:
        """Give the writer what has arrived; on SQLite once a turn of the event loop has brought nothing more.

        SQLite commits on this process's own time, so few large commits are cheapest. PostgreSQL works beside us, and gets
        its work at once.
        """
        arrived = self._arrived.waiting
        if self._store.embedded and before < len(arrived) < _AT_ONCE:
            asyncio.get_running_loop().call_soon(self._hand_over, len(arrived))
            return
        self._waiting.put(arrived)
        self._arrived.waiting = None

    def store(self, raws: Sequence[Raw]) -> list[Stored]:
        """Store stamped raws now, in a commit of their own."""
        with self._store.write_transaction() as connection:
            stored = keep(connection, raws)
            self._store.bells.ring_on_commit(connection, "inbox")
        return stored

    def _write(self) -> None:
        while (gathered := self._waiting.get()) is not None:
            stop = False
            while len(gathered) < _AT_ONCE and not stop:
                try:
                    more = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stop = True
                else:
                    gathered += more
            self._commit(gathered)
            if stop:
                return

    def _commit(self, gathered: list[_Waiting]) -> None:
        """Store and answer all of them, whatever happens: this thread is the only one that does."""
        results: list[list[Stored] | Problem]
        try:
            results = [*self._keep(gathered)]
        except Exception as error:
            if isinstance(error, Unavailable):
                results = [_unavailable(error)] * len(gathered)
            else:  # a broken connection or one bad delivery: its neighbours must not suffer from it
                results = [self._keep_alone(waiting) for waiting in gathered]
        _answer(gathered, results)

    def _keep(self, gathered: Sequence[_Waiting]) -> list[list[Stored]]:
        with self._store.write_transaction() as connection:
            stored = iter(keep(connection, [raw for waiting in gathered for raw in waiting.raws]))
            results = [[next(stored) for _ in waiting.raws] for waiting in gathered]
            self._store.bells.ring_on_commit(connection, "inbox")
            reached("intake.before_commit")
        reached("intake.committed")
        return results

    def _keep_alone(self, waiting: _Waiting) -> list[Stored] | Problem:
        try:
            return self._keep([waiting])[0]
        except Exception as error:
            if passes(error):
                return _unavailable(error)
            if not isinstance(error, DataError | UnicodeError):
                log.exception("intake.defect")
                return _unavailable(error)
            return Malformed(
                happened="the delivery holds characters that cannot be stored", next="send plain Unicode text as its key"
            )


class _Waiting:
    __slots__ = ("future", "loop", "raws")

    def __init__(self, raws: Sequence[Raw], future: asyncio.Future[list[Stored]], loop: asyncio.AbstractEventLoop) -> None:
        self.raws, self.future, self.loop = raws, future, loop


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(
        happened=f"the delivery could not be stored ({type(error).__name__})", next="send it again; nothing of it was kept"
    )


def _answer(gathered: list[_Waiting], results: Sequence[list[Stored] | Problem]) -> None:
    """Wake the waiting requests, once for each event loop."""

    def wake(pairs: list[tuple[_Waiting, list[Stored] | Problem]]) -> None:
        for waiting, result in pairs:
            if waiting.future.done():
                continue  # the client went away; what it sent is stored all the same
            if isinstance(result, Problem):
                waiting.future.set_exception(result)
            else:
                waiting.future.set_result(result)

    loops = {waiting.loop for waiting in gathered}
    for loop in loops:
        pairs = [pair for pair in zip(gathered, results, strict=True) if pair[0].loop is loop]
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            loop.call_soon_threadsafe(wake, pairs)
