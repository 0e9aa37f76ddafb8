"""From a statement or a row to what it means: money that came in, money taken back, or nothing for us."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from hub.sdk import Event, Ignored, Raw, Receipt, ReceiptReversed, StatementRead, Unreadable, derive, event

from .entry import Entry, parse_entry
from .profiles import Profile

T = TypeVar("T")


class StatementBody(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    currency: str
    profile: str
    rows: int
    credits: Decimal
    debits: Decimal
    balanced: bool | None = None
    opening: Decimal | None = None
    closing: Decimal | None = None
    from_: date | None = msgspec.field(name="from", default=None)
    to: date | None = None


class RowBody(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    currency: str
    profile: str
    cells: Mapping[str, str]
    extra: tuple[str, ...] = ()


def statement(raw: Raw) -> Iterator[Event]:
    """The one fact of a statement raw: what the file covers and whether it adds up."""
    body = _decoded(raw, StatementBody)
    yield event(
        raw,
        "statement.read",
        subject=raw.key,
        key=f"account:{body.account}",
        data=StatementRead(
            statement=raw.key,
            format=body.profile,
            file=raw.headers.get("file", ""),
            account=body.account or None,
            currency=body.currency,
            opening_balance=body.opening,
            closing_balance=body.closing,
            rows=body.rows,
            credits=body.credits,
            debits=body.debits,
            from_day=body.from_,
            to_day=body.to,
            balanced=body.balanced,
        ),
    )


def row(raw: Raw, among: tuple[Profile, ...], zone: str) -> Iterator[Event | Ignored]:
    """One booked line. Money out is ours, not the customer's: it is ignored by name. Raises `Unreadable` with line and column."""
    body = _decoded(raw, RowBody)
    line = raw.headers.get("line", "")
    if body.extra:
        raise Unreadable(
            happened="the row has more cells than the header has names, so none of them can be trusted",
            next="look for a comma without quotes in the row, correct it in a copy of the file and upload that",
            rule="extra cells",
            pointer=f"line {line}" if line else "",
        )
    entry = parse_entry(body.cells, _profile(body, among), currency=body.currency, line=line)
    if entry.amount == 0:
        yield Ignored(rule="zero amount")
    elif entry.undoes and entry.amount > 0:
        yield Ignored(rule="payment taken back")
    elif entry.undoes:
        yield _reversed(raw, body, entry, zone)
    elif entry.amount < 0:
        yield Ignored(rule="money out")
    else:
        yield _received(raw, body, entry, zone)


def _received(raw: Raw, body: RowBody, entry: Entry, zone: str) -> Event:
    receipt = receipt_id(raw.key)
    return event(
        raw,
        "receipt.received",
        subject=receipt,
        key=f"account:{body.account}",
        occurred_at=_instant(entry, zone),
        data=Receipt(
            receipt=receipt,
            account=body.account or None,
            booked_on=entry.booked_on,
            value_on=entry.value_on,
            amount=entry.amount,
            currency=entry.currency,
            payer_name=entry.party_name or None,
            payer_account=entry.party_account or None,
            payer_bank=entry.party_bank or None,
            memo=entry.memo,
            reference=entry.reference or None,
            bank_reference=entry.serial or None,
            balance=entry.balance,
            file=raw.headers.get("file"),
            row=int(line) if (line := raw.headers.get("line", "")).isdecimal() else None,
        ),
    )


def _reversed(raw: Raw, body: RowBody, entry: Entry, zone: str) -> Event:
    """The bank takes a receipt back. Which one, where the file shows it; else the reversal stands under an id of its own for a person to place."""
    undone = raw.headers.get("undoes")
    receipt = receipt_id(undone or raw.key)
    return event(
        raw,
        "receipt.reversed",
        subject=receipt,
        key=f"account:{body.account}",
        occurred_at=_instant(entry, zone),
        data=ReceiptReversed(
            receipt=receipt,
            amount=-entry.amount,
            currency=entry.currency,
            booked_on=entry.booked_on,
            reason=entry.memo or ("" if undone else "the receipt it takes back is not in the file") or None,
            bank_reference=entry.serial or None,
        ),
    )


def receipt_id(key: str) -> str:
    """A receipt's id, from the key of its row: account and bank's number, or fingerprint and occurrence."""
    return derive("rcpt", "bank_csv", key)


def _instant(entry: Entry, zone: str) -> datetime:
    """Banks write the wall clock of the tenant's zone; a day without a time begins at midnight."""
    return datetime.combine(entry.booked_on, entry.at or time(0), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _profile(body: RowBody, among: tuple[Profile, ...]) -> Profile:
    names = tuple(body.cells)
    for profile in among:
        if profile.name == body.profile and profile.fits(names):
            return profile
    raise Unreadable(
        happened="the row's layout is not known any more",
        next="restore the layout or the connection's columns, then replay",
        rule="layout",
        profile=body.profile,
    )


def _decoded(raw: Raw, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(raw.body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(
            happened=f"the stored {raw.stream} is not what this reader writes: {error}", next="read the file again", rule="body"
        ) from error
