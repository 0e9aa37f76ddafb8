"""Ids that can be derived again from what they name, so that a replay makes nothing new."""

from __future__ import annotations

import hashlib

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(first + second for first in _LETTERS for second in _LETTERS)
"""Base32 two letters at a time: an id is derived for every delivery, and the standard library's encoder takes four times as long."""


def derive(prefix: str, *parts: str | bytes) -> str:
    """An id of `prefix_` and 26 lower-case base32 characters (130 bits of SHA-256) over the parts.

    Parts are length-prefixed, so `("ab", "c")` and `("a", "bc")` give different ids.
    """
    text = b""
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        text += len(raw).to_bytes(8, "big") + raw
    bits = int.from_bytes(hashlib.sha256(text).digest()[:17], "big") >> 6
    return f"{prefix}_{''.join([_PAIRS[bits >> shift & 1023] for shift in range(120, -1, -10)])}"


def digest(body: bytes) -> str:
    """The SHA-256 of a body, in hex."""
    return hashlib.sha256(body).hexdigest()
