"""The one bus of both sizes: RabbitMQ through kombu's own driver, or the store's tables through a kombu transport of ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from kombu.connection import Connection

from hub.bus import Handler, Pattern
from hub.bus.bundles import bundled, joined
from hub.bus.confirms import ConfirmedChannel, Outgoing, abandon, body_of, say_goodbye
from hub.bus.consumer import Consumer
from hub.bus.envelope import Envelope
from hub.bus.handing import PATIENCE, Handing
from hub.bus.keeper import Keeper, beat
from hub.bus.topics import as_patterns
from hub.bus.topology import NO_SUCH_QUEUE, Topology
from hub.bus.wire import wire_up
from hub.core.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from hub.store.sql import Store

log = structlog.get_logger("hub.bus")
_Connection: Any = Connection  # kombu has no types here

BATCH = 200


class KombuBus:
    """A `hub.bus.Bus` over kombu. `url` is an AMQP address, or `embedded://` together with the `store` whose tables carry it.

    `prefix` stands before every name in the broker, so that several hubs (or tests) share one. `confirm_within` is how
    long `publish` and `subscribe` try, reconnecting as needed, before they raise `Unavailable`. Consumers never give up.
    `patience` are the seconds before the second and later tries of an event whose handler raised.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "",
        store: Store | None = None,
        batch: int = BATCH,
        confirm_within: float = 10.0,
        patience: Sequence[float] = PATIENCE,
        heartbeat: int = 20,
    ) -> None:
        self._url = url
        self._store = store
        self._topology = Topology(prefix)
        self._batch = batch
        self._confirm_within = confirm_within
        self._patience = patience
        self._heartbeat = heartbeat
        self._now: Callable[[], float] = (lambda: store.clock.now().timestamp()) if store else time.time
        self._queues: dict[str, list[str]] = {}  # with the parts they are made of
        self._consumers: list[Consumer] = []
        self._publishing = threading.Lock()
        self._publisher: ConfirmedChannel | None = None
        self._stopping = threading.Event()
        self._running = threading.Lock()
        self._keeper = Keeper(heartbeat / 3, self._in_use, self._keep_publisher)

    # --- publishing ----------------------------------------------------------------------------------------------

    def publish(self, events: Sequence[Envelope]) -> None:
        exchange = self._topology.events
        messages = [Outgoing(joined(bodies), exchange, words) for words, bodies in bundled(events)]
        if messages:
            self._certainly(lambda channel, until: channel.send(messages, until=until), "the events could not be published")

    def _certainly(self, act: Callable[[ConfirmedChannel, float], Any], failed: str) -> Any:
        """Do it on the publishing channel, again on a new connection while there is time."""
        until, pause = time.monotonic() + self._confirm_within, 0.05
        with self._publishing:
            while True:
                try:
                    if self._publisher is None:
                        self._publisher = self._open_publisher()
                    return act(self._publisher, until)
                except Exception as error:
                    self._drop_publisher(broken=True)
                    if getattr(error, "code", None) == NO_SUCH_QUEUE:
                        raise NotFound(happened="there is no such queue", next="subscribe to it first") from error
                    left = until - time.monotonic()
                    if left <= 0:
                        raise Unavailable(
                            happened=failed,
                            next="see that the broker runs and is reachable, then try again",
                            reason=type(error).__name__,
                        ) from error
                    time.sleep(min(pause, left))
                    pause = min(pause * 2, 1.0)

    def _open_publisher(self) -> ConfirmedChannel:
        connection = self._connection()
        try:
            connection.ensure_connection(max_retries=0)  # when to try again is decided here
            channel = connection.channel()
            self._topology.declare_events(channel)
            self._keeper.start()
            return ConfirmedChannel(connection, channel)
        except Exception:
            abandon(connection)
            raise

    def _drop_publisher(self, *, broken: bool = False) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            (abandon if broken else say_goodbye)(publisher.connection)

    def _connection(self) -> Any:
        if self._store is not None:
            from hub.bus.embedded import EmbeddedTransport  # noqa: PLC0415 - the big size needs no SQL on its bus

            return _Connection(transport=EmbeddedTransport, transport_options={"store": self._store})
        return _Connection(
            self._url,
            heartbeat=self._heartbeat,
            connect_timeout=min(5.0, self._confirm_within),
            transport_options={"write_timeout": self._confirm_within, "frame_writer": wire_up},
        )

    # --- subscribing ---------------------------------------------------------------------------------------------

    def subscribe(self, queue: str, pattern: Pattern, handler: Handler, *, shards: int = 1) -> None:
        patterns = as_patterns(pattern)
        topology = self._topology
        homes = topology.homes(queue, shards)

        def declare_all(channel: ConfirmedChannel, _until: float) -> list[str]:
            former = topology.former_homes(channel.connection, queue, shards)
            for home in former:
                topology.unbind(channel.channel, home, patterns)
            for shard in range(shards):
                topology.declare_home(channel.channel, queue, patterns, shard, shards)
            return former

        former = self._certainly(declare_all, "the queue could not be declared")
        self._queues[queue] = [*homes, *former]
        declarations = [
            (home, partial(topology.declare_home, queue=queue, patterns=patterns, shard=shard, shards=shards))
            for shard, home in enumerate(homes)
        ]
        declarations += [(home, partial(topology.unbind, home=home, patterns=patterns)) for home in former]
        self._consumers += [
            Consumer(
                home=home,
                parked=topology.parked(queue),
                patterns=patterns,
                handing=Handing(queue, handler, now=self._now, patience=self._patience),
                connect=self._connection,
                declare=declaration,
                topology=topology,
                batch=self._batch,
                now=self._now,
            )
            for home, declaration in declarations
        ]

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that this bus has subscribed to."""
        return tuple(self._queues)

    def depth(self, queue: str) -> int:
        return sum(self._ready(home) for home in self._queues.get(queue) or self._topology.homes(queue, 1))

    def parked(self, queue: str) -> int:
        """How many events of the queue are parked."""
        return self._ready(self._topology.parked(queue))

    def unpark(self, queue: str) -> int:
        """Put every parked event back onto the queue it came from, with its tries forgotten. Returns how many."""
        return int(self._certainly(partial(self._unpark, queue=queue), "the parked events could not be put back"))

    def _unpark(self, channel: ConfirmedChannel, until: float, *, queue: str) -> int:
        count = 0
        while count < 100_000:
            message = channel.channel.basic_get(self._topology.parked(queue))
            if message is None:
                break
            headers = message.properties.get("application_headers") or {}
            home = str(headers.get("queue") or (self._queues.get(queue) or self._topology.homes(queue, 1))[0])
            channel.send([Outgoing(body_of(message), "", home, {"queue": home}, True)], until=until)
            channel.channel.basic_ack(message.delivery_tag)
            count += 1
        return count

    def _ready(self, name: str) -> int:
        def count(channel: ConfirmedChannel, _until: float) -> int:
            return int(channel.channel.queue_declare(queue=name, passive=True).message_count)

        return int(self._certainly(count, "the queue could not be counted"))

    # --- running -------------------------------------------------------------------------------------------------

    def run(self, *, until_idle: bool = False) -> None:
        with self._running:
            consumers = list(self._consumers)
            self._keeper.start()
            for consumer in consumers:
                consumer.start()
            try:
                if until_idle:
                    self._wait_until_idle(consumers)
                else:
                    self._stopping.wait()
            finally:
                for consumer in consumers:
                    consumer.stop()
                self._wake(consumers)
                for consumer in consumers:
                    consumer.join()
                self._stopping.clear()  # at the end, not at the beginning: a stop that came early is not forgotten

    def _wait_until_idle(self, consumers: Sequence[Consumer]) -> None:
        """Three looks in a row at which nothing was ready, nothing in hand and nothing handed over since."""
        quiet, before = 0, -1
        while quiet < 3 and not self._stopping.wait(0.02):
            handed = sum(consumer.batches for consumer in consumers)
            idle = not any(consumer.busy or consumer.connection is None for consumer in consumers)
            idle = idle and handed == before and not any(self.depth(queue) for queue in self._queues)
            quiet, before = (quiet + 1 if idle else 0), handed

    def _in_use(self) -> list[Any]:
        connections = [consumer.connection for consumer in self._consumers]
        return [connection for connection in connections if connection is not None]

    def _keep_publisher(self) -> None:
        """Heartbeats both ways: what the broker sent while nobody published is read and forgotten."""
        if self._publisher is None or not self._publishing.acquire(blocking=False):
            return
        try:
            beat(self._publisher.connection)
            with suppress(TimeoutError):
                while True:
                    self._publisher.connection.drain_events(timeout=0)
        except Exception:
            self._drop_publisher(broken=True)
        finally:
            self._publishing.release()

    def _wake(self, consumers: Sequence[Consumer]) -> None:
        if self._store is not None:
            for consumer in consumers:
                self._store.bells.ring(f"bus {consumer.home}")

    def stop(self) -> None:
        self._stopping.set()

    def close(self) -> None:
        self.stop()
        self._keeper.close()
        with self._running, self._publishing:
            self._drop_publisher()

    def remove(self) -> None:
        """Delete this bus's queues and exchanges with everything in them. For tests, and for taking a hub down for good."""
        names = [name for queue, homes in self._queues.items() for name in (*homes, self._topology.parked(queue))]
        self._certainly(lambda channel, _until: self._topology.remove(channel.channel, names), "the queues could not be deleted")
