"""Asks connectors for pages: the second door, on the same path.

A page and the cursor after it are one commit, so stopping after any page loses nothing and doubles nothing.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from hub.core.connector import Cursor, Page, Probes, Pulls
from hub.core.errors import Invalid, Problem, VendorFault
from hub.intake import Stored, keep
from hub.registry import Connection, Opened, Registry
from hub.silent import ask_for_silent
from hub.store import tables as t
from hub.store.outage import passes
from hub.store.sql import Store
from hub.store.work import insert_new

log = structlog.get_logger("poller")

_ASK_EVERY = timedelta(minutes=15)


class Poller:
    """Pulls every stream of every connection when it is due. One poller is active per database."""

    def __init__(self, store: Store, registry: Registry, *, went: Any) -> None:
        self._store = store
        self._registry = registry
        self._went = went
        self._asked: dict[tuple[str, str], datetime] = {}

    def run_once(self, stop: threading.Event | None = None) -> int:
        """Pull what is due now; returns how many new raws came."""
        new = 0
        for connection in self._registry.connections():
            if connection.paused or (stop is not None and stop.is_set()):
                continue
            new += self._pull_connection(connection, stop)
        return new

    def pull(self, tenant: str, connection: str, stream: str, stop: threading.Event | None = None) -> int:
        """Pull one stream to its end; returns how many new raws came. Raises the vendor's problem."""
        opened = self._registry.open(tenant, connection)
        if not isinstance(opened.connector, Pulls):
            raise Invalid(happened="the connector pulls nothing", next="push to it, or send a file", connection=connection)
        new = 0
        for page in opened.connector.pull(stream, self._cursor(tenant, connection, stream)):
            new += self._keep_page(opened, stream, page)
            if stop is not None and stop.is_set():
                break
        return new

    def want(self, tenant: str, connection: str, *, from_start: bool = False) -> None:
        """Ask for a sync now; `from_start` is a backfill: everything again, which doubles nothing."""
        opened = self._registry.open(tenant, connection)
        fetched = ("sftp",) if opened.connection.settings.get("sftp") else ()
        with self._store.write_transaction() as transaction:
            for stream in (*opened.manifest.streams, *fetched):
                transaction.execute(
                    insert_new(transaction, t.cursors).values(tenant=tenant, connection=connection, stream=stream)
                )
                values = {"wanted": True} | ({"cursor": None} if from_start else {})
                transaction.execute(_cursor_row(t.cursors.update(), tenant, connection, stream).values(**values))
            self._store.bells.ring_on_commit(transaction, "poll")

    # --- inside ---------------------------------------------------------------------------------------------------

    def _pull_connection(self, connection: Connection, stop: threading.Event | None) -> int:
        new = 0
        try:
            opened = self._registry.open(connection.tenant, connection.id)
        except Exception as error:
            self._tell(connection, _problem(connection, error))
            return 0
        if not isinstance(opened.connector, Pulls):
            self._probe_if_failing(opened)
            return self._ask_for_silent(opened)
        for stream in opened.manifest.streams:
            if not self._due(opened, stream):
                continue
            problem = None
            try:
                new += self.pull(connection.tenant, connection.id, stream, stop)
            except Exception as error:
                problem = _problem(connection, error)
            self._pulled(connection, stream, problem)
            self._tell(connection, problem)
            if problem is not None:
                break
        return new

    def _probe_if_failing(self, opened: Opened) -> None:
        """A connection that only writes is asked now and then whether it is back."""
        if opened.connection.state != "failing" or not isinstance(opened.connector, Probes):
            return
        try:
            opened.connector.probe()
            problem = None
        except Exception as error:
            problem = _problem(opened.connection, error)
        self._tell(opened.connection, problem)

    def _ask_for_silent(self, opened: Opened) -> int:
        """Every quarter of an hour: what a platform without a list has not told."""
        where, now = (opened.connection.tenant, opened.connection.id), self._store.clock.now()
        if now < self._asked.get(where, now - _ASK_EVERY) + _ASK_EVERY:
            return 0
        self._asked[where] = now
        try:
            return ask_for_silent(self._store, opened)
        except Exception as error:
            self._tell(opened.connection, _problem(opened.connection, error))
            return 0

    def _tell(self, connection: Connection, problem: Problem | None) -> None:
        with self._store.work(connection.tenant) as work:
            self._went(work, connection.id, problem)

    def _due(self, opened: Opened, stream: str) -> bool:
        where = opened.connection
        query = _cursor_row(sa.select(t.cursors.c.pulled_at, t.cursors.c.wanted), where.tenant, where.id, stream)
        with self._store.read_transaction() as connection:
            row = connection.execute(query).first()
        every = timedelta(
            seconds=2 if where.state == "failing" else float(where.settings.get("poll_every") or opened.manifest.poll_every)
        )
        return row is None or row.wanted or row.pulled_at is None or row.pulled_at + every <= self._store.clock.now()

    def _cursor(self, tenant: str, connection: str, stream: str) -> Cursor | None:
        with self._store.read_transaction() as transaction:
            stored = transaction.execute(_cursor_row(sa.select(t.cursors.c.cursor), tenant, connection, stream)).scalar()
        return None if stored is None else msgspec.convert(stored, Cursor)

    def _keep_page(self, opened: Opened, stream: str, page: Page) -> int:
        where = opened.connection
        now = self._store.clock.now()
        raws = [raw.stamped(tenant=where.tenant, connection=where.id, door="poll", received_at=now) for raw in page.raws]
        with self._store.write_transaction() as transaction:
            stored = _keep_changed(transaction, raws)
            transaction.execute(
                insert_new(transaction, t.cursors).values(tenant=where.tenant, connection=where.id, stream=stream)
            )
            transaction.execute(
                _cursor_row(t.cursors.update(), where.tenant, where.id, stream).values(
                    cursor=msgspec.to_builtins(page.cursor), pulled=t.cursors.c.pulled + len(raws)
                )
            )
            if raws:
                self._store.bells.ring_on_commit(transaction, "inbox")
        return sum(one.kind == "new" for one in stored)

    def _pulled(self, connection: Connection, stream: str, problem: Problem | None) -> None:
        values = {"pulled_at": self._store.clock.now(), "wanted": False, "problem": problem.as_dict() if problem else None}
        with self._store.write_transaction() as transaction:
            transaction.execute(
                insert_new(transaction, t.cursors).values(tenant=connection.tenant, connection=connection.id, stream=stream)
            )
            transaction.execute(_cursor_row(t.cursors.update(), connection.tenant, connection.id, stream).values(**values))


def _problem(connection: Connection, error: Exception) -> Problem:
    """What to tell of the connection. Raises the error again where it is our own database that is away.

    A defect in a connector is its connection's problem: the others are asked all the same.
    """
    if passes(error):
        raise error
    if isinstance(error, Problem):
        return error
    log.error("poll.defect", tenant=connection.tenant, connection=connection.id, exc_info=error)
    return VendorFault(
        happened=f"the connector stumbled: {type(error).__name__}",
        next="tell the connector's owner",
        connection=connection.id,
    )


def _keep_changed(transaction: sa.Connection, raws: list[Any]) -> list[Stored]:
    """Store the raws of a page. What the overlap brings again unchanged is no delivery, so it is not counted as a duplicate."""
    known: set[str] = set()
    for start in range(0, len(raws), 400):
        ids = [raw.id for raw in raws[start : start + 400]]
        query = sa.select(t.raws.c.id).where(t.raws.c.tenant == raws[0].tenant, t.raws.c.id.in_(ids))
        known.update(transaction.execute(query).scalars())
    fresh = [raw for raw in raws if raw.id not in known]
    return keep(transaction, fresh) if fresh else []


def _cursor_row(statement: Any, tenant: str, connection: str, stream: str) -> Any:
    return statement.where(t.cursors.c.tenant == tenant, t.cursors.c.connection == connection, t.cursors.c.stream == stream)
