"""What another system has asked to be told."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from hub.core.errors import Invalid

MOST_SECRETS = 2
"""The one in use, and during a rotation the one before it."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Where to deliver, what, and signed with which secrets: `whsec_…`, or a private `whsk_…` for version 1a."""

    id: str
    url: str
    secrets: tuple[str, ...]
    types: tuple[str, ...] = ("#",)

    def __repr__(self) -> str:
        return f"Subscription(id={self.id!r}, types={self.types!r})"


def wanted(patterns: Iterable[str], type: str) -> bool:
    """Whether one of the patterns means this event type. `*` is any one word, `#` any number of words, as on the bus."""
    words = type.split(".")
    return any(_means(pattern.split("."), words) for pattern in patterns)


def _means(pattern: list[str], words: list[str]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_means(pattern[1:], words[skipped:]) for skipped in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _means(pattern[1:], words[1:])


def check_subscription(url: str, *, plain_allowed: bool = False) -> None:
    """Refuses an address that should not be delivered to: without TLS, or with a user or password in it.

    Whether the host may be called at all is for the egress guard to say, at every delivery.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in (("https", "http") if plain_allowed else ("https",)) or not host:
        raise Invalid(happened="the subscription's address is not https", next="give an https address", host=host)
    if parts.username is not None or parts.password is not None:
        raise Invalid(happened="the subscription's address holds a user", next="leave it out; deliveries are signed", host=host)
