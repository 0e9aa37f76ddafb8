"""Signed webhooks over raw sockets: made beforehand, sent over keep-alive connections that each wait for their answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import select
import socket
import statistics
import time
from collections.abc import Sequence
from typing import Any

SECRET = "whsec_" + base64.b64encode(b"a key of the bench, 32 bytes lon").decode()
PATH = "/hooks/shop"
CONNECTIONS = 32


def lead(name: str) -> bytes:
    """A lead as another system would tell it: 1 KB of JSON."""
    record: dict[str, Any] = {
        "type": "lead.created",
        "timestamp": "2026-11-20T08:00:00Z",
        "data": {
            "id": name,
            "contact": {"name": "王芳", "mobile": "13800001234", "city": "苏州"},
            "company": "苏州某某精密机械有限公司",
            "channel": "fair",
            "owner": "lisi",
            "notes": "",
        },
    }
    short = 1024 - len(json.dumps(record, ensure_ascii=False).encode())
    record["data"]["notes"] = "x" * short
    return json.dumps(record, ensure_ascii=False).encode()


def requests(names: Sequence[str], path: str = PATH) -> list[bytes]:
    """One signed request a lead (Standard Webhooks), whole on the wire."""
    key, now, made = base64.b64decode(SECRET.removeprefix("whsec_")), int(time.time()), []
    for name in names:
        body = lead(name)
        signature = base64.b64encode(hmac.digest(key, f"{name}.{now}.".encode() + body, hashlib.sha256)).decode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            f"webhook-id: {name}\r\nwebhook-timestamp: {now}\r\nwebhook-signature: v1,{signature}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


class Posted:
    """What became of a load: when each request was sent (monotonic) and how long its answer took, in seconds."""

    def __init__(self, count: int) -> None:
        self.sent = [0.0] * count
        self.took = [0.0] * count
        self.seconds = 0.0

    @property
    def rate(self) -> float:
        return len(self.sent) / self.seconds

    def p99(self) -> float:
        """Milliseconds."""
        return percentile(self.took, 99)


def percentile(seconds: Sequence[float], which: int) -> float:
    """In milliseconds."""
    return statistics.quantiles(seconds, n=100, method="inclusive")[which - 1] * 1000


def post(port: int, messages: Sequence[bytes], *, connections: int = CONNECTIONS, per_second: float = 0.0) -> Posted:
    """Send all of them, as fast as they are answered or at a steady rate. Raises where an answer is not 2xx."""
    posted = Posted(len(messages))
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for line in lines:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting = select.epoll()
    free, of = list(lines), {line.fileno(): line for line in lines}
    for line in lines:
        waiting.register(line, select.EPOLLIN)
    asked: dict[int, int] = {}
    began, following, answered = time.monotonic(), 0, 0
    while answered < len(messages):
        while free and following < len(messages):
            now = time.monotonic()
            if per_second and now < began + following / per_second:
                break
            line = free.pop()
            posted.sent[following] = now
            asked[line.fileno()] = following
            line.sendall(messages[following])
            following += 1
        pause = max(0.0, began + following / per_second - time.monotonic()) if per_second and following < len(messages) else 5.0
        for place, _ in waiting.poll(pause):
            _answered(of[place])
            number = asked.pop(place)
            posted.took[number] = time.monotonic() - posted.sent[number]
            free.append(of[place])
            answered += 1
    posted.seconds = time.monotonic() - began
    waiting.close()
    for line in lines:
        line.close()
    return posted


def _answered(line: socket.socket) -> None:
    """Read one answer to its end."""
    answer = line.recv(65536)
    while b"\r\n\r\n" not in answer:
        answer += _more(line)
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(answer[:300].decode("latin-1"))
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length:
        body += _more(line)


def _more(line: socket.socket) -> bytes:
    got = line.recv(65536)
    if not got:
        raise ConnectionError("the server hung up")
    return got
