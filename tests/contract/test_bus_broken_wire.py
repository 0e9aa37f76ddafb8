"""What the bus does when the wire to RabbitMQ is cut, swallows answers, or leads nowhere.

The broker itself is left alone: a small proxy stands in between, and it is the proxy that breaks.
"""

import os
import socket
import threading
import uuid
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from hub.bus.envelope import encode
from hub.bus.kombu import KombuBus
from hub.core.errors import NotFound, Unavailable
from hub.core.event import decided
from hub.core.outcome import DONE, Later
from hub.core.vocabulary import Receipt

URL = os.environ.get("SHUNIU_TEST_BUS_URL", "amqp://guest:guest@127.0.0.1:5672//")
PATIENT = 60.0


def receipt(number):
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    fact = Receipt(receipt=f"r{number}", booked_on=date(2026, 3, 2), amount=Decimal("1.00"))
    subject = f"r{number}"
    return encode(
        decided("receipt.received", tenant="acme", by="test", subject=subject, data=fact, occurred_at=moment, once=subject)
    )


class Proxy:
    """A wire between a client and the broker that can be cut, or made to swallow what the broker says."""

    def __init__(self, host, port):
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = True
        self._lock = threading.Lock()
        self._wires = []
        self.mute = False
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self._open:
            try:
                client, _ = self._listener.accept()
                broker = socket.create_connection(self._target)
            except OSError:
                return
            self.connections += 1
            with self._lock:
                self._wires += [client, broker]
            threading.Thread(target=self._carry, args=(client, broker, False), daemon=True).start()
            threading.Thread(target=self._carry, args=(broker, client, True), daemon=True).start()

    def _carry(self, source, target, answers):
        with suppress(OSError):
            while piece := source.recv(65536):
                if not (answers and self.mute):
                    target.sendall(piece)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """Close every connection there is; new ones are let through."""
        with self._lock:
            wires, self._wires = self._wires, []
        for wire in wires:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()

    def close(self):
        self._open = False
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()


@pytest.fixture
def proxy():
    address = urlsplit(URL)
    host, port = address.hostname, address.port or 5672
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"RabbitMQ does not answer at {host}:{port}: {error}")
    proxy = Proxy(host, port)
    yield proxy
    proxy.close()


@pytest.fixture
def bus(proxy):
    """A bus whose wire is the proxy."""
    address = urlsplit(URL)
    through = URL.replace(f"{address.hostname}:{address.port or 5672}", f"127.0.0.1:{proxy.port}")
    prefix = f"test-{uuid.uuid4().hex[:10]}."
    bus = KombuBus(through, prefix=prefix, patience=(0.05,), confirm_within=10)
    yield bus
    bus.close()
    direct = KombuBus(URL, prefix=prefix)
    for queue in bus.queues:
        direct.subscribe(queue, "#", lambda events: [DONE] * len(events))
    direct.remove()
    direct.close()


@contextmanager
def running(bus):
    thread = threading.Thread(target=bus.run)
    thread.start()
    try:
        yield
    finally:
        bus.stop()
        thread.join(PATIENT)
        assert not thread.is_alive()


def test_cut_connections_under_load_lose_nothing(proxy, bus):
    """The wire is cut again and again while events are published, handled and put off; each is handled at least once."""
    handled, changed = {}, threading.Condition()

    def handler(events):
        outcomes = []
        with changed:
            for event in events:
                handled[event.id] = handled.get(event.id, 0) + 1
                odd = handled[event.id] == 1 and len(handled) % 7 == 0
                outcomes.append(Later(after=0.1, why="not yet") if odd else DONE)
            changed.notify_all()
        return outcomes

    bus.subscribe("payments", "#", handler)
    events = [receipt(number) for number in range(3000)]
    with running(bus):
        for start in range(0, 3000, 100):
            bus.publish(events[start : start + 100])
            if start % 500 == 300:
                proxy.cut()
        with changed:
            assert changed.wait_for(lambda: len(handled) == 3000, PATIENT)

    assert set(handled) == {event.id for event in events}
    assert proxy.connections > 6


def test_a_consumer_finds_back_after_the_broker_was_away(proxy, bus):
    """The wire is cut while the consumer waits; what is published afterwards reaches it without anybody's help."""
    came = threading.Event()
    bus.subscribe("payments", "#", lambda events: (came.set(), [DONE] * len(events))[1])

    with running(bus):
        bus.publish([receipt(1)])
        assert came.wait(PATIENT)
        came.clear()
        proxy.cut()
        bus.publish([receipt(2)])
        assert came.wait(PATIENT)


def test_a_slow_handler_keeps_its_queue(proxy):
    """A handler that works longer than the broker waits for a sign of life is not interrupted, nor is its event handed over twice."""
    bus = KombuBus(URL, prefix=f"test-{uuid.uuid4().hex[:10]}.", heartbeat=1)
    times, done = [], threading.Event()

    def handler(events):
        times.append(len(events))
        threading.Event().wait(4)  # the broker gives up on a silent connection after two to three seconds
        done.set()
        return [DONE] * len(events)

    bus.subscribe("payments", "#", handler)
    bus.publish([receipt(1)])
    with running(bus):
        assert done.wait(PATIENT)
    bus.run(until_idle=True)

    assert times == [1]
    bus.remove()
    bus.close()


def test_publish_says_so_when_nothing_is_confirmed(proxy):
    """A broker that takes the bytes and never answers is not believed: `publish` raises `Unavailable` in time."""
    bus = KombuBus(f"amqp://guest:guest@127.0.0.1:{proxy.port}//", prefix=f"test-{uuid.uuid4().hex[:10]}.", confirm_within=0.5)
    bus.publish([receipt(1)])
    proxy.mute = True

    with pytest.raises(Unavailable):
        bus.publish([receipt(2)])

    proxy.mute = False
    bus.publish([receipt(2)])
    bus.remove()
    bus.close()


def test_publish_says_so_when_there_is_no_broker():
    """Where nothing listens, `publish` and `subscribe` raise `Unavailable`, and the error does not tell the password."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    bus = KombuBus(f"amqp://guest:hush@127.0.0.1:{port}//", confirm_within=0.3)

    with pytest.raises(Unavailable) as publishing:
        bus.publish([receipt(1)])
    with pytest.raises(Unavailable):
        bus.subscribe("payments", "#", lambda events: [])

    assert "hush" not in str(publishing.value)
    bus.close()


def test_counting_a_queue_that_is_not_there_says_so_at_once(bus):
    """The depth of an unknown queue is an error, not a wait."""
    with pytest.raises(NotFound):
        bus.depth("nobody")


def test_an_event_is_not_acknowledged_when_its_copy_has_nowhere_to_go(proxy, bus):
    """Where the parked queue is gone, a parked event stays in its queue until there is one again."""
    from hub.core.outcome import Park

    tried = threading.Semaphore(0)
    bus.subscribe("payments", "#", lambda events: (tried.release(), [Park(why="odd")] * len(events))[1])
    bus.publish([receipt(1)])
    connection = bus._connection()
    connection.channel().queue_delete(queue=bus._topology.parked("payments"))

    bus.run(until_idle=True)

    assert bus.parked("payments") == 1
    connection.release()
