"""The 简道云 connection: takes pushes, polls for what is not pushed, writes back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hub.sdk import (
    STYLES,
    Accepted,
    Context,
    Cursor,
    Delivery,
    Event,
    Ignored,
    Malformed,
    Misconfigured,
    Page,
    Raw,
    Reply,
    VendorFault,
    VendorRefused,
    digest,
)

from .client import Client
from .forms import Form, form_of, purpose_of, purposes
from .normalise import Reading
from .normalise import normalise as _normalise

_BEGINNING = "1970-01-01T00:00:00.000Z"
_MOST = 100


class _Pushed(msgspec.Struct, frozen=True):
    """A push. `data` is kept as the bytes that came."""

    op: str
    data: msgspec.Raw = msgspec.Raw(b"{}")
    opTime: int | str = ""


class _Head(msgspec.Struct, frozen=True):
    """What a record says of itself."""

    id: str | None = msgspec.field(default=None, name="_id")
    entry: str | None = msgspec.field(default=None, name="entryId")
    changed: str | None = msgspec.field(default=None, name="updateTime")


class Connector:
    """`Receives`, `Pulls`, `Writes` and `Probes` for the forms of one 简道云 tenant."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = Client(context)

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        settings = self._context.settings
        named = {
            name: str(settings[name])
            for name in ("status_requested", "status_approved", "integration_user")
            if settings.get(name)
        }
        return _normalise(raw, Reading(form=form_of(settings, raw.stream), zone=self._context.zone, **named))

    # --- pushes ---

    def receive(self, delivery: Delivery) -> Accepted:
        """Check the signature over nonce, body, secret and time; keep the record as it came, under its own id and change."""
        settings = self._context.settings
        every = settings.get("push_secret_all")
        secrets = [str(one) for one in every] if isinstance(every, list | tuple) else [str(settings.get("push_secret") or "")]
        age = settings.get("push_age")
        verifier = msgspec.structs.replace(STYLES["jiandaoyun"], tolerance=300 if age is None else int(str(age)))
        verified = verifier.verify(delivery, secrets, self._context.clock.now())
        try:
            pushed = msgspec.json.decode(delivery.body, type=_Pushed)
            body = bytes(pushed.data)
            head = _head(body) if body.startswith(b"{") else _Head()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(
                happened="the push is not an operation with a record", next="check that the address is a data push"
            ) from error
        headers = {"op": pushed.op, "op-time": str(pushed.opTime), "deliver-id": verified.delivery_id}
        key = _key(head, body, str(pushed.opTime)) if head.id else f"push:{verified.once}"
        raw = Raw(stream=self._stream(head, delivery), key=key, body=body, headers=headers)
        return Accepted(raws=(raw,), reply=Reply(body=b"success"), secret=verified.secret)

    def _stream(self, head: _Head, delivery: Delivery) -> str:
        """Which form it is of: by the record itself, else by the address, else the only one there is."""
        settings = self._context.settings
        if head.entry:
            return purpose_of(settings, head.entry) or "other"
        said, named = delivery.parameter("form") or "", purposes(settings)
        return said if said in named else named[0] if len(named) == 1 and not said else "other"

    # --- polling ---

    def pull(self, stream: str, cursor: Cursor | None) -> Iterator[Page]:
        """Records changed since the cursor, in windows of time; within one, by id, which is the only order the vendor keeps.

        A window ends below our clock and begins before the last one ended. Its bounds stand in the cursor until it is read to
        its end, so that stopping after any page goes on with the same window.
        """
        form = form_of(self._context.settings, stream)
        if form is None:
            yield Page(raws=(), cursor=cursor or Cursor(at=""), complete=True)
            return
        since, until, after = self._window(cursor)
        limit = min(max(int(str(self._context.settings.get("page_size") or _MOST)), 1), _MOST)
        while True:
            records = self._client.page(form, changed=(since, until), after=after, limit=limit)
            heads = self._heads(records, stream)
            if heads and str(heads[-1].id) <= after:
                raise VendorFault(
                    happened="the next page does not go on after the last one",
                    next="the call is repeated by itself",
                    stream=stream,
                )
            raws = tuple(Raw(stream=stream, key=_key(head, body), body=body) for head, body in zip(heads, records, strict=True))
            complete = len(records) < limit
            after = str(heads[-1].id) if heads else after
            yield Page(
                raws=raws, cursor=Cursor(at=until) if complete else Cursor(at=since, tie=f"{until}|{after}"), complete=complete
            )
            if complete:
                return

    def _window(self, cursor: Cursor | None) -> tuple[str, str, str]:
        if cursor is not None and cursor.tie:
            until, _, after = cursor.tie.partition("|")
            return cursor.at, until, after
        settings = self._context.settings
        until = _stamp(self._context.clock.now() - timedelta(seconds=int(str(settings.get("settle", 2)))))
        if cursor is None or not cursor.at:
            return _BEGINNING, until, ""
        overlap = timedelta(seconds=int(str(settings.get("overlap", 300))))
        return min(_stamp(datetime.fromisoformat(cursor.at) - overlap), until), until, ""

    def _heads(self, records: list[bytes], stream: str) -> list[_Head]:
        try:
            heads = [_head(record) for record in records]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            heads = [_Head()]
        if not all(head.id for head in heads):
            raise VendorFault(happened="a record of the page has no id", next="the call is repeated by itself", stream=stream)
        return heads

    # --- writing ---

    def write(self, what: str, fields: Mapping[str, object], *, idempotency_key: str) -> str:
        """Write a record and mark it with the digest of its content, by which we know our own change when it comes back."""
        form = self._form(str(fields.get("form") or "quote"))
        values = fields.get("values")
        if not isinstance(values, Mapping) or not values:
            raise VendorRefused(happened="there are no values to write", next="give values as a table", form=form.purpose)
        keyed = {form.key(str(name)): self._client.bare(_rows(form, value)) for name, value in values.items()}
        if what == "record.create":
            return self._client.create(form, self._marked(form, {}, keyed), once=f"{self._context.connection}:{idempotency_key}")
        if what == "record.update":
            current = self._current(form, fields)
            record = str(current["_id"])
            self._client.update(form, record, self._marked(form, current, keyed))
            return record
        raise VendorRefused(happened=f"简道云 has no {what}", next="use one of the writes in the manifest", what=what)

    def _form(self, purpose: str) -> Form:
        form = form_of(self._context.settings, purpose)
        if form is None:
            raise VendorRefused(happened=f"the connection names no form for {purpose}", next="add it to forms", form=purpose)
        return form

    def _current(self, form: Form, fields: Mapping[str, object]) -> Mapping[str, Any]:
        """The record as it is now: what it means after our change depends on it."""
        record, number = str(fields.get("record") or ""), str(fields.get("number") or "")
        if record:
            return {**self._client.get(form, record), "_id": record}
        if not number:
            raise VendorRefused(happened="no record is named", next="give its id as record, or its number", form=form.purpose)
        found = self._client.find(form, number)
        if len(found) != 1 or not isinstance(found[0].get("_id"), str):
            raise VendorRefused(
                happened="no record has this number" if not found else "several records have this number",
                next="correct the number in the form, or give the record's id",
                form=form.purpose,
                number=number,
            )
        return found[0]

    @staticmethod
    def _marked(form: Form, current: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**values, form.marker: form.content({**current, **values})} if form.marker else values

    def labels(self, purpose: str) -> dict[str, str]:
        """The form's fields, label → key: what to put into the setting `fields`."""
        return self._client.labels(self._form(purpose))

    def probe(self) -> None:
        """Ask for the forms of the first app that is named."""
        named = purposes(self._context.settings)
        if not named:
            raise Misconfigured(happened="the connection names no form", next="set forms", connection=self._context.connection)
        self._client.forms(self._form(named[0]).app)


def _rows(form: Form, value: object) -> object:
    if isinstance(value, list | tuple):
        return [{form.line.get(str(k), str(k)): v for k, v in row.items()} if isinstance(row, Mapping) else row for row in value]
    return value


def _head(body: bytes) -> _Head:
    return msgspec.json.decode(body, type=_Head)


def _key(head: _Head, body: bytes, told_at: str = "") -> str:
    """The record in this version. A push and a poll of the same bytes are the same raw, whichever comes first.

    Not the delivery's id: that is not signed, so a stranger could send a delivery again under another.
    """
    return f"{head.id}:{head.changed or told_at}:{digest(body)[:12]}"


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
