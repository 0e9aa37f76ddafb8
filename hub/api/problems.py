"""Errors as problem documents (RFC 9457): what happened, to what, what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, OperationalError
from starlette.exceptions import HTTPException

from hub.core.errors import Problem, RateLimited, TooMany, Unavailable

log = structlog.get_logger("api")

MEDIA_TYPE = "application/problem+json"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "next"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "what happened"},
        "status": {"type": "integer"},
        "next": {"type": "string", "description": "what to do next"},
        "about": {"type": "object", "additionalProperties": {"type": "string"}, "description": "to what"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused, as a problem document (RFC 9457)", "content": {MEDIA_TYPE: {"schema": SCHEMA}}},
    "5XX": {"description": "Not possible, as a problem document (RFC 9457)", "content": {MEDIA_TYPE: {"schema": SCHEMA}}},
}

_NEXT = {
    404: "look at /openapi.json for what there is",
    405: "use one of the methods in Allow",
    413: "send less at once",
}


def problem(status: int, code: str, title: str, next_: str, **more: Any) -> JSONResponse:
    """A problem document as an answer."""
    headers: Mapping[str, str] = more.pop("headers", {})
    body = {"type": f"urn:shuniu:{code}", "title": title, "status": status, "next": next_} | more
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers))


class Answered(Problem):
    """A problem whose answer has headers of its own."""

    headers: Mapping[str, str] = {}


def install(app: FastAPI) -> None:
    """Let every error leave as a problem document."""

    @app.exception_handler(Problem)
    def ours(_request: Request, error: Problem) -> JSONResponse:
        headers = dict(error.headers) if isinstance(error, Answered) else {}
        if isinstance(error, RateLimited | TooMany):
            headers["Retry-After"] = str(max(1, round(error.after)))
        elif isinstance(error, Unavailable):
            headers["Retry-After"] = "5"
        if error.status >= 500:
            log.warning("api.problem", code=error.code, happened=error.happened)
        return problem(error.status, error.code, error.happened, error.next, about=error.about, headers=headers)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        found = [{"at": "/".join(str(part) for part in one["loc"]), "says": one["msg"]} for one in error.errors()]
        return problem(422, "invalid", "the request cannot be read", "correct the named fields", errors=found)

    @app.exception_handler(HTTPException)
    def http(_request: Request, error: HTTPException) -> JSONResponse:
        next_ = _NEXT.get(error.status_code, "correct the request")
        return problem(error.status_code, f"http-{error.status_code}", str(error.detail), next_, headers=error.headers or {})

    @app.exception_handler(DBAPIError)
    def database(_request: Request, error: DBAPIError) -> JSONResponse:
        if isinstance(error, OperationalError) or error.connection_invalidated:
            return problem(
                503, "unavailable", "the database does not answer", "send it again in a moment", headers={"Retry-After": "5"}
            )
        log.error("api.database", why=type(error.orig).__name__)
        return problem(500, "defect", "the hub stumbled", "tell whoever runs the hub; the log has the details")

    @app.exception_handler(Exception)
    def defect(_request: Request, error: Exception) -> JSONResponse:
        log.exception("api.defect", exc_info=error)
        return problem(500, "defect", "the hub stumbled", "tell whoever runs the hub; the log has the details")
