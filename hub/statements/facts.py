"""From a raw of a bank file to what it means: a statement was read, money came in, money in was taken back, or nothing for us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from hub.core.errors import Unreadable
from hub.core.event import Event, Ignored, Raw, event
from hub.core.ids import derive
from hub.core.vocabulary import Receipt, ReceiptReversed, StatementRead
from hub.statements.values import Movement, Statement, Unread

T = TypeVar("T")

_LINE = re.compile(r"line (\d{1,9})\b")


def normalised(raw: Raw, *, zone: str) -> Iterator[Event | Ignored]:
    """The facts of a raw that `statement_raws` made. Raises `Unreadable` with the reason that the parser gave."""
    if raw.stream == "statement":
        yield _statement(raw, _decoded(raw, Statement))
    elif raw.stream == "unread":
        unread = _decoded(raw, Unread)
        pointer = raw.headers.get("pointer", "")
        raise Unreadable(happened=unread.happened, next=unread.next, rule=unread.rule, pointer=pointer)
    else:
        yield _movement(raw, _decoded(raw, Movement), zone)


def _statement(raw: Raw, told: Statement) -> Event:
    data = StatementRead(
        statement=raw.key,
        format=told.format,
        file=raw.headers.get("file", ""),
        account=told.account or None,
        currency=told.currency,
        opening_balance=told.opening,
        closing_balance=told.closing,
        rows=told.lines,
        credits=told.credits,
        debits=told.debits,
        from_day=told.from_day,
        to_day=told.to_day,
        balanced=told.balanced,
        number=told.number or None,
        not_booked=told.not_booked or None,
    )
    return event(raw, "statement.read", subject=raw.key, key=f"account:{told.account}", data=data)


def _movement(raw: Raw, line: Movement, zone: str) -> Event | Ignored:
    if line.amount == 0:
        return Ignored(rule="zero amount")
    if line.reversal:
        return Ignored(rule="payment taken back") if line.amount > 0 else _reversed(raw, line, zone)
    return _received(raw, line, zone) if line.amount > 0 else Ignored(rule="money out")


def _received(raw: Raw, line: Movement, zone: str) -> Event:
    receipt = receipt_id(raw.connection, raw.key)
    data = Receipt(
        receipt=receipt,
        account=line.account or None,
        booked_on=line.booked_on,
        value_on=line.value_on,
        amount=line.amount,
        currency=line.currency,
        payer_name=line.party_name or None,
        payer_account=line.party_account or None,
        payer_bank=line.party_bank or None,
        memo=line.memo,
        reference=line.reference or None,
        bank_reference=line.bank_reference or None,
        end_to_end_id=line.end_to_end_id or None,
        balance=line.balance,
        file=raw.headers.get("file"),
        row=_row(raw.headers.get("pointer", "")),
        remittances=line.remittances,
        ultimate_payer=line.ultimate_party or None,
        charges=line.charges or None,
        original_amount=line.original_amount,
        original_currency=line.original_currency if line.original_amount is not None else None,
    )
    when = booked_at(line, zone)
    return event(raw, "receipt.received", subject=receipt, key=f"account:{line.account}", occurred_at=when, data=data)


def _reversed(raw: Raw, line: Movement, zone: str) -> Event:
    receipt = receipt_id(raw.connection, raw.headers.get("undoes") or raw.key)
    data = ReceiptReversed(
        receipt=receipt,
        amount=-line.amount,
        currency=line.currency,
        booked_on=line.booked_on,
        reason=line.return_reason or line.memo or None,
        bank_reference=line.bank_reference or None,
        unplaced=raw.headers.get("unplaced"),
    )
    when = booked_at(line, zone)
    return event(raw, "receipt.reversed", subject=receipt, key=f"account:{line.account}", occurred_at=when, data=data)


def receipt_id(connection: str, key: str) -> str:
    """A receipt's id, from the connection and the key of its line."""
    return derive("rcpt", connection, key)


def _row(pointer: str) -> int | None:
    """The line of a file that is read line by line; it tells which of two receipts of a day came later."""
    found = _LINE.match(pointer)
    return int(found[1]) if found else None


def booked_at(line: Movement, zone: str) -> datetime:
    """When the line was booked. Banks write the wall clock of the tenant's zone or tell their offset; a day without a time begins at midnight."""
    at = line.at or time(0)
    return datetime.combine(line.booked_on, at, tzinfo=at.tzinfo or ZoneInfo(zone)).astimezone(UTC)


def _decoded(raw: Raw, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(raw.body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(
            happened=f"the stored {raw.stream} is not what this reader writes: {error}", next="read the file again", rule="body"
        ) from error
