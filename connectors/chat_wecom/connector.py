"""企业微信 as a connector: sends messages, receives what people answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from hub.sdk import (
    Accepted,
    CallbackCipher,
    Context,
    Delivery,
    Event,
    Ignored,
    Malformed,
    Misconfigured,
    NoSecretSet,
    OutcomeUnknown,
    Raw,
    Refused,
    Reply,
    SignatureRefused,
    Stale,
    VendorRefused,
    derive,
)

from . import envelope, messages
from .client import Client, Sent, unreached
from .messages import Fields
from .normalise import key, normalise

# The vendor sends a callback up to three times and names no tolerance; ten minutes also cover a clock that is a little off.
_FRESH = timedelta(seconds=600)
_CARD_LIFE = 72 * 3600  # a response code can be used this long
_REMEMBER_LOST = 7 * 24 * 3600


class Connector:
    """One application, one group robot, or both."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = Client(context)
        self._writes: Mapping[str, Callable[[Fields, str], str]] = {
            "chat.send": self._send,
            "chat.robot": self._robot,
            "card.update": self._update,
        }

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        return normalise(raw)

    def probe(self) -> None:
        """Logs in; with a robot alone it only sees that the host answers, because the vendor has no harmless call for a robot."""
        self._client.probe()

    def receive(self, delivery: Delivery) -> Accepted:
        """Answers the check of the address and opens a callback. The answer to a callback is empty: a card is changed later."""
        ciphers = self._ciphers()
        signed = {name: _once(delivery, name) for name in ("timestamp", "nonce")}
        signature = _once(delivery, "msg_signature")
        is_check = delivery.method == "GET"
        encrypt = _once(delivery, "echostr") if is_check else envelope.text(_read(delivery.body), "Encrypt")
        matched = _verified(ciphers, signature=signature, encrypt=encrypt, **signed)
        self._check_fresh(signed["timestamp"])
        plain = _decrypted(ciphers[matched], encrypt)
        if is_check:
            return Accepted(reply=Reply(body=plain), secret=matched)
        return Accepted(raws=(Raw(stream="callbacks", key=key(_read(plain)), body=plain),), secret=matched)

    def write(self, what: str, fields: Mapping[str, object], *, idempotency_key: str) -> str:
        """Sends or changes a message; the vendor's message id, or the task of the card that was changed."""
        chosen = self._writes.get(what)
        if chosen is None:
            raise VendorRefused(
                happened=f"企业微信 cannot do {what!r}",
                next=f"use one of {', '.join(self._writes)}",
                connection=self._context.connection,
            )
        return chosen(messages.read(fields, what), idempotency_key)

    def _send(self, fields: Fields, idempotency_key: str) -> str:
        seconds = int(str(self._context.settings.get("duplicate_seconds") or 1800))
        task = derive("card", self._context.connection, idempotency_key)
        part = messages.content(fields, task=task)
        body = {
            **messages.recipients(fields),
            "agentid": self._agent(),
            **part,
            "enable_duplicate_check": 1,
            "duplicate_check_interval": seconds,
        }
        sent = self._guarded(body, idempotency_key, seconds)
        card = part.get("template_card")
        if sent.response_code and isinstance(card, dict):
            self._context.remember(f"card {card.get('task_id')}", sent.response_code, _CARD_LIFE)
        if missed := unreached(sent, fields.to):
            # Part of the recipients have it: repeating would not help them, and saying nothing would hide the others.
            raise VendorRefused(
                happened=f"the message was sent, but not to {', '.join(missed)}",
                next="correct these names or the application's visible range, and send it to them alone",
                connection=self._context.connection,
                record=sent.msgid,
            )
        return sent.msgid

    def _guarded(self, body: Mapping[str, object], idempotency_key: str, seconds: int) -> Sent:
        """Post, and after a lost answer repeat only while the vendor still drops the same content."""
        name = f"lost {idempotency_key}"
        now = self._context.clock.now()
        lost = self._context.recall(name)
        if lost is not None and now - datetime.fromisoformat(lost) >= timedelta(seconds=seconds):
            raise OutcomeUnknown(
                happened="the answer to this message was lost, and the vendor would not notice a repeat any more",
                next="ask a recipient; if it did not arrive, send it as a new message",
                connection=self._context.connection,
            )
        try:
            return self._client.post("/cgi-bin/message/send", body)
        except OutcomeUnknown:
            if lost is None:
                self._context.remember(name, now.isoformat(), _REMEMBER_LOST)
            raise

    def _robot(self, fields: Fields, idempotency_key: str) -> str:
        self._client.robot(messages.content(fields, robot=True, task=derive("card", idempotency_key)))
        # The vendor gives no id for what a robot sends.
        return derive("robot", self._context.connection, idempotency_key)

    def _update(self, fields: Fields, _idempotency_key: str) -> str:
        code = fields.reply_to or (self._context.recall(f"card {fields.task}") if fields.task else None)
        if not code:
            raise VendorRefused(
                happened="no response code is known for this card",
                next="give `reply_to` of a click, or the `task` of a card that was sent here within 72 hours",
                connection=self._context.connection,
                task=fields.task,
            )
        if bool(fields.replace_name) == bool(fields.card):
            raise VendorRefused(happened="a card is changed by either `replace_name` or `card`", next="give exactly one of them")
        change: dict[str, object]
        if fields.replace_name:
            change = {"button": {"replace_name": fields.replace_name}}
        else:
            change = {"template_card": messages.card(fields.card or {}, task=fields.task or "")}
        whom: dict[str, object] = {"userids": list(fields.to)} if fields.to else {"atall": 1}
        body = {**whom, "agentid": self._agent(), "response_code": code, **change}
        sent = self._client.post("/cgi-bin/message/update_template_card", body)
        return fields.task or sent.msgid or derive("card", code)

    def _agent(self) -> int:
        try:
            return int(str(self._context.settings.get("agent_id")))
        except ValueError:
            raise Misconfigured(
                happened="the setting agent_id is not a number",
                next="copy the AgentId of the application",
                connection=self._context.connection,
            ) from None

    def _ciphers(self) -> Sequence[Sequence[CallbackCipher]]:
        """For each active Token one cipher an active AES key; while they are renewed there are two of each."""
        tokens, keys = self._every("callback_token"), self._every("callback_aes_key")
        if not tokens or not keys:
            raise NoSecretSet(
                happened="nothing can be verified: the callback's Token or EncodingAESKey is not set",
                next="copy both from the application's message reception",
                connection=self._context.connection,
            )
        receive_id = str(self._context.settings.get("corp_id") or "")
        return [
            [
                CallbackCipher(token=secret, aes_key=aes_key, receive_id=receive_id, connection=self._context.connection)
                for aes_key in keys
            ]
            for secret in tokens
        ]

    def _every(self, name: str) -> list[str]:
        every = self._context.settings.get(f"{name}_all")
        values = every if isinstance(every, list | tuple) else [self._context.settings.get(name)]
        return [str(value) for value in values if value]

    def _check_fresh(self, timestamp: str) -> None:
        try:
            signed_at = datetime.fromtimestamp(int(timestamp), UTC)
        except (ValueError, OverflowError, OSError):
            raise Malformed(
                happened="the signed time is not in seconds since 1970", next="nothing; the sender is not the vendor"
            ) from None
        if abs(self._context.clock.now() - signed_at) > _FRESH:
            raise Stale(
                happened=f"the callback was signed more than {_FRESH.seconds} s away from now",
                next="compare this machine's clock with the time",
                connection=self._context.connection,
            )


def _verified(ciphers: Sequence[Sequence[CallbackCipher]], *, signature: str, timestamp: str, nonce: str, encrypt: str) -> int:
    """The position of the Token that signed it."""
    for position, with_token in enumerate(ciphers):
        try:
            with_token[0].verify(signature=signature, timestamp=timestamp, nonce=nonce, encrypt=encrypt)
        except SignatureRefused:
            if position == len(ciphers) - 1:
                raise
        else:
            return position
    raise AssertionError("there is at least one Token")


def _decrypted(ciphers: Sequence[CallbackCipher], encrypt: str) -> bytes:
    """What is inside, opened by the first key that fits."""
    for cipher in ciphers[:-1]:
        with suppress(Refused):
            return cipher.decrypt(encrypt)
    return ciphers[-1].decrypt(encrypt)


def _once(delivery: Delivery, name: str) -> str:
    values = [value for parameter, value in delivery.query if parameter == name]
    if len(values) > 1:
        raise Malformed(happened=f"the parameter {name} occurs {len(values)} times", next="nothing; the sender is not the vendor")
    if not values or not values[0]:
        raise SignatureRefused(happened=f"the parameter {name} is missing", next="nothing; the sender is not the vendor")
    return values[0]


def _read(body: bytes) -> envelope.Tree:
    try:
        return envelope.read(body)
    except envelope.NotAnEnvelope as error:
        raise Malformed(happened=f"the callback cannot be read: {error}", next="nothing; the sender is not the vendor") from None
