"""A hub that is served over a real socket, for tests that speak with it as other systems do."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from hub.api import create_app
from hub.bootstrap import Hub
from hub.crypto import Seal
from hub.settings import load_settings


class Ahead:
    """The machine's clock, and how far ahead of it a test is."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Served:
    """A hub behind its HTTP server. `api` calls below /api/v1, `get` from the root."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Ahead()
        self._stopped = False
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        given = {"public_url": self.url, "api_token": "", "secret_key": Seal.generate_key(), "egress_allow": ("127.0.0.0/8",)}
        self.hub = Hub(load_settings(None, **(given | settings)), clock=self.clock)
        self.hub.prepare()
        self.hub.start("all")
        self._server = uvicorn.Server(
            uvicorn.Config(create_app(self.hub), http="httptools", log_level="critical", access_log=False)
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        self.api = httpx.Client(base_url=f"{self.url}/api/v1", timeout=30, trust_env=False)
        self.until(lambda: self._server.started)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return httpx.get(self.url + path, trust_env=False, timeout=30, **more)

    def until(self, true: Callable[[], Any], *, seconds: float = 30.0) -> Any:
        """What `true` gives, once it is something."""
        began = time.monotonic()
        while not (found := true()):
            assert time.monotonic() - began < seconds, "it did not come"
            time.sleep(0.01)
        return found

    def upload(self, name: str, body: bytes, connection: str | None = None) -> dict[str, Any]:
        """Send a file and follow its job until nothing of it waits any more."""
        sent = self.api.post("/statements", files={"file": (name, body)}, data={"connection": connection} if connection else {})
        assert sent.status_code == 202, sent.text
        job = sent.json()

        def ended() -> Any:
            told = self.api.get(f"/statements/{job['id']}").json()
            return told if told["state"] == "refused" or (told["state"] == "read" and not told["waiting"]) else None

        found: dict[str, Any] = self.until(ended)
        return found | {"again": job["again"]}

    def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        self._server.should_exit = True
        self._thread.join(timeout=15)
        self._socket.close()
        self.api.close()
        self.hub.stop()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """`serve(setting=…)` starts a hub; all of them are stopped after the test."""
    started: list[Served] = []

    def start(**settings: Any) -> Served:
        started.append(Served(**settings))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def served(
    serve: Callable[..., Served], database_url: str, bus_url: str | None, bus_prefix: str, tmp_path: Path
) -> Iterator[Served]:
    """A hub of each size, empty."""
    served = serve(home=tmp_path, database_url=database_url, bus_url=bus_url or "", bus_prefix=bus_prefix)
    yield served
    served.stop()  # before its database and its broker are taken away
    if bus_url:
        served.hub.bus.remove()
        served.hub.bus.close()
