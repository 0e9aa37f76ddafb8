"""One warehouse's stock of one product over time, and how much of it is free to promise from a day on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

ZERO = Decimal(0)


class Projection:
    """Changes by day. `free(t)` is the least that will be there on any day from `t` on, never below zero.

    A promise made today must not break a later commitment: 10 on hand, 8 going out on day 3 and 6 coming in on day 10
    leave 2 to promise today, and 8 only from day 10.
    """

    def __init__(self, today: date, on_hand: Decimal = ZERO) -> None:
        self._today = today
        self._changes: dict[date, Decimal] = {today: on_hand}

    def add(self, day: date, quantity: Decimal) -> None:
        """Let `quantity` arrive (or leave, where negative) on `day`; what is past counts from today."""
        day = max(day, self._today)
        self._changes[day] = self._changes.get(day, ZERO) + quantity

    def days(self) -> Iterable[date]:
        return self._changes

    def projected(self, day: date) -> Decimal:
        return sum((quantity for on, quantity in self._changes.items() if on <= day), ZERO)

    def free(self, day: date) -> Decimal:
        return max(ZERO, min(self.projected(later) for later in (day, *(on for on in self._changes if on > day))))
