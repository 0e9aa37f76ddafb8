"""Keeps connections alive that nobody uses at the moment, or whose thread is busy with its events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any


class Keeper:
    """Sends heartbeats from a thread of its own; on the embedded bus a heartbeat renews the lease of the queues.

    `in_use` gives the connections of consumers, which read for themselves; `keep_others` looks after the rest.
    """

    def __init__(self, every: float, in_use: Callable[[], Iterable[Any]], keep_others: Callable[[], None]) -> None:
        self._every = every
        self._in_use = in_use
        self._keep_others = keep_others
        self._closed = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, if it has not begun yet."""
        with self._starting:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._keep, name="bus heartbeat", daemon=True)
                self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        while not self._closed.wait(self._every):
            for connection in self._in_use():
                with suppress(Exception):  # whoever uses the connection will meet what is wrong with it
                    beat(connection)
            with suppress(Exception):
                self._keep_others()


def beat(connection: Any) -> None:
    """Tell the other side that we are there."""
    driver = connection.connection
    if hasattr(driver, "send_heartbeat"):
        driver.send_heartbeat()
