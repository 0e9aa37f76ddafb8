"""What four vendors do that a table of settings does not say: lists of versions, numbered headers, wrapped values, derived keys."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping

from hub.core.connector import Delivery
from hub.core.errors import Malformed
from hub.core.signing.places import Sources, form_field, only_header, split_place, twice, wire_bytes

MOST = 100
"""Signatures looked at in one delivery. DocuSign allows 100 keys; nobody documents more."""

Candidates = list[tuple[str, bytes]]
"""(version, signature as text) as they were given; the version is empty where the scheme has none."""


def _within_reason(found: Candidates) -> Candidates:
    if len(found) > MOST:
        raise Malformed(happened=f"there are more than {MOST} signatures", next="ask the sender to send fewer")
    return found


def one(sources: Sources, place: str, prefix: str) -> Candidates:
    """The whole value, after its prefix."""
    value = sources.bytes_of(place)
    start = prefix.encode()
    return [] if value is None or not value.startswith(start) else [("", value[len(start) :])]


def pairs(sources: Sources, place: str, prefix: str) -> Candidates:
    """Stripe: `t=…,v1=…,v1=…`. What is not a pair is skipped; a name other than a version may not come twice."""
    value = sources.value(place) or ""
    found: Candidates = []
    named: dict[str, str] = {}
    for element in value.removeprefix(prefix).split(","):
        name, equals, text = element.strip().partition("=")
        if not equals:
            continue
        if name.startswith("v"):
            found.append((name, wire_bytes(text)))
        elif name in named:
            raise twice(f"{name} in the signature header")
        else:
            named[name] = text
    sources.pairs = named
    return _within_reason(found)


def versions(sources: Sources, place: str, prefix: str) -> Candidates:
    """Standard Webhooks: elements `version,base64` with spaces between. Other elements are skipped."""
    elements = [element.split(",") for element in (sources.value(place) or "").removeprefix(prefix).split(" ")]
    return _within_reason([(element[0], wire_bytes(element[1])) for element in elements if len(element) == 2])


def numbered(sources: Sources, place: str, prefix: str) -> Candidates:
    """DocuSign Connect: one header per active key, `…-1` to `…-100`, each at most once."""
    name = split_place(place)[1]
    found: dict[str, str] = {}
    for header, value in sources.delivery.headers:
        number = header.removeprefix(f"{name}-")
        if number == header or not (number.isascii() and number.isdigit()):
            continue
        if header in found:
            raise twice(f"the header {header}")
        found[header] = value
    return _within_reason([("", wire_bytes(value.removeprefix(prefix))) for value in found.values()])


def wrapped(sources: Sources, place: str, prefix: str) -> Candidates:
    """EspoCRM: base64 of `webhook id:signature`. Only the first colon parts them: the older form's tail is binary."""
    found = one(sources, place, prefix)
    try:
        inner = base64.b64decode(found[0][1], validate=True) if found else b""
    except (binascii.Error, ValueError):
        return []
    _, colon, tail = inner.partition(b":")
    return [("", tail)] if colon else []


SYNTAXES: Mapping[str, Callable[[Sources, str, str], Candidates]] = {
    "one": one,
    "pairs": pairs,
    "versions": versions,
    "numbered": numbered,
    "wrapped": wrapped,
}

FASC_HEADERS = ("X-FASC-App-Id", "X-FASC-Event", "X-FASC-Nonce", "X-FASC-Sign-Type", "X-FASC-Timestamp")


def fadada_text(delivery: Delivery) -> bytes:
    """法大大: the SHA-256 (hex) of the callback's headers and its decoded `bizContent`, blank ones left out, sorted, as `k=v&…`."""
    values = {name: wire_bytes(only_header(delivery, name.lower()) or "") for name in FASC_HEADERS}
    values["bizContent"] = form_field(delivery, "bizContent") or b""
    text = b"&".join(name.encode() + b"=" + value for name, value in sorted(values.items()) if value.strip())
    return hashlib.sha256(text).hexdigest().encode()


def key_of_time(secret: bytes, timestamp: bytes) -> bytes:
    """法大大: the temporary key is the raw HMAC-SHA256 of the timestamp under the application's secret."""
    return hmac.digest(secret, timestamp, "sha256")
