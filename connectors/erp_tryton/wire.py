"""Tryton's JSON: dates, times and decimals are objects with a `__class__`; quantities are plain numbers, read exactly."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class Number(msgspec.Struct, frozen=True):
    """A quantity: written as a plain number, because Tryton's quantity fields do not take its decimal objects."""

    value: Decimal


def parse(body: bytes) -> object:
    """The JSON as it is, with exact decimals where there are fractions. Raises `ValueError`."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def dump(plain: object) -> bytes:
    """The inverse of `parse`; keys are sorted, so that equal values are equal bytes."""
    return _encoder.encode(plain)


def values(plain: object) -> object:
    """Dates, times and decimals in place of their objects. Raises `ValueError` where one is not what it says."""
    if isinstance(plain, list):
        return [values(item) for item in plain]
    if not isinstance(plain, Mapping):
        return plain
    kind = plain.get("__class__")
    if kind is None:
        return {name: values(item) for name, item in plain.items()}
    read = _READ.get(str(kind))
    if read is None:
        raise ValueError(f"values of class {kind} are not known")
    try:
        return read(plain)
    except (KeyError, TypeError, ArithmeticError) as error:
        raise ValueError(f"a value of class {kind} is incomplete") from error


def plain(value: object) -> object:
    """What `dump` writes for a value: the objects that Tryton expects. Times go in UTC."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.value if isinstance(value, Number) else _object(value)


def _object(value: object) -> object:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        return {"__class__": "datetime", **_day(value.astimezone(UTC)), **_time(value.astimezone(UTC))}
    if isinstance(value, date):
        return {"__class__": "date", **_day(value)}
    return value


def _day(value: date) -> dict[str, int]:
    return {"year": value.year, "month": value.month, "day": value.day}


def _time(value: datetime) -> dict[str, int]:
    return {"hour": value.hour, "minute": value.minute, "second": value.second, "microsecond": value.microsecond}


def _whole(of: Mapping[str, object], *names: str) -> list[int]:
    return [int(str(of[name])) for name in names]


def _read_datetime(of: Mapping[str, object]) -> datetime:
    year, month, day, hour, minute, second, micro = _whole(of, "year", "month", "day", "hour", "minute", "second", "microsecond")
    return datetime(year, month, day, hour, minute, second, micro, UTC)


def _read_date(of: Mapping[str, object]) -> date:
    year, month, day = _whole(of, "year", "month", "day")
    return date(year, month, day)


_READ: Mapping[str, Callable[[Mapping[str, object]], object]] = {
    "Decimal": lambda of: Decimal(str(of["decimal"])),
    "date": _read_date,
    "datetime": _read_datetime,
    "timedelta": lambda of: timedelta(microseconds=int(Decimal(str(of["seconds"])) * 1_000_000)),
    "bytes": lambda of: base64.b64decode(str(of["base64"]), validate=True),
}
