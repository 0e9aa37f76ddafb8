"""Which addresses a connection may call, checked on the very address that is then connected to.

A name is resolved once, here; every address it gives is checked; the connection goes to a checked address and never to
the name again, so a name that changes between the check and the call (DNS rebinding) gains nothing. TLS still verifies
the host's name. Address classes: the IANA special-purpose registries (RFC 6890, RFC 4291), as `ipaddress` knows them.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpcore
import httpx
import msgspec

from hub.core.errors import EgressRefused, Misconfigured
from hub.redact import is_secret_name

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

# Instance metadata services of the large clouds: they hand out credentials to whoever can reach them.
_METADATA = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "169.254.0.23", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
# What inet_aton(3) reads as an IPv4 address: one to four decimal, octal or hexadecimal numbers.
_NUMERIC = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)(?:\.(?:0[xX][0-9a-fA-F]*|[0-9]+)){0,3}\.?")
_HOST = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")


class Egress(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection may call beyond the public internet.

    `allow` holds networks (`10.1.0.0/16`), addresses (`127.0.0.1`), hosts (`erp.corp.example`) and whole domains
    (`*.corp.example`). A metadata address is only allowed by naming that one address.
    """

    allow: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for entry in self.allow:
            _parsed(entry)

    def check(self, host: str, addresses: Iterable[str]) -> None:
        """Return if every address may be called; raises `EgressRefused` with the first that may not."""
        name = host.lower().rstrip(".")
        for text in addresses:
            for address in _meant(ip_address(text)):
                if not self._permits(name, address):
                    raise EgressRefused(
                        happened="the address is not one that this connection may call",
                        next="correct the host, or add the network or host to the connection's allowed addresses",
                        host=host,
                        address=text,
                    )

    def _permits(self, name: str, address: Address) -> bool:
        entries = [_parsed(entry) for entry in self.allow]
        networks = [entry for entry in entries if not isinstance(entry, str)]
        if address in _METADATA:
            return any(address in network and network.num_addresses == 1 for network in networks)
        if _is_public(address) or any(address in network for network in networks):
            return True
        return any(_names(entry, name) for entry in entries if isinstance(entry, str))


PUBLIC = Egress()
"""The public internet and nothing else."""


def _names(entry: str, name: str) -> bool:
    return name.endswith(entry[1:]) if entry.startswith("*.") else name == entry


@lru_cache(maxsize=1024)
def _parsed(entry: str) -> IPv4Network | IPv6Network | str:
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        name = entry.lower().rstrip(".")
        if "/" in entry or _NUMERIC.fullmatch(name) or not _HOST.fullmatch(name):
            raise Misconfigured(
                happened="an allowed address is neither a network nor a host",
                next="write it as 10.0.0.0/8, 10.1.2.3, erp.corp.example or *.corp.example",
                entry=entry,
            ) from None
        return name


def _meant(address: Address) -> tuple[Address, ...]:
    """The addresses a packet to this one can end at: IPv4 inside IPv6 is judged as IPv4."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address.teredo is not None:
        return (address, *address.teredo)
    return (address,)


def _is_public(address: Address) -> bool:
    # `is_global` alone lets multicast, reserved and the old site-local range through.
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    return address.is_global and not special and not (isinstance(address, IPv6Address) and address.is_site_local)


def resolve(host: str, port: int) -> Sequence[str]:
    """The host's addresses by the system's resolver, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def addresses_of(host: str, port: int, resolver: Resolve) -> list[str]:
    """The addresses a host means; a number in any notation (`2130706433`, `0177.1`) is the address it stands for."""
    bare = host.strip("[]")
    if _NUMERIC.fullmatch(bare):
        try:
            return [str(IPv4Address(socket.inet_aton(bare.rstrip("."))))]
        except OSError as error:
            raise httpcore.ConnectError("the host is not an address") from error
    try:
        return [str(ip_address(bare))]
    except ValueError:
        pass
    try:
        found = [str(ip_address(address)) for address in resolver(bare, port)]
    except (OSError, UnicodeError, ValueError) as error:
        raise httpcore.ConnectError("the host's name cannot be resolved") from error
    if not found:
        raise httpcore.ConnectError("the host's name has no address")
    return found


class GuardedBackend(httpcore.NetworkBackend):
    """Opens connections to checked addresses only. Below httpcore's pool, so nothing that uses the pool gets around it."""

    def __init__(self, egress: Egress, *, resolver: Resolve = resolve) -> None:
        self._egress = egress
        self._resolver = resolver
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = addresses_of(host, port, self._resolver)
        self._egress.check(host, addresses)
        failed: Exception | None = None
        for address in addresses[:3]:
            try:
                return self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore.ConnectError("no address")

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        raise EgressRefused(happened="a local socket is not an address that a connection may call", next="use a host", path=path)

    def sleep(self, seconds: float) -> None:
        self._plain.sleep(seconds)


class GuardedTransport(httpx.BaseTransport):
    """httpx over an httpcore pool that opens connections through the guard, and no other way."""

    def __init__(self, backend: GuardedBackend, context: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=20, max_keepalive_connections=5, keepalive_expiry=30.0, network_backend=backend
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


class _Stream(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@cache
def public_authorities() -> ssl.SSLContext:
    """Trust in the public certificate authorities; one context for all, because each costs a megabyte."""
    return httpx.create_ssl_context(trust_env=False)


def next_hop(request: httpx.Request, status: int, place: str) -> httpx.Request | None:
    """The request that a redirect asks for (RFC 9110 section 15.4), or `None` where it must not be followed.

    https is never left; headers that hold secrets stay with their origin; only 307 and 308 keep method and body.
    """
    try:
        target = request.url.join(place)
    except (httpx.InvalidURL, ValueError):
        return None
    if target.scheme not in ("http", "https") or not target.host or (request.url.scheme == "https" and target.scheme != "https"):
        return None
    keeps_body = status in (307, 308)
    same_origin = (target.scheme, target.host, target.port) == (request.url.scheme, request.url.host, request.url.port)
    dropped = {"host", "content-length", "transfer-encoding"} | (set() if keeps_body else {"content-type", "content-md5"})
    headers = [
        (name, value)
        for name, value in request.headers.multi_items()
        if name not in dropped and (same_origin or not is_secret_name(name))
    ]
    method = request.method if keeps_body or request.method == "HEAD" else "GET"
    content = request.content if keeps_body else None
    return httpx.Request(method, target, headers=headers, content=content, extensions=request.extensions)
