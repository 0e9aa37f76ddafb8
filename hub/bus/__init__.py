"""Facts on their way to whoever waits for them: topic by type, one durable queue a subscriber, at least once.

Three classes keep the one promise that `Bus` makes: `hub.bus.kombu.KombuBus` over RabbitMQ or, embedded, over the store's
own tables, and `hub.bus.memory.MemoryBus` for unit tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from hub.bus.envelope import Envelope, decode
from hub.core.event import Event
from hub.core.outcome import Later, Outcome

Handler = Callable[[Sequence[Envelope]], Sequence[Outcome]]
Pattern = str | Sequence[str]

__all__ = ["Bus", "Envelope", "Handler", "NotHandled", "Pattern", "each"]


class NotHandled(BaseException):
    """Raised by a handler that was told to stop: its events stay unacknowledged, the first of their queue, and its thread ends.

    Not an `Exception`: after those an event is put off, and later events of its key would come before it.
    """


class Bus(Protocol):
    """Brings every published event to every queue whose pattern fits its type, at least once.

    Events of one partition key come to a queue in the order in which they were published, also after a crash: what was
    not acknowledged comes back first. `Later` and a raising handler send an event to the end of the queue, so whoever
    must keep a key's order behind such an event holds the key back in the commit of its own work.
    """

    def publish(self, events: Sequence[Envelope]) -> None:
        """Return once every event is safe on disk in every queue that wants it; raise `Unavailable` otherwise.

        After `Unavailable` some of them may have arrived; publish all of them again. An event that no queue wants is
        dropped, so subscribe (which declares the queues) before the first publish.
        """
        ...

    def subscribe(self, queue: str, pattern: Pattern, handler: Handler, *, shards: int = 1) -> None:
        """Make the durable queue and its bindings now, and hand its events to `handler` while the bus runs.

        A pattern is a type with `*` for one word and `#` for any number (`receipt.*`, `#`). With `shards` the queue is
        cut into as many parts (at most 16), each handled by one thread in one process; a partition key stays in its part.

        The handler is given a batch, oldest first, and returns one outcome for each: what it writes for a whole batch is
        one commit, and a commit each is several times slower on any disk (2.5 times at best, measured). `Done` is
        acknowledged, `Later` comes back to this queue only, `Park` goes to `<queue>.parked`. If it raises, the same
        events are handed over one by one, and the one that still raises comes back later, at most five times, then is parked.
        """
        ...

    def run(self, *, until_idle: bool = False) -> None:
        """Hand over events, in one thread a queue or shard, until `stop`; or until nothing is ready any more."""
        ...

    def stop(self) -> None:
        """Let `run` return after the batches in hand."""
        ...

    def depth(self, queue: str) -> int:
        """How many messages of the queue are ready, each of one event or of several that were published together.

        Those that were put off or parked are not counted.
        """
        ...

    def close(self) -> None:
        """Stop and let go of every connection. What is not acknowledged stays in its queue."""
        ...


def each(fn: Callable[[Event], Outcome]) -> Handler:
    """A handler of batches from a function of one event, with a partition key's events kept behind one that must wait."""

    def handle_one_by_one(events: Sequence[Envelope]) -> list[Outcome]:
        waiting: dict[tuple[str, str], Later] = {}
        outcomes: list[Outcome] = []
        for envelope in events:
            key = (envelope.tenant, envelope.key)
            outcome = waiting.get(key) or fn(decode(envelope))
            if isinstance(outcome, Later) and key not in waiting:
                waiting[key] = Later(after=outcome.after, why=f"waits behind {envelope.id}")
            outcomes.append(outcome)
        return outcomes

    return handle_one_by_one
