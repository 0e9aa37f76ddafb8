"""Other systems that want our events, as Standard Webhooks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field, HttpUrl

from hub.api import shapes
from hub.api.guard import Body, Id, OnlyOnce, TheHub, Who, answer

router = APIRouter(prefix="/api/v1/subscriptions", tags=["subscriptions"])

Pattern = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^(#|[a-z_*]+(\.[a-z_*#]+)?)$")]


class NewSubscription(Body):
    """Where to deliver, and which types of events (`receipt.*`, `#` for all)."""

    url: HttpUrl
    types: list[Pattern] = Field(default=["#"], min_length=1, max_length=50)
    allow: list[Annotated[str, Field(max_length=100)]] = Field(default_factory=list, max_length=20)


@router.get("", summary="Subscriptions and how they are", responses=shapes.told(shapes.page_of(shapes.SUBSCRIPTION)))
def subscriptions(hub: TheHub, who: Who) -> Response:
    return answer({"items": hub.outgoing.subscriptions(who.tenant), "next": None})


@router.post(
    "",
    summary="Subscribe; the secret is shown this once",
    status_code=201,
    responses=shapes.told(shapes.thing(**shapes.SUBSCRIPTION["properties"], secret=shapes.SECRET_ONCE), status=201),
)
def subscribe(hub: TheHub, who: Who, once: OnlyOnce, body: NewSubscription) -> Response:
    def act() -> dict[str, Any]:
        told, secret = hub.outgoing.subscribe(who.tenant, url=str(body.url), types=body.types, allow=body.allow)
        return told | {"secret": secret}

    return once.run(body.model_dump(mode="json"), act, status=201, secret=True)


@router.delete("/{id}", summary="End a subscription", status_code=204)
def remove(hub: TheHub, who: Who, id: Id) -> Response:
    hub.outgoing.remove(who.tenant, id)
    return Response(status_code=204)


@router.post("/{id}/enable", summary="Deliver again", responses=shapes.told(shapes.SUBSCRIPTION))
def enable(hub: TheHub, who: Who, id: Id) -> Response:
    return answer(hub.outgoing.enable(who.tenant, id, enabled=True))


@router.post("/{id}/disable", summary="Deliver no more", responses=shapes.told(shapes.SUBSCRIPTION))
def disable(hub: TheHub, who: Who, id: Id) -> Response:
    return answer(hub.outgoing.enable(who.tenant, id, enabled=False))


@router.post(
    "/{id}/rotate",
    summary="A new secret beside the old one",
    responses=shapes.told(shapes.thing(id=shapes.TEXT, secret=shapes.SECRET_ONCE)),
)
def rotate(hub: TheHub, who: Who, once: OnlyOnce, id: Id) -> Response:
    return once.run(None, lambda: {"id": id, "secret": hub.outgoing.rotate(who.tenant, id)}, secret=True)


class From(Body):
    """The number of the event after which to begin."""

    after: int = Field(default=0, ge=0, le=2**53)


@router.post(
    "/{id}/replay",
    summary="Deliver again what was recorded after an event",
    status_code=202,
    responses=shapes.told(shapes.thing(queued=shapes.WHOLE), status=202),
)
def replay(hub: TheHub, who: Who, once: OnlyOnce, id: Id, body: From) -> Response:
    def act() -> dict[str, Any]:
        return {"queued": hub.outgoing.replay(who.tenant, id, after=body.after)}

    return once.run(body.model_dump(), act, status=202)
