"""Every vector of the vendors' documents is accepted, and every altered one is refused in the same few ways."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from hub import keys
from hub.core.connector import Delivery
from hub.core.errors import Invalid, Malformed, Misconfigured, NoSecretSet, Refused, SignatureRefused, Stale
from hub.core.ids import digest
from hub.core.signing import STYLES, Verified, Verifier, read_verifier, sign_standard

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("test_signing_vectors.json").read_text(encoding="utf-8"))
BY_CASE = {vector["case"]: vector for vector in VECTORS}
EVERY = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["case"]))
STANDARD = STYLES["standard-webhooks"]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRIVATE = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
PRIVATE_LONG = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA=="
PUBLIC = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def read(vector: dict[str, Any], **changed: Any) -> tuple[Verifier, Delivery, str, datetime]:
    """The vector's verifier, delivery, secret and time."""
    vector = vector | changed
    now = datetime.fromtimestamp(vector["now"], UTC)
    body = vector["body"]
    delivery = Delivery(
        method=vector["method"],
        url=vector["url"],
        query=tuple(parse_qsl(vector["query"], keep_blank_values=True)),
        query_string=vector["query"],
        headers=tuple(vector["headers"].items()),
        body=body if isinstance(body, bytes) else body.encode(),
        received_at=now,
    )
    return read_verifier(vector["style"]), delivery, vector["secret"], now


def check(vector: dict[str, Any], **changed: Any) -> Verified:
    verifier, delivery, secret, now = read(vector, **changed)
    return keys.verify(verifier, delivery, changed.get("secrets", [secret]), now)


def signature_header(vector: dict[str, Any]) -> str | None:
    kind, _, name = read_verifier(vector["style"]).signature.partition(":")
    if kind != "header":
        return None
    return next((str(header) for header in reversed(list(vector["headers"])) if header.startswith(name.lower())), None)


def with_signature(vector: dict[str, Any], signature: str) -> dict[str, Any]:
    header = signature_header(vector)
    assert header is not None
    return vector | {"headers": vector["headers"] | {header: signature}}


def standard(signature: str, *, at: str, body: bytes = b"{}", id: str = "msg_1") -> Delivery:
    headers = (("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", signature))
    return Delivery(method="POST", url="https://h/x", query=(), headers=headers, body=body, received_at=NOW)


# --- what must be accepted ---------------------------------------------------------------------------------------


@EVERY
def test_a_documented_vector_is_accepted(vector: dict[str, Any]) -> None:
    """The vendor's own signature passes, and the same secret second in a rotation passes as the second."""
    assert check(vector).secret == 0

    assert check(vector, secrets=["not the secret", "", vector["secret"]]).secret == 2


def test_every_style_has_a_vector() -> None:
    """No style is offered that no vector speaks for."""
    spoken_for = {v["style"] if isinstance(v["style"], str) else v["style"]["style"] for v in VECTORS}

    assert set(STYLES) - spoken_for == {"unsigned"}


def test_our_own_signatures_equal_the_published_ones() -> None:
    """Signing gives the specification's v1 and v1a values, for both forms in which a private key is written."""
    vector = BY_CASE["standard"]
    signed = {"id": vector["headers"]["webhook-id"], "timestamp": 1614265330, "body": vector["body"].encode()}

    assert sign_standard(SECRET, **signed) == vector["headers"]["webhook-signature"]
    assert keys.sign_standard_v1a(PRIVATE, **signed) == BY_CASE["standard v1a"]["headers"]["webhook-signature"]
    assert keys.sign_standard_v1a(PRIVATE_LONG, **signed) == BY_CASE["standard v1a"]["headers"]["webhook-signature"]
    assert keys.public_key(PRIVATE_LONG) == PUBLIC


@given(body=st.text(), id=st.text("abcXYZ012_-", min_size=1), offset=st.integers(-14, 14))
def test_our_signatures_satisfy_the_reference_library(body: str, id: str, offset: int) -> None:
    """What we sign, in whatever zone the clock stands, the reference implementation accepts, and what it signs, we accept."""
    secret = keys.new_secret()
    at = datetime.now(UTC) - timedelta(seconds=abs(offset))
    signature = sign_standard(secret, id, at, body.encode())
    headers = {"webhook-id": id, "webhook-timestamp": seconds(at), "webhook-signature": signature}

    Webhook(secret).verify(body, headers, json_parse=False) if body else None
    theirs = Webhook(secret).sign(id, at, body)

    assert theirs == signature
    assert STANDARD.verify(standard(theirs, at=seconds(at), body=body.encode(), id=id), [secret], at).id_signed


def test_a_query_may_have_been_signed_decoded_or_as_it_was_sent() -> None:
    """e签宝's document does not say which; either is let in, in any order of parameters and with an empty value."""
    vector = BY_CASE["esign"]
    secret, body, stamp = vector["secret"], vector["body"], vector["headers"]["x-tsign-open-timestamp"]
    for values in ("合同A", "%E5%90%88%E5%90%8CA"):
        mac = hmac.digest(secret.encode(), f"{stamp}{values}".encode() + body.encode(), "sha256").hex()
        changed = with_signature(vector, mac) | {"query": "z=A&empty=&a=%E5%90%88%E5%90%8C"}

        assert check(changed)


def test_fadada_signs_the_decoded_field() -> None:
    """A `bizContent` with plus, per cent, ampersand and Chinese is checked as decoded; a second one is refused."""
    vector = BY_CASE["fadada"]
    biz = '{"note":"1+1=2 & 50% 采购合同"}'
    text = "&".join(f"{name}={vector['headers'][name.lower()]}" for name in STYLED_FADADA) + f"&bizContent={biz}"
    key = hmac.digest(vector["secret"].encode(), vector["headers"]["x-fasc-timestamp"].encode(), "sha256")
    mac = hmac.digest(key, hashlib.sha256(text.encode()).hexdigest().encode(), "sha256").hex()
    signed = with_signature(vector, mac)

    assert check(signed | {"body": urlencode({"bizContent": biz})})
    with pytest.raises(Malformed):
        check(signed | {"body": urlencode([("bizContent", biz), ("bizContent", "{}")])})


STYLED_FADADA = ("X-FASC-App-Id", "X-FASC-Event", "X-FASC-Nonce", "X-FASC-Sign-Type", "X-FASC-Timestamp")


def test_a_repeat_has_the_same_key_whatever_unsigned_id_it_bears() -> None:
    """A replay under a new delivery id, which GitHub does not sign, is still the same delivery; a signed id is the key itself."""
    github = BY_CASE["github"]

    first = check(github | {"headers": github["headers"] | {"x-github-delivery": "a"}})
    again = check(github | {"headers": github["headers"] | {"x-github-delivery": "b"}})

    assert (first.delivery_id, again.delivery_id) == ("a", "b")
    assert first.once == again.once
    assert check(BY_CASE["standard"]).once == BY_CASE["standard"]["headers"]["webhook-id"]


def test_the_key_of_a_repeat_gives_no_secret_away() -> None:
    """Where the secret is part of the signed text, the derived key is made without it."""
    verified = check(BY_CASE["hubspot v1"])

    assert verified.once == digest(BY_CASE["hubspot v1"]["body"].encode())


def test_upper_case_hex_passes_only_where_it_is_declared() -> None:
    """A gateway that upper-cases signatures has to be named in the connection."""
    vector = BY_CASE["twenty"]
    shouted = with_signature(vector, vector["headers"]["x-twenty-webhook-signature"].upper())

    with pytest.raises(SignatureRefused):
        check(shouted)
    assert check(shouted | {"style": {"style": "twenty", "any_case": True}})


def test_a_dropbox_hash_does_not_speak_for_the_body() -> None:
    """A valid hash with another body passes, which is why the verifier says that the body is not covered."""
    vector = BY_CASE["dropbox sign"]

    assert check(vector | {"body": vector["body"].replace('"signature_request":{}', '"signature_request":{"x":1}')})
    assert not STYLES["dropbox-sign"].covers_body
    assert STYLES["github"].covers_body


# --- what must be refused ----------------------------------------------------------------------------------------


def only(vectors: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=lambda vector: str(vector["case"]))


COVERING = only([vector for vector in VECTORS if read_verifier(vector["style"]).covers_body])
IN_A_HEADER = only([vector for vector in VECTORS if signature_header(vector)])
NO_LIST = only([v for v in VECTORS if signature_header(v) and read_verifier(v["style"]).syntax not in ("pairs", "versions")])


@COVERING
@pytest.mark.parametrize("change", ["flip", "newline", "respaced", "empty", "not utf-8"])
def test_an_altered_body_is_refused(vector: dict[str, Any], change: str) -> None:
    """One flipped byte, a trailing newline, other spacing, nothing at all or broken UTF-8: refused, never an error."""
    body: bytes = vector["body"].encode()
    middle = len(body) // 2
    altered = {
        "flip": body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :],
        "newline": body + b"\n",
        "respaced": body.replace(b":", b": ").replace(b"%3A", b"%3A+") + b" ",
        "empty": b"",
        "not utf-8": body[:middle] + b"\xff\xfe" + body[middle:],
    }[change]

    with pytest.raises(Refused):
        check(vector, body=altered)


@IN_A_HEADER
@pytest.mark.parametrize("kind", ["empty", "nonsense", "other", "control", "unicode", "huge", "surrogate"])
def test_a_wrong_signature_is_refused(vector: dict[str, Any], kind: str) -> None:
    """Empty, undecodable, of the right length but wrong, or enormous: refused."""
    header = signature_header(vector)
    good = vector["headers"][header] if header else ""
    wrong = {
        "empty": "",
        "nonsense": "!@#$%^&*() == , ,, = v1 v1, v1=, t=,",
        "other": "".join("0" if c == "1" else "1" if c.isdigit() else c for c in good)
        if any(map(str.isdigit, good))
        else "x" * len(good),
        "control": "\x00\r\n" + good,
        "unicode": "签" * 64,
        "huge": "0" * 100_000,
        "surrogate": "\udc80" * 64,
    }[kind]

    with pytest.raises(Refused):
        check(with_signature(vector, wrong))


@NO_LIST
def test_a_signature_with_spaces_around_it_is_refused(vector: dict[str, Any]) -> None:
    """Only a list has spaces; anywhere else they are not part of a signature."""
    header = signature_header(vector)
    good = vector["headers"][header]

    for spaced in (f" {good}", f"{good} ", f"{good}\t"):
        with pytest.raises(SignatureRefused):
            check(with_signature(vector, spaced))


@EVERY
def test_wrong_secrets_are_refused(vector: dict[str, Any]) -> None:
    """Two wrong secrets, or secrets that decode to nothing, let nobody in."""
    with pytest.raises(SignatureRefused):
        check(vector, secrets=["wrong", "also wrong"])
    with pytest.raises(SignatureRefused):
        check(vector, secrets=["whsec_", "whpk_", "whsec_!!"])


@EVERY
def test_without_a_secret_nothing_is_verified(vector: dict[str, Any]) -> None:
    """No secret and an empty secret are the same: the delivery is for the quarantine."""
    for secrets in ([], [""]):
        with pytest.raises(NoSecretSet):
            check(vector, secrets=secrets)


@EVERY
def test_a_header_sent_twice_is_refused(vector: dict[str, Any]) -> None:
    """Every header that the verifier reads makes the delivery malformed when it comes twice, even with the same value."""
    verifier, delivery, secret, now = read(vector)
    places = [verifier.signature, verifier.timestamp, verifier.nonce, verifier.id]
    read_by_it = {place.removeprefix("header:").lower() for place in places if place.startswith("header:")}
    for name, value in delivery.headers:
        if name in read_by_it or name.removesuffix(name[-2:]) in read_by_it:
            doubled = msgspec.structs.replace(delivery, headers=(*delivery.headers, (name, value)))
            with pytest.raises(Malformed):
                keys.verify(verifier, doubled, [secret], now)


def test_a_query_parameter_sent_twice_is_refused() -> None:
    """Which of two nonces was signed is not ours to guess."""
    vector = BY_CASE["jiandaoyun"]

    with pytest.raises(Malformed):
        check(vector, query=vector["query"] + "&nonce=a1b2c3")


TIMED = [vector for vector in VECTORS if read_verifier(vector["style"]).tolerance and read_verifier(vector["style"]).timestamp]


@pytest.mark.parametrize("vector", TIMED, ids=lambda vector: str(vector["case"]))
def test_age_is_checked_in_both_directions(vector: dict[str, Any]) -> None:
    """Just inside the tolerance passes; just outside is stale, whether old or ahead of our clock."""
    for drift in (-300, 300):
        assert check(vector, now=vector["now"] + drift)
    for drift in (-301, 301, 10**9):
        with pytest.raises(Stale):
            check(vector, now=vector["now"] + drift)


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-1", "1e9", "9" * 30, "", " 1", "١٢٣", "1700000000.5", "0x10", "\x00", "99999999999999"]
)
def test_a_time_that_is_none_is_refused(text: str) -> None:
    """Whatever stands where the seconds should be, correctly signed or not, is refused and never an error."""
    mac = sign_of(text)

    with pytest.raises(Refused):
        STANDARD.verify(standard(mac, at=text), [SECRET], NOW)


def sign_of(at: str) -> str:
    """A true signature over any text in the place of the time."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, f"msg_1.{at}.{{}}".encode(), "sha256")).decode()


def test_a_time_in_the_wrong_unit_is_stale() -> None:
    """Milliseconds where seconds are declared, truly signed, are far from now."""
    at = NOW.replace(year=1970)
    milliseconds = str(int(at.timestamp() * 1000))

    with pytest.raises(Refused):
        STANDARD.verify(standard(sign_standard(SECRET, "msg_1", int(milliseconds), b"{}"), at=milliseconds), [SECRET], NOW)


@pytest.mark.parametrize(
    "before", ["garbage", "v2,AAAA", "v1,AA,AA", ",", "v1a,!!!!", "v1", "v1,", "v0,AAAA  ", "v1a,AAAA v1a,签"]
)
def test_strange_elements_before_the_true_one_are_skipped(before: str) -> None:
    """A list may hold what we do not know; the true element still counts, and alone the strange one is refused."""
    at = seconds(NOW)
    true = sign_standard(SECRET, "msg_1", NOW, b"{}")

    assert keys.verify(STANDARD, standard(f"{before} {true}", at=at), [SECRET, PUBLIC], NOW).secret == 0
    with pytest.raises(SignatureRefused):
        keys.verify(STANDARD, standard(before, at=at), [SECRET, PUBLIC], NOW)


def test_a_stripe_header_with_two_times_is_refused() -> None:
    """An attacker cannot put a fresh time beside the signed one."""
    vector = BY_CASE["stripe"]
    header = vector["headers"]["stripe-signature"]

    with pytest.raises(Malformed):
        check(with_signature(vector, f"{header},t=1700000000"))
    assert check(with_signature(vector, f"v0=x,,=,{header},v1={'0' * 64}"))


def test_a_hundred_signatures_are_the_most_that_are_looked_at() -> None:
    """A delivery with more is refused before anything is compared."""
    true = sign_standard(SECRET, "msg_1", NOW, b"{}")

    with pytest.raises(Malformed):
        STANDARD.verify(standard(" ".join(["v1,AAAA"] * 100 + [true]), at=seconds(NOW)), [SECRET], NOW)


def test_an_asymmetric_signature_needs_the_public_key() -> None:
    """v1a passes with the public key where ed25519 is at hand; a shared secret never passes for one, nor the reverse."""
    v1a = keys.sign_standard_v1a(PRIVATE, "msg_1", NOW, b"{}")
    at = seconds(NOW)

    assert keys.verify(STANDARD, standard(v1a, at=at), [SECRET, PUBLIC], NOW).secret == 1
    for secrets, signature in (([PUBLIC], sign_standard(SECRET, "msg_1", NOW, b"{}")), ([SECRET], v1a), (["whpk_AAAA"], v1a)):
        with pytest.raises(SignatureRefused):
            keys.verify(STANDARD, standard(signature, at=at), secrets, NOW)
    with pytest.raises(SignatureRefused):
        STANDARD.verify(standard(v1a, at=at), [PUBLIC], NOW)


ODD = st.text() | st.sampled_from(["v1,", "t=1700000000,v1=00", "sha256=", "Basic ", "1700000000", "1700000000000", "a" * 5000])


@given(
    style=st.sampled_from(sorted(STYLES)),
    values=st.lists(ODD, min_size=4, max_size=4),
    extra=st.lists(st.tuples(st.text(), ODD)),
    query=st.lists(st.tuples(st.sampled_from(["nonce", "timestamp", "a"]) | st.text(), ODD)),
    body=st.binary() | st.sampled_from([b"[" * 50_000, b'{"event":' * 9_000, b'{"token":1}', b"--x\r\n", b"bizContent=%ff"]),
    form=st.sampled_from(["", "multipart/form-data; boundary=x", "multipart/form-data", "application/x-www-form-urlencoded"]),
    secrets=st.lists(st.text(), max_size=2),
    url=st.text(),
)
@settings(max_examples=400)
def test_no_delivery_can_raise_anything_but_a_refusal(
    style: str,
    values: list[str],
    extra: list[tuple[str, str]],
    query: list[tuple[str, str]],
    body: bytes,
    form: str,
    secrets: list[str],
    url: str,
) -> None:
    """Whatever stands in headers, query and body, the verifier answers with a refusal, or with a match."""
    verifier = STYLES[style]
    places = [verifier.signature, verifier.timestamp, verifier.nonce, verifier.id]
    named = [(place.partition(":")[2].lower(), value) for place, value in zip(places, values, strict=True)]
    delivery = Delivery(
        method="POST",
        url=url,
        query=tuple(query),
        headers=(*named, ("content-type", form), *((name.lower(), value) for name, value in extra)),
        body=body,
        received_at=NOW,
    )

    try:
        keys.verify(verifier, delivery, secrets, NOW)
    except (SignatureRefused, Stale, Malformed) as refused:
        assert all(len(secret) < 8 or secret not in str(refused) for secret in secrets)


# --- declarations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [
        "gitlab",
        {"style": "gitlab"},
        {"signature": "cookie:x"},
        {"message": "{timestamp}{body}"},
        {"message": "{surprise}"},
        {"algorithm": "sha1", "message": "{body}"},
        {"algorithm": "crc32"},
        {"tolerance": -1},
        {"tolerence": 5},
        {"key": "of_time"},
        {"syntax": "numbered", "signature": "query:x"},
    ],
    ids=str,
)
def test_a_declaration_that_cannot_work_is_named(table: str | dict[str, object]) -> None:
    """A slip in a connection's verifier is told when it is set, with the field."""
    with pytest.raises(Misconfigured):
        read_verifier(table)


def test_a_declaration_starts_from_a_style_or_from_nothing() -> None:
    """A table may change one field of a style, or say everything itself."""
    assert read_verifier({"style": "stripe", "tolerance": 60}).timestamp == "pair:t"
    assert read_verifier({"signature": "query:sign", "algorithm": "hmac-sha512"}).message == "{body}"


def test_styles_survive_being_written_down() -> None:
    """Every style is data: to JSON and back it is the same."""
    for verifier in STYLES.values():
        assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(verifier)), Verifier) == verifier


@pytest.mark.parametrize("id", ["a.b", "", "合同"])
def test_an_id_that_would_make_the_text_ambiguous_is_not_signed(id: str) -> None:
    """A full stop in an id would let two messages read alike."""
    with pytest.raises(Invalid):
        sign_standard(SECRET, id, NOW, b"{}")


def test_a_time_without_a_zone_is_not_signed() -> None:
    """Eight hours' difference is the likeliest slip of all; it is refused when signing."""
    with pytest.raises(Invalid):
        sign_standard(SECRET, "msg_1", NOW.replace(tzinfo=None), b"{}")


def test_a_broken_key_is_named_without_being_shown() -> None:
    """A key that is not one is misconfiguration, and its text appears nowhere."""
    for broken in ("whsk_c2hvcnQ=", "whsk_!!", PRIVATE_LONG[:-6] + "AAAA=="):
        with pytest.raises(Misconfigured) as told:
            keys.sign_standard_v1a(broken, "msg_1", NOW, b"{}")
        assert broken not in str(told.value)
    with pytest.raises(Misconfigured):
        sign_standard("whsec_!!", "msg_1", NOW, b"{}")


def test_a_fresh_pair_signs_and_verifies() -> None:
    """What a new private key signs, its public key verifies."""
    private, public = keys.new_key_pair()

    signature = keys.sign_standard_v1a(private, "msg_1", NOW, b"{}")

    assert keys.verify(STANDARD, standard(signature, at=seconds(NOW)), [public], NOW).id_signed


@pytest.fixture(scope="module", autouse=True)
def _vectors_are_read() -> Iterator[None]:
    assert len(VECTORS) >= 28
    yield
