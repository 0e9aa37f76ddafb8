"""Webhooks: what is genuine is accepted, and what is forged, altered, stale, replayed or nonsense is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec

from hub.core.connector import Accepted, Delivery
from hub.core.errors import Misconfigured, Problem, Refused
from hub.testing.fakes import FixedClock, NoHttp, context_for
from hub.testing.finding import Finding
from hub.testing.folder import Folder, Genuine

_NONSENSE = (b"", b"\x00", b"\xff\xfe" * 40, "收款".encode("gb18030"), b"[" * 20_000, b'{"a":' * 20_000, b"{" + b" " * 100_000)


def refuses_forged(folder: Folder) -> Iterator[Finding]:
    genuine = folder.deliveries()
    if not genuine:
        yield _finding(
            "the suite has no genuine delivery to forge", "write deliveries() into tests/certify.py; see connectors/README.md"
        )
        return
    for place, one in enumerate(genuine, 1):
        where = f"tests/certify.py, delivery {place}"
        try:
            first = _receive(folder, one, one.delivery)
        except Problem as problem:
            yield _finding(f"a genuine delivery is refused: {problem}", "sign it as the vendor documents it", where)
            continue
        if not first.raws and not one.challenge:
            yield _finding("a genuine delivery brings no raw", "return its raw, or mark it as a challenge", where)
        for check in (_forged, _altered, _stale, _replayed, _without_secret, _nonsense):
            for finding in check(folder, one):
                yield msgspec.structs.replace(finding, where=where)


def _forged(folder: Folder, one: Genuine) -> Iterator[Finding]:
    """The signature changed in one place, left out, and sent twice."""
    if not one.signature:
        return
    kind, _, name = one.signature.partition(":")
    attempts: dict[str, Callable[[list[str]], list[str]]] = {
        "a signature with one character changed": lambda values: [_changed(values[0])],
        "an empty signature": lambda values: [""],
        "no signature": lambda values: [],
        "a signature of other characters": lambda values: ["é" * 64],
        "two signatures": lambda values: [values[0], _changed(values[0])],
    }
    for what, change in attempts.items():
        forged = _with(one.delivery, kind, name, change)
        if forged is None:
            yield _finding(f"the delivery has no {one.signature}", "correct `signature` in tests/certify.py")
            return
        yield from _must_refuse(folder, one, forged, what)


def _altered(folder: Folder, one: Genuine) -> Iterator[Finding]:
    body = one.delivery.body
    if "body" in one.covers:
        for what, changed in {
            "a body with one character changed": body[: len(body) // 2]
            + bytes([body[len(body) // 2] ^ 1])
            + body[len(body) // 2 + 1 :],
            "a body with a blank added": body + b" ",
            "a body cut off": body[:-1],
        }.items():
            yield from _must_refuse(folder, one, msgspec.structs.replace(one.delivery, body=changed), what)
    if "query" in one.covers:
        for name, value in one.delivery.query:
            query = tuple((other, f"{text}0" if other == name else text) for other, text in one.delivery.query)
            altered = msgspec.structs.replace(one.delivery, query=query, query_string="")
            yield from _must_refuse(folder, one, altered, f"the query parameter {name} changed from {value[:20]!r}")


def _stale(folder: Folder, one: Genuine) -> Iterator[Finding]:
    if "time" not in one.covers:
        return
    for what, shift in {"a delivery a day old": timedelta(days=1), "a delivery from tomorrow": -timedelta(days=1)}.items():
        moved = msgspec.structs.replace(one, at=one.now + shift)
        yield from _must_refuse(folder, moved, one.delivery, what)


def _replayed(folder: Folder, one: Genuine) -> Iterator[Finding]:
    """The same delivery again gives the same keys and bytes, by which intake knows it; and it is answered alike."""
    first, second = _receive(folder, one, one.delivery), _receive(folder, one, one.delivery)
    if [(raw.key, raw.body) for raw in first.raws] != [(raw.key, raw.body) for raw in second.raws]:
        yield _finding("the same delivery twice has two keys or bodies", "take the key from the delivery's id or its body")
    if len({raw.key for raw in first.raws}) < len(first.raws):
        yield _finding("two raws of one delivery share a key", "put what tells them apart into the key")
    if first.reply.status != second.reply.status:
        yield _finding("the repeat is answered otherwise", "answer a duplicate as the first")


def _without_secret(folder: Folder, one: Genuine) -> Iterator[Finding]:
    """No secret set: refused, so that the door keeps it apart; never let in."""
    secrets = [name for name, setting in folder.manifest.settings.items() if setting.secret]
    if not secrets or not one.covers:
        return
    bare = {**one.settings, **dict.fromkeys(secrets, ""), **{f"{name}_all": [] for name in secrets}}
    try:
        _receive(folder, msgspec.structs.replace(one, settings=bare), one.delivery)
    except (Refused, Misconfigured):
        return
    except Exception as error:
        yield _finding(f"without a secret it stumbles: {type(error).__name__}: {error}", "raise NoSecretSet")
        return
    yield _finding("without a secret a delivery is accepted", "raise NoSecretSet where no secret is set")


def _nonsense(folder: Folder, one: Genuine) -> Iterator[Finding]:
    """Whatever a stranger sends, nothing but `Refused` leaves `receive`."""
    bodies = [msgspec.structs.replace(one.delivery, body=body) for body in _NONSENSE]
    bare = msgspec.structs.replace(one.delivery, headers=(), query=(), query_string="")
    odd = tuple((name, "\x00\uffff" * 20) for name, _ in one.delivery.headers)
    strange = msgspec.structs.replace(one.delivery, headers=odd)
    for delivery in [*bodies, bare, strange]:
        try:
            _receive(folder, one, delivery)
        except Refused:
            continue
        except Exception as error:
            shown = delivery.body[:30]
            yield _finding(
                f"nonsense raises {type(error).__name__}: {error} (body begins {shown!r})", "raise Malformed or SignatureRefused"
            )
            return


def _must_refuse(folder: Folder, one: Genuine, delivery: Delivery, what: str) -> Iterator[Finding]:
    try:
        _receive(folder, one, delivery)
    except Refused:
        return
    except Exception as error:
        yield _finding(f"{what} raises {type(error).__name__}: {error}", "raise SignatureRefused, Stale or Malformed")
        return
    yield _finding(
        f"{what} is accepted", "verify what the vendor signs; if it does not sign this, leave it out of `covers` and say so"
    )


def _receive(folder: Folder, one: Genuine, delivery: Delivery) -> Accepted:
    settings = {**folder.settings(), **one.settings}
    context = context_for(folder.manifest, settings=settings, clock=FixedClock(one.now), http=NoHttp())
    accepted = folder.build(context).receive(delivery)
    assert isinstance(accepted, Accepted)
    return accepted


def _with(delivery: Delivery, kind: str, name: str, change: Callable[[list[str]], list[str]]) -> Delivery | None:
    """The delivery with the values of one header or parameter changed; `None` where it has none."""
    pairs = delivery.headers if kind == "header" else delivery.query
    wanted = name.lower() if kind == "header" else name
    values = [text for other, text in pairs if other == wanted]
    if not values:
        return None
    rest = tuple((other, text) for other, text in pairs if other != wanted)
    changed = (*rest, *((wanted, text) for text in change(values)))
    if kind == "header":
        return msgspec.structs.replace(delivery, headers=changed)
    return msgspec.structs.replace(delivery, query=changed, query_string="")


def _changed(signature: str) -> str:
    """One character in the middle replaced by another of its kind, so that it stays well formed."""
    place = len(signature) // 2
    return signature[:place] + ("0" if signature[place] != "0" else "1") + signature[place + 1 :]


def _finding(says: str, next_: str, where: str = "") -> Finding:
    return Finding(rule="refuses_forged", says=says, next=next_, where=where)
