"""Whether one statement of an account goes on where the one before it ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

_NUMBER = re.compile(r"\s*(\d{1,18})(?:\s*/\s*(\d{1,18}))?\s*")


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared of a statement. Balances are of one currency; `number` is as the bank wrote it, `12` or `12/1`."""

    number: str = ""
    from_day: date | None = None
    to_day: date | None = None
    opening: Decimal | int | None = None
    closing: Decimal | int | None = None


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not go on: a `balance` that differs, a `number` or a `period` that was skipped, or days told twice."""

    kind: Literal["balance", "number", "period", "overlap"]
    says: str


def continuity(previous: Span, this: Span) -> tuple[Break, ...]:
    """What does not go on from `previous` to `this`; empty where all does, or where nothing is told to go by.

    Days without a statement are a skipped period only where neither numbers nor balances show that nothing is missing.
    """
    return (*_balance(previous, this), *_number(previous, this), *_period(previous, this))


def _balance(previous: Span, this: Span) -> Iterator[Break]:
    if previous.closing is not None and this.opening is not None and previous.closing != this.opening:
        yield Break(kind="balance", says="it does not open with the balance that the statement before it closed with")


def _number(previous: Span, this: Span) -> Iterator[Break]:
    before, now = _read(previous.number), _read(this.number)
    if before is None or now is None or _begins_anew(previous, this, now):
        return
    if now[0] == before[0] and now[1] > before[1] + 1 > 1:
        yield Break(kind="number", says=f"of number {now[0]} the parts between {before[1]} and {now[1]} are missing")
    elif now[0] == before[0] + 2:
        yield Break(kind="number", says=f"number {before[0] + 1} is missing")
    elif now[0] > before[0] + 2:
        yield Break(kind="number", says=f"numbers {before[0] + 1} to {now[0] - 1} are missing")
    elif now[0] < before[0] or now == before:
        yield Break(kind="number", says=f"its number {this.number} does not follow {previous.number}")


def _period(previous: Span, this: Span) -> Iterator[Break]:
    if previous.to_day is None or this.from_day is None:
        return
    if this.from_day < previous.to_day:
        yield Break(kind="overlap", says=f"it begins on {this.from_day}, and the statement before it ends on {previous.to_day}")
    elif not _vouched(previous, this) and _has_weekday(previous.to_day, this.from_day):
        yield Break(kind="period", says=f"no statement tells the days between {previous.to_day} and {this.from_day}")


def _vouched(previous: Span, this: Span) -> bool:
    """Whether numbers or balances tell by themselves if something is missing."""
    numbered = _read(previous.number) is not None and _read(this.number) is not None
    return numbered or (previous.closing is not None and this.opening is not None)


def _has_weekday(after: date, before: date) -> bool:
    days = min((before - after).days - 1, 3)  # among three days in a row one is no weekend
    return any((after + timedelta(days=1 + day)).weekday() < 5 for day in range(days))


def _begins_anew(previous: Span, this: Span, now: tuple[int, int]) -> bool:
    """Banks count from the beginning every year."""
    if previous.to_day is None or this.to_day is None:
        return False
    return this.to_day.year > previous.to_day.year and now[0] <= 1


def _read(number: str) -> tuple[int, int] | None:
    found = _NUMBER.fullmatch(number)
    return (int(found[1]), int(found[2] or 0)) if found else None
