"""Servers in processes of their own: the hub in any role, and the bare server."""

from __future__ import annotations

import multiprocessing
import os
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import here  # noqa: F401 - before anything of the project
import uvicorn
from posting import SECRET

POSTGRESQL = os.environ.get("SHUNIU_TEST_DATABASE_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
RABBITMQ = os.environ.get("SHUNIU_TEST_BUS_URL", "amqp://guest:guest@127.0.0.1:5672//")

MAP = """
name = "leads"
target = "lead.created"
subject = "data.id"
ignore = ["type", "timestamp", "data.notes", "data.contact.city"]

[fields]
lead = "data.id"
name = "data.contact.name"
phone = "data.contact.mobile"
company = "data.company"
source = "data.channel"
owner = "data.owner"
"""


class Served:
    """A process that was asked to serve; `port` is where it listens, 0 where it does not."""

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=target, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()
        self.pid = self._process.pid
        self.port: int = self._line.recv()

    def ask(self, question: str) -> Any:
        self._line.send(question)
        return self._line.recv()

    def stop(self) -> None:
        self._line.send("stop")
        self._process.join(30)

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


# --- databases -------------------------------------------------------------------------------------------------------


def answers(url: str) -> bool:
    """Whether anything listens there."""
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 5672), timeout=3).close()
    except OSError:
        return False
    return True


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of a new database, `sqlite` or `postgresql`, that is gone afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="shuniu-bench-") as folder:
            yield f"sqlite:///{folder}/hub.sqlite"
        return
    import psycopg

    name = f"shuniu_bench_{uuid.uuid4().hex[:8]}"
    server = POSTGRESQL.replace("+psycopg", "", 1)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type, unused-ignore]
    try:
        yield urlsplit(POSTGRESQL)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type, unused-ignore]


# --- the hub ---------------------------------------------------------------------------------------------------------


def make_hub(database_url: str, bus_url: str, prefix: str, home: str) -> Any:
    """The hub, prepared, with one connection `shop` whose leads become facts."""
    from hub.bootstrap import Hub
    from hub.crypto import Seal
    from hub.settings import load_settings

    os.environ["SHUNIU_HOME"] = home  # no settings of this machine's own hub
    Path(home).mkdir(exist_ok=True)
    key = Path(home) / "bench.key"
    if not key.exists():
        key.write_text(Seal.generate_key())
    settings = load_settings(
        None, home=Path(home), database_url=database_url, bus_url=bus_url, bus_prefix=prefix, secret_key=key.read_text(), port=0
    )
    hub = Hub(settings)
    hub.prepare()
    if not hub.registry.connections("main"):
        hub.definitions.save("main", "map", "leads", MAP, by="bench")
        hub.registry.save("main", "shop", connector="http_webhook", settings={"secret": SECRET}, field_map="leads")
    return hub


def serve_hub(line: Connection, role: str, database_url: str, bus_url: str, prefix: str, home: str) -> None:
    """A process of the hub; one that works has a subscriber of the bench beside the hub's own."""
    from hub.api.server import http_server
    from hub.logs import configure_logs

    configure_logs("warning", "text")

    hub = make_hub(database_url, bus_url, prefix, home)
    probe = Probe()
    if role in ("all", "worker"):
        probe.attach(hub)
    hub.start(role)
    server = http_server(hub) if role in ("all", "api") else None
    serve(line, server, {"count": lambda: len(probe.done), "done": lambda: dict(probe.done)})
    hub.stop()
    if bus_url and role == "worker":
        _take_away(hub.bus.queues, bus_url, prefix)


def _take_away(queues: Sequence[str], bus_url: str, prefix: str) -> None:
    """Leave nothing behind at the broker."""
    from hub.bus.kombu import KombuBus

    bus = KombuBus(bus_url, prefix=prefix)
    for name in queues:
        bus.subscribe(name, "nothing", lambda _: [])
    bus.remove()
    bus.close()


class Probe:
    """A subscriber that notes when its mark on an event was committed."""

    def __init__(self) -> None:
        self.done: dict[str, float] = {}
        self._local = threading.local()

    def attach(self, hub: Any) -> None:
        from hub.core import steps
        from hub.subscribers import Subscriber, Subscribers

        steps.listen(self._reached)
        Subscribers(hub.store, hub.bus, [Subscriber(name="bench", patterns=("lead.created",), handle=self._handle)]).attach()

    def _handle(self, facts: Sequence[Any], _work: Any) -> list[Any]:
        from hub.core.outcome import DONE

        self._local.handled = [fact.subject for fact in facts]
        return [DONE] * len(facts)

    def _reached(self, step: str) -> None:
        if step == "handle.committed" and getattr(self._local, "handled", None):
            now = time.monotonic()
            self.done.update(dict.fromkeys(self._local.handled, now))
            self._local.handled = []


# --- what it is compared with ------------------------------------------------------------------------------------------


def serve_raw(line: Connection) -> None:
    """The limit: the same HTTP server, an application that reads the body and answers."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            while (await receive()).get("more_body"):
                pass
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})

    serve(line, server_of(app, lifespan="off"), {})


def server_of(app: Any, lifespan: Any = "auto") -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            http="httptools",
            loop="uvloop",
            access_log=False,
            log_level="warning",
            lifespan=lifespan,
        )
    )


def serve(line: Connection, server: uvicorn.Server | None, answering: dict[str, Callable[[], Any]]) -> None:
    """Serve until told to stop, and answer questions meanwhile."""
    thread = threading.Thread(target=server.run, daemon=True) if server else None
    port = 0
    if server is not None and thread is not None:
        thread.start()
        while not server.started:
            time.sleep(0.001)
        port = server.servers[0].sockets[0].getsockname()[1]
    line.send(port)
    while (question := line.recv()) != "stop":
        line.send(answering[question]())
    if server is not None and thread is not None:
        server.should_exit = True
        thread.join(10)
