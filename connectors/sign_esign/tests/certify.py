"""What the certification suite needs of e签宝: a signed callback and the simulated vendor."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from connectors.sign_esign.simulator import Simulator
from hub.core.clock import SystemClock
from hub.egress import Egress
from hub.http import HttpClient
from hub.sdk import Context, Delivery
from hub.testing import Genuine

SECRET = "app-secret"
AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
BODY = b'{"action":"SIGN_FLOW_COMPLETE","timestamp":1772424000000,"signFlowId":"f0a1","signFlowStatus":"2"}'


def deliveries() -> list[Genuine]:
    stamp = str(int(AT.timestamp()) * 1000)
    mac = hmac.new(SECRET.encode(), f"{stamp}SO-2026-0001".encode() + BODY, "sha256").hexdigest()
    delivery = Delivery(
        method="POST",
        url="https://hub.example.com/hooks/sign-esign",
        query=(("contract", "SO-2026-0001"),),
        query_string="contract=SO-2026-0001",
        headers=(
            ("content-type", "application/json; charset=UTF-8"),
            ("x-tsign-open-app-id", "7438900001"),
            ("x-tsign-open-timestamp", stamp),
            ("x-tsign-open-signature-algorithm", "hmac-sha256"),
            ("x-tsign-open-signature", mac),
        ),
        body=BODY,
        received_at=AT,
    )
    return [
        Genuine(
            delivery=delivery,
            signature="header:X-Tsign-Open-SIGNATURE",
            covers=frozenset({"body", "time", "query"}),
            # By default age is not checked, because retries span hours; the suite checks it where it is set.
            settings={"app_secret": SECRET, "callback_age": 300},
        )
    ]


class Vendor:
    """The simulated vendor, and contexts of connections to it."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._secret = simulator.app_secret
        self._clients: list[HttpClient] = []

    def context(self) -> Context:
        http = HttpClient(connection="sign-esign", egress=Egress(allow=("127.0.0.1",)), attempts=1)
        self._clients.append(http)
        settings = {
            "host": self._simulator.url,
            "app_id": self._simulator.app_id,
            "app_secret": self._secret,
            "template": "tpl",
            "own_name": "枢纽机械有限公司",
            "own_person": "王经办",
            "own_account": "19900000001",
        }
        return Context(tenant="acme", connection="sign-esign", settings=settings, http=http, clock=SystemClock())

    def refuse_login(self) -> None:
        self._simulator.app_secret = "another"

    def go_down(self) -> None:
        self._simulator.go_down()

    def break_down(self) -> None:
        self._simulator.fail_next(status=500, times=100)

    def slow_down(self, seconds: int) -> None:
        self._simulator.fail_next(status=429, times=100, headers={"Retry-After": str(seconds)})

    def recover(self) -> None:
        self._simulator.app_secret = self._secret
        self._simulator.stop_failing()
        self._simulator.come_back()

    def close(self) -> None:
        for client in self._clients:
            client.close()


@contextmanager
def world() -> Iterator[Vendor]:
    simulator = Simulator()
    simulator.add_template("tpl", {"customer": True})
    simulator.start()
    vendor = Vendor(simulator)
    try:
        yield vendor
    finally:
        vendor.close()
        simulator.stop()
