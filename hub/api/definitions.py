"""Field maps, flows and policies as text: saved in versions, tried before they are saved, taken back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import Field

from hub.api import shapes
from hub.api.guard import Body, OnlyOnce, TheHub, Who, answer
from hub.core.errors import Problem
from hub.parts.texts import check_text
from mappings import check_map, load_map

router = APIRouter(prefix="/api/v1", tags=["definitions"])

Kind = Literal["map", "flow", "policy"]
KINDS: dict[str, Kind] = {"maps": "map", "flows": "flow", "policies": "policy"}
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")]


Named = Annotated[str, Path(min_length=1, max_length=64)]


class Text(Body):
    """A definition as its author writes it."""

    name: Name
    text: str = Field(min_length=1, max_length=200_000)


class Preview(Body):
    """A map and what it is to be tried on."""

    text: str = Field(min_length=1, max_length=200_000)
    record: dict[str, Any] | None = None


class Choice(Body):
    """The version to put in force."""

    version: int = Field(ge=1, le=1_000_000)


@router.post(
    "/maps/preview",
    summary="Apply a map without saving it: the result, the trace of every field, what was not read",
    responses=shapes.told(shapes.PREVIEW),
)
def preview(request: Request, hub: TheHub, who: Who, body: Preview) -> Response:
    field_map = load_map(body.text, file="preview.toml")
    told: dict[str, Any] = {"name": field_map.name, "target": field_map.target, "findings": check_map(field_map)}
    if body.record is not None:
        # As it was read from the body itself: the model has made floats of its numbers.
        record = request.state.json["record"]
        try:
            mapped = field_map.apply(record, trace=True)
        except Problem as problem:
            told["problem"] = problem.as_dict()
        else:
            told["mapped"] = msgspec.to_builtins(mapped, str_keys=True)
            told["unread"], told["missing"] = mapped.unread, mapped.missing
    return answer(told)


def _routes(plural: str, kind: Kind) -> None:
    """The same four calls for each kind of definition."""

    @router.get(
        f"/{plural}",
        summary=f"The {plural} in force",
        operation_id=f"{plural}_in_force",
        responses=shapes.told(shapes.page_of(shapes.DEFINITION)),
    )
    def in_force(hub: TheHub, who: Who) -> Response:
        return answer({"items": hub.definitions.active(who.tenant, kind), "next": None})

    @router.post(
        f"/{plural}",
        summary=f"Save a version of a {kind} and put it in force",
        status_code=201,
        operation_id=f"save_{kind}",
        responses=shapes.told(shapes.DEFINITION, status=201),
    )
    def save(hub: TheHub, who: Who, once: OnlyOnce, body: Text) -> Response:
        def act() -> Any:
            check_text(kind, body.name, body.text)
            return hub.definitions.save(who.tenant, kind, body.name, body.text, by=who.name)

        return once.run(body.model_dump(), act, status=201)

    @router.get(
        f"/{plural}/{{name}}",
        summary=f"All versions of a {kind}, the newest first",
        operation_id=f"versions_of_{kind}",
        responses=shapes.told(shapes.page_of(shapes.DEFINITION)),
    )
    def versions(hub: TheHub, who: Who, name: Named) -> Response:
        hub.definitions.get(who.tenant, kind, name)
        return answer({"items": hub.definitions.versions(who.tenant, kind, name), "next": None})

    @router.post(
        f"/{plural}/{{name}}/choose",
        summary=f"Put another version of a {kind} in force",
        operation_id=f"choose_{kind}",
        responses=shapes.told(shapes.DEFINITION),
    )
    def choose(hub: TheHub, who: Who, name: Named, body: Choice) -> Response:
        return answer(hub.definitions.choose(who.tenant, kind, name, body.version))


for _plural, _kind in KINDS.items():
    _routes(_plural, _kind)
