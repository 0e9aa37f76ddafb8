"""One event as a Standard Webhooks message: the body, and the headers of one attempt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from hub import __version__
from hub.core.errors import Misconfigured
from hub.core.event import Event
from hub.core.signing import sign_standard
from hub.keys import PRIVATE, sign_standard_v1a

THIN_FROM = 20_000
"""Bytes; the specification asks to stay under about 20 kB."""


def message_for(event: Event) -> bytes:
    """The body: `type`, `timestamp` and `data` as the specification names them, and what identifies the event beside them.

    The same bytes on every attempt and every replay. A fact that makes it too long is left out (`thin`): the receiver asks
    `GET /api/v1/events/{id}`.
    """
    told: dict[str, Any] = {
        "id": event.id,
        "type": event.type,
        "timestamp": event.time,
        "subject": event.subject,
        "source": event.source,
        "version": event.version,
        "data": event.data,
    }
    body = msgspec.json.encode(told)
    if len(body) <= THIN_FROM:
        return body
    return msgspec.json.encode(told | {"data": {}, "thin": True, "href": f"/api/v1/events/{event.id}"})


def headers_for(secrets: Sequence[str], id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of an attempt made at `at`. The id is the same on every attempt; every secret adds its signature."""
    if not secrets:
        raise Misconfigured(happened="the subscription has no secret", next="rotate its secret")
    sign = [sign_standard_v1a if secret.startswith(PRIVATE) else sign_standard for secret in secrets]
    return {
        "content-type": "application/json",
        "user-agent": f"Shuniu/{__version__}",
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(one(secret, id, at, body) for one, secret in zip(sign, secrets, strict=True)),
    }
