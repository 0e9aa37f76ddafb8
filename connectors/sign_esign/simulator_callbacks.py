"""The vendor's callbacks: signed, sent one after the other, repeated along the documented ladder until answered with 2xx.

Standard library only.
"""

from __future__ import annotations

import hmac
import json
import threading
import time
from collections.abc import Callable
from http import client as wire
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LADDER = (10, 10, 30, 60, 180, 360, 600, 1200, 1800, 3600, 7200, 7200, 7200, 7200)


class Callbacks:
    """What was told, to whom, and how it was answered. With `hold` set, callbacks wait for `release`."""

    def __init__(self, app_id: str, secret: str, *, hurry: float, now: Callable[[], float]) -> None:
        self._app_id, self._secret, self._hurry, self._now = app_id, secret, hurry, now
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._held: list[tuple[str, bytes]] = []
        self._under_way = 0
        self.hold = False
        self.copies = 1
        self.sent: list[dict[str, Any]] = []
        """One entry an attempt: url, headers, body, and status (0 where nobody answered)."""

    def tell(self, url: str | None, body: dict[str, Any]) -> None:
        """Send this to the flow's notifyUrl; a flow without one is not told."""
        if not url:
            return
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        with self._changed:
            if self.hold:
                self._held.append((url, content))
                return
        self._post([(url, content)] * self.copies)

    def release(self, *, backwards: bool = False, copies: int = 1) -> None:
        """Send what was held, in order or the other way round, each so many times."""
        with self._changed:
            held, self._held, self.hold = self._held, [], False
        self._post([one for one in (reversed(held) if backwards else held) for _ in range(copies)])

    def settle(self, seconds: float = 10.0) -> bool:
        """Wait until nothing is under way; whether that came to be in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._under_way == 0, timeout=seconds)

    def stop(self) -> None:
        self._stopped.set()
        self.settle()

    def signed(self, url: str, body: bytes, *, stamp: int | None = None) -> dict[str, str]:
        """The headers of a callback: hex HMAC-SHA256 over time, query values by name, and body."""
        at = str(int(self._now() * 1000) if stamp is None else stamp)
        values = "".join(value for _, value in sorted(parse_qsl(urlsplit(url).query, keep_blank_values=True)))
        mac = hmac.new(self._secret.encode(), at.encode() + values.encode() + body, "sha256")
        return {
            "Content-Type": "application/json; charset=UTF-8",
            "X-Tsign-Open-App-Id": self._app_id,
            "X-Tsign-Open-TIMESTAMP": at,
            "X-Tsign-Open-SIGNATURE-ALGORITHM": "hmac-sha256",
            "X-Tsign-Open-SIGNATURE": mac.hexdigest(),
        }

    def _post(self, batch: list[tuple[str, bytes]]) -> None:
        with self._changed:
            self._under_way += 1
        threading.Thread(target=self._run, args=(batch,), daemon=True).start()

    def _run(self, batch: list[tuple[str, bytes]]) -> None:
        try:
            for url, body in batch:
                for wait in (*LADDER, None):
                    if self._attempt(url, body) or wait is None or self._stopped.wait(wait / self._hurry):
                        break
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _attempt(self, url: str, body: bytes) -> bool:
        split = urlsplit(url)
        headers = self.signed(url, body)
        kind = wire.HTTPSConnection if split.scheme == "https" else wire.HTTPConnection
        connection = kind(split.hostname or "", split.port, timeout=5)
        status = 0
        try:
            connection.request("POST", f"{split.path}?{split.query}" if split.query else split.path, body, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, wire.HTTPException):
            status = 0
        finally:
            connection.close()
        self.sent.append({"url": url, "headers": headers, "body": body, "status": status, "at": time.monotonic()})
        return 200 <= status < 300
