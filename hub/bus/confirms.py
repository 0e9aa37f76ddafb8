"""Messages that the broker has confirmed, many in flight at a time.

RabbitMQ's publisher confirms: https://www.rabbitmq.com/docs/confirms. kombu's `confirm_publish` waits for each message;
here up to a window of them is on its way, which is what the round trips cost least with.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from hub.bus.wire import cork_of, settle_down

_DURABLE = {"delivery_mode": 2}


class Outgoing(NamedTuple):
    """A message and where it goes. `mandatory`: it is an error if no queue takes it."""

    body: bytes
    exchange: str
    routing_key: str
    headers: dict[str, Any] | None = None
    mandatory: bool = False


def body_of(message: Any) -> bytes:
    """The body of a message that came; the driver gives an empty one as text."""
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


class NotTaken(ConnectionError):
    """The broker refused a message, or had no queue for one that must have one."""


class ConfirmedChannel:
    """A channel that says which messages are safe. For one thread at a time."""

    def __init__(self, connection: Any, channel: Any, *, window: int = 256) -> None:
        self.connection = connection
        self.channel = channel
        self._window = window
        self._sent = 0
        self._floor = 0  # every tag up to here is confirmed
        self._above: set[int] = set()  # confirmed tags beyond a gap
        self._refusals: list[str] = []
        self._cork = cork_of(connection)
        settle_down(connection)
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)

    def send(self, messages: Sequence[Outgoing], *, until: float) -> None:
        """Return once all are confirmed. Raises `NotTaken`, `TimeoutError` (monotonic `until` has passed), or what the broken connection raises."""
        cork, publish, prepare = self._cork, self.channel.basic_publish, self.channel.prepare_message
        try:
            for body, exchange, routing_key, headers, mandatory in messages:
                if self._sent - self._floor - len(self._above) >= self._window:
                    cork.pull()
                    self._wait(self._window // 2, until)
                cork.put_in()
                message = prepare(body, headers=headers, properties=_DURABLE)
                publish(message, exchange=exchange, routing_key=routing_key, mandatory=mandatory)
                self._sent += 1
        finally:
            cork.pull()
        self._wait(0, until)

    def _wait(self, outstanding: int, until: float) -> None:
        while self._sent - self._floor - len(self._above) > outstanding:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the broker did not confirm in time")
            self.connection.drain_events(timeout=left)
        if self._refusals:
            raise NotTaken(self._refusals[0])

    def _on_ack(self, tag: int, multiple: bool) -> None:
        above = self._above
        if multiple:
            self._floor = max(self._floor, tag)
            if above:
                self._above = above = {other for other in above if other > self._floor}
        else:
            above.add(tag)
        while self._floor + 1 in above:
            self._floor += 1
            above.discard(self._floor)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._refusals.append("the broker refused a message")
        self._on_ack(tag, multiple)

    def _on_return(self, _error: Exception, _exchange: str, routing_key: str, _message: Any) -> None:
        self._refusals.append(f"there is no queue {routing_key!r}")


def say_goodbye(connection: Any) -> None:
    """Close the connection with the broker's knowledge, without waiting long for its answer."""
    sock = getattr(connection.connection, "sock", None)
    try:
        if sock is not None:
            sock.settimeout(5)
        connection.release()
    except Exception:
        abandon(connection)


def abandon(connection: Any) -> None:
    """Let go of a broken connection. The closing handshake would wait for a peer that may be gone."""
    with suppress(Exception):
        connection.collect(socket_timeout=1)
