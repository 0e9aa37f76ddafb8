"""A kombu transport over the store's tables, for the hub that is one process and needs no broker.

kombu's own transports for one machine lose or strand unacknowledged messages when the process dies. Here a message is a
row until it is acknowledged. What a caller sees is AMQP's: confirms (a group of messages is one commit, confirmed when
something is drained), acknowledgements of many at once, one active consumer a queue, mandatory messages returned.
Handing over is woken by the store's bells and does not poll.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

from kombu.transport import virtual

from hub.bus.rows import PROCESS, Reading, Routes, Row, Rows, bell
from hub.store.sql import Store

_prepare: Any = virtual.Channel.__init__  # kombu has no types here
_numbers = count(1)
_IDLE_WAIT = 5.0
_STANDBY_WAIT = 0.5


class Declared(NamedTuple):
    """The answer to a declaration, in the words of AMQP."""

    queue: str
    message_count: int
    consumer_count: int = 0


class NoSuchQueue(LookupError):
    """There is no queue of this name; `code` is AMQP's."""

    code = 404


class EmbeddedMessage:
    """A message as the driver of RabbitMQ would hand it over, as far as this bus looks at it."""

    __slots__ = ("body", "delivery_tag", "properties")

    def __init__(self, row: Row, tag: int) -> None:
        self.body = row.body
        self.delivery_tag = tag
        self.properties = {"application_headers": row.headers or {}}


class EmbeddedChannel(virtual.Channel):
    """One consumer, or one publisher, of the embedded bus."""

    keeps_due = True  # a message with a header `due` stays hidden until then: no waiting rooms are needed
    idle_wait = _IDLE_WAIT

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        _prepare(self, connection, **kwargs)
        self.store: Store = connection.client.transport_options["store"]
        self.events: defaultdict[str, set[Callable[..., None]]] = defaultdict(set)
        self._rows = Rows(self.store)
        self._routes = Routes()
        self._holder = f"{PROCESS}:{next(_numbers)}"
        self._unsent: list[tuple[str, str, bytes, dict[str, Any] | None]] = []
        self._mandatory: set[int] = set()
        self._sent = 0
        self._unacknowledged: deque[tuple[int, int | None]] = deque()  # delivery tag, place
        self._tags = count(1)
        self._queue = ""
        self._callback: Callable[[EmbeddedMessage], object] | None = None
        self._holds = False
        self._prefetch = 0

    # --- declaring -----------------------------------------------------------------------------------------------

    def exchange_declare(self, exchange: Any = "", *_arguments: Any, **_named: Any) -> None:
        """Nothing to do: a topic exchange is its bindings."""

    def exchange_delete(self, exchange: Any, *_arguments: Any, **_named: Any) -> None:
        """Nothing to do: bindings go with their queues."""

    def queue_declare(self, queue: Any = "", passive: Any = False, **_named: Any) -> Declared:
        if not passive:
            self._rows.declare(queue)
        elif not self._rows.exists(queue):
            raise NoSuchQueue(queue)
        return Declared(queue, self._rows.count(queue))

    def queue_bind(self, queue: Any, exchange: Any = "", routing_key: Any = "", *_arguments: Any, **_named: Any) -> None:
        self._rows.bind(exchange, [(queue, routing_key, True)])

    def queue_unbind(self, queue: Any, exchange: Any = "", routing_key: Any = "", *_arguments: Any, **_named: Any) -> None:
        self._rows.bind(exchange, [(queue, routing_key, False)])

    def queue_delete(self, queue: Any, *_arguments: Any, **_named: Any) -> None:
        self._rows.delete_queue(queue)

    def queue_purge(self, queue: Any, **_named: Any) -> int:
        return self._rows.purge(queue)

    # --- publishing ----------------------------------------------------------------------------------------------

    def confirm_select(self, nowait: bool = False) -> None:
        """Every channel confirms; this is how a publisher says that it listens."""

    def prepare_message(
        self,
        body: Any,
        priority: Any = None,
        content_type: Any = None,
        content_encoding: Any = None,
        headers: Any = None,
        properties: Any = None,
    ) -> Any:
        return body, headers

    def basic_publish(
        self, message: Any, exchange: str = "", routing_key: str = "", mandatory: bool = False, **_arguments: Any
    ) -> None:
        body, headers = message
        if mandatory:
            self._mandatory.add(len(self._unsent))
        self._unsent.append((exchange, routing_key, body, headers))

    def flush(self) -> bool:
        """Commit what was published and confirm it; false where there was nothing."""
        if not self._unsent:
            return False
        unsent, mandatory = self._unsent, self._mandatory
        self._unsent, self._mandatory = [], set()
        homeless = self._rows.put(self._routes, unsent)
        for number in sorted(homeless & mandatory):
            for told in self.events["basic_return"]:
                told(NoSuchQueue(), unsent[number][0], unsent[number][1], None)
        self._sent += len(unsent)
        for told in self.events["basic_ack"]:
            told(self._sent, True)
        return True

    # --- consuming -----------------------------------------------------------------------------------------------

    def basic_qos(self, prefetch_size: int = 0, prefetch_count: int = 0, apply_global: bool = False) -> None:
        self._prefetch = prefetch_count

    def basic_consume(self, queue: str, no_ack: bool, callback: Any, consumer_tag: str, **_arguments: Any) -> None:
        self._queue, self._callback = queue, callback
        self._consumers.add(consumer_tag)

    def basic_cancel(self, consumer_tag: str, **_arguments: Any) -> None:
        if consumer_tag in self._consumers:
            self._consumers.remove(consumer_tag)
            self._let_go()

    def basic_get(self, queue: str, no_ack: bool = False, **_arguments: Any) -> EmbeddedMessage | None:
        reading = self._rows.read(queue, 1)
        if reading is None or not reading.rows:
            return None
        tag = next(self._tags)
        self._unacknowledged.append((tag, reading.rows[0].place))
        return EmbeddedMessage(reading.rows[0], tag)

    def basic_ack(self, delivery_tag: int, multiple: bool = False) -> None:
        places = []
        while self._unacknowledged and self._unacknowledged[0][0] <= delivery_tag:
            tag, place = self._unacknowledged.popleft()
            if place is not None and (multiple or tag == delivery_tag):
                places.append(place)
        if not self._callback:
            self._rows.take_out(places)
        elif not self._rows.remove(self._queue, self._holder, places):
            self._holds = False
            raise ConnectionError(f"the queue {self._queue!r} has another consumer now")

    def drain(self, timeout: float | None) -> bool:
        """Confirm what was published, or hand over what is there, or wait for it. False where time ran out."""
        if self.flush():
            return True
        if self._callback is None or self._unacknowledged:
            return False
        bells, name = self.store.bells, bell(self._queue)
        rung = bells.count(name)
        reading = self._read()
        if reading is not None and reading.rows:
            self._hand_over(reading.rows)
            return True
        if timeout != 0:
            due = _STANDBY_WAIT if reading is None else reading.wait or _IDLE_WAIT
            bells.wait(name, rung, min(_IDLE_WAIT if timeout is None else timeout, due))
        return False

    def _read(self) -> Reading | None:
        """What there is, if the queue is ours or can be."""
        self.renew()
        reading = self._rows.read(self._queue, self._prefetch or 200, holder=self._holder)
        if reading is None and self._rows.hold(self._queue, self._holder):
            reading = self._rows.read(self._queue, self._prefetch or 200, holder=self._holder)
        self._holds = reading is not None
        return reading

    def _hand_over(self, rows: list[Row]) -> None:
        assert self._callback is not None
        for row in rows:
            tag = next(self._tags)
            self._unacknowledged.append((tag, row.place))
            self._callback(EmbeddedMessage(row, tag))

    def renew(self) -> None:
        """Keep the lease, also while a handler works; from any thread."""
        if self._holds:
            self._rows.renew()

    def _let_go(self) -> None:
        if self._callback is not None:
            self._callback = None
            if self._holds:
                self._rows.release(self._queue, self._holder)

    def close(self) -> None:
        """Let another consumer have the queue at once; what is not acknowledged is still in it."""
        if not self.closed:
            self.closed = True
            self._let_go()
            if self.connection is not None:
                self.connection.close_channel(self)


class EmbeddedTransport(virtual.Transport):
    """kombu's way to the embedded bus; the store comes in the transport options."""

    Channel = EmbeddedChannel
    driver_type = driver_name = "embedded"

    def drain_events(self, connection: Any, timeout: Any = None, **_named: Any) -> None:
        """Let each channel do what there is to do; raises `TimeoutError` where it was nothing."""
        for channel in list(self.channels):
            if channel.drain(timeout):
                return
        raise TimeoutError

    def send_heartbeat(self) -> None:
        """What a heartbeat is to a broker, the renewal of a lease is to a table."""
        for channel in list(self.channels):
            channel.renew()

    def _collect(self, _connection: Any) -> None:
        for channel in [*self.channels, *self._avail_channels]:
            channel.close()

    def driver_version(self) -> str:
        return "1"
