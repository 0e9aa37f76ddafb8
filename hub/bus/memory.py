"""A bus in memory, for unit tests: one thread, no surprises, nothing survives it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

import msgspec

from hub.bus import Handler, Pattern
from hub.bus.envelope import Envelope
from hub.bus.handing import PATIENCE, Again, Arrival, Aside, Handing
from hub.bus.topics import as_patterns, bindings, homes, matches, routing_key
from hub.core.clock import Clock, SystemClock


class _Home(msgspec.Struct):
    """One queue or shard."""

    handing: Handing
    bindings: tuple[str, ...]
    queue: str
    ready: deque[Arrival]
    waiting: list[Arrival]


class MemoryBus:
    """A `hub.bus.Bus` without a broker. Queues are served in the order of their subscription; `clock` decides what is due."""

    def __init__(self, *, clock: Clock | None = None, batch: int = 200, patience: Sequence[float] = PATIENCE) -> None:
        self._clock = clock or SystemClock()
        self._batch = batch
        self._patience = patience
        self._homes: dict[str, _Home] = {}
        self._parked: dict[str, list[tuple[str, Arrival]]] = {}
        self._changed = threading.Condition(threading.RLock())
        self._stopped = False

    def publish(self, events: Sequence[Envelope]) -> None:
        with self._changed:
            for event in events:
                words = routing_key(event.type, event.tenant, event.key)
                for home in self._homes.values():
                    if any(matches(binding, words) for binding in home.bindings):
                        home.ready.append(Arrival(envelope=event))
            self._changed.notify_all()

    def subscribe(self, queue: str, pattern: Pattern, handler: Handler, *, shards: int = 1) -> None:
        patterns = as_patterns(pattern)
        for shard, name in enumerate(homes(queue, shards)):
            self._homes[name] = _Home(
                handing=Handing(queue, handler, now=self._now, patience=self._patience),
                bindings=tuple(bindings(patterns, shard, shards)),
                queue=queue,
                ready=deque(),
                waiting=[],
            )

    def run(self, *, until_idle: bool = False) -> None:
        while not self._stopped and (self._serve_all() or not until_idle):
            with self._changed:
                ready = any(home.ready for home in self._homes.values())
                if not ready and not until_idle:
                    self._changed.wait(0.05)  # what was put off rings no bell
        self._stopped = False  # at the end, not at the beginning: a stop that came early is not forgotten

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def depth(self, queue: str) -> int:
        with self._changed:
            return sum(len(home.ready) for home in self._homes.values() if home.queue == queue)

    def parked(self, queue: str) -> int:
        """How many events of the queue are parked."""
        return len(self._parked.get(queue, ()))

    def unpark(self, queue: str) -> int:
        """Put every parked event back onto the queue it came from, with its tries forgotten. Returns how many."""
        with self._changed:
            parked = self._parked.pop(queue, [])
            for name, arrival in parked:
                self._homes[name].ready.append(Arrival(envelope=arrival.envelope))
            self._changed.notify_all()
        return len(parked)

    def close(self) -> None:
        self.stop()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _serve_all(self) -> bool:
        """Hand over one batch of each queue; false where nothing was ready."""
        served = False
        for name, home in list(self._homes.items()):
            with self._changed:
                self._promote(home)
                batch = [home.ready[place] for place in range(min(len(home.ready), self._batch))]
            if not batch or self._stopped:
                continue
            moves = home.handing.hand(batch)
            with self._changed:
                for arrival, move in zip(batch, moves, strict=True):
                    home.ready.popleft()
                    self._settle(name, home, arrival, move)
            served = True
        return served

    def _settle(self, name: str, home: _Home, arrival: Arrival, move: Again | Aside | None) -> None:
        if isinstance(move, Again):
            due = self._now() + move.after
            home.waiting.append(Arrival(envelope=arrival.envelope, tries=move.tries, due=due, why=move.why))
        elif isinstance(move, Aside):
            parked = Arrival(envelope=arrival.envelope, tries=move.tries, why=move.why)
            self._parked.setdefault(home.queue, []).append((name, parked))

    def _promote(self, home: _Home) -> None:
        now = self._now()
        due = sorted((arrival for arrival in home.waiting if arrival.due <= now), key=lambda arrival: arrival.due)
        home.ready.extend(due)
        home.waiting = [arrival for arrival in home.waiting if arrival.due > now]
