"""The demo's stage: simulated vendors as real HTTP servers on loopback, and an embedded hub that is connected to them."""

from __future__ import annotations

import base64
import importlib
import os
import secrets
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from hub.api.server import http_server
from hub.bootstrap import Hub
from hub.configure import apply_configuration
from hub.settings import Settings, load_settings
from hub.store import tables as t
from hub.store.sql import Store
from webhooks.outgoing import wanted

QUOTE_FORM = ("app-sales", "form-quote")
TEMPLATE = "tpl-sales"
_LOOPBACK = ("127.0.0.0/8",)
_QUOTE_FIELDS = [
    "报价单号",
    "客户名称",
    "客户编码",
    "产品明细",
    "销售员",
    "付款条件",
    "金额",
    "状态",
    "联系人",
    "联系电话",
    "库存结论",
    "合同状态",
    "回款状态",
    "枢纽标记",
]


class Receiver:
    """Another system that wants our events: it keeps what it is sent."""

    def __init__(self) -> None:
        self.deliveries: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                receiver.deliveries.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/events"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Plant:
    """Everything the day needs, started by `start` and stopped by `stop`."""

    def __init__(self, *, port: int, **settings: Any) -> None:
        self._given = settings
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._home = tempfile.TemporaryDirectory(prefix="shuniu-demo-")
        self.shop_secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        self.receiver = Receiver()
        self.crm = _simulator("crm_jiandaoyun")
        self.erp = _simulator("erp_tryton")
        self.sign = _simulator("sign_esign")
        self.chat = _simulator("chat_wecom")
        self.hub: Hub
        self.api = httpx.Client(base_url=self.url + "/api/v1", timeout=30, trust_env=False)
        self._server: Any = None
        self._thread: threading.Thread | None = None

    @property
    def store(self) -> Store:
        return self.hub.store

    def start(self) -> None:
        """Start the vendors, then the hub, then connect them."""
        for simulator in (self.crm, self.erp, self.sign, self.chat):
            simulator.start()
        self.crm.add_form(*QUOTE_FORM, _QUOTE_FIELDS, push_to=f"{self.url}/hooks/crm")
        self.sign.add_template(TEMPLATE, {"buyer": True, "amount": True, "goods": False})
        self.hub = Hub(self._settings())
        self.hub.prepare()
        with _environment(self._secrets()):
            for _ in apply_configuration(self.hub, Path(__file__).parent / "configuration" / "day.toml", by="demo"):
                pass
        self.hub.start("all")
        self._server = http_server(self.hub)
        self._thread = threading.Thread(target=self._server.run, name="http", daemon=True)
        self._thread.start()
        self.until("the hub answers", lambda: self._server.started, seconds=15)

    def _settings(self) -> Settings:
        """The hub's settings: its own home, nothing from the environment but what is given."""
        given = {"database_url": "", "bus_url": "", "bus_prefix": "", "secret_key": "", "public_url": "", "api_token": ""}
        return load_settings(
            None,
            home=Path(self._home.name),
            host="127.0.0.1",
            port=self.port,
            egress_allow=_LOOPBACK,
            tenant_name="枢纽样板机械",
            **given | self._given,
        )

    def stop(self) -> None:
        """Stop the server, the hub and the vendors."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=10)
        self.hub.stop()
        for simulator in (self.crm, self.erp, self.sign, self.chat):
            simulator.stop()
        self.receiver.stop()
        self.api.close()
        self._home.cleanup()

    def wait(self) -> None:
        """Stay open until the server is asked to end."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout=0.5)

    def until(self, what: str, true: Callable[[], Any], *, seconds: float = 15.0) -> float:
        """Wait until something is so; returns the seconds it took, raises `NotSo` where it does not come."""
        began = time.monotonic()
        while not true():
            if time.monotonic() - began > seconds:
                raise NotSo(f"{what}: not within {seconds:.0f} s")
            time.sleep(0.005)
        return time.monotonic() - began

    def idle(self) -> None:
        """Wait until nothing is under way in the hub."""
        self.until("the hub comes to rest", lambda: not self._busy(), seconds=60)

    def _busy(self) -> bool:
        """Whether a raw, a fact or an action is not dealt with yet, at either size."""
        actions = sa.select(sa.func.count()).where(t.actions.c.state.in_(("waiting", "started")))
        counts = [sa.select(sa.func.count()).select_from(table) for table in (t.inbox, t.outbox)]
        with self.store.read_transaction() as connection:
            if any(connection.execute(query).scalar_one() for query in (actions, *counts)):
                return True
            types = connection.execute(sa.select(t.events.c.type, sa.func.count()).group_by(t.events.c.type)).all()
            dealt: Counter[str] = Counter()
            for table in (t.seen, t.held):
                rows = connection.execute(sa.select(table.c.subscriber, sa.func.count()).group_by(table.c.subscriber))
                for name, count in rows:
                    dealt[name] += count
        return any(
            sum(count for type_, count in types if wanted(one.patterns, type_)) > dealt[one.name]
            for one in self.hub.subscribers.all
        )

    def _secrets(self) -> Mapping[str, str]:
        return {
            "DEMO_CRM_URL": self.crm.url,
            "DEMO_CRM_KEY": self.crm.api_key,
            "DEMO_CRM_PUSH_SECRET": self.crm.push_secret,
            "DEMO_ERP_URL": self.erp.url,
            "DEMO_ERP_PASSWORD": self.erp.password,
            "DEMO_SIGN_URL": self.sign.url,
            "DEMO_SIGN_SECRET": self.sign.app_secret,
            "DEMO_CHAT_URL": self.chat.url,
            "DEMO_CHAT_CORP": self.chat.corp_id,
            "DEMO_CHAT_SECRET": self.chat.secret,
            "DEMO_SHOP_SECRET": self.shop_secret,
        }


class NotSo(Exception):
    """A step of the day did not come out as it must."""


class _environment:
    """Variables set for the time of a block."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __enter__(self) -> None:
        os.environ.update(self._values)

    def __exit__(self, *_: object) -> None:
        for name in self._values:
            os.environ.pop(name, None)


def _simulator(connector: str) -> Any:
    """The vendor's simulator, found as connectors are: by the folder's name."""
    return importlib.import_module(f"connectors.{connector}.simulator").Simulator()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
