"""Keys for webhooks: Standard Webhooks secrets, and its asymmetric version 1a (ed25519)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.core.connector import Delivery
from hub.core.errors import Misconfigured
from hub.core.signing.standard import key_of, signed_text
from hub.core.signing.verifier import Verified, Verifier

PRIVATE, PUBLIC = "whsk_", "whpk_"


def new_secret() -> str:
    """A fresh `whsec_…` of 32 random bytes."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def new_key_pair() -> tuple[str, str]:
    """A fresh private `whsk_…` and its public `whpk_…`."""
    key = Ed25519PrivateKey.generate()
    private = PRIVATE + base64.b64encode(key.private_bytes_raw()).decode()
    return private, public_key(private)


def public_key(private: str) -> str:
    """The `whpk_…` of a `whsk_…`."""
    return PUBLIC + base64.b64encode(_private(private).public_key().public_bytes_raw()).decode()


def sign_standard_v1a(private: str, id: str, timestamp: datetime | int, body: bytes) -> str:
    """One element `v1a,…` of a `webhook-signature` header."""
    signature = _private(private).sign(signed_text(id, timestamp, body))
    return f"v1a,{base64.b64encode(signature).decode()}"


def matches(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the owner of `public` signed `message`; false, never an error, for bytes that are no key or no signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def verify(verifier: Verifier, delivery: Delivery, secrets: Sequence[str], now: datetime) -> Verified:
    """`verifier.verify` with ed25519 at hand: secrets may be `whpk_…` public keys for senders of Standard Webhooks version 1a."""
    return verifier.verify(delivery, secrets, now, ed25519=matches)


def _private(text: str) -> Ed25519PrivateKey:
    # The specification does not say which serialisation it means: the 32-byte seed, or seed and public key (64 bytes).
    raw = key_of(text.removeprefix(PRIVATE)) or b""
    if len(raw) not in (32, 64):
        raise Misconfigured(
            happened="the private key is not whsk_ and base64 of 32 or 64 bytes", next="make a new pair with `new_key_pair`"
        )
    key = Ed25519PrivateKey.from_private_bytes(raw[:32])
    if raw[32:] not in (b"", key.public_key().public_bytes_raw()):
        raise Misconfigured(
            happened="the two halves of the private key do not belong together", next="copy the key again, or make a new pair"
        )
    return key
