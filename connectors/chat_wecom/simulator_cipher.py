"""The vendor's side of the encrypted callback, written apart from the hub's so that one can prove the other.

AES after FIPS 197, encryption only, byte by byte: slow, and never used for anything that must stay secret.
"""

from __future__ import annotations

import base64
import hashlib
import itertools


def _double(value: int) -> int:
    return ((value << 1) ^ 0x11B) & 0xFF if value & 0x80 else value << 1


def _substitutions() -> list[int]:
    """The S-box: the inverse in GF(2^8) by walking the powers of the generator 3, then the affine map."""
    box = [0x63] * 256
    p = q = 1
    while True:
        p ^= _double(p)
        for shift in (1, 2, 4):
            q = (q ^ (q << shift)) & 0xFF
        q ^= 0x09 if q & 0x80 else 0
        turned = [((q << by) | (q >> (8 - by))) & 0xFF for by in range(5)]
        box[p] = turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4] ^ 0x63
        if p == 1:
            return box


_BOX = _substitutions()
_ROUNDS = 14


def _round_keys(key: bytes) -> list[list[int]]:
    words = [list(key[at : at + 4]) for at in range(0, 32, 4)]
    constant = 1
    for number in range(8, 4 * (_ROUNDS + 1)):
        word = list(words[-1])
        if number % 8 == 0:
            word = [_BOX[byte] for byte in (*word[1:], word[0])]
            word[0] ^= constant
            constant = _double(constant)
        elif number % 8 == 4:
            word = [_BOX[byte] for byte in word]
        words.append([mine ^ other for mine, other in zip(word, words[-8], strict=True)])
    return [list(itertools.chain(*words[at : at + 4])) for at in range(0, len(words), 4)]


def _encrypt_block(block: list[int], keys: list[list[int]]) -> list[int]:
    state = [byte ^ key for byte, key in zip(block, keys[0], strict=True)]
    for number in range(1, _ROUNDS + 1):
        state = [_BOX[state[(5 * at) % 16]] for at in range(16)]  # substitute, and shift row r by r columns
        if number < _ROUNDS:
            state = list(itertools.chain(*(_mix(state[at : at + 4]) for at in range(0, 16, 4))))
        state = [byte ^ key for byte, key in zip(state, keys[number], strict=True)]
    return state


def _mix(column: list[int]) -> list[int]:
    every = column[0] ^ column[1] ^ column[2] ^ column[3]
    return [byte ^ every ^ _double(byte ^ column[(at + 1) % 4]) for at, byte in enumerate(column)]


def encrypt(aes_key: str, receive_id: str, message: bytes, random: bytes) -> str:
    """The `Encrypt` of a callback."""
    key = base64.b64decode(aes_key + "=")
    keys = _round_keys(key)
    plain = random + len(message).to_bytes(4, "big") + message + receive_id.encode()
    pad = 32 - len(plain) % 32
    plain += bytes([pad]) * pad
    last, out = list(key[:16]), bytearray()
    for at in range(0, len(plain), 16):
        mixed = [byte ^ before for byte, before in zip(plain[at : at + 16], last, strict=True)]
        last = _encrypt_block(mixed, keys)
        out += bytes(last)
    return base64.b64encode(bytes(out)).decode()


def sign(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """The `msg_signature` of a callback."""
    return hashlib.sha1("".join(sorted([token, timestamp, nonce, encrypted])).encode(), usedforsecurity=False).hexdigest()
