"""Ids that can be derived again from what they name, so that a replay makes nothing new."""

from __future__ import annotations

import base64
import hashlib


def derive(prefix: str, *parts: str | bytes) -> str:
    """An id of `prefix_` and 26 lower-case base32 characters (130 bits of SHA-256) over the parts.

    Parts are length-prefixed, so `("ab", "c")` and `("a", "bc")` give different ids.
    """
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return f"{prefix}_{base64.b32encode(digest.digest()[:17])[:26].decode().lower()}"


def digest(body: bytes) -> str:
    """The SHA-256 of a body, in hex."""
    return hashlib.sha256(body).hexdigest()
