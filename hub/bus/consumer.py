"""One thread that hands over the events of one queue or shard, for as long as it takes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog

from hub.bus import NotHandled
from hub.bus.bundles import parted
from hub.bus.confirms import ConfirmedChannel, Outgoing, abandon, body_of, say_goodbye
from hub.bus.envelope import opened
from hub.bus.handing import Again, Arrival, Aside, Handing, Move, reason
from hub.bus.topics import matches
from hub.bus.topology import Topology, step_for
from hub.core.errors import Unreadable
from hub.core.steps import reached

log = structlog.get_logger("hub.bus")

SETTLE_WITHIN = 30.0
_LONGEST_PAUSE = 5.0


class Consumer:
    """Takes batches from one queue, settles every event of a batch, then acknowledges the batch at once.

    A copy that is put off or parked is confirmed before its original is acknowledged: dying in between makes two, never none.
    """

    def __init__(
        self,
        *,
        home: str,
        parked: str,
        patterns: Sequence[str],
        handing: Handing,
        connect: Callable[[], Any],
        declare: Callable[[Any], None],
        topology: Topology,
        batch: int,
        now: Callable[[], float],
    ) -> None:
        self.home = home
        self._parked = parked
        self._patterns = tuple(f"{pattern}.*" for pattern in patterns)
        self._handing = handing
        self._connect = connect
        self._declare = declare
        self._topology = topology
        self._batch = batch
        self._now = now
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._arrived: deque[tuple[Any, list[bytes]]] = deque()  # each message with the events in it
        self._events = 0
        self._later: dict[int, str] = {}
        self.connection: Any = None
        self.busy = False
        self.batches = 0

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=f"bus {self.home}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            connection, batches = self._connect(), self.batches
            try:
                channel = self._open(connection)
                if failures:
                    log.info("the bus is back", queue=self.home)
                self._consume(connection, channel)
                say_goodbye(connection)
            except NotHandled:
                abandon(connection)
                return
            except Exception as error:  # whatever it is, the queue is not left alone
                abandon(connection)
                failures = 1 if self.batches > batches else failures + 1
                if failures == 1:
                    log.warning("the bus is away", queue=self.home, why=reason(error))
                self._stopping.wait(min(0.05 * 2**failures, _LONGEST_PAUSE))
            finally:
                self.connection = None
                self.busy = False

    def _open(self, connection: Any) -> ConfirmedChannel:
        self._arrived.clear()
        self._events = 0
        self._later.clear()
        connection.ensure_connection(max_retries=0)  # when to try again is decided here
        channel = connection.channel()
        self._declare(channel)
        channel.basic_qos(0, self._batch * 2, False)
        confirmed = ConfirmedChannel(connection, channel)
        channel.basic_consume(queue=self.home, no_ack=False, callback=self._arrive, consumer_tag=self.home)
        self.connection = connection
        return confirmed

    def _consume(self, connection: Any, channel: ConfirmedChannel) -> None:
        idle = getattr(channel.channel, "idle_wait", 0.5)
        silence = Silence(connection)
        while not self._stopping.is_set():
            if not self._arrived:
                with suppress(TimeoutError):
                    connection.drain_events(timeout=idle)
                silence.check()
            self.busy = bool(self._arrived)
            if self._arrived:
                self._take_what_is_there(connection)
                self._settle(channel, self._next_batch())
                self.batches += 1
                self.busy = bool(self._arrived)

    def _arrive(self, message: Any) -> None:
        body = body_of(message)
        try:
            events = list(parted(body))
        except Unreadable:
            events = [body]  # it is parked as it is
        self._arrived.append((message, events))
        self._events += len(events)

    def _take_what_is_there(self, connection: Any) -> None:
        with suppress(TimeoutError):
            while self._events < self._batch:
                connection.drain_events(timeout=0)

    def _next_batch(self) -> list[tuple[Any, list[bytes]]]:
        """Whole messages, as many as it takes for a batch of events."""
        taken, count = [], 0
        while self._arrived and count < self._batch:
            taken.append(self._arrived.popleft())
            count += len(taken[-1][1])
        self._events -= count
        return taken

    def _settle(self, channel: ConfirmedChannel, messages: Sequence[tuple[Any, Sequence[bytes]]]) -> None:
        bodies = [body for _, events in messages for body in events]
        read = [self._read(message, body) for message, events in messages for body in events]
        arrivals = sorted((one for one in read if isinstance(one, Arrival)), key=_age)
        moves = dict(zip(map(id, arrivals), self._handing.hand(arrivals) if arrivals else (), strict=True))
        copies = []
        for body, one in zip(bodies, read, strict=True):
            move = moves[id(one)] if isinstance(one, Arrival) else one
            if move is not None:
                copies.append(self._copy(channel.channel, body, move))
        if copies:
            channel.send(copies, until=time.monotonic() + SETTLE_WITHIN)
        channel.channel.basic_ack(messages[-1][0].delivery_tag, multiple=True)
        reached("handle.acknowledged")

    def _read(self, message: Any, body: bytes) -> Arrival | Move:
        """One event of the message; or what becomes of one that cannot be read, or is not wanted any more."""
        headers = message.properties.get("application_headers") or {}
        try:
            envelope = opened(body)
        except Unreadable as error:
            return Aside(tries=0, why=str(error))
        words = f"{envelope.type}.s00"
        if not any(matches(pattern, words) for pattern in self._patterns):
            return None  # a binding of a former version of this subscription, which the broker still has
        return Arrival(
            envelope=envelope,
            tries=int(headers.get("tries", 0)),
            due=int(headers.get("due", 0)) / 1000,
            why=str(headers.get("why", "")),
        )

    def _copy(self, channel: Any, body: bytes, move: Again | Aside) -> Outgoing:
        headers: dict[str, Any] = {"tries": move.tries, "why": move.why[:2000], "queue": self.home}
        if isinstance(move, Aside):
            return Outgoing(body, "", self._parked, headers, True)
        wait = max(move.after * 1000, 0.0)
        headers["due"] = int(self._now() * 1000 + wait)
        if wait == 0 or getattr(channel, "keeps_due", False):
            return Outgoing(body, "", self.home, headers, True)
        step = step_for(wait)
        if step not in self._later:
            self._later[step] = self._topology.declare_later(channel, step)
        return Outgoing(body, self._later[step], self.home, headers, True)


def _age(arrival: Arrival) -> tuple[str, int]:
    """Oldest first, one tenant after the other: bundles of different routing keys overtake each other."""
    return arrival.envelope.tenant, arrival.envelope.seq


class Silence:
    """Notices a broker that has gone without a word: heartbeats come at half the interval, two intervals of nothing are an end."""

    def __init__(self, connection: Any) -> None:
        self._transport = connection.connection
        self._interval = float(getattr(self._transport, "heartbeat", 0) or 0)
        self._heard = 0
        self._since = time.monotonic()

    def check(self) -> None:
        """Raise `ConnectionError` where nothing at all has come for too long."""
        if not self._interval:
            return
        heard = int(self._transport.bytes_recv)
        if heard != self._heard:
            self._heard, self._since = heard, time.monotonic()
        elif time.monotonic() - self._since > 2 * self._interval + 1:
            raise ConnectionError("the broker has fallen silent")
