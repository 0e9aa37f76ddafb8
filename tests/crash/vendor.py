"""A vendor that is asked to do things: a process of its own with a log of what it really did, and with bad days.

It is asked with a line of JSON and answers with one. Sometimes it is busy, sometimes it fails before doing anything, and
sometimes it does what it was asked and the answer is lost.
"""

from __future__ import annotations

import os
import random
import socket
import socketserver
import threading
from pathlib import Path
from typing import Any

import msgspec

from hub.core.errors import OutcomeUnknown, RateLimited, Unreachable, VendorFault

REPEATABLE = "note.create"  # the vendor knows its idempotency key
ONCE_ONLY = "money.pay"


class Vendor(socketserver.ThreadingTCPServer):
    """Listens from its making on; `serve_forever` in the vendor's own process."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, log: Path, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._chance = random.Random(seed)
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def answer(self, asked: dict[str, Any]) -> str | None:
        """The word to answer with; `None` where the answer gets lost."""
        with self._lock:
            mood = self._chance.random()
            if mood < 0.02:
                return "busy"
            if mood < 0.04:
                return "broken"
            os.write(self._log, f"{asked['key']} {asked['what']} {asked['about']}\n".encode())
            return None if mood < 0.06 else "done"


class _Request(socketserver.StreamRequestHandler):
    server: Vendor

    def handle(self) -> None:
        line = self.rfile.readline()
        if not line.endswith(b"\n"):
            return  # whoever asked died in the middle of a word
        word = self.server.answer(msgspec.json.decode(line))
        if word is not None:
            self.wfile.write(word.encode() + b"\n")


class Caller:
    """The connector to this vendor: `Writes`."""

    def __init__(self, port: int) -> None:
        self._port = port

    def write(self, what: str, fields: Any, *, idempotency_key: str) -> str:
        try:
            line = socket.create_connection(("127.0.0.1", self._port), timeout=5)
        except OSError as error:
            raise Unreachable(happened="the vendor does not answer", next="wait") from error
        try:
            line.sendall(msgspec.json.encode({"key": idempotency_key, "what": what, "about": fields["about"]}) + b"\n")
            with line.makefile("rb") as answers:
                word = answers.readline().decode().strip()
        except OSError:
            word = ""
        finally:
            line.close()
        if word == "busy":
            raise RateLimited(after=0.05, happened="the vendor is busy", next="wait")
        if word == "broken":
            raise VendorFault(happened="the vendor failed", next="try again")
        if word != "done":
            raise OutcomeUnknown(happened="the answer was lost", next="look there")
        return f"V-{idempotency_key}"
