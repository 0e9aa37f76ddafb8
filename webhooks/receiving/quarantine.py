"""What was not let in is kept for a while, with the reason, so that a person can see why, but never so much of it that it does harm.

Whoever sends forgeries by the thousand fills neither memory nor the database: an item's size, the items waiting and the
items of a connection are bounded, and what is left out is counted.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

log = logging.getLogger("webhooks.quarantine")

# Signatures stay readable, or a delivery could not be checked again once its secret is set; these are secrets themselves.
_SECRET = re.compile(r"secret|token|passw|credential|cookie|authori[sz]ation|api-?key", re.IGNORECASE)
KEPT_BYTES = 64 * 1024
WAITING = 500


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was not let in. `verdict` is `refused`, or `unverified` where no secret was set to check it with."""

    tenant: str
    connection: str
    verdict: str
    reason: Mapping[str, object]
    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    bytes_left_out: int = 0


def masked(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The headers without secrets; a doubled one shows all its values."""
    shown: dict[str, str] = {}
    for name, value in headers[:100]:
        text = "***" if _SECRET.search(name) else value[:4096]
        shown[name] = f"{shown[name]}\n{text}" if name in shown else text
    return shown


def masked_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query[:8192].split("&"))
    return "&".join(f"{name}{equals}{'***' if _SECRET.search(name) else value}" for name, equals, value in pairs)


class Quarantine:
    """Takes what the door refuses without making it wait; a thread hands it to `keep` in batches.

    `left_out` counts, by tenant and connection, what there was no room for.
    """

    def __init__(self, keep: Callable[[Sequence[Quarantined]], None], *, waiting: int = WAITING) -> None:
        self._keep = keep
        self._waiting: deque[Quarantined] = deque()
        self._most = waiting
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.left_out: Counter[tuple[str, str]] = Counter()

    def __call__(self, item: Quarantined) -> None:
        """Keep it, unless so much is waiting already that there is no room."""
        with self._changed:
            if len(self._waiting) >= self._most:
                self.left_out[item.tenant, item.connection] += 1
                return
            self._waiting.append(item)
            self._changed.notify()

    def start(self) -> None:
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="quarantine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Keep what is waiting, then stop."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.flush()

    def flush(self) -> None:
        """Keep what is waiting now."""
        with self._changed:
            batch = list(self._waiting)
            self._waiting.clear()
        if not batch:
            return
        try:
            self._keep(batch)
        except Exception as error:  # the door goes on without a quarantine; nothing of this was to be processed
            for item in batch:
                self.left_out[item.tenant, item.connection] += 1
            log.warning("%d refused deliveries could not be kept: %s", len(batch), type(error).__name__)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if self._stopping:
                    return
            self.flush()
