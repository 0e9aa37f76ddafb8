"""What stands around the table of a bill: whose it is, which days it covers, what it adds up to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal

import msgspec

from hub.sdk import Row, cells

_ACCOUNT = re.compile(r"(?:账号|支付宝账户)[:：]\s*\[?([^\s,\]]+)")
_PERIOD = re.compile(r"起始(?:日期|时间)[:：]\s*\[([^\]]+)\]\s*终止(?:日期|时间)[:：]\s*\[([^\]]+)\]")
_TOTAL = re.compile(r"#?\s*(支出|收入)合计[:：]\s*(\d+)笔[,，]\s*共(-?[\d.,]+)元")
_OWNER = re.compile(r"2088\d{12}")


class Above(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above the columns."""

    account: str = ""
    period: tuple[date, date] | None = None


def read_above(rows: Sequence[Row]) -> Above:
    """Whose bill it is and which days it covers. Behind a merchant's number of 16 digits stand four that are not its own."""
    text = " ".join(" ".join(row.cells) for row in rows)
    account, period = _ACCOUNT.search(text), _PERIOD.search(text)
    named = account[1] if account else ""
    owner = _OWNER.match(named)
    return Above(account=owner[0] if owner else named, period=_days(period) if period else None)


def _days(found: re.Match[str]) -> tuple[date, date] | None:
    with suppress(cells.BadCell):
        return cells.day(found[1])[0], cells.day(found[2])[0]
    return None


def totals(text: str) -> Iterator[tuple[str, Decimal]]:
    """The counts and sums that a note below the columns tells, unsigned."""
    for way, count, amount in _TOTAL.findall(text):
        yield f"{way}笔数", Decimal(count)
        with suppress(cells.BadCell):
            yield f"{way}合计", abs(cells.amount(amount, places=2) or Decimal(0))
