"""The styles that vendors use, as data. Each follows the vendor's document or its own code; a connection may change any field."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hub.core.errors import Misconfigured
from hub.core.signing.verifier import Verifier

_STANDARD = Verifier(
    signature="header:webhook-signature",
    message="{id}.{timestamp}.{body}",
    encoding="base64",
    syntax="versions",
    version="v1",
    key="standard",
    timestamp="header:webhook-timestamp",
    id="header:webhook-id",
)
_ESIGN = Verifier(
    signature="header:X-Tsign-Open-SIGNATURE",
    message="{timestamp}{query_values_sorted}{body}",
    timestamp="header:X-Tsign-Open-TIMESTAMP",
    time_unit="ms",
    # Whether a retry refreshes the header is not documented, and the ladder spans hours: repeats are told by their key.
    tolerance=0,
)
_HUBSPOT = Verifier(signature="header:X-HubSpot-Signature", algorithm="sha256", message="{secret}{body}")

STYLES: Mapping[str, Verifier] = {
    "standard-webhooks": _STANDARD,
    "svix": msgspec.structs.replace(
        _STANDARD, signature="header:svix-signature", timestamp="header:svix-timestamp", id="header:svix-id"
    ),
    # The whole `whsec_…` text is the key here, unlike Standard Webhooks.
    "stripe": Verifier(
        signature="header:Stripe-Signature", message="{timestamp}.{body}", syntax="pairs", version="v1", timestamp="pair:t"
    ),
    "github": Verifier(signature="header:X-Hub-Signature-256", prefix="sha256=", id="header:X-GitHub-Delivery"),
    "shopify": Verifier(signature="header:X-Shopify-Hmac-Sha256", encoding="base64", id="header:X-Shopify-Webhook-Id"),
    "hubspot-v3": Verifier(
        signature="header:X-HubSpot-Signature-v3",
        message="{method}{hubspot_url}{body}{timestamp}",
        encoding="base64",
        timestamp="header:X-HubSpot-Request-Timestamp",
        time_unit="ms",
    ),
    "hubspot-v2": msgspec.structs.replace(_HUBSPOT, message="{secret}{method}{url}{body}"),
    "hubspot-v1": _HUBSPOT,
    "docusign": Verifier(signature="header:X-DocuSign-Signature", syntax="numbered", encoding="base64"),
    # The body is not covered: whoever saw one event can send any body with it, so the connector asks the API again.
    "dropbox-sign": Verifier(
        signature="body:/event/event_hash",
        message="{event_time}{event_type}",
        values={"event_time": "body:/event/event_time", "event_type": "body:/event/event_type"},
        json_in="json",
    ),
    "esign": _ESIGN,
    "esign-base64": msgspec.structs.replace(_ESIGN, encoding="base64"),
    # Retries come up to 8 hours later and may keep the first time.
    "fadada": Verifier(
        signature="header:X-FASC-Sign",
        message="{fadada_text}",
        key="of_time",
        timestamp="header:X-FASC-Timestamp",
        time_unit="ms",
        tolerance=0,
        nonce="header:X-FASC-Nonce",
    ),
    "tencent-esign": Verifier(signature="header:Content-Signature", prefix="sha256="),
    "espocrm": Verifier(signature="header:Signature", syntax="wrapped"),
    "espocrm-legacy": Verifier(signature="header:X-Signature", syntax="wrapped", encoding="raw"),
    "twenty": Verifier(
        signature="header:X-Twenty-Webhook-Signature",
        message="{timestamp}:{body}",
        timestamp="header:X-Twenty-Webhook-Timestamp",
        time_unit="ms",
        nonce="header:X-Twenty-Webhook-Nonce",
    ),
    "jiandaoyun": Verifier(
        signature="header:X-JDY-Signature",
        message="{nonce}:{body}:{secret}:{timestamp}",
        algorithm="sha1",
        timestamp="query:timestamp",
        nonce="query:nonce",
        id="header:X-JDY-DeliverId",
    ),
    # The client id is the connection's: replace `values` with it.
    "youzan": Verifier(
        signature="header:Event-Sign", message="{client_id}{body}{secret}", algorithm="md5", values={"client_id": "text:?"}
    ),
    "zoho": Verifier(signature="body:/token", algorithm="token", encoding="raw"),
    "token": Verifier(signature="header:X-Webhook-Token", algorithm="token", encoding="raw"),
    "bearer": Verifier(signature="header:Authorization", algorithm="token", encoding="raw", prefix="Bearer "),
    # The secret is `user:password`.
    "basic": Verifier(signature="header:Authorization", algorithm="token", encoding="base64", prefix="Basic "),
    # Nothing is signed: the address is the secret, so it must be long and random, and what it says is asked again.
    "unsigned": Verifier(algorithm="none"),
}


def read_verifier(declared: str | Mapping[str, object]) -> Verifier:
    """The verifier that a setting declares: a style's name, or a table with fields and, to start from, a `style`.

    Raises `Misconfigured` with the field that is wrong.
    """
    table = {"style": declared} if isinstance(declared, str) else dict(declared)
    style = table.pop("style", None)
    if style is not None and style not in STYLES:
        raise Misconfigured(
            happened=f"there is no signature style {style!r}", next=f"use one of {', '.join(STYLES)}, or declare the fields"
        )
    base = msgspec.structs.asdict(STYLES[str(style)]) if style is not None else {}
    try:
        return msgspec.convert({**base, **table}, Verifier)
    except msgspec.ValidationError as error:
        raise Misconfigured(happened=f"the signature style cannot be read: {error}", next="correct the named field") from error
