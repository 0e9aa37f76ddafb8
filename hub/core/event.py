"""A raw is what arrived, as it arrived. An event is what it means.

Event attributes are those of CloudEvents 1.0 (`id, source, type, subject, time, data`), plus tenant, partition key,
recorded time, cause and trace. `data` is one of the typed facts of `hub.core.vocabulary`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from hub.core.clock import EPOCH
from hub.core.errors import Invalid
from hub.core.ids import derive, digest
from hub.core.vocabulary import VOCABULARY, Fact

Door = Literal["webhook", "poll", "file"]


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that arrived: a delivery, a record of a page, a row of a file.

    A connector gives `stream` (what kind of thing), `key` (the vendor's identity of it *in this version*: a delivery id,
    record id + change stamp, a bank's serial number), `body` and, if it matters, `headers`. Intake stamps the rest.
    The same connection, key and body is a duplicate; the same connection and key with another body is a conflict.
    """

    stream: str
    key: str
    body: bytes
    headers: Mapping[str, str] = {}
    tenant: str = ""
    connection: str = ""
    door: Door = "webhook"
    received_at: datetime = EPOCH
    digest: str = ""
    id: str = ""

    def stamped(self, *, tenant: str, connection: str, door: Door, received_at: datetime) -> Raw:
        """This raw with its envelope and its derived id."""
        body_digest = digest(self.body)
        key, stream = self.key, self.stream
        if not (key.isprintable() and stream.isprintable()):
            key, stream = _plain(key), _plain(stream)
        return msgspec.structs.replace(
            self,
            stream=stream,
            key=key,
            tenant=tenant,
            connection=connection,
            door=door,
            received_at=received_at,
            digest=body_digest,
            id=derive("raw", tenant, connection, key, body_digest),
        )


def _plain(text: str) -> str:
    """The text with what no database keeps as text (NUL, half of a surrogate pair) written out, so that one record with a
    strange key does not stop the stream it came in. A digest keeps it apart from a key that is written so by itself."""
    if "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    escaped = text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
    return f"{escaped}#{digest(text.encode('utf-8', 'surrogatepass'))[:12]}"


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """A normaliser's word that a raw holds no fact for us, and by which named rule."""

    rule: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable fact. `seq` is its place in the tenant's record, given when it is recorded."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: Fact
    tenant: str
    key: str
    cause: str
    trace: str
    version: int = 1
    recorded_at: datetime = EPOCH
    seq: int = 0


def _make(
    type_: str,
    *,
    tenant: str,
    source: str,
    cause: str,
    trace: str,
    subject: str,
    data: Fact,
    occurred_at: datetime,
    key: str | None,
) -> Event:
    expected = VOCABULARY.get(type_)
    if expected is None or type(data) is not expected:
        raise Invalid(
            happened=f"{type(data).__name__} is not the data of an event {type_!r}",
            next=f"use {expected.__name__ if expected else 'a type of hub.core.vocabulary'}",
        )
    if occurred_at.tzinfo is None:
        raise Invalid(happened="the event's time has no zone", next="give an aware datetime", type=type_, subject=subject)
    return Event(
        id=derive("evt", cause, type_, subject),
        source=source,
        type=type_,
        subject=subject,
        time=occurred_at,
        data=data,
        tenant=tenant,
        key=key or f"{type_.partition('.')[0]}:{subject}",
        cause=cause,
        trace=trace,
        version=expected.__version__,
    )


def event(raw: Raw, type: str, *, subject: str, data: Fact, occurred_at: datetime | None = None, key: str | None = None) -> Event:
    """A fact that a raw means. Its id is derived from the raw, the type and the subject, so replaying makes no new fact.

    `key` is the partition key (events of one key are handled in order); by default `noun:subject`.
    `occurred_at` defaults to when the raw was received.
    """
    return _make(
        type,
        tenant=raw.tenant,
        source=f"/{raw.tenant}/{raw.connection}",
        cause=raw.id,
        trace=raw.id,
        subject=subject,
        data=data,
        occurred_at=occurred_at or raw.received_at,
        key=key,
    )


def following(
    cause: Event,
    type: str,
    *,
    by: str,
    subject: str,
    data: Fact,
    occurred_at: datetime | None = None,
    key: str | None = None,
) -> Event:
    """A fact that part `by` of the hub concludes from another fact (a match from a receipt, a check from a quote)."""
    return _make(
        type,
        tenant=cause.tenant,
        source=f"/{cause.tenant}/{by}",
        cause=cause.id,
        trace=cause.trace,
        subject=subject,
        data=data,
        occurred_at=occurred_at or cause.time,
        key=key,
    )


def decided(
    type: str,
    *,
    tenant: str,
    by: str,
    subject: str,
    data: Fact,
    occurred_at: datetime,
    once: str,
    key: str | None = None,
    trace: str | None = None,
) -> Event:
    """A fact that a person or the clock decides. `once` makes its id: the same decision told twice is one fact."""
    cause = derive("cmd", tenant, by, once)
    return _make(
        type,
        tenant=tenant,
        source=f"/{tenant}/{by}",
        cause=cause,
        trace=trace or cause,
        subject=subject,
        data=data,
        occurred_at=occurred_at,
        key=key,
    )
