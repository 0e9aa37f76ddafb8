"""Genuine deliveries in several styles, for the certification suite to forge."""

from __future__ import annotations

import hashlib
import hmac

from hub.core.connector import Delivery
from hub.core.signing import sign_standard
from hub.testing import NOON, Genuine

SECRET = "whsec_" + "c2h1bml1LXRlc3Qtc2VjcmV0LW9mLTMyLWJ5dGVzISE="
BODY = '{"id":"evt_1","type":"order.created","data":{"order_no":"SO-2026-0001","customer":"苏州示例自动化设备有限公司"}}'.encode()
LIST = b'{"events":[{"id":"e1","amount":1.10},{"id":"e2","amount":90071992547409931234},{"amount":3}]}'


def settings() -> dict[str, object]:
    return {"secret": SECRET, "type_at": "body:/type", "id_at": "body:/id"}


def delivery(body: bytes, headers: dict[str, str], **query: str) -> Delivery:
    named = {"content-type": "application/json", **headers}
    return Delivery(
        method="POST",
        url="https://hub.example.com/hooks/http-webhook",
        query=tuple(query.items()),
        headers=tuple((name.lower(), value) for name, value in named.items()),
        body=body,
        received_at=NOON,
    )


def standard(body: bytes, id: str = "msg_1") -> Delivery:
    signed = {
        "webhook-id": id,
        "webhook-timestamp": str(int(NOON.timestamp())),
        "webhook-signature": sign_standard(SECRET, id, NOON, body),
    }
    return delivery(body, signed)


def mac(text: bytes) -> str:
    return hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()


def deliveries() -> list[Genuine]:
    now = str(int(NOON.timestamp()))
    stripe = delivery(BODY, {"Stripe-Signature": f"t={now},v1={mac(now.encode() + b'.' + BODY)}"})
    own = {"signature": "header:X-Sign", "message": "{timestamp}\n{body}", "timestamp": "query:ts"}
    return [
        Genuine(delivery=standard(BODY), signature="header:webhook-signature"),
        Genuine(delivery=standard(BODY), signature="header:webhook-signature", settings={"id_at": ""}),
        Genuine(
            delivery=standard(LIST),
            signature="header:webhook-signature",
            settings={"items_at": "body:/events", "item_id_at": "body:/id", "id_at": ""},
        ),
        Genuine(
            delivery=standard(b'{"challenge":"a text to send back"}'),
            signature="header:webhook-signature",
            settings={"challenge_at": "body:/challenge"},
            challenge=True,
        ),
        Genuine(
            delivery=delivery(BODY, {"X-Hub-Signature-256": "sha256=" + mac(BODY), "X-GitHub-Delivery": "d-1"}),
            signature="header:X-Hub-Signature-256",
            covers=frozenset({"body"}),
            settings={"style": "github", "id_at": ""},
        ),
        Genuine(delivery=stripe, covers=frozenset({"body", "time"}), settings={"style": "stripe"}),
        Genuine(
            delivery=delivery(BODY, {"X-Sign": mac(now.encode() + b"\n" + BODY)}, ts=now),
            signature="header:X-Sign",
            covers=frozenset({"body", "time", "query"}),
            settings={"style": "own", "verifier": own},
        ),
        Genuine(
            delivery=delivery(BODY, {"X-Webhook-Token": SECRET}),
            signature="header:X-Webhook-Token",
            covers=frozenset(),
            settings={"style": "token"},
        ),
    ]
