"""How often a connection may call, and whether it should call at all just now. Shared by everything that uses the connection."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Literal

from hub.core.clock import EPOCH, Clock
from hub.core.errors import RateLimited, Unreachable
from hub.core.manifest import Limit

log = logging.getLogger("hub.http")

State = Literal["closed", "open", "half-open"]
DAY = 86_400.0
_SHORT_WAIT = 1.0
"""Longer waits are given back to the caller, who has other work to do meanwhile."""


class Window:
    """At most `calls` starts in any `seconds`. Keeps the times of the last starts, because a plain token bucket lets twice as many through after a pause."""

    def __init__(self, limit: Limit) -> None:
        self._seconds = timedelta(seconds=limit.seconds)
        self._starts: deque[datetime] = deque(maxlen=limit.calls)

    def wait(self, now: datetime) -> float:
        """Seconds until one more start fits."""
        if len(self._starts) < (self._starts.maxlen or 1):
            return 0.0
        due = self._starts[0] + self._seconds - now
        return max(0.0, due.total_seconds())

    def take(self, at: datetime) -> None:
        self._starts.append(at)


class Throttle:
    """All limits of one connection together, and the pause that the vendor last asked for."""

    def __init__(self, limits: Sequence[Limit], clock: Clock, *, connection: str) -> None:
        self._windows = [Window(limit) for limit in limits]
        self._clock = clock
        self._connection = connection
        self._paused_until = EPOCH
        self._lock = Lock()

    def enter(self) -> None:
        """Take one start, waiting up to a second for it; raises `RateLimited` where it would take longer."""
        with self._lock:
            now = self._clock.now()
            pause = (self._paused_until - now).total_seconds()
            wait = max([pause, 0.0, *(window.wait(now) for window in self._windows)])
            if wait > _SHORT_WAIT:
                raise RateLimited(
                    after=wait,
                    happened="the connection has used up its calls for now",
                    next=f"call again in {wait:.1f} s",
                    connection=self._connection,
                )
            for window in self._windows:
                window.take(now + timedelta(seconds=wait))
        if wait > 0:
            self._clock.sleep(wait)

    def pause(self, seconds: float) -> None:
        """Start nothing for this long, because the vendor asked for it."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock.now() + timedelta(seconds=seconds))


class Breaker:
    """Stops calling a vendor that keeps failing, and tries one call after a rest.

    Opens after `failures` in a row; after `rest` seconds one call is let through (half-open): it closes the breaker or
    opens it for another rest. One log line when it opens and one when it closes.
    """

    def __init__(self, clock: Clock, *, connection: str, failures: int = 5, rest: float = 30.0) -> None:
        self._clock = clock
        self._connection = connection
        self._limit = failures
        self._rest = timedelta(seconds=rest)
        self._failed = 0
        self._opened: datetime | None = None
        self._trying = False
        self._lock = Lock()

    @property
    def state(self) -> State:
        with self._lock:
            return self._state()

    def _state(self) -> State:
        if self._opened is None:
            return "closed"
        return "half-open" if self._clock.now() - self._opened >= self._rest else "open"

    def enter(self) -> None:
        """Return if a call may be made, raises `Unreachable` if not. Every `enter` is followed by one `leave`."""
        with self._lock:
            state = self._state()
            if state == "open" or (state == "half-open" and self._trying):
                raise Unreachable(
                    happened=f"calls are paused after {self._failed} failures in a row",
                    next="wait for the vendor to recover; the next call is tried by itself",
                    connection=self._connection,
                )
            self._trying = state == "half-open"

    def leave(self, ok: bool | None) -> None:
        """Tell how the call went; `None` where it says nothing about the vendor."""
        with self._lock:
            self._trying = False
            if ok is None:
                return
            if ok:
                if self._opened is not None:
                    log.warning("calls go out again", extra={"connection": self._connection})
                self._failed, self._opened = 0, None
                return
            self._failed += 1
            if self._failed >= self._limit:
                if self._opened is None:
                    log.warning("calls are paused", extra={"connection": self._connection, "failures": self._failed})
                self._opened = self._clock.now()


def retry_after(value: str | None, now: datetime) -> float | None:
    """The seconds a `Retry-After` asks for, at most a day (RFC 9110 section 10.2.3); `None` where there is none or it cannot be read."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), DAY)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), DAY)
