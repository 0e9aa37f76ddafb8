"""Facts, and the whole way of one: raw, outcome, events, what waits, actions. What is parked, and trying it again."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from hub import tracing
from hub.api import shapes
from hub.api.guard import After, Body, Id, Limit, OnlyOnce, TheHub, Who, answer, page
from hub.core.errors import NotFound

router = APIRouter(prefix="/api/v1", tags=["facts"])

Text = Annotated[str | None, Query(max_length=200)]


@router.get("/events", summary="Facts, the newest last", responses=shapes.told(shapes.page_of(shapes.EVENT)))
def events(hub: TheHub, who: Who, type: Text = None, subject: Text = None, after: After = 0, limit: Limit = 100) -> Response:
    with hub.store.look(who.tenant) as work:
        found = tracing.events(work, type_=type, subject=subject, after=after, limit=limit + 1)
    return answer(page(found, limit, lambda event: event.seq))


@router.get("/events/{id}", summary="One fact", responses=shapes.told(shapes.EVENT))
def event(hub: TheHub, who: Who, id: Id) -> Response:
    with hub.store.look(who.tenant) as work:
        return answer(tracing.event(work, id))


@router.get(
    "/events/{id}/trace",
    summary="A fact's whole way, from the raw bytes to the vendors' answers",
    responses=shapes.told(shapes.TRACE),
)
def trace(hub: TheHub, who: Who, id: Id) -> Response:
    with hub.store.look(who.tenant) as work:
        return answer(tracing.trace(work, id))


@router.get("/raws/{id}", summary="What arrived, as it arrived", responses=shapes.told(shapes.RAW))
def raw(hub: TheHub, who: Who, id: Id) -> Response:
    with hub.store.look(who.tenant) as work:
        found = tracing.raw(work, id)
    body = found.pop("body")
    try:
        found["body"] = body.decode()
    except UnicodeDecodeError:
        found["body_base64"] = base64.b64encode(body).decode()
    return answer(found)


@router.get(
    "/parked", summary="What waits for a person: raws, events and actions", responses=shapes.told(shapes.page_of(shapes.PARKED))
)
def parked(
    hub: TheHub,
    who: Who,
    kind: Annotated[Literal["raw", "event", "action"] | None, Query()] = None,
    after: Annotated[int, Query(ge=0, le=100_000, description="The cursor `next` of the page before")] = 0,
    limit: Limit = 100,
) -> Response:
    with hub.store.look(who.tenant) as work:
        found = tracing.parked(work, limit=after + limit + 1, kind=kind)
    return answer(page(found[after:], limit, lambda item: after + limit))


@router.post(
    "/parked/{id}/replay",
    summary="Try it again",
    status_code=202,
    responses=shapes.told(shapes.thing(id=shapes.TEXT, state=shapes.TEXT), status=202),
)
def replay(hub: TheHub, who: Who, once: OnlyOnce, id: Id) -> Response:
    return once.run(None, lambda: tracing.replay(hub.store, hub.subscribers, who.tenant, id), status=202)


class ReplayAll(Body):
    """Which parked raws to try again; empty means all of them."""

    rule: str | None = Field(default=None, max_length=200)
    connection: str | None = Field(default=None, max_length=64)


@router.post(
    "/parked/replay",
    summary="Try all parked raws of a rule or a connection again",
    status_code=202,
    responses=shapes.told(shapes.thing(replayed=shapes.WHOLE), status=202),
)
def replay_all(hub: TheHub, who: Who, once: OnlyOnce, body: ReplayAll) -> Response:
    def act() -> dict[str, Any]:
        return {"replayed": tracing.replay_raws(hub.store, who.tenant, rule=body.rule, connection=body.connection)}

    return once.run(body.model_dump(), act, status=202)


@router.get(
    "/quarantine",
    summary="Deliveries that were not let in, the newest first",
    responses=shapes.told(shapes.page_of(shapes.QUARANTINED)),
)
def quarantine(hub: TheHub, who: Who, connection: Text = None, after: After = 0, limit: Limit = 100) -> Response:
    with hub.store.look(who.tenant) as work:
        found = tracing.quarantined(work, connection=connection, limit=limit + 1, before=after or None)
    return answer(page(found, limit, lambda delivery: delivery["place"]))


@router.get("/actions", summary="What we asked of vendors", responses=shapes.told(shapes.page_of(shapes.ACTION)))
def actions(hub: TheHub, who: Who, state: Text = None, connection: Text = None, after: After = 0, limit: Limit = 100) -> Response:
    with hub.store.look(who.tenant) as work:
        found = tracing.actions(work, state=state, connection=connection, after=after, limit=limit + 1)
    return answer(page(found, limit, lambda action: action["place"]))


@router.get(
    "/books",
    summary="For each connection: received = understood + ignored + duplicate + parked",
    responses=shapes.told(shapes.page_of(shapes.BOOK)),
)
def books(hub: TheHub, who: Who) -> Response:
    with hub.store.look(who.tenant) as work:
        return answer({"items": tracing.books(work), "next": None})


@router.get(
    "/links",
    summary="Which record of which connection is which of ours",
    responses=shapes.told(shapes.page_of(shapes.thing(connection=shapes.TEXT, record=shapes.TEXT))),
)
def links(
    hub: TheHub, who: Who, kind: Annotated[str, Query(max_length=32)], ours: Annotated[str, Query(max_length=160)]
) -> Response:
    with hub.store.look(who.tenant) as work:
        found = tracing.links(work, kind, ours)
    if not found:
        raise NotFound(happened="nothing is linked to it", next="check the kind and the number", kind=kind, ours=ours)
    return answer({"items": found, "next": None})
