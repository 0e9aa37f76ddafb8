"""Standard Webhooks, the sending side of version 1 (HMAC-SHA256). Version 1a (ed25519) is in `hub.keys`.

The specification is at standard-webhooks/standard-webhooks, `spec/standard-webhooks.md`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime

from hub.core.errors import Invalid, Misconfigured

SECRET = "whsec_"  # noqa: S105 - the prefix that the specification gives every secret


def key_of(secret: str) -> bytes | None:
    """The key that a `whsec_…` secret (or its bare base64) stands for; `None` where it is not base64 or is empty."""
    try:
        return base64.b64decode(secret.removeprefix(SECRET), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def signed_text(id: str, timestamp: datetime | int, body: bytes) -> bytes:
    """What is signed: id, seconds since 1970 and body, joined by full stops. The id may hold none, or two messages could read alike."""
    if not id or "." in id or not id.isascii():
        raise Invalid(
            happened="a message id is empty, holds a full stop or is not ASCII", next="use an id as `derive` makes it", id=id
        )
    if isinstance(timestamp, datetime):
        if timestamp.tzinfo is None:
            raise Invalid(happened="the time of the attempt has no zone", next="give an aware datetime", id=id)
        timestamp = int(timestamp.timestamp())
    return f"{id}.{timestamp}.".encode() + body


def sign_standard(secret: str, id: str, timestamp: datetime | int, body: bytes) -> str:
    """One element `v1,…` of a `webhook-signature` header. During a rotation join one a secret with a space."""
    key = key_of(secret)
    if key is None:
        raise Misconfigured(happened="the signing secret is not whsec_ and base64", next="make a new one with `new_secret`")
    mac = hmac.digest(key, signed_text(id, timestamp, body), "sha256")
    return f"v1,{base64.b64encode(mac).decode()}"
