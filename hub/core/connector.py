"""The seams a connector is written against. A class offers what it can; the manifest says the same, and a check compares them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Protocol, runtime_checkable

import msgspec

from hub.core.clock import Clock
from hub.core.event import Event, Ignored, Raw
from hub.core.vocabulary import Supply


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request to us, not yet trusted. `body` is what came over the wire, unpacked if it was compressed.

    Header names are lower case, in the order they came; a name can occur twice. `query` is decoded exactly once.
    `url` is the public address of the hook as configured, without the query; `query_string` is the query as it was sent.
    """

    method: str
    url: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes
    received_at: datetime
    query_string: str = ""

    def header(self, name: str) -> str | None:
        """The header's value, or `None`. Check `occurs_twice` for a header that security rests on."""
        wanted = name.lower()
        return next((value for header, value in self.headers if header == wanted), None)

    def occurs_twice(self, name: str) -> bool:
        wanted = name.lower()
        return sum(1 for header, _ in self.headers if header == wanted) > 1

    def parameter(self, name: str) -> str | None:
        return next((value for parameter, value in self.query if parameter == name), None)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = {}


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that passed: the raws in it, and the answer to give once they are stored.

    `raws` is empty where the request was only a challenge. `reply` is used for a first delivery and for a duplicate alike.
    `secret` says which of several active secrets matched (its position), to see when an old one falls out of use.
    """

    raws: tuple[Raw, ...] = ()
    reply: Reply = Reply()
    secret: int = 0


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """Our place in a stream: the last change stamp seen and the id that breaks ties. Opaque to the hub."""

    at: str
    tie: str = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some raws and the cursor after them; both are stored in one commit. `complete` on the last page for now."""

    raws: tuple[Raw, ...]
    cursor: Cursor
    complete: bool = False


class Http(Protocol):
    """The one way to call another system: `hub.http` gives it timeouts, limits, redaction and the egress guard."""

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        sent_unless_answered: bool = True,
    ) -> Answer:
        """Send and return the answer whatever its status.

        Raises `Unreachable` where the request did not go out, `OutcomeUnknown` where it went out and no answer came and
        `sent_unless_answered` is set (a write), `VendorFault` otherwise, `EgressRefused` for an address not allowed.
        """
        ...


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's answer. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector is given: its connection's name and settings (secrets opened), HTTP and the clock.

    `remember`/`recall` keep a short-lived value between calls (an access token), sealed, for this connection only.
    """

    tenant: str
    connection: str
    settings: Mapping[str, object]
    http: Http
    clock: Clock
    hook_url: str = ""
    zone: str = "Asia/Shanghai"
    recall: Callable[[str], str | None] = lambda name: None
    remember: Callable[[str, str, float], None] = lambda name, value, seconds: None


@runtime_checkable
class Connector(Protocol):
    """Brings facts. Built with a `Context`."""

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        """What the raw means. Pure: no clock, no network, no randomness. Raises `Unreadable`."""
        ...


@runtime_checkable
class Pulls(Protocol):
    """Reads pages of a stream from `cursor` on; `None` is the beginning. Cursor and raws are committed together."""

    def pull(self, stream: str, cursor: Cursor | None) -> Iterator[Page]: ...


@runtime_checkable
class Receives(Protocol):
    """Verifies, decrypts, answers challenges. Raises `Refused`. Never reads meaning."""

    def receive(self, delivery: Delivery) -> Accepted: ...


@runtime_checkable
class ReadsFiles(Protocol):
    """Reads a file by its content, never by its name alone. Streams; raises `Unreadable` with the line."""

    def recognises(self, name: str, head: bytes) -> bool: ...

    def read(self, name: str, body: bytes) -> Iterator[Raw]: ...


@runtime_checkable
class ReadsStatements(ReadsFiles, Protocol):
    """A bank file in its common form (`hub.statements`): the lines, and after them the statement they belong to.

    `source` is read as a stream where the format allows it. Raises `Unreadable` with the line or tag where the file as a
    whole is refused; a single line that cannot be read comes as `Unread`.
    """

    def statements(self, name: str, source: BinaryIO) -> Iterator[Any]: ...


@runtime_checkable
class Writes(Protocol):
    """Carries out `what` at the vendor and returns the vendor's id.

    Raises `VendorRefused` (do not repeat), `RateLimited`, `Unreachable`, `VendorFault` (repeat later), `LoginRefused`,
    `OutcomeUnknown` (the answer was lost). Where the vendor offers idempotency, `idempotency_key` is passed on.
    """

    def write(self, what: str, fields: Mapping[str, object], *, idempotency_key: str) -> str: ...


@runtime_checkable
class ReportsStock(Protocol):
    """What there is of these products now; all products where none is named."""

    def stock(self, skus: Collection[str]) -> Sequence[Supply]: ...


@runtime_checkable
class Refetches(Protocol):
    """Asks how one contract stands, where the platform lists none: for those that have been silent for a while."""

    def refetch(self, record: str, *, contract: str) -> Raw: ...


@runtime_checkable
class Probes(Protocol):
    """One cheap call that tells `LoginRefused` from `Unreachable` from `VendorFault`. Returns if all is well."""

    def probe(self) -> None: ...
