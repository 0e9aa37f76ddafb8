"""Confirmed publishing to RabbitMQ beside the driver's own limit and the plain way of doing it, and the embedded bus's speed.

Rounds of the candidates take turns, because the machine's load changes while they run; the middle round counts.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp
import kombu

from hub.bus.bundles import bundled, joined
from hub.bus.envelope import Envelope, encode
from hub.bus.kombu import KombuBus
from hub.bus.topics import routing_key
from hub.core.event import decided
from hub.core.outcome import DONE
from hub.core.vocabulary import Receipt
from hub.store import bus_tables
from hub.store.sql import Store

URL = os.environ.get("SHUNIU_TEST_BUS_URL", "amqp://guest:guest@127.0.0.1:5672//")
QUORUM = {"x-queue-type": "quorum"}


def receipts(count: int) -> list[Envelope]:
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    return [
        encode(
            decided(
                "receipt.received",
                tenant="acme",
                by="bench",
                subject=f"r{number}",
                occurred_at=moment,
                once=str(number),
                key=f"payer:{number % 500}",
                data=Receipt(
                    receipt=f"r{number}",
                    account="6222000000000000000",
                    booked_on=date(2026, 3, 2),
                    amount=Decimal("11800.50"),
                    payer_name="苏州某某精密机械有限公司",
                    memo=f"SO-2026-{number:06d} 订金",
                ),
            )
        )
        for number in range(count)
    ]


class DriverLimit:
    """py-amqp alone: one loop that publishes and keeps a window of confirms in flight, of the bundles that the bus makes or of one event each."""

    def __init__(self, name: str, *, bundles: bool) -> None:
        self._bundles = bundles
        address = urlsplit(URL)
        self._connection = amqp.Connection(
            f"{address.hostname}:{address.port or 5672}",
            userid=unquote(address.username or "guest"),
            password=unquote(address.password or "guest"),
            virtual_host=unquote(address.path[1:]) or "/",
        )
        self._connection.connect()
        # Else the driver looks at the socket before each message.
        self._connection.client_properties["capabilities"]["connection.blocked"] = False
        self._channel = self._connection.channel()
        self._name = name
        self._channel.exchange_declare(name, "topic", durable=True, auto_delete=False)
        self._channel.queue_declare(name, durable=True, auto_delete=False, arguments=QUORUM)
        self._channel.queue_bind(name, name, "#")
        self._sent = self._floor = 0
        self._above: set[int] = set()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)

    def _on_ack(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._floor = max(self._floor, tag)
            self._above = {other for other in self._above if other > tag}
        else:
            self._above.add(tag)
        while self._floor + 1 in self._above:
            self._floor += 1
            self._above.discard(self._floor)

    def publish(self, events: Sequence[Envelope]) -> None:
        for body in [joined(bodies) for _, bodies in bundled(events)] if self._bundles else [event.body for event in events]:
            message = amqp.Message(body, delivery_mode=2)
            self._channel.basic_publish(message, exchange=self._name, routing_key="receipt.received.s00")
            self._sent += 1
            if self._sent - self._floor - len(self._above) >= 256:
                while self._sent - self._floor - len(self._above) > 128:
                    self._connection.drain_events()
        while self._floor < self._sent:
            self._connection.drain_events()

    def clear(self) -> None:
        self._channel.queue_purge(self._name)

    def close(self) -> None:
        self._channel.queue_delete(self._name)
        self._channel.exchange_delete(self._name)
        self._connection.close()


class PlainKombu:
    """kombu's Producer with `confirm_publish`: it waits for every message."""

    def __init__(self, name: str) -> None:
        self._connection: Any = kombu.Connection(URL, transport_options={"confirm_publish": True})
        self._exchange = kombu.Exchange(name, "topic", durable=True)
        self._queue: Any = kombu.Queue(name, self._exchange, routing_key="#", durable=True, queue_arguments=QUORUM)
        self._queue = self._queue.bind(self._connection.channel())
        self._queue.declare()
        self._producer: Any = self._connection.Producer(exchange=self._exchange, serializer="json")

    def publish(self, events: Sequence[Envelope]) -> None:
        for event in events:
            words = routing_key(event.type, event.tenant, event.key)
            self._producer.publish(event.body, routing_key=words, content_type="application/json", content_encoding="binary")

    def clear(self) -> None:
        self._queue.purge()

    def close(self) -> None:
        self._queue.delete()
        self._exchange.bind(self._connection.channel()).delete()
        self._connection.release()


class OurBus:
    """KombuBus over RabbitMQ."""

    def __init__(self, name: str) -> None:
        self._bus = KombuBus(URL, prefix=f"{name}.")
        self._bus.subscribe("all", "#", lambda events: [DONE] * len(events))

    def publish(self, events: Sequence[Envelope]) -> None:
        self._bus.publish(events)

    def clear(self) -> None:
        self._bus.run(until_idle=True)

    def close(self) -> None:
        self._bus.remove()
        self._bus.close()


def rate(publish: Callable[[Sequence[Envelope]], None], events: Sequence[Envelope]) -> float:
    """Events a second."""
    began = time.perf_counter()
    publish(events)
    return len(events) / (time.perf_counter() - began)


def publishing(count: int = 32_000, rounds: int = 7) -> dict[str, float]:
    """The middle rate of each candidate over RabbitMQ."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    candidates = {
        "driver": DriverLimit(f"{name}-driver", bundles=True),
        "alone": DriverLimit(f"{name}-alone", bundles=False),
        "bus": OurBus(name),
        "plain": PlainKombu(f"{name}-plain"),
    }
    events = receipts(count)
    share = {"driver": 1, "bus": 1, "alone": 8, "plain": 80}
    rates: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, candidate in candidates.items():
            rates[name].append(rate(candidate.publish, events[: count // share[name]]))
            candidate.clear()
    for candidate in candidates.values():
        candidate.close()
    return {name: statistics.median(values) for name, values in rates.items()}


def handling(bus: KombuBus, count: int = 10_000) -> tuple[float, float]:
    """Events a second from publish to handled, published in hundreds while they are handled; and the idle latency in ms."""
    handled, changed = 0, threading.Condition()

    def handler(batch: Sequence[Envelope]) -> list[Any]:
        nonlocal handled
        with changed:
            handled += len(batch)
            changed.notify_all()
        return [DONE] * len(batch)

    bus.subscribe("all", "#", handler)
    thread = threading.Thread(target=bus.run)
    thread.start()
    events = receipts(count)
    bus.publish(events[:1])
    with changed:
        changed.wait_for(lambda: handled == 1)
    began = time.perf_counter()
    for start in range(1, count, 100):
        bus.publish(events[start : start + 100])
    with changed:
        changed.wait_for(lambda: handled == count)
    speed = (count - 1) / (time.perf_counter() - began)
    waits = []
    for event in events[:50]:
        before, began = handled, time.perf_counter()
        bus.publish([event])
        with changed:
            changed.wait_for(lambda: handled > before)  # noqa: B023 - it is used before the next round
        waits.append((time.perf_counter() - began) * 1000)
    bus.stop()
    thread.join()
    bus.remove()
    bus.close()
    return speed, statistics.median(waits)


def embedded(rounds: int = 3) -> tuple[float, float]:
    """The best of some rounds: an absolute figure says something about the bus only where the machine was its own for a while."""
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            store = Store(f"sqlite:///{folder}/bus.db")
            bus_tables.metadata.create_all(store.engine)
            found.append(handling(KombuBus("embedded://", store=store)))
            store.close()
    return max(speed for speed, _ in found), min(latency for _, latency in found)


def main() -> int:
    """Print the figures beside their limits; 1 where one is not met."""
    rates = publishing()
    share = rates["bus"] / rates["driver"]
    print(f"bus, RabbitMQ confirmed publish: driver, the same bundles, 256 in flight {rates['driver']:>9,.0f} events/s")
    print(f"bus, RabbitMQ confirmed publish: KombuBus                                {rates['bus']:>9,.0f} events/s")
    print(f"bus, RabbitMQ confirmed publish: driver, an event each, 256 in flight    {rates['alone']:>9,.0f} events/s")
    print(f"bus, RabbitMQ confirmed publish: kombu Producer, one by one              {rates['plain']:>9,.0f} events/s")
    print(f"bus, RabbitMQ confirmed publish: share of the driver's limit {share:.0%} (limit 80 %)")
    speed, latency = handling(KombuBus(URL, prefix=f"bench-{uuid.uuid4().hex[:8]}."))
    print(f"bus, RabbitMQ publish → handled: {speed:,.0f} /s, idle latency {latency:.1f} ms")
    speed, latency = embedded()
    print(f"bus, embedded publish → handled: {speed:,.0f} /s (limit 5,000), idle latency {latency:.1f} ms (limit 5 ms)")
    return 0 if share >= 0.8 and speed >= 5000 and latency < 5 else 1


if __name__ == "__main__":
    raise SystemExit(main())
