"""What a record of a quote or customer form means.

A push and a poll give the same record, so nothing here depends on which of them brought it. A record whose content is the one
that our marker was written for is our own change come back, and no news.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub.sdk import Customer, Event, Ignored, Line, QuoteApproved, QuoteRequested, Raw, Unreadable, event

from .forms import Form

_PARTS = re.compile(r"[;；,，、\n]")
_IGNORED_OPS = {"data_remove": "removed"}
_RECORD_OPS = {"data_create", "data_update", "data_recover", ""}
_EXACT = msgspec.json.Decoder(float_hook=Decimal)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How a connection's records are read."""

    form: Form | None
    status_requested: str = "待核库存"
    status_approved: str = "已批准"
    integration_user: str = ""
    zone: str = "Asia/Shanghai"


def normalise(raw: Raw, reading: Reading) -> Iterable[Event | Ignored]:
    """The fact of one record, or the named rule by which it holds none."""
    op = raw.headers.get("op", "")
    if op not in _RECORD_OPS:
        return (Ignored(rule=_IGNORED_OPS.get(op, "form_changed")),)
    if reading.form is None:
        return (Ignored(rule="form_not_named"),)
    record = _record(raw.body)
    if _is_ours(record, reading.form, reading):
        return (Ignored(rule="our_own_change"),)
    read = Values(record, reading.form.read, reading.zone)
    return _quote(raw, read, reading) if reading.form.purpose == "quote" else _customer(raw, read)


def _record(body: bytes) -> dict[str, Any]:
    try:
        found = _EXACT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        raise Unreadable(happened="the record is not JSON in UTF-8", next="look at the raw", rule="json") from error
    if not isinstance(found, dict):
        raise Unreadable(happened="the record is not an object", next="look at the raw", rule="json")
    return found


def _is_ours(record: Mapping[str, Any], form: Form, reading: Reading) -> bool:
    marked = record.get(form.marker) if form.marker else None
    if marked:
        return bool(marked == form.content(record))
    updater = record.get("updater")
    user = updater.get("username") if isinstance(updater, dict) else None
    return bool(reading.integration_user) and user == reading.integration_user


# --- the forms ---


def _quote(raw: Raw, read: Values, reading: Reading) -> Iterable[Event | Ignored]:
    status = read.text("status")
    if status not in (reading.status_requested, reading.status_approved):
        return (Ignored(rule="status_without_a_fact"),)
    number = read.needed("number")
    if status == reading.status_approved:
        approved = QuoteApproved(quote=number, approved_by=read.person_of("updater"), record=read.id)
        return (event(raw, "quote.approved", subject=number, data=approved, occurred_at=read.changed),)
    lines = tuple(_line(row) for row in read.rows("lines", reading.form.line if reading.form else {}))
    if not lines:
        raise Unreadable(
            happened="the quote has no lines",
            next="fill in the products and save it again",
            rule="lines",
            pointer=read.pointer("lines"),
        )
    requested = QuoteRequested(
        quote=number,
        lines=lines,
        customer=read.text("customer"),
        customer_name=read.text("customer_name"),
        amount=read.number("amount"),
        payment_terms=read.text("payment_terms"),
        salesperson=read.person("salesperson"),
        contact_name=read.text("contact_name"),
        contact_phone=read.text("contact_phone"),
        record=read.id,
    )
    return (event(raw, "quote.requested", subject=number, data=requested, occurred_at=read.changed),)


def _line(row: Values) -> Line:
    quantity = row.number("quantity")
    if quantity is None or quantity <= 0:
        raise Unreadable(
            happened="the quantity is missing or not above zero",
            next="correct the line in the form",
            rule="quantity",
            pointer=row.pointer("quantity"),
        )
    return Line(
        sku=row.needed("sku"),
        name=row.text("name"),
        quantity=quantity,
        unit_price=row.number("unit_price"),
        need_by=row.day("need_by"),
        warehouse=row.text("warehouse"),
    )


def _customer(raw: Raw, read: Values) -> Iterable[Event | Ignored]:
    number = read.text("number") or read.id
    if number is None:
        raise Unreadable(
            happened="the customer has neither a number nor a record id", next="look at the raw", rule="number", pointer="/_id"
        )
    created = raw.headers.get("op") == "data_create" or read.is_new
    fact = Customer(
        customer=number,
        name=read.needed("name"),
        tax_id=read.text("tax_id"),
        aliases=read.several("aliases"),
        accounts=read.several("accounts"),
        owner=read.person("owner"),
        record=read.id,
    )
    return (
        event(raw, "customer.created" if created else "customer.updated", subject=number, data=fact, occurred_at=read.changed),
    )


# --- values ---


class Values:
    """A record or a row, read by our names; what does not fit is `Unreadable` with its place."""

    def __init__(self, record: Mapping[str, Any], keys: Mapping[str, str], zone: str, at: str = "") -> None:
        self._record, self._keys, self._zone, self._at = record, keys, zone, at

    @property
    def id(self) -> str | None:
        found = self._record.get("_id")
        return found if isinstance(found, str) and found else None

    @property
    def changed(self) -> datetime | None:
        """When the record was last changed, if it says so."""
        return self._instant(self._record.get("updateTime"), f"{self._at}/updateTime")

    @property
    def is_new(self) -> bool:
        """Whether it was not changed since it was made."""
        made = self._record.get("createTime")
        return bool(made) and made == self._record.get("updateTime")

    def pointer(self, name: str) -> str:
        return f"{self._at}/{self._keys[name].replace('~', '~0').replace('/', '~1')}"

    def _value(self, name: str) -> Any:
        return self._record.get(self._keys[name])

    def text(self, name: str) -> str | None:
        value = self._value(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise self._wrong(name, "is not a text")
        return str(value).strip()[:2000]

    def needed(self, name: str) -> str:
        found = self.text(name)
        if found is None:
            raise self._wrong(name, "is empty")
        return found

    def number(self, name: str) -> Decimal | None:
        value = self._value(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > 40:
            raise self._wrong(name, "is not a number")
        try:
            found = Decimal(value)
        except InvalidOperation:
            raise self._wrong(name, "is not a number") from None
        if not found.is_finite() or abs(found.adjusted()) > 20:
            raise self._wrong(name, "is not a number that can be true")
        return found

    def day(self, name: str) -> date | None:
        """A day of the tenant's zone: the vendor keeps days as midnight there, written in UTC."""
        value = self._value(name)
        if isinstance(value, str) and len(value) == 10:
            try:
                return date.fromisoformat(value)
            except ValueError:
                raise self._wrong(name, "is not a day") from None
        instant = self._instant(value, self.pointer(name))
        try:
            return instant.astimezone(ZoneInfo(self._zone)).date() if instant else None
        except OverflowError:
            raise self._wrong(name, "is not a day") from None

    def person(self, name: str) -> str | None:
        """A member: their user name, else their name. A text is taken as it is."""
        value = self._value(name)
        if isinstance(value, list):
            value = value[0] if value else {}
        return _member(value) if isinstance(value, dict) else self.text(name)

    def person_of(self, key: str) -> str | None:
        value = self._record.get(key)
        return _member(value) if isinstance(value, dict) else None

    def several(self, name: str) -> tuple[str, ...]:
        """Texts in one field, parted by semicolons, commas or lines."""
        found = self.text(name) or ""
        return tuple(dict.fromkeys(part.strip() for part in _PARTS.split(found) if part.strip()))

    def rows(self, name: str, keys: Mapping[str, str]) -> Iterable[Values]:
        value = self._value(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self._wrong(name, "is not a subform")
        return [Values(row, keys, self._zone, f"{self.pointer(name)}/{place}") for place, row in enumerate(value)]

    def _instant(self, value: Any, pointer: str) -> datetime | None:
        if value is None or value == "":
            return None
        try:
            found = datetime.fromisoformat(value) if isinstance(value, str) else None
            if found is not None and found.tzinfo is not None:
                return found.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise Unreadable(happened="the time is not ISO 8601 with a zone", next="look at the raw", rule="time", pointer=pointer)

    def _wrong(self, name: str, what: str) -> Unreadable:
        return Unreadable(
            happened=f"{self._keys[name]} {what}",
            next="correct it in the form and save it again",
            rule=name,
            pointer=self.pointer(name),
        )


def _member(value: Mapping[str, Any]) -> str | None:
    found = value.get("username") or value.get("name")
    return found if isinstance(found, str) else None
