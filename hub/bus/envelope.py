"""An event as bytes: JSON with decimals as strings, and typed data when it is read back.

The store keeps facts in the same form (`encode_data`, `decode_data`).
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

import msgspec

from hub.core.errors import Unreadable
from hub.core.event import Event
from hub.core.vocabulary import VOCABULARY, Fact


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What the bus must know of an event, and the whole event in `body`."""

    tenant: str
    id: str
    seq: int
    type: str
    key: str
    body: bytes


class _Cover(msgspec.Struct):
    """The part of the body that the bus reads; the rest is skipped without being built."""

    tenant: str
    id: str
    seq: int
    type: str
    key: str


class Letter(msgspec.Struct):
    """An event whose data is not read yet, because its type says how, or need not be."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: msgspec.Raw
    tenant: str
    key: str
    cause: str
    trace: str
    version: int
    recorded_at: datetime
    seq: int


_encoder = msgspec.json.Encoder()
_cover = msgspec.json.Decoder(_Cover)
_letter = msgspec.json.Decoder(Letter)


def encode(event: Event) -> Envelope:
    """The event ready to be published."""
    return Envelope(tenant=event.tenant, id=event.id, seq=event.seq, type=event.type, key=event.key, body=_encoder.encode(event))


def sealed(letter: Letter) -> Envelope:
    """The event ready to be published, without looking at its data."""
    return Envelope(
        tenant=letter.tenant, id=letter.id, seq=letter.seq, type=letter.type, key=letter.key, body=_encoder.encode(letter)
    )


def opened(body: bytes) -> Envelope:
    """The envelope around a body that came from a queue; raises `Unreadable`."""
    try:
        cover = _cover.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(error) from error
    return Envelope(tenant=cover.tenant, id=cover.id, seq=cover.seq, type=cover.type, key=cover.key, body=body)


def decode(envelope: Envelope) -> Event:
    """The event with its typed data; raises `Unreadable`."""
    try:
        letter = _letter.decode(envelope.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(error) from error
    return Event(
        id=letter.id,
        source=letter.source,
        type=letter.type,
        subject=letter.subject,
        time=letter.time,
        data=decode_data(letter.type, letter.data),
        tenant=letter.tenant,
        key=letter.key,
        cause=letter.cause,
        trace=letter.trace,
        version=letter.version,
        recorded_at=letter.recorded_at,
        seq=letter.seq,
    )


def encode_data(fact: Fact) -> bytes:
    """The fact as JSON; fields that have their default are left out."""
    return _encoder.encode(fact)


def decode_data(type: str, data: bytes | msgspec.Raw) -> Fact:
    """The fact of an event of this type; raises `Unreadable`."""
    try:
        return _decoder(type).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(error, type) from error


@cache
def _decoder(type_: str) -> msgspec.json.Decoder[Fact]:
    fact = VOCABULARY.get(type_)
    if fact is None:
        raise Unreadable(
            happened="an event has a type that this version does not know",
            next="update every process of the hub to the same version, then replay it",
            rule="event type",
            type=type_,
        )
    return msgspec.json.Decoder(fact)


def _unreadable(error: Exception, event_type: str | None = None) -> Unreadable:
    # msgspec names the field and the expected type, never the value
    reason = str(error) if isinstance(error, msgspec.ValidationError) else error.__class__.__name__
    return Unreadable(
        happened=f"an event cannot be read: {reason}",
        next="replay it from the store; if it stays so, it was written by another version",
        rule="event body",
        type=event_type,
    )
