"""A contract's whole life against the simulated vendor: real requests, real signatures, real callbacks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.sign_esign.connector import Connector
from connectors.sign_esign.simulator import Simulator
from hub.core.clock import SystemClock
from hub.egress import Egress
from hub.http import HttpClient
from hub.sdk import (
    Context,
    Contract,
    Delivery,
    Event,
    LoginRefused,
    OutcomeUnknown,
    RateLimited,
    Raw,
    Refused,
    Unreachable,
    VendorFault,
    VendorRefused,
)

CLOCK = SystemClock()
WANTED = {
    "contract": "SO-2026-0001",
    "title": "采购合同",
    "values": {"customer": "甲公司", "amount": "125000.00"},
    "customer_name": "甲公司",
    "contact_name": "张三",
    "contact_phone": "19900000002",
}


class Hook:
    """Our door: checks each delivery with the connector and keeps what is new. `answers` are given before that, for retries."""

    def __init__(self) -> None:
        self.connector: Connector | None = None
        self.answers: list[int] = []
        self.raws: dict[str, Raw] = {}
        self.deliveries: list[Delivery] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                split = urlsplit(self.path)
                delivery = Delivery(
                    method="POST",
                    url=f"{hook.url}{split.path}",
                    query=tuple(parse_qsl(split.query, keep_blank_values=True)),
                    query_string=split.query,
                    headers=tuple((name.lower(), value) for name, value in self.headers.items()),
                    body=self.rfile.read(int(self.headers["content-length"])),
                    received_at=CLOCK.now(),
                )
                status, body = hook.take(delivery)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def take(self, delivery: Delivery) -> tuple[int, bytes]:
        self.deliveries.append(delivery)
        if self.answers:
            return self.answers.pop(0), b""
        assert self.connector is not None
        try:
            accepted = self.connector.receive(delivery)
        except Refused as refused:
            return refused.status, b""
        for raw in accepted.raws:
            self.raws.setdefault(raw.key, raw.stamped(tenant="t", connection="sign", door="webhook", received_at=CLOCK.now()))
        return accepted.reply.status, accepted.reply.body

    def events(self) -> list[Event]:
        assert self.connector is not None
        return [found for raw in self.raws.values() for found in self.connector.normalise(raw) if isinstance(found, Event)]

    def types(self) -> list[str]:
        return [event.type for event in self.events()]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def vendor() -> Iterator[Simulator]:
    simulator = Simulator(hurry=10_000)
    simulator.add_template("tpl", {"customer": True, "amount": True, "note": False})
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture
def hook() -> Iterator[Hook]:
    door = Hook()
    yield door
    door.stop()


@pytest.fixture
def connector(vendor: Simulator, hook: Hook) -> Iterator[Connector]:
    http = HttpClient(connection="sign", egress=Egress(allow=("127.0.0.1",)), attempts=1)
    hook.connector = Connector(context(vendor, hook, http))
    yield hook.connector
    http.close()


def context(vendor: Simulator, hook: Hook, http: HttpClient, **change: object) -> Context:
    settings = {
        "host": vendor.url,
        "app_id": vendor.app_id,
        "app_secret": vendor.app_secret,
        "template": "tpl",
        "own_name": "枢纽机械有限公司",
        "own_person": "王经办",
        "own_account": "19900000001",
        **change,
    }
    return Context(tenant="t", connection="sign", settings=settings, http=http, clock=CLOCK, hook_url=f"{hook.url}/hooks/sign")


def create(connector: Connector, **change: object) -> str:
    return connector.write("contract.create", {**WANTED, **change}, idempotency_key="k")


def test_a_contract_is_created_read_signed_by_both_and_fetched(vendor: Simulator, hook: Hook, connector: Connector) -> None:
    """The facts come in the order they happened, each with our number and the flow's id, and the signed file can be fetched."""
    flow = create(connector)
    vendor.open(flow, "buyer")
    vendor.callbacks.settle()
    vendor.sign(flow, "buyer")
    vendor.callbacks.settle()
    vendor.sign(flow, "seller")
    assert vendor.callbacks.settle()

    assert vendor.files[vendor.flows[flow]["body"]["docs"][0]["fileId"]]["values"] == WANTED["values"]
    assert sorted(hook.types()) == ["contract.partly_signed", "contract.partly_signed", "contract.signed", "contract.viewed"]
    for event in hook.events():
        assert isinstance(event.data, Contract)
        assert (event.subject, event.data.record) == ("SO-2026-0001", flow)
    ((file, body),) = connector.signed_files(flow)
    assert file.file_name == "SO-2026-0001 采购合同.pdf"
    assert body.startswith(b"%PDF")
    assert connector.signing_link(flow, "19900000002", "甲公司").startswith(vendor.url)


def test_twice_and_backwards_gives_the_same_facts(vendor: Simulator, hook: Hook, connector: Connector) -> None:
    """Every callback twice and in reverse order: the same raws, each once."""
    flow = create(connector)
    vendor.callbacks.hold = True
    vendor.sign(flow, "buyer")
    vendor.sign(flow, "seller")

    vendor.callbacks.release(backwards=True, copies=2)
    assert vendor.callbacks.settle()

    assert len(hook.deliveries) == 6
    assert hook.types() == ["contract.signed", "contract.partly_signed", "contract.partly_signed"]


def test_a_callback_that_is_not_taken_comes_again(vendor: Simulator, hook: Hook, connector: Connector) -> None:
    """Until it is answered with 2xx the vendor repeats it, with the same body."""
    flow = create(connector)
    hook.answers = [500, 503]

    vendor.open(flow, "buyer")
    assert vendor.callbacks.settle()

    assert [attempt["status"] for attempt in vendor.callbacks.sent] == [500, 503, 200]
    assert len({delivery.body for delivery in hook.deliveries}) == 1
    assert hook.types() == ["contract.viewed"]


@pytest.mark.parametrize(
    ("ends", "kinds"),
    [
        (lambda vendor, flow: vendor.refuse(flow, "buyer", "价格不对"), ["contract.declined", "contract.declined"]),
        (lambda vendor, flow: vendor.expire(flow), ["contract.expired"]),
    ],
)
def test_a_contract_that_is_not_signed_ends_by_name(
    vendor: Simulator, hook: Hook, connector: Connector, ends: object, kinds: list[str]
) -> None:
    """Refused and expired are told apart."""
    flow = create(connector)

    assert callable(ends)
    ends(vendor, flow)
    assert vendor.callbacks.settle()

    assert hook.types() == kinds


def test_a_contract_is_revoked_once(vendor: Simulator, hook: Hook, connector: Connector) -> None:
    """A revocation is told by callback; an ended flow cannot be revoked."""
    flow = create(connector)

    assert connector.write("contract.revoke", {"record": flow, "reason": "客户取消"}, idempotency_key="k") == flow
    assert vendor.callbacks.settle()

    assert vendor.flows[flow]["reason"] == "客户取消"
    assert hook.types() == ["contract.revoked"]
    with pytest.raises(VendorRefused):
        connector.write("contract.revoke", {"record": flow}, idempotency_key="k")


def test_a_missed_callback_is_made_up_for_by_asking(vendor: Simulator, hook: Hook, connector: Connector) -> None:
    """Asking how a flow stands gives the same fact; asking twice gives the same raw."""
    flow = create(connector)
    vendor.callbacks.hold = True
    vendor.sign(flow, "buyer")
    vendor.sign(flow, "seller")

    raw = connector.refetch(flow, contract="SO-2026-0001")
    raw = raw.stamped(tenant="t", connection="sign", door="poll", received_at=CLOCK.now())

    (event,) = list(connector.normalise(raw))
    assert isinstance(event, Event)
    assert event.type == "contract.signed"
    assert connector.refetch(flow, contract="SO-2026-0001").key == raw.key


def test_a_missing_required_field_is_refused(vendor: Simulator, connector: Connector) -> None:
    """We ask the vendor to check, because by default it lets gaps pass in silence."""
    with pytest.raises(VendorRefused, match="amount"):
        create(connector, values={"customer": "甲公司"})

    assert vendor.flows == {}


def test_a_wrong_secret_an_absent_host_and_a_failing_vendor_are_told_apart(
    vendor: Simulator, hook: Hook, connector: Connector
) -> None:
    """The probe names each of them."""
    http = HttpClient(connection="sign", egress=Egress(allow=("127.0.0.1",)), attempts=1)
    connector.probe()

    with pytest.raises(LoginRefused):
        Connector(context(vendor, hook, http, app_secret="wrong")).probe()
    vendor.fail_next(status=500)
    with pytest.raises(VendorFault):
        connector.probe()
    vendor.fail_next(status=429, headers={"Retry-After": "7"})
    with pytest.raises(RateLimited) as limited:
        Connector(context(vendor, hook, http)).probe()
    vendor.go_down()
    with pytest.raises(Unreachable):
        connector.probe()
    vendor.come_back()
    connector.probe()

    assert limited.value.after == 7
    http.close()


def test_a_create_whose_answer_is_lost_is_unknown(vendor: Simulator, connector: Connector) -> None:
    """The flow is there, we do not know it, and it is not made a second time."""
    create(connector)
    vendor.fail_next(status=0)

    with pytest.raises(VendorFault):
        connector.probe()  # a read: nothing is unknown

    client = connector._client
    vendor.fail_next(status=0)
    with pytest.raises(OutcomeUnknown):
        client.create({**next(iter(vendor.flows.values()))["body"]})

    assert len(vendor.flows) == 2


def test_a_forged_callback_is_refused(vendor: Simulator, hook: Hook, connector: Connector) -> None:
    """The simulator's own bytes with another contract's number in the address do not pass."""
    flow = create(connector)
    vendor.open(flow, "buyer")
    assert vendor.callbacks.settle()
    genuine = hook.deliveries[0]
    stolen = [(name, "SO-OTHER" if name == "contract" else value) for name, value in genuine.query]

    forged = Delivery(
        method="POST",
        url=genuine.url,
        query=tuple(stolen),
        query_string="contract=SO-OTHER",
        headers=genuine.headers,
        body=genuine.body,
        received_at=genuine.received_at,
    )

    assert hook.take(forged)[0] == 401
