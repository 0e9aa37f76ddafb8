"""Days and instants as systems write them: patterns such as `yyyy-MM-dd HH:mm:ss` and `yyyy年M月d日`, epochs, spreadsheet days."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from mappings.steps.base import BadStep
from mappings.steps.numbers import exact, product
from mappings.values import Bad

When = date | datetime
ReadWhen = Callable[[object], When]

_PARTS = {
    "yyyy": r"(?P<year>\d{4})",
    "yy": r"(?P<short>\d{2})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "dd": r"(?P<day>\d{2})",
    "d": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{2})",
    "H": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "m": r"(?P<minute>\d{1,2})",
    "ss": r"(?P<second>\d{2})",
    "s": r"(?P<second>\d{1,2})",
    "SSS": r"(?P<fraction>\d{1,6})",
    "XXX": r"(?P<offset>Z|[+-]\d{2}:?\d{2})",
}
_LETTERS = re.compile(r"yyyy|yy|MM|M|dd|d|HH|H|mm|m|ss|s|SSS|XXX|'([^']*)'|([A-Za-z%]+)|(.)", re.DOTALL)
_EPOCH_NAMES = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPREADSHEET_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day has no zone
_LAST_EPOCH = 253_402_300_799


def zone_named(name: object) -> tzinfo:
    """The time zone of that name (IANA). Raises `BadStep`."""
    try:
        if isinstance(name, str) and name and not name.startswith((".", "/")):
            return UTC if name == "UTC" else ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        pass
    raise BadStep(f"{name!r} is not a time zone; write a name such as Asia/Shanghai", "zone")


def reads(form: object) -> ReadWhen:
    """A function that reads a text or number of that format. Raises `BadStep` for a format that is none."""
    if form == "iso":
        return _iso
    if form == "excel":
        return _spreadsheet
    if isinstance(form, str) and form in _EPOCH_NAMES:
        return _epoch(form, _EPOCH_NAMES[form])
    if isinstance(form, str) and form:
        return _pattern(form)
    raise BadStep("format takes a pattern such as yyyy-MM-dd HH:mm:ss, or iso, epoch_s, epoch_ms, epoch_us, excel", "format")


def _iso(value: object) -> When:
    if type(value) is str:
        text = value.strip()
        try:
            return date.fromisoformat(text) if len(text) <= 10 and "T" not in text else datetime.fromisoformat(text)
        except ValueError:
            pass
    raise Bad(
        "the text is not a day or time in ISO 8601", 'look at what was sent, or give its `format`, such as "yyyy/M/d"', value
    )


def _epoch(name: str, per_second: int) -> ReadWhen:
    factor = 1_000_000 // per_second
    last = _LAST_EPOCH * per_second

    def read(value: object) -> When:
        if type(value) is int and 0 <= value <= last:
            return _EPOCH + timedelta(microseconds=value * factor)
        number = exact(value.strip() if isinstance(value, str) else value)
        micro = product((number, Decimal(factor)))
        if micro != micro.to_integral_value() or not 0 <= micro <= _LAST_EPOCH * 1_000_000:
            raise Bad(f"the number is not a time in {name}", "look at the number's unit: epoch_s, epoch_ms or epoch_us", value)
        return _EPOCH + timedelta(microseconds=int(micro))

    return read


def _spreadsheet(value: object) -> When:
    number = exact(value.strip() if isinstance(value, str) else value)
    if not 1 <= number < 2_958_466:
        raise Bad("the number is not a spreadsheet's day", "look at what was sent", value)
    whole = int(number)
    if number == whole:
        return (_SPREADSHEET_ZERO + timedelta(days=whole)).date()
    # A spreadsheet keeps the time of day as a fraction of about 15 digits: the nearest second is what was typed.
    seconds = ((number - whole) * 86_400).to_integral_value()
    return _SPREADSHEET_ZERO + timedelta(days=whole, seconds=int(seconds))


def _pattern(form: str) -> ReadWhen:
    expression, names = "", set()
    for found in _LETTERS.finditer(form):
        literal, unknown, sign = found.groups()
        if unknown is not None:
            raise BadStep(f"{unknown!r} is not a part of a format; the parts are {' '.join(_PARTS)}", "format")
        if literal is not None or sign is not None:
            expression += re.escape(literal if literal is not None else sign)
            continue
        part = _PARTS[found.group()]
        name = part[4 : part.index(">")]
        if name in names:
            raise BadStep(f"the format names the {name} twice", "format")
        names.add(name)
        expression += part
    if not {"month", "day"} <= names or not names & {"year", "short"}:
        raise BadStep("the format needs a year, a month (MM, M) and a day (dd, d); mm is minutes", "format")
    compiled = re.compile(expression, re.ASCII)
    timed = "hour" in names

    def read(value: object) -> When:
        text = value.strip() if type(value) is str else str(value) if type(value) is int else None
        match = compiled.fullmatch(text) if text is not None and len(text) <= 64 else None
        if match is None:
            raise Bad(f"the value is not of the format {form}", "look at what was sent, or name its format as well", value)
        return _made(match.groupdict(), timed, form, value)

    return read


def _made(parts: dict[str, str | None], timed: bool, form: str, value: object) -> When:
    year = int(parts.get("year") or f"20{parts.get('short')}")
    month, day = int(parts["month"] or 0), int(parts["day"] or 0)
    try:
        if not timed:
            return date(year, month, day)
        return datetime(
            year,
            month,
            day,
            int(parts.get("hour") or 0),
            int(parts.get("minute") or 0),
            int(parts.get("second") or 0),
            int((parts.get("fraction") or "0").ljust(6, "0")),
            tzinfo=_offset(parts.get("offset")),
        )
    except ValueError:
        raise Bad(f"the value has the format {form} but is not a day of the calendar", "look at what was sent", value) from None


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


# --- from what was read to a day or an instant -------------------------------------------------------------------


def to_day(when: When, zone: tzinfo | None, value: object) -> date:
    """The day, in the zone where the instant has to become one."""
    if not isinstance(when, datetime):
        return when
    if when.tzinfo is None:
        return when.date()
    if zone is None:
        raise Bad(
            "an instant is a day only in a time zone", 'say zone = "Asia/Shanghai", beside the field or for the whole map', value
        )
    try:
        return when.astimezone(zone).date()
    except (OverflowError, ValueError):
        raise Bad("the time is outside the calendar", "look at what was sent", value) from None


def to_instant(when: When, zone: tzinfo | None, value: object) -> datetime:
    """The instant in UTC. A clock's hour that the zone skipped is refused; of one it had twice, the first is meant."""
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day)  # noqa: DTZ001 - the zone follows
    try:
        if when.tzinfo is not None:
            return when if when.tzinfo is UTC else when.astimezone(UTC)
        if zone is None:
            raise Bad(
                "a time without a zone is no instant", 'say zone = "Asia/Shanghai", beside the field or for the whole map', value
            )
        local = when.replace(tzinfo=zone)
        instant = local.astimezone(UTC)
        skipped = local.utcoffset() != local.replace(fold=1).utcoffset() and instant.astimezone(zone).replace(tzinfo=None) != when
    except (OverflowError, ValueError):
        raise Bad("the time is outside the calendar", "look at what was sent", value) from None
    if skipped:
        raise Bad("the clocks of the zone skipped this hour", "look at the zone", value)
    return instant
