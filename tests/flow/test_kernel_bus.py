"""Subscribers on a real bus of either size: what they hold when they stop, and what they hold back."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from hub.bus.kombu import KombuBus
from hub.core.errors import Unavailable
from hub.core.event import Event
from hub.core.outcome import DONE, Later, Outcome
from hub.relay import Relay
from hub.store import tables as t
from hub.store.work import Work
from hub.subscribers import Subscriber, Subscribers


class Life:
    """A bus and one subscriber over it, running in a thread."""

    def __init__(self, kernel: Any, url: str | None, prefix: str, handle: Any) -> None:
        self.bus = KombuBus(url or "embedded://", prefix=f"{prefix}.", store=None if url else kernel.store)
        self.subscribers = Subscribers(kernel.store, self.bus, [Subscriber(name="part", patterns=("task.*",), handle=handle)])
        self.subscribers.attach()
        self._thread = threading.Thread(target=self.bus.run)
        self._thread.start()

    def stop(self) -> None:
        self.subscribers.stop()
        self.bus.stop()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def close(self) -> None:
        self.bus.close()


@pytest.fixture
def begin(kernel: Any, bus_url: str | None, bus_prefix: str) -> Iterator[Any]:
    """Begin a life with this handler; at the end every queue is taken away."""
    lives: list[Life] = []

    def make(handle: Any) -> Life:
        lives.append(Life(kernel, bus_url, bus_prefix, handle))
        return lives[-1]

    yield make
    lives[-1].bus.remove()
    for life in lives:
        life.close()


def until(true: Any) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_stopping_while_the_database_is_away_keeps_the_order(begin: Any, kernel: Any, told: Any) -> None:
    """What could not be handled when the hub was stopped comes first when it is started again, in its order."""
    met = threading.Event()

    def away(facts: Sequence[Event], work: Work) -> Sequence[Outcome]:
        met.set()
        raise Unavailable(happened="the database does not answer", next="wait")

    done: list[str] = []

    def handle(facts: Sequence[Event], work: Work) -> Sequence[Outcome]:
        done.extend(fact.subject for fact in facts)
        return [DONE] * len(facts)

    life = begin(away)
    kernel.tell(*(told.task(f"a{number}", "a") for number in range(3)))
    Relay(kernel.store, life.bus).run_once()
    assert met.wait(20)
    kernel.tell(*(told.task(f"a{number}", "a") for number in range(3, 6)))
    Relay(kernel.store, life.bus).run_once()
    life.stop()
    assert kernel.rows(t.held) == []

    life = begin(handle)
    until(lambda: len(done) >= 6)
    life.stop()
    assert done == [f"a{number}" for number in range(6)]
    assert life.bus.depth("part") == life.bus.parked("part") == 0


def test_what_waits_is_in_the_store_and_not_on_the_bus(begin: Any, kernel: Any, told: Any) -> None:
    """An event that is put off leaves its queue at once: the bus carries on, the store remembers."""
    answers: dict[str, Outcome] = {"a1": Later(after=5, why="not yet")}
    done: list[str] = []

    def handle(facts: Sequence[Event], work: Work) -> Sequence[Outcome]:
        outcomes = [answers.get(fact.subject, DONE) for fact in facts]
        if all(outcome is DONE for outcome in outcomes):
            done.extend(fact.subject for fact in facts)
        return outcomes

    life = begin(handle)
    kernel.tell(told.task("a1", "a"), told.task("b1", "b"), told.task("a2", "a"))
    Relay(kernel.store, life.bus).run_once()
    until(lambda: len(kernel.rows(t.held)) == 2 and done == ["b1"])
    until(lambda: life.bus.depth("part") == 0)
    answers.clear()
    kernel.clock.advance(5)
    life.subscribers.run_due()
    assert done == ["b1", "a1", "a2"]
    life.stop()
