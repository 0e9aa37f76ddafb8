"""How the driver is set up: many small frames leave in one piece, and nothing is looked at that nobody needs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from amqp.method_framing import frame_writer  # type: ignore[import-untyped]

_FULL = 16 * 1024


class Cork:
    """Stands before the driver's socket and, while it is in, gathers what is written.

    A message is three short frames; sent one by one, the system calls cost more than making them.
    """

    def __init__(self, write: Callable[[Any], None]) -> None:
        self._write = write
        self._pieces: list[bytes] = []
        self._size = 0
        self._in = False
        self._lock = threading.Lock()  # heartbeats come from another thread, and a frame must not begin inside another

    def write(self, piece: Any) -> None:
        with self._lock:
            if not self._in:
                self._write(piece)
                return
            if len(piece) >= _FULL:  # it is worth a call of its own, and copying it costs more
                self._send()
                self._write(piece)
                return
            self._pieces.append(bytes(piece))  # the driver uses its buffer again
            self._size += len(piece)
            if self._size >= _FULL:
                self._send()

    def put_in(self) -> None:
        self._in = True

    def pull(self) -> None:
        """Send what was gathered; from here on everything leaves at once."""
        with self._lock:
            self._in = False
            self._send()

    def _send(self) -> None:
        pieces, self._pieces, self._size = self._pieces, [], 0
        if pieces:
            self._write(b"".join(pieces))


class Tub:
    """Stands behind the driver's socket and takes what there is in one go; the driver reads frames in three short pieces."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._held = b""
        self._used = 0

    def receive(self, count: int) -> bytes:
        """At most `count` bytes; from the socket only when nothing is left."""
        if self._used == len(self._held):
            self._held, self._used = self._receive(max(count, _FULL)), 0
        piece = self._held[self._used : self._used + count]
        self._used += len(piece)
        return piece


def cork_of(connection: Any) -> Cork:
    """The cork of a connection that has one, and for others one that does nothing."""
    cork = getattr(connection.connection, "cork", None)
    return cork if isinstance(cork, Cork) else Cork(lambda _piece: None)


def wire_up(connection: Any, transport: Any) -> Any:
    """The frame writer of an `amqp.Connection`: the driver's own, with a cork (the connection's attribute `cork`) and a tub."""
    connection.cork = Cork(transport.write)
    if hasattr(transport, "_quick_recv"):  # private to the driver; where it is gone, reading is slower and as right
        transport._quick_recv = Tub(transport._quick_recv).receive
    return frame_writer(connection, connection.cork)


def settle_down(connection: Any) -> None:
    """After connecting: without this the driver looks at the socket before each message, in case the broker is short of
    memory. The confirms that do not come say the same."""
    capabilities = getattr(connection.connection, "client_properties", {}).get("capabilities", {})
    if "connection.blocked" in capabilities:
        capabilities["connection.blocked"] = False
