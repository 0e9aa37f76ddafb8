"""From a request to a delivery: everything that is checked before a connector sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from hub.core.clock import Clock
from hub.core.connector import Delivery
from hub.core.errors import Malformed, TooLarge
from webhooks.receiving.hook import Hook, check_source
from webhooks.receiving.limits import Head, Limits, TooSlow, check_charset, check_depth, read_head, too_large, unpack
from webhooks.receiving.patience import Patience

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]


class Gone(Exception):
    """The client hung up before its request was complete; nobody is left to answer."""


class Visit:
    """One request on its way to a delivery, and what of it is there so far."""

    __slots__ = ("body", "head", "hook", "scope")

    def __init__(self, scope: Scope, hook: Hook) -> None:
        self.scope, self.hook = scope, hook
        self.head: Head | None = None
        self.body = b""

    async def delivery(self, receive: Receive, clock: Clock, patience: Patience) -> Delivery:
        """The request as a delivery, within the hook's limits."""
        scope, hook, limits = self.scope, self.hook, self.hook.limits
        self.head = head = read_head(scope["headers"], limits)
        check_source(hook, scope.get("client"))
        query_string, query = _query(scope["query_string"], limits)
        if head.length is not None and head.length > limits.body_bytes:
            raise too_large(limits)
        try:
            with patience.wait(limits.seconds_to_send):
                await self._read(receive, limits)
        except TimeoutError as error:
            raise TooSlow(happened="the body did not arrive in time", next="send it again") from error
        body = unpack(self.body, head.coding, limits)
        check_charset(body, head.content_type, limits)
        check_depth(body, limits)
        return Delivery(
            method=scope["method"],
            url=hook.url,
            query=query,
            query_string=query_string,
            headers=head.headers,
            body=body,
            received_at=clock.now(),
        )

    async def _read(self, receive: Receive, limits: Limits) -> None:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limits.body_bytes:
                self.body = b"".join(chunks)
                raise too_large(limits)
            if not message.get("more_body", False):
                self.body = b"".join((*chunks, chunk)) if chunks else chunk
                return
            chunks.append(chunk)


def _query(raw: bytes, limits: Limits) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The query as it was sent, and decoded once."""
    if not raw:
        return "", ()
    if len(raw) > limits.query_bytes:
        raise TooLarge(happened=f"the query has more than {limits.query_bytes} bytes", next="send a shorter query")
    text = raw.decode("latin-1")
    try:
        return text, tuple(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=200))
    except ValueError as error:
        raise Malformed(happened="the query cannot be decoded", next="send a url-encoded query in UTF-8") from error
