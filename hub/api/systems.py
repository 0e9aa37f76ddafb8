"""Connectors that exist, and connections that are configured."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
import structlog
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from hub.api import shapes
from hub.api.guard import Body, Id, IfMatch, OnlyOnce, TheHub, Who, answer, version_in
from hub.bootstrap import Hub
from hub.core.connector import Probes
from hub.core.errors import Invalid, Problem, VendorFault
from hub.registry import Connection
from hub.store import tables as t

log = structlog.get_logger("systems")

router = APIRouter(prefix="/api/v1", tags=["systems"])

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9_-]*$")]


@router.get("/connectors", summary="What can be connected", responses=shapes.told(shapes.page_of(shapes.CONNECTOR)))
def connectors(hub: TheHub, who: Who) -> Response:
    return answer({"items": [found.manifest for _, found in sorted(hub.registry.connectors.items())], "next": None})


@router.get("/connections", summary="What is connected, and how it is", responses=shapes.told(shapes.page_of(shapes.CONNECTION)))
def connections(hub: TheHub, who: Who) -> Response:
    return answer({"items": [_told(hub, one) for one in hub.registry.connections(who.tenant)], "next": None})


@router.get("/connections/{id}", summary="One connection", responses=shapes.told(shapes.CONNECTION))
def connection(hub: TheHub, who: Who, id: Id) -> Response:
    one = hub.registry.connection(who.tenant, id)
    return answer(_told(hub, one), headers={"ETag": f'"{one.version}"'})


class NewConnection(Body):
    """A connection as it is to be. A secret that is left out keeps its value."""

    id: Name
    connector: str = Field(max_length=64)
    settings: dict[str, Any] = Field(default_factory=dict)
    title: str = Field(default="", max_length=200)
    allow: list[str] = Field(
        default_factory=list, max_length=50, description="Networks and hosts it may call beyond the public internet"
    )
    field_map: str | None = Field(default=None, max_length=64)


@router.post(
    "/connections", summary="Make or change a connection", status_code=201, responses=shapes.told(shapes.CONNECTION, status=201)
)
def save(hub: TheHub, who: Who, once: OnlyOnce, body: NewConnection, if_match: IfMatch = None) -> Response:
    def act() -> dict[str, Any]:
        one = hub.registry.save(
            who.tenant,
            body.id,
            connector=body.connector,
            settings=body.settings,
            title=body.title,
            allow=tuple(body.allow),
            field_map=body.field_map,
            if_version=version_in(if_match),
        )
        hub.hooks.refresh()
        return _told(hub, one)

    return once.run(body.model_dump(mode="json"), act, status=201)


@router.post(
    "/connections/{id}/probe",
    summary="Ask the system for one cheap thing",
    description="A 502 whose type tells a refused login (`login-refused`), a host that does not answer (`unreachable`), a fault of theirs (`vendor-fault`) and an address that may not be called (`egress-refused`) apart.",
    responses=shapes.told(shapes.thing(connection=shapes.TEXT, state=shapes.TEXT)),
)
def probe(hub: TheHub, who: Who, id: Id) -> Response:
    opened = hub.registry.open(who.tenant, id)
    if not isinstance(opened.connector, Probes):
        raise Invalid(happened="the connector has nothing to probe", next="send it something instead", connection=id)
    went: Problem | None = None
    try:
        opened.connector.probe()
    except Problem as problem:
        went = problem
    except Exception as error:
        log.exception("probe.defect", connection=id)
        went = VendorFault(
            happened=f"the connector stumbled over the answer: {type(error).__name__}", next="tell its owner", connection=id
        )
    with hub.store.work(who.tenant) as work:
        hub.connections.went(work, id, went)
    if went is not None:
        raise went
    return answer({"connection": id, "state": "ok"})


@router.post(
    "/connections/{id}/sync",
    summary="Pull now",
    status_code=202,
    responses=shapes.told(shapes.thing(connection=shapes.TEXT, state=shapes.TEXT), status=202),
)
def sync(hub: TheHub, who: Who, id: Id) -> Response:
    hub.poller.want(who.tenant, id)
    return answer({"connection": id, "state": "wanted"}, status=202)


@router.post(
    "/connections/{id}/backfill",
    summary="Pull everything again; nothing is doubled",
    status_code=202,
    responses=shapes.told(shapes.thing(connection=shapes.TEXT, state=shapes.TEXT), status=202),
)
def backfill(hub: TheHub, who: Who, id: Id) -> Response:
    hub.poller.want(who.tenant, id, from_start=True)
    return answer({"connection": id, "state": "wanted"}, status=202)


@router.post(
    "/connections/{id}/pause",
    summary="Neither pull nor write; deliveries are kept all the same",
    responses=shapes.told(shapes.CONNECTION),
)
def pause(hub: TheHub, who: Who, id: Id) -> Response:
    return answer(_told(hub, hub.registry.pause(who.tenant, id, paused=True)))


@router.post("/connections/{id}/resume", summary="Go on", responses=shapes.told(shapes.CONNECTION))
def resume(hub: TheHub, who: Who, id: Id) -> Response:
    return answer(_told(hub, hub.registry.pause(who.tenant, id, paused=False)))


class NewSecret(Body):
    """A new value of a secret setting; the old one stays valid beside it until the next."""

    setting: str = Field(max_length=64)
    value: str = Field(min_length=1, max_length=4096)


@router.post("/connections/{id}/secrets", summary="Rotate a secret, with overlap", status_code=204)
def rotate(hub: TheHub, who: Who, id: Id, body: NewSecret) -> Response:
    hub.registry.add_secret(who.tenant, id, body.setting, body.value)
    hub.hooks.refresh()
    return Response(status_code=204)


def _told(hub: Hub, one: Connection) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.structs.asdict(one)
    manifest = hub.registry.found(one.connector).manifest
    if "receives" in manifest.does:
        told["hook_url"] = hub.registry.hook_url(one.tenant, one.id)
    c = t.cursors
    query = sa.select(c.c.stream, c.c.cursor, c.c.pulled_at, c.c.pulled, c.c.wanted, c.c.problem).where(
        c.c.tenant == one.tenant, c.c.connection == one.id
    )
    with hub.store.read_transaction() as connection:
        told["streams"] = [dict(row) for row in connection.execute(query.order_by(c.c.stream)).mappings()]
    return told
