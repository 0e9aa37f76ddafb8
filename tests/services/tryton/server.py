"""A real Tryton for a test run: a copy of the template, served by a process of its own on a free port."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.tryton.make_template import CLOCK, PASSWORD, Unavailable, configuration, template


class Tryton:
    """A running server; `stop` and `start` keep its database and its port."""

    def __init__(self, made: Path, work: Path) -> None:
        self._bin = made / "environment" / "bin"
        self._work = work
        self._process: subprocess.Popen[bytes] | None = None
        self.ids = json.loads((made / "ids.json").read_text(encoding="utf-8"))
        self.port = _free_port()
        for leftover in ("hub.sqlite-wal", "hub.sqlite-shm"):  # an old journal would be merged into the copy
            (work / leftover).unlink(missing_ok=True)
        shutil.copyfile(made / "hub.sqlite", work / "hub.sqlite")
        (work / "trytond.conf").write_text(configuration(work, self.port))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, object]:
        """Settings of a connection that fits."""
        return {"base_url": self.url, "database": "hub", "user": "admin", "password": PASSWORD}

    def start(self) -> None:
        """Start, and return when it answers."""
        command = [str(self._bin / "trytond"), "-c", str(self._work / "trytond.conf"), "-d", "hub"]
        with (self._work / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._work, env=os.environ | CLOCK)
        until = time.monotonic() + 90
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise Unavailable(f"the server did not come up: {(self._work / 'log').read_text()[-500:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End the process that was started here."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(20)
            self._process = None

    def _answers(self) -> bool:
        body = json.dumps({"id": 1, "method": "common.server.version", "params": []}).encode()
        request = urllib.request.Request(f"{self.url}/rpc/", data=body, headers={"Content-Type": "application/json"})
        with (
            contextlib.suppress(urllib.error.URLError, OSError, ValueError),
            urllib.request.urlopen(request, timeout=10) as answer,
        ):
            return str(json.loads(answer.read()).get("result", "")).startswith("8.")
        return False


def serve(work: Path) -> Iterator[Tryton]:
    """For a fixture: a running server, ended afterwards. Skips where Tryton cannot be had, and fails there in CI."""
    try:
        server = Tryton(template(), work)
        server.start()
    except Unavailable as reason:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no Tryton: {reason}")
    yield server
    server.stop()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
