"""What each instalment gets of the money that is given to an order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from hub.core.money import from_minor
from hub.core.vocabulary import ShareOf
from reconciliation.payments.book import Entry
from reconciliation.payments.candidates import PART_FEE, PART_LESS, SUM_FEE, SUM_LESS, Option
from reconciliation.payments.shortfalls import DISCOUNT, EARLY, FEE, ODD, ROUNDING

_BOOKED = {
    FEE: "bank_fee",
    SUM_FEE: "bank_fee",
    PART_FEE: "bank_fee",
    SUM_LESS: "discount",
    PART_LESS: "discount",
    ROUNDING: "rounding",
    EARLY: "discount",
    DISCOUNT: "discount",
    ODD: "difference",
}


class Laying:
    """Lays receipts on instalments one after the other: what one was given, the next one does not find open."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def shares(self, option: Option) -> tuple[ShareOf, ...]:
        """What each receivable gets, and the difference with which it is settled."""
        result: list[ShareOf] = []
        for entry, amount, takes in zip(option.entries, option.amounts, option.takes, strict=True):
            for place, given, short in self._laid(entry, takes, takes - amount):
                item = entry.items[place]
                self._given[item.receivable] = self._given.get(item.receivable, 0) + given + short
                result.append(
                    ShareOf(
                        receivable=item.receivable,
                        order=item.order,
                        amount=from_minor(given, entry.currency),
                        difference=from_minor(short, entry.currency),
                        booked_as=_BOOKED.get(option.stands) if short else None,
                    )
                )
        return tuple(result)

    def _laid(self, entry: Entry, takes: int, short: int) -> Iterator[tuple[int, int, int]]:
        """Place, amount and shortfall of each instalment that gets some. The last ones are paid short, none is paid nothing."""
        if entry.is_credit:  # it is used up by what it is, and nothing is kept back of it
            yield 0, takes, 0
            return
        chosen = self._chosen(entry, takes)
        shorts = [0] * len(chosen)
        for at in range(len(chosen) - 1, -1, -1):
            shorts[at] = min(short - sum(shorts), chosen[at][1] - 1)
        for (place, given), less in zip(chosen, shorts, strict=True):
            yield place, given - less, less

    def _chosen(self, entry: Entry, takes: int) -> list[tuple[int, int]]:
        """The later instalment that this amount is, where it is not what the next ones come to; else from the next one on."""
        rooms = [
            (place, minor - self._given.get(item.receivable, 0))
            for place, (item, minor) in enumerate(zip(entry.items, entry.opens, strict=True))
        ]
        rooms = [(place, room) for place, room in rooms if room > 0]
        if takes not in accumulate(room for _, room in rooms):
            for place, room in rooms:
                if room == takes:
                    return [(place, room)]
        chosen, left = [], takes
        for place, room in rooms:
            if left > 0:
                chosen.append((place, min(left, room)))
                left -= chosen[-1][1]
        return chosen
