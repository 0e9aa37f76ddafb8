"""What the certification suite needs of 简道云: a signed push and the simulated vendor."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from connectors.crm_jiandaoyun.simulator import Simulator
from hub.core.clock import SystemClock
from hub.egress import Egress
from hub.http import HttpClient
from hub.sdk import Context, Delivery
from hub.testing import Genuine

AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SECRET = "jdy-secret"
QUOTES, CUSTOMERS = (
    ("5f00000000000000000000a1", "5f00000000000000000000b1"),
    ("5f00000000000000000000a1", "5f00000000000000000000b2"),
)
FORMS = {
    "quote": {"app": QUOTES[0], "entry": QUOTES[1]},
    "customer": {"app": CUSTOMERS[0], "entry": CUSTOMERS[1]},
}
BODY = (
    '{"op":"data_update","opTime":1772424000000,"data":{"_id":"5f0000000000000000000001",'
    '"entryId":"5f00000000000000000000b1","updateTime":"2026-03-02T04:00:00.000Z","报价单号":"Q-1","状态":"草稿"}}'
).encode()


def settings() -> dict[str, object]:
    return {"forms": FORMS}


def deliveries() -> list[Genuine]:
    stamp = str(int(AT.timestamp()))
    signature = hashlib.sha1(b":".join([b"a1b2c3", BODY, SECRET.encode(), stamp.encode()])).hexdigest()
    delivery = Delivery(
        method="POST",
        url="https://hub.example.com/hooks/crm-jiandaoyun",
        query=(("nonce", "a1b2c3"), ("timestamp", stamp)),
        query_string=f"nonce=a1b2c3&timestamp={stamp}",
        headers=(
            ("content-type", "application/json"),
            ("x-jdy-signature", signature),
            ("x-jdy-deliverid", "0123456789abcdef01234567"),
        ),
        body=BODY,
        received_at=AT,
    )
    # Nonce and time are all that stands in the query, and both are signed; a further parameter would not be.
    return [
        Genuine(
            delivery=delivery,
            signature="header:X-JDY-Signature",
            covers=frozenset({"body", "time", "query"}),
            settings={"push_secret": SECRET},
        )
    ]


class Vendor:
    """The simulated vendor, and contexts of connections to it."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._key = simulator.api_key
        self._clients: list[HttpClient] = []

    def context(self) -> Context:
        http = HttpClient(connection="crm-jiandaoyun", egress=Egress(allow=("127.0.0.1",)), attempts=1)
        self._clients.append(http)
        settings = {"host": self._simulator.url, "api_key": self._key, "forms": FORMS, "page_size": 2, "push_secret": SECRET}
        return Context(tenant="acme", connection="crm-jiandaoyun", settings=settings, http=http, clock=SystemClock())

    def refuse_login(self) -> None:
        self._simulator.api_key = "another"

    def go_down(self) -> None:
        self._simulator.go_down()

    def break_down(self) -> None:
        self._simulator.fail_next(status=500, times=100)

    def slow_down(self, seconds: int) -> int:
        """The vendor names no time to wait: a call over the limit is answered 400 with code 8303, and a second later all is well."""
        self._simulator.per_second = 0
        return 1

    def recover(self) -> None:
        self._simulator.api_key = self._key
        self._simulator.per_second = 1000
        self._simulator.stop_failing()
        self._simulator.come_back()

    def close(self) -> None:
        for client in self._clients:
            client.close()


@contextmanager
def world() -> Iterator[Vendor]:
    simulator = Simulator(per_second=1000, now=lambda: time.time() - 60)
    simulator.add_form(*QUOTES, ["报价单号", "状态"])
    simulator.add_form(*CUSTOMERS, ["客户编码", "客户名称"])
    for number in range(5):
        simulator.user_creates(QUOTES, {"报价单号": f"Q-{number}", "状态": "草稿"})
        simulator.user_creates(CUSTOMERS, {"客户编码": f"C-{number}", "客户名称": f"客户{number}"})
    simulator.start()
    vendor = Vendor(simulator)
    try:
        yield vendor
    finally:
        vendor.close()
        simulator.stop()
