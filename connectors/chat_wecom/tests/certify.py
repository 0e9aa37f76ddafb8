"""What the certification suite needs of 企业微信: signed callbacks, and the simulated vendor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.chat_wecom.connector import Connector
from connectors.chat_wecom.simulator import Simulator
from hub.core.connector import Context, Delivery
from hub.core.manifest import read_manifest
from hub.egress import Egress
from hub.http import HttpClient
from hub.testing import NOON, FixedClock, Genuine, context_for

MANIFEST = read_manifest(Path(__file__).resolve().parents[1] / "manifest.toml")


def settings() -> dict[str, object]:
    return Simulator().settings() | {"base_url": "https://qyapi.weixin.qq.com"}


def deliveries() -> list[Genuine]:
    """A message, a pressed button and the check of the address. The envelope's blanks and plain fields are not signed."""
    simulator = Simulator(now=NOON.timestamp)
    plains = (
        simulator.text_message("zhangsan", "库存 PUMP-100", number="4561255354251345929"),
        simulator.card_event("lisi", task="quote-1@v3", button="approve", code="RESPONSE_CODE"),
    )
    posted = []
    for plain in plains:
        query = simulator.signed(plain)
        body = simulator.envelope(query.pop("echostr"))
        posted.append(_genuine("POST", query, body))
    check = simulator.signed(b"1616140317555161061")
    return [*posted, _genuine("GET", check, b"", challenge=True)]


def _genuine(method: str, query: dict[str, str], body: bytes, *, challenge: bool = False) -> Genuine:
    delivery = Delivery(
        method=method,
        url="https://hub.example.com/hooks/chat-main",
        query=tuple(query.items()),
        headers=(("content-type", "text/xml"),),
        body=body,
        received_at=NOON,
    )
    return Genuine(delivery=delivery, signature="query:msg_signature", covers=frozenset({"time", "query"}), challenge=challenge)


class Vendor:
    """The simulator in the suite's words."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.settings = simulator.settings()
        self.clock = FixedClock()
        self.clients: list[HttpClient] = []
        self.sent = 0
        simulator.now = lambda: self.clock.now().timestamp()

    def context(self) -> Context:
        client = HttpClient(connection="chat-main", egress=Egress(allow=("127.0.0.1",)), clock=self.clock)
        self.clients.append(client)
        return context_for(MANIFEST, settings=self.settings, http=client, clock=self.clock)

    def call(self, connector: Connector) -> object:
        self.sent += 1
        return connector.write("chat.send", {"to": "zhangsan", "text": f"message {self.sent}"}, idempotency_key=f"k-{self.sent}")

    def logins(self) -> int:
        return self.simulator.logins

    def expire_tokens(self) -> None:
        self.simulator.expire_tokens()

    def refuse_login(self) -> None:
        self.simulator.secret = "another"

    def break_down(self) -> None:
        self.simulator.fail_next(status=500, times=50)

    def go_down(self) -> None:
        self.simulator.go_down()

    def slow_down(self, _seconds: int) -> int:
        """The vendor sends no Retry-After but 45009, whose penalty is a minute at least."""
        self.simulator.limit_for(60)
        return 60

    def recover(self) -> None:
        self.simulator.secret = Simulator().secret
        self.simulator.recover()
        self.simulator.come_back()


@contextmanager
def world() -> Iterator[Vendor]:
    simulator = Simulator()
    simulator.start()
    vendor = Vendor(simulator)
    try:
        yield vendor
    finally:
        simulator.stop()
        for client in vendor.clients:
            client.close()
