"""The names and the arguments of what stands in the broker.

- `shuniu.events`: the topic exchange that every event goes through. An event that no queue wants is dropped: that is what
  "nobody subscribes to it" means, and the store keeps it anyway. Copies that go straight to a queue are mandatory.
- `<queue>` or `<queue>.<n>`: a subscriber's queue or its shards; quorum queues with one active consumer each. A message
  that comes back unanswered a thousand times is dead-lettered to the parked queue instead of being lost.
- `<queue>.parked`: what nobody but a person can help.
- `shuniu.later.<milliseconds>`: waiting rooms, one for each step of delay and shared by all queues. A message goes in
  through a fanout exchange of that name under its queue's name, expires in order, and is dead-lettered through the default
  exchange to the queue it is named for. Longer delays take several steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hub.bus.topics import SLOTS, bindings, every_binding, homes, strangers

STEPS = (100, 500, 2_000, 10_000, 60_000, 300_000, 1_800_000)  # milliseconds
NO_SUCH_QUEUE = 404
_QUORUM = {"x-queue-type": "quorum"}
_AT_LEAST_ONCE = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}


class Topology:
    """Names under a prefix, and their declarations. Declaring twice changes nothing."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self.events = f"{prefix}shuniu.events"

    def homes(self, queue: str, shards: int) -> list[str]:
        return [self._prefix + home for home in homes(queue, shards)]

    def parked(self, queue: str) -> str:
        return f"{self._prefix}{queue}.parked"

    def later(self, step: int) -> str:
        return f"{self._prefix}shuniu.later.{step}"

    def declare_events(self, channel: Any) -> None:
        channel.exchange_declare(exchange=self.events, type="topic", durable=True, auto_delete=False)

    def declare_home(self, channel: Any, queue: str, patterns: Sequence[str], shard: int, shards: int) -> None:
        """One part of a queue with its bindings and no others, and the parked queue of all its parts."""
        parked, home = self.parked(queue), self.homes(queue, shards)[shard]
        channel.queue_declare(queue=parked, durable=True, auto_delete=False, arguments=_QUORUM)
        arguments = {
            **_QUORUM,
            **_AT_LEAST_ONCE,
            "x-single-active-consumer": True,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": parked,
            "x-delivery-limit": 1000,
        }
        channel.queue_declare(queue=home, durable=True, auto_delete=False, arguments=arguments)
        for key in strangers(patterns, shard, shards):
            channel.queue_unbind(queue=home, exchange=self.events, routing_key=key, nowait=True)
        for key in bindings(patterns, shard, shards):
            channel.queue_bind(queue=home, exchange=self.events, routing_key=key, nowait=True)
        self.declare_events(channel)  # is answered, so everything before it is done

    def declare_later(self, channel: Any, step: int) -> str:
        """The waiting room of this step; returns its exchange."""
        name = self.later(step)
        arguments = {**_QUORUM, **_AT_LEAST_ONCE, "x-message-ttl": step, "x-dead-letter-exchange": ""}
        channel.exchange_declare(exchange=name, type="fanout", durable=True, auto_delete=False)
        channel.queue_declare(queue=name, durable=True, auto_delete=False, arguments=arguments)
        channel.queue_bind(queue=name, exchange=name, routing_key="")
        return name

    def former_homes(self, connection: Any, queue: str, shards: int) -> list[str]:
        """The parts that are still there from another number of shards. They are unbound; what is in them must be handled."""
        present = self.homes(queue, shards)
        every = [self._prefix + queue, *self.homes(queue, SLOTS)]
        return [name for name in every if name not in present and _is_there(connection, name)]

    def unbind(self, channel: Any, home: str, patterns: Sequence[str]) -> None:
        for key in every_binding(patterns):
            channel.queue_unbind(queue=home, exchange=self.events, routing_key=key, nowait=True)
        self.declare_events(channel)

    def remove(self, channel: Any, names: Iterable[str]) -> None:
        """Delete these queues, the waiting rooms and the exchange, with what is in them."""
        for name in (*names, *(self.later(step) for step in STEPS)):
            channel.queue_delete(queue=name)
        for exchange in (*(self.later(step) for step in STEPS), self.events):
            channel.exchange_delete(exchange=exchange)


def _is_there(connection: Any, queue: str) -> bool:
    channel = connection.channel()  # one of its own: a broker closes the channel that asks for what is not there
    try:
        channel.queue_declare(queue=queue, passive=True)
    except Exception as error:
        if getattr(error, "code", None) == NO_SUCH_QUEUE:
            return False
        raise
    channel.close()
    return True


def step_for(milliseconds: float) -> int:
    """The longest step that does not wait too long, or the shortest there is."""
    return max((step for step in STEPS if step <= milliseconds), default=STEPS[0])
