"""Any system that posts JSON. What it means is said by the connection's field map, not here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hub.sdk import (
    Accepted,
    Context,
    Delivery,
    Event,
    Ignored,
    Malformed,
    Misconfigured,
    Raw,
    Reply,
    Unreadable,
    Verified,
    Verifier,
    digest,
    read_verifier,
    verify,
)

from .places import Place, at, items, scalar

_STREAM = re.compile(r"[^\w.:/-]+")
_MOST_ITEMS = 10_000


class Connector:
    """Verifies a delivery, keeps its bytes, and answers as the sender expects."""

    def __init__(self, context: Context) -> None:
        settings = context.settings
        self._clock = context.clock
        self._verifier = _verifier(settings)
        self._secrets = _secrets(settings)
        places = {name: Place.read(name, str(settings.get(name) or "")) for name in _PLACES}
        self._type_at, self._id_at, self._items_at, self._item_id_at, self._challenge_at = (places[name] for name in _PLACES)
        self._reply = _reply(settings)
        for name in ("items_at", "item_id_at"):
            if (place := places[name]) and place.kind != "body":
                raise Misconfigured(
                    happened=f"{name} is not in the body", next="write body: and a JSON pointer, e.g. body:/events"
                )

    def receive(self, delivery: Delivery) -> Accepted:
        """The raws of a genuine delivery. Raises `Refused`: forged, altered, stale, or no JSON."""
        # A registration that comes as GET is not signed by anybody; what it asks for is its own text.
        if self._challenge_at and delivery.method == "GET" and (asked := self._challenge_at.text(delivery)):
            return Accepted(reply=_echo(asked))
        verified = verify(self._verifier, delivery, self._secrets, self._clock.now())
        _check_json(delivery.body)
        if self._challenge_at and (asked := self._challenge_at.text(delivery)):
            return Accepted(reply=_echo(asked), secret=verified.secret)
        return Accepted(raws=tuple(self._raws(delivery, verified)), reply=self._reply, secret=verified.secret)

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        """Nothing by itself: a connection's field map says what a delivery means. Raises `Unreadable` for what is no JSON."""
        try:
            msgspec.json.decode(raw.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(
                happened=f"the body is not JSON: {error}", next="ask the sender for JSON in UTF-8", rule="json"
            ) from error
        yield Ignored(rule="no field map")

    def _raws(self, delivery: Delivery, verified: Verified) -> Iterable[Raw]:
        type_ = self._type_at.text(delivery) if self._type_at else ""
        stream = _STREAM.sub("_", type_)[:100] or "delivery"
        headers = {"content-type": (delivery.header("content-type") or "")[:200], "event-type": type_[:200]}
        if verified.delivery_id:
            headers["delivery-id"] = verified.delivery_id[:200]
        key = self._key(delivery, verified)
        for place, (body, number) in enumerate(self._parts(delivery)):
            own = key if place == 0 and self._items_at is None else number or f"{key}/{place}"
            yield Raw(stream=stream, key=own[:300], body=body, headers={name: value for name, value in headers.items() if value})

    def _key(self, delivery: Delivery, verified: Verified) -> str:
        """What stays the same when the sender repeats itself. An id that is not signed would let anybody send it anew."""
        named = self._id_at.text(delivery) if self._id_at else ""
        return named or (verified.delivery_id if verified.id_signed else "") or f"sha256:{digest(delivery.body)}"

    def _parts(self, delivery: Delivery) -> Sequence[tuple[bytes, str]]:
        if self._items_at is None:
            return [(delivery.body, "")]
        found = items(at(delivery.body, self._items_at.name))
        if found is None or len(found) > _MOST_ITEMS:
            raise Malformed(
                happened="the list of events is not there" if found is None else f"the list holds more than {_MOST_ITEMS} events",
                next="correct the connection's setting items_at, or ask the sender to send fewer at once",
                pointer=self._items_at.name,
            )
        pointer = self._item_id_at.name if self._item_id_at else ""
        return [(bytes(item), scalar(at(item, pointer)) if pointer else "") for item in found]


_PLACES = ("type_at", "id_at", "items_at", "item_id_at", "challenge_at")


def _verifier(settings: Mapping[str, object]) -> Verifier:
    style, table = str(settings.get("style") or "standard-webhooks"), settings.get("verifier")
    own = dict(table) if isinstance(table, Mapping) else {}
    if style == "own":
        if not own:
            raise Misconfigured(happened="the style is `own` and no verifier is set", next="fill in the setting verifier")
        return read_verifier(own)
    return read_verifier({"style": style, **own})


def _secrets(settings: Mapping[str, object]) -> tuple[str, ...]:
    """Every active secret, the newest first."""
    several = settings.get("secret_all")
    if isinstance(several, Sequence) and not isinstance(several, str):
        return tuple(str(one) for one in several)
    return (str(settings["secret"]),) if settings.get("secret") else ()


def _reply(settings: Mapping[str, object]) -> Reply:
    status = settings.get("reply_status", 200)
    if not isinstance(status, int) or not 200 <= status <= 299:
        raise Misconfigured(happened="reply_status is no success", next="choose a status from 200 to 299", reply_status=status)
    content_type = str(settings.get("reply_type") or "text/plain; charset=utf-8")
    return Reply(status=status, body=str(settings.get("reply_body") or "").encode(), content_type=content_type)


def _echo(asked: str) -> Reply:
    """The text a sender wants back, as plain text: whatever it holds, a browser runs nothing of it."""
    if len(asked) > 1000:
        raise Malformed(happened="the challenge is longer than 1000 characters", next="look who sends this")
    return Reply(body=asked.encode(), headers={"x-content-type-options": "nosniff"})


def _check_json(body: bytes) -> None:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(happened="the body is not JSON in UTF-8", next="ask the sender for JSON in UTF-8") from error
