"""How many deliveries of one connection are let in."""

from __future__ import annotations


class Bucket:
    """A token bucket: `burst` at once, `per_second` on average. The time is given, so that it can be tested."""

    __slots__ = ("_at", "_left", "burst", "per_second")

    def __init__(self, *, per_second: float, burst: int) -> None:
        self.per_second = per_second
        self.burst = max(1, burst)
        self._left = float(self.burst)
        self._at: float | None = None

    def wait(self, now: float) -> float:
        """Takes one and returns 0, or takes none and returns the seconds until there is one."""
        if self._at is not None and now > self._at:
            self._left = min(self.burst, self._left + (now - self._at) * self.per_second)
        self._at = now if self._at is None else max(now, self._at)
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self.per_second
