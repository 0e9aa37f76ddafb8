"""The callback cipher agrees with the vendors' published examples, byte for byte."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import Malformed, Misconfigured, Refused, SignatureRefused
from hub.crypto import CallbackCipher

CORP = "wx5823bf96d3bd56c7"
WECOM = CallbackCipher(token="QDG6eK", aes_key="jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", receive_id=CORP)


def fixed(length: int) -> bytes:
    return b"0123456789abcdef"[:length]


# The worked example of the page 加解密方案说明: its padding byte is 30, which proves the 32-byte block.
W2 = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0"
    "qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izo"
    "un1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNel"
    "ZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)
W2_SIGNED = {
    "timestamp": "1409659813",
    "nonce": "1372623149",
    "signature": "477715d11cdb4164915debcba66cb864d751f3e6",
    "encrypt": W2,
}
W5_PLAIN = (
    f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName><CreateTime>1700000000</CreateTime>"
    "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_external_contact]]></Event><ChangeType><![CDATA[add_external_contact]]>"
    "</ChangeType><UserID><![CDATA[zhangsan]]></UserID><ExternalUserID><![CDATA[woAJ2GCAAAXtWyujaWJHDDGi0mACHAAA]]></ExternalUserID>"
    "<State><![CDATA[quote-2026]]></State><WelcomeCode><![CDATA[WELCOMECODE]]></WelcomeCode></xml>"
)
W5 = (
    "sKqRbbiSUnDhFHOvPjtUMaRaerC40Yvh0tnnQR7cSrdjtqhCNzX259qG9DmnTBGuwEUobOHK8kgsttADdoIg0IPkmTyLcSSVQlOD1W9+Ii1iLVfoOLcEo28VlADavk"
    "OWrgVpORQWlDfYCKdDxd+vlNpueSWRRQc0Yd8EERaD6tLd5wH4FNbHPyIr/3KCHkzZv1YxNUNMAmj5xKNUTcskjs+rGJsCoTuFx+vY4xbnNu9MpdcPQSX3JggzUKMf"
    "5js9yJejsRyCmWmmdnjDkdq+MCAMYRMcAk8bwjUi/w0L7WuzkEd+OTBxJy1Lo8KlyqwDGVo2oEUyH6TMYdwlGUTokQnXQi9ig92AWQkTC7B3jWgDYQoK2PEQWWud1n"
    "u6aBexJZ7vOfxvfurefMJxkx+ADeQ4kzx/l7a+VoqUuf6+dpgA9FxQL3iCaAyemj24LP8H1PyT45WdAr//wJ5J7fZqP0wObn1/eK1q3y6ZArLH5y8JcbeRyYcDTSzp"
    "wDKB7wr+9xg03xMwlOzYi8/8nmDy8/uQFBNo0tGHWYFlkvy09oRdb9SAbP/x4S2p1sfPh/vbYWyhl5p9jED1MY3BE3yH42+gHNGeN4kVK9NDy5PbO5yau+4LlKzwCX"
    "BAFtrsyVVxjhpINi1hKJuAVeu9zF1FeTGbb7pt4hqTrT/Cn1IUxwdnGsMpyitwR02+ZjxBC5T3H/rok/u0FCGRe+NsWfgdFg=="
)


def test_the_url_check_gives_the_published_answer() -> None:
    """W1, the vendor's sample: signature and answer of the URL verification."""
    echo = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="

    WECOM.verify(signature="5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", timestamp="1409659589", nonce="263014780", encrypt=echo)

    assert WECOM.decrypt(echo) == b"1616140317555161061"


def test_the_worked_example_opens() -> None:
    """W2, the vendor's worked example: 284 bytes with a pad longer than an AES block."""
    WECOM.verify(**W2_SIGNED)

    plain = WECOM.decrypt(W2)

    assert len(plain) == 284
    assert b"<Content><![CDATA[hello]]></Content>" in plain
    assert b"<MsgId>4561255354251345929</MsgId>" in plain


def test_encryption_is_the_same_for_the_same_randomness() -> None:
    """W3 and W5: what other implementations produce from the same 16 bytes is produced here, and signed the same."""
    short = WECOM.encrypt(b"success", timestamp="1700000000", nonce="nonce-1", random=fixed)
    long = WECOM.encrypt(W5_PLAIN.encode(), timestamp="1700000000", nonce="nonce-1", random=fixed)

    assert short.encrypt == "sKqRbbiSUnDhFHOvPjtUMbWS28WQJEcq+Mzda1Jz7/48f8S/Ty+bA9T4kUGo9xXppbi6Xb5CJDNdGLzlBP6xcQ=="
    assert short.signature == "5df6e3a32518cc07fb244d72d57d80f4394b05e3"
    assert long.encrypt == W5
    assert long.signature == "ed9b99d4877c35d47866a1710b00e4a290799aed"
    assert WECOM.decrypt(W5) == W5_PLAIN.encode()


def test_an_aligned_message_gets_a_whole_block_of_padding() -> None:
    """W4: 64 bytes inside become 96."""
    made = WECOM.encrypt(b"A" * 26, timestamp="1", nonce="n", random=fixed)

    assert made.encrypt == (
        "sKqRbbiSUnDhFHOvPjtUMSY0kKMJACXmUsdvggAlOWACHrYvL7ZZ57832oUEaSRZXhRz6zPbpE7uRuxBavqFwVtjnhXa998zjENLpmXFC6fpvF+B2F0F1NcPQ5DnKeVL"
    )
    assert len(base64.b64decode(made.encrypt)) == 96


def test_dingtalk_speaks_the_same_scheme() -> None:
    """D1, published by 钉钉, opens; D2 is produced from the same randomness. The owner's key stands where the corp id does."""
    ding = CallbackCipher(
        token="123456", aes_key="1234567890123456789012345678901234567890123", receive_id="dingsnotzck6pm5veliw"
    )
    published = "YvkvaGe4hQxd3VxRmEty0dVlnCOAqwf56xwTRHDHoOURqhalbmBJQk5FNcRk42Gl5T0YQXZNwpwWSm1xAFJ5ZA=="

    ding.verify(
        signature="9a95a004dd16f5c307e849b994173f76aa26e5eb", timestamp="1614767836", nonce="A7Co0cJLMzIDtMMI", encrypt=published
    )
    made = ding.encrypt(b"success", timestamp="1700000000000", nonce="nonce-1", random=fixed)

    assert ding.decrypt(published) == b"success"
    assert made.encrypt == "GCr6999U/V4/3veZ85Bxl8C6wynLzYV25PCR3saSX7v+7tNf5Ck2RJ2NAGnTOWhvJ4H0D2M/DU/3568ASGogSA=="
    assert made.signature == "f15bab9c265f092a79d978becd82325f6689815b"


@pytest.mark.parametrize("field", ["timestamp", "nonce", "signature", "encrypt"])
def test_one_changed_character_is_refused(field: str) -> None:
    """The signature covers every one of its parts."""
    value = W2_SIGNED[field]
    altered = W2_SIGNED | {field: ("1" if value[0] != "1" else "2") + value[1:]}

    with pytest.raises(SignatureRefused):
        WECOM.verify(**altered)


@pytest.mark.parametrize("signature", ["", "签名", "0" * 40, "477715D11CDB4164915DEBCBA66CB864D751F3E6"])
def test_a_signature_of_another_shape_is_refused(signature: str) -> None:
    """Empty, not ASCII, made up, or in upper case: refused, never a crash."""
    with pytest.raises(SignatureRefused):
        WECOM.verify(**(W2_SIGNED | {"signature": signature}))


def test_a_message_for_another_receiver_is_refused() -> None:
    """The receiver's id inside is compared, so a valid envelope of another company is not accepted."""
    other = CallbackCipher(token="QDG6eK", aes_key="jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", receive_id="wx0000000000000000")

    with pytest.raises(SignatureRefused):
        other.decrypt(W2)


@pytest.mark.parametrize(
    "broken", [W2[:-4], "", "=", "密文", "AAAA", W2 + "=", base64.b64encode(bytes(32)).decode(), W2[:43] + " " + W2[43:]]
)
def test_what_cannot_be_decrypted_is_malformed(broken: str) -> None:
    """Cut off, empty, not base64, not a whole block: one refusal, and nothing of the library shows."""
    with pytest.raises(Malformed) as caught:
        WECOM.decrypt(broken)

    assert caught.value.__cause__ is None


@given(st.binary(max_size=200))
def test_random_bytes_are_only_ever_refused(noise: bytes) -> None:
    """No input makes the cipher do anything but refuse."""
    with pytest.raises(Refused):
        WECOM.decrypt(base64.b64encode(noise).decode())


@given(st.binary(max_size=300), st.text(max_size=20))
def test_what_is_encrypted_can_be_read(plain: bytes, receive_id: str) -> None:
    """Any message for any receiver, the empty one included, comes back."""
    cipher = CallbackCipher(token="t", aes_key="jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", receive_id=receive_id)

    made = cipher.encrypt(plain, timestamp="1", nonce="n")

    cipher.verify(signature=made.signature, timestamp="1", nonce="n", encrypt=made.encrypt)
    assert cipher.decrypt(made.encrypt) == plain


@pytest.mark.parametrize("key", ["", "short", "密" * 43, "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2CC", "!" * 43])
def test_a_key_that_cannot_work_is_refused_unseen(key: str) -> None:
    """A wrong EncodingAESKey is a setting to correct, and the error does not repeat it."""
    with pytest.raises(Misconfigured) as caught:
        CallbackCipher(token="t", aes_key=key, receive_id="", connection="chat-main")

    assert not key or key not in str(caught.value)
