"""Stock, connections, maps and subscriptions over HTTP, at both sizes."""

import base64
import hashlib
import hmac
import importlib
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from hub.configure import export_configuration

MAP = """name = "shop"
version = 1
target = "order.placed"
subject = "data.no"

[fields]
order = "data.no"
amount = "data.amount"
"""
MENDED = MAP.replace('amount = "data.amount"', 'amount = { from = "data.amount", extract = "[0-9][0-9,.]*" }')


@pytest.fixture
def erp(served: Any) -> Iterator[Any]:
    """A simulated ERP that is connected."""
    behind = [timedelta(minutes=10)]
    module = importlib.import_module("connectors.erp_tryton.simulator")
    simulator = module.Simulator(now=lambda: datetime.now(UTC) - behind[0])
    simulator.sell("WH", "PUMP-100", "1", reference="SO-1")  # long enough ago to be read: what is just being written is left
    behind[0] = timedelta(0)
    simulator.start()
    made = served.api.post(
        "/connections", json={"id": "erp", "connector": "erp_tryton", "settings": simulator.settings(), "allow": ["127.0.0.0/8"]}
    )
    assert made.status_code == 201, made.text
    yield simulator
    simulator.stop()


def check(served: Any, quantity: str, **more: Any) -> dict[str, Any]:
    answer = served.api.post("/inventory/check", json={"lines": [{"sku": "PUMP-100", "quantity": quantity}], **more})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_what_is_held_is_promised_to_nobody_else(served: Any, erp: Any) -> None:
    """A quote holds what it was promised, and keeps it for itself; when its time is over the goods are free again."""
    free = Decimal(check(served, "1000000")["lines"][0]["available"])
    held = check(served, str(free), hold={"quote": "Q-1", "minutes": 30})

    other, same = check(served, "1"), check(served, str(free), hold={"quote": "Q-1", "minutes": 30})
    served.clock.by = timedelta(minutes=31)
    later = check(served, str(free))

    assert held["verdict"] == "available" and held["held"]
    assert [part["warehouse"] for part in held["lines"][0]["from"]]
    assert Decimal(other["lines"][0]["available"]) == 0 and Decimal(other["lines"][0]["short"]) == 1
    assert same["verdict"] == "available"
    assert later["verdict"] == "available"
    served.until(lambda: served.api.get("/events", params={"type": "stock.released"}).json()["items"])


def test_two_quotes_at_once_are_not_promised_the_same(served: Any, erp: Any) -> None:
    """However many ask at the same moment, no more is held than there is."""
    free = Decimal(check(served, "1000000")["lines"][0]["available"])

    with ThreadPoolExecutor(4) as people:
        told = list(people.map(lambda n: check(served, str(free), hold={"quote": f"Q-{n}", "minutes": 5}), range(4)))

    assert sorted(one["verdict"] == "available" for one in told) == [False, False, False, True]


def test_a_silent_erp_is_answered_for_with_the_age_of_the_figures(served: Any, erp: Any) -> None:
    """Where the ERP is gone, or takes the call and says nothing, the answer comes within a second from what is known."""
    known = check(served, "1")
    port = erp.port
    erp.stop()
    began = time.monotonic()
    gone = check(served, "1")
    with socket.create_server(("127.0.0.1", port)):  # takes the connection and never answers
        silent = check(served, "1")
    seconds = time.monotonic() - began
    served.clock.by = timedelta(hours=2)
    stale = check(served, "1")

    assert known["silent"] is None and not known["stale"]
    assert gone["silent"] and silent["silent"] and seconds < 2
    assert gone["as_of"] == known["as_of"] and gone["lines"][0]["available"] == known["lines"][0]["available"]
    assert stale["stale"]


@pytest.mark.parametrize(
    "line",
    [
        {"sku": "", "quantity": "1"},
        {"sku": "A", "quantity": "0"},
        {"sku": "A", "quantity": "NaN"},
        {"sku": "A", "quantity": "1e400"},
        {"sku": "A", "quantity": "1e-400"},
        {"sku": "A", "quantity": 1e300},
        {"sku": "A", "quantity": "1", "need_by": "2026-02-30"},
        {"sku": "A", "quantity": "1", "need_by": "10000-01-01"},
    ],
)
def test_a_want_that_is_none_is_refused(served: Any, line: dict[str, Any]) -> None:
    """Nothing is promised for a quantity or a day that does not exist."""
    answer = served.api.post("/inventory/check", json={"lines": [line]})

    assert answer.status_code == 422 and answer.json()["errors"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_time_are_days_too(served: Any, day: str) -> None:
    """A day that has long passed, or never comes, gets an answer."""
    answer = served.api.post("/inventory/check", json={"lines": [{"sku": "A", "quantity": "0.000001", "need_by": day}]})

    assert answer.status_code == 200, answer.text


# --- connections ----------------------------------------------------------------------------------------------------


def test_a_probe_tells_its_outcomes_apart(served: Any, erp: Any) -> None:
    """Well, login refused, host silent, a fault of theirs, an address that may not be called: five answers, five types."""

    def probe(id_: str = "erp") -> tuple[int, str, str]:
        answer = served.api.post(f"/connections/{id_}/probe")
        return answer.status_code, answer.json().get("type", ""), served.api.get(f"/connections/{id_}").json()["state"]

    well = probe()
    wrong = {"id": "wrong", "connector": "erp_tryton", "settings": {**erp.settings(), "password": "not this one"}}
    served.api.post("/connections", json=wrong | {"allow": ["127.0.0.0/8"]})
    refused = probe("wrong")
    erp.recover()
    erp.fail_next(status=500, times=5)
    fault = probe()
    erp.recover()
    back = probe()
    erp.stop()
    silent = probe()

    assert well == (200, "", "ok") and back == (200, "", "ok")
    assert refused == (502, "urn:shuniu:login-refused", "failing")
    assert fault == (502, "urn:shuniu:vendor-fault", "failing")
    assert silent == (502, "urn:shuniu:unreachable", "failing")
    reason = served.api.get("/connections/erp").json()["state_reason"]
    assert reason["happened"] and reason["next"]


def test_a_connection_is_synchronised_paused_and_resumed(served: Any, erp: Any) -> None:
    """A sync brings what is there; paused it is left alone; a backfill brings everything again and doubles nothing."""

    def pulled() -> int:
        streams = served.api.get("/connections/erp").json()["streams"]
        return next((one["pulled"] for one in streams if one["stream"] == "orders"), 0)

    assert served.api.post("/connections/erp/sync").status_code == 202
    served.until(lambda: not any(one["wanted"] for one in served.api.get("/connections/erp").json()["streams"]) and pulled())
    served.until(lambda: _settled(served))
    first, facts = pulled(), _orders(served)
    assert served.api.post("/connections/erp/pause").json()["paused"]
    assert served.api.post("/connections/erp/backfill").status_code == 202
    assert not served.api.post("/connections/erp/resume").json()["paused"]
    served.until(lambda: pulled() >= 2 * first)

    books = served.until(lambda: _settled(served))
    assert facts and _orders(served) == facts and books


def _orders(served: Any) -> list[str]:
    found = served.api.get("/events", params={"limit": 500}).json()["items"]
    return [one["id"] for one in found if one["type"].startswith("order.")]


def _settled(served: Any) -> Any:
    books = served.api.get("/books").json()["items"]
    return books if all(one["balanced"] and not one["waiting"] for one in books) else None


def test_a_connection_changed_by_two_is_changed_by_one(served: Any) -> None:
    """The ETag of what somebody saw guards the change; what is missing or unknown is named."""
    body = {"id": "shop", "connector": "http_webhook", "settings": {"style": "unsigned"}}
    assert served.api.post("/connections", json=body).status_code == 201
    etag = served.api.get("/connections/shop").headers["etag"]

    first = served.api.post("/connections", json=body | {"title": "one"}, headers={"If-Match": etag})
    second = served.api.post("/connections", json=body | {"title": "two"}, headers={"If-Match": etag})
    unknown = served.api.post("/connections", json=body | {"settings": {"colour": "red"}})
    missing = served.api.post("/connections", json={"id": "erp", "connector": "erp_tryton", "settings": {}})

    assert (first.status_code, second.status_code) == (201, 412)
    assert unknown.status_code == 422 and "colour" in unknown.json()["title"]
    assert missing.status_code == 422 and "base_url" in missing.json()["title"]
    assert served.api.get("/connections/shop").json()["title"] == "one"
    assert served.api.post("/connections", json=body | {"connector": "erp_nobody"}).status_code == 404


def test_a_secret_is_rotated_with_overlap_and_never_told(served: Any, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    """Both the new and the old secret are valid until the next; no answer, no export and no log holds one of them."""
    caplog.set_level(logging.DEBUG)
    secrets = ["whsec_" + base64.b64encode(f"secret number {n} of this test".encode()).decode() for n in range(3)]
    body = {"id": "shop", "connector": "http_webhook", "settings": {"style": "standard-webhooks", "secret": secrets[0]}}
    said = [served.api.post("/connections", json=body).text]

    def push(number: int, secret: str) -> int:
        return deliver(served, f"msg_{number}", {"type": "t", "data": {}}, secret).status_code

    first = push(1, secrets[0])
    answers = [served.api.post("/connections/shop/secrets", json={"setting": "secret", "value": secrets[1]})]
    overlap = [push(2, secrets[0]), push(3, secrets[1])]
    answers.append(served.api.post("/connections/shop/secrets", json={"setting": "secret", "value": secrets[2]}))
    after = [push(4, secrets[0]), push(5, secrets[1]), push(6, secrets[2])]

    assert first == 200 and overlap == [200, 200] and after == [401, 200, 200]
    assert [one.status_code for one in answers] == [204, 204]
    for path in ("/connections", "/connections/shop", "/quarantine", "/events", "/parked"):
        said.append(served.api.get(path).text)
    said += [served.get("/").text, served.get("/metrics").text, json.dumps(export_configuration(served.hub), default=str)]
    said += [caplog.text, *capfd.readouterr()]
    for secret in secrets:
        assert not [text for text in said if secret in text or secret.removeprefix("whsec_") in text]
    assert served.api.get("/connections/shop").json()["secrets"] == ["secret"]


def deliver(served: Any, id_: str, body: dict[str, Any], secret: str) -> httpx.Response:
    """A Standard Webhook at the door, signed here by the letter of its specification."""
    content, now = json.dumps(body).encode(), str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{id_}.{now}.".encode() + content, hashlib.sha256).digest()
    headers = {"webhook-id": id_, "webhook-timestamp": now, "webhook-signature": "v1," + base64.b64encode(signed).decode()}
    headers["content-type"] = "application/json"
    return httpx.post(f"{served.url}/hooks/shop", content=content, headers=headers, trust_env=False)


# --- maps and what is parked ----------------------------------------------------------------------------------------


def test_a_map_is_tried_exactly(served: Any) -> None:
    """A preview reads the record as it was sent: a long number stays what it is, and what was not read or missing is told."""
    text = json.dumps(MAP)
    record = '{"data": {"no": 9007199254740993123, "amount": 1234567890123456.78, "colour": "red"}}'

    told = served.api.post(
        "/maps/preview", content=f'{{"text": {text}, "record": {record}}}', headers={"content-type": "application/json"}
    ).json()
    lacking = served.api.post("/maps/preview", json={"text": MAP, "record": {"data": {"no": "S-1"}}}).json()
    broken = served.api.post("/maps/preview", json={"text": "name = "})

    assert told["mapped"]["data"]["order"] == "9007199254740993123"
    assert told["mapped"]["data"]["amount"] == "1234567890123456.78"
    assert any("colour" in one for one in told["unread"]) and told["mapped"]["trace"]
    assert "amount" in lacking.get("missing", []) or lacking["problem"]["happened"]
    assert broken.status_code == 422 and broken.json()["next"]
    assert served.api.get("/maps").json()["items"] == []


def test_what_is_parked_is_replayed_with_a_mended_map(served: Any) -> None:
    """The raw waits with its reason; once its map is mended it becomes a fact, and replaying it again is refused."""
    assert served.api.post("/maps", json={"name": "shop", "text": MAP}).json()["version"] == 1
    secret = "whsec_" + base64.b64encode(b"a secret of this test, long enough").decode()
    settings = {"style": "standard-webhooks", "secret": secret}
    body = {"id": "shop", "connector": "http_webhook", "settings": settings, "field_map": "shop"}
    assert served.api.post("/connections", json=body).status_code == 201
    assert deliver(served, "msg_1", {"data": {"no": "S-1", "amount": "about 1,000.00"}}, secret).status_code == 200

    (parked,) = served.until(lambda: served.api.get("/parked").json()["items"])
    mended = served.api.post("/maps", json={"name": "shop", "text": MENDED})
    replayed = served.api.post(f"/parked/{parked['id']}/replay")
    (fact,) = served.until(lambda: served.api.get("/events", params={"type": "order.placed"}).json()["items"])
    again = served.api.post(f"/parked/{parked['id']}/replay")
    chosen = served.api.post("/maps/shop/choose", json={"version": 1})

    assert parked["kind"] == "raw" and parked["connection"] == "shop" and parked["reason"]["happened"]
    assert mended.json()["version"] == 2 and replayed.status_code == 202
    assert fact["data"]["amount"] == "1000.00"
    assert again.status_code == 404
    assert chosen.json()["version"] == 1 and chosen.json()["active"]
    versions = served.api.get("/maps/shop").json()["items"]
    assert [(one["version"], one["active"]) for one in versions] == [(2, False), (1, True)]
    assert served.api.post("/maps/shop/choose", json={"version": 9}).status_code == 404
    assert served.api.post("/maps", json={"name": "shop", "text": "target = 1"}).status_code == 422


# --- subscriptions --------------------------------------------------------------------------------------------------


class Listener:
    """Another system that takes our events."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                listener.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def is_signed(self, place: int, secret: str) -> bool:
        headers, body = self.got[place]
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        return f"v1,{signature}" in headers["webhook-signature"].split()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.server.shutdown()
    listener.server.server_close()


def test_a_subscription_delivers_rotates_replays_and_ends(served: Any, listener: Listener) -> None:
    """What is wanted is delivered signed; after a rotation with both secrets; a replay has the same ids; disabled it is still."""
    from hub.core.event import decided
    from hub.core.vocabulary import Customer
    from hub.ledger.record import record

    def fact(name: str) -> None:
        now = datetime.now(UTC)
        data = Customer(customer=name, name=name)
        with served.hub.store.work("main") as work:
            record(
                work, [decided("customer.created", tenant="main", by="t", subject=name, data=data, occurred_at=now, once=name)]
            )

    def handled(name: str) -> bool:
        found = served.api.get("/events", params={"subject": name}).json()["items"]
        trace = served.api.get(f"/events/{found[0]['id']}/trace").json() if found else {"handled": []}
        return any(one["subscriber"] == "webhooks" for one in trace["handled"])

    body = {"url": listener.url, "types": ["customer.*"], "allow": ["127.0.0.0/8"]}
    key = {"Idempotency-Key": "subscribe 1"}
    made = served.api.post("/subscriptions", json=body, headers=key)
    again = served.api.post("/subscriptions", json=body, headers=key)
    id_, secret = made.json()["id"], made.json()["secret"]
    fact("C-1")
    served.until(lambda: len(listener.got) == 1)
    new = served.api.post(f"/subscriptions/{id_}/rotate").json()["secret"]
    fact("C-2")
    served.until(lambda: len(listener.got) == 2)
    queued = served.api.post(f"/subscriptions/{id_}/replay", json={"after": 0})
    served.until(lambda: len(listener.got) == 4)
    disabled = served.api.post(f"/subscriptions/{id_}/disable")
    fact("C-3")
    served.until(lambda: handled("C-3"))  # before it is enabled again, or it would be delivered after all
    enabled = served.api.post(f"/subscriptions/{id_}/enable")

    assert made.status_code == 201 and again.json() == made.json()
    assert len(served.api.get("/subscriptions").json()["items"]) == 1
    assert secret not in served.api.get("/subscriptions").text
    with served.hub.store.read_transaction() as connection:
        kept = connection.exec_driver_sql("SELECT body FROM idempotency").scalars().all()
    assert kept and not [text for text in kept if secret in text]
    assert listener.is_signed(0, secret)
    assert listener.is_signed(1, secret) and listener.is_signed(1, new)
    assert queued.status_code == 202 and queued.json()["queued"] == 2
    assert {one[0]["webhook-id"] for one in listener.got[2:]} == {one[0]["webhook-id"] for one in listener.got[:2]}
    assert disabled.json()["state"] == "disabled" and enabled.json()["state"] == "active"
    trace = served.api.get("/events", params={"subject": "C-1"}).json()["items"][0]["id"]
    (action,) = [one for one in served.api.get(f"/events/{trace}/trace").json()["actions"] if one["state"] == "done"][:1]
    assert action["what"] == "webhook.deliver"
    assert served.api.delete(f"/subscriptions/{id_}").status_code == 204
    assert served.api.delete(f"/subscriptions/{id_}").status_code == 404


# --- operations -----------------------------------------------------------------------------------------------------


def test_whoever_runs_the_hub_sees_how_it_is(served: Any, size: str) -> None:
    """Alive, ready with the bus looked at, and numbers that hold what came to the door."""
    served.api.post("/connections", json={"id": "shop", "connector": "http_webhook", "settings": {"style": "github"}})
    httpx.post(f"{served.url}/hooks/shop", content=b"{}", trust_env=False)

    ready, numbers = served.get("/readyz"), served.get("/metrics")

    assert served.get("/healthz").json() == {"status": "ok"}
    assert ready.json()["bus"] == ("embedded" if size == "embedded" else "rabbitmq")
    assert 'shuniu_deliveries_total{connection="shop"' in numbers.text
    assert 'shuniu_waiting{queue="outbox"}' in numbers.text
