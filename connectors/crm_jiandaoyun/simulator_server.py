"""A JSON server on loopback that can go down and come back on the same port. Standard library only."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answering = Callable[[str, dict[str, str], bytes], tuple[int, Any, dict[str, str]]]
"""(path, headers with lower-case names, body) → (status, JSON, headers). Status 0 hangs up without an answer."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is not the simulator's fault."""


class Server:
    """Answers with what `answering` gives."""

    def __init__(self, answering: Answering, port: int = 0) -> None:
        self._answering = answering
        self.port = port
        self._running: tuple[_Server, threading.Thread] | None = None

    def start(self) -> None:
        """Listen; nothing happens where it already does."""
        if self._running is not None:
            return
        server = _Server(("127.0.0.1", self.port), _handler(self._answering))
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        self._running = server, thread

    def stop(self) -> None:
        if self._running is not None:
            server, thread = self._running
            server.shutdown()
            server.server_close()
            thread.join()
            self._running = None


def _handler(answering: Answering) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content, more = answering(self.path, headers, body)
            if status == 0:
                return
            answer = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json; charset=utf-8",
                "Content-Length": str(len(answer)),
                **more,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """What was asked is kept by the simulator."""

    return Handler
