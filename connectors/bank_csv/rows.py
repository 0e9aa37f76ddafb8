"""What stands above the header row, and which rows below it book something."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Literal

import msgspec

from hub.sdk import Row
from hub.sdk import cells as read

from .profiles import Header

_NOTE = re.compile(
    r"合\s*计|总\s*计|小\s*计|汇\s*总|总笔数|总金额|以上数据|仅供参考|打印时间|导出时间|下载时间|^total|^subtotal|^end of",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"^(?:查询|本方|我方|客户)?(?:账号|帐号|账户|卡号|账户号|账\(卡\)号|account(?:no\.?|number)?)[::]?(?P<value>.*)$",
    re.IGNORECASE,
)
_CURRENCY = re.compile(r"^(?:币种|货币|currency)[::]?(?P<value>.*)$", re.IGNORECASE)
_PERIOD = re.compile(
    r"(\d{4}[-/.年]?\d{1,2}[-/.月]?\d{1,2})日?(?:\s*\d\d:\d\d(?::\d\d)?)?\s*(?:-|—|–|~|至|到|to)+\s*(\d{4}[-/.年]?\d{1,2}[-/.月]?\d{1,2})日?"
)


_SOMEBODY = ("date", "serial", "party_name", "payer_name", "party_account", "party_glued")


class Preamble(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above the header row."""

    account: str = ""
    currency: str | None = None
    period: tuple[date, date] | None = None


def read_preamble(rows: Sequence[Row]) -> Preamble:
    """Account, currency and period, wherever above the header they stand: in one cell with their name, or in the next."""
    account, currency, period = "", None, None
    for row in rows:
        cells = [_flat(cell) for cell in row.cells]
        for cell, following in zip(cells, [*cells[1:], ""], strict=False):
            if not account and (found := _ACCOUNT.match(cell)):
                value = read.account_number(found["value"] or following)
                account = value if re.search(r"[\dxX*]{4}", value) else ""
            if currency is None and (found := _CURRENCY.match(cell)):
                currency = _currency(found["value"] or following)
        if period is None:
            period = _period(" ".join(cell.strip() for cell in row.cells))
    return Preamble(account=account, currency=currency, period=period)


def _flat(cell: str) -> str:
    """A preamble cell without blanks (banks spread 账　号 with full-width ones) and without its bilingual tail."""
    return re.sub(r"\[[^\]]*\]", "", re.sub(r"\s+", "", unicodedata.normalize("NFKC", cell)))


def _currency(text: str) -> str | None:
    try:
        return read.currency(text)
    except read.BadCell:
        return None


def _period(text: str) -> tuple[date, date] | None:
    if not (found := _PERIOD.search(unicodedata.normalize("NFKC", text))):
        return None
    try:
        first, last = read.day(found[1])[0], read.day(found[2])[0]
    except read.BadCell:
        return None
    return (first, last) if first <= last else None


def booked_rows(rows: Iterable[Row], header: Header) -> Iterator[Row]:
    """The rows below the header that book something or mean to, their cells without padding. Blank rows, repeated headers, totals and disclaimers are left out; a broken row is not."""
    sums: list[Row] = []
    for written in rows:
        row = Row(line=written.line, cells=tuple(map(read.tidy, written.cells)))
        match _kind(row, header):
            case "booked" | "broken" as kind:
                if kind == "booked":  # so what stood before it was no sum at the foot
                    yield from sums
                    sums = []
                yield row
            case "sum":
                sums.append(row)


def _cell(row: Row, header: Header, role: str) -> str:
    for place in header.columns.get(role, ())[:1]:
        return row.cells[place] if place < len(row.cells) else ""
    return ""


def _is_dated(row: Row, header: Header) -> bool:
    try:
        read.day(_cell(row, header, "date"), day_first=header.profile.day_first, until=header.until)
    except read.BadCell:
        return False
    return True


def _kind(row: Row, header: Header) -> Literal["booked", "broken", "sum", "note"]:
    if _is_dated(row, header):
        return "booked"
    written = [cell for cell in row.cells if cell]
    if not written:
        return "note"
    if _NOTE.search(written[0]) or tuple(map(read.header_name, written)) == header.named:
        return "note"
    if not any(_cell(row, header, role) for role in ("debit", "credit", "amount")):
        return "note" if len(written) <= 3 else "broken"
    # Some banks put sums without a word below the last row (ABC): nothing in them says who paid.
    return "broken" if any(_cell(row, header, role) for role in _SOMEBODY) else "sum"
