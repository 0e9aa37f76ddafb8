"""One connection's hook, as the door knows it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

import msgspec

from hub.core.connector import Accepted, Delivery
from hub.core.errors import Refused
from webhooks.receiving.limits import Limits


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """How one connection receives.

    `receive` is the connector's; it runs in the event loop unless `blocking` says that it may take long.
    `url` is the public address as it was given to the vendor: signatures that cover the address are made over that one.
    `limits` are the door's where the hook has none of its own.
    `sources` are networks the vendor sends from, where it publishes them; a second factor, never the only one.
    `origins` may register through the CloudEvents handshake (`OPTIONS` with `WebHook-Request-Origin`); `*` allows any.
    `unverified_status` is what a vendor is answered while no secret is set. By default it is refused like a forgery, so that
    the vendor keeps the delivery and shows the fault; the copy in the quarantine is bounded and no safe place for it.
    """

    tenant: str
    connection: str
    url: str
    receive: Callable[[Delivery], Accepted]
    limits: Limits | None = None
    sources: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    unverified_status: int = 401
    blocking: bool = False


@lru_cache(maxsize=256)
def _networks(sources: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(source, strict=False) for source in sources)


def check_source(hook: Hook, client: Any) -> None:
    """Refuses a client outside the hook's networks."""
    try:
        address = ip_address(client[0])
    except (TypeError, IndexError, ValueError):
        address = None
    if address is None or not any(address in network for network in _networks(hook.sources)):
        raise Refused(
            happened="the delivery came from an address that the vendor does not use",
            next="compare the address with the vendor's list; behind a proxy, trust its forwarded address",
            client=address,
        )
