"""The client of e签宝: signatures as published, envelopes as documented, and what each failure is called."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.sign_esign.client import ACCEPT, JSON, Client, content_md5, signature, string_to_sign
from connectors.sign_esign.connector import Connector
from connectors.sign_esign.contract import file_name, numbers, roles
from hub.sdk import Answer, Context, LoginRefused, OutcomeUnknown, RateLimited, VendorFault, VendorRefused

SECRET = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        raise AssertionError("a connector does not sleep")


class Scripted:
    """HTTP that gives the answers it was told to, and keeps what was sent."""

    def __init__(self, *answers: Answer | bytes) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, str, Mapping[str, str], bytes | None, bool]] = []

    def request(self, method: str, url: str, **more: Any) -> Answer:
        self.sent.append((method, url, more.get("headers") or {}, more.get("content"), more.get("sent_unless_answered", True)))
        answer = self.answers.pop(0)
        return answer if isinstance(answer, Answer) else Answer(status=200, headers={}, body=answer)


def ok(**data: object) -> bytes:
    return msgspec.json.encode({"code": 0, "message": "成功", "data": data})


def context(http: Scripted, **settings: object) -> Context:
    kept: dict[str, str] = {}
    return Context(
        tenant="t",
        connection="sign-main",
        settings={
            "host": "https://esign.test/",
            "app_id": "7438900001",
            "app_secret": SECRET,
            "template": "tpl",
            "own_name": "枢纽机械有限公司",
            "own_person": "王经办",
            "own_account": "19900000001",
            "notices": "1,2",
            **settings,
        },
        http=http,
        clock=FixedClock(),
        hook_url="https://hub.example.com/hooks/sign-main",
        recall=kept.get,
        remember=lambda name, value, seconds: kept.__setitem__(name, value),
    )


WANTED = {
    "contract": "SO-2026-0001",
    "title": "采购合同",
    "values": {"amount": 10, "customer": "甲公司"},
    "customer_name": "甲公司",
    "contact_name": "张三",
    "contact_phone": "19900000002",
}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            string_to_sign("POST", content_md5('{"signFlowTitle":"采购合同"}'.encode()), JSON, "/v3/sign-flow/create-by-file"),
            "rcRTkoNAXTQJGDljicK5P9HGv1tOudU0FnCTlF8DM74=",
        ),
        (string_to_sign("GET", "", JSON, "/v3/sign-flow/abc123/detail"), "blwGC22mvdDAJ9URf1tRgFYrkw0GxA1h39htp4y+8iw="),
        (string_to_sign("GET", "", "", "/v3/sign-flow/abc123/detail"), "GwiagHta/XwJy6YdC/AEEAMs2L/wTKW40i6PE20kMNc="),
        (
            string_to_sign("GET", "", JSON, "/v3/sign-flow/sign-flow-list", [("pageSize", "20"), ("pageNum", "1")]),
            "FLg73j7bERPW17lQzQgmjQaVzN6Qp54AiewZd6ZXjVs=",
        ),
    ],
)
def test_requests_are_signed_as_published(message: str, expected: str) -> None:
    """The vectors of the documented recipe come out, byte for byte."""
    assert signature(SECRET, message) == expected


def test_the_digest_is_that_of_the_bytes_sent() -> None:
    """The body is serialised once; those bytes are hashed, signed and sent."""
    http = Scripted(ok(fileId="f"))

    Client(context(http)).fill("tpl", "a.pdf", {"amount": "1"})

    _, url, headers, content, sent_unless_answered = http.sent[0]
    assert content is not None
    assert headers["Content-MD5"] == content_md5(content)
    assert headers["Content-Type"] == JSON
    assert headers["Accept"] == ACCEPT
    assert headers["X-Tsign-Open-Ca-Timestamp"] == "1767323045000"
    message = string_to_sign("POST", content_md5(content), JSON, "/v3/files/create-by-doc-template")
    assert headers["X-Tsign-Open-Ca-Signature"] == signature(SECRET, message)
    assert url == "https://esign.test/v3/files/create-by-doc-template"
    assert not sent_unless_answered


@pytest.mark.parametrize(("setting", "kind"), [(True, JSON), (False, None)])
def test_reads_carry_what_they_sign(setting: bool, kind: str | None) -> None:
    """Both variants of a call without a body sign exactly the content type that they send."""
    http = Scripted(ok(components=[]))

    Client(context(http, sign_content_type_of_reads=setting)).template("tpl")

    headers = http.sent[0][2]
    assert headers.get("Content-Type") == kind
    assert "Content-MD5" not in headers
    message = string_to_sign("GET", "", kind or "", "/v3/doc-templates/tpl")
    assert headers["X-Tsign-Open-Ca-Signature"] == signature(SECRET, message)


GATEWAY = msgspec.json.encode({"success": False, "code": 401, "message": "INVALID_SIGNATURE"})
FAILURES = [
    (Answer(status=401, headers={}, body=GATEWAY), LoginRefused, LoginRefused),
    (Answer(status=200, headers={}, body=GATEWAY), LoginRefused, LoginRefused),
    (Answer(status=401, headers={}, body=b""), LoginRefused, LoginRefused),
    (Answer(status=429, headers={}, body=b""), RateLimited, RateLimited),
    (Answer(status=500, headers={}, body=b"<html>"), VendorFault, OutcomeUnknown),
    (Answer(status=504, headers={}, body=b""), VendorFault, OutcomeUnknown),
    (Answer(status=200, headers={}, body=b'{"code":0,"data":{"signFl'), VendorFault, OutcomeUnknown),
    (Answer(status=200, headers={}, body=b"[]"), VendorFault, OutcomeUnknown),
    (Answer(status=200, headers={}, body=b"\xff\xfe"), VendorFault, OutcomeUnknown),
    (Answer(status=200, headers={}, body=b"[" * 100_000), VendorFault, OutcomeUnknown),
    (Answer(status=200, headers={}, body=b'{"code":0,"data":null}'), VendorFault, OutcomeUnknown),
    (Answer(status=200, headers={}, body=b'{"code":0,"data":{"signFlowId":7,"components":7}}'), VendorFault, OutcomeUnknown),
    (Answer(status=200, headers={}, body='{"code":1435002,"message":"参数错误"}'.encode()), VendorRefused, VendorRefused),
    (Answer(status=200, headers={}, body=b'{"code":1437513,"message":""}'), VendorFault, VendorFault),
]


@pytest.mark.parametrize(("answer", "reading", "creating"), FAILURES)
def test_each_failure_has_its_name(answer: Answer, reading: type[Exception], creating: type[Exception]) -> None:
    """A broken answer to a read is the vendor's fault; to a create its outcome is unknown, as the vendor has no idempotency key."""
    with pytest.raises(reading) as read:
        Client(context(Scripted(answer))).template("tpl")
    with pytest.raises(creating) as created:
        Client(context(Scripted(answer))).create({})

    for raised in (read, created):
        assert type(raised.value) in (reading, creating)
        assert SECRET not in str(raised.value)


def test_a_contract_is_filled_checked_and_sent() -> None:
    """Template → file → flow, with our number in the title, in every signer's field and in the callback address."""
    http = Scripted(ok(fileId="f1"), ok(fileStatus=2), ok(signFlowId="flow1"))

    record = Connector(context(http, positions={"buyer": {"page": "2", "x": 10, "y": 20}})).write(
        "contract.create", WANTED, idempotency_key="k"
    )

    assert record == "flow1"
    filled = msgspec.json.decode(http.sent[0][3] or b"")
    assert filled["components"] == [
        {"componentKey": "amount", "componentValue": "10"},
        {"componentKey": "customer", "componentValue": "甲公司"},
    ]
    assert filled["requiredCheck"] is True
    flow = msgspec.json.decode(http.sent[2][3] or b"")
    config = flow["signFlowConfig"]
    assert config["notifyUrl"] == "https://hub.example.com/hooks/sign-main?contract=SO-2026-0001"
    assert (config["autoStart"], config["autoFinish"], config["noticeConfig"]) == (True, True, {"noticeTypes": "1,2"})
    assert config["signFlowTitle"] == "SO-2026-0001 采购合同"
    assert config["signFlowExpireTime"] == 1767323045000 + 30 * 86_400_000
    buyer, seller = flow["signers"]
    assert buyer["orgSignerInfo"]["orgName"] == "甲公司"
    assert buyer["signFields"][0]["customBizNum"] == "SO-2026-0001#buyer"
    assert buyer["signFields"][0]["normalSignFieldConfig"]["signFieldPosition"] == {
        "positionPage": "2",
        "positionX": 10,
        "positionY": 20,
    }
    assert seller["orgSignerInfo"]["transactorInfo"]["psnAccount"] == "19900000001"
    assert seller["signFields"][0]["normalSignFieldConfig"] == {"freeMode": True}


def test_a_repeat_goes_on_with_the_file_that_is_there() -> None:
    """A file that is not ready is not filled a second time when the action is repeated."""
    http = Scripted(ok(fileId="f1"), ok(fileStatus=1), ok(fileStatus=5), ok(signFlowId="flow1"))
    connector = Connector(context(http))

    with pytest.raises(VendorFault, match="not ready"):
        connector.write("contract.create", WANTED, idempotency_key="k")

    assert connector.write("contract.create", WANTED, idempotency_key="k") == "flow1"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "contract"),
        ({**WANTED, "contract": " "}, "number is empty"),
        ({**WANTED, "contract": "A,B"}, "comma"),
        ({**WANTED, "contact_phone": None}, "nobody is named"),
        ({**WANTED, "parties": [{"role": "buyer"}]}, "person"),
        ({**WANTED, "expires_at": "2026-01-01T00:00:00"}, "expires_at"),
    ],
)
def test_fields_that_cannot_be_a_contract_are_refused_before_any_flow(fields: dict[str, object], words: str) -> None:
    """What repeating would not mend is refused, with the field that is wrong."""
    http = Scripted(ok(fileId="f1"), ok(fileStatus=2))

    with pytest.raises(VendorRefused, match=words):
        Connector(context(http)).write("contract.create", fields, idempotency_key="k")

    assert all("create-by-file" not in url for _, url, *_ in http.sent)


def test_a_contract_needs_a_template_and_a_revocation_a_flow() -> None:
    """Neither goes out without what it is about; what the vendor has no call for is refused."""
    connector = Connector(context(Scripted(), template=""))

    for what, fields in (("contract.create", WANTED), ("contract.revoke", {}), ("chat.send", {})):
        with pytest.raises(VendorRefused):
            connector.write(what, fields, idempotency_key="k")


def test_named_parties_are_taken_as_they_are() -> None:
    """Persons sign for themselves, a named seller replaces ours, and no contract runs longer than the vendor's 90 days."""
    http = Scripted(ok(fileId="f1"), ok(fileStatus=2), ok(signFlowId="flow1"))
    parties = [
        {"role": "buyer", "person": "李四", "account": "19900000003"},
        {"role": "seller", "person": "王五", "account": "19900000004", "organisation": "乙公司", "number": "91000000000000000X"},
    ]

    Connector(context(http, notices="")).write(
        "contract.create", {**WANTED, "parties": parties, "expires_at": "2027-01-01T00:00:00Z"}, idempotency_key="k"
    )

    flow = msgspec.json.decode(http.sent[2][3] or b"")
    assert [signer["signerType"] for signer in flow["signers"]] == [0, 1]
    assert flow["signers"][1]["orgSignerInfo"]["orgInfo"]["orgIDCardNum"] == "91000000000000000X"
    assert flow["signFlowConfig"]["signFlowExpireTime"] == 1767323045000 + 90 * 86_400_000
    assert "noticeConfig" not in flow["signFlowConfig"]


@pytest.mark.parametrize(
    ("title", "name"),
    [("A/B:C*?", "ABC.pdf"), ("合同🙂", "合同.pdf"), ("", "contract.pdf"), ("x" * 200, "x" * 90 + ".pdf"), ("a\nb", "ab.pdf")],
)
def test_file_names_are_such_as_the_vendor_takes(title: str, name: str) -> None:
    """At most 100 characters, none of the forbidden ones, no emoji."""
    assert file_name(title) == name


def test_our_numbers_come_back_out_of_the_business_number() -> None:
    """`customBizNum` may be a list, with our role behind the number, or somebody else's."""
    assert numbers("SO-1#buyer, SO-1#seller") == ("SO-1",)
    assert numbers("OTHER") == ("OTHER",)
    assert roles("SO-1#buyer,SO-1#seller") == "buyer, seller"
    assert roles("OTHER") == ""


def test_a_probe_tells_a_good_login_with_or_without_a_template() -> None:
    """With a template it is read; without one, being told that a flow does not exist means the login is good."""
    missing = '{"code":1435203,"message":"资源不存在"}'.encode()

    Connector(context(Scripted(ok(components=[])))).probe()
    Connector(context(Scripted(missing), template="")).probe()

    with pytest.raises(LoginRefused):
        Connector(context(Scripted(Answer(status=401, headers={}, body=GATEWAY)), template="")).probe()
