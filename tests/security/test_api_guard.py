"""Who may call the API, from where, and with how much: everything else is refused before it is understood."""

import base64
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request

from hub.api.guard import caller
from hub.core.errors import Forbidden

TOKEN = "the token of this test"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.conftest import Served

    served = Served(home=tmp_path_factory.mktemp("hub"), database_url="", bus_url="")
    yield served
    served.stop()


@pytest.fixture
def guarded(serve: Callable[..., Any], tmp_path: Path) -> Any:
    """A hub that has a token."""
    return serve(home=tmp_path, database_url="", bus_url="", api_token=TOKEN)


def is_a_problem(answer: httpx.Response, status: int) -> bool:
    told = answer.json()
    kind = answer.headers["content-type"] == "application/problem+json"
    return kind and answer.status_code == told["status"] == status and bool(told["title"] and told["next"])


def test_a_token_that_is_set_is_asked_for_everywhere(guarded: Any) -> None:
    """Without it, or with another one, every endpoint and the overview answer 401; health, metrics and the document do not hold secrets."""
    document = guarded.get("/openapi.json").json()

    for path, methods in document["paths"].items():
        for method in methods:
            if path.startswith("/api/"):
                address = guarded.url + re.sub(r"\{\w+\}", "x", path)
                assert is_a_problem(httpx.request(method, address, trust_env=False), 401), (method, path)
    assert is_a_problem(guarded.get("/"), 401)
    assert is_a_problem(guarded.get("/api/v1/books", headers={"Authorization": "Bearer another"}), 401)
    assert is_a_problem(guarded.get("/api/v1/books", headers={"Authorization": f"Bearer {TOKEN}x"}), 401)
    assert guarded.get("/api/v1/books", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert guarded.get("/healthz").status_code == 200


def test_a_browser_may_look_with_the_token_as_password_and_change_nothing(guarded: Any) -> None:
    """A browser sends its password by itself, also when another page makes it: so it is good for looking only."""
    password = {"Authorization": "Basic " + base64.b64encode(f"me:{TOKEN}".encode()).decode()}

    page, books = guarded.get("/", headers=password), guarded.get("/api/v1/books", headers=password)
    write = httpx.post(f"{guarded.url}/api/v1/parked/replay", json={}, headers=password, trust_env=False)
    broken = guarded.get("/", headers={"Authorization": "Basic %%%"})

    assert page.status_code == 200 and books.status_code == 200
    assert is_a_problem(write, 401)
    assert is_a_problem(broken, 401) and "Basic" in broken.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("client", "let_in"), [("127.0.0.1", True), ("::1", True), ("192.0.2.7", False), ("", False), ("loopback", False)]
)
def test_without_a_token_only_this_machine_may_call(hub: Any, client: str, let_in: bool) -> None:
    """The address of the connection decides, not what the caller says of itself."""

    class Route:
        dependant = type("Dependant", (), {"query_params": ()})

    app = type("App", (), {"state": type("State", (), {"hub": hub.hub})})
    headers = [(b"x-forwarded-for", b"127.0.0.1")]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers, "app": app, "route": Route}
    request = Request(scope | {"client": (client, 1)})

    if let_in:
        assert caller(request).tenant == "main"
    else:
        with pytest.raises(Forbidden):
            caller(request)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8700", "127.0.0.1.evil.example", "a.b", "[::1"])
def test_a_name_that_somebody_pointed_here_is_refused(hub: Any, host: str) -> None:
    """A page at a stranger's name that resolves to this machine reads nothing (DNS rebinding)."""
    answer = hub.get("/api/v1/connections", headers={"Host": host})

    assert answer.status_code in (400, 403)


@pytest.mark.parametrize("host", ["localhost", "localhost:8700", "hub.localhost", "127.0.0.1", "[::1]:8700", "192.0.2.1"])
def test_this_machines_own_names_are_known(hub: Any, host: str) -> None:
    """By number, or as localhost."""
    assert hub.get("/api/v1/connections", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[broken"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_origins_page_changes_nothing(hub: Any, headers: dict[str, str]) -> None:
    """A form that a stranger's page sends to this machine is refused, whatever it is for."""
    answer = httpx.post(f"{hub.url}/api/v1/connections/x/pause", headers=headers, trust_env=False)

    assert is_a_problem(answer, 403)


def test_the_hubs_own_page_may_write(hub: Any) -> None:
    """The documentation's own requests come from the hub's origin."""
    headers = {"Origin": hub.url, "Sec-Fetch-Site": "same-origin"}

    assert httpx.post(f"{hub.url}/api/v1/parked/replay", json={}, headers=headers, trust_env=False).status_code == 202


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"\xff\xfe{\x00}\x00", 422),
        ('{"connection": "a"}'.encode("utf-16"), 422),
        (b'{"connection": "a\\u0000b"}', 422),
        (b'{"connection": "\\ud800"}', 422),
        (b'{"connection": NaN}', 422),
        (b'{"connection": "a", "connection": "b"}', 422),
        (b'{"connection": ' + b"9" * 5000 + b"}", 422),
        (b"[" * 100_000, 422),
        (b"[]", 422),
        (b"null", 422),
        (b" " * (1024 * 1024 + 1), 413),
    ],
    ids=["cut", "not text", "UTF-16", "NUL", "half a pair", "NaN", "twice", "digits", "deep", "list", "null", "long"],
)
def test_a_body_that_is_none_is_refused(hub: Any, body: bytes, status: int) -> None:
    """Whatever the bytes are, the answer is a problem document that says what to correct."""
    answer = hub.api.post("/parked/replay", content=body, headers={"content-type": "application/json"})

    assert is_a_problem(answer, status)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "application/octet-stream"])
def test_a_body_of_another_kind_is_refused(hub: Any, kind: str) -> None:
    """JSON that does not say that it is JSON is what a stranger's form can send."""
    assert is_a_problem(hub.api.post("/parked/replay", content=b"{}", headers={"content-type": kind}), 415)


@pytest.mark.parametrize(
    "path", ["/events/%00", "/events/%ff", "/events?type=%00", "/events?subject=%ed%a0%80", "/receipts?after=%c3%28"]
)
def test_an_address_that_no_database_keeps_is_refused(hub: Any, path: str) -> None:
    """NUL and what is not UTF-8 go no further than the door."""
    assert is_a_problem(hub.api.get(path), 400)


@pytest.mark.parametrize(
    "path",
    [
        "/events?after=-1",
        "/events?after=9223372036854775808",
        "/events?limit=0",
        "/events?limit=501",
        "/events?after=1e3",
        "/events?tpye=x",
    ],
)
def test_a_page_that_is_none_is_refused(hub: Any, path: str) -> None:
    """A cursor out of range and a misspelt filter are told, not overlooked."""
    assert is_a_problem(hub.api.get(path), 422)


def test_a_body_without_end_is_cut_off(hub: Any) -> None:
    """A sender that never stops is answered after what is allowed, and the rest is not read into memory."""
    place = urlsplit(hub.url)
    head = b"POST /api/v1/parked/replay HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((place.hostname, place.port), timeout=20) as wire:
        wire.sendall(head)
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for _ in range(17):
            wire.sendall(chunk)
        answer = wire.recv(4096)

    assert answer.startswith(b"HTTP/1.1 413")


def test_a_file_beyond_the_limit_is_refused(hub: Any) -> None:
    """More than any bank exports is refused with its size, nothing of it is kept."""

    def form() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="large.csv"\r\n\r\n'
        for _ in range(65):
            yield os.urandom(1024) * 1024
        yield b"\r\n--b--\r\n"

    answer = hub.api.post("/statements", content=form(), headers={"content-type": "multipart/form-data; boundary=b"})

    assert is_a_problem(answer, 413)
    assert hub.api.get("/statements").json()["items"] == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b\\c.csv", "\u202egpj.csv", "x" * 300 + ".csv", "\u4e2d\u6587.csv"])
def test_a_files_name_is_only_a_name(hub: Any, name: str) -> None:
    """Folders, signs that turn the text round and endless names do not get into the hub."""
    from hub.files.limits import file_name

    kept = file_name(name)

    assert len(kept) <= 80 and kept.isprintable() and "/" not in kept and "\\" not in kept
    assert kept.endswith(name[-4:])


def test_answers_carry_what_browsers_must_know(hub: Any) -> None:
    """Nothing is guessed from an answer's bytes, framed, kept or sent on as a referrer."""
    for path in ("/api/v1/books", "/openapi.json", "/", "/docs", "/nowhere"):
        headers = hub.get(path).headers

        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        assert (
            "default-src 'none'" in headers["content-security-policy"]
            and "frame-ancestors 'none'" in headers["content-security-policy"]
        )
        assert headers["cache-control"] == "no-store"
