"""Handling events: an effect happens once, events of one partition key in order, and what waits holds up only its key.

The bus delivers at least once and in order. Here the subscriber's own writes and the mark "seen this event" are one commit.
What cannot be handled now is kept in `held`: with a time (`Later`), for a person (`Park`), or because an earlier event of
its key is kept (`behind`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import groupby

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from hub.bus import Bus, NotHandled
from hub.bus.envelope import Envelope, decode
from hub.core.errors import NotFound, Problem
from hub.core.event import Event
from hub.core.outcome import DONE, Done, Later, Outcome, Park
from hub.core.steps import reached
from hub.ledger.record import events_of
from hub.store import tables as t
from hub.store.among import among
from hub.store.bulk import insert_new_rows
from hub.store.outage import passes
from hub.store.sql import Store
from hub.store.work import Work, insert_new

log = structlog.get_logger("subscribers")

Handler = Callable[[Sequence[Event], Work], Sequence[Outcome]]

_TRIES = 8  # of a handler that raises, over about two minutes, before a person is asked


def one_by_one(handle: Callable[[Event, Work], Outcome]) -> Handler:
    """A handler of batches from a function of one event."""
    return lambda facts, work: [handle(fact, work) for fact in facts]


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the hub that acts on events. `handle` writes through the work it is given, and calls no vendor.

    It is given a batch, oldest first, and answers with one outcome each. What it wrote is kept only where all of them are
    `Done`; otherwise it is rolled back and the batch comes again one by one. So it may see the same event twice.
    """

    name: str
    patterns: tuple[str, ...]
    handle: Handler
    shards: int = 1


class Subscribers:
    """Connects subscribers to the bus."""

    def __init__(self, store: Store, bus: Bus, subscribers: Iterable[Subscriber]) -> None:
        self._store = store
        self._bus = bus
        self._stopping = threading.Event()
        self._by_name = {subscriber.name: subscriber for subscriber in subscribers}

    @property
    def all(self) -> tuple[Subscriber, ...]:
        """Every subscriber, in the order they were given."""
        return tuple(self._by_name.values())

    def attach(self) -> None:
        """Declare every subscriber's queue and begin to receive when the bus runs."""
        for subscriber in self._by_name.values():
            self._bus.subscribe(subscriber.name, subscriber.patterns, self._receiver(subscriber), shards=subscriber.shards)

    def _receiver(self, subscriber: Subscriber) -> Callable[[Sequence[Envelope]], Sequence[Outcome]]:
        def receive(envelopes: Sequence[Envelope]) -> Sequence[Outcome]:
            for tenant, group in groupby(envelopes, key=lambda envelope: envelope.tenant):
                self._handle_surely(subscriber, tenant, [decode(envelope) for envelope in group])
            reached("handle.committed")
            return [DONE] * len(envelopes)

        return receive

    def _handle_surely(self, subscriber: Subscriber, tenant: str, facts: Sequence[Event]) -> None:
        """Handle them however long the database is away: giving them back would lose their order."""
        while True:
            try:
                self.handle(subscriber, tenant, facts)
                return
            except Exception as error:
                if not passes(error):
                    raise
                log.warning("handler.waits", subscriber=subscriber.name, why=type(error).__name__)
                if self._stopping.wait(0.5):
                    raise NotHandled from error

    def stop(self) -> None:
        """Let receivers that wait for the database give up; what they hold stays in its queue."""
        self._stopping.set()

    def handle(self, subscriber: Subscriber, tenant: str, facts: Sequence[Event]) -> None:
        """Handle these facts in order, in one commit; one by one where one of them is not simply done."""
        try:
            with self._store.work(tenant) as work:
                batch = _Batch(work, subscriber, facts)
                batch.run()
                reached("handle.before_commit")
            return
        except _NotSimply:
            pass
        except Exception as error:
            if passes(error):
                raise
        for fact in facts:
            self._handle_one(subscriber, tenant, fact)

    def _handle_one(self, subscriber: Subscriber, tenant: str, fact: Event) -> None:
        try:
            with self._store.work(tenant) as work:
                _Batch(work, subscriber, [fact]).run()
            return
        except Exception as error:
            outcome = _outcome(subscriber, fact, error)
        with self._store.work(tenant) as work:
            hold(work, subscriber.name, fact, outcome)

    # --- what is held ---------------------------------------------------------------------------------------------

    def run_due(self, limit: int = 100) -> int:
        """Handle what was put off and is due now, and what stood behind it. Returns how many were looked at."""
        earlier = t.held.alias()
        same_key = (
            earlier.c.tenant == t.held.c.tenant,
            earlier.c.subscriber == t.held.c.subscriber,
            earlier.c.key == t.held.c.key,
        )
        heads_a_queue = ~sa.exists().where(*same_key, earlier.c.seq < t.held.c.seq)
        now = self._store.clock.now()
        query = (
            sa.select(t.held.c.tenant, t.held.c.subscriber, t.held.c.seq)
            .where(sa.or_(sa.and_(t.held.c.state == "later", t.held.c.due_at <= now), t.held.c.state == "behind"), heads_a_queue)
            .where(t.held.c.subscriber.in_(list(self._by_name)))  # what a part held that is no more waits for a person
            .order_by(t.held.c.seq)
            .limit(limit)
        )
        with self._store.read_transaction() as connection:
            due = connection.execute(query).all()
        for row in due:
            self.release(row.tenant, row.subscriber, row.seq)
        return len(due)

    def release(self, tenant: str, name: str, seq: int) -> None:
        """Try a held event again now; if it is done, so are those behind it, in their order."""
        subscriber = self._by_name.get(name)
        if subscriber is None:
            raise NotFound(happened="there is no such subscriber", next="look at what is held", subscriber=name)
        next_seq: int | None = seq
        while next_seq is not None:
            with self._store.look(tenant) as work:
                facts = events_of(work, seqs=[next_seq])
                where = (t.held.c.tenant == tenant, t.held.c.subscriber == name, t.held.c.seq == next_seq)
                row = work.connection.execute(sa.select(t.held.c.attempts, t.held.c.key).where(*where)).first()
            if row is None or not facts:
                return
            outcome = self._try(subscriber, tenant, facts[0])
            with self._store.work(tenant) as work:
                if not isinstance(outcome, Done):
                    if work.connection.execute(t.held.delete().where(*where)).rowcount:  # else another thread has done it
                        hold(work, name, facts[0], outcome, attempts=row.attempts + 1)
                    return
                behind = sa.select(sa.func.min(t.held.c.seq)).where(
                    t.held.c.tenant == tenant, t.held.c.subscriber == name, t.held.c.key == row.key, t.held.c.state == "behind"
                )
                next_seq = work.connection.execute(behind).scalar()

    def _try(self, subscriber: Subscriber, tenant: str, fact: Event) -> Outcome:
        """Handle a held event. Taking it out comes first: it locks the row, so two who try it at a time do it once."""
        where = (t.held.c.tenant == tenant, t.held.c.subscriber == subscriber.name, t.held.c.seq == fact.seq)
        try:
            with self._store.work(tenant) as work:
                if not work.connection.execute(t.held.delete().where(*where)).rowcount:
                    return DONE
                (outcome,) = subscriber.handle([fact], work)
                if not isinstance(outcome, Done):
                    raise _NotSimply(outcome)
                mark_seen(work, subscriber.name, [fact])
                return outcome
        except Exception as error:
            return _outcome(subscriber, fact, error)


def _outcome(subscriber: Subscriber, fact: Event, error: Exception) -> Outcome:
    """What becomes of an event whose handling was rolled back. Raises the error again where it will pass by itself."""
    if passes(error):
        raise error
    if isinstance(error, _NotSimply):
        return error.outcome
    if isinstance(error, Problem):
        return Later(after=1.0, why=str(error))
    log.error("handler.raised", subscriber=subscriber.name, event_id=fact.id, exc_info=error)
    if isinstance(error, DBAPIError):
        return Later(after=1.0, why=f"the database refused it: {type(error.orig).__name__}")
    return Later(after=1.0, why=f"the handler raised {type(error).__name__}")


class _NotSimply(Exception):
    """The handler did not say `Done`: what it wrote is rolled back."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


_SEEN = sa.select(t.seen.c.event).where(
    t.seen.c.tenant == sa.bindparam("tenant"),
    t.seen.c.subscriber == sa.bindparam("subscriber"),
    among(t.seen.c.event, "these"),
)
_HELD = sa.select(t.held.c.key).where(
    t.held.c.tenant == sa.bindparam("tenant"),
    t.held.c.subscriber == sa.bindparam("subscriber"),
    among(t.held.c.key, "these"),
)


class _Batch:
    def __init__(self, work: Work, subscriber: Subscriber, facts: Sequence[Event]) -> None:
        self._work = work
        self._subscriber = subscriber
        self._facts = {fact.id: fact for fact in facts}

    def run(self) -> None:
        held = self._held_keys()
        behind = [fact for fact in self._facts.values() if fact.key in held]
        if behind:
            seen = self._seen([fact.id for fact in behind])
            for fact in behind:
                if fact.id not in seen:
                    hold(self._work, self._subscriber.name, fact, None)
        new = mark_seen(self._work, self._subscriber.name, [fact for fact in self._facts.values() if fact.key not in held])
        if new:
            for outcome in self._subscriber.handle(new, self._work):
                if not isinstance(outcome, Done):
                    raise _NotSimply(outcome)

    def _seen(self, ids: list[str]) -> set[str]:
        return set(self._work.connection.execute(_SEEN, self._ours(ids)).scalars())

    def _held_keys(self) -> set[str]:
        return set(self._work.connection.execute(_HELD, self._ours(list({fact.key for fact in self._facts.values()}))).scalars())

    def _ours(self, these: list[str]) -> dict[str, object]:
        return {"tenant": self._work.tenant, "subscriber": self._subscriber.name, "these": these}


def mark_seen(work: Work, subscriber: str, facts: Sequence[Event]) -> list[Event]:
    """Remember that the subscriber is done with these, in the commit of what it does; those that it was not done with before.

    Marking comes first and says in one statement what is new. Where the work fails, the mark is rolled back with it.
    """
    now = work.clock.now()
    rows = [{"tenant": work.tenant, "subscriber": subscriber, "event": fact.id, "at": now} for fact in facts]
    new = insert_new_rows(work.connection, t.seen, rows, returning="event")
    return [fact for fact in facts if fact.id in new]


def hold(work: Work, subscriber: str, fact: Event, outcome: Outcome | None, *, attempts: int = 1) -> None:
    """Keep the event for later, for a person, or (without an outcome) behind an earlier one of its key."""
    state, due, reason = "behind", None, None
    if isinstance(outcome, Later) and attempts < _TRIES:
        state, due = "later", work.clock.now() + timedelta(seconds=min(outcome.after * 2 ** (attempts - 1), 300.0))
        reason = {"why": outcome.why}
    elif isinstance(outcome, Later | Park):
        state, reason = "parked", {"why": outcome.why}
    row = {
        "tenant": work.tenant,
        "subscriber": subscriber,
        "seq": fact.seq,
        "event": fact.id,
        "key": fact.key,
        "state": state,
        "due_at": due,
        "attempts": attempts if outcome is not None else 0,
        "reason": reason,
        "at": work.clock.now(),
    }
    where = (t.held.c.tenant == work.tenant, t.held.c.subscriber == subscriber, t.held.c.seq == fact.seq)
    if outcome is None:
        work.connection.execute(insert_new(work.connection, t.held), [row])
    else:
        work.connection.execute(t.held.delete().where(*where))
        work.connection.execute(t.held.insert().values(**row))
    work.ring("held")
