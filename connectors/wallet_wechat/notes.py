"""What stands above the columns of a person's bill."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from hub.sdk import Row, cells

_PERIOD = re.compile(r"起始时间[:：]\s*\[([^\]]+)\]\s*终止时间[:：]\s*\[([^\]]+)\]")


def period_above(rows: Sequence[Row]) -> tuple[date, date] | None:
    """The days that the bill covers, where it says so."""
    found = _PERIOD.search(" ".join(" ".join(row.cells) for row in rows))
    if found:
        with suppress(cells.BadCell):
            return cells.day(found[1])[0], cells.day(found[2])[0]
    return None
