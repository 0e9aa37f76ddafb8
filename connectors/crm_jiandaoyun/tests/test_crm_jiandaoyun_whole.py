"""简道云 over real sockets: pushes, polling for what is not pushed, and writing back, against the simulated vendor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from connectors.crm_jiandaoyun.connector import Connector
from connectors.crm_jiandaoyun.simulator import Simulator
from hub.egress import Egress
from hub.http import HttpClient
from hub.sdk import (
    Context,
    Cursor,
    Delivery,
    Event,
    Ignored,
    LoginRefused,
    RateLimited,
    Raw,
    Refused,
    Unreachable,
    VendorFault,
)

QUOTES, CUSTOMERS = ("a1", "e1"), ("a1", "e2")
FIELDS = ["报价单号", "客户名称", "产品明细", "状态", "库存结论", "枢纽标记"]
VALUES = {"报价单号": "Q-1", "客户名称": "甲公司", "产品明细": [{"产品编码": "P-1", "数量": 5}], "状态": "待核库存"}


class Ticking:
    """A clock for both sides that goes only when it is told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Hook:
    """Our door."""

    def __init__(self, clock: Ticking) -> None:
        self.connector: Connector | None = None
        self.raws: dict[str, Raw] = {}
        self.known = 0
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                split = urlsplit(self.path)
                delivery = Delivery(
                    method="POST",
                    url=hook.url,
                    query=tuple(parse_qsl(split.query, keep_blank_values=True)),
                    query_string=split.query,
                    headers=tuple((name.lower(), value) for name, value in self.headers.items()),
                    body=self.rfile.read(int(self.headers["content-length"])),
                    received_at=clock.now(),
                )
                assert hook.connector is not None
                try:
                    hook.keep(hook.connector.receive(delivery).raws)
                    self.send_response(200)
                except Refused as refused:
                    self.send_response(refused.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._clock = clock
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hooks/crm"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def keep(self, raws: tuple[Raw, ...]) -> None:
        """As intake does: the same raw twice is counted once."""
        for raw in raws:
            stamped = raw.stamped(tenant="t", connection="crm", door="webhook", received_at=self._clock.now())
            self.known += stamped.id in self.raws
            self.raws.setdefault(stamped.id, stamped)

    def meaning(self) -> list[str]:
        assert self.connector is not None
        found = [one for raw in self.raws.values() for one in self.connector.normalise(raw)]
        return [one.type if isinstance(one, Event) else one.rule for one in found]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def hook(clock: Ticking) -> Iterator[Hook]:
    door = Hook(clock)
    yield door
    door.stop()


@pytest.fixture
def vendor(clock: Ticking, hook: Hook) -> Iterator[Simulator]:
    simulator = Simulator(now=lambda: clock.now().timestamp())
    simulator.add_form(*QUOTES, FIELDS, push_to=hook.url)
    simulator.add_form(*CUSTOMERS, ["客户编码", "客户名称"], push_to=hook.url)
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture
def http(clock: Ticking) -> Iterator[HttpClient]:
    client = HttpClient(connection="crm", egress=Egress(allow=("127.0.0.1",)), clock=clock, attempts=1)
    yield client
    client.close()


def context(vendor: Simulator, http: HttpClient, clock: Ticking, **change: object) -> Context:
    settings = {
        "host": vendor.url,
        "api_key": vendor.api_key,
        "push_secret": vendor.push_secret,
        "forms": {"quote": {"app": "a1", "entry": "e1"}, "customer": {"app": "a1", "entry": "e2"}},
        "page_size": 2,
        **change,
    }
    return Context(tenant="t", connection="crm", settings=settings, http=http, clock=clock)


@pytest.fixture
def connector(vendor: Simulator, hook: Hook, http: HttpClient, clock: Ticking) -> Connector:
    hook.connector = Connector(context(vendor, http, clock))
    return hook.connector


def poll(connector: Connector, hook: Hook, cursor: Cursor | None, stream: str = "quote") -> Cursor:
    for page in connector.pull(stream, cursor):
        hook.keep(page.raws)
        cursor = page.cursor
    assert cursor is not None
    return cursor


def test_a_push_and_a_poll_of_the_same_change_are_one_raw(
    vendor: Simulator, hook: Hook, connector: Connector, clock: Ticking
) -> None:
    """Whichever comes first, the other is known."""
    vendor.user_creates(QUOTES, VALUES)
    clock.pass_by(60)

    poll(connector, hook, None)

    assert hook.meaning() == ["quote.requested"]
    assert hook.known == 1
    assert vendor.push_again() == 200
    assert hook.meaning() == ["quote.requested"]


def test_what_is_changed_in_bulk_is_found_by_polling(vendor: Simulator, hook: Hook, connector: Connector, clock: Ticking) -> None:
    """Bulk edits, imports and API changes are not pushed."""
    record = vendor.user_creates(QUOTES, VALUES)
    clock.pass_by(60)
    cursor = poll(connector, hook, None)
    vendor.user_updates(QUOTES, record, {"状态": "已批准"}, pushed=False)
    clock.pass_by(60)

    poll(connector, hook, cursor)

    assert hook.meaning() == ["quote.requested", "quote.approved"]


def test_writing_back_does_not_come_back_as_news(vendor: Simulator, hook: Hook, connector: Connector, clock: Ticking) -> None:
    """The answer stands in the quote; polling sees it and knows it is ours; the next change by a person is news."""
    record = vendor.user_creates(QUOTES, VALUES)
    clock.pass_by(60)
    cursor = poll(connector, hook, None)

    connector.write(
        "record.update", {"record": record, "values": {"stock_verdict": "缺 2 件，3 月 9 日可齐"}}, idempotency_key="k"
    )
    clock.pass_by(60)
    cursor = poll(connector, hook, cursor)

    assert vendor.forms[QUOTES][record]["库存结论"] == "缺 2 件，3 月 9 日可齐"
    assert len(vendor.pushed) == 1
    assert hook.meaning() == ["quote.requested", "our_own_change"]
    vendor.user_updates(QUOTES, record, {"状态": "已批准"})
    assert hook.meaning() == ["quote.requested", "our_own_change", "quote.approved"]


def test_our_own_change_of_the_status_is_no_news_either(
    vendor: Simulator, hook: Hook, connector: Connector, clock: Ticking
) -> None:
    """The marker is that of the content after our change."""
    record = vendor.user_creates(QUOTES, {**VALUES, "状态": "草稿"})

    connector.write("record.update", {"number": "Q-1", "values": {"status": "待核库存"}}, idempotency_key="k")
    clock.pass_by(60)
    poll(connector, hook, None)

    assert vendor.forms[QUOTES][record]["状态"] == "待核库存"
    assert hook.meaning() == ["status_without_a_fact", "our_own_change"]


def test_a_record_is_created_once_however_often_it_is_asked_for(vendor: Simulator, connector: Connector) -> None:
    """The transaction id makes a repeat harmless, also where the first answer was lost."""
    ask = {"form": "customer", "values": {"number": "C-9", "name": "乙公司"}}
    vendor.fail_next(status=0)

    with pytest.raises(VendorFault):
        connector.write("record.create", ask, idempotency_key="k")
    first = connector.write("record.create", ask, idempotency_key="k")

    assert connector.write("record.create", ask, idempotency_key="k") == first
    assert len(vendor.forms[CUSTOMERS]) == 1
    assert connector.write("record.create", ask, idempotency_key="l") != first


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_stopping_after_any_page_loses_and_doubles_nothing(
    vendor: Simulator, hook: Hook, connector: Connector, clock: Ticking, stop: int
) -> None:
    """The window stands in the cursor until it is read to its end, though records change meanwhile."""
    vendor.pushes_to.clear()
    records = [vendor.user_creates(QUOTES, {**VALUES, "报价单号": f"Q-{n}"}) for n in range(5)]
    clock.pass_by(60)
    pages = connector.pull("quote", None)
    cursor: Cursor | None = None
    for page, _ in zip(pages, range(stop), strict=False):
        hook.keep(page.raws)
        cursor = msgspec.json.decode(msgspec.json.encode(page.cursor), type=Cursor)
    vendor.user_updates(QUOTES, records[0], {"客户名称": "乙公司"})
    clock.pass_by(60)

    cursor = poll(connector, hook, cursor)
    poll(connector, hook, cursor)

    assert len(hook.raws) == 6
    assert hook.meaning() == ["quote.requested"] * 6


def test_a_change_seen_late_is_found_by_the_overlap(vendor: Simulator, hook: Hook, connector: Connector, clock: Ticking) -> None:
    """A record whose stamp lies before the last window's end, but that was not visible then, still comes."""
    cursor = poll(connector, hook, None)
    clock.pass_by(-60)
    vendor.user_creates(QUOTES, VALUES)
    hook.raws.clear()
    clock.pass_by(120)

    poll(connector, hook, cursor)

    assert hook.meaning() == ["quote.requested"]


def test_half_a_page_is_not_taken(vendor: Simulator, hook: Hook, connector: Connector, clock: Ticking) -> None:
    """A page without ids or that goes back is the vendor's fault, and the cursor stays."""
    vendor.user_creates(QUOTES, VALUES)
    clock.pass_by(60)
    for body in ({"data": [{"报价单号": "Q-1"}]}, {"data": [1]}, {"data": [{"_id": ""}]}):
        vendor.fail_next(status=200, body=body)
        with pytest.raises(VendorFault):
            list(connector.pull("quote", None))
    vendor.fail_next(status=200, body={"data": [{"_id": "1"}, {"_id": "2"}]}, times=2)
    with pytest.raises(VendorFault, match="does not go on"):
        list(connector.pull("quote", None))


def test_a_stream_without_a_form_has_nothing(vendor: Simulator, http: HttpClient, clock: Ticking) -> None:
    """A connection that names no customer form polls none."""
    only = Connector(context(vendor, http, clock, forms={"quote": {"app": "a1", "entry": "e1"}}))

    (page,) = list(only.pull("customer", None))

    assert page.complete
    assert page.raws == ()
    assert vendor.calls == []


def test_a_forged_push_is_refused(vendor: Simulator, hook: Hook, connector: Connector) -> None:
    """The wrong secret in the vendor's console is noticed at the first push."""
    vendor.push_secret = "another"

    vendor.user_creates(QUOTES, VALUES)

    assert vendor.pushed[0]["status"] == 401
    assert hook.raws == {}


def test_a_removed_record_is_kept_and_ignored(vendor: Simulator, hook: Hook, connector: Connector, clock: Ticking) -> None:
    """Removals are pushed, and mean nothing to the ledger."""
    record = vendor.user_creates(QUOTES, {**VALUES, "状态": "草稿"})
    clock.pass_by(1)
    vendor.user_updates(QUOTES, record, {"客户名称": "丙"})
    assert connector.labels("quote")["报价单号"] == "报价单号"

    vendor.user_removes(QUOTES, record)

    assert vendor.pushed[-1]["status"] == 200
    assert hook.meaning() == ["status_without_a_fact", "status_without_a_fact"]
    raw = Raw(stream="quote", key="k", body=b"{}", headers={"op": "data_remove"})
    assert list(connector.normalise(raw)) == [Ignored(rule="removed")]


def test_failures_are_told_apart(vendor: Simulator, connector: Connector, http: HttpClient, clock: Ticking) -> None:
    """A refused key, a limit, a failing vendor and an absent one each have their name."""
    connector.probe()

    with pytest.raises(LoginRefused):
        Connector(context(vendor, http, clock, api_key="wrong")).probe()
    vendor.fail_next(status=500)
    with pytest.raises(VendorFault):
        connector.probe()
    vendor.per_second = 0
    with pytest.raises(RateLimited):
        connector.probe()
    vendor.per_second = 50
    vendor.go_down()
    with pytest.raises(Unreachable):
        connector.probe()
    vendor.come_back()
    connector.probe()


def test_two_years_of_records_come_once(vendor: Simulator, hook: Hook, http: HttpClient, clock: Ticking) -> None:
    """A backfill begins before everything; a second one brings the same raws."""
    vendor.pushes_to.clear()
    hook.connector = Connector(context(vendor, http, clock, page_size=100))
    clock.pass_by(-730 * 86_400)
    for number in range(730):
        vendor.user_creates(QUOTES, {**VALUES, "报价单号": f"Q-{number}"})
        clock.pass_by(86_400)

    poll(hook.connector, hook, None)
    assert (len(hook.raws), hook.known) == (730, 0)
    poll(hook.connector, hook, None)

    assert (len(hook.raws), hook.known) == (730, 730)
    assert hook.meaning() == ["quote.requested"] * 730
