"""Where a table begins: its header row, and the names of its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.sdk import Row, Unreadable

HEADER_WITHIN = 40
_VALUE = re.compile(r"[-+¥$€£(]?[\d.,:/\-年月日%\s]+\)?(?:E[+-]?\d+)?")
_TOTAL = re.compile(r"(?:合|总|小)\s*计|total\b|subtotal\b", re.IGNORECASE)


def header_place(rows: Sequence[Row], line: int = 0) -> int | None:
    """The header row's place: the given line, else the first row of the first 40 that is nearly as wide as the widest and holds only words."""
    if line:
        return next((place for place, row in enumerate(rows) if row.line == line), None)
    head = rows[:HEADER_WITHIN]
    widest = max((_filled(row) for row in head), default=0)
    if widest < 2:
        return None
    return next((place for place, row in enumerate(head) if _filled(row) * 5 >= widest * 3 and _only_words(row)), None)


def _filled(row: Row) -> int:
    return sum(1 for cell in row.cells if cell.strip())


def _only_words(row: Row) -> bool:
    written = [cell.strip() for cell in row.cells if cell.strip()]
    return len(written) >= 2 and len(set(written)) == len(written) and not any(_VALUE.fullmatch(cell) for cell in written)


def column_names(row: Row) -> tuple[str, ...]:
    """The columns' names as written, without padding. An empty one is numbered by its place, a repeated one by its turn."""
    seen: dict[str, int] = {}
    names = []
    for place, cell in enumerate(row.cells, 1):
        name = " ".join(cell.split()) or f"column {place}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(names)


def is_total(row: Row) -> bool:
    """A sum below a table: it begins with the word, and most of it is empty."""
    written = [cell.strip() for cell in row.cells if cell.strip()]
    return bool(written) and _TOTAL.match(written[0]) is not None and len(written) * 2 <= max(len(row.cells), 2)


def check_columns(names: Sequence[str], wanted: Sequence[str], line: int) -> None:
    """Raise `Unreadable` where a key column is not there: every row would get a name that changes."""
    missing = [name for name in wanted if name not in names]
    if missing:
        raise Unreadable(
            happened="the table lacks the column " + ", ".join(missing),
            next="correct the connection's setting key_columns, or the file",
            rule="key column",
            pointer=f"line {line}",
            columns=" · ".join(names)[:300],
        )
