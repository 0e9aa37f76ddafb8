"""The HTTP client against real servers on loopback."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import respx

from hub.core.errors import (
    EgressRefused,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    Unreachable,
    VendorFault,
    VendorProblem,
)
from hub.core.manifest import Limit
from hub.egress import Egress
from hub.http import Call, HttpClient, HttpClients, Timeouts
from hub.throttle import Breaker, retry_after

LOOPBACK = Egress(allow=("127.0.0.0/8",))


class StillClock:
    """A clock that moves only when somebody sleeps or a test says so."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


Respond = Callable[[BaseHTTPRequestHandler], None]


class Vendor:
    """A server on loopback that answers as the test says and keeps what it was sent."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.respond: Respond = lambda request: answer(request, 200, b"ok")
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                vendor.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                vendor.respond(self)

            do_POST = do_PUT = do_GET

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def answer(request: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    server = Vendor()
    yield server
    server.stop()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def client(clock: StillClock) -> Iterator[HttpClient]:
    made = HttpClient(connection="crm-main", egress=LOOPBACK, clock=clock)
    yield made
    made.close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_answer_comes_back_with_its_status_headers_and_body(vendor: Vendor, client: HttpClient) -> None:
    """Any status is an answer, and header names are lower case."""
    vendor.respond = lambda request: answer(request, 418, "茶".encode(), X_Kind="pot")

    got = client.request("post", f"{vendor.url}/a?x=1", params=[("y", "2"), ("y", "三")], content=b"body")

    assert (got.status, got.body, got.headers["x-kind"]) == (418, "茶".encode(), "pot")
    method, path, _, body = vendor.seen[0]
    assert (method, path, body) == ("POST", "/a?x=1&y=2&y=%E4%B8%89", b"body")


def test_headers_and_bytes_go_out_as_given(vendor: Vendor, client: HttpClient) -> None:
    """A signed request is not touched: no content type, date or cookie is added, and the body is sent byte for byte."""
    vendor.respond = lambda request: answer(request, 200, b"", Set_Cookie="a=b; Path=/")

    client.request("POST", vendor.url, headers={"Accept": "*/*"}, content=b"\x00\xff")
    client.request("GET", vendor.url, headers={"Accept": "*/*"})

    _, _, first, body = vendor.seen[0]
    assert body == b"\x00\xff"
    assert first["accept"] == "*/*"
    assert {"content-type", "date"}.isdisjoint(first)
    assert "cookie" not in vendor.seen[1][2]


def test_what_did_not_go_out_is_tried_again_and_then_unreachable(client: HttpClient, clock: StillClock) -> None:
    """A refused connection is tried three times, even for a write, because nothing was sent."""
    with pytest.raises(Unreachable) as raised:
        client.request("POST", f"http://127.0.0.1:{closed_port()}/x", content=b"1")

    assert len(clock.slept) == 2
    assert raised.value.about["connection"] == "crm-main"


def test_a_write_without_an_answer_is_unknown_and_not_repeated(vendor: Vendor, client: HttpClient) -> None:
    """The vendor may have done it, so it is sent once."""
    vendor.respond = hang_up

    with pytest.raises(OutcomeUnknown):
        client.request("POST", vendor.url, content=b"1")

    assert len(vendor.seen) == 1


def test_a_read_without_an_answer_is_repeated_and_then_the_vendors_fault(vendor: Vendor, client: HttpClient) -> None:
    """What changes nothing at the vendor may be asked again."""
    vendor.respond = hang_up

    with pytest.raises(VendorFault):
        client.request("GET", vendor.url, sent_unless_answered=False)

    assert len(vendor.seen) == 3


def test_a_read_that_answers_the_second_time_succeeds(vendor: Vendor, client: HttpClient) -> None:
    """A passing fault is not shown to the caller of a read."""

    def respond(request: BaseHTTPRequestHandler) -> None:
        hang_up(request) if len(vendor.seen) == 1 else answer(request, 200, b"there")

    vendor.respond = respond

    assert client.request("GET", vendor.url, sent_unless_answered=False).body == b"there"


def test_a_silent_vendor_runs_into_the_read_time_out(vendor: Vendor, clock: StillClock) -> None:
    """Every request has a time-out."""
    done = threading.Event()
    vendor.respond = lambda request: (done.wait(5), hang_up(request))[1]
    client = HttpClient(connection="c", egress=LOOPBACK, clock=clock, timeouts=Timeouts(read=0.05))

    with pytest.raises(OutcomeUnknown):
        client.request("POST", vendor.url, content=b"")

    done.set()
    client.close()


def test_a_trickle_ends_at_the_total_time(vendor: Vendor, clock: StillClock) -> None:
    """A vendor that sends a byte now and then does not hold a worker for ever."""

    def respond(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        try:
            for _ in range(1000):
                request.wfile.write(b".")
                request.wfile.flush()
                time.sleep(0.005)
        except OSError:
            request.close_connection = True

    vendor.respond = respond
    client = HttpClient(connection="c", egress=LOOPBACK, clock=clock, timeouts=Timeouts(total=0.05), attempts=1)

    with pytest.raises(VendorFault, match="took longer"):
        client.request("GET", vendor.url, sent_unless_answered=False)

    client.close()


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_over_the_limit_is_not_read_on(vendor: Vendor, clock: StillClock, packed: bool) -> None:
    """The limit counts unpacked bytes, so a packed bomb stops there as well."""
    body = b"0" * 2_000_000
    vendor.respond = lambda request: (
        answer(request, 200, gzip.compress(body), Content_Encoding="gzip") if packed else answer(request, 200, body)
    )
    client = HttpClient(connection="c", egress=LOOPBACK, clock=clock, max_bytes=100_000)

    with pytest.raises(OutcomeUnknown, match="larger than 100000 bytes"):
        client.request("POST", vendor.url, content=b"")

    client.close()


def test_a_broken_packing_is_a_lost_answer(vendor: Vendor, client: HttpClient) -> None:
    """An answer that says gzip and is not is the vendor's fault, never ours."""
    vendor.respond = lambda request: answer(request, 200, b"not gzip", Content_Encoding="gzip")

    with pytest.raises(VendorFault):
        client.request("GET", vendor.url, sent_unless_answered=False)


@pytest.mark.parametrize("asked", [(429, "7", 7.0), (503, "Fri, 02 Jan 2026 03:05:05 GMT", 60.0)])
def test_retry_after_is_obeyed(vendor: Vendor, client: HttpClient, clock: StillClock, asked: tuple[int, str, float]) -> None:
    """The vendor's wait is raised, and until it is over nothing more goes out."""
    status, value, after = asked
    vendor.respond = lambda request: answer(request, status, b"", Retry_After=value)

    with pytest.raises(RateLimited) as raised:
        client.request("GET", vendor.url)
    with pytest.raises(RateLimited):
        client.request("GET", vendor.url)

    assert raised.value.after == after
    assert len(vendor.seen) == 1
    vendor.respond = lambda request: answer(request, 200, b"")
    clock.at += timedelta(seconds=after)
    assert client.request("GET", vendor.url).status == 200


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("9" * 30, 86_400.0),
        ("-5", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Fri, 02 Jan 2026 03:04:15 GMT", 10.0),
        ("Fri, 02 Jan 2026 03:04:15 -0000", 10.0),
        ("Fri, 02 Jan 2015 03:04:15 GMT", 0.0),
        ("Fri, 99 Jan 2026 03:04:15 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, seconds: float | None) -> None:
    """Seconds and HTTP dates are read; anything else counts as not said."""
    assert retry_after(value, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == seconds


def test_calls_within_the_limit_go_and_the_rest_wait_or_are_given_back(vendor: Vendor, clock: StillClock) -> None:
    """A short wait is slept, a long one is raised with its time, and no window ever holds more than the limit."""
    short = HttpClient(connection="c", egress=LOOPBACK, clock=clock, limits=(Limit(calls=2, seconds=1.0),))
    long = HttpClient(connection="c", egress=LOOPBACK, clock=clock, limits=(Limit(calls=2, seconds=60.0),))

    for _ in range(5):
        short.request("GET", vendor.url)
    for _ in range(2):
        long.request("GET", vendor.url)
    with pytest.raises(RateLimited) as raised:
        long.request("GET", vendor.url)

    assert clock.slept == [1.0, 1.0]
    assert raised.value.after == 60.0
    short.close()
    long.close()


def test_the_breaker_opens_rests_tries_once_and_closes(
    vendor: Vendor, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Five failures in a row stop the calls; after the rest one trial decides. One log line each way."""
    client = HttpClient(connection="c", egress=LOOPBACK, clock=clock)
    vendor.respond = lambda request: answer(request, 500, b"")

    for _ in range(5):
        assert client.request("GET", vendor.url).status == 500
    with pytest.raises(Unreachable, match="paused after 5 failures"):
        client.request("GET", vendor.url)
    assert (client.state, len(vendor.seen)) == ("open", 5)

    clock.at += timedelta(seconds=30)
    assert client.state == "half-open"
    client.request("GET", vendor.url)
    assert client.state == "open"

    clock.at += timedelta(seconds=30)
    vendor.respond = lambda request: answer(request, 404, b"")
    client.request("GET", vendor.url)
    assert client.state == "closed"
    assert [record.getMessage() for record in caplog.records if record.name == "hub.http"] == [
        "calls are paused",
        "calls go out again",
    ]
    client.close()


def test_only_one_trial_goes_out_at_a_time(clock: StillClock) -> None:
    """While the trial is under way, others are still held back."""
    breaker = Breaker(clock, connection="c", failures=1, rest=10)
    breaker.enter()
    breaker.leave(False)
    clock.at += timedelta(seconds=10)

    breaker.enter()

    with pytest.raises(Unreachable):
        breaker.enter()
    breaker.leave(None)
    breaker.enter()


def test_redirects_are_answers_unless_allowed(vendor: Vendor, client: HttpClient) -> None:
    """Without leave a redirect is handed back, not followed."""
    vendor.respond = lambda request: answer(request, 302, b"", Location="/elsewhere")

    assert client.request("GET", vendor.url).status == 302
    assert len(vendor.seen) == 1


def test_an_allowed_redirect_is_followed_and_secrets_stay_with_their_origin(vendor: Vendor, clock: StillClock) -> None:
    """A hop to another origin carries neither the authorisation nor the body of a 302."""
    other = Vendor()
    vendor.respond = lambda request: answer(request, 302, b"", Location=f"{other.url}/next")
    client = HttpClient(connection="c", egress=LOOPBACK, clock=clock, redirects=1)

    got = client.request("POST", vendor.url, headers={"Authorization": "Bearer abcdef", "X-Plain": "1"}, content=b"body")

    assert got.body == b"ok"
    method, path, headers, body = other.seen[0]
    assert (method, path, body, headers["x-plain"]) == ("GET", "/next", b"", "1")
    assert "authorization" not in headers
    client.close()
    other.stop()


def test_a_307_keeps_method_and_body(vendor: Vendor, clock: StillClock) -> None:
    """Only 307 and 308 repeat the request as it was."""
    vendor.respond = lambda request: (
        answer(request, 307, b"", Location="/there") if len(vendor.seen) == 1 else answer(request, 200, b"done")
    )
    client = HttpClient(connection="c", egress=LOOPBACK, clock=clock, redirects=3)

    client.request("POST", vendor.url, headers={"Authorization": "Bearer abcdef"}, content=b"body")

    method, path, headers, body = vendor.seen[1]
    assert (method, path, headers["authorization"], body) == ("POST", "/there", "Bearer abcdef", b"body")
    client.close()


def test_a_redirect_to_a_refused_address_is_refused(vendor: Vendor, clock: StillClock) -> None:
    """Each hop passes the guard again."""
    vendor.respond = lambda request: answer(request, 302, b"", Location="http://169.254.169.254/latest/meta-data/")
    client = HttpClient(connection="c", egress=LOOPBACK, clock=clock, redirects=3)

    with pytest.raises(EgressRefused):
        client.request("GET", vendor.url)

    client.close()


@pytest.mark.parametrize("place", ["ftp://x/", "data:,x", "javascript:1"])
def test_a_redirect_to_no_web_address_is_the_vendors_fault(vendor: Vendor, clock: StillClock, place: str) -> None:
    """Only http and https are followed."""
    vendor.respond = lambda request: answer(request, 302, b"", Location=place)
    client = HttpClient(connection="c", egress=LOOPBACK, clock=clock, redirects=3)

    with pytest.raises(VendorFault):
        client.request("GET", vendor.url)

    client.close()


@pytest.mark.parametrize("url", ["", "ftp://x/y", "no scheme", "http://", "file:///etc/passwd", "http://[::1", "http://a\x00b/"])
def test_an_address_that_is_none_is_a_setting_to_correct(client: HttpClient, url: str) -> None:
    """A broken address is told as such, with the address masked."""
    with pytest.raises((Misconfigured, Unreachable)):
        client.request("GET", url)


def test_a_header_that_breaks_the_line_is_refused(vendor: Vendor, client: HttpClient) -> None:
    """A value with a line break cannot smuggle a header."""
    with pytest.raises(Misconfigured):
        client.request("GET", vendor.url, headers={"X-A": "1\r\nX-B: 2"})


def test_no_secret_of_an_address_is_in_the_error() -> None:
    """Users, secret parameters and secret path parts are masked in what is raised."""
    client = HttpClient(connection="c", clock=StillClock(), secrets=("hook-secret-1",))
    url = "http://user:pass@127.0.0.1/hook-secret-1?key=K1&access_token=T1&sig=S1&corpsecret=C1&X-Amz-Signature=A1&page=2"

    with pytest.raises(EgressRefused) as refused:
        client.request("GET", url)
    with pytest.raises(VendorProblem) as masked:
        HttpClient(connection="c", clock=StillClock(), secrets=("hook-secret-1",), egress=LOOPBACK).request(
            "GET", url.replace("127.0.0.1", f"127.0.0.1:{closed_port()}")
        )

    text = f"{refused.value}{refused.value.about}{masked.value}{masked.value.about}"
    for secret in ("pass", "hook-secret-1", "K1", "T1", "S1", "C1", "A1"):
        assert secret not in text
    assert "page=2" in str(masked.value)


def test_every_attempt_is_told_to_the_observer(vendor: Vendor, clock: StillClock) -> None:
    """Metrics see status or code, the host and the time, never the address."""
    calls: list[Call] = []
    client = HttpClient(connection="c", egress=LOOPBACK, clock=clock, observe=calls.append)

    client.request("GET", vendor.url)
    with pytest.raises(Unreachable):
        client.request("GET", f"http://127.0.0.1:{closed_port()}")

    assert [(call.status, call.code) for call in calls] == [(200, None), *[(None, "unreachable")] * 3]
    client.close()


def test_environment_proxies_are_not_used(vendor: Vendor, clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment would see every secret and step around the guard."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    client = HttpClient(connection="c", egress=LOOPBACK, clock=clock)

    assert client.request("GET", vendor.url).status == 200
    client.close()


def test_a_connection_has_one_client_until_its_settings_change(vendor: Vendor, clock: StillClock) -> None:
    """Limits are shared by everything that uses the connection."""
    clients = HttpClients(clock=clock)
    limits = (Limit(calls=1, seconds=60),)

    clients.of("t", "crm", egress=LOOPBACK, limits=limits).request("GET", vendor.url)
    with pytest.raises(RateLimited):
        clients.of("t", "crm", egress=LOOPBACK, limits=limits).request("GET", vendor.url)

    assert clients.of("t2", "crm", egress=LOOPBACK, limits=limits).request("GET", vendor.url).status == 200
    assert clients.of("t", "crm", egress=LOOPBACK).request("GET", vendor.url).status == 200
    assert clients.states() == {("t", "crm"): "closed", ("t2", "crm"): "closed"}
    clients.close()


@respx.mock
def test_connectors_tests_can_stand_in_for_the_network(client: HttpClient) -> None:
    """respx sits above the guard, so that client tests need no server."""
    respx.get("https://vendor.example/x").mock(return_value=httpx.Response(200, text="hello"))

    assert client.request("GET", "https://vendor.example/x").body == b"hello"
