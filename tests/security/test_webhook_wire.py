"""The door behind a real HTTP server: requests whose framing lies are never stored."""

from __future__ import annotations

import asyncio
import hmac
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from hub import keys
from hub.core.clock import SystemClock
from hub.core.connector import Accepted, Delivery
from hub.core.event import Raw
from hub.core.signing import STYLES
from webhooks.receiving import Hook, Limits, make_door

SECRET = "a secret of the test"
BODY = b'{"type":"order.placed"}'
SIGNATURE = f"sha256={hmac.digest(SECRET.encode(), BODY, 'sha256').hex()}".encode()


class Served:
    """A door served by uvicorn on loopback, once as routes of an application and once in front of one."""

    def __init__(self, *, in_front: bool) -> None:
        self.stored: list[Raw] = []
        self.apart: list[Any] = []
        hook = Hook(
            tenant="acme", connection="x", url="https://hub.example/hooks/x", receive=self.receive, limits=Limits(body_bytes=5000)
        )
        door = make_door(
            find={"x": hook, "acme/x": hook}.get, submit=self.submit, quarantine=self.apart.append, clock=SystemClock()
        )
        app: Any = door.in_front_of(Starlette()) if in_front else Starlette(routes=door.routes())
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        config = uvicorn.Config(app, http="httptools", log_level="critical", lifespan="off")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve(sockets=[self.listening])), daemon=True)
        self.thread.start()

    def receive(self, delivery: Delivery) -> Accepted:
        verified = keys.verify(STYLES["github"], delivery, [SECRET], datetime.now(UTC))
        return Accepted(raws=(Raw(stream="events", key=verified.once, body=delivery.body),))

    async def submit(self, raws: list[Raw]) -> Sequence[Any]:
        self.stored += raws
        return []

    def send(self, *pieces: bytes, hang_up: bool = False) -> bytes:
        """Bytes to the server as they are; what it answers, until it closes or one answer is whole. It may hang up first."""
        answered = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection, suppress(OSError):
            for piece in pieces:
                connection.sendall(piece)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                answered += chunk
                if not hang_up and _complete(answered):
                    break
        return answered

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=20)
        self.listening.close()


def _complete(answered: bytes) -> bool:
    head, blank, body = answered.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return bool(blank) and len(body) >= int(length[1] if length else 0)


@pytest.fixture(params=[True, False], ids=["in front", "routed"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    served = Served(in_front=request.param)
    yield served
    served.close()


def head(*lines: bytes, path: bytes = b"/hooks/x", signature: bytes = SIGNATURE) -> bytes:
    return b"\r\n".join([b"POST " + path + b" HTTP/1.1", b"host: h", b"x-hub-signature-256: " + signature, *lines, b"", b""])


def test_a_true_delivery_comes_in_whole_or_in_chunks(served: Served) -> None:
    """Both framings of HTTP/1.1, under both forms of address, give the same raw."""
    whole = served.send(head(b"content-length: %d" % len(BODY)) + BODY)
    chunked = served.send(
        head(b"transfer-encoding: chunked", path=b"/hooks/acme/x"),
        b"5\r\n" + BODY[:5],
        b"\r\n%x\r\n" % len(BODY[5:]) + BODY[5:],
        b"\r\n0\r\n\r\n",
    )

    assert whole.startswith(b"HTTP/1.1 200")
    assert chunked.startswith(b"HTTP/1.1 200")
    assert [raw.body for raw in served.stored] == [BODY, BODY]


@pytest.mark.parametrize(
    "pieces",
    [
        [head(b"content-length: 500") + BODY],
        [head(b"transfer-encoding: chunked"), b"%x\r\n" % len(BODY) + BODY],
        [head(b"transfer-encoding: chunked"), b"zz\r\n" + BODY + b"\r\n0\r\n\r\n"],
        [head(b"transfer-encoding: chunked"), b"-1\r\n" + BODY + b"\r\n0\r\n\r\n"],
        [head(b"transfer-encoding: chunked"), b"ffffffffffffffff1\r\n" + BODY],
        [head(b"content-length: -5") + BODY],
        [head(b"content-length: 5", b"content-length: 23") + BODY],
        [head(b"content-length: 10") + BODY],
    ],
    ids=["too short", "no last chunk", "no length", "negative chunk", "huge chunk", "negative", "two lengths", "too long"],
)
def test_a_body_that_is_not_what_it_says_is_not_stored(served: Served, pieces: list[bytes]) -> None:
    """Cut off, never ended, wrongly counted: nothing is stored, and the server goes on."""
    answered = served.send(*pieces, hang_up=True)

    assert not answered.startswith(b"HTTP/1.1 2")
    assert not served.stored
    assert served.send(head(b"content-length: %d" % len(BODY)) + BODY).startswith(b"HTTP/1.1 200")


def test_two_framings_at_once_smuggle_nothing(served: Served) -> None:
    """A length and chunks in one request are refused or read as chunks; what follows is never a second delivery."""
    inner = head(b"content-length: %d" % len(BODY)) + BODY
    served.send(
        head(b"content-length: 5", b"transfer-encoding: chunked", signature=b"sha256=00"), b"0\r\n\r\n" + inner, hang_up=True
    )

    assert len(served.stored) <= 1, "the inner request is the client's own second request, never part of the first"
    assert all(raw.body == BODY for raw in served.stored)


def test_an_endless_body_is_cut_off_at_the_limit(served: Served) -> None:
    """Chunks without an end are answered 413 as soon as the limit is passed."""
    answered = served.send(head(b"transfer-encoding: chunked"), *([b"400\r\n" + b"x" * 1024 + b"\r\n"] * 6))

    assert answered.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answered
    assert not served.stored
    assert [item.reason["code"] for item in served.apart] == ["too-large"]


def test_a_doubled_signature_is_seen_through_a_real_server(served: Served) -> None:
    """The server hands both headers over, and the door refuses them."""
    answered = served.send(head(b"x-hub-signature-256: " + SIGNATURE, b"content-length: %d" % len(BODY)) + BODY)

    assert answered.startswith(b"HTTP/1.1 400")
    assert not served.stored


def test_an_unknown_hook_is_a_problem_document(served: Served) -> None:
    """As bare as every other refusal."""
    answered = served.send(head(b"content-length: 2", path=b"/hooks/nobody") + b"{}")

    assert answered.startswith(b"HTTP/1.1 404")
    assert b"application/problem+json" in answered
