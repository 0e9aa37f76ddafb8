"""The systems that send to the hub: a process of its own that repeats a delivery until it is answered 2xx, and keeps a log of that.

A line is on disk before the next delivery leaves, so the log never says less than was promised to the senders.
"""

from __future__ import annotations

import http.client
import os
import random
import threading
import time
from contextlib import suppress
from pathlib import Path

import msgspec
from gate import FINISH, GO, Gate

SENDERS = 4
KEYS = 40
_EVERY = 0.1  # seconds; beyond what was granted, one delivery more


class Load:
    """Sends numbered deliveries to a port of this machine."""

    def __init__(self, port: int, gate: Gate, log: Path, seed: int) -> None:
        self._port = port
        self._gate = gate
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._seed = seed
        self._lock = threading.Lock()
        self._sent = 0
        self._dripped = 0.0

    def run(self) -> None:
        senders = [threading.Thread(target=self._send_on, args=(number,)) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        self._gate.finished()

    def _next(self) -> int | None:
        """The number of a delivery that may leave now."""
        with self._lock:
            if self._gate.mode != GO:
                return None
            now = time.monotonic()
            if self._sent >= self._gate.granted:
                if now - self._dripped < _EVERY:
                    return None
                self._dripped = now
            self._sent += 1
            return self._sent

    def _send_on(self, sender: int) -> None:
        chance = random.Random(self._seed * 100 + sender)
        while self._gate.mode != FINISH:
            number = self._next()
            if number is None:
                time.sleep(0.004)
                continue
            body = msgspec.json.encode(
                {"delivery": number, "order": f"SO-{number % KEYS}", "text": "x" * chance.choice((10, 2000))}
            )
            gives_up = chance.random() < 0.05  # this sender does not repeat it: it may be kept or not, but whole
            if self._send_until_answered(f"D-{number}", body, gives_up=gives_up):
                os.write(self._log, f"D-{number}\n".encode())
                os.fsync(self._log)
                self._gate.answered()
                if chance.random() < 0.05:  # a sender that did not hear us well sends it again
                    self._send_until_answered(f"D-{number}", body, gives_up=True)

    def _send_until_answered(self, key: str, body: bytes, *, gives_up: bool) -> bool:
        while True:
            with suppress(OSError, http.client.HTTPException):
                line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
                try:
                    line.request("POST", "/hooks/shop", body, {"x-delivery": key})
                    if 200 <= line.getresponse().status < 300:
                        return True
                finally:
                    line.close()
            if gives_up:
                return False
            time.sleep(0.01)
