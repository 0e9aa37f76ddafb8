"""The verifier: which value is the signature, what was signed, with what key, and how old it may be."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

import msgspec

from hub.core.clock import EPOCH
from hub.core.connector import Delivery
from hub.core.errors import Malformed, NoSecretSet, SignatureRefused, Stale
from hub.core.ids import digest
from hub.core.signing import special
from hub.core.signing.places import WHOLE, Sources, query_values, split_message, split_place
from hub.core.signing.standard import key_of

Ed25519 = Callable[[bytes, bytes, bytes], bool]
"""(public key, signature, message) → does it match. Given by `hub.keys`, since the standard library has none."""

Algorithm = Literal["hmac-sha256", "hmac-sha512", "hmac-sha1", "sha256", "sha1", "md5", "token", "none"]
DIGESTS = ("sha256", "sha1", "md5")
KNOWN_PARTS = frozenset({*WHOLE, "timestamp", "nonce", "id", "secret", "fadada_text"})
LAST_SECOND = 253_402_300_799
"""The end of the year 9999; a later time is nonsense, and would overflow."""
PUBLIC_KEY = "whpk_"


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery whose sender is known.

    `secret` is the position of the secret that matched. `signed` is what the sender vouches for, without the secret itself.
    """

    delivery_id: str = ""
    id_signed: bool = False
    timestamp: datetime | None = None
    nonce: str = ""
    secret: int = 0
    signed: bytes = b""

    @property
    def once(self) -> str:
        """The same for every repeat of this delivery: its id where the signature covers that, else a digest of what was signed.

        Prefer it to a `delivery_id` that is not `id_signed`: anybody who saw one delivery can send it again under another id.
        """
        return self.delivery_id if self.id_signed else digest(self.signed)


class Verifier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """How one sender proves who it is; data, so that a connection can declare its own. `places.py` says how a place is written.

    `message` is literal text with parts in braces: body, method, url, hubspot_url, query_values_sorted, timestamp, nonce, id,
    secret, fadada_text and the names of `values`. A `tolerance` of 0 leaves old deliveries to deduplication, for senders whose
    retries may keep the first attempt's time.
    """

    signature: str = "header:X-Signature"
    message: str = "{body}"
    algorithm: Algorithm = "hmac-sha256"
    encoding: Literal["hex", "base64", "raw"] = "hex"
    any_case: bool = False
    prefix: str = ""
    syntax: Literal["one", "pairs", "versions", "numbered", "wrapped"] = "one"
    version: str = ""
    key: Literal["text", "base64", "standard", "of_time"] = "text"
    timestamp: str = ""
    time_unit: Literal["s", "ms"] = "s"
    tolerance: float = 300.0
    nonce: str = ""
    id: str = ""
    values: Mapping[str, str] = {}
    json_in: str = ""

    def __post_init__(self) -> None:
        for place in (self.signature, self.timestamp, self.nonce, self.id, *self.values.values()):
            if place:
                split_place(place)
        parts = {name for is_part, name in split_message(self.message) if is_part}
        for name in ("timestamp", "nonce", "id"):
            if name in parts and not getattr(self, name):
                raise ValueError(f"the message holds {{{name}}}, but `{name}` names no place")
        unknown = parts - KNOWN_PARTS - set(self.values)
        if unknown:
            raise ValueError(f"the message holds {', '.join(sorted(unknown))}, which nothing defines")
        if self.algorithm in DIGESTS and "secret" not in parts:
            raise ValueError(f"a plain {self.algorithm} of a message without {{secret}} proves nothing")
        if self.key == "of_time" and not self.timestamp:
            raise ValueError("a key derived from the time needs the place of the timestamp")
        if self.syntax == "numbered" and not self.signature.startswith("header:"):
            raise ValueError("numbered signatures stand in headers")
        if self.tolerance < 0:
            raise ValueError("the tolerance is a number of seconds, or 0 for none")

    @property
    def needs_secret(self) -> bool:
        return self.algorithm != "none"

    @cached_property
    def covers_body(self) -> bool:
        """Whether the signature speaks for the body. Where not, ask the sender's API for the truth before believing it."""
        return self.algorithm not in ("token", "none") and any(part in self.message for part in ("{body}", "{fadada_text}"))

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime, *, ed25519: Ed25519 | None = None) -> Verified:
        """Who sent it, and which secret matched. Raises `SignatureRefused`, `Stale` or `Malformed`, whatever the delivery holds."""
        usable = [(position, secret) for position, secret in enumerate(secrets) if secret]
        if self.needs_secret and not usable:
            raise NoSecretSet(happened="no signing secret is set", next="set the sender's signing secret in this connection")
        sources = Sources(delivery, self.json_in)
        given = special.SYNTAXES[self.syntax](sources, self.signature, self.prefix) if self.needs_secret else []
        if self.needs_secret and not given:
            raise SignatureRefused(
                happened="there is no signature where it is expected",
                next="switch signing on at the sender, and check that the connection names the sender's style",
                place=self.signature,
            )
        timestamp = self._time(sources)
        matched, message = self._matching(sources, given, usable, ed25519) if given else (0, self._messages(sources, "")[0])
        self._fresh(timestamp, now)
        delivery_id = (sources.value(self.id) if self.id else None) or ""
        # Where nothing of the delivery is signed, its id is as good as its body.
        id_signed = bool(delivery_id) and self._covers_id
        return Verified(
            delivery_id=delivery_id,
            id_signed=id_signed,
            timestamp=timestamp,
            nonce=(sources.value(self.nonce) if self.nonce else None) or "",
            secret=matched,
            signed=message if self.covers_body else message + b"\n" + delivery.body,
        )

    @cached_property
    def _covers_id(self) -> bool:
        return "{id}" in self.message or self.algorithm in ("token", "none")

    @cached_property
    def _holds_secret(self) -> bool:
        return "{secret}" in self.message

    @cached_property
    def _mac(self) -> str:
        return self.algorithm.removeprefix("hmac-")

    # --- the signature ---

    def _matching(
        self, sources: Sources, given: special.Candidates, secrets: list[tuple[int, str]], ed25519: Ed25519 | None
    ) -> tuple[int, bytes]:
        depends = self._holds_secret
        messages = [] if depends else self._messages(sources, "")
        for position, secret in secrets:
            for message in self._messages(sources, secret) if depends else messages:
                if self._matches(sources, given, secret, message, ed25519):
                    # A message that holds the secret must not leave a trace of it in an id.
                    return position, self._messages(sources, "")[0] if depends else message
        raise SignatureRefused(
            happened="the signature does not match the delivery",
            next="compare the signing secret at the sender with the one set here",
            place=self.signature,
        )

    def _matches(self, sources: Sources, given: special.Candidates, secret: str, message: bytes, ed25519: Ed25519 | None) -> bool:
        if self.key == "standard" and secret.startswith(PUBLIC_KEY):
            public = key_of(secret.removeprefix(PUBLIC_KEY))
            return ed25519 is not None and public is not None and _signed_by(public, given, message, ed25519)
        expected = self._expected(sources, secret, message)
        if expected is None:
            return False
        found = False
        for version, text in given:
            if version == self.version:
                # Text is compared, not bytes: there is one way to write a signature, and what cannot be decoded never matches.
                found |= hmac.compare_digest(expected, text.lower() if self.any_case else text)
        return found

    def _expected(self, sources: Sources, secret: str, message: bytes) -> bytes | None:
        """The signature as this secret's owner would write it; `None` where the secret cannot be a key."""
        key = self._key(sources, secret)
        if not key:
            return None
        if self.algorithm == "token":
            mac = key
        elif self.algorithm in DIGESTS:
            mac = hashlib.new(self.algorithm, message, usedforsecurity=False).digest()
        else:
            mac = hmac.digest(key, message, self._mac)
        if self.encoding == "raw":
            return mac
        return mac.hex().encode() if self.encoding == "hex" else base64.b64encode(mac)

    def _key(self, sources: Sources, secret: str) -> bytes | None:
        if self.key in ("standard", "base64"):
            return key_of(secret)
        key = secret.encode("utf-8", "surrogatepass")
        return special.key_of_time(key, sources.bytes_of(self.timestamp) or b"") if self.key == "of_time" else key

    # --- what was signed ---

    def _messages(self, sources: Sources, secret: str) -> list[bytes]:
        """The message; two where a query's values may have been signed decoded or as they were sent, which no document settles."""
        if self.message == "{body}":
            return [sources.delivery.body]
        message = self._message(sources, secret, decoded=True)
        if "{query_values_sorted}" not in self.message:
            return [message]
        as_sent = self._message(sources, secret, decoded=False)
        return [message] if as_sent == message else [message, as_sent]

    def _message(self, sources: Sources, secret: str, *, decoded: bool) -> bytes:
        return b"".join(
            [
                self._part(sources, text, secret, decoded=decoded) if is_part else text.encode()
                for is_part, text in split_message(self.message)
            ]
        )

    def _part(self, sources: Sources, name: str, secret: str, *, decoded: bool) -> bytes:
        if name == "body":
            return sources.delivery.body
        if name == "secret":
            return secret.encode("utf-8", "surrogatepass")
        if name == "query_values_sorted":
            return query_values(sources.delivery, decoded=decoded)
        if name == "fadada_text":
            return special.fadada_text(sources.delivery)
        if name in WHOLE:
            return WHOLE[name](sources.delivery)
        place = self.values.get(name) or getattr(self, name)
        value = sources.bytes_of(place)
        if value is None:
            raise SignatureRefused(
                happened="a signed value is missing", next="check that the connection names the sender's style", place=place
            )
        return value

    # --- its age ---

    def _time(self, sources: Sources) -> datetime | None:
        if not self.timestamp:
            return None
        text = sources.value(self.timestamp)
        if text is None:
            raise SignatureRefused(
                happened="the delivery has no time",
                next="check that the connection names the sender's style",
                place=self.timestamp,
            )
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else -1
        seconds = number / 1000 if self.time_unit == "ms" else number
        if not 0 <= seconds <= LAST_SECOND:
            raise Malformed(
                happened="the delivery's time is not a time",
                next="check the unit of time that the sender uses",
                place=self.timestamp,
            )
        return EPOCH + timedelta(seconds=seconds)

    def _fresh(self, timestamp: datetime | None, now: datetime) -> None:
        """Checked after the signature, so that `Stale` tells of a clock that is wrong or of a replay, never of a forgery."""
        if timestamp is None or not self.tolerance:
            return
        age = (now - timestamp).total_seconds()
        if abs(age) > self.tolerance:
            raise Stale(
                happened=f"the delivery was signed {abs(age):.0f} seconds {'ago' if age > 0 else 'ahead of our clock'}",
                next="compare both clocks; if the sender's retries keep the first time, widen the tolerance",
            )


def _signed_by(public: bytes, given: special.Candidates, message: bytes, ed25519: Ed25519) -> bool:
    for version, text in given:
        if version == "v1a":
            try:
                signature = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                continue
            if ed25519(public, signature, message):
                return True
    return False


def verify(verifier: Verifier, delivery: Delivery, secrets: Sequence[str], now: datetime) -> Verified:
    """`verifier.verify`, for senders that sign with shared secrets."""
    return verifier.verify(delivery, secrets, now)
