"""Pushes of 简道云 and the meaning of its records."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.crm_jiandaoyun.client import exact
from connectors.crm_jiandaoyun.connector import Connector
from connectors.crm_jiandaoyun.forms import form_of
from hub.core.manifest import read_manifest
from hub.sdk import (
    Customer,
    Delivery,
    Event,
    Ignored,
    Line,
    Malformed,
    QuoteApproved,
    QuoteRequested,
    Raw,
    Refused,
    SignatureRefused,
    Stale,
    Unreadable,
)
from hub.testing import FixedClock, context_for

MANIFEST = read_manifest(Path(__file__).parents[1] / "manifest.toml")
FORMS = {"quote": {"app": "a1", "entry": "e1"}, "customer": {"app": "a1", "entry": "e2"}}
PUBLISHED = '{"op":"data_create","data":{"_id":"1","_widget_1":"测试"}}'.encode()
SENT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
RECORD: dict[str, Any] = {
    "_id": "r1",
    "entryId": "e1",
    "createTime": "2026-03-02T03:00:00.000Z",
    "updateTime": "2026-03-02T04:00:00.000Z",
    "updater": {"_id": "u1", "name": "李四", "username": "lisi"},
    "报价单号": "Q-1",
    "客户名称": "甲公司",
    "客户编码": "C-1",
    "产品明细": [{"_id": "x", "产品编码": "P-1", "数量": 2.5, "单价": 10, "需求日期": "2026-03-09T16:00:00.000Z"}],
    "销售员": {"_id": "u1", "name": "李四", "username": "lisi"},
    "付款条件": "30/70",
    "金额": 25.10,
    "状态": "待核库存",
}


def connector(**settings: object) -> Connector:
    base = {"forms": FORMS, "push_secret": "jdy-secret"}
    return Connector(context_for(MANIFEST, settings={**base, **settings}, clock=FixedClock(SENT)))


def push(body: bytes, *, secret: str = "jdy-secret", query: tuple[tuple[str, str], ...] = (), deliver: str = "d1") -> Delivery:
    text = b":".join([b"a1b2c3", body, secret.encode(), b"1700000000"])
    return Delivery(
        method="POST",
        url="https://hub.example.com/hooks/crm",
        query=(("nonce", "a1b2c3"), ("timestamp", "1700000000"), *query),
        headers=(("x-jdy-signature", hashlib.sha1(text).hexdigest()), ("x-jdy-deliverid", deliver)),
        body=body,
        received_at=SENT,
    )


def pushed(record: dict[str, Any], op: str = "data_update") -> bytes:
    return msgspec.json.encode({"op": op, "opTime": 1700000000000, "data": record})


def raw_of(record: object, stream: str = "quote", op: str = "") -> Raw:
    raw = Raw(stream=stream, key="k", body=msgspec.json.encode(record), headers={"op": op} if op else {})
    return raw.stamped(tenant="t", connection="crm", door="poll", received_at=SENT)


def read(record: object, stream: str = "quote", op: str = "", **settings: object) -> list[Event | Ignored]:
    return list(connector(**settings).normalise(raw_of(record, stream, op)))


def test_the_published_signature_is_accepted() -> None:
    """The vector of the documented recipe: hex SHA-1 of nonce, body, secret and time."""
    delivery = push(PUBLISHED)
    assert delivery.header("x-jdy-signature") == "b123f6504b1b357afbe859565afb32619e0c74a6"

    raw = connector().receive(delivery).raws[0]

    assert raw.body == '{"_id":"1","_widget_1":"测试"}'.encode()
    assert raw.headers["op"] == "data_create"


@pytest.mark.parametrize(
    "forged",
    [
        push(PUBLISHED, secret="another"),
        msgspec.structs.replace(push(PUBLISHED), body=PUBLISHED + b" "),
        msgspec.structs.replace(push(PUBLISHED), query=(("nonce", "a1b2c4"), ("timestamp", "1700000000"))),
        msgspec.structs.replace(push(PUBLISHED), query=(("nonce", "a1b2c3"), ("timestamp", "1700000001"))),
        msgspec.structs.replace(push(PUBLISHED), query=(("nonce", "a1b2c3"),)),
        msgspec.structs.replace(push(PUBLISHED), query=(("nonce", "a1b2c3"), ("timestamp", "9" * 30))),
        msgspec.structs.replace(push(PUBLISHED), headers=()),
        msgspec.structs.replace(push(PUBLISHED), headers=(*push(PUBLISHED).headers, ("x-jdy-signature", "0" * 40))),
    ],
)
def test_what_is_not_the_vendors_is_refused(forged: Delivery) -> None:
    """Another secret, an altered body, nonce or time, nonsense: refused, never an error of ours."""
    with pytest.raises(Refused):
        connector().receive(forged)


def test_an_old_push_is_stale_and_one_without_a_secret_is_not_let_in() -> None:
    """The time is signed; without a secret nothing can be believed."""
    late = Connector(
        context_for(
            MANIFEST,
            settings={"forms": FORMS, "push_secret": "jdy-secret"},
            clock=FixedClock(datetime(2023, 11, 14, 22, 30, tzinfo=UTC)),
        )
    )

    with pytest.raises(Stale):
        late.receive(push(PUBLISHED))
    with pytest.raises(SignatureRefused):
        connector(push_secret="").receive(push(PUBLISHED))


def test_a_replay_under_another_delivery_id_is_the_same_raw() -> None:
    """The delivery's id is not signed, so it is not what a repeat is told by."""
    body = pushed(RECORD)

    first, again = (connector().receive(push(body, deliver=one)).raws[0] for one in ("d1", "d2"))

    assert (first.key, first.body) == (again.key, again.body)


def test_a_change_without_a_stamp_is_told_by_the_operations_time() -> None:
    """A record that does not say when it changed still is a new one when it goes back to what it was."""
    record = {name: value for name, value in RECORD.items() if name != "updateTime"}

    keys = {
        connector().receive(push(msgspec.json.encode({"op": "data_update", "opTime": at, "data": record}))).raws[0].key
        for at in (1, 2)
    }

    assert len(keys) == 2


@pytest.mark.parametrize(
    ("record", "query", "stream"),
    [
        ({"_id": "1", "entryId": "e2"}, (), "customer"),
        ({"_id": "1", "entryId": "e2"}, (("form", "quote"),), "customer"),
        ({"_id": "1", "entryId": "e9"}, (), "other"),
        ({"_id": "1"}, (("form", "customer"),), "customer"),
        ({"_id": "1"}, (("form", "nothing"),), "other"),
        ({"_id": "1"}, (), "other"),
    ],
)
def test_the_form_is_known_by_the_record_then_by_the_address(
    record: dict[str, Any], query: tuple[tuple[str, str], ...], stream: str
) -> None:
    """What the record says is signed and wins; a form that is not named is kept and ignored."""
    assert connector().receive(push(pushed(record), query=query)).raws[0].stream == stream


def test_the_only_form_needs_no_name() -> None:
    """With one form there is no doubt."""
    only = connector(forms={"quote": FORMS["quote"]})

    assert only.receive(push(pushed({"_id": "1"}))).raws[0].stream == "quote"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"op":1,"data":{}}', b'{"op":"x","data":{"_id":1}}', b"\xff", b"[" * 50_000])
def test_a_signed_push_that_is_none_is_malformed(body: bytes) -> None:
    """Signed nonsense is refused as malformed."""
    with pytest.raises(Malformed):
        connector().receive(push(body))


def test_changes_of_the_form_itself_are_kept_and_ignored() -> None:
    """Structure events come to the same address."""
    raw = connector().receive(push(b'{"op":"form_update","opTime":1,"data":null}')).raws[0]

    assert list(connector().normalise(raw)) == [Ignored(rule="form_changed")]


def test_a_quote_that_asks_for_stock_becomes_a_request() -> None:
    """Exact numbers, days in the tenant's zone, the salesperson's user name, and the record to write back to."""
    (found,) = read(RECORD)

    assert isinstance(found, Event)
    assert (found.type, found.subject, found.time) == ("quote.requested", "Q-1", datetime(2026, 3, 2, 4, tzinfo=UTC))
    assert found.data == QuoteRequested(
        quote="Q-1",
        lines=(Line(sku="P-1", quantity=Decimal("2.5"), unit_price=Decimal(10), need_by=date(2026, 3, 10)),),
        customer="C-1",
        customer_name="甲公司",
        amount=Decimal("25.1"),
        payment_terms="30/70",
        salesperson="lisi",
        record="r1",
    )


def test_an_approved_quote_says_who_approved_it() -> None:
    """The last person to change it."""
    (found,) = read({**RECORD, "状态": "已批准"})

    assert isinstance(found, Event)
    assert found.data == QuoteApproved(quote="Q-1", approved_by="lisi", record="r1")


@pytest.mark.parametrize(
    ("record", "op", "rule"),
    [
        ({**RECORD, "状态": "草稿"}, "", "status_without_a_fact"),
        ({"_id": "r"}, "", "status_without_a_fact"),
        (RECORD, "data_remove", "removed"),
        (RECORD, "form_update", "form_changed"),
    ],
)
def test_records_without_a_fact_are_ignored_by_name(record: dict[str, Any], op: str, rule: str) -> None:
    """Drafts, removals and changes of the form are no facts."""
    assert read(record, op=op) == [Ignored(rule=rule)]


def test_a_form_that_is_not_named_is_ignored() -> None:
    """Other forms of the same tenant may push to the same address."""
    assert read(RECORD, stream="other") == [Ignored(rule="form_not_named")]


@pytest.mark.parametrize(
    ("change", "rule", "pointer"),
    [
        ({"报价单号": ""}, "number", "/报价单号"),
        ({"产品明细": []}, "lines", "/产品明细"),
        ({"产品明细": "x"}, "lines", "/产品明细"),
        ({"产品明细": [{"产品编码": "P", "数量": 0}]}, "quantity", "/产品明细/0/数量"),
        ({"产品明细": [{"产品编码": "P", "数量": "NaN"}]}, "quantity", "/产品明细/0/数量"),
        ({"产品明细": [{"产品编码": "P", "数量": "1e30"}]}, "quantity", "/产品明细/0/数量"),
        ({"产品明细": [{"产品编码": "P", "数量": True}]}, "quantity", "/产品明细/0/数量"),
        ({"产品明细": [{"产品编码": "P", "数量": 1}, {"数量": 1}]}, "sku", "/产品明细/1/产品编码"),
        ({"产品明细": [{"产品编码": "P", "数量": 1, "需求日期": "2026-13-01"}]}, "need_by", "/产品明细/0/需求日期"),
        ({"产品明细": [{"产品编码": "P", "数量": 1, "需求日期": "soon"}]}, "time", "/产品明细/0/需求日期"),
        ({"金额": "abc"}, "amount", "/金额"),
        ({"金额": [1]}, "amount", "/金额"),
        ({"客户名称": {"a": 1}}, "customer_name", "/客户名称"),
        ({"updateTime": "2026-03-02 04:00:00"}, "time", "/updateTime"),
    ],
)
def test_what_cannot_be_read_is_parked_with_its_place(change: dict[str, Any], rule: str, pointer: str) -> None:
    """The rule, the place in the record, and nothing guessed."""
    with pytest.raises(Unreadable) as raised:
        read({**RECORD, **change})

    assert (raised.value.rule, raised.value.pointer) == (rule, pointer)


def test_a_new_customer_is_created_and_a_changed_one_updated() -> None:
    """By the operation, or by its times where it was polled; names and accounts may stand in one field."""
    record = {
        "_id": "r2",
        "createTime": "2026-03-02T03:00:00.000Z",
        "updateTime": "2026-03-02T03:00:00.000Z",
        "客户编码": "C-1",
        "客户名称": "甲公司",
        "税号": "91000000000000000X",
        "别名": "甲；甲公司上海分公司",
        "负责人": [{"username": "lisi"}],
    }

    (polled,) = read(record, "customer")
    (told,) = read({**record, "updateTime": "2026-03-02T05:00:00.000Z"}, "customer", "data_create")
    (changed,) = read({**record, "updateTime": "2026-03-02T05:00:00.000Z"}, "customer")

    assert [found.type for found in (polled, told, changed) if isinstance(found, Event)] == [
        "customer.created",
        "customer.created",
        "customer.updated",
    ]
    assert isinstance(polled, Event)
    assert polled.data == Customer(
        customer="C-1",
        name="甲公司",
        tax_id="91000000000000000X",
        aliases=("甲", "甲公司上海分公司"),
        owner="lisi",
        record="r2",
    )
    (unnumbered,) = read({**record, "客户编码": None}, "customer")
    assert isinstance(unnumbered, Event)
    assert unnumbered.subject == "r2"
    with pytest.raises(Unreadable):
        read({"客户名称": "甲"}, "customer")


def test_our_own_change_is_no_news_until_somebody_changes_it_again() -> None:
    """The marker holds the digest of what we read; what we write is no part of it, what people change is."""
    form = form_of({"forms": FORMS}, "quote")
    assert form is not None
    marked = {
        **RECORD,
        "枢纽标记": form.content(exact(msgspec.json.encode(RECORD))),
        "库存结论": "够",
        "updateTime": "2026-03-02T05:00:00.000Z",
    }

    assert read(marked) == [Ignored(rule="our_own_change")]
    assert isinstance(read({**marked, "状态": "已批准"})[0], Event)
    assert isinstance(read({**marked, "产品明细": [{"产品编码": "P-1", "数量": 3}]})[0], Event)
    assert isinstance(read({**RECORD, "枢纽标记": "hub:other"})[0], Event)


def test_a_number_written_otherwise_is_the_same_content() -> None:
    """10, 10.0 and absent against empty do not make a change."""
    form = form_of({"forms": FORMS}, "quote")
    assert form is not None

    assert form.content({"金额": Decimal("10.0"), "客户名称": ""}) == form.content({"金额": 10})
    assert form.content({"金额": 10}) != form.content({"金额": 11})


def test_without_a_marker_the_integration_user_tells_our_change() -> None:
    """The weaker way, for forms that cannot have another field."""
    ours = {**RECORD, "updater": {"username": "hub-api"}}

    assert read(ours, integration_user="hub-api") == [Ignored(rule="our_own_change")]
    assert isinstance(read(ours)[0], Event)
    assert isinstance(read(RECORD, integration_user="hub-api")[0], Event)


def test_fields_are_read_by_the_connections_own_keys() -> None:
    """Forms differ: the keys and the values of the status are settings."""
    record = {
        "_id": "r",
        "_widget_1": "Q-9",
        "_widget_2": "check",
        "_widget_3": [{"_widget_4": "P", "_widget_5": 1}],
    }
    fields = {"number": "_widget_1", "status": "_widget_2", "lines": "_widget_3"}
    line = {"sku": "_widget_4", "quantity": "_widget_5"}

    (found,) = read(record, fields={"quote": {**fields, "line": line}}, status_requested="check")

    assert isinstance(found, Event)
    assert found.subject == "Q-9"


@given(st.binary(max_size=200), st.sampled_from(["quote", "customer", "other"]))
def test_random_bytes_only_ever_cannot_be_read(body: bytes, stream: str) -> None:
    """Whatever arrives, the normaliser gives facts, names a rule, or says that it cannot read it."""
    raw = Raw(stream=stream, key="k", body=body).stamped(tenant="t", connection="c", door="poll", received_at=SENT)
    with contextlib.suppress(Unreadable):
        list(connector().normalise(raw))


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys([*RECORD, "枢纽标记"], JSON_VALUES)), st.sampled_from(["quote", "customer"])
)
def test_any_record_is_read_named_or_refused(change: dict[str, Any], stream: str) -> None:
    """The same for JSON of any shape under the names we read."""
    for record in (change, {**RECORD, **change}):
        with contextlib.suppress(Unreadable):
            read(record, stream)
