"""Ciphers: sealing what is kept secret at rest, and the callback cipher of Chinese messengers.

No error of this module shows a key, a plain text or a sealed text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from hub.core.errors import Malformed, Misconfigured, Problem, SignatureRefused

# --- secrets at rest ---------------------------------------------------------------------------------------------


class SealBroken(Problem):
    """A sealed value that does not open here: another key sealed it, it was altered, or it was moved."""

    code = "seal-broken"
    status = 500


class Seal:
    """Seals short texts with the first key and opens what any of the keys sealed.

    Every sealed text carries what it is `bound_to` (tenant, connection and host) under the same authentication, so a value
    copied to another row or pointed at another host does not open there. Fernet (AES-128-CBC with HMAC-SHA256) underneath.
    """

    def __init__(self, keys: str) -> None:
        """`keys` is the value of SHUNIU_SECRET_KEY: one key or several separated by commas, the newest first."""
        material = [key.strip() for key in keys.split(",") if key.strip()]
        if not material:
            raise Misconfigured(
                happened="there is no key to seal secrets with",
                next="set it to a new key of 32 random bytes in URL-safe base64, and keep a copy of it apart from the database",
                setting="SHUNIU_SECRET_KEY",
            )
        self._fernet = MultiFernet([_fernet(key, position) for position, key in enumerate(material, start=1)])

    @staticmethod
    def generate_key() -> str:
        """A new random key, fit for SHUNIU_SECRET_KEY."""
        return Fernet.generate_key().decode()

    def seal(self, plain: str, *, bound_to: str) -> str:
        """`plain` sealed for `bound_to`; sealing the same text twice gives two different results."""
        return self._fernet.encrypt(_bind(plain, bound_to)).decode()

    def open(self, sealed: str, *, bound_to: str) -> str:
        """What was sealed. Raises `SealBroken` where the key, the text or what it is bound to is another one."""
        try:
            inside = self._fernet.decrypt(sealed.encode())
        except (InvalidToken, UnicodeEncodeError):
            raise SealBroken(
                happened="a sealed value does not open with the keys that are set",
                next="put the key that sealed it after the first one in SHUNIU_SECRET_KEY, or enter the secret again",
                bound_to=bound_to,
            ) from None
        return _unbind(inside, bound_to)

    def rotate(self, sealed: str, *, bound_to: str) -> str:
        """The same value sealed anew with the first key. It must open here first."""
        return self.seal(self.open(sealed, bound_to=bound_to), bound_to=bound_to)


def _fernet(key: str, position: int) -> Fernet:
    try:
        return Fernet(key)
    except (ValueError, binascii.Error, UnicodeEncodeError):
        raise Misconfigured(
            happened="a key to seal secrets with is not 32 bytes in URL-safe base64",
            next="generate it anew; several keys are separated by commas",
            setting="SHUNIU_SECRET_KEY",
            position=position,
        ) from None


def _bind(plain: str, bound_to: str) -> bytes:
    # A length in front, not a separator: no choice of texts can be read as another binding.
    binding = bound_to.encode()
    return len(binding).to_bytes(4, "big") + binding + plain.encode()


def _unbind(inside: bytes, bound_to: str) -> str:
    length = int.from_bytes(inside[:4], "big")
    if not hmac.compare_digest(inside[4 : 4 + length], bound_to.encode()):
        raise SealBroken(
            happened="a sealed value belongs to another connection or host",
            next="enter the secret again for this connection; a changed host needs its secrets anew",
            bound_to=bound_to,
        )
    return inside[4 + length :].decode()


# --- encrypted callbacks -----------------------------------------------------------------------------------------

_BLOCK = 32  # the scheme pads to 32 bytes although AES has blocks of 16
_RANDOM = 16


class Encrypted(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it goes over the wire, with the values that its signature covers."""

    encrypt: str
    signature: str
    timestamp: str
    nonce: str


class CallbackCipher:
    """The signed AES envelope of 企业微信 (加解密方案, "WXBizMsgCrypt") and of 钉钉's HTTP events.

    AES-256-CBC under the decoded EncodingAESKey, whose first 16 bytes are the IV; the plain text is 16 random bytes, a
    4-byte length, the message and the receiver's id, padded after PKCS#7 to 32 bytes. The signature is the SHA-1 of
    token, timestamp, nonce and cipher text, sorted. `receive_id` is the corp id, or whatever the vendor puts there.
    """

    def __init__(self, *, token: str, aes_key: str, receive_id: str, connection: str = "") -> None:
        self._token = token
        self._receive_id = receive_id.encode()
        self._connection = connection or None
        self._key = self._decode_key(aes_key)

    def verify(self, *, signature: str, timestamp: str, nonce: str, encrypt: str) -> None:
        """Returns if the signature covers exactly these values; raises `SignatureRefused`."""
        expected = self._sign(timestamp, nonce, encrypt)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise SignatureRefused(
                happened="the signature does not match the encrypted message",
                next="compare the callback token in the vendor's console with the one set here",
                connection=self._connection,
            )

    def decrypt(self, encrypt: str) -> bytes:
        """The message inside. Verify first: this alone proves nothing about who sent it.

        Raises `Malformed` where it cannot be decrypted and `SignatureRefused` where it is meant for another receiver.
        """
        try:
            cipher_text = base64.b64decode(encrypt.encode("ascii"), validate=True)
            decryptor = self._cipher().decryptor()
            padded = decryptor.update(cipher_text) + decryptor.finalize()
        except ValueError:  # bad base64, not ASCII, or not a whole number of AES blocks
            raise self._malformed() from None
        plain = self._unpad(padded)
        length = int.from_bytes(plain[_RANDOM : _RANDOM + 4], "big")
        body = plain[_RANDOM + 4 :]
        if len(plain) < _RANDOM + 4 or length > len(body):
            raise self._malformed()
        if not hmac.compare_digest(body[length:], self._receive_id):
            raise SignatureRefused(
                happened="the encrypted message is meant for another receiver",
                next="compare the receiver's id (the corp id of the vendor's console) with the one set here",
                connection=self._connection,
            )
        return body[:length]

    def encrypt(self, plain: bytes, *, timestamp: str, nonce: str, random: Callable[[int], bytes] = os.urandom) -> Encrypted:
        """`plain` as an envelope; the same for the same `timestamp`, `nonce` and `random` bytes."""
        message = random(_RANDOM) + len(plain).to_bytes(4, "big") + plain + self._receive_id
        pad = _BLOCK - len(message) % _BLOCK
        encryptor = self._cipher().encryptor()
        cipher_text = encryptor.update(message + bytes([pad]) * pad) + encryptor.finalize()
        encrypted = base64.b64encode(cipher_text).decode()
        return Encrypted(encrypt=encrypted, signature=self._sign(timestamp, nonce, encrypted), timestamp=timestamp, nonce=nonce)

    def _sign(self, timestamp: str, nonce: str, encrypt: str) -> str:
        parts = sorted(part.encode() for part in (self._token, timestamp, nonce, encrypt))
        return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))

    def _decode_key(self, aes_key: str) -> bytes:
        try:
            # 43 characters leave unused bits in the last one; the decoder must accept them, and Python's does.
            key = base64.b64decode(aes_key.encode("ascii") + b"=")
        except ValueError:
            key = b""
        if len(aes_key) != 43 or len(key) != 32:
            raise Misconfigured(
                happened="the callback's AES key is not 43 characters of base64",
                next="copy the EncodingAESKey from the vendor's console",
                connection=self._connection,
            )
        return key

    def _unpad(self, padded: bytes) -> bytes:
        pad = padded[-1] if padded else 0
        if not 1 <= pad <= _BLOCK or len(padded) < pad or padded[-pad:] != bytes([pad]) * pad:
            raise self._malformed()
        return padded[:-pad]

    def _malformed(self) -> Malformed:
        return Malformed(
            happened="the encrypted message cannot be decrypted",
            next="compare the EncodingAESKey in the vendor's console with the one set here",
            connection=self._connection,
        )
