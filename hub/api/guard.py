"""Who may call, what was asked before, and where a page begins."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import threading
from collections.abc import Callable, Mapping
from decimal import Decimal
from ipaddress import ip_address
from typing import Annotated, Any, ClassVar

import msgspec
import sqlalchemy as sa
from fastapi import Depends, Header, Path, Query, Request
from fastapi.responses import Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from hub.api.problems import Answered
from hub.bootstrap import Hub
from hub.core.errors import Conflict, Forbidden, Invalid
from hub.core.ids import digest
from hub.store import tables as t
from hub.store.work import insert_new


class Unauthenticated(Answered):
    """No token, or not the one that is set. A browser that wants to look is asked for it as a password."""

    code = "unauthenticated"
    status = 401
    headers: Mapping[str, str] = {"WWW-Authenticate": 'Basic realm="Shuniu: any name, the token as password", charset="UTF-8"'}


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Whose data is meant, and who asks."""

    tenant: str
    name: str


def hub_of(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


_BEARER = HTTPBearer(auto_error=False, description="SHUNIU_API_TOKEN; none is needed on this machine while none is set")


def caller(request: Request, _documented: Annotated[Any, Depends(_BEARER)] = None) -> Caller:
    """The caller: by token where one is set, else only from this machine. What it asks must be something the endpoint knows."""
    _refuse_unknown(request)
    hub = hub_of(request)
    token = hub.settings.api_token.get_secret_value()
    if token:
        given = _given(request.headers.get("authorization", ""), looking=request.method in ("GET", "HEAD"))
        if not hmac.compare_digest(given, token.encode()):
            raise Unauthenticated(
                happened="the token is missing or wrong", next="send Authorization: Bearer with the token that is set"
            )
        return Caller(tenant=hub.settings.tenant, name="api")
    client = request.client.host if request.client else ""
    if not _is_loopback(client):
        raise Forbidden(
            happened="only this machine may call the API while no token is set", next="set SHUNIU_API_TOKEN", client=client
        )
    return Caller(tenant=hub.settings.tenant, name="local")


def _refuse_unknown(request: Request) -> None:
    """A misspelt filter that is overlooked shows everything and says nothing."""
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    for name in request.query_params:
        if name not in known:
            raise Invalid(
                happened="the address asks for something that is not known here",
                next="use " + (", ".join(sorted(known)) or "no question mark"),
                asked=name[:64],
            )


def _given(authorization: str, *, looking: bool) -> bytes:
    """The token of a bearer; or a browser's password, which is enough for looking only: browsers send it by themselves."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode()
    if scheme.lower() == "basic" and looking:
        try:
            return base64.b64decode(rest, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


TheHub = Annotated[Hub, Depends(hub_of)]
Who = Annotated[Caller, Depends(caller)]
After = Annotated[int, Query(ge=0, le=2**53, description="The cursor `next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=500)]
AfterId = Annotated[str, Query(max_length=200, description="The cursor `next` of the page before")]
Id = Annotated[str, Path(min_length=1, max_length=200)]


def page(items: list[Any], limit: int, cursor: Callable[[Any], Any]) -> dict[str, Any]:
    """A page of a list; `next` is null on the last one. `items` holds up to one more than the limit."""
    more = len(items) > limit
    shown = items[:limit]
    return {"items": shown, "next": cursor(shown[-1]) if more else None}


def version_in(if_match: str | None) -> int | None:
    """The version that `If-Match` names."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid(happened="If-Match is not a version", next='send the ETag you were given, such as "42"')
    return int(text)


def _written_out(value: Any) -> Any:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError("a decimal is digits and at most one point, such as 1280.50")
    return value


class Body(BaseModel):
    """What a caller sends. A name that is not known is refused: a misspelt one would be overlooked."""

    model_config = ConfigDict(extra="forbid")


def _documented(places: int, sign: str = "", **least: float) -> Any:
    text = {"type": "string", "pattern": rf"^{sign}[0-9]{{1,{18 - places}}}(\.[0-9]{{1,{places}}})?$"}
    return WithJsonSchema({"anyOf": [text, {"type": "number", "maximum": 10 ** (18 - places) - 1} | least]})


_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_WRITTEN_OUT = BeforeValidator(_written_out)
# As text, so that nothing is lost on the way; a JSON number is taken too.
Quantity = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6), _WRITTEN_OUT, _documented(6, exclusiveMinimum=0)]
Amount = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=4), _WRITTEN_OUT, _documented(4, exclusiveMinimum=0)]
Difference = Annotated[Decimal, Field(max_digits=18, decimal_places=4), _WRITTEN_OUT, _documented(4, "-?", minimum=1 - 10**14)]

IfMatch = Annotated[
    str | None, Header(max_length=100, description="The ETag you were given; somebody else's change in between is a 412")
]


class Once:
    """Answers a write that comes again with the same `Idempotency-Key` as it was answered first."""

    # Two requests with one key come one after the other; two keys that share a lock only wait for each other.
    _locks: ClassVar[tuple[threading.Lock, ...]] = tuple(threading.Lock() for _ in range(64))

    def __init__(
        self,
        request: Request,
        hub: TheHub,
        who: Who,
        idempotency_key: Annotated[
            str | None,
            Header(
                min_length=1,
                max_length=128,
                pattern=r"^[ -~]+$",
                description="The same key with the same request is answered as it was answered first; nothing is done twice",
            ),
        ] = None,
    ) -> None:
        self._hub = hub
        self._who = who
        self._key = idempotency_key
        self._where = f"{request.method} {request.url.path}"

    def run(self, body: Any, act: Callable[[], Any], *, status: int = 200, secret: bool = False) -> Response:
        """Do it now, or give the answer of the first time. The same key with another request is refused.

        With `secret` the answer is kept sealed.
        """
        if self._key is None:
            return _response(status, msgspec.json.encode(act()).decode(), None)
        request = digest(msgspec.json.encode([self._where, body], order="deterministic"))
        with self._locks[hash((self._who.tenant, self._key)) % len(self._locks)]:
            known = self._known()
            if known is None:
                text = msgspec.json.encode(act()).decode()
                self._keep(request, status, self._sealed(text) if secret else text)
                return _response(status, text, None)
        if known.request != request:
            raise Conflict(happened="the Idempotency-Key was used for another request", next="use a new key for a new request")
        text = known.body
        if text.startswith(_SEALED):
            text = self._hub.seal.open(text.removeprefix(_SEALED), bound_to=self._bound_to())
        return _response(known.status, text, {"Idempotency-Replayed": "true"})

    def _sealed(self, text: str) -> str:
        return _SEALED + self._hub.seal.seal(text, bound_to=self._bound_to())

    def _bound_to(self) -> str:
        return f"{self._who.tenant}/idempotency/{self._key}"

    def _known(self) -> Any:
        i = t.idempotency.c
        with self._hub.store.read_transaction() as connection:
            return connection.execute(
                sa.select(i.request, i.status, i.body).where(i.tenant == self._who.tenant, i.key == self._key)
            ).first()

    def _keep(self, request: str, status: int, text: str) -> None:
        with self._hub.store.write_transaction() as connection:
            connection.execute(
                insert_new(connection, t.idempotency).values(
                    tenant=self._who.tenant, key=self._key, request=request, status=status, body=text, at=self._hub.clock.now()
                )
            )


_SEALED = "sealed:"  # no JSON begins so
OnlyOnce = Annotated[Once, Depends(Once)]


def _response(status: int, text: str, headers: dict[str, str] | None) -> Response:
    return Response(text, status_code=status, media_type="application/json", headers=headers)


def answer(body: Any, *, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """Any value of ours as JSON: decimals as strings, times in ISO 8601."""
    return _response(status, msgspec.json.encode(body).decode(), headers)
