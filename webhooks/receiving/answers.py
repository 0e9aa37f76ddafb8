"""What the door answers: the connector's own reply, or a problem document (RFC 9457) that tells a stranger nothing."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from hub.core.connector import Reply

# The same words for every cause of a status: whether a signature was missing, wrong or old is told in the hub, not here.
_WORDS = {
    400: ("Malformed", "The request cannot be read.", "Compare the request with the sender's documentation."),
    401: ("Not accepted", "The delivery was not accepted.", "The owner of this address sees the reason in the hub."),
    403: ("Not allowed", "This origin may not register here.", "The owner of this address can allow it in the hub."),
    404: ("Not found", "There is no hook at this address.", "Check the address in the sender's settings."),
    405: ("Method not allowed", "A hook takes POST, and GET for challenges.", "Use POST."),
    408: ("Too slow", "The request did not arrive in time.", "Send it again."),
    413: ("Too large", "The delivery is over a limit of this address.", "Send less at once."),
    415: ("Unsupported", "The charset or coding is not taken here.", "Send UTF-8, unpacked or as gzip."),
    429: ("Too many", "Deliveries come faster than this address takes them.", "Wait as Retry-After says."),
    431: ("Headers too large", "The headers are over a limit of this address.", "Send fewer or shorter headers."),
    503: ("Unavailable", "The delivery could not be kept just now.", "Send it again as Retry-After says."),
}


class Answer(msgspec.Struct, frozen=True):
    """An answer as ASGI wants it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def problem(status: int, *, more: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    """The problem document of a status; an unlisted 4xx status reads like 401."""
    title, detail, advice = _WORDS.get(status, _WORDS[401])
    body = msgspec.json.encode({"type": "about:blank", "title": title, "status": status, "detail": detail, "next": advice})
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *more,
    ]
    return Answer(status, headers, body)


def retry_after(seconds: float) -> tuple[bytes, bytes]:
    return b"retry-after", str(max(1, int(seconds + 0.999))).encode()


def of_reply(reply: Reply, *, echoes: bool = False) -> Answer:
    """The connector's reply. Raises `ValueError` for a header that would break out of its line.

    `echoes`: it answers a challenge, which a browser that is sent here must not take for a page.
    """
    headers = [_content_type(reply.content_type), (b"content-length", b"%d" % len(reply.body))]
    if echoes:
        headers.append((b"x-content-type-options", b"nosniff"))
    for name, value in reply.headers.items():
        headers.append((name.lower().encode("latin-1"), _one_line(value)))
    return Answer(reply.status, headers, reply.body)


@lru_cache(maxsize=64)
def _content_type(text: str) -> tuple[bytes, bytes]:
    return b"content-type", _one_line(text)


def _one_line(text: str) -> bytes:
    if "\n" in text or "\r" in text:
        raise ValueError("a header of the reply holds a line break")
    return text.encode("latin-1")
