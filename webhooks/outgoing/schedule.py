"""When to try again, and when to stop trying at all."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Literal

import msgspec

MINUTE, HOUR = 60.0, 3600.0
WAITS = (0.0, 5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""Before each attempt, after the one before: the example schedule of the Standard Webhooks specification, 76 hours in all."""
ATTEMPTS = len(WAITS)
JITTER = 0.2
PATIENCE = timedelta(days=5)


def next_attempt(attempts: int, id: str) -> float | None:
    """Seconds to wait after so many attempts; `None` after the last.

    Up to a fifth longer than the schedule says, by a part that follows from the id: receivers that were down are not all met
    at once, and the same delivery always waits the same.
    """
    if not 0 <= attempts < ATTEMPTS:
        return None
    share = int.from_bytes(hashlib.sha256(f"{id}\n{attempts}".encode()).digest()[:4], "big") / 2**32
    return WAITS[attempts] * (1 + JITTER * share)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a subscription is delivered to, and since when there have been nothing but failures."""

    state: Literal["active", "disabled"] = "active"
    reason: str | None = None
    failing_since: datetime | None = None


def standing_after(standing: Standing, outcome: Literal["done", "failed", "gone"], now: datetime) -> Standing:
    """The standing after one attempt. A success forgets all failures; 410 Gone and five days of only failures disable it."""
    if standing.state == "disabled":
        return standing
    if outcome == "done":
        return Standing()
    since = standing.failing_since or now
    if outcome == "gone":
        return Standing(state="disabled", reason="the receiver answered 410 Gone", failing_since=since)
    if now - since > PATIENCE:
        return Standing(state="disabled", reason=f"nothing but failures for {PATIENCE.days} days", failing_since=since)
    return Standing(failing_since=since)
