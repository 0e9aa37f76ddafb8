"""Health and numbers for whoever runs the hub."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from hub.api.guard import TheHub

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="The process is alive")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz", summary="The database and the bus answer")
def readyz(hub: TheHub) -> dict[str, Any]:
    hub.store.ping()
    return {"status": "ready", "database": hub.store.engine.dialect.name, "bus": "embedded" if hub.store.embedded else "rabbitmq"}


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
def metrics(hub: TheHub) -> Response:
    return Response(hub.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
