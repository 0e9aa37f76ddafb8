"""What a callback means, whatever bytes come."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.chat_wecom import envelope
from connectors.chat_wecom.normalise import normalise
from connectors.chat_wecom.simulator_cipher import encrypt, sign
from hub.core.errors import Unreadable
from hub.core.event import Event, Ignored, Raw


def raw(body: bytes) -> Raw:
    return Raw(stream="callbacks", key="k", body=body).stamped(
        tenant="acme", connection="chat-main", door="webhook", received_at=datetime(2026, 1, 1, tzinfo=UTC)
    )


WHOLE = (
    "<xml><FromUserName><![CDATA[zhangsan]]></FromUserName><CreateTime>1700000000</CreateTime><MsgType>text</MsgType>"
    "<Content>你好</Content><MsgId>1</MsgId></xml>"
).encode()


@settings(max_examples=200)
@given(st.binary(max_size=300) | st.integers(0, len(WHOLE)).map(lambda end: WHOLE[:end]))
def test_random_and_cut_off_bytes_are_only_ever_unreadable(body: bytes) -> None:
    """Nothing else is raised."""
    try:
        list(normalise(raw(body)))
    except Unreadable as problem:
        assert problem.rule


@pytest.mark.parametrize("seconds", ["", "soon", "9" * 30, "-" + "9" * 18])
def test_a_time_that_is_none_is_named(seconds: str) -> None:
    """The element that cannot be read is the pointer."""
    body = WHOLE.replace(b"1700000000", seconds.encode())

    with pytest.raises(Unreadable) as caught:
        list(normalise(raw(body)))

    assert caught.value.pointer == "/CreateTime"


def test_elements_where_text_is_expected_are_not_read_as_text() -> None:
    """A tree in place of a name is as if the name were not there."""
    tree = envelope.read(b"<xml><MsgType><a/></MsgType><B>x</B><C><D>y</D></C></xml>")

    assert envelope.text(tree, "MsgType") == ""
    assert envelope.text(tree, "B", "C") == ""
    assert envelope.text(tree, "C", "D") == "y"


def test_the_simulators_cipher_agrees_with_the_published_examples() -> None:
    """It is written apart from the hub's, so each proves the other."""
    key, corp = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"

    encrypted = encrypt(key, corp, b"success", b"0123456789abcdef")

    assert encrypted == "sKqRbbiSUnDhFHOvPjtUMbWS28WQJEcq+Mzda1Jz7/48f8S/Ty+bA9T4kUGo9xXppbi6Xb5CJDNdGLzlBP6xcQ=="
    assert sign("QDG6eK", "1700000000", "nonce-1", encrypted) == "5df6e3a32518cc07fb244d72d57d80f4394b05e3"


@pytest.mark.parametrize(
    ("inside", "rule"),
    [
        ("<MsgType>image</MsgType>", "message image"),
        ("<MsgType>hologram</MsgType>", "message not listed"),
        ("<MsgType>event</MsgType><Event>sys_approval_change</Event>", "event sys_approval_change"),
        ("<MsgType>event</MsgType><Event>invented</Event>", "event not listed"),
        ("<InfoType>suite_ticket</InfoType>", "notice to a third-party suite"),
    ],
)
def test_what_holds_no_fact_is_ignored_by_name(inside: str, rule: str) -> None:
    """A listed kind under its own name, an unlisted one as such, so that it is seen."""
    assert list(normalise(raw(f"<xml>{inside}</xml>".encode()))) == [Ignored(rule=rule)]


def test_a_callback_of_no_kind_is_unreadable() -> None:
    """Nothing says what it is."""
    with pytest.raises(Unreadable, match="neither what kind"):
        list(normalise(raw(b"<xml><FromUserName>zhangsan</FromUserName></xml>")))


def test_selections_are_read_in_both_spellings() -> None:
    """The vendor's material writes OptionIds and OpitonIds."""
    items = "".join(
        f"<SelectedItem><QuestionKey>{question}</QuestionKey><{ids}><{one}>a</{one}><{one}>b</{one}></{ids}></SelectedItem>"
        for question, ids, one in (("q1", "OptionIds", "OptionId"), ("q2", "OpitonIds", "OpitonId"))
    )
    body = (
        "<xml><FromUserName>lisi</FromUserName><CreateTime>1700000000</CreateTime><MsgType>event</MsgType>"
        f"<Event>template_card_event</Event><EventKey>submit</EventKey><SelectedItems>{items}</SelectedItems></xml>"
    )

    [event] = normalise(raw(body.encode()))

    assert isinstance(event, Event)
    assert event.data.text == "q1=a,b;q2=a,b"  # type: ignore[attr-defined]
