"""The client and the writes of 简道云: what goes out, and what each failure is called."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from connectors.crm_jiandaoyun.client import Client, exact
from connectors.crm_jiandaoyun.connector import Connector
from connectors.crm_jiandaoyun.forms import form_of
from hub.core.errors import Problem
from hub.core.manifest import read_manifest
from hub.sdk import (
    Answer,
    Context,
    LoginRefused,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    VendorFault,
    VendorRefused,
)
from hub.testing import FakeHttp, answer, context_for

MANIFEST = read_manifest(Path(__file__).parents[1] / "manifest.toml")
FORMS = {"quote": {"app": "a1", "entry": "e1"}, "customer": {"app": "a1", "entry": "e2"}}


def context(http: FakeHttp, **settings: object) -> Context:
    return context_for(MANIFEST, settings={"forms": FORMS, "api_key": "key-123456", **settings}, http=http)


def test_values_are_wrapped_and_days_are_midnight_in_utc() -> None:
    """A value, a subform, an exact number, a day and an instant, each as the vendor takes it; our names become keys."""
    http = FakeHttp(answer({"data": {"_id": "r1", "状态": "待核库存"}}), answer({"data": {}}))

    Connector(context(http)).write(
        "record.update",
        {
            "record": "r1",
            "values": {
                "stock_verdict": "缺 5 件",
                "lines": [{"sku": "P-1", "quantity": Decimal("2.50")}],
                "_widget_9": date(2026, 3, 2),
                "_widget_8": datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC),
            },
        },
        idempotency_key="k",
    )

    assert http.sent[1].url == "https://api.jiandaoyun.com/api/v5/app/entry/data/update"
    assert http.sent[1].headers["Authorization"] == "Bearer key-123456"
    assert not http.sent[1].sent_unless_answered
    sent = http.sent[1].json()
    assert (sent["app_id"], sent["entry_id"], sent["data_id"]) == ("a1", "e1", "r1")
    assert b'"value":2.50' in (http.sent[1].content or b"")
    marker = sent["data"].pop("枢纽标记")["value"]
    assert marker.startswith("hub:")
    assert sent["data"] == {
        "库存结论": {"value": "缺 5 件"},
        "产品明细": {"value": [{"产品编码": {"value": "P-1"}, "数量": {"value": 2.5}}]},
        "_widget_9": {"value": "2026-03-01T16:00:00.000Z"},
        "_widget_8": {"value": "2026-03-02T04:05:06.000Z"},
    }


def test_a_record_is_found_by_its_number() -> None:
    """Where the record's id is not known, its number is looked for; none or two are refused."""
    found = answer({"data": [{"_id": "r7", "报价单号": "Q-7"}]})
    http = FakeHttp(found, answer({"data": {}}), answer({"data": []}), answer({"data": [{"_id": "1"}, {"_id": "2"}]}))
    connector = Connector(context(http))
    write = {"number": "Q-7", "values": {"payment_status": "已回款"}}

    assert connector.write("record.update", write, idempotency_key="k") == "r7"
    assert http.sent[0].json()["filter"]["cond"] == [{"field": "报价单号", "method": "eq", "value": ["Q-7"]}]
    for words in ("no record has", "several records"):
        with pytest.raises(VendorRefused, match=words):
            connector.write("record.update", write, idempotency_key="k")


def test_a_creation_carries_a_transaction_id_of_its_key() -> None:
    """The same idempotency key gives the same transaction id, another one another."""
    http = FakeHttp(always=answer({"data": {"_id": "r1"}}))
    connector = Connector(context(http))

    for key in ("k", "k", "l"):
        assert connector.write("record.create", {"values": {"number": "Q-1"}}, idempotency_key=key) == "r1"

    first, again, other = (sent.json()["transaction_id"] for sent in http.sent)
    assert first == again != other
    assert http.sent[0].json()["is_start_workflow"] is False


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("record.update", {}),
        ("record.update", {"values": {"status": "x"}}),
        ("record.update", {"values": "x", "record": "r"}),
        ("record.update", {"values": {"status": "x"}, "record": "r", "form": "unknown"}),
        ("record.delete", {"values": {"status": "x"}, "record": "r"}),
    ],
)
def test_writes_that_make_no_sense_are_refused(what: str, fields: dict[str, object]) -> None:
    """Nothing goes out that names no record, no value, no form, or that we do not do."""
    with pytest.raises(VendorRefused):
        Connector(context(FakeHttp())).write(what, fields, idempotency_key="k")


def test_a_record_that_is_gone_is_refused() -> None:
    """An update of a deleted record says so, and does not go out."""
    with pytest.raises(VendorRefused, match="no such record"):
        Connector(context(FakeHttp(answer({"data": None})))).write(
            "record.update", {"record": "r", "values": {"status": "x"}}, idempotency_key="k"
        )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer({"code": 8303, "msg": "限流"}, status=400), RateLimited),
        (answer({"code": 0, "msg": "并发"}, status=429), RateLimited),
        (answer(status=429, body=b""), RateLimited),
        (answer(status=429, headers={"Retry-After": "7"}), RateLimited),
        (answer({"code": 8301, "msg": "密钥"}, status=401), LoginRefused),
        (answer(status=403, body=b"no"), LoginRefused),
        (answer({"code": 9999, "msg": "密钥"}, status=400), LoginRefused),
        (answer({"code": 17018, "msg": "参数错误"}, status=400), VendorRefused),
        (answer(status=400, body=b"<html>"), VendorFault),
        (answer({"code": 500, "msg": ""}, status=500), VendorFault),
        (answer(status=502, body=b""), VendorFault),
        (answer(body=b'{"data":[{"_id":"1"'), VendorFault),
        (answer(body=b"\xff"), VendorFault),
        (answer(body=b"[" * 100_000), VendorFault),
        (answer({"data": {}}), VendorFault),
        (answer([]), VendorFault),
    ],
)
def test_each_failure_has_its_name(given: Answer, expected: type[Exception]) -> None:
    """Limits, logins, faults and refusals are told apart, and the key is in none of them."""
    context_ = context(FakeHttp(given), login_codes=["9999"])
    form = form_of(context_.settings, "quote")
    assert form is not None

    with pytest.raises(expected) as raised:
        Client(context_).page(form, changed=None, after="", limit=10)

    assert isinstance(raised.value, Problem)
    assert "key-123456" not in f"{raised.value}{raised.value.about}"


def test_a_lost_answer_to_an_update_may_be_repeated() -> None:
    """Both writes are harmless to repeat, so that nothing is ever of unknown outcome."""
    http = FakeHttp(answer({"data": {"_id": "r"}}), OutcomeUnknown(happened="x", next="y"))

    with pytest.raises(OutcomeUnknown):
        Connector(context(http)).write("record.update", {"record": "r", "values": {"status": "x"}}, idempotency_key="k")

    assert not any(sent.sent_unless_answered for sent in http.sent)


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"\xff"])
def test_answers_that_are_no_object_are_the_vendors_fault(body: bytes) -> None:
    """Numbers stay exact, or the answer is refused."""
    assert exact(b'{"a":0.1,"b":12345678901234567890}') == {"a": Decimal("0.1"), "b": 12345678901234567890}
    with pytest.raises(VendorFault):
        exact(body)


def test_the_fields_of_a_form_can_be_listed_for_setting_up() -> None:
    """Labels and keys, as the setting `fields` wants them."""
    http = FakeHttp(answer({"widgets": [{"name": "_widget_1", "label": "报价单号", "type": "text"}, {"name": "_widget_2"}]}))

    assert Connector(context(http)).labels("quote") == {"报价单号": "_widget_1", "_widget_2": "_widget_2"}


def test_settings_that_name_no_form_are_told() -> None:
    """A connection without a form, or with half of one, says what to set."""
    with pytest.raises(Misconfigured):
        Connector(context(FakeHttp(), forms={})).probe()
    with pytest.raises(Misconfigured):
        Connector(context(FakeHttp(), forms={"quote": {"app": "a"}})).probe()


def test_the_marker_can_be_left_out() -> None:
    """A form without a field for the marker is written without one."""
    http = FakeHttp(answer({"data": {"_id": "r"}}), answer({"data": {}}))

    Connector(context(http, fields={"quote": {"marker": ""}})).write(
        "record.update", {"record": "r", "values": {"status": "x"}}, idempotency_key="k"
    )

    assert msgspec.json.decode(http.sent[1].content or b"")["data"] == {"状态": {"value": "x"}}
