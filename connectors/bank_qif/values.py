"""Days and amounts as QIF writes them. In which order a day is and which mark stands before decimals is told by the whole file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from hub.sdk import Unreadable, minor_units

# `12/19/2018`, `12/19/18`, `12/19'18`, `1/ 2' 9`, `19.12.2018`, `2018-12-19`.
_DAY = re.compile(r"([0-9]{1,4})\s*[/.-]\s*([0-9]{1,2})\s*(['/.-])\s*([0-9]{1,4})")
_AMOUNT = re.compile(r"([+-]?)([0-9][0-9.,' ]*|[.,][0-9]+)")
_ORDERS = ("mdy", "dmy", "ymd")


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """How a file writes: the order of a day's parts (`mdy`, `dmy`, `ymd`), and the mark before decimals, empty where nothing tells it."""

    order: str
    mark: str


def writing(days: Sequence[str], amounts: Iterable[str], *, order: str, mark: str) -> Writing:
    """What the settings say, else what the file shows. Raises `Unreadable` where days can be read in two ways."""
    return Writing(order=order or _order(days), mark=mark or _mark(amounts))


def day(text: str, order: str) -> date:
    """The day. Raises `Unreadable`."""
    found = _day(text, order)
    if found is None:
        raise Unreadable(
            happened=f"D is not a day that the calendar has, read as {order}" if text else "D is missing: no day is told",
            next="correct it in a copy of the file; if all days are refused, set `dates` to the order they are in",
            rule="day",
            pointer="D",
        )
    return found


def amount(text: str, mark: str, *, currency: str, field: str) -> Decimal:
    """The amount as written. Raises `Unreadable` where it is none, or where it could be two."""
    match = _AMOUNT.fullmatch(text.replace("−", "-")) if len(text) <= 40 else None
    if match is None:
        raise _no_amount(field, f"{field} is not an amount such as -1,234.50" if text else f"{field} is missing")
    sign, digits = match[1], match[2].replace("'", "").replace(" ", "")
    mark = mark or _mark([text])
    marks = re.findall("[.,]", digits)
    if not mark and len(marks) == 1:
        raise _no_amount(
            field,
            f"{field} can be read in two ways, and no other amount of the file tells which",
            "set `decimals` to the mark before them",
        )
    whole, _, decimals = digits.partition(mark) if mark else (digits, "", "")
    if not re.fullmatch(r"[0-9]*|[0-9]{1,3}(?:[.,][0-9]{3})+", whole) or not re.fullmatch("[0-9]*", decimals):
        raise _no_amount(field, f"{field} is not an amount with {mark or 'no'} mark before its decimals")
    places, decimals = minor_units(currency), decimals.rstrip("0")
    whole = re.sub("[.,]", "", whole).lstrip("0") or "0"
    if len(decimals) > places or len(whole) > 15:
        raise _no_amount(field, f"{field} has more digits than an amount in {currency} can have")
    return Decimal(f"{sign}{whole}.{decimals:0<{places}}" if places else f"{sign}{whole}")


# --- inside ------------------------------------------------------------------------------------------------------


def _day(text: str, order: str) -> date | None:
    match = _DAY.fullmatch(text.strip())
    if match is None:
        return None
    first, second, mark, last = match.groups()
    year, month, of_month = {"mdy": (last, first, second), "dmy": (last, second, first), "ymd": (first, second, last)}[order]
    # Two digits of a year in front could be anything, and three or a lone year at the end are none.
    if len(year) == 3 or (order == "ymd") != (len(first) == 4) or len(month) > 2 or len(of_month) > 2:
        return None
    number = int(year)
    if len(year) < 4:
        # Quicken writes an apostrophe before the years from 2000 on; others write two digits, of which 70 is 1970.
        number += 2000 if mark == "'" or number < 70 else 1900
    try:
        return date(number, int(month), int(of_month))
    except ValueError:
        return None


def _order(days: Sequence[str]) -> str:
    """The one order in which the days of the file are days. A day that is none in any order says nothing of the others."""
    read = [found for text in dict.fromkeys(days) if any(found := [_day(text, order) for order in _ORDERS])]
    fits = [order for place, order in enumerate(_ORDERS) if all(found[place] for found in read)]
    if not read:
        return _ORDERS[0]
    if len(fits) == 1 or (fits and all(found[0] == found[1] for found in read)):
        return fits[0]
    example = next((text for text in days if _day(text, "mdy") != _day(text, "dmy")), days[0])
    raise Unreadable(
        happened="the days can be read with the day or the month first" if fits else "the days are not all in one order",
        next="set the connection's setting `dates` to mdy or dmy",
        rule="day order",
        pointer=f"D{example[:20]}",
    )


def _mark(amounts: Iterable[str]) -> str:
    """The mark before decimals, where the amounts show one and no other."""
    shown = set()
    for text in amounts:
        marks = re.findall("[.,]", text[:40])
        if len(set(marks)) == 2:
            shown.add(marks[-1])
        elif len(marks) > 1:
            shown.add("." if marks[0] == "," else ",")
        elif marks and len(text.strip().rpartition(marks[0])[2]) != 3:
            shown.add(marks[0])
    return shown.pop() if len(shown) == 1 else ""


def _no_amount(field: str, happened: str, next_: str = "correct it in a copy of the file") -> Unreadable:
    return Unreadable(happened=happened, next=next_, rule="amount", pointer=field)
