"""Every endpoint of /openapi.json keeps its word, whatever it is sent: schemathesis against a real embedded hub with data in it."""

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CheckContext
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case
from schemathesis.python.asgi import ASGIClient, get_client
from schemathesis.specs.openapi import checks as rules

from hub import tracing
from hub.api import create_app
from hub.api.app import routed
from hub.api.problems import SCHEMA
from hub.bootstrap import Hub
from hub.core.event import decided
from hub.core.vocabulary import StockChanged, Supply
from hub.demo.samples import order_book, orders_csv, statement_csv, statement_rows
from hub.ledger.record import record
from hub.settings import load_settings
from hub.store import ledger_tables as l
from hub.store import tables as t

TOKEN = "a token of this test"
ORDERS = order_book(12)
STATEMENT = statement_csv(statement_rows(ORDERS, 12))
CONFIGURATION = Path(__file__).parents[2] / "hub" / "demo" / "configuration"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with orders, a statement, receipts, stock, definitions, a subscription, and something parked."""
    home = tmp_path_factory.mktemp("hub")
    hub = Hub(load_settings(None, home=home, api_token=TOKEN, database_url="", bus_url="", secret_key="", public_url=""))
    hub.prepare()
    try:
        for kind, name in (("map", "order-book"), ("flow", "quote-answered")):
            hub.definitions.save("main", kind, name, (CONFIGURATION / f"{name}.toml").read_text(encoding="utf-8"), by="test")
        hub.definitions.save("main", "policy", "receipts", 'version = "test-1"\n', by="test")
        hub.registry.save("main", "bank", connector="bank_csv", settings={})
        columns = {"key_columns": ["order_no"]}
        hub.registry.save("main", "orders", connector="file_csv", settings=columns, field_map="order-book")
        hub.registry.save("main", "shop", connector="http_webhook", settings={"style": "unsigned"})
        hub.outgoing.subscribe("main", url="https://127.0.0.1:9/events", types=["lead.created"])
        hub.start("all")
        book = orders_csv(ORDERS) + orders_csv(order_book(13)[12:]).splitlines()[1].replace(b".", b"..", 1) + b"\n"
        for name, body, connection in (("orders.csv", book, "orders"), ("statement.csv", STATEMENT, "bank")):
            hub.files.accept("main", name, body, connection=connection)
        with hub.store.work("main") as work:
            stock = StockChanged(
                sku="PUMP-1",
                as_of=work.clock.now(),
                supplies=(Supply(sku="PUMP-1", warehouse="WH", on_hand=Decimal(9), source="t"),),
            )
            now = work.clock.now()
            record(
                work,
                [decided("stock.changed", tenant="main", by="test", subject="PUMP-1", data=stock, occurred_at=now, once="1")],
            )
        until = time.monotonic() + 30
        while not _at_rest(hub) and time.monotonic() < until:
            time.sleep(0.02)
        yield hub
    finally:
        hub.stop()


def _at_rest(hub: Hub) -> bool:
    """Both files are read, and every receipt has been looked at."""
    with hub.store.look("main") as work:
        states = set(work.connection.execute(sa.select(l.receipts.c.state)).scalars())
        parked = tracing.parked(work, limit=1, kind="raw")
        waiting = work.connection.execute(sa.select(t.inbox.c.raw).limit(1)).first()
    return bool(states) and "new" not in states and bool(parked) and waiting is None


@pytest.fixture(scope="module")
def client(hub: Hub) -> Iterator[ASGIClient]:
    with get_client(create_app(hub)) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield client


@pytest.fixture(scope="module")
def schema(client: ASGIClient) -> Any:
    """The document as it is served. Who may call is tried elsewhere: here everything has the token."""
    document = client.get("http://testserver/openapi.json").json()
    for methods in document["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
    refused = {"expected-statuses": [400, 401, 403, 404, 405, 409, 412, 413, 415, 422]}
    # A NUL is refused before anything else is looked at (tried elsewhere): with one in every other body nothing else would be.
    generation = {"allow-x00": False}
    config = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": refused}, "generation": generation})
    return schemathesis.openapi.from_dict(document, config=config)


@pytest.fixture(scope="module")
def known(hub: Hub) -> dict[str, list[str]]:
    """Things that exist, by what stands before their id in an address."""
    with hub.store.look("main") as work:
        events = tracing.latest(work, limit=20)
        parked = tracing.parked(work, limit=5, kind=None)
        receipts = list(work.connection.execute(sa.select(l.receipts.c.id).order_by(l.receipts.c.id)).scalars())
        files = list(work.connection.execute(sa.select(t.files.c.id)).scalars())
    found = {
        "events": [event.id for event in events],
        "raws": [event.trace for event in events if event.trace.startswith("raw_")],
        "parked": [one["id"] for one in parked],
        "statements": files,
        "receipts": receipts,
        "connections": ["bank", "shop", "orders"],
        "subscriptions": [one["id"] for one in hub.outgoing.subscriptions("main")],
        "maps": ["order-book"],
        "flows": ["quote-answered"],
        "policies": ["receipts"],
    }
    assert all(found.values()), found
    return found


def refusals_are_problems(_context: CheckContext, response: Response, _case: Case) -> None:
    """A refusal says what happened and what to do next, in the form that RFC 9457 gives it."""
    if response.status_code < 400:
        return
    assert response.headers["content-type"] == ["application/problem+json"]
    told = json.loads(response.content)
    assert set(SCHEMA["required"]) <= set(told)
    assert told["status"] == response.status_code
    assert told["type"].startswith("urn:shuniu:") and told["title"] and told["next"]


def nothing_is_ours(_context: CheckContext, response: Response, _case: Case) -> None:
    """What a stranger sends is never a fault of ours; only the vendor's side may be (502)."""
    assert response.status_code < 500 or response.status_code == 502, response.text


CHECKS = [
    nothing_is_ours,
    refusals_are_problems,
    rules.status_code_conformance,
    rules.content_type_conformance,
    rules.response_schema_conformance,
    rules.negative_data_rejection,
    rules.unsupported_method,
]


DOCUMENT = routed().openapi()["paths"]
OPERATIONS = [
    pytest.param(path, method.upper(), mode, id=f"{method.upper()} {path} {mode.value}")
    for path, method, told in sorted(
        ((path, method, told) for path, methods in DOCUMENT.items() for method, told in methods.items()),
        key=lambda operation: operation[1] == "delete",  # last, or nothing would be left to try the others on
    )
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE
    or "parameters" in told
    or "requestBody" in told  # what takes nothing cannot be sent wrongly
]


@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
def test_an_endpoint_keeps_its_word(
    schema: Any, client: ASGIClient, known: dict[str, list[str]], path: str, method: str, mode: GenerationMode
) -> None:
    """Any request is either carried out or refused with a problem document, and the answer is what the document says."""
    name, _, rest = path.removeprefix("/api/v1/").partition("/{")
    exist = st.sampled_from(known[name]) if rest else st.none()

    @settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    @given(schema[path][method].as_strategy(generation_mode=mode), st.none() | exist)
    def keeps_its_word(case: Case, exists: str | None) -> None:
        if exists is not None and mode is GenerationMode.POSITIVE:
            case.path_parameters = {rest.partition("}")[0]: exists}

        case.call_and_validate(base_url="http://testserver", session=client, checks=CHECKS)

    keeps_its_word()
