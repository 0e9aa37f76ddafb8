"""Nothing that is forged, altered, old, doubled, oversized or dressed up comes through the door, whatever the style of signature."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import keys
from hub.core.connector import Accepted, Delivery, Reply
from hub.core.errors import Misconfigured, TooLarge
from hub.core.event import Raw
from hub.core.signing import Verifier, read_verifier
from webhooks.receiving import Door, Hook, Limits, Quarantine, Quarantined, make_door
from webhooks.receiving.limits import check_depth

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "unit" / "test_signing_vectors.json").read_text(encoding="utf-8")
)
BY_CASE = {vector["case"]: vector for vector in VECTORS}


def only(vectors: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=lambda vector: str(vector["case"]))


def verifier_of(vector: dict[str, Any]) -> Verifier:
    return read_verifier(vector["style"])


EVERY = only(VECTORS)
COVERING = only([vector for vector in VECTORS if verifier_of(vector).covers_body])
TIMED = only([vector for vector in VECTORS if verifier_of(vector).tolerance and verifier_of(vector).timestamp])
SIGNED_IN_HEADER = only([vector for vector in VECTORS if verifier_of(vector).signature.startswith("header:")])


class SetClock:
    def __init__(self, now: float) -> None:
        self.at = datetime.fromtimestamp(now, UTC)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Kind(msgspec.Struct, frozen=True):
    kind: str


class Answered(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        return document


class Hub:
    """A door with one hook of one style, a store in memory, and what ended up where."""

    def __init__(
        self, vector: dict[str, Any], *, secrets: Sequence[str] | None = None, limits: Limits | None = None, **more: Any
    ) -> None:
        self.vector = vector
        self.verifier = verifier_of(vector)
        self.secrets = [vector["secret"]] if secrets is None else secrets
        self.clock = SetClock(vector["now"])
        self.raws: dict[str, Raw] = {}
        self.submitted = 0
        self.apart: list[Quarantined] = []
        self.down: Exception | None = None
        self.hook = Hook(
            tenant="acme", connection="x", url=vector["url"], receive=self.receive, limits=limits or Limits(), **more
        )
        self.door: Door = make_door(
            find={"x": self.hook, "acme/x": self.hook}.get, submit=self.submit, quarantine=self.apart.append, clock=self.clock
        )

    def receive(self, delivery: Delivery) -> Accepted:
        if delivery.method == "GET":
            return Accepted(reply=Reply(body=(delivery.parameter("echostr") or "").encode()))
        verified = keys.verify(self.verifier, delivery, self.secrets, self.clock.now())
        raw = Raw(stream="events", key=verified.once, body=delivery.body)
        return Accepted(raws=(raw,), reply=Reply(body=b"success"), secret=verified.secret)

    async def submit(self, raws: list[Raw]) -> list[Kind]:
        if self.down is not None:
            raise self.down
        self.submitted += len(raws)
        kinds = []
        for raw in raws:
            known = self.raws.setdefault(raw.key, raw)
            kinds.append(Kind("new" if known is raw else "duplicate" if known.digest == raw.digest else "conflict"))
        return kinds

    def send(self, **changed: Any) -> Answered:
        """The vector's request, changed, through the door."""
        request = self.vector | changed
        body = request["body"]
        chunks = request.get("chunks") or [body if isinstance(body, bytes) else body.encode()]
        headers = [(name.lower(), value) for name, value in request["headers"].items()] + request.get("more", [])
        return call(
            self.door,
            method=request["method"],
            path=request.get("path", "/hooks/x"),
            query=request["query"],
            headers=headers,
            chunks=chunks,
        )

    def refused(self, answered: Answered, *statuses: int) -> str:
        """Nothing was submitted, the answer is a bare problem document, and the quarantine says why."""
        assert self.submitted == 0
        assert answered.status in statuses, answered
        answered.problem()
        (item,) = self.apart
        assert item.reason["happened"]
        assert item.reason["next"]
        told = str(item.reason) + answered.body.decode()
        assert all(secret not in told for secret in self.secrets if len(secret) > 8)
        return str(item.reason["code"])


def call(
    app: Any, *, method: str, path: str, query: str, headers: list[tuple[str, str]], chunks: list[bytes], hang: bool = False
) -> Answered:
    """One request to an ASGI application, byte for byte as given."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": ("203.0.113.7", 4711),
        "root_path": "",
    }
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": hang or place < len(chunks)} for place, chunk in enumerate(chunks, 1)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            if hang:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}
        return waiting.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    if not sent:
        return Answered(0, {}, b"")
    start, body = sent
    return Answered(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"])


# --- what comes in -----------------------------------------------------------------------------------------------


@EVERY
def test_a_true_delivery_is_stored_and_a_replay_changes_nothing(vector: dict[str, Any]) -> None:
    """The vendor's own request is stored once, and answered the same when it comes again."""
    hub = Hub(vector)

    first, again = hub.send(), hub.send()

    assert (first.status, first.body) == (200, b"success")
    assert first == again
    assert len(hub.raws) == 1
    assert not hub.apart
    assert hub.door.counts == {("acme", "x", "new"): 1, ("acme", "x", "duplicate"): 1}


@EVERY
def test_a_packed_body_is_verified_unpacked(vector: dict[str, Any]) -> None:
    """gzip, deflate and bare deflate are content codings: the signature is over what they unpack to."""
    plain: bytes = vector["body"].encode()
    bare = zlib.compressobj(wbits=-15)
    for coding, packed in (
        ("gzip", gzip.compress(plain)),
        ("deflate", zlib.compress(plain)),
        ("Deflate", bare.compress(plain) + bare.flush()),
    ):
        hub = Hub(vector)
        assert hub.send(body=packed, more=[("content-encoding", coding)]).status == 200
        assert next(iter(hub.raws.values())).body == plain


def test_the_raw_is_stamped_with_its_tenant_and_connection() -> None:
    """What is submitted names where it came from and when, whatever the delivery says, under both forms of address."""
    hub = Hub(BY_CASE["github"])

    assert hub.send(path="/hooks/acme/x").status == 200

    (raw,) = hub.raws.values()
    assert (raw.tenant, raw.connection, raw.door, raw.received_at) == ("acme", "x", "webhook", hub.clock.now())
    assert raw.id.startswith("raw_")


# --- what does not -----------------------------------------------------------------------------------------------


@EVERY
def test_a_forgery_is_refused(vector: dict[str, Any]) -> None:
    """Signed with a secret that is not ours."""
    hub = Hub(vector, secrets=["another secret entirely"])

    assert hub.refused(hub.send(), 401) == "signature-refused"
    assert hub.apart[0].verdict == "refused"


@SIGNED_IN_HEADER
def test_an_unsigned_delivery_is_refused(vector: dict[str, Any]) -> None:
    """Without the signature's header."""
    hub = Hub(vector)
    place = hub.verifier.signature.removeprefix("header:").lower()
    kept = {name: value for name, value in vector["headers"].items() if not name.startswith(place)}

    assert hub.refused(hub.send(headers=kept), 401) == "signature-refused"


@COVERING
@pytest.mark.parametrize("change", ["flipped", "newline", "empty", "longer"])
def test_an_altered_delivery_is_refused(vector: dict[str, Any], change: str) -> None:
    """A byte flipped, a newline after it, nothing left of it, or something added."""
    body: bytes = vector["body"].encode()
    altered = {
        "flipped": body[:-2] + bytes([body[-2] ^ 1]) + body[-1:],
        "newline": body + b"\n",
        "empty": b"",
        "longer": body + b" " * 1000,
    }
    hub = Hub(vector)

    assert hub.refused(hub.send(body=altered[change]), 401) == "signature-refused"


@TIMED
@pytest.mark.parametrize("drift", [-301, 301, 86_400 * 365])
def test_a_stale_delivery_is_refused(vector: dict[str, Any], drift: int) -> None:
    """Truly signed, but too long ago or ahead of our clock."""
    hub = Hub(vector)
    hub.clock.sleep(drift)

    assert hub.refused(hub.send(), 401) == "stale"


@EVERY
def test_a_replay_under_another_unsigned_id_is_the_same_delivery(vector: dict[str, Any]) -> None:
    """Whoever saw one delivery cannot make a second fact of it by changing what the signature does not cover."""
    verifier = verifier_of(vector)
    hub = Hub(vector)
    hub.send()
    free = [place.removeprefix("header:").lower() for place in (verifier.id, verifier.nonce) if place.startswith("header:")]
    changed = {
        name: "another" if name in free and verifier.algorithm != "token" else value for name, value in vector["headers"].items()
    }

    hub.send(headers=changed)

    assert len(hub.raws) == 1


@EVERY
def test_an_oversized_body_is_refused(vector: dict[str, Any]) -> None:
    """One byte over the limit, in one piece, in many, or only announced."""
    big = b"x" * (1024 * 1024 + 1)
    for changed in (
        {"body": big},
        {"chunks": [big[place : place + 65536] for place in range(0, len(big), 65536)]},
        {"more": [("content-length", str(len(big)))]},
        {"more": [("content-length", "9" * 18)]},
    ):
        hub = Hub(vector)
        assert hub.refused(hub.send(**changed), 413) == "too-large"


@EVERY
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 65,
        b" " * 100 + b"[" * 65,
        b"\xef\xbb\xbf" + b"[{" * 33,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b" \n" + b"[{}," * 500_000 + b"[" * 65,
        b'{"a":' * 200_000,
    ],
)
def test_a_deeply_nested_body_is_refused(vector: dict[str, Any], body: bytes) -> None:
    """Nesting is counted before any parser sees it."""
    hub = Hub(vector, limits=Limits(body_bytes=4 * 1024 * 1024))

    assert hub.refused(hub.send(body=body), 413) == "too-large"


@EVERY
@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json; charset=gb18030", '{"名":"合同"}'.encode("gb18030"), 415),
        ('application/json;charset="UTF-16"', '{"a":1}'.encode("utf-16"), 415),
        ("application/json; charset=utf-8", '{"名":"合同"}'.encode("gb18030"), 400),
        ("application/json", b'{"a":"\xff"}', 400),
        ("application/vnd.x+json", b'{"a":"\xc0\xaf"}', 400),
        ("text/xml; charset=utf-7", b"<a/>", 415),
    ],
)
def test_another_charset_is_refused(vector: dict[str, Any], content_type: str, body: bytes, status: int) -> None:
    """What is declared must be allowed, and must be true."""
    hub = Hub(vector)
    headers = vector["headers"] | {"content-type": content_type}

    assert hub.refused(hub.send(headers=headers, body=body), status) in ("unsupported", "malformed")


@EVERY
def test_a_zip_bomb_is_refused_without_unpacking_it(vector: dict[str, Any]) -> None:
    """200 MB of nothing in 200 kB: refused after the limit's worth, and so is a bomb of many small steps."""
    for bomb in (BOMB, gzip.compress(b"[" * 900_000), gzip.compress(BOMB)):
        hub = Hub(vector)
        tracemalloc.start()
        code = hub.refused(hub.send(body=bomb, more=[("content-encoding", "gzip")]), 401, 413)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert code in ("too-large", "signature-refused", "malformed")
        assert peak < 8 * 1024 * 1024


BOMB = gzip.compress(bytes(200 * 1024 * 1024), compresslevel=1)


@EVERY
@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", b"not packed"),
        ("gzip", gzip.compress(b'{"a":1}')[:-4]),
        ("gzip", gzip.compress(b'{"a":1}') + b"more"),
        ("gzip", gzip.compress(b"{}") + gzip.compress(b"{}")),
        ("deflate", b""),
        ("br", b"x"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}"))),
    ],
    ids=["not packed", "cut off", "more after it", "two in one", "empty", "unknown coding", "packed twice"],
)
def test_a_packing_that_lies_is_refused(vector: dict[str, Any], coding: str, body: bytes) -> None:
    """Not packed, cut off, followed by something, packed twice or in a way we do not take."""
    hub = Hub(vector)

    assert hub.refused(hub.send(body=body, more=[("content-encoding", coding)]), 400, 415) in ("malformed", "unsupported")


@SIGNED_IN_HEADER
def test_a_doubled_header_is_refused(vector: dict[str, Any]) -> None:
    """The signature's header twice, even with the same value, is malformed; so are two content types or codings."""
    name, value = next(
        (name, value) for name, value in vector["headers"].items() if name.startswith(verifier_of(vector).signature[7:].lower())
    )
    for more in ([(name, value)], [("content-type", "a/b"), ("content-type", "a/b")], [("content-encoding", "")] * 2):
        hub = Hub(vector)
        assert hub.refused(hub.send(more=more), 400) == "malformed"


@EVERY
def test_too_many_headers_are_refused(vector: dict[str, Any]) -> None:
    """A hundred is enough for anybody, and 32 kB of them."""
    for more in ([(f"x-{place}", "1") for place in range(101)], [("x-long", "a" * 40_000)]):
        hub = Hub(vector)
        assert hub.refused(hub.send(more=more), 431) == "too-large"


@EVERY
def test_a_query_that_cannot_be_decoded_is_refused(vector: dict[str, Any]) -> None:
    """Broken UTF-8, hundreds of parameters, or too long a query."""
    for query in ("a=%ff", "&".join(["a=1"] * 300), "a=" + "x" * 9000):
        hub = Hub(vector)
        assert hub.refused(hub.send(query=query), 400, 413) in ("malformed", "too-large")


@EVERY
def test_without_a_secret_a_delivery_is_kept_apart(vector: dict[str, Any]) -> None:
    """Never processed; answered like a forgery, or with 2xx where the connection wants that."""
    for status in (401, 202):
        hub = Hub(vector, secrets=[], unverified_status=status)

        answered = hub.send()

        assert answered.status == status
        assert hub.submitted == 0
        assert [(item.verdict, item.reason["code"]) for item in hub.apart] == [("unverified", "no-secret-set")]
        assert hub.apart[0].body == vector["body"].encode()


def test_all_refusals_look_alike_from_outside() -> None:
    """Wrong, missing, old and unchecked signatures give the same bytes, so that a stranger learns nothing by trying."""
    vector = BY_CASE["standard"]
    late = Hub(vector)
    late.clock.sleep(1000)

    answers = [
        Hub(vector, secrets=["wrong"]).send(),
        Hub(vector).send(headers={}),
        late.send(),
        Hub(vector, secrets=[]).send(),
        Hub(vector, sources=("198.51.100.0/24",)).send(),
    ]

    assert all(answer == answers[0] for answer in answers)
    assert answers[0].status == 401


def test_an_unknown_hook_looks_like_no_hook() -> None:
    """A 404 problem for whatever no connection has, of any length, and nothing is kept of it."""
    hub = Hub(BY_CASE["github"])
    paths = ("/hooks/y", "/hooks/", "/hooks/acme/x/", "/hooks/other/x", "/hooks/" + "x" * 5000, "/hooks/../x", "/hooks/x\x00")

    answers = [hub.send(path=path) for path in paths]

    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1
    assert not hub.apart
    assert hub.door.counts == {("", "", "unknown"): len(paths)}


def test_a_client_outside_the_vendors_networks_is_refused() -> None:
    """Where a connection names the vendor's addresses, others are refused although they sign truly."""
    vector = BY_CASE["esign"]

    assert Hub(vector, sources=("203.0.113.0/24", "2001:db8::/32")).send().status == 200
    hub = Hub(vector, sources=("118.31.35.8",))
    assert hub.refused(hub.send(), 401) == "refused"


def test_a_rate_is_kept_and_forgeries_do_not_use_it_up() -> None:
    """Over the limit: 429 with the wait. Forged deliveries are refused without touching the vendor's allowance."""
    hub = Hub(BY_CASE["github"], limits=Limits(per_second=0.001, burst=2))
    for _ in range(10):
        hub.send(headers={})

    statuses = [hub.send().status for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert int(hub.send().headers["retry-after"]) >= 1
    assert hub.submitted == 2


def test_a_body_that_never_ends_is_given_up() -> None:
    """A sender that opens a request and falls silent gets 408, and holds nothing."""
    hub = Hub(BY_CASE["github"], limits=Limits(seconds_to_send=0.02))

    answered = call(hub.door, method="POST", path="/hooks/x", query="", headers=[], chunks=[b"{"], hang=True)

    assert answered.status == 408
    assert hub.submitted == 0


def test_a_client_that_hangs_up_leaves_nothing() -> None:
    """Half a body and a closed connection: no answer, nothing stored, nothing kept apart."""
    hub = Hub(BY_CASE["github"])

    answered = call(hub.door, method="POST", path="/hooks/x", query="", headers=[], chunks=[])

    assert answered.status == 0
    assert not hub.apart
    assert hub.submitted == 0


def test_a_store_that_is_down_makes_the_vendor_try_again() -> None:
    """503 with Retry-After, whether it fails or hangs; afterwards the same delivery is new."""
    for down in (ConnectionError("database"), TimeoutError()):
        hub = Hub(BY_CASE["github"])
        hub.down = down
        answered = hub.send()
        assert (answered.status, answered.headers["retry-after"]) == (503, "5")
        assert "database" not in answered.problem()["detail"]

        hub.down = None
        assert hub.send().status == 200
        assert hub.door.counts["acme", "x", "new"] == 1

    hanging = Hub(BY_CASE["github"], limits=Limits(seconds_to_store=0.02))

    async def hang(raws: list[Raw]) -> list[Kind]:
        await asyncio.Event().wait()
        return []

    hanging.door._submit = hang
    assert hanging.send().status == 503


def test_a_connector_that_fails_loses_nothing() -> None:
    """An error in a connector is our fault: the vendor is asked to keep it, a person can see what came, the error stays inside."""
    hub = Hub(BY_CASE["github"])
    for error in (ValueError("s3cret-value"), RecursionError(), Misconfigured(happened="the key is no key", next="set it again")):

        def fail(delivery: Delivery, error: Exception = error) -> Accepted:
            raise error

        hook = msgspec.structs.replace(hub.hook, receive=fail)
        door = make_door(find={"x": hook}.get, submit=hub.submit, quarantine=hub.apart.append, clock=hub.clock)
        answered = call(door, method="POST", path="/hooks/x", query="", headers=[], chunks=[b"{}"])

        assert answered.status == 503
        assert "s3cret-value" not in str(hub.apart[-1].reason) + answered.body.decode()
    assert [item.reason["code"] for item in hub.apart] == ["fault", "fault", "misconfigured"]
    assert hub.submitted == 0


def test_a_reply_cannot_break_out_of_its_header() -> None:
    """A connector that echoes a line break into a header is at fault; the break does not reach the wire."""
    hub = Hub(BY_CASE["github"])

    def echo(delivery: Delivery) -> Accepted:
        return Accepted(reply=Reply(headers={"X-Echo": "a\r\nSet-Cookie: b"}))

    hook = msgspec.structs.replace(hub.hook, receive=echo)
    door = make_door(find=lambda name: hook, submit=hub.submit, quarantine=hub.apart.append, clock=hub.clock)

    assert call(door, method="POST", path="/hooks/x", query="", headers=[], chunks=[b""]).status == 503


def test_challenges_are_answered_and_store_nothing() -> None:
    """A GET goes through the connector, and its echo cannot be taken for a page."""
    hub = Hub(BY_CASE["github"])

    answered = hub.send(method="GET", body="", query="echostr=%3Cscript%3E")

    assert (answered.status, answered.body) == (200, b"<script>")
    assert answered.headers["content-type"].startswith("text/plain")
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert hub.submitted == 0


def test_other_methods_are_not_taken() -> None:
    """The same for a hook that exists and one that does not."""
    hub = Hub(BY_CASE["github"])
    for method in ("PUT", "DELETE", "HEAD", "TRACE", "NONSENSE"):
        for path in ("/hooks/x", "/hooks/y"):
            answered = hub.send(method=method, path=path)
            assert (answered.status, answered.headers["allow"]) == (405, "GET, POST")


def test_only_an_allowed_origin_may_register() -> None:
    """The CloudEvents handshake is answered where the connection names the origin, and refused otherwise."""
    asking = [("webhook-request-origin", "eventgrid.example.net")]
    vector = BY_CASE["github"]

    granted = Hub(vector, origins=("eventgrid.example.net",), limits=Limits(per_second=2)).send(method="OPTIONS", more=asking)

    assert granted.status == 200
    assert granted.headers["webhook-allowed-origin"] == "eventgrid.example.net"
    assert granted.headers["webhook-allowed-rate"] == "120"
    assert Hub(vector, origins=("*",)).send(method="OPTIONS", more=asking).headers["webhook-allowed-rate"] == "*"
    assert Hub(vector, origins=("other.example",)).send(method="OPTIONS", more=asking).status == 403
    assert Hub(vector).send(method="OPTIONS", more=asking).status == 403
    assert Hub(vector, origins=("*",)).send(method="OPTIONS").status == 403


# --- the quarantine ----------------------------------------------------------------------------------------------


def test_the_quarantine_holds_no_secret_and_not_too_much() -> None:
    """Tokens are masked in headers and query, signatures stay, and a long body is cut and says so."""
    hub = Hub(BY_CASE["bearer"])
    headers = {"authorization": "Bearer nearly-the-token", "cookie": "session=1", "x-sig": "abc"}

    hub.send(headers=headers, body=b"x" * 100_000, query="access_token=abc&nonce=1")

    (item,) = hub.apart
    assert item.headers == {"authorization": "***", "cookie": "***", "x-sig": "abc"}
    assert item.query == "access_token=***&nonce=1"
    assert (len(item.body), item.bytes_left_out) == (65_536, 34_464)


def test_a_flood_of_forgeries_is_counted_but_not_kept() -> None:
    """What is waiting is bounded; a store that fails does not stop the door."""
    kept: list[Quarantined] = []
    hub = Hub(BY_CASE["github"])
    hub.send(headers={})
    (item,) = hub.apart
    quarantine = Quarantine(kept.extend, waiting=10)

    for _ in range(25):
        quarantine(item)
    quarantine.start()
    quarantine.stop()

    assert len(kept) == 10
    assert quarantine.left_out["acme", "x"] == 15

    def fail(batch: Sequence[Quarantined]) -> None:
        raise OSError

    broken = Quarantine(fail)
    broken(item)
    broken.flush()
    assert broken.left_out["acme", "x"] == 1


# --- anything at all ---------------------------------------------------------------------------------------------

ANY_TEXT = st.text(st.characters(max_codepoint=255), max_size=60)


@given(
    vector=st.sampled_from(VECTORS),
    method=st.sampled_from(["POST", "GET", "OPTIONS"]),
    headers=st.lists(
        st.tuples(st.sampled_from(["content-type", "content-length", "content-encoding", "x-a"]), ANY_TEXT), max_size=6
    ),
    values=st.lists(ANY_TEXT | st.none(), min_size=8, max_size=8),
    query=ANY_TEXT,
    chunks=st.lists(st.binary(max_size=300), min_size=1, max_size=4),
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_sent_is_refused_politely(
    vector: dict[str, Any],
    method: str,
    headers: list[tuple[str, str]],
    values: list[str | None],
    query: str,
    chunks: list[bytes],
) -> None:
    """Random headers, queries and bodies never get in, never fail the door, and always leave a reason."""
    hub = Hub(vector)
    hub.hook = msgspec.structs.replace(hub.hook, receive=lambda d: hub.receive(msgspec.structs.replace(d, method="POST")))
    hub.door = make_door(find=lambda name: hub.hook, submit=hub.submit, quarantine=hub.apart.append, clock=hub.clock)
    named = [(name, value) for name, value in zip(vector["headers"], values, strict=False) if value is not None]

    answered = call(
        hub.door,
        method=method,
        path="/hooks/x",
        query=query.encode("latin-1").decode("latin-1") if query.isascii() else "",
        headers=[*headers, *named],
        chunks=chunks,
    )

    assert 400 <= answered.status < 500
    assert hub.submitted == 0
    assert len(hub.apart) == (0 if method == "OPTIONS" else 1)


@given(
    st.recursive(
        st.none() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=80,
    )
)
def test_nesting_is_counted_as_it_is(document: object) -> None:
    """For JSON of any shape, brackets inside strings or not, the limit falls exactly at the document's depth."""

    def depth(value: object) -> int:
        inner: list[object] = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        return (1 if isinstance(value, dict | list) else 0) + max(map(depth, inner), default=0)

    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    deep = depth(document)

    check_depth(body, Limits(depth=deep))
    if deep:
        with pytest.raises(TooLarge):
            check_depth(body, Limits(depth=deep - 1))


@pytest.mark.parametrize("body", [b'["' + b'\\"' * 500_000, b'["' * 300_000, b"[" + b'"\\' * 300_000, b"[]" * 500_000], ids=repr)
def test_counting_stays_linear_on_hostile_input(body: bytes) -> None:
    """Unclosed strings and endless escapes take no longer than their length."""
    started = process_time()
    with contextlib.suppress(TooLarge):
        check_depth(body, Limits(depth=3))

    assert process_time() - started < 2.0
