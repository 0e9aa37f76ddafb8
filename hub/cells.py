"""What a cell of a bank's or a wallet's export says: text, an amount, a day, a time, a currency, a direction."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from typing import Literal

Direction = Literal["in", "out"]

# Banks write these for "nothing"; a whole row of dashes is met too.
_EMPTY = re.compile(r"[-—－/\s]*|null|none|n/a", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_TAIL = re.compile(r"\[[^\]]*\]\s*$")
_INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060\ufeff\u0000-\u0008\u000b\u000c\u000e-\u001f]")
_MONEY_SIGN = re.compile(r"^(?P<sign>[+-]?)\s*(?:CNY|RMB|人民币|[¥$€£])?\s*(?P<sign2>[+-]?)\s*|(?:元|CNY|RMB)$", re.IGNORECASE)
_AMOUNT = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?|\.\d+")
# How amounts are nearly always written: nothing has to be folded or taken off.
_PLAIN = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]{1,2})?")
# One or two digits behind a comma are never a group of thousands: that comma is the decimal mark.
_DECIMAL_COMMA = re.compile(r"(?:\d+|\d{1,3}(?:\.\d{3})+),\d{1,2}")
_DAY = re.compile(r"(?P<y>\d{4})(?P<sep>[-/.年]?)(?P<m>\d{1,2})[-/.月]?(?P<d>\d{1,2})日?")
_REFUNDED = re.compile(r"(?P<paid>.*\d)\(已(?:退款(?P<back>[\d.,]+)|全额退款)\)")
_NO_YEAR = re.compile(r"(?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?")
_DAY_FIRST = re.compile(r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>\d{4})")
_TIME = re.compile(r"(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:\.\d+)?)?|(?P<h6>\d{2})(?P<m6>\d{2})(?P<s6>\d{2})")

_CURRENCIES = {
    "人民币": "CNY", "人民币元": "CNY", "RMB": "CNY", "CNY": "CNY", "元": "CNY", "01": "CNY", "001": "CNY", "156": "CNY",
    "美元": "USD", "USD": "USD", "欧元": "EUR", "EUR": "EUR", "港币": "HKD", "港元": "HKD", "HKD": "HKD", "日元": "JPY", "JPY": "JPY",
    "英镑": "GBP", "GBP": "GBP", "澳大利亚元": "AUD", "澳元": "AUD", "AUD": "AUD", "加拿大元": "CAD", "加元": "CAD", "CAD": "CAD",
    "新加坡元": "SGD", "SGD": "SGD", "瑞士法郎": "CHF", "CHF": "CHF", "澳门元": "MOP", "MOP": "MOP", "韩元": "KRW", "KRW": "KRW",
    "新台币": "TWD", "TWD": "TWD", "泰铢": "THB", "THB": "THB", "卢布": "RUB", "RUB": "RUB",
}  # fmt: skip

# 贷方 (credit) is written from the bank's view of a deposit account: money in. 借方 (debit) is money out.
_DIRECTIONS: dict[str, Direction] = {
    **dict.fromkeys(["贷", "贷方", "c", "cr", "贷cr", "credit", "收", "收入", "来账", "来帐", "转入", "存入", "入", "+"], "in"),
    **dict.fromkeys(["借", "借方", "d", "dr", "借dr", "debit", "支", "支出", "往账", "往帐", "转出", "取出", "出", "-"], "out"),
}


class BadCell(ValueError):
    """A cell that is not what its column promises; says what was expected."""


def tidy(text: str) -> str:
    """The cell without padding, invisible characters and the tabs that keep spreadsheets from mangling digits. Else as written."""
    plain = text if text.isprintable() else _INVISIBLE.sub("", text)
    return plain.strip().strip("'`").strip()


def header_name(text: str) -> str:
    """A column's name as it is compared: NFKC, no blanks anywhere, no bilingual tail, lower case."""
    folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return _BLANKS.sub("", _TAIL.sub("", folded)).lower()


def folded(text: str) -> str:
    """Text as it is compared: NFKC, blanks collapsed, lower case."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text)).strip().lower()


def is_empty(text: str) -> bool:
    return not text or (not text[0].isdecimal() and _EMPTY.fullmatch(text) is not None)


def account_number(text: str) -> str:
    """An account number without the blanks it is printed with."""
    if text.isascii() and text.isalnum():
        return text
    return _BLANKS.sub("", unicodedata.normalize("NFKC", tidy(text)))


def amount(text: str, *, places: int) -> Decimal | None:
    """The exact amount with its sign, or `None` for an empty cell; less what a remark says was refunded. Raises `BadCell`."""
    if is_empty(text):
        return None
    if _PLAIN.fullmatch(text):
        return _exact(Decimal(text.replace(",", "")), places)
    plain = unicodedata.normalize("NFKC", text).replace(" ", "").replace("−", "-")
    if refunded := _REFUNDED.fullmatch(plain):
        paid = amount(refunded["paid"], places=places) or Decimal(0)
        return paid - (amount(refunded["back"] or refunded["paid"], places=places) or Decimal(0))
    negative = plain.startswith("(") and plain.endswith(")")
    plain = plain[1:-1] if negative else plain
    signs = _MONEY_SIGN.match(plain)
    negative ^= signs is not None and "-" in (signs["sign"] or "") + (signs["sign2"] or "")
    digits = _MONEY_SIGN.sub("", plain)
    if _DECIMAL_COMMA.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", ".")
    if not _AMOUNT.fullmatch(digits):
        raise BadCell("an amount such as 1,234.50")
    value = _exact(Decimal(digits.replace(",", "")), places)
    return -value if negative else value


_TOO_MUCH, _DUST = Decimal(10) ** 15, Decimal("1e-7")


def _exact(value: Decimal, places: int) -> Decimal:
    """The value with the currency's decimal places. A spreadsheet's binary dust (…0000001) is wiped off, a real third decimal is refused."""
    if abs(value) >= _TOO_MUCH:
        raise BadCell("an amount below 10^15")
    rounded = value.quantize(Decimal(1).scaleb(-places))
    if abs(rounded - value) > _DUST:
        raise BadCell(f"an amount with at most {places} decimal places")
    return rounded


@lru_cache(maxsize=1024)  # a file has few days, and each of its lines asks twice
def day(text: str, *, day_first: bool = False, until: tuple[int, int] | None = None) -> tuple[date, str]:
    """The day at the beginning of the cell, and what stands behind it (a time). Raises `BadCell`.

    `until` is the year and month of a bill whose days are written without a year: a later month is of the year before.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if until and (short := _NO_YEAR.fullmatch(plain)):
        return _checked(until[0] - (int(short["m"]) > until[1]), short), ""
    match = (_DAY_FIRST if day_first else _DAY).match(plain)
    if match is None or (not day_first and not match["sep"] and len(match[0].rstrip("日")) != 8):
        raise BadCell("a day such as 2026-03-02 or 20260302")
    return _checked(int(match["y"]), match), plain[match.end() :].strip(" T")


def _checked(year: int, match: re.Match[str]) -> date:
    try:
        found = date(year, int(match["m"]), int(match["d"]))
    except ValueError as error:
        raise BadCell("a day that the calendar has") from error
    if not 1990 <= found.year <= 2100:
        raise BadCell("a day between 1990 and 2100")
    return found


def clock_time(text: str) -> time | None:
    """The time of day in the cell, or `None` for an empty cell. Raises `BadCell`."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if is_empty(plain):
        return None
    match = _TIME.fullmatch(plain)
    if match is None:
        with suppress(BadCell):  # the day may stand before it
            match = _TIME.fullmatch(day(plain)[1])
    if match is None:
        raise BadCell("a time such as 08:03:25")
    hour, minute, second = (match["h"] or match["h6"], match["m"] or match["m6"], match["s"] or match["s6"] or "0")
    try:
        return time(int(hour), int(minute), int(second))
    except ValueError as error:
        raise BadCell("a time that the clock has") from error


def currency(text: str) -> str | None:
    """The ISO 4217 code, or `None` for an empty cell. Raises `BadCell` for a word that is none."""
    plain = _BLANKS.sub("", unicodedata.normalize("NFKC", text)).upper()
    if is_empty(plain):
        return None
    known = _CURRENCIES.get(plain) or _CURRENCIES.get(re.sub(r"[(（].*", "", plain))
    if known:
        return known
    if re.fullmatch(r"[A-Z]{3}", plain):
        return plain
    raise BadCell("a currency such as 人民币 or CNY")


def direction(text: str) -> Direction:
    """Whether money came in or went out. Raises `BadCell`."""
    found = _DIRECTIONS.get(_BLANKS.sub("", unicodedata.normalize("NFKC", text)).lower())
    if found is None:
        raise BadCell("借 or 贷, 来账 or 往账")
    return found
