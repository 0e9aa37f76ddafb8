"""What the certification suite needs of Tryton: the simulated server, in pages of one record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from connectors.erp_tryton.connector import Connector
from connectors.erp_tryton.simulator import Simulator
from hub.core.connector import Context
from hub.core.manifest import read_manifest
from hub.egress import Egress
from hub.http import HttpClient
from hub.testing import NOON, FixedClock, context_for

MANIFEST = read_manifest(Path(__file__).resolve().parents[1] / "manifest.toml")


class Vendor:
    """The simulator in the suite's words. All its records have one stamp, so that only ids tell them apart."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.settings = simulator.settings() | {"page_size": 1, "warehouses": []}
        self.clock = FixedClock(NOON + timedelta(seconds=60))
        self.clients: list[HttpClient] = []

    def context(self) -> Context:
        client = HttpClient(connection="erp-main", egress=Egress(allow=("127.0.0.1",)), clock=self.clock)
        self.clients.append(client)
        return context_for(MANIFEST, settings=self.settings, http=client, clock=self.clock, zone="UTC")

    def call(self, connector: Connector) -> object:
        return connector.stock(["PUMP-100"])

    def logins(self) -> int:
        return self.simulator.logins

    def expire_tokens(self) -> None:
        self.simulator.expire_sessions()

    def refuse_login(self) -> None:
        self.simulator.password = "another"

    def break_down(self) -> None:
        self.simulator.fail_next(status=500, times=50)

    def go_down(self) -> None:
        self.simulator.go_down()

    def slow_down(self, seconds: int) -> int:
        """Tryton answers 429 to logins after failed ones, and names no time: the connector waits five minutes."""
        self.simulator.fail_next(status=429, times=50)
        return 300

    def recover(self) -> None:
        self.simulator.password = str(self.settings["password"])
        self.simulator.recover()
        self.simulator.come_back()


@contextmanager
def world() -> Iterator[Vendor]:
    simulator = Simulator(now=lambda: NOON)
    simulator.start()
    vendor = Vendor(simulator)
    try:
        yield vendor
    finally:
        simulator.stop()
        for client in vendor.clients:
            client.close()
