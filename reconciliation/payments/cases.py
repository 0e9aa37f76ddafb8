"""A proposal with all that the rules of the lanes look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from reconciliation.payments.book import Book, Entry
from reconciliation.payments.candidates import Option, Reading
from reconciliation.payments.elsewise import fits_otherwise, payable
from reconciliation.payments.numbers import BARE, EXACT, SLIP
from reconciliation.payments.payers import Suspect
from reconciliation.payments.policy import Policy


class Case(NamedTuple):
    """Everything that the rules look at."""

    reading: Reading
    option: Option
    probability: float
    second: float
    book: Book
    policy: Policy
    taken: frozenset[str] = frozenset()  # orders that another receipt is for

    @property
    def customer(self) -> str:
        return self.option.entries[0].customer

    @property
    def suspect(self) -> Suspect | None:
        return self.reading.who.of(self.customer)

    @property
    def is_firm(self) -> bool:
        """Whether the payer is who the item's customer is, by name or by memory."""
        suspect = self.suspect
        if suspect is None:
            return False
        if self.reading.who.is_person:
            return suspect.times >= self.policy.person_times and suspect.probability >= 0.9
        return suspect.is_firm

    def names(self, *levels: str) -> bool:
        """Whether the memo names every item of the option, on one of these rungs and without a doubt which."""
        hits = [one for one in self.reading.named if one.level in levels]
        return all(
            any(
                any(number in entry.numbers for number in one.numbers)
                and len({e.order for n in one.numbers for e in self.book.named(n)}) == 1
                for one in hits
            )
            for entry in self.option.entries
        )

    @property
    def names_other(self) -> bool:
        """Whether the memo names something that is not in the option."""
        return any(
            one.level in (EXACT, BARE, SLIP)
            and not any(number in entry.numbers for entry in self.option.entries for number in one.numbers)
            for one in self.reading.named
        )

    @property
    def is_named(self) -> bool:
        """Whether the memo names every item of the option, in full."""
        return self.names(EXACT, BARE)

    @property
    def own(self) -> list[Entry]:
        """This customer's orders that no other receipt pays."""
        currency, mine = self.reading.receipt.currency, {entry.key for entry in self.option.entries}
        found = self.book.by_customer.get(self.customer, {}).values()
        return [entry for entry in found if entry.currency == currency and (entry.key not in self.taken or entry.key in mine)]

    def fits_otherwise(self, size: int, worth: Callable[[Entry], tuple[int, ...]] = payable) -> bool:
        """Whether up to so many of this customer's orders come to the amount in another way; for one order, several of them."""
        least = min(len(self.option.entries), 2)
        return fits_otherwise(self.own, self.reading.minor, self.option.key, least=3 - least, size=size, worth=worth)

    def others(self, index: dict[tuple[str, int], dict[str, Entry]]) -> list[Entry]:
        """This customer's other orders for which the index has the receipt's amount, and that no other receipt pays."""
        found = index.get((self.reading.receipt.currency, self.reading.minor), {}).values()
        mine = {entry.key for entry in self.option.entries}
        return [
            entry for entry in found if entry.customer == self.customer and entry.key not in self.taken and entry.key not in mine
        ]
