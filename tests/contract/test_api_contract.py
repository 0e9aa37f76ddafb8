"""Every endpoint of /openapi.json keeps its word, whatever it is sent: schemathesis against a real embedded hub with data in it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
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
from hub.settings import load_settings

TOKEN = "a token of this test"
STATEMENT = """交易日期,交易时间,收入金额,支出金额,账户余额,对方户名,对方账号,摘要,交易流水号
2026-11-02,09:01:00,100.00,,1100.00,苏州恒励精密机械有限公司,6222000000000001,货款 SO-1,2026110200000001
2026-11-02,09:02:00,250.00,,1350.00,王建国,6222000000000002,往来款,2026110200000002
2026-11-03,09:03:00,,50.00,1300.00,税务局,6222000000000003,税款,2026110300000003
"""
ORDERS = "order_no,customer,amount,due\nSO-1,苏州恒励精密机械有限公司,100.00,2026-11-30\nSO-2,宁波东沐,80.00,2026-11-30\n"
MAP = """name = "orders"
target = "order.placed"
version = 1
[subject]
from = "order_no"
[fields]
order = "order_no"
customer_name = "customer"
amount = { from = "amount", number = true }
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with a bank, a webhook, a statement, a parked raw and a subscription."""
    home = tmp_path_factory.mktemp("hub")
    hub = Hub(load_settings(None, home=home, api_token=TOKEN, database_url="", bus_url="", secret_key="", public_url=""))
    hub.prepare()
    hub.registry.save("main", "bank", connector="bank_csv", settings={})
    hub.registry.save("main", "shop", connector="http_webhook", settings={"style": "unsigned"})
    hub.start("all")
    job = hub.files.accept("main", "statement.csv", STATEMENT.encode(), connection="bank")
    hub.outgoing.subscribe("main", url="https://127.0.0.1:9/events", types=["lead.created"])
    try:
        while hub.files.job("main", job.id).state in ("waiting", "reading"):
            hub.store.bells.wait("files", hub.store.bells.count("files"), 0.05)
        yield hub
    finally:
        hub.stop()


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
    config = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": refused}})
    return schemathesis.openapi.from_dict(document, config=config)


@pytest.fixture(scope="module")
def known(hub: Hub) -> dict[str, list[str]]:
    """Things that exist, by what stands before their id in an address."""
    with hub.store.look("main") as work:
        events = tracing.latest(work, limit=20)
        parked = tracing.parked(work, limit=5, kind=None)
    return {
        "events": [event.id for event in events],
        "raws": [event.trace for event in events],
        "parked": [one["id"] for one in parked],
        "statements": [hub.files.accept("main", "statement.csv", STATEMENT.encode(), connection="bank").id],
        "receipts": [event.subject for event in events if event.type == "receipt.received"],
        "connections": ["bank", "shop"],
        "subscriptions": [one["id"] for one in hub.outgoing.subscriptions("main")],
        "maps": ["orders"],
        "flows": ["f"],
        "policies": ["p"],
    }


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
    for path, methods in DOCUMENT.items()
    for method, told in methods.items()
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
    exist = st.sampled_from(known[name]) if rest and known[name] else st.none()

    @settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    @given(schema[path][method].as_strategy(generation_mode=mode), st.none() | exist)
    def keeps_its_word(case: Case, exists: str | None) -> None:
        if exists is not None and mode is GenerationMode.POSITIVE:
            case.path_parameters = {rest.partition("}")[0]: exists}

        case.call_and_validate(base_url="http://testserver", session=client, checks=CHECKS)

    keeps_its_word()
