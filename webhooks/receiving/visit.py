"""From a request to a delivery: everything that is checked before a connector sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from hub.core.connector import Delivery
from hub.core.errors import Malformed, TooLarge
from webhooks.receiving.hook import Hook, check_source
from webhooks.receiving.limits import Head, Limits, check_charset, check_depth, read_head, too_large, unpack

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]


class Gone(Exception):
    """The client hung up before its request was complete; nobody is left to answer."""


class Visit:
    """One request on its way to a delivery, and what of it is there so far."""

    __slots__ = ("body", "head", "hook", "limits", "query", "query_string", "scope")

    def __init__(self, scope: Scope, hook: Hook, limits: Limits) -> None:
        self.scope, self.hook, self.limits = scope, hook, limits
        self.head: Head | None = None
        self.body = b""

    def open(self) -> None:
        """Checks what can be checked before the body is read."""
        self.head = read_head(self.scope["headers"], self.limits)
        if self.hook.sources:
            check_source(self.hook, self.scope.get("client"))
        self.query_string, self.query = _query(self.scope["query_string"], self.limits)
        if self.head.length is not None and self.head.length > self.limits.body_bytes:
            raise too_large(self.limits)

    async def read(self, receive: Receive) -> None:
        """Reads the body, and no more of it than the limit."""
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self.limits.body_bytes:
                self.body = b"".join(chunks)
                raise too_large(self.limits)
            if not message.get("more_body", False):
                self.body = b"".join((*chunks, chunk)) if chunks else chunk
                return
            chunks.append(chunk)

    def delivery(self, at: datetime) -> Delivery:
        """The request as a delivery, its body unpacked and within the limits."""
        head, body = self.head, self.body
        assert head is not None
        if head.coding:
            body = unpack(body, head.coding, self.limits)
        check_charset(body, head.content_type, self.limits)
        check_depth(body, self.limits)
        return Delivery(
            method=self.scope["method"],
            url=self.hook.url,
            query=self.query,
            query_string=self.query_string,
            headers=head.headers,
            body=body,
            received_at=at,
        )


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
