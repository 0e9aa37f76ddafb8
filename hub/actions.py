"""What we ask of vendors: queued with an idempotency key, carried out one at a time for each thing, repeated with care.

An action is marked `started` and committed before the vendor is called. Where the process dies in between, a later one finds
it started: it is repeated only if the vendor makes that harmless, otherwise its outcome is `unknown` and a person decides.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa
import structlog

from hub.core.connector import ReportsStock, Writes
from hub.core.errors import (
    EgressRefused,
    Invalid,
    LoginRefused,
    Misconfigured,
    OutcomeUnknown,
    Problem,
    RateLimited,
    Unavailable,
    Unreachable,
    VendorFault,
)
from hub.core.event import Event
from hub.core.steps import reached
from hub.ledger.answers import stock_told, told
from hub.ledger.record import record
from hub.store import tables as t
from hub.store.outage import passes
from hub.store.sql import Store
from hub.store.work import Action, Work

log = structlog.get_logger("actions")

READ_STOCK = "stock.read"
"""The one question among the actions: its answer is recorded as facts."""

_LEASE = timedelta(seconds=45)  # longer than any call may take


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """Who carries an action out. `idempotent`: the vendor makes a repeat with the same key harmless."""

    does: object
    idempotent: bool
    schedule: Schedule


class Schedule(Protocol):
    """When to try again: seconds after the given number of attempts, or `None` to give up."""

    def __call__(self, attempts: int, id_: str) -> float | None: ...


class Finds(Protocol):
    """Finds who carries out `what` for a connection, and is told how it went (for the connection's state)."""

    def vendor(self, tenant: str, connection: str, what: str) -> Vendor: ...

    def went(self, work: Work, connection: str, problem: Problem | None) -> None: ...


def patient(attempts: int, id_: str) -> float | None:
    """2 s, 4 s, … 5 min with a quarter of jitter derived from the id; gives up after 20 attempts (about 80 minutes)."""
    if attempts >= 20:
        return None
    spread = hashlib.sha256(f"{id_}{attempts}".encode()).digest()[0] / 255
    return float(min(2.0**attempts, 300.0)) * (0.875 + 0.25 * spread)


class Actions:
    """The queue's worker. Any number of threads may call `run_once`."""

    def __init__(self, store: Store, finds: Finds, *, lease: timedelta = _LEASE) -> None:
        self._store = store
        self._finds = finds
        self._lease = lease

    def run_once(self) -> bool:
        """Carry out one action that is due; false where none is."""
        action = self._claim()
        if action is None:
            return False
        reached("act.started")
        result, facts, problem = self._carry_out(action)
        reached("act.called")
        self._finish(action, result, facts, problem)
        reached("act.recorded")
        return True

    def recover(self, *, all_started: bool = False) -> int:
        """Deal with actions whose worker died: repeat the harmless, mark the others `unknown`. Returns how many.

        `all_started` at the start of an embedded hub, where nobody else can be at work on them.
        """
        old = self._store.clock.now() - self._lease
        query = sa.select(t.actions).where(t.actions.c.state == "started")
        if not all_started:
            query = query.where(t.actions.c.started_at < old)
        with self._store.read_transaction() as connection:
            orphans = [_action(row) for row in connection.execute(query).mappings()]
        for action in orphans:
            lost = OutcomeUnknown(
                happened="the process that called the vendor died before the answer was kept",
                next="look at the vendor whether it was done, then say so here, or ask again",
                connection=action.connection,
            )
            self._finish(action, None, [], lost)
        return len(orphans)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _claim(self) -> Action | None:
        """The first due action before which nothing else about the same thing waits; marked as started."""
        now = self._store.clock.now()
        query = _IN_TURN.with_for_update(skip_locked=True)
        with self._store.read_transaction() as connection:
            if connection.execute(_IN_TURN.with_only_columns(t.actions.c.place), {"now": now}).first() is None:
                return None  # nothing due: the writer's lock is not taken
        with self._store.write_transaction() as connection:
            row = connection.execute(query, {"now": now}).mappings().first()
            if row is None:
                return None
            started = {"state": "started", "started_at": now, "attempts": row["attempts"] + 1}
            connection.execute(t.actions.update().where(t.actions.c.place == row["place"]).values(**started))
        return msgspec.structs.replace(_action(row), attempts=row["attempts"] + 1)

    def _carry_out(self, action: Action) -> tuple[str | None, Sequence[Event], Problem | None]:
        try:
            vendor = self._finds.vendor(action.tenant, action.connection, action.what)
        except Exception as error:
            if passes(error):
                return None, [], _not_yet(action)
            return None, [], error if isinstance(error, Problem) else _not_opened(action, error)
        try:
            if action.what == READ_STOCK:
                if not isinstance(vendor.does, ReportsStock):
                    raise Invalid(
                        happened="the connection does not report stock", next="name another", connection=action.connection
                    )
                skus = [str(sku) for sku in action.fields["skus"]]
                return None, stock_told(action, vendor.does.stock(skus), self._store.clock.now()), None
            if not isinstance(vendor.does, Writes):
                raise Invalid(happened="the connection cannot write", next="name another", connection=action.connection)
            return vendor.does.write(action.what, action.fields, idempotency_key=action.id), [], None
        except Exception as error:
            if isinstance(error, Problem) and not isinstance(error, Unavailable):
                return None, [], error
            return None, [], self._stumbled(action, error)

    def _stumbled(self, action: Action, error: Exception) -> Problem:
        """A defect of ours or of the connector: whether the vendor was reached is not known."""
        log.error("action.defect", tenant=action.tenant, connection=action.connection, action=action.id, exc_info=error)
        return OutcomeUnknown(
            happened=f"the connector stumbled: {type(error).__name__}",
            next="look at the vendor whether it was done; tell the connector's owner",
            connection=action.connection,
        )

    def _finish(self, action: Action, result: str | None, facts: Sequence[Event], problem: Problem | None) -> None:
        """Keep the answer, also while the database is away for a while: a lost answer cannot be asked for again."""
        until = time.monotonic() + self._lease.total_seconds()
        while True:
            try:
                self._settle(action, result, facts, problem)
                return
            except Exception as error:
                if not passes(error):
                    self._settle(action, None, [], self._stumbled(action, error))
                    return
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def _settle(self, action: Action, result: str | None, facts: Sequence[Event], problem: Problem | None) -> None:
        now = self._store.clock.now()
        state, due = self._verdict(action, problem, now)
        values: dict[str, Any] = {"state": state, "problem": problem.as_dict() if problem else None, "record": result}
        if state == "waiting":
            values |= {"due_at": due, "started_at": None}
            if isinstance(problem, RateLimited | Unavailable):
                values["attempts"] = action.attempts - 1  # being told to wait is not a failure
        else:
            values["finished_at"] = now
        with self._store.work(action.tenant) as work:
            ours = sa.and_(t.actions.c.state == "started", t.actions.c.attempts == action.attempts)
            where = (t.actions.c.tenant == action.tenant, t.actions.c.id == action.id, ours)
            if work.connection.execute(t.actions.update().where(*where).values(**values)).rowcount != 1:
                return  # another worker has settled it
            if state != "waiting":
                record(work, [*facts, told(action, state, result, problem, now)])
            if not isinstance(problem, Unavailable):
                self._finds.went(work, action.connection, problem)
            work.ring("actions")

    def _verdict(self, action: Action, problem: Problem | None, now: datetime) -> tuple[str, datetime | None]:
        if problem is None:
            return "done", None
        if isinstance(problem, RateLimited | Unavailable):
            after = problem.after if isinstance(problem, RateLimited) else 1.0
            return "waiting", now + timedelta(seconds=max(after, 0.05))
        lost = isinstance(problem, OutcomeUnknown)
        if lost and not self._harmless(action):
            return "unknown", None
        if lost or isinstance(problem, Unreachable | VendorFault):
            wait = self._schedule(action)(action.attempts, action.id)
            if wait is not None and (action.most_attempts is None or action.attempts < action.most_attempts):
                return "waiting", now + timedelta(seconds=wait)
        if isinstance(problem, LoginRefused | EgressRefused) and action.most_attempts is None:
            # Nothing was done and nobody but a person can mend it: wait for the next change of the connection.
            return "waiting", now + timedelta(minutes=5)
        return "failed", None

    def _harmless(self, action: Action) -> bool:
        if action.what == READ_STOCK:
            return True
        vendor = self._vendor(action)
        return vendor is not None and vendor.idempotent

    def _schedule(self, action: Action) -> Schedule:
        vendor = self._vendor(action)
        return patient if vendor is None else vendor.schedule

    def _vendor(self, action: Action) -> Vendor | None:
        """Who carries it out, or `None` where nobody does any more."""
        try:
            return self._finds.vendor(action.tenant, action.connection, action.what)
        except Exception as error:
            if passes(error):
                raise  # that we cannot look now says nothing of the vendor
            return None


def _in_turn() -> sa.Select[Any]:
    """The first action that is due, of a connection that is not paused, and the first of those about its thing that are open.

    One look into an index for each candidate, until one is in its turn: so a long queue costs no more than a short one.
    A join would compare all of them with all before it gave the first.
    """
    one, same = t.actions.c, t.actions.alias("same")
    about_the_same = (same.c.tenant == one.tenant, same.c.connection == one.connection, same.c.about == one.about)
    is_open = sa.text("same.state IN ('waiting', 'started')")  # as it is written in the index
    head = sa.select(sa.func.min(same.c.place)).where(*about_the_same, is_open).scalar_subquery()
    where_it_goes = (t.connections.c.tenant == one.tenant, t.connections.c.id == one.connection)
    return (
        sa.select(t.actions)
        .where(one.state == "waiting", one.due_at <= sa.bindparam("now"))
        .where(sa.or_(one.about.is_(None), one.place == head), ~sa.exists().where(*where_it_goes, t.connections.c.paused))
        .order_by(one.due_at, one.place)
        .limit(1)
    )


_IN_TURN = _in_turn()


def _not_opened(action: Action, error: Exception) -> Misconfigured:
    log.error("action.defect", tenant=action.tenant, connection=action.connection, action=action.id, exc_info=error)
    return Misconfigured(
        happened=f"the connection cannot be opened: {type(error).__name__}",
        next="correct its settings or tell the connector's owner, then ask again",
        connection=action.connection,
    )


def _not_yet(action: Action) -> Unavailable:
    return Unavailable(happened="our database did not answer", next="nothing: it is tried again", connection=action.connection)


def _action(row: Any) -> Action:
    return Action(**{name: row[name] for name in Action.__struct_fields__})
