"""What changed since last time, in pages that can be interrupted anywhere.

Tryton has no webhook. `write_date` is null until the first change, so the stamp of a record is its `write_date` or else
its `create_date`; both are those of the transaction's start, and a transaction becomes visible when it ends. So a pull
begins a while before the last stamp it saw, and ends a little before now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from hub.sdk import Cursor

from . import wire
from .client import Client, Row


class Head(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """When a record was last changed, and which. They sort in the order in which they are told."""

    stamp: datetime
    id: int


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """How long before the last stamp a pull begins, and how long before now it ends."""

    overlap: timedelta
    until: datetime


def changed(client: Client, model: str, cursor: Cursor | None, window: Window, *, of: str = "id") -> list[Head]:
    """The last change of each record after the cursor, oldest first; `of` groups by another field (a move's product)."""
    since, after = _begin(cursor, window)
    latest: dict[int, datetime] = {}
    fields = sorted({"write_date", "create_date", of} - {"id"})
    # What was put out of use has changed too, and Tryton leaves it out of searches unless it is asked for.
    for row in client.rows(model, _domain(since, window.until), fields, context={"active_test": False}):
        stamp, number = stamp_of(row), row.get(of)
        if stamp is None or not isinstance(number, int):
            continue
        latest[number] = max(stamp, latest.get(number, stamp))
    heads = sorted(Head(stamp=stamp, id=number) for number, stamp in latest.items())
    return [head for head in heads if after is None or head > after]


def pages(
    heads: Sequence[Head], size: int, cursor: Cursor | None, window: Window
) -> Iterator[tuple[Sequence[Head], Cursor, bool]]:
    """Heads in pages with the cursor after each.

    In the middle of a run the cursor is exactly a head, so that nothing is told twice. After the last page it is a time
    alone, and the next run overlaps it: the last stamp, or the end of this run less the overlap where that is later, so
    that a quiet stream is not read again and again from its last busy day.
    """
    for at in range(0, len(heads) or 1, size):
        page = heads[at : at + size]
        complete = at + size >= len(heads)
        if complete:
            seen = [
                window.until - window.overlap,
                *(head.stamp for head in page),
                *([datetime.fromisoformat(cursor.at)] if cursor else ()),
            ]
            yield page, Cursor(at=max(seen).isoformat()), True
        else:
            yield page, Cursor(at=page[-1].stamp.isoformat(), tie=str(page[-1].id)), False


def stamp_of(row: Row) -> datetime | None:
    """`write_date`, or `create_date` where nothing was changed yet."""
    stamp = wire.values(row.get("write_date")) or wire.values(row.get("create_date"))
    return stamp if isinstance(stamp, datetime) else None


def _begin(cursor: Cursor | None, window: Window) -> tuple[datetime | None, Head | None]:
    if cursor is None:
        return None, None
    at = datetime.fromisoformat(cursor.at)
    if cursor.tie.isdigit():
        return at, Head(stamp=at, id=int(cursor.tie))
    return at - window.overlap, None


def _domain(since: datetime | None, until: datetime) -> list[object]:
    def between(field: str) -> list[object]:
        lower: list[object] = [] if since is None else [[field, ">=", since]]
        return [*lower, [field, "<=", until]]

    return [["OR", between("write_date"), [["write_date", "=", None], *between("create_date")]]]
