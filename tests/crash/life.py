"""One life of the hub's kernel: the real door, store, bus and loops, over a database and a broker that outlive it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa
import uvicorn
from gate import Gate
from vendor import ONCE_ONLY, REPEATABLE, Caller

from hub.actions import Actions
from hub.actions import Vendor as Doer
from hub.bus.kombu import KombuBus
from hub.core import steps
from hub.core.errors import Problem, Unavailable
from hub.core.event import Event, Raw, event
from hub.core.outcome import DONE, Later, Outcome
from hub.core.vocabulary import Order
from hub.intake import Intake
from hub.pipeline import Pipeline, Understood
from hub.relay import Relay
from hub.store import tables as t
from hub.store.sole import Sole
from hub.store.sql import Store
from hub.store.work import Ask, Work
from hub.subscribers import Subscriber, Subscribers
from hub.worker import Loop, Worker

TENANT, SHARDS = "main", 2
_LEASE = timedelta(seconds=4)  # longer than a call takes, also where the machine has much to do

effects = sa.Table(
    "crash_effects",
    sa.MetaData(),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("event", sa.String(40), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a life happens."""

    database_url: str
    bus_url: str | None
    prefix: str
    vendor_port: int = 0


def understand(raw: Raw) -> Understood:
    """Each delivery holds one fact."""
    told = msgspec.json.decode(raw.body)
    data = Order(order=told["order"], amount=Decimal(told["delivery"]))
    return Understood(events=(event(raw, "order.changed", subject=told["order"], data=data),))


def handler(chance: random.Random) -> Callable[[Sequence[Event], Work], Sequence[Outcome]]:
    """One effect and one action for each event; now and then it asks for another try, so that something is held."""

    def handle(facts: Sequence[Event], work: Work) -> Sequence[Outcome]:
        rows = [{"event": fact.id, "seq": fact.seq, "key": fact.key} for fact in facts]
        work.connection.execute(effects.insert(), rows)
        for fact in facts:
            what = REPEATABLE if fact.data.amount % 2 else ONCE_ONLY  # type: ignore[attr-defined]
            asked = Ask(connection="vendor", what=what, fields={"about": fact.key}, once=fact.id, about=fact.key)
            work.ask([asked], cause=fact)
        if chance.random() < 0.02:
            return [Later(after=0.03, why="not now")] * len(facts)
        return [DONE] * len(facts)

    return handle


class Finds:
    """The one vendor there is."""

    def __init__(self, port: int) -> None:
        self._caller = Caller(port)

    def vendor(self, tenant: str, connection: str, what: str) -> Doer:
        return Doer(does=self._caller, idempotent=what == REPEATABLE, schedule=lambda attempts, id_: 0.03)

    def went(self, work: Work, connection: str, problem: Problem | None) -> None:
        """Its state is not kept."""


class Life:
    """The kernel, put together as `hub.bootstrap` does it, with a subscriber and a vendor that are counted."""

    def __init__(self, place: Place, seed: int = 0) -> None:
        self.store = Store(place.database_url)
        self.bus = KombuBus(
            place.bus_url or "embedded://", prefix=place.prefix, store=None if place.bus_url else self.store, confirm_within=3.0
        )
        self.intake = Intake(self.store)
        book = Subscriber(name="book", patterns=("order.*",), handle=handler(random.Random(seed)), shards=SHARDS)
        self.subscribers = Subscribers(self.store, self.bus, [book])
        self.actions = Actions(self.store, Finds(place.vendor_port), lease=_LEASE)
        self._worker: Worker | None = None

    def start(self) -> None:
        store = self.store
        pipeline, relay = Pipeline(store, understand), Relay(store, self.bus)
        self.intake.start()
        self.subscribers.attach()
        self.actions.recover(all_started=store.embedded)
        loops = [
            Loop(store, "pipeline", pipeline.run_once, bell="inbox", sole=Sole(store, "pipeline")),
            Loop(store, "relay", relay.run_once, bell="outbox", sole=Sole(store, "relay")),
            Loop(store, "held", self.subscribers.run_due, bell="held", rest=0.05, sole=Sole(store, "held")),
            Loop(store, "recover", self._recover, bell="recover", rest=0.25),
            *(Loop(store, f"actions-{number}", self.actions.run_once, bell="actions", rest=0.05) for number in range(2)),
        ]
        self._worker = Worker(loops, bus=self.bus)
        self._worker.start()

    def _recover(self) -> bool:
        self.actions.recover()
        return False

    def stop(self) -> bool:
        self.intake.stop()
        self.subscribers.stop()
        ended = self._worker.stop() if self._worker is not None else True
        self.bus.close()
        self.store.close()
        return ended

    def serve(self, door: socket.socket) -> uvicorn.Server:
        """The door, in a thread of its own."""
        config = uvicorn.Config(self._answer, lifespan="off", log_level="error", access_log=False, interface="asgi3")
        server = uvicorn.Server(config)
        threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[door])), name="door", daemon=True).start()
        return server

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        key = dict(scope["headers"])[b"x-delivery"].decode()
        raw = Raw(stream="orders", key=key, body=body)
        raw = raw.stamped(tenant=TENANT, connection="shop", door="webhook", received_at=datetime.now(UTC))
        try:
            await self.intake.submit([raw])
            status = 200
        except Unavailable:
            status = 503
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    # --- what is left ---------------------------------------------------------------------------------------------

    def idle(self) -> bool:
        """Whether nothing is waiting anywhere."""
        events = sa.select(sa.func.count()).select_from(t.events).where(t.events.c.type == "order.changed").scalar_subquery()
        seen = sa.select(sa.func.count()).select_from(t.seen).scalar_subquery()
        with self.store.read_transaction() as connection:
            for table in (t.inbox, t.outbox, t.held):
                if connection.execute(sa.select(table.c.tenant).limit(1)).first() is not None:
                    return False
            waiting = sa.select(t.actions.c.place).where(t.actions.c.state.in_(("waiting", "started"))).limit(1)
            return connection.execute(waiting).first() is None and bool(connection.execute(sa.select(events == seen)).scalar())

    def left_on_the_bus(self) -> int:
        return self.bus.depth("book") + self.bus.parked("book")


def prepare(place: Place) -> None:
    """Empty tables, and the queues."""
    store = Store(place.database_url)
    store.create_tables()
    with store.write_transaction() as connection:
        effects.metadata.create_all(connection)
    store.add_tenant(TENANT, name="a test")
    store.close()


def live_until(place: Place, door: socket.socket, step: str, arrivals: int, seed: int) -> None:
    """Live, and die without a word at the given arrival at `step`."""
    lock, count = threading.Lock(), 0

    def die(reached: str) -> None:
        nonlocal count
        if reached == step:
            with lock:
                count += 1
                if count == arrivals:
                    os.kill(os.getpid(), signal.SIGKILL)

    steps.listen(die)
    life = Life(place, seed)
    life.start()
    life.serve(door)
    threading.Event().wait()


def live_on(
    place: Place, door: socket.socket, gate: Gate, seconds: float, stop: Callable[[], bool] = lambda: True
) -> dict[str, Any]:
    """Live until the load has finished and nothing is waiting any more, or for so many seconds; then stop in good order."""
    life = Life(place)
    life.start()
    server = life.serve(door)
    began, idle = time.monotonic(), False
    until = began + seconds
    while not idle and time.monotonic() < until:
        time.sleep(0.02)
        idle = gate.is_finished and _surely(life.idle)
    took = time.monotonic() - began
    server.should_exit = True
    ended = life.stop()
    counting = Life(place)  # what was not acknowledged is back in its queue
    counting.subscribers.attach()
    left = counting.left_on_the_bus()
    counting.bus.remove()
    counting.stop()
    return {"idle": idle, "took": took, "ended": ended, "left_on_the_bus": left}


def _surely(ask: Callable[[], bool]) -> bool:
    try:
        return ask()
    except (Unavailable, sa.exc.DBAPIError):
        return False
