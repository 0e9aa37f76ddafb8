"""What a cell of an order book or a history says: text, an exact amount, a day, a currency."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

from hub.core.money import minor_units

_INVISIBLE = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_EMPTY = re.compile(r"[-—－/\s]*|null|none|n/a", re.IGNORECASE)
_SIGNS = re.compile(
    r"^(?P<sign>[+-]?)(?:CNY|RMB|USD|EUR|人民币|US\$|[¥$€£])?(?P<sign2>[+-]?)|(?:元整?|CNY|RMB|USD|EUR)$", re.IGNORECASE
)
_AMOUNT = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?|\.\d+")
_DAY = re.compile(r"(?P<y>\d{4})(?P<sep>[-/.年]?)(?P<m>\d{1,2})[-/.月]?(?P<d>\d{1,2})日?(?:[ T]+[\d:.]+)?")
_CURRENCIES = {
    "人民币": "CNY", "人民币元": "CNY", "RMB": "CNY", "元": "CNY", "¥": "CNY", "美元": "USD", "US$": "USD", "$": "USD", "欧元": "EUR", "€": "EUR",
    "港币": "HKD", "港元": "HKD", "日元": "JPY", "英镑": "GBP", "£": "GBP", "澳元": "AUD", "加元": "CAD", "新加坡元": "SGD", "瑞士法郎": "CHF",
}  # fmt: skip


class BadCell(ValueError):
    """A cell that is not what its column promises; says what was expected."""


def visible(text: str) -> str:
    """The text without what cannot be seen: control characters, and those that turn the reading direction and make a page lie."""
    return _INVISIBLE.sub("", text)


def tidy(text: str) -> str:
    """The cell without padding and invisible characters, else as written."""
    return visible(text).strip().strip("'`").strip()


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def amount(text: str) -> Decimal | None:
    """The exact amount with its sign, or `None` for an empty cell. Raises `BadCell`."""
    if _EMPTY.fullmatch(text):
        return None
    written = re.sub(r"\s", "", plain(text)).replace("−", "-")
    negative = written.startswith("(") and written.endswith(")")
    written = written[1:-1] if negative else written
    signs = _SIGNS.match(written)
    negative ^= signs is not None and "-" in (signs["sign"] or "") + (signs["sign2"] or "")
    digits = _SIGNS.sub("", written)
    if not _AMOUNT.fullmatch(digits) or len(digits) > 24:
        raise BadCell("an amount such as 1,234.50")
    value = Decimal(digits.replace(",", ""))
    return -value if negative else value


def money(text: str, currency: str) -> Decimal | None:
    """The amount with the currency's places. A spreadsheet's binary dust is wiped off, a real third decimal is refused."""
    value = amount(text)
    if value is None:
        return None
    if abs(value) >= Decimal(10) ** 15:
        raise BadCell("an amount below 10^15")
    places = minor_units(currency)
    rounded = value.quantize(Decimal(1).scaleb(-places))
    if abs(rounded - value) > Decimal("1e-7"):
        raise BadCell(f"an amount in {currency} with at most {places} decimal places")
    return rounded


def day(text: str) -> date | None:
    """The day in the cell, or `None` for an empty one. Raises `BadCell`."""
    if _EMPTY.fullmatch(text):
        return None
    match = _DAY.fullmatch(plain(text).strip())
    if match is None or (not match["sep"] and len(re.split(r"[ T]", match[0])[0].rstrip("日")) != 8):
        raise BadCell("a day such as 2026-03-02 or 20260302")
    try:
        return date(int(match["y"]), int(match["m"]), int(match["d"]))
    except ValueError as error:
        raise BadCell("a day that the calendar has") from error


def currency(text: str) -> str | None:
    """The ISO 4217 code, or `None` for an empty cell. Raises `BadCell`."""
    if _EMPTY.fullmatch(text):
        return None
    written = re.sub(r"\s", "", plain(text)).upper()
    code = _CURRENCIES.get(written, written)
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise BadCell("a currency such as 人民币 or CNY")
    return code
