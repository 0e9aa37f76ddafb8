"""What the running balances of an account's lines say, added up line by line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.core.money import minor_units
from hub.statements.values import Movement


class Balances:
    """Sums, period, opening and closing balance, and whether every line leads from one balance to the next.

    A file runs oldest first or newest first, as its days tell; all on one day, as its times tell or else whichever way has
    fewer breaks. `balanced` is none where a balance is missing, so that there is nothing to go by.
    """

    def __init__(self) -> None:
        self.first: Movement | None = None
        self.last: Movement | None = None
        self.from_day: date | None = None
        self.to_day: date | None = None
        self.credits = self.debits = Decimal(0)
        self._missing = False
        self._breaks_forwards = self._breaks_backwards = 0

    def add(self, line: Movement) -> None:
        before = self.last
        if before is None:
            self.first = line
            self.credits = self.debits = Decimal(0).scaleb(-minor_units(line.currency))
            self.from_day = self.to_day = line.booked_on
        else:
            self._step(before, line)
        self.last = line
        self._missing |= line.balance is None
        self.from_day, self.to_day = (
            min(self.from_day or line.booked_on, line.booked_on),
            max(self.to_day or line.booked_on, line.booked_on),
        )
        self.credits += max(line.amount, Decimal(0))
        self.debits -= min(line.amount, Decimal(0))

    def _step(self, before: Movement, line: Movement) -> None:
        if before.balance is None or line.balance is None:
            return
        self._breaks_forwards += line.balance != before.balance + line.amount
        self._breaks_backwards += before.balance != line.balance + before.amount

    @property
    def balanced(self) -> bool | None:
        if self.first is None or self._missing:
            return None
        return (self._breaks_backwards if self._closes_first else self._breaks_forwards) == 0

    @property
    def opening(self) -> Decimal | None:
        oldest = self.last if self._closes_first else self.first
        return oldest.balance - oldest.amount if oldest and oldest.balance is not None and not self._missing else None

    @property
    def closing(self) -> Decimal | None:
        newest = self.first if self._closes_first else self.last
        return newest.balance if newest and not self._missing else None

    @property
    def _closes_first(self) -> bool:
        """Whether the first line holds the closing balance."""
        if self.first is None or self.last is None:
            return False
        if self.first.booked_on != self.last.booked_on:
            return self.first.booked_on > self.last.booked_on
        return not self._missing and self._breaks_backwards < self._breaks_forwards

    @property
    def runs_backwards(self) -> bool:
        """Whether the file tells the newest line first."""
        first, last = self.first, self.last
        if first and last and first.booked_on == last.booked_on and first.at and last.at and first.at != last.at:
            return first.at > last.at
        return self._closes_first
