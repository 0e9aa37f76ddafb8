"""企业微信 over real sockets against its simulator."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from connectors.chat_wecom.connector import Connector
from connectors.chat_wecom.simulator import Simulator
from hub.core.connector import Context, Delivery
from hub.core.errors import (
    LoginRefused,
    Malformed,
    Misconfigured,
    OutcomeUnknown,
    Problem,
    RateLimited,
    Refused,
    SignatureRefused,
    Stale,
    Unreachable,
    VendorFault,
    VendorRefused,
)
from hub.egress import Egress
from hub.http import HttpClient


class SetClock:
    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Desk:
    """A connection to the simulator, with a memory and a clock that can be set."""

    def __init__(self, simulator: Simulator, **settings: object) -> None:
        self.simulator = simulator
        self.clock = SetClock()
        self.kept: dict[str, tuple[str, datetime]] = {}
        simulator.now = self.clock.seconds
        self.context = Context(
            tenant="acme",
            connection="chat-main",
            settings=simulator.settings() | settings,
            http=HttpClient(connection="chat-main", egress=Egress(allow=("127.0.0.1",)), clock=self.clock),
            clock=self.clock,
            recall=self.recall,
            remember=self.remember,
        )
        self.connector = Connector(self.context)

    def recall(self, name: str) -> str | None:
        value, until = self.kept.get(name, ("", self.clock.at))
        return value if self.clock.at < until else None

    def remember(self, name: str, value: str, seconds: float) -> None:
        self.kept[name] = value, self.clock.at + timedelta(seconds=seconds)

    def send(self, key: str = "k-1", what: str = "chat.send", **fields: object) -> str:
        return self.connector.write(what, {"to": ["zhangsan"]} | fields if what == "chat.send" else fields, idempotency_key=key)

    def delivery(self, plain: bytes, *, at: float | None = None, **changed: str) -> Delivery:
        query = self.simulator.signed(plain, at=at) | changed
        body = self.simulator.envelope(query.pop("echostr"))
        return Delivery(
            method="POST",
            url="https://hub.test/hooks/x",
            query=tuple(query.items()),
            headers=(),
            body=body,
            received_at=self.clock.at,
        )


@pytest.fixture
def desk() -> Iterator[Desk]:
    simulator = Simulator()
    simulator.start()
    yield Desk(simulator)
    simulator.stop()


# --- sending -----------------------------------------------------------------------------------------------------


def test_a_text_arrives(desk: Desk) -> None:
    """A text reaches the people it is for, with the vendor's check against repeats switched on."""
    number = desk.send(to=["zhangsan", "LiSi"], text="订单 SO-1 已回款")

    sent = desk.simulator.messages[0]
    assert sent["msgid"] == number
    assert sent["touser"] == "zhangsan|LiSi"
    assert sent["text"] == {"content": "订单 SO-1 已回款"}
    assert (sent["agentid"], sent["enable_duplicate_check"], sent["duplicate_check_interval"]) == (1000002, 1, 1800)


def test_one_login_serves_many_messages(desk: Desk) -> None:
    """The token is kept, for all instances of the connection."""
    for number in range(3):
        desk.connector = Connector(desk.context)
        desk.send(f"k-{number}", text=f"message {number}")

    assert desk.simulator.logins == 1


def test_an_expired_token_is_renewed_once(desk: Desk) -> None:
    """A token that the vendor took back early costs one more login, and the message goes out."""
    desk.send(text="one")
    desk.simulator.expire_tokens()

    desk.send("k-2", text="two")

    assert desk.simulator.logins == 2
    assert len(desk.simulator.messages) == 2


def test_a_token_that_stays_refused_is_not_renewed_again(desk: Desk) -> None:
    """The vendor blocks those who log in again and again: once is enough."""
    desk.send(text="one")
    desk.simulator.fail_next(errcode=42001)
    desk.simulator.expire_tokens()
    desk.simulator.fail_next(status=200, errcode=0)  # the login itself gives an answer without a token

    with pytest.raises(VendorFault):
        desk.send("k-2", text="two")

    assert desk.simulator.calls.count("/cgi-bin/gettoken") == 2


def test_a_second_refusal_is_a_refused_login(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the new token is refused too, the login is what is wrong."""
    monkeypatch.setattr(desk.simulator, "_refusal", lambda kind, given: {"errcode": 40014, "errmsg": ""})

    with pytest.raises(LoginRefused):
        desk.send(text="one")

    assert desk.simulator.logins == 2


@pytest.mark.parametrize("changed", [{"secret": "wrong"}, {"corp_id": "ww-other"}])
def test_a_wrong_secret_is_a_refused_login(desk: Desk, changed: dict[str, str]) -> None:
    """A wrong secret is told apart, and is not shown."""
    wrong = Desk(desk.simulator, **changed)

    with pytest.raises(LoginRefused) as caught:
        wrong.connector.probe()

    assert "wrong" not in str(caught.value)


def test_a_stopped_host_is_unreachable(desk: Desk) -> None:
    """Nothing listening is told apart from a refusal, and it comes back by itself."""
    desk.simulator.go_down()
    with pytest.raises(Unreachable):
        desk.connector.probe()

    desk.simulator.come_back()
    desk.connector.probe()


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_is_the_vendors_fault(desk: Desk, status: int) -> None:
    """5xx is the vendor's fault; so is an answer that is no JSON, or a code that nobody documented."""
    desk.simulator.fail_next(status=status)

    with pytest.raises(VendorFault):
        desk.connector.probe()


@pytest.mark.parametrize(
    ("errcode", "kind"),
    [
        (45009, RateLimited),
        (45033, RateLimited),
        (60020, LoginRefused),
        (81013, VendorRefused),
        (-1, VendorFault),
        (99999, VendorFault),
    ],
)
def test_codes_are_told_as_what_they_mean(desk: Desk, errcode: int, kind: type[Exception]) -> None:
    """Every documented code has its class; an unknown one is tried again later."""
    desk.connector.probe()
    desk.simulator.fail_next(errcode=errcode)

    with pytest.raises(kind):
        desk.send(text="x")


def test_too_many_calls_say_how_long_to_wait(desk: Desk) -> None:
    """The penalty lasts a minute at least, and a Retry-After counts where there is one."""
    desk.connector.probe()
    desk.simulator.fail_next(errcode=45009)
    with pytest.raises(RateLimited) as code:
        desk.send(text="x")
    desk.simulator.fail_next(status=429, retry_after=7)
    with pytest.raises(RateLimited) as header:
        desk.send(text="x")

    assert code.value.after == 65
    assert header.value.after == 7


def test_an_untrusted_address_is_a_setting_to_correct(desk: Desk) -> None:
    """60020 is not repeated and says what to do."""
    desk.connector.probe()
    desk.simulator.trusted = False

    with pytest.raises(LoginRefused, match="企业可信IP"):
        desk.send(text="x")


def test_a_429_without_a_time_waits_too(desk: Desk) -> None:
    """Without Retry-After the documented minute counts."""
    desk.connector.probe()
    desk.simulator.fail_next(status=429)

    with pytest.raises(RateLimited) as caught:
        desk.send(text="x")

    assert caught.value.after == 65


def test_who_was_not_reached_is_told(desk: Desk) -> None:
    """The vendor answers 0 although one is missing; the name is told as it was written, and the others have the message."""
    with pytest.raises(VendorRefused, match="not to Nobody-1") as caught:
        desk.send(to=["zhangsan", "Nobody-1"], text="x")

    assert desk.simulator.messages[0]["reached"] == ["zhangsan"]
    assert caught.value.about["record"] == desk.simulator.messages[0]["msgid"]


def test_nobody_reached_is_refused(desk: Desk) -> None:
    """81013: not repeated."""
    with pytest.raises(VendorRefused):
        desk.send(to=["nobody"], text="x")


def test_a_long_text_is_cut_where_it_can_be_seen(desk: Desk) -> None:
    """The cut keeps whole characters, says so, and fits the documented bytes."""
    desk.send(text="汉" * 2000)
    desk.send("k-2", markdown="𠮷" * 2000)
    desk.connector.write("chat.robot", {"markdown": "m" * 5000}, idempotency_key="k-3")

    text = desk.simulator.messages[0]["text"]["content"]
    markdown = desk.simulator.messages[1]["markdown"]["content"]
    assert 2040 < len(text.encode()) <= 2048
    assert text.endswith("已截断）")
    assert len(markdown.encode()) <= 2048
    assert len(desk.simulator.robot_messages[0]["markdown"]["content"].encode()) <= 4096


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text": ""},
        {"text": "x", "markdown": "y"},
        {"text": "x", "to": []},
        {"text": "x", "to": ["u"] * 1001},
        {"text": "x", "to": {"a": 1}},
        {"card": {"subtitle": "no title"}},
        {"card": {"title": "t", "buttons": [{"key": "a", "text": "A"}], "task": "不行"}},
        {"card": {"title": "t", "buttons": [{"key": "a", "text": "A"}], "task": "x" * 129}},
    ],
)
def test_a_message_that_cannot_be_sent_is_refused_before_it_leaves(desk: Desk, fields: dict[str, object]) -> None:
    """What the vendor would not take is refused here, with a sentence."""
    with pytest.raises(VendorRefused):
        desk.send(**fields)

    assert desk.simulator.messages == []


def test_something_else_is_refused(desk: Desk) -> None:
    """A write that is not ours is named."""
    with pytest.raises(VendorRefused, match="cannot do"):
        desk.connector.write("order.create", {}, idempotency_key="k")


def test_missing_settings_are_named(desk: Desk) -> None:
    """A connection for a robot alone says what is missing when it is asked to write to people."""
    robot = Desk(desk.simulator, secret="", corp_id="", agent_id="")

    with pytest.raises(Misconfigured, match="agent_id"):
        robot.send(text="x")
    robot.connector.probe()
    robot.connector.write("chat.robot", {"text": "x", "mention": "@all"}, idempotency_key="k")

    assert desk.simulator.robot_messages == [{"msgtype": "text", "text": {"content": "x", "mentioned_list": ["@all"]}}]


def test_a_robot_that_was_removed_is_told(desk: Desk) -> None:
    """93000 is a key to set anew; without a key the setting is named."""
    with pytest.raises(LoginRefused, match="robot"):
        Desk(desk.simulator, robot_key="gone").connector.write("chat.robot", {"text": "x"}, idempotency_key="k")
    with pytest.raises(Misconfigured, match="robot_key"):
        Desk(desk.simulator, robot_key="").connector.write("chat.robot", {"text": "x"}, idempotency_key="k")


def test_the_twenty_first_robot_message_of_a_minute_waits(desk: Desk) -> None:
    """The robot's own limit is told with the time to wait, and holds no longer than that."""
    for number in range(20):
        desk.connector.write("chat.robot", {"text": f"n {number}"}, idempotency_key=f"k-{number}")
    with pytest.raises(RateLimited) as caught:
        desk.connector.write("chat.robot", {"text": "one more"}, idempotency_key="k-20")

    desk.clock.sleep(caught.value.after)
    desk.connector.write("chat.robot", {"text": "one more"}, idempotency_key="k-20")

    assert len(desk.simulator.robot_messages) == 21


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_leaves_a_robots_message_unknown(desk: Desk, status: int) -> None:
    """A robot has no protection against repeats, so a gateway's error is not called undone."""
    desk.simulator.fail_next(status=status)

    with pytest.raises(OutcomeUnknown):
        desk.connector.write("chat.robot", {"text": "x"}, idempotency_key="k")


# --- lost answers ------------------------------------------------------------------------------------------------


def test_a_repeat_after_a_lost_answer_has_one_effect(desk: Desk) -> None:
    """The message was carried out, the answer lost: a repeat within the vendor's interval shows it once."""
    desk.connector.probe()
    desk.simulator.fail_next(lose_answer=True)
    with pytest.raises(OutcomeUnknown):
        desk.send(text="SO-1 paid 40.00")

    desk.send(text="SO-1 paid 40.00")

    assert len(desk.simulator.messages) == 1
    assert len(desk.simulator.dropped) == 1


def test_a_repeat_that_comes_too_late_does_not_go_out(desk: Desk) -> None:
    """Past the interval the vendor would show it twice; the outcome stays unknown."""
    desk.connector.probe()
    desk.simulator.fail_next(lose_answer=True)
    with pytest.raises(OutcomeUnknown):
        desk.send(text="SO-1 paid 40.00")

    desk.clock.sleep(1800)
    with pytest.raises(OutcomeUnknown, match="would not notice"):
        desk.send(text="SO-1 paid 40.00")

    assert len(desk.simulator.messages) == 1


def test_a_second_lost_answer_does_not_extend_the_time(desk: Desk) -> None:
    """The time counts from the first loss."""
    desk.connector.probe()
    for _ in range(2):
        desk.simulator.fail_next(lose_answer=True)
        with pytest.raises(OutcomeUnknown):
            desk.send(text="x")
        desk.clock.sleep(1000)

    with pytest.raises(OutcomeUnknown, match="would not notice"):
        desk.send(text="x")


# --- cards -------------------------------------------------------------------------------------------------------


CARD = {
    "title": "报价待审批",
    "subtitle": "Q-2026-0001",
    "text": "库存满足",
    "source": "报价中心",
    "facts": [{"name": "客户", "value": "ACME"}, {"name": "详情", "value": "打开", "url": "https://hub.example.com/q/1"}],
    "url": "https://hub.example.com/q/1",
    "buttons": [{"key": "approve", "text": "批准"}, {"key": "reject", "text": "驳回", "style": 2}],
    "task": "quote-1@v3",
}


def test_a_card_has_the_vendors_form(desk: Desk) -> None:
    """Neutral words become the documented button card."""
    desk.send(card=CARD)

    assert desk.simulator.messages[0]["template_card"] == {
        "card_type": "button_interaction",
        "task_id": "quote-1@v3",
        "source": {"desc": "报价中心"},
        "main_title": {"title": "报价待审批", "desc": "Q-2026-0001"},
        "sub_title_text": "库存满足",
        "horizontal_content_list": [
            {"keyname": "客户", "value": "ACME"},
            {"type": 1, "keyname": "详情", "value": "打开", "url": "https://hub.example.com/q/1"},
        ],
        "card_action": {"type": 1, "url": "https://hub.example.com/q/1"},
        "button_list": [{"text": "批准", "style": 1, "key": "approve"}, {"text": "驳回", "style": 2, "key": "reject"}],
    }


def test_a_card_that_was_sent_can_be_changed_once(desk: Desk) -> None:
    """Its code is remembered under its task; the vendor takes it once."""
    desk.send(card=CARD)

    desk.send("k-2", "card.update", task="quote-1@v3", to=["zhangsan"], replace_name="已批准")
    with pytest.raises(VendorFault):
        desk.send("k-3", "card.update", task="quote-1@v3", replace_name="已批准")

    update = desk.simulator.updates[0]
    assert update["button"] == {"replace_name": "已批准"}
    assert update["userids"] == ["zhangsan"]


def test_a_pressed_card_can_be_changed(desk: Desk) -> None:
    """The code that came with the click works, with a whole new card and for everybody."""
    card = desk.simulator.card_event("lisi", task="quote-1@v3", button="approve", code="code-1")
    desk.simulator._codes["code-1"] = "quote-1@v3"
    raw = desk.connector.receive(desk.delivery(card)).raws[0]
    raw = raw.stamped(tenant="acme", connection="chat-main", door="webhook", received_at=desk.clock.at)
    [pressed] = desk.connector.normalise(raw)

    desk.send("k-2", "card.update", reply_to=pressed.data.reply_to, card={"title": "已批准"})

    assert (pressed.data.choice, pressed.data.task, pressed.data.sender) == ("approve", "quote-1@v3", "lisi")
    assert desk.simulator.updates[0]["atall"] == 1
    assert desk.simulator.updates[0]["template_card"] == {"card_type": "text_notice", "main_title": {"title": "已批准"}}


def test_a_card_gets_a_task_of_its_own(desk: Desk) -> None:
    """Without a task one is derived from the action, so a repeat has the same."""
    desk.send(card=CARD | {"task": None})
    desk.send("k-2", card={"card_type": "text_notice", "main_title": {"title": "as it is"}})
    desk.connector.write("chat.robot", {"card": {"title": "t"}}, idempotency_key="k-3")

    assert desk.simulator.messages[0]["template_card"]["task_id"].startswith("card_")
    assert desk.simulator.messages[1]["template_card"]["main_title"] == {"title": "as it is"}
    assert desk.simulator.robot_messages[0]["template_card"]["card_type"] == "text_notice"


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("card.update", {"task": "never-sent", "replace_name": "x"}),
        ("card.update", {"replace_name": "x"}),
        ("card.update", {"reply_to": "c"}),
        ("card.update", {"reply_to": "c", "replace_name": "x", "card": {"title": "t"}}),
        ("chat.robot", {"card": {"title": "t", "buttons": [{"key": "a", "text": "A"}]}}),
    ],
)
def test_a_change_that_cannot_work_is_refused(desk: Desk, what: str, fields: dict[str, object]) -> None:
    """No code, no text, or a robot's card with buttons."""
    with pytest.raises(VendorRefused):
        desk.connector.write(what, fields, idempotency_key="k")


# --- receiving ---------------------------------------------------------------------------------------------------


def test_the_check_of_the_address_is_answered_with_the_plain_word(desk: Desk) -> None:
    """The console's check gets the decrypted text, nothing around it, and nothing is stored."""
    query = desk.simulator.signed(b"1616140317555161061")

    accepted = desk.connector.receive(
        Delivery(method="GET", url="", query=tuple(query.items()), headers=(), body=b"", received_at=desk.clock.at)
    )

    assert accepted.reply.body == b"1616140317555161061"
    assert accepted.raws == ()


def test_a_callback_is_opened_and_keyed_by_its_number(desk: Desk) -> None:
    """The raw is what was inside, its key the vendor's MsgId, the answer empty; sent twice it is the same raw."""
    message = desk.simulator.text_message("zhangsan", "库存 ABC", number="4561255354251345929")

    first = desk.connector.receive(desk.delivery(message))
    second = desk.connector.receive(desk.delivery(message))

    assert (first.reply.status, first.reply.body) == (200, b"")
    assert first.raws[0].key == "message 4561255354251345929"
    assert first.raws[0].body == message
    assert first.raws == second.raws


def test_events_without_a_number_are_told_apart(desk: Desk) -> None:
    """Two buttons in one second are two callbacks, the same button twice is one."""
    keys = [
        desk.connector.receive(desk.delivery(desk.simulator.card_event("lisi", task="t", button=button, code="c"))).raws[0].key
        for button in ("approve", "reject", "approve")
    ]

    assert keys[0] == keys[2] != keys[1]


@pytest.mark.parametrize("changed", ["msg_signature", "timestamp", "nonce"])
def test_altered_parameters_are_refused(desk: Desk, changed: str) -> None:
    """Every signed parameter counts."""
    delivery = desk.delivery(b"<xml><MsgId>1</MsgId></xml>", **{changed: "1700000000"})

    with pytest.raises(SignatureRefused):
        desk.connector.receive(delivery)


@pytest.mark.parametrize("missing", ["msg_signature", "timestamp", "nonce"])
def test_missing_or_doubled_parameters_are_refused(desk: Desk, missing: str) -> None:
    """Nothing is assumed, and of two values none is chosen."""
    whole = desk.delivery(b"<xml><MsgId>1</MsgId></xml>")
    without = tuple(pair for pair in whole.query if pair[0] != missing)

    for query, kind in ((without, SignatureRefused), ((*whole.query, (missing, "x")), Malformed)):
        with pytest.raises(kind):
            desk.connector.receive(Delivery(**{**_as_dict(whole), "query": query}))


@pytest.mark.parametrize("seconds", [-601, 601, 10**9])
def test_a_stale_callback_is_refused(desk: Desk, seconds: int) -> None:
    """Ten minutes in either direction, although the signature is right."""
    with pytest.raises(Stale):
        desk.connector.receive(desk.delivery(b"<xml><MsgId>1</MsgId></xml>", at=desk.clock.at.timestamp() + seconds))


def test_a_signed_time_that_is_none_is_refused(desk: Desk) -> None:
    """A signature over nonsense does not make it a time."""
    from connectors.chat_wecom.simulator_cipher import sign

    whole = desk.delivery(b"<xml><MsgId>1</MsgId></xml>")
    encrypted = whole.body.partition(b"<Encrypt><![CDATA[")[2].partition(b"]]>")[0].decode()
    for stamp in ("soon", "9" * 30):
        query = {"timestamp": stamp, "nonce": "n", "msg_signature": sign(desk.simulator.callback_token, stamp, "n", encrypted)}
        with pytest.raises(Malformed):
            desk.connector.receive(Delivery(**{**_as_dict(whole), "query": tuple(query.items())}))


def test_altered_cipher_text_is_refused(desk: Desk) -> None:
    """One character of the encrypted message, which is the signed part of the body."""
    whole = desk.delivery(b"<xml><MsgId>1</MsgId></xml>")
    start = whole.body.index(b"<Encrypt><![CDATA[") + 40
    for at in range(start, start + 5):
        body = whole.body[:at] + (b"A" if whole.body[at : at + 1] != b"A" else b"B") + whole.body[at + 1 :]
        with pytest.raises(SignatureRefused):
            desk.connector.receive(Delivery(**{**_as_dict(whole), "body": body}))


def test_two_tokens_are_active_while_they_are_renewed(desk: Desk) -> None:
    """The old pair still opens, the new one first; which one it was is told."""
    old = {"callback_token": desk.simulator.callback_token, "callback_aes_key": desk.simulator.callback_aes_key}
    new = {"callback_token": "newToken", "callback_aes_key": "1234567890123456789012345678901234567890123"}
    both = Desk(desk.simulator, **{f"{name}_all": [new[name], old[name]] for name in old})
    message = desk.simulator.text_message("zhangsan", "x", number="1")

    before = both.connector.receive(both.delivery(message))
    desk.simulator.callback_token, desk.simulator.callback_aes_key = new["callback_token"], new["callback_aes_key"]
    after = both.connector.receive(both.delivery(message))

    assert (before.secret, after.secret) == (1, 0)
    assert before.raws == after.raws


def test_a_callback_of_another_company_is_refused(desk: Desk) -> None:
    """The receiver's id inside counts, not the plain field around it."""
    desk.simulator.corp_id = "ww0000000000000002"

    with pytest.raises(SignatureRefused, match="another receiver"):
        desk.connector.receive(desk.delivery(b"<xml><MsgId>1</MsgId></xml>"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<xml>",
        b"<xml/>",
        b"<xml><Encrypt/></xml>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="utf-7"?><xml><a/></xml>',
        b'<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/hostname">]><xml><Encrypt>&e;</Encrypt></xml>',
        b"<a>" * 100_000,
        b"<xml>" + b"<a/>" * 300_000 + b"</xml>",
        b"x" * (1024 * 1024 + 1),
    ],
)
def test_a_body_that_is_no_envelope_is_refused(desk: Desk, body: bytes) -> None:
    """Empty, another format, cut off, with a document type, deep, wide or huge: refused, whatever the parameters."""
    whole = desk.delivery(b"<xml><MsgId>1</MsgId></xml>")

    with pytest.raises(Refused):
        desk.connector.receive(Delivery(**{**_as_dict(whole), "body": body}))


def test_a_signed_message_that_is_no_xml_is_refused(desk: Desk) -> None:
    """What is inside is checked as well."""
    with pytest.raises(Malformed):
        desk.connector.receive(desk.delivery(b"not xml"))


@pytest.mark.parametrize("empty", ["callback_token", "callback_aes_key"])
def test_without_a_secret_nothing_is_received(desk: Desk, empty: str) -> None:
    """No Token or key set: refused, never processed."""
    with pytest.raises(SignatureRefused, match="not set"):
        Desk(desk.simulator, **{empty: ""}).connector.receive(desk.delivery(b"<xml/>"))


def test_the_simulator_calls_a_hook_as_the_vendor_does(desk: Desk) -> None:
    """Check of the address, a message and a button over a real socket; three attempts where the hook fails."""
    seen: list[str] = []

    class Hook(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            place = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = tuple(urllib.parse.parse_qsl(place.query))
            accepted = desk.connector.receive(
                Delivery(method=self.command, url="", query=query, headers=(), body=body, received_at=desk.clock.at)
            )
            seen.extend(raw.key for raw in accepted.raws)
            self.send_response(200 if "/broken" not in place.path else 500)
            self.send_header("Content-Length", str(len(accepted.reply.body)))
            self.end_headers()
            self.wfile.write(accepted.reply.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    hook = f"http://127.0.0.1:{server.server_port}"

    assert desk.simulator.check_url(hook)
    assert desk.simulator.say(hook, "zhangsan", "hello", number="7") == 200
    assert desk.simulator.press(hook, "lisi", task="t", button="b") == 200
    assert desk.simulator.say(f"{hook}/broken", "zhangsan", "hello", number="8") == 500
    server.shutdown()
    server.server_close()

    assert seen[0] == "message 7"
    assert seen[2:] == ["message 8"] * 3


def _as_dict(delivery: Delivery) -> dict[str, object]:
    return {name: getattr(delivery, name) for name in delivery.__struct_fields__}


@pytest.mark.parametrize(
    "failure", [{"status": 500}, {"errcode": 45009}, {"errcode": 60020}, {"errcode": 99999}, {"lose_answer": True}]
)
@pytest.mark.parametrize("what", ["chat.send", "chat.robot", "probe"])
def test_no_error_holds_a_secret(desk: Desk, what: str, failure: dict[str, object]) -> None:
    """Neither the application's secret nor a token nor the robot's key is in what is told, its cause or its values."""
    desk.connector.probe()
    access, _ = desk.kept["access_token"]
    desk.simulator.fail_next(**failure, times=3)  # type: ignore[arg-type]

    with pytest.raises(Problem) as caught:
        desk.connector.probe() if what == "probe" else desk.send(what=what, text="x")

    told = f"{caught.value} {caught.value.as_dict()} {caught.value.__cause__!r}"
    assert not [secret for secret in (desk.simulator.secret, desk.simulator.robot_key, access) if secret in told]
