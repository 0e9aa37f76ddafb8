"""`shuniu serve`: the hub, all of it or one role."""

from __future__ import annotations

import gc
import signal
import threading
from pathlib import Path
from typing import Any

import click
import uvicorn

from hub.api import create_app
from hub.bootstrap import Hub, Role
from hub.cli.common import config_option, settings_for

ROLES = ("all", "api", "worker", "poller")


@click.command()
@click.option("--role", type=click.Choice(ROLES), default="all", help="What this process does.")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@config_option
def serve(role: Role, host: str | None, port: int | None, config: Path | None) -> None:
    """Run the hub."""
    hub = Hub(settings_for(config, host=host, port=port))
    hub.prepare()
    hub.start(role)
    try:
        if role in ("all", "api"):
            http_server(hub).run()
        else:
            wait_for_signal()
    finally:
        hub.stop()


def http_server(hub: Hub, *, app: Any = None) -> uvicorn.Server:
    """The HTTP server of a hub, ready to run."""
    # What start-up made lives as long as the process: the collector need not look at it again (measured: p99 of the door).
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    return uvicorn.Server(
        uvicorn.Config(
            app or create_app(hub),
            host=hub.settings.host,
            port=hub.settings.port,
            http="httptools",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    )


def wait_for_signal() -> None:
    """Sleep until somebody asks the process to end."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
