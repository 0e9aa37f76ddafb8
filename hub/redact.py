"""Keeping secrets out of what is logged, raised or shown."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

MASK = "***"

# Parts of names that vendors give to secrets in queries and headers (`corpsecret`, `access_token`, `X-Tsign-Open-Ca-Signature`,
# `OSSAccessKeyId`). `key` and `sig` only count as whole words: `entry_key` of a form is one more masked value, `sku` is not.
_SECRET = re.compile(
    r"secret|token|passw|signature|credential|cookie|authori[sz]ation|apikey|accesskey|(?:^|[^a-z])(?:key|sig|sign|auth|code|ticket|pwd)(?:$|[^a-z])",
    re.IGNORECASE,
)
_QUERY_VALUE = re.compile(r"([?&;]|^)([^=&;#?]+)=([^&;#]*)")
_USER = re.compile(r"(?<=://)[^/?#@]*@")


def is_secret_name(name: str) -> bool:
    """Whether a header or a query parameter of this name is expected to hold a secret."""
    return _SECRET.search(name) is not None


def masked_url(url: str, secrets: Collection[str] = ()) -> str:
    """The address with user, secret parameters and the given values masked; the rest as it is."""
    place, question, query = url.partition("?")
    text = _USER.sub(f"{MASK}@", place)
    if question:
        text += question + _QUERY_VALUE.sub(
            lambda found: f"{found[1]}{found[2]}={MASK if is_secret_name(found[2]) else found[3]}", query
        )
    return masked_text(text, secrets)


def masked_text(text: str, secrets: Collection[str]) -> str:
    """The text without the given values. Values under six characters are left, as they would blank out ordinary words."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= 6:
            text = text.replace(secret, MASK)
    return text


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with the values of secret ones masked."""
    return {name: MASK if is_secret_name(name) else value for name, value in headers.items()}
