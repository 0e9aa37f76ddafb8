"""Figures and times as people read them. Pure; templates never format."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hub.core.money import minor_units

_SIGNS = {"CNY": "¥", "USD": "US$", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "JP¥"}
_WEEKDAYS = {"zh": "一二三四五六日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def money(amount: Decimal | None, currency: str) -> str:
    """`¥128,400.00`, `−¥12,000.00`, and a dash for what is not known."""
    if amount is None:
        return "—"
    sign = "−" if amount < 0 else ""
    return f"{sign}{_SIGNS.get(currency, currency + ' ')}{abs(amount):,.{minor_units(currency)}f}"


def figure(amount: Decimal | None, currency: str) -> str:
    """The amount without its currency, which stands elsewhere."""
    if amount is None:
        return "—"
    return f"{'−' if amount < 0 else ''}{abs(amount):,.{minor_units(currency)}f}"


def count(number: int) -> str:
    return f"{number:,}"


def percent(part: Decimal, whole: Decimal) -> str:
    """`96.2%`; what rounds to all or nothing and is not says so."""
    if not whole:
        return "—"
    share = part / whole * 100
    if 0 < share < Decimal("0.05"):
        return "<0.1%"
    if Decimal("99.95") <= share < 100:
        return ">99.9%"
    return f"{share:.1f}%"


def day(when: date | None, lang: str) -> str:
    """A bank's day, never shifted."""
    if when is None:
        return "—"
    return when.isoformat() if lang == "zh" else f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def today(now: datetime, zone: ZoneInfo, lang: str) -> str:
    """`11 月 20 日 周五` and `Fri 20 Nov`."""
    here = now.astimezone(zone)
    if lang == "zh":
        return f"{here.month} 月 {here.day} 日 周{_WEEKDAYS['zh'][here.weekday()]}"
    return f"{_WEEKDAYS['en'][here.weekday()]} {here.day} {_MONTHS[here.month - 1]}"


def moment(when: datetime | None, now: datetime, zone: ZoneInfo, lang: str) -> str:
    """The time of today, with the day where it was another one."""
    if when is None:
        return "—"
    here, there = when.astimezone(zone), now.astimezone(zone)
    clock = here.strftime("%H:%M:%S")
    if here.date() == there.date():
        return clock
    days = here.strftime("%m-%d") if lang == "zh" else f"{here.day} {_MONTHS[here.month - 1]}"
    return f"{days} {clock[:5]}"
