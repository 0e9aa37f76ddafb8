"""What single records say: headers, an account's summary (03), a line (16), control totals (49, 98, 99)."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import msgspec

from hub.sdk import Unreadable, minor_units

from .records import Fields, Record

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DAY = re.compile(r"(?:20)?[0-9]{6}")
_CURRENCY = re.compile(r"[A-Z]{3}")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group of accounts as of one day. `status`: 1 update, 2 deletion, 3 correction, 4 test."""

    status: str
    day: date
    currency: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """An 03: the account, its balances by type code in minor units, and the sum of every amount in the record."""

    account: str
    currency: str
    amounts: dict[str, int]
    total: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A 16. `amount` is in minor units without a direction, none where the line only informs."""

    type: str
    amount: int | None
    value_on: date | None
    bank_reference: str
    reference: str
    text: str


class Trailer(msgspec.Struct, frozen=True, kw_only=True):
    """A 49, 98 or 99: the total, the number of what is inside (none for a 49), the number of records."""

    total: int
    inside: int | None
    records: int


def read_group(record: Record) -> Group:
    fields = Fields(record)
    fields.next(), fields.next()
    status, day, _time, currency = fields.next(), fields.next(), fields.next(), fields.next()
    return Group(status=status or "1", day=_day(day, record), currency=_currency(currency, record))


def read_summary(record: Record) -> Summary:
    """Raises `Unreadable` where the account is missing or an amount is none."""
    fields = Fields(record)
    account, currency = fields.next(), fields.next()
    if not account:
        raise _problem(record, "account", "the account record (03) names no account")
    amounts: dict[str, int] = {}
    total = 0
    while fields.left:
        type_, amount, _count = fields.next(), fields.next(), fields.next()
        _funds(fields, record)
        if amount:
            amounts[type_] = _integer(amount, record)
            total += amounts[type_]
    return Summary(account=account, currency=_currency(currency, record), amounts=amounts, total=total)


def read_line(record: Record) -> Line:
    """Raises `Unreadable` for a type, amount or funds type that is none."""
    fields = Fields(record)
    type_, amount = fields.next(), fields.next()
    if not (len(type_) == 3 and type_.isdecimal() and type_.isascii()):
        raise _problem(record, "type code", f"{type_!r} is not a type code of three digits")
    minor = _integer(amount, record) if amount else None
    value_on = _funds(fields, record)
    return Line(
        type=type_,
        amount=minor,
        value_on=value_on,
        bank_reference=fields.next(),
        reference=fields.next(),
        text=fields.rest(),
    )


def read_trailer(record: Record) -> Trailer:
    """Raises `Unreadable` where a number is missing: a file that was cut off ends like this."""
    fields = Fields(record)
    total = _integer(fields.next(), record)
    inside = _integer(fields.next(), record) if record.code != "49" else None
    return Trailer(total=total, inside=inside, records=_integer(fields.next(), record))


def money(minor: int, currency: str) -> Decimal:
    """Amounts have no decimal point: the currency says where it stands."""
    return Decimal(minor).scaleb(-minor_units(currency))


def _funds(fields: Fields, record: Record) -> date | None:
    """The funds type and what belongs to it; the value day where it tells one (V)."""
    match fields.next().upper():
        case "" | "0" | "1" | "2" | "Z":
            return None
        case "S":
            for _ in range(3):
                _optional(fields.next(), record)
        case "V":
            day, _time = fields.next(), fields.next()
            return _day(day, record) if day else None
        case "D":
            count = _optional(fields.next(), record)
            if not 0 <= count <= 100:
                raise _problem(record, "funds type", f"{count} distributions are not to be believed")
            for _ in range(2 * count):
                _optional(fields.next(), record)
        case other:
            raise _problem(record, "funds type", f"{other[:20]!r} is not a funds type (0, 1, 2, S, V, D, Z)")
    return None


def _optional(text: str, record: Record) -> int:
    return _integer(text, record) if text else 0


def _integer(text: str, record: Record) -> int:
    if not _INTEGER.fullmatch(text):
        raise _problem(record, "amount", f"{text[:40]!r} is not a whole number of minor units, such as 125000 for 1,250.00")
    return int(text)


def _day(text: str, record: Record) -> date:
    try:
        if _DAY.fullmatch(text):
            return date(2000 + int(text[-6:-4]), int(text[-4:-2]), int(text[-2:]))
    except ValueError:
        pass
    raise _problem(record, "day", f"{text[:20]!r} is not a day of the form YYMMDD")


def _currency(text: str, record: Record) -> str:
    if text and not _CURRENCY.fullmatch(text):
        raise _problem(record, "currency", f"{text[:20]!r} is not a currency code")
    return text


def _problem(record: Record, rule: str, happened: str) -> Unreadable:
    return Unreadable(
        happened=happened,
        next="ask the bank for the file again, or correct the record in a copy and upload that",
        rule=rule,
        pointer=f"line {record.line}, {record.code}",
    )
