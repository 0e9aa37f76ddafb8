"""`shuniu serve`: the hub, all of it or one role."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

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
            from hub.api.server import http_server  # noqa: PLC0415 - a worker needs no web framework

            http_server(hub).run()
        else:
            wait_for_signal()
    finally:
        hub.stop()


def wait_for_signal() -> None:
    """Sleep until somebody asks the process to end."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
