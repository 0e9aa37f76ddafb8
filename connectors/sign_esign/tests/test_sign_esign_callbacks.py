"""Callbacks of e签宝: who may send them, how repeats are told, what they mean."""

from __future__ import annotations

import base64
import contextlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sign_esign.connector import Connector
from connectors.sign_esign.normalise import ACTIONS, IGNORED, RANK, STATUS, normalise
from hub.sdk import Context, Contract, Delivery, Event, Ignored, Malformed, Raw, SignatureRefused, Stale, Unreadable

SECRET = "0123456789abcdef0123456789abcdef"
BODY = b'{"action":"SIGN_FLOW_COMPLETE","timestamp":1700000000000,"signFlowId":"abc123","signFlowStatus":"2"}'
PUBLISHED = "cd6aeefefd8af76a1e59ffd699d6495af07c648034f78d1899d8c043a1a3422c"
PUBLISHED_WITH_QUERY = "cacf2f3bac0b402c9cc38f6629ae733ae3e85a67c16aacfdc19341485314c980"
PUBLISHED_BASE64 = "zWru/v2K92oeWf/WmdZJWvB8ZIA0940YmdjAQ6GjQiw="
NOW = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        raise AssertionError("a connector does not sleep")


class NoHttp:
    def request(self, *args: object, **more: object) -> Any:
        raise AssertionError("a callback is taken without calling anybody")


def connector(**settings: object) -> Connector:
    base = {"host": "https://esign.test", "app_id": "7438900001", "app_secret": SECRET}
    return Connector(
        Context(tenant="t", connection="sign-main", settings={**base, **settings}, http=NoHttp(), clock=FixedClock())
    )


def delivery(signature: str, *, body: bytes = BODY, query: str = "", stamp: str = "1700000000000") -> Delivery:
    pairs = tuple((name, value) for name, _, value in (pair.partition("=") for pair in query.split("&") if pair))
    return Delivery(
        method="POST",
        url="https://hub.example.com/hooks/sign-main",
        query=pairs,
        query_string=query,
        headers=(
            ("content-type", "application/json"),
            ("x-tsign-open-app-id", "7438900001"),
            ("x-tsign-open-timestamp", stamp),
            ("x-tsign-open-signature-algorithm", "hmac-sha256"),
            ("x-tsign-open-signature", signature),
        ),
        body=body,
        received_at=NOW,
    )


def signed(body: bytes, *, query: str = "", values: str = "") -> Delivery:
    mac = hmac.new(SECRET.encode(), b"1700000000000" + values.encode() + body, "sha256").hexdigest()
    return delivery(mac, body=body, query=query)


@pytest.mark.parametrize(
    ("signature", "query"), [(PUBLISHED, ""), (PUBLISHED_WITH_QUERY, "b=2&a=1"), (PUBLISHED_WITH_QUERY, "a=1&b=2")]
)
def test_published_signatures_are_accepted(signature: str, query: str) -> None:
    """Time, query values by name, and body; answered as the vendor recommends."""
    accepted = connector().receive(delivery(signature, query=query))

    assert accepted.raws[0].body == BODY
    assert accepted.reply.status == 200
    assert msgspec.json.decode(accepted.reply.body) == {"code": "200", "msg": "success"}


def test_base64_is_accepted_only_where_it_is_set() -> None:
    """An older page of the vendor shows base64; it is a setting."""
    assert connector(base64_callbacks=True).receive(delivery(PUBLISHED_BASE64)).raws
    assert connector(base64_callbacks=True).receive(delivery(PUBLISHED)).raws
    with pytest.raises(SignatureRefused):
        connector().receive(delivery(PUBLISHED_BASE64))


@pytest.mark.parametrize(
    "forged",
    [
        delivery("0" * 64),
        delivery(""),
        delivery("not hex"),
        delivery(f" {PUBLISHED}"),
        delivery(PUBLISHED, body=BODY + b"\n"),
        delivery(PUBLISHED, body=BODY.replace(b'"2"', b'"3"')),
        delivery(PUBLISHED, stamp="1700000000001"),
        delivery(PUBLISHED, query="contract=SO-1"),
        delivery(PUBLISHED, stamp="9" * 30),
        delivery(PUBLISHED, stamp="nan"),
        delivery(PUBLISHED, body=b"\xff\xfe"),
    ],
)
def test_what_is_not_the_vendors_is_refused(forged: Delivery) -> None:
    """Forged, altered in body, time or query, or nonsense: refused, never an error of ours."""
    with pytest.raises((SignatureRefused, Malformed)):
        connector().receive(forged)


def test_a_signature_sent_twice_is_refused() -> None:
    """A header that security rests on comes once."""
    twice = delivery(PUBLISHED)
    twice = msgspec.structs.replace(twice, headers=(*twice.headers, ("x-tsign-open-signature", PUBLISHED)))

    with pytest.raises(Malformed):
        connector().receive(twice)


def test_the_old_secret_is_accepted_while_it_is_set() -> None:
    """After a change of secret, what was signed before still comes in, and is told apart."""
    assert connector(app_secret="new", app_secret_all=["new", SECRET]).receive(delivery(PUBLISHED)).secret == 1
    with pytest.raises(SignatureRefused):
        connector(app_secret="new").receive(delivery(PUBLISHED))


def test_age_is_a_setting_because_retries_span_hours() -> None:
    """By default an old callback is accepted and told by its key; with an age set it is stale."""
    old = delivery(PUBLISHED)
    late = connector(callback_age=300)
    late._context = msgspec.structs.replace(late._context, clock=_At(NOW + timedelta(hours=10)))

    assert connector().receive(old).raws
    with pytest.raises(Stale):
        late.receive(old)


class _At(FixedClock):
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def test_a_repeat_has_the_same_key_and_another_signer_has_not() -> None:
    """Key: flow, action, first time, order, person."""
    body = {"action": "SIGN_MISSON_COMPLETE", "timestamp": 1, "signFlowId": "f", "signOrder": 1, "operator": {"psnId": "p"}}
    body["customBizNum"] = "SO-1#buyer"

    def key(**change: object) -> str:
        return connector().receive(signed(msgspec.json.encode({**body, **change}))).raws[0].key

    assert key() == "f:SIGN_MISSON_COMPLETE:1:1:p"
    assert len({key(), key(signOrder=2), key(operator={"psnId": "q"}), key(timestamp=2), key(action="OPERATOR_READ")}) == 5


def test_the_consoles_copy_does_not_stand_in_for_the_one_with_our_number() -> None:
    """With the console's address and the flow's own both set, each event comes twice; only ours says which contract it is."""
    ours = connector().receive(signed(BODY, query="contract=SO-1", values="SO-1")).raws[0]
    console = connector().receive(delivery(PUBLISHED)).raws[0]

    assert ours.key != console.key
    assert list(normalise(stamped(console))) == [Ignored(rule="no_contract_number")]
    assert [e.type for e in events(ours)] == ["contract.signed"]


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"", b"[" * 100_000])
def test_a_signed_body_that_is_no_object_is_malformed(body: bytes) -> None:
    """Signed nonsense is refused as malformed."""
    with pytest.raises(Malformed):
        connector().receive(signed(body))


def stamped(raw: Raw) -> Raw:
    return raw.stamped(tenant="t", connection="sign-main", door="webhook", received_at=NOW)


def events(raw: Raw) -> list[Event]:
    return [found for found in normalise(stamped(raw)) if isinstance(found, Event)]


def told(**fields: object) -> Raw:
    return Raw(stream="callback", key="k", body=msgspec.json.encode(fields), headers={"contract": "SO-1"})


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"action": "SIGN_FLOW_INITIATED"}, "contract.sent"),
        ({"action": "SIGN_FLOW_INITIATE_RESULT"}, "contract.sent"),
        ({"action": "OPERATOR_READ"}, "contract.viewed"),
        ({"action": "COPIER_READ"}, "contract.viewed"),
        ({"action": "SIGN_MISSON_COMPLETE", "signResult": 2}, "contract.partly_signed"),
        ({"action": "SIGN_MISSON_COMPLETE", "signResult": "4"}, "contract.declined"),
        ({"action": "SIGN_FLOW_COMPLETE", "signFlowStatus": "2"}, "contract.signed"),
        ({"action": "SIGN_FLOW_COMPLETE", "signFlowStatus": 2}, "contract.signed"),
        ({"action": "SIGN_FLOW_COMPLETE", "signFlowStatus": "3"}, "contract.revoked"),
        ({"action": "SIGN_FLOW_COMPLETE", "signFlowStatus": "5"}, "contract.expired"),
        ({"action": "SIGN_FLOW_COMPLETE", "signFlowStatus": "7"}, "contract.declined"),
        ({"action": "SIGN_FILE_RESCINDED"}, "contract.revoked"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_actions_become_facts(fields: dict[str, object], kind: str, nested: bool) -> None:
    """The status is a number or a string, the fields stand in the body or under `data`: the same fact."""
    action = fields["action"]
    inner = {**fields, "signFlowId": "f", "timestamp": 1700000000000}
    raw = told(action=action, data=inner) if nested else told(**inner)

    (found,) = events(raw)

    assert (found.type, found.subject, found.time) == (kind, "SO-1", NOW)
    assert isinstance(found.data, Contract)
    assert found.data.record == "f"


@pytest.mark.parametrize(("action", "rule"), [*IGNORED.items(), ("SOMETHING_NEW", "unknown_action")])
def test_actions_without_a_fact_are_ignored_by_name(action: str, rule: str) -> None:
    """Every documented action is either a fact or a named rule, and an action that appears later is not an error."""
    assert list(normalise(stamped(told(action=action, signFlowId="f")))) == [Ignored(rule=rule)]
    assert action not in ACTIONS


def test_another_products_envelope_is_ignored() -> None:
    """`LEDGER_EXTRACT` comes in an envelope of its own."""
    raw = told(type="LEDGER_EXTRACT", id="1", created=1, data={"x": 1})

    assert list(normalise(stamped(raw))) == [Ignored(rule="other_envelope")]


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({}, "action"),
        ({"action": 7}, "action"),
        ({"action": "SIGN_FLOW_COMPLETE", "signFlowId": "f", "signFlowStatus": "6"}, "sign_flow_status"),
        ({"action": "SIGN_FLOW_COMPLETE", "signFlowId": "f"}, "sign_flow_status"),
        ({"action": "SIGN_MISSON_COMPLETE", "signFlowId": "f", "signResult": True}, "sign_result"),
        ({"action": "OPERATOR_READ"}, "flow"),
        ({"action": "OPERATOR_READ", "signFlowId": "f", "operateTime": "2026-01-01"}, "time"),
        ({"action": "OPERATOR_READ", "signFlowId": "f", "operateTime": 9**30}, "time"),
        ({"action": "OPERATOR_READ", "signFlowId": "f", "timestamp": -1}, "time"),
    ],
)
def test_what_cannot_be_read_is_parked_with_its_rule(fields: dict[str, object], rule: str) -> None:
    """No guess is made about a status, a result or a time that is not in the tables."""
    with pytest.raises(Unreadable) as raised:
        list(normalise(stamped(told(**fields))))

    assert raised.value.rule == rule


def test_the_number_is_taken_from_the_business_number_where_the_address_has_none() -> None:
    """`customBizNum` names one contract, and which side it was; two contracts at once are parked."""

    def without_address(custom: str) -> Raw:
        fields = {"action": "OPERATOR_READ", "signFlowId": "f", "customBizNum": custom, "organization": {"orgName": "甲公司"}}
        return msgspec.structs.replace(told(**fields), headers={})

    (found,) = events(without_address("SO-9#buyer"))

    assert isinstance(found.data, Contract)
    assert (found.subject, found.data.signer, found.data.organisation) == ("SO-9", "buyer", "甲公司")
    with pytest.raises(Unreadable, match="several contracts"):
        events(without_address("SO-9#buyer,SO-8#buyer"))


def test_a_flow_that_was_asked_for_says_how_it_stands() -> None:
    """The detail's number means what the callback's string means; a draft is no fact."""

    def flow(status: object) -> Raw:
        body = msgspec.json.encode({"signFlowId": "f", "signFlowStatus": status})
        return Raw(stream="flow", key="k", body=body, headers={"contract": "SO-1"})

    assert {status: events(flow(int(status)))[0].type for status in STATUS} == dict(STATUS)
    assert list(normalise(stamped(flow(0)))) == [Ignored(rule="draft")]


def test_states_have_an_order() -> None:
    """Ended is further than signed by some, which is further than seen, which is further than sent."""
    assert RANK["contract.sent"] < RANK["contract.viewed"] < RANK["contract.partly_signed"] < RANK["contract.signed"]
    assert set(STATUS.values()) | set(ACTIONS.values()) <= set(RANK)


@given(st.binary(max_size=200))
def test_random_bytes_only_ever_cannot_be_read(body: bytes) -> None:
    """Whatever arrives, the normaliser gives facts, names a rule, or says that it cannot read it."""
    with contextlib.suppress(Unreadable):
        list(normalise(stamped(Raw(stream="callback", key="k", body=body))))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    "action",
    "signFlowId",
    "signFlowStatus",
    "customBizNum",
    "operateTime",
    "timestamp",
    "organization",
    "data",
    "signResult",
)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON_VALUES)),
    st.sampled_from([*ACTIONS, "SIGN_FLOW_COMPLETE", None]),
)
def test_any_object_is_read_named_or_refused(fields: dict[str, object], action: str | None) -> None:
    """The same for JSON of any shape under the names we read."""
    if action is not None:
        fields["action"] = action
    with contextlib.suppress(Unreadable):
        list(normalise(stamped(told(**fields))))


def test_bodies_are_kept_as_they_came() -> None:
    """The raw is the delivery's bytes; our number from the address stands beside them."""
    body = base64.b64decode(base64.b64encode(BODY))

    raw = connector().receive(signed(body, query="contract=SO%2F1", values="SO%2F1")).raws[0]

    assert (raw.body, raw.headers) == (BODY, {"contract": "SO%2F1"})
