"""Our events reach subscribers as Standard Webhooks that the reference library accepts, and failures are met as the specification says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from hub import keys
from hub.core.clock import SystemClock
from hub.core.connector import Delivery
from hub.core.errors import EgressRefused, Invalid, Misconfigured, Problem, RateLimited, Unreachable, VendorFault
from hub.core.event import Event, decided
from hub.core.signing import STYLES
from hub.core.vocabulary import Contract, Order
from hub.egress import PUBLIC, Egress
from hub.http import HttpClient
from webhooks.outgoing import (
    ATTEMPTS,
    Deliverer,
    Gone,
    Standing,
    Subscription,
    check_subscription,
    headers_for,
    message_for,
    next_attempt,
    standing_after,
    wanted,
)

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DELIVER = "webhook.deliver"


def placed(order: str = "SO-1", **more: Any) -> Event:
    data = Order(order=order, amount=Decimal("12345678901234567.89"), customer_name="苏州精密制造", **more)
    return decided("order.placed", tenant="acme", by="test", subject=order, data=data, occurred_at=AT, once=order)


class Receiver:
    """Another system's endpoint: a real server on loopback that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
                self.send_response(status)
                for name, value in {"content-length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01}).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def deliverer(url: str, *secrets: str, egress: Egress | None = None) -> Deliverer:
    client = HttpClient(connection="subscription:sub_1", egress=egress or Egress(allow=("127.0.0.0/8",)), attempts=1)
    return Deliverer(Subscription(id="sub_1", url=url, secrets=secrets), client, SystemClock())


def deliver(url: str, *secrets: str, event: Event | None = None) -> str:
    event = event or placed()
    fields = {"id": event.id, "body": message_for(event).decode()}
    return deliverer(url, *(secrets or (keys.new_secret(),))).write(DELIVER, fields, idempotency_key="act_1")


# --- what a receiver sees ----------------------------------------------------------------------------------------


def test_the_reference_library_accepts_what_we_deliver(receiver: Receiver) -> None:
    """A receiver with the reference implementation verifies and reads our event; one with another secret does not."""
    secret = keys.new_secret()

    told = deliver(receiver.url, secret)

    ((headers, body),) = receiver.got
    message = Webhook(secret).verify(body.decode(), headers)
    assert (message["type"], message["timestamp"]) == ("order.placed", "2026-01-02T03:04:05Z")
    assert message["data"]["amount"] == "12345678901234567.89"
    assert message["id"] == headers["webhook-id"] == told
    with pytest.raises(WebhookVerificationError):
        Webhook(keys.new_secret()).verify(body.decode(), headers)


def test_our_own_verifier_accepts_what_we_deliver(receiver: Receiver) -> None:
    """Two hubs can be connected: what one delivers, with a shared secret or a key pair, the other lets in."""
    secret = keys.new_secret()
    private, public = keys.new_key_pair()

    deliver(receiver.url, secret, private)

    ((headers, body),) = receiver.got
    delivery = Delivery(
        method="POST", url=receiver.url, query=(), headers=tuple(headers.items()), body=body, received_at=datetime.now(UTC)
    )
    for held in (secret, public):
        assert keys.verify(STYLES["standard-webhooks"], delivery, [held], datetime.now(UTC)).id_signed


def test_during_a_rotation_old_and_new_secret_verify(receiver: Receiver) -> None:
    """A message bears one signature for each secret, so a receiver may change over when it likes."""
    old, new = keys.new_secret(), keys.new_secret()

    deliver(receiver.url, new, old)

    ((headers, body),) = receiver.got
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (old, new):
        assert Webhook(secret).verify(body.decode(), headers)


def test_a_repeat_bears_the_same_id_and_body(receiver: Receiver) -> None:
    """Retries and replays are told by the id; the time and the signature are those of the attempt."""
    receiver.answers = [(500, {})]
    with pytest.raises(VendorFault):
        deliver(receiver.url)

    deliver(receiver.url)

    (first, first_body), (second, second_body) = receiver.got
    assert (first["webhook-id"], first_body) == (second["webhook-id"], second_body)
    assert "." not in first["webhook-id"]


def test_headers_bear_the_time_of_the_attempt() -> None:
    """The timestamp is in seconds of UTC, whatever zone the clock shows."""
    headers = headers_for([keys.new_secret()], "evt_1", AT.astimezone(ZoneInfo("Asia/Shanghai")), b"{}")

    assert headers["webhook-timestamp"] == str(int(AT.timestamp()))


def test_a_long_fact_is_told_thinly() -> None:
    """Over 20 kB the data are left out and the receiver is told where to ask."""
    long = decided(
        "contract.signed",
        tenant="acme",
        by="test",
        subject="C-1",
        data=Contract(contract="C-1", title="合同" * 20_000),
        occurred_at=AT,
        once="C-1",
    )

    message = json.loads(message_for(long))

    assert len(message_for(long)) < 1000
    assert message["thin"] is True
    assert (message["data"], message["href"]) == ({}, f"/api/v1/events/{long.id}")


# --- what answers mean -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_success(receiver: Receiver, status: int) -> None:
    """The receiver has taken it."""
    receiver.answers = [(status, {})]

    assert deliver(receiver.url) == placed().id


@pytest.mark.parametrize(
    ("status", "headers", "problem"),
    [
        (301, {"location": "http://127.0.0.1:1/"}, VendorFault),
        (400, {}, VendorFault),
        (401, {}, VendorFault),
        (404, {}, VendorFault),
        (500, {}, VendorFault),
        (502, {}, VendorFault),
        (504, {}, VendorFault),
        (410, {}, Gone),
        (429, {}, RateLimited),
        (429, {"retry-after": "120"}, RateLimited),
        (503, {"retry-after": "120"}, RateLimited),
        (502, {"retry-after": "120"}, RateLimited),
        (503, {"retry-after": "0"}, RateLimited),
        (429, {"retry-after": "soon"}, RateLimited),
    ],
)
def test_every_other_answer_is_a_failure_of_its_kind(
    receiver: Receiver, status: int, headers: dict[str, str], problem: type[Problem]
) -> None:
    """Redirects are not followed, 410 ends it, Retry-After is obeyed and never shorter than five seconds; the rest is repeated."""
    receiver.answers = [(status, headers)]

    with pytest.raises(problem) as told:
        deliver(receiver.url)

    assert len(receiver.got) == 1
    if isinstance(told.value, RateLimited):
        assert told.value.after == {"120": 120, "0": 5}.get(headers.get("retry-after", ""), 60)
    assert "whsec_" not in str(told.value)


def test_a_receiver_that_is_not_there_is_told_apart() -> None:
    """Nothing listens: unreachable, to be tried again."""
    gone = Receiver()
    gone.close()

    with pytest.raises(Unreachable):
        deliver(gone.url)


def test_a_private_address_is_not_called(receiver: Receiver) -> None:
    """A subscription cannot make the hub call into its own network unless that is allowed."""
    fields = {"id": "evt_1", "body": "{}"}

    with pytest.raises(EgressRefused):
        deliverer(receiver.url, keys.new_secret(), egress=PUBLIC).write(DELIVER, fields, idempotency_key="a")

    assert not receiver.got


@pytest.mark.parametrize(
    "fields", [{}, {"id": "evt_1"}, {"id": 5, "body": "{}"}, {"id": "evt_1", "body": b"{}"}, {"id": "a.b", "body": ""}]
)
def test_what_is_no_delivery_is_not_sent(receiver: Receiver, fields: dict[str, object]) -> None:
    """A queue entry that is not a delivery is refused before anything goes out."""
    with pytest.raises(Invalid):
        deliverer(receiver.url, keys.new_secret()).write(DELIVER, fields, idempotency_key="a")
    with pytest.raises(Invalid):
        deliverer(receiver.url, keys.new_secret()).write("order.update", {"id": "evt_1", "body": "{}"}, idempotency_key="a")

    assert not receiver.got


def test_without_a_secret_nothing_is_sent(receiver: Receiver) -> None:
    """An unsigned delivery never leaves."""
    with pytest.raises(Misconfigured):
        deliverer(receiver.url).write(DELIVER, {"id": "evt_1", "body": "{}"}, idempotency_key="a")

    assert not receiver.got


# --- when to try again -------------------------------------------------------------------------------------------


@given(st.text(max_size=40), st.integers(0, ATTEMPTS - 1))
def test_the_schedule_is_the_specifications_with_repeatable_jitter(id: str, attempts: int) -> None:
    """Each wait is the schedule's or up to a fifth more, and the same every time it is asked."""
    plain = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400][attempts]

    wait = next_attempt(attempts, id)

    assert wait is not None
    assert plain <= wait <= plain * 1.2
    assert wait == next_attempt(attempts, id)


def test_the_schedule_ends() -> None:
    """After ten attempts nothing is tried by itself; jitter differs between deliveries."""
    assert next_attempt(10, "evt_1") is None
    assert next_attempt(-1, "evt_1") is None
    assert len({next_attempt(2, f"evt_{place}") for place in range(50)}) > 45


def test_days_of_only_failures_disable_a_subscription() -> None:
    """Five days without one success; a success in between starts the count anew, and 410 ends it at once."""
    standing = Standing()
    for day in range(6):
        standing = standing_after(standing, "failed", AT + timedelta(days=day))
        assert (standing.state, standing.failing_since) == ("active", AT)

    assert standing_after(standing, "done", AT + timedelta(days=6)) == Standing()
    disabled = standing_after(standing, "failed", AT + timedelta(days=5, seconds=1))
    assert disabled.state == "disabled"
    assert standing_after(disabled, "done", AT) == disabled
    assert standing_after(Standing(), "gone", AT).state == "disabled"


# --- subscriptions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "means"),
    [
        (["order.placed"], True),
        (["order.*"], True),
        (["*.placed"], True),
        (["#"], True),
        (["order.#"], True),
        (["#.placed"], True),
        (["contract.*", "order.placed"], True),
        ([], False),
        (["order"], False),
        (["*"], False),
        (["order.place"], False),
        (["order.*.x"], False),
        (["ORDER.placed"], False),
        (["order.*.*"], False),
    ],
)
def test_patterns_mean_what_they_mean_on_the_bus(patterns: list[str], means: bool) -> None:
    """A star is one word, a hash any number."""
    assert wanted(patterns, "order.placed") is means


@pytest.mark.parametrize(
    "url", ["", "ftp://h/x", "http://h/x", "https://", "https://user:pw@h/x", "https://[::1", "https://h:99999/", "//h"]
)
def test_an_address_that_gives_something_away_is_refused(url: str) -> None:
    """No TLS, a password in it, or no address at all."""
    with pytest.raises(Invalid) as told:
        check_subscription(url)

    assert "pw" not in str(told.value)


def test_plain_http_is_for_those_who_allow_it() -> None:
    """https always, http where the operator says so."""
    check_subscription("https://receiver.example/hook")
    check_subscription("http://127.0.0.1:8080/hook", plain_allowed=True)


def test_a_subscription_does_not_show_its_secrets() -> None:
    """Neither in a log nor in an error."""
    assert "whsec_" not in repr(Subscription(id="sub_1", url="https://h/x", secrets=(keys.new_secret(),)))
