"""What a delivery becomes: its raws, their keys and bytes, and the answer."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from connectors.http_webhook.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Delivery, Malformed, Misconfigured, Refused
from hub.testing import NOON, FixedClock, context_for

HERE = Path(__file__).parent
MANIFEST = read_manifest(HERE.parent / "manifest.toml")
SPEC = importlib.util.spec_from_file_location("deliveries_of_http_webhook", HERE / "certify.py")
assert SPEC is not None and SPEC.loader is not None
signed: Any = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(signed)


def connector(**settings: object) -> Connector:
    return Connector(context_for(MANIFEST, settings={"secret": signed.SECRET, **settings}, clock=FixedClock()))


def test_a_delivery_is_kept_as_it_came() -> None:
    """Its bytes are not touched; its type is the stream and its number the key."""
    accepted = connector(type_at="body:/type", id_at="body:/id").receive(signed.standard(signed.BODY))

    (raw,) = accepted.raws
    assert (raw.stream, raw.key, raw.body) == ("order.created", "evt_1", signed.BODY)
    assert raw.headers["event-type"] == "order.created"
    assert raw.headers["delivery-id"] == "msg_1"


def test_a_signed_delivery_id_is_the_key_where_no_place_is_set() -> None:
    """Standard Webhooks sign the id, so that a repeat is known by it."""
    assert [raw.key for raw in connector().receive(signed.standard(signed.BODY)).raws] == ["msg_1"]


def test_an_id_that_is_not_signed_is_not_believed() -> None:
    """The same body under another unsigned id is the same raw: anybody could have sent it again."""
    made = connector(style="github")
    sent = [
        signed.delivery(signed.BODY, {"X-Hub-Signature-256": "sha256=" + signed.mac(signed.BODY), "X-GitHub-Delivery": number})
        for number in ("d-1", "d-2")
    ]

    one, two = (made.receive(delivery).raws[0].key for delivery in sent)

    assert one == two
    assert one.startswith("sha256:")


def test_the_items_of_a_list_are_raws_with_their_own_bytes() -> None:
    """A number of twenty digits comes through a list unchanged; an item without a number is known by its place."""
    made = connector(items_at="body:/events", item_id_at="body:/id")

    raws = made.receive(signed.standard(signed.LIST)).raws

    assert [raw.key for raw in raws] == ["e1", "e2", "msg_1/2"]
    assert raws[1].body == b'{"id":"e2","amount":90071992547409931234}'


def test_a_body_that_is_a_list_can_be_taken_apart() -> None:
    """`body:` names the whole body."""
    raws = connector(items_at="body:").receive(signed.standard(b"[1, 2]")).raws

    assert [(raw.key, raw.body) for raw in raws] == [("msg_1/0", b"1"), ("msg_1/1", b"2")]


@pytest.mark.parametrize("body", [b'{"events":{}}', b"{}", b'{"events":null}'])
def test_a_list_that_is_not_there_is_refused(body: bytes) -> None:
    """What the setting promises and the delivery lacks is told, not guessed."""
    with pytest.raises(Malformed, match="list of events"):
        connector(items_at="body:/events").receive(signed.standard(body))


def test_both_secrets_are_good_while_one_is_changed() -> None:
    """The position of the secret that matched is told, to see when the old one falls out of use."""
    made = connector(secret_all=["whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldw==", signed.SECRET])

    assert made.receive(signed.standard(signed.BODY)).secret == 1


def test_the_answer_is_the_one_that_is_set() -> None:
    """Status, text and type are the sender's wish."""
    made = connector(reply_status=202, reply_body='{"ok":1}', reply_type="application/json")

    reply = made.receive(signed.standard(signed.BODY)).reply

    assert (reply.status, reply.body, reply.content_type) == (202, b'{"ok":1}', "application/json")


def test_a_registration_by_get_is_answered_with_its_text() -> None:
    """The text goes back as plain text that no browser runs; nothing is stored."""
    asked = Delivery(
        method="GET", url="https://hub.example.com/hooks/x", query=(("echo", "<b>1</b>"),), headers=(), body=b"", received_at=NOON
    )

    accepted = connector(challenge_at="query:echo").receive(asked)

    assert (accepted.raws, accepted.reply.body) == ((), b"<b>1</b>")
    assert accepted.reply.content_type.startswith("text/plain")
    assert accepted.reply.headers["x-content-type-options"] == "nosniff"


def test_a_challenge_by_post_must_be_signed() -> None:
    """A text in a body that is not signed is not sent back."""
    body = b'{"challenge":"x"}'

    with pytest.raises(Refused):
        connector(challenge_at="body:/challenge").receive(signed.delivery(body, {}))


def test_an_endless_challenge_is_refused() -> None:
    """Nobody is given a kilobyte of his own back."""
    asked = Delivery(
        method="GET", url="https://hub.example.com", query=(("echo", "x" * 1001),), headers=(), body=b"", received_at=NOON
    )

    with pytest.raises(Malformed):
        connector(challenge_at="query:echo").receive(asked)


def test_a_type_at_a_header_that_comes_twice_is_refused() -> None:
    """Which of two types is meant, nobody knows."""
    sent = signed.standard(signed.BODY)
    twice = Delivery(
        method=sent.method,
        url=sent.url,
        query=(),
        body=sent.body,
        received_at=NOON,
        headers=(*sent.headers, ("x-type", "a"), ("x-type", "b")),
    )

    with pytest.raises(Malformed, match="twice"):
        connector(type_at="header:X-Type").receive(twice)


@pytest.mark.parametrize(
    "settings",
    [
        {"style": "own"},
        {"style": "no-such-style"},
        {"verifier": {"algorithm": "rot13"}},
        {"type_at": "somewhere"},
        {"type_at": "body:type"},
        {"items_at": "header:X-Items"},
        {"reply_status": 500},
        {"reply_status": "200"},
    ],
)
def test_settings_that_cannot_work_are_told_when_the_connection_is_opened(settings: dict[str, object]) -> None:
    """A wrong setting is no surprise of the first delivery."""
    with pytest.raises(Misconfigured):
        connector(**settings)


@pytest.mark.parametrize(
    ("pointer", "key"),
    [
        ("/a/0/b", "7"),
        ("/x~1y", "slash"),
        ("/none", None),
        ("/a/9", None),
        ("/a/x", None),
        ("/text/deeper", None),
        ("/text", "t"),
        ("/a", None),
    ],
)
def test_a_json_pointer_finds_text_and_whole_numbers(pointer: str, key: str | None) -> None:
    """RFC 6901, lists too; anything but a text or a whole number is as if it were not there."""
    body = b'{"a":[{"b":7}],"x/y":"slash","text":"t"}'

    (raw,) = connector(id_at=f"body:{pointer}").receive(signed.standard(body)).raws

    assert raw.key == (key or "msg_1")


def test_a_public_key_verifies_as_well() -> None:
    """Standard Webhooks version 1a: an ed25519 public key in place of a shared secret."""
    from hub import keys

    private, public = keys.new_key_pair()
    sent = signed.delivery(
        signed.BODY,
        {
            "webhook-id": "msg_2",
            "webhook-timestamp": str(int(NOON.timestamp())),
            "webhook-signature": keys.sign_standard_v1a(private, "msg_2", NOON, signed.BODY),
        },
    )

    assert connector(secret=public).receive(sent).raws[0].key == "msg_2"
