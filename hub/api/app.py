"""The application: routers, the door in front, and the documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI

from hub import __version__, console
from hub.api import definitions, facts, money, operations, stock, subscriptions, systems
from hub.api.guard import caller
from hub.api.operations import Broker, Deliveries
from hub.api.problems import RESPONSES, install
from hub.api.wire import Wire
from hub.bootstrap import Hub
from webhooks.receiving.door import make_door
from webhooks.receiving.limits import Limits
from webhooks.receiving.quarantine import Quarantine
from webhooks.receiving.shelf import keep_in

_ABOUT = """Facts, receipts, stock and connections of one manufacturer's hub.

Amounts and quantities are decimals as strings. Lists are paged: give `next` back as `after`.
A write may carry an `Idempotency-Key`; a decision may carry `If-Match`. Errors are problem documents (RFC 9457)."""


def create_app(hub: Hub) -> Any:
    """The ASGI application of a hub that is prepared. It does not start or stop the hub's threads."""
    quarantine = Quarantine(keep_in(hub.store))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        quarantine.start()
        yield
        quarantine.stop()

    app = routed(lifespan)
    app.state.hub = hub
    door = make_door(
        find=hub.hooks.find,
        submit=hub.intake.submit,
        quarantine=quarantine,
        clock=hub.clock,
        limits=Limits(body_bytes=hub.settings.max_body),
    )
    app.state.door = door
    app.state.deliveries = Deliveries(door)
    app.state.broker = Broker(hub.settings.bus_url) if hub.settings.bus_url else None
    trusting = not hub.settings.api_token.get_secret_value()
    return door.in_front_of(Wire(app, public_host=urlsplit(hub.settings.public_url).netloc, trusting=trusting))


def routed(lifespan: Any = None) -> FastAPI:
    """Every endpoint and its document, with no hub behind them yet."""
    app = FastAPI(
        title="Shuniu 枢纽",
        version=__version__,
        description=_ABOUT,
        lifespan=lifespan,
        docs_url=None,  # the console serves it, without anybody else's servers
        redoc_url=None,
        responses=RESPONSES,
    )
    install(app)
    for module in (facts, money, stock, systems, definitions, subscriptions, operations):
        app.include_router(module.router)
    app.include_router(console.router(caller))
    return app
