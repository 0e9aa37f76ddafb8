"""Health and numbers for whoever runs the hub."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from kombu.connection import Connection
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric

from hub.api.guard import TheHub
from hub.core.errors import Unavailable
from webhooks.receiving.door import Door

router = APIRouter(tags=["operations"])
_Connection: Any = Connection  # kombu has no types here


class Broker:
    """Whether the broker answers, asked at most every few seconds however often somebody wants to know."""

    def __init__(self, url: str, *, rest: float = 5.0, patience: float = 3.0) -> None:
        self._url, self._rest, self._patience = url, rest, patience
        self._asking = threading.Lock()
        self._answered = (-rest, "")

    def check(self) -> None:
        """Return if it answers; raises `Unavailable`."""
        with self._asking:
            at, why = self._answered
            if time.monotonic() - at >= self._rest:
                why = self._ask()
                self._answered = (time.monotonic(), why)
        if why:
            raise Unavailable(happened="the broker does not answer", next="start it or correct SHUNIU_BUS_URL", reason=why)

    def _ask(self) -> str:
        try:
            with _Connection(self._url, connect_timeout=self._patience) as connection:
                connection.connect()
        except Exception as error:  # whatever is wrong with it, the hub is not ready
            return type(error).__name__
        return ""


class Deliveries:
    """The door's counts for Prometheus: what this process let in, refused or could not keep."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        told = CounterMetricFamily(
            "shuniu_deliveries", "Deliveries at the door by connection and outcome", labels=["tenant", "connection", "outcome"]
        )
        for labels, count in sorted(self._door.counts.items()):
            told.add_metric(list(labels), count)
        yield told

    def text(self) -> bytes:
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)


@router.get("/healthz", summary="The process is alive")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz", summary="The database and the bus answer")
def readyz(request: Request, hub: TheHub) -> dict[str, str]:
    hub.store.ping()
    broker: Broker | None = request.app.state.broker
    if broker is not None:
        broker.check()
    return {"status": "ready", "database": hub.store.engine.dialect.name, "bus": "rabbitmq" if broker else "embedded"}


@router.get("/metrics", summary="Numbers for Prometheus", response_class=PlainTextResponse)
def metrics(request: Request, hub: TheHub) -> Response:
    deliveries: Deliveries = request.app.state.deliveries
    return Response(hub.metrics.text() + deliveries.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
