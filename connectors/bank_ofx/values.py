"""What a field of OFX says: amounts and moments."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hub.sdk import Unreadable, minor_units

# OFX 2.2, 3.2.9.2: a comma or a dot before the decimals, and nothing between the thousands. Some banks write both.
_AMOUNT = re.compile(r"([+-]?)\s*([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+(?=\.)|[0-9]{1,3}(?:\.[0-9]{3})+(?=,))(?:[.,]([0-9]*))?")
_MOMENT = re.compile(
    r"([0-9]{4})([0-9][0-9])([0-9][0-9])(?:([0-9][0-9])([0-9][0-9])([0-9][0-9])?(?:\.[0-9]+)?)?\s*(?:\[\s*([^\]:]*)\s*(?::[^\]]*)?\]?)?"
)
_OFFSET = re.compile(r"([+-]?)([0-9]{1,2})(?:\.([0-9]{1,2}))?")
# What banks write where they know the day alone.
_NO_TIME = (time(0), time(12))


def amount(text: str, *, currency: str, field: str, rule: str = "amount") -> Decimal:
    """The amount as written. Raises `Unreadable` where it is none, or finer than the currency's smallest unit."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or len(text) > 40:
        raise Unreadable(
            happened=f"{field} is not an amount such as -1234.50" if text else f"{field} is missing",
            next="correct it in a copy of the file, or ask the bank",
            rule=rule,
            pointer=field,
        )
    sign, whole, decimals = match[1], re.sub("[.,]", "", match[2]), (match[3] or "").rstrip("0")
    places = minor_units(currency)
    if len(decimals) > places or len(whole.lstrip("0")) > 15:
        raise Unreadable(
            happened=f"{field} has more digits than an amount in {currency} can have",
            next="correct it in a copy of the file, or ask the bank",
            rule=rule,
            pointer=field,
        )
    return Decimal(f"{sign}{whole}.{decimals:0<{places}}" if places else f"{sign}{whole}")


def moment(text: str, *, zone: str, field: str) -> tuple[date, time | None]:
    """The bank's day, and the tenant's clock where a time is told that is on the same day there.

    `YYYYMMDDHHMMSS.XXX[offset:name]`, all but the day optional. The day stays the bank's own: that is when it was booked.
    """
    match = _MOMENT.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError
        year, month, day, hour, minute, second, offset = match.groups()
        booked = date(int(year), int(month), int(day))
        told = time(int(hour), int(minute), int(second or 0)) if hour else time(0)
    except ValueError as error:
        raise Unreadable(
            happened=f"{field} is not a day that the calendar has" if text else f"{field} is missing",
            next="correct it in a copy of the file, or ask the bank",
            rule="day",
            pointer=field,
        ) from error
    return booked, None if told in _NO_TIME else _here(booked, told, offset, zone)


def _here(booked: date, told: time, offset: str | None, zone: str) -> time | None:
    if offset is None:
        return told
    match = _OFFSET.fullmatch(offset.strip())
    if match is None:  # `[-:EST]` is met: the zone has a name and no number
        return None
    # `-4.30` means four hours and thirty minutes in the specification's own example, and `5.5` five and a half in files.
    hours, part = int(match[2]), match[3] or "0"
    minutes = int(part) if len(part) == 2 and int(part) < 60 else int(part) * 6
    away = timedelta(hours=hours, minutes=minutes) * (-1 if match[1] == "-" else 1)
    if not timedelta(hours=-14) <= away <= timedelta(hours=14) or not 1 < booked.year < 9999:
        return None
    there = (datetime.combine(booked, told, tzinfo=UTC) - away).astimezone(ZoneInfo(zone))
    return there.time() if there.date() == booked else None
