"""Derived ids are base32 of a digest, whoever computes them."""

from __future__ import annotations

import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from hub.core.ids import derive


@given(st.lists(st.text() | st.binary()))
def test_an_id_is_the_base32_of_its_parts_digest(parts: list[str | bytes]) -> None:
    """Anybody can compute an id again with SHA-256 and RFC 4648 base32."""
    encoded = [part.encode("utf-8") if isinstance(part, str) else part for part in parts]
    text = b"".join(len(part).to_bytes(8, "big") + part for part in encoded)

    expected = base64.b32encode(hashlib.sha256(text).digest())[:26].decode().lower()

    assert derive("raw", *parts) == f"raw_{expected}"
