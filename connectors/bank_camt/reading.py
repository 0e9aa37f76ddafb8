"""Amounts, days and references as these messages write them. Each raises `Unreadable` with the tag."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache

from hub.sdk import minor_units

from .message import refused

Money = tuple[str, str]
Moment = tuple[date, time | None]

_AMOUNT = re.compile(r"\+?[0-9]{1,18}(?:\.[0-9]{0,17})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?:Z|[+-]\d\d:\d\d)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_ROW = "correct the entry in a copy of the file and upload that; entries that were read before are known"
TRUE = ("true", "1")


def amount(money: Money | None, tag: str) -> tuple[Decimal, str]:
    """An unsigned amount in its currency's places, and the currency."""
    text, currency = money or ("", "")
    exact = _exact(currency)
    if exact is None:
        raise refused("currency", f"the amount has no currency: {currency[:20] or 'none'}", pointer=f"tag {tag}", next=_ROW)
    if not _AMOUNT.fullmatch(text):
        raise refused("amount", f"this is no amount: {text[:40] or 'empty'}", pointer=f"tag {tag}", next=_ROW)
    value = Decimal(text)
    scaled = value.quantize(exact)
    if scaled != value:
        happened = f"the amount {text} is finer than the smallest unit of {currency}"
        raise refused("amount", happened, pointer=f"tag {tag}", next=_ROW)
    return scaled, currency


@lru_cache(maxsize=512)
def _exact(currency: str) -> Decimal | None:
    """The currency's smallest unit; `None` for what is no code."""
    return Decimal(1).scaleb(-minor_units(currency)) if _CURRENCY.fullmatch(currency) else None


def negative(indicator: str | None, tag: str) -> bool:
    """Whether `CdtDbtInd` says that money left the account."""
    if indicator not in ("CRDT", "DBIT"):
        happened = f"it is not said whether money came or went: {(indicator or 'nothing')[:20]}"
        raise refused("direction", happened, pointer=f"tag {tag}", next=_ROW)
    return indicator == "DBIT"


def moment(text: str | None, tag: str) -> Moment | None:
    """A day, and the time of it where one is told, aware where its offset is told too; `None` where there is no day."""
    if not text:
        return None
    found = when(text)
    if found is None:
        raise refused("day", f"this is no day: {text[:40]}", pointer=f"tag {tag}", next=_ROW)
    return found


@lru_cache(maxsize=4096)
def when(text: str) -> Moment | None:
    """An ISO day or moment; the day is the one that the bank wrote, whatever its zone."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text[:10]), None
        if _MOMENT.fullmatch(text):
            at = datetime.fromisoformat(text)
            return at.date(), at.timetz()
    except ValueError:
        return None
    return None


def provided(text: str | None) -> str:
    """A reference, unless it is the word that stands for none."""
    return "" if not text or text in ("NOTPROVIDED", "NONREF") else text
