"""What every request must be before anything else looks at it: short enough, whole text, and not sent by a stranger's page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from hub.api.problems import problem
from hub.core.errors import Problem
from hub.files.limits import FILE_BYTES
from mappings import parse_json

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON_BYTES = 1024 * 1024
_FORM_BYTES = FILE_BYTES + 64 * 1024  # the file, and the form around it
_READS = ("GET", "HEAD", "OPTIONS")
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


class NotTaken(Problem):
    """A request that is refused before it is understood."""

    def __init__(self, status: int, code: str, *, happened: str, next: str) -> None:
        super().__init__(happened=happened, next=next)
        self.refused_with, self.refused_as = status, code


class TooLong(HTTPException):
    """A form that goes on beyond what any bank exports; raised while it is being read."""

    def __init__(self) -> None:
        super().__init__(413, f"the form is longer than {_FORM_BYTES >> 20} MiB")


class Wire:
    """An ASGI application around another. JSON arrives read exactly, as `request.state.json`.

    Text that a database cannot keep (NUL, half a surrogate pair) ends here with a problem document, whichever endpoint it
    was for. `public_host` is the name under which others reach the hub, `trusting` whether loopback alone is enough to call
    it: then a name that somebody else pointed at this machine is refused (DNS rebinding), and a write that a page of another
    origin sends is refused always.
    """

    def __init__(self, app: Any, *, public_host: str, trusting: bool) -> None:
        self._app = app
        self._public_host = public_host.lower()
        self._trusting = trusting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        send = _with_headers(send)
        try:
            self._check_sender(scope, headers)
            _check_address(scope)
            receive = await _taken(scope, headers, receive)
        except NotTaken as refused:
            await problem(refused.refused_with, refused.refused_as, refused.happened, refused.next)(scope, receive, send)
        except Problem as error:
            await problem(error.status, error.code, error.happened, error.next, about=error.about)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _check_sender(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "").lower()
        name = urlsplit(f"//{host}").hostname or "" if _is_netloc(host) else "?."
        stranger = "." in name and not _is_address(name) and not name.endswith(".localhost") and host != self._public_host
        if self._trusting and stranger:
            raise NotTaken(
                403, "forbidden", happened="this name is not the hub's", next="call it by its address, or set SHUNIU_PUBLIC_URL"
            )
        if scope["method"] in _READS:
            return
        origin = headers.get("origin")
        foreign = origin is not None and (urlsplit(origin).netloc if _is_netloc(origin) else "?").lower() not in (
            host,
            self._public_host,
        )
        if foreign or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise NotTaken(
                403,
                "forbidden",
                happened="a page of another origin sent this",
                next="send it from a program, or from the hub's own page",
            )


def _is_netloc(text: str) -> bool:
    try:
        urlsplit(text if "//" in text else f"//{text}")
    except ValueError:
        return False
    return True


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _check_address(scope: Scope) -> None:
    for part in (scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass"), scope["query_string"]):
        plain = unquote_to_bytes(part)
        try:
            plain.decode()
        except UnicodeDecodeError:
            plain = b"\0"
        if b"\0" in plain:
            raise NotTaken(400, "malformed", happened="the address is not UTF-8 text", next="encode it as UTF-8, without NUL")


async def _taken(scope: Scope, headers: Headers, receive: Receive) -> Receive:
    """The way on to read the body, whose length and text are known to be fit."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _FORMS[0]:
        return _counted(receive)
    body = await _body(headers, receive)
    scope.setdefault("state", {})["json"] = None
    if body:
        if kind == "application/json" or kind.endswith("+json"):
            scope["state"]["json"] = parse_json(body)
        elif kind not in _FORMS:
            raise NotTaken(
                415, "unsupported", happened="the body is not JSON", next="send it with Content-Type: application/json"
            )
    told = False

    async def again() -> MutableMapping[str, Any]:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _body(headers: Headers, receive: Receive) -> bytes:
    length = headers.get("content-length", "0")
    found = bytearray()
    more = not (length.isascii() and length.isdigit() and int(length[:19]) > JSON_BYTES)
    long = not more
    while more:
        message = await receive()
        found += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        if len(found) > JSON_BYTES:
            more, long = False, True
    if long:
        raise NotTaken(
            413,
            "too-large",
            happened=f"the body is over {JSON_BYTES >> 20} MiB",
            next="send less at once, or a file to /statements",
        )
    return bytes(found)


def _counted(receive: Receive) -> Receive:
    seen = 0

    async def count() -> MutableMapping[str, Any]:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > _FORM_BYTES:
            raise TooLong
        return message

    return count


def _with_headers(send: Send) -> Send:
    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message.get("headers", ())}
            more = [(name, value) for name, value in _HEADERS.items() if name not in given]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return sent
