"""Field maps, flows and policies as text: saved in versions, tried before they are saved, taken back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from hub.api.guard import OnlyOnce, TheHub, Who, answer
from hub.core.errors import Problem
from hub.parts.texts import check_text
from mappings import check_map, load_map

router = APIRouter(prefix="/api/v1", tags=["definitions"])

_KINDS: dict[str, Literal["map", "flow", "policy"]] = {"maps": "map", "flows": "flow", "policies": "policy"}
Plural = Literal["maps", "flows", "policies"]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")]


class Text(BaseModel):
    """A definition as its author writes it."""

    name: Name
    text: str = Field(min_length=1, max_length=200_000)


class Preview(BaseModel):
    """A map and what it is to be tried on."""

    text: str = Field(min_length=1, max_length=200_000)
    record: dict[str, Any] | None = None


class Choice(BaseModel):
    """The version to put in force."""

    version: int = Field(ge=1, le=1_000_000)


@router.post("/maps/preview", summary="Apply a map without saving it: the result, the trace of every field, what was not read")
def preview(hub: TheHub, who: Who, body: Preview) -> Response:
    field_map = load_map(body.text, file="preview.toml")
    told: dict[str, Any] = {"name": field_map.name, "target": field_map.target, "findings": check_map(field_map)}
    if body.record is not None:
        try:
            told["mapped"] = msgspec.to_builtins(field_map.apply(body.record, trace=True), str_keys=True)
        except Problem as problem:
            told["problem"] = problem.as_dict()
    return answer(told)


@router.get("/{kind}", summary="What is in force")
def in_force(hub: TheHub, who: Who, kind: Plural) -> Response:
    return answer({"items": hub.definitions.active(who.tenant, _KINDS[kind]), "next": None})


@router.post("/{kind}", summary="Save a version and put it in force", status_code=201)
def save(hub: TheHub, who: Who, once: OnlyOnce, kind: Plural, body: Text) -> Response:
    def act() -> Any:
        check_text(_KINDS[kind], body.name, body.text)
        return hub.definitions.save(who.tenant, _KINDS[kind], body.name, body.text, by=who.name)

    return once.run(body.model_dump(), act, status=201)


@router.get("/{kind}/{name}", summary="All versions of one, the newest first")
def versions(hub: TheHub, who: Who, kind: Plural, name: str) -> Response:
    hub.definitions.get(who.tenant, _KINDS[kind], name)
    return answer({"items": hub.definitions.versions(who.tenant, _KINDS[kind], name), "next": None})


@router.post("/{kind}/{name}/choose", summary="Put another version in force")
def choose(hub: TheHub, who: Who, kind: Plural, name: str, body: Choice) -> Response:
    return answer(hub.definitions.choose(who.tenant, _KINDS[kind], name, body.version))
