"""The sets of items that a receipt may pay, from every source: numbers in the memo, the payer's items, the amount, the terms, sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hub.core.money import to_minor
from hub.core.vocabulary import Receipt
from reconciliation.payments.book import Book, Entry, in_order
from reconciliation.payments.elsewise import payable, readings
from reconciliation.payments.foreign import is_worth
from reconciliation.payments.groups import accidents, exact_sums, small_sums
from reconciliation.payments.numbers import AGAIN, END, STRANGE, Named
from reconciliation.payments.payers import Who
from reconciliation.payments.policy import Policy
from reconciliation.payments.refusals import strength
from reconciliation.payments.shortfalls import dues_of, early, fees, kept_as, less_rate
from reconciliation.payments.values import Refusal

# How an amount stands to the items it is laid on.
WHOLE, PART, PART_FEE, SOME, OVER, OVER_NEAR = "whole", "part", "part_fee", "some", "over", "over_near"
SUM, SUM_PARTS, SUM_FEE, FOREIGN = "sum", "sum_parts", "sum_fee", "foreign"
SUM_LESS, PART_LESS = "sum_less", "part_less"
_FREQUENT = 8
_HOPELESS = 30.0  # so many accidental sums that finding one says nothing


class Option(NamedTuple):
    """Orders with what each would get, how the amount stands to them, and what is kept back of the last.

    `named` tells a group that the memo names from one that only adds up; `chance` is how many such sums are accidents,
    and `pool` from how many items it was chosen.
    """

    entries: tuple[Entry, ...]
    amounts: tuple[int, ...]
    stands: str
    kept: int = 0
    named: bool = False
    chance: float = 0.0
    pool: int = 1
    rivals: int = 0
    label: str = ""

    @property
    def takes(self) -> tuple[int, ...]:
        """What is open less of each afterwards: what it gets, and what is kept back of it."""
        return (*self.amounts[:-1], self.amounts[-1] + max(self.kept, 0))

    @property
    def key(self) -> tuple[tuple[str, int], ...]:
        return tuple(sorted((entry.key, amount) for entry, amount in zip(self.entries, self.amounts, strict=True)))


class Reading(NamedTuple):
    """A receipt as the desk understands it."""

    receipt: Receipt
    minor: int
    named: tuple[Named, ...]
    who: Who
    words: frozenset[str]
    refusals: tuple[Refusal, ...] = ()

    def refused(self, option: Option) -> float:
        """How much of what was refused to this payer is in the option: nothing, some of it while it fades, or all."""
        return max(
            (
                strength(one, self.receipt.booked_on)
                for one in self.refusals
                for entry in option.entries
                if entry.customer == one.customer and (one.is_lasting or entry.order in one.orders)
            ),
            default=0.0,
        )

    def entries_named(self, book: Book, currency: str | None = None) -> tuple[Entry, ...]:
        """The open items that the memo names, in one currency or in any."""
        found = {entry.key: entry for one in self.named for number in one.numbers for entry in book.named(number)}
        return in_order(entry for entry in found.values() if currency in (None, entry.currency))


def options(reading: Reading, book: Book, policy: Policy) -> list[Option]:
    """All that a receipt may pay, in a fixed order; one set may be there once for each way in which its amount can be read."""
    found = {(option.key, option.stands, option.named): option for option in _all(reading, book, policy)}
    return [found[key] for key in sorted(found) if key[2] or (*key[:2], True) not in found]


def _all(reading: Reading, book: Book, policy: Policy) -> Iterator[Option]:
    currency, minor = reading.receipt.currency, reading.minor
    named = [entry for entry in reading.entries_named(book, currency) if not entry.is_credit]
    yield from _named_groups(reading, book, policy)
    for entry in named:
        yield from _single(entry, reading, policy, any_amount=True)
    yield from _foreign(reading, book, policy)
    is_told = any(entry.open == minor for entry in named)
    for suspect in reading.who.suspects[:4]:
        own = in_order(entry for entry in book.by_customer.get(suspect.customer, {}).values() if entry.currency == currency)
        for entry in own:
            yield from _single(entry, reading, policy, any_amount=False)
        if suspect.probability >= 0.2 and not is_told:
            yield from _sums(own, minor, policy)
            yield from _set_off(own, book.credits.get(suspect.customer, {}).values(), minor, named)
    exact = book.by_amount.get((currency, minor), {})
    if len(exact) <= _FREQUENT:
        for entry in exact.values():
            yield from _single(entry, reading, policy, any_amount=False)


def _foreign(reading: Reading, book: Book, policy: Policy) -> Iterator[Option]:
    """An order in another currency that the amount is worth: one that the memo names, or one of the likely customer's."""
    currency = reading.receipt.currency
    named = {entry.key: entry for entry in reading.entries_named(book)}
    likely = [suspect.customer for suspect in reading.who.suspects[:1] if suspect.probability >= 0.5]
    own = {} if named else {key: entry for each in likely for key, entry in book.by_customer.get(each, {}).items()}
    for entry in in_order((named | own).values()):
        other = entry.currency != currency and not entry.is_credit
        if other and is_worth(entry, reading.minor, currency, policy, is_named=entry.key in named):
            yield Option((entry,), (entry.open,), FOREIGN)


def _single(entry: Entry, reading: Reading, policy: Policy, *, any_amount: bool) -> Iterator[Option]:
    """One item, where the amount is its own, one of its terms', or short of it by what a bank or a payer keeps."""
    minor = reading.minor
    if entry.open == minor:
        yield Option((entry,), (minor,), WHOLE)
        return
    for part, place, label in entry.parts:
        if part == minor:
            yield Option((entry,), (minor,), PART, rivals=place, label=label)
            return
    if entry.parts and entry.parts[0][1] == 0 and entry.parts[0][0] - minor in fees(entry.currency, policy):
        yield Option((entry,), (minor,), PART_FEE, kept=entry.parts[0][0] - minor, label=entry.parts[0][2])
    elif entry.parts and entry.parts[0][0] > minor and (less := less_rate(entry.parts[0][0], minor, entry.currency)):
        yield Option((entry,), (minor,), PART_LESS, kept=less, label=entry.parts[0][2])
    short = entry.open - minor
    if short > 0 and (
        kind := early(entry, minor, reading.receipt.booked_on) or kept_as(entry.open, minor, entry.currency, policy)
    ):
        yield Option((entry,), (minor,), kind, kept=short)
    elif any_amount:
        yield Option((entry,), (min(minor, entry.open),), SOME if short > 0 else OVER, kept=min(0, short))
    elif 0 < -short <= to_minor(policy.largest_fee, entry.currency) and -short * 100 <= entry.open:
        yield Option((entry,), (entry.open,), OVER_NEAR, kept=short)


def _named_groups(reading: Reading, book: Book, policy: Policy) -> Iterator[Option]:
    """Several orders that the memo names."""
    strong = [one for one in reading.named if one.level not in (STRANGE, AGAIN, END) or len(one.numbers) == 1]
    entries = in_order(
        {
            entry.key: entry
            for one in strong
            for number in one.numbers
            for entry in book.named(number)
            if entry.currency == reading.receipt.currency
        }.values()
    )
    if len(entries) < 2 or len(entries) > 40:
        return
    yield from _laid_on(entries, reading.minor, policy, orders=len({entry.order for entry in entries}))


def _laid_on(entries: Sequence[Entry], minor: int, policy: Policy, *, orders: int) -> Iterator[Option]:
    total = sum(entry.open for entry in entries)
    if total == minor:
        yield Option(tuple(entries), tuple(entry.open for entry in entries), SUM, named=True)
        return
    mixed = readings([payable(entry) for entry in entries], minor, most=len(entries), stop=3) if len(entries) <= 14 else []
    for each in mixed:
        if len(each) > 1 and any(value < entries[place].open for place, value in each.items()):
            yield _picked(entries, sorted(each.items()), SUM_PARTS)._replace(named=True, rivals=len(mixed) - 1)
    if total > minor and (kept_as(total, minor, entries[0].currency, policy)):
        amounts = [entry.open for entry in entries]
        amounts[-1] -= total - minor
        if amounts[-1] > 0:
            yield Option(tuple(entries), tuple(amounts), SUM_FEE, kept=total - minor, named=True)
    if orders > 1:
        for chosen in exact_sums([entry.open for entry in entries], minor, effort=policy.group_effort).found:
            yield _picked(entries, chosen, SUM)._replace(named=True, rivals=1)
    if owed := [entry for entry in entries if not entry.is_credit]:
        yield _filled(owed, minor)


def _filled(entries: Sequence[Entry], minor: int) -> Option:
    """The amount laid on the items as they fall due, until it is used up."""
    used, amounts, left = [], [], minor
    for entry in entries:
        if left <= 0:
            break
        used.append(entry)
        amounts.append(min(left, entry.open))
        left -= amounts[-1]
    return Option(tuple(used), tuple(amounts), OVER if left > 0 else SOME, kept=-left, named=True)


def _sums(own: Sequence[Entry], minor: int, policy: Policy) -> Iterator[Option]:
    """Groups of one customer's items whose only evidence is that they add up: exactly, with first instalments, or less a fee."""
    fitting = [entry for entry in own if entry.open < minor or any(part < minor for part, _, _ in entry.parts[:1])]
    if len(fitting) < 2:
        return
    result = exact_sums([entry.open for entry in fitting], minor, most=policy.group_size, effort=policy.group_effort)
    for chosen in result.found:
        rivals = len(result.found) - 1 + (0 if result.complete else 1)
        yield _picked(fitting, chosen, SUM)._replace(
            chance=accidents(len(fitting), len(chosen), minor), rivals=rivals, pool=len(fitting)
        )
    if accidents(len(fitting), 3, minor) < _HOPELESS:
        yield from _sums_of_parts(fitting, minor, policy)
        yield from _sums_less_fee(fitting, minor, policy)
        yield from _sums_less_rate(fitting, minor)


def _set_off(own: Sequence[Entry], credits: Iterable[Entry], minor: int, named: Sequence[Entry]) -> Iterator[Option]:
    """One or two of a customer's orders, or those that the memo names, less one credit of the same customer."""
    told = {entry.key for entry in named}
    for credit in in_order(credits)[:_FREQUENT]:
        if own and credit.currency == own[0].currency:
            target = minor - credit.open
            sets: list[tuple[tuple[int, int], ...]] = [
                ((place, entry.open),) for place, entry in enumerate(own) if entry.open == target
            ]
            sets += small_sums([(entry.open,) for entry in own], target)
            sets += [tuple((place, entry.open) for place, entry in enumerate(own) if entry.key in told)]
            for chosen in dict.fromkeys(sets):
                if chosen and sum(value for _, value in chosen) == target:
                    option = _picked(own, chosen, SUM)
                    by_accident = accidents(len(own) + 1, len(chosen) + 1, minor)
                    yield option._replace(
                        entries=(credit, *option.entries),
                        amounts=(credit.open, *option.amounts),
                        chance=by_accident,
                        pool=len(own),
                        rivals=1,
                    )


def _sums_of_parts(fitting: Sequence[Entry], minor: int, policy: Policy) -> Iterator[Option]:
    """Groups in which at least one item is only paid its next instalment."""
    if not any(entry.parts for entry in fitting):
        return
    either = [(*(part for part, _, _ in entry.parts[:1]), entry.open) for entry in fitting]
    for chosen in small_sums(either, minor):
        if any(value < fitting[place].open for place, value in chosen):
            yield _picked(fitting, chosen, SUM_PARTS)._replace(
                chance=accidents(2 * len(fitting), len(chosen), minor), pool=len(fitting)
            )


def _sums_less_fee(fitting: Sequence[Entry], minor: int, policy: Policy) -> Iterator[Option]:
    """Groups whose sum is a usual fee more than the amount."""
    kept = fees(fitting[0].currency, policy)
    wholes = [(entry.open,) for entry in fitting]
    for chosen in small_sums(wholes, minor + 1, above=kept[-1] - 1, stop=8) if kept else ():
        short = sum(value for _, value in chosen) - minor
        option = _picked(fitting, chosen, SUM_FEE)
        amounts = (*option.amounts[:-1], option.amounts[-1] - short)
        if short in kept and amounts[-1] > 0:
            yield option._replace(
                amounts=amounts, kept=short, chance=len(kept) * accidents(len(fitting), len(chosen), minor), pool=len(fitting)
            )


def _sums_less_rate(fitting: Sequence[Entry], minor: int) -> Iterator[Option]:
    """Two orders whose sum is a usual discount, or tax withheld, more than the amount."""
    wholes = [(entry.open,) for entry in fitting]
    for due, slack in dues_of(minor, fitting[0].currency):
        for chosen in small_sums(wholes, due, above=slack, most=2, stop=4):
            short = sum(value for _, value in chosen) - minor
            option = _picked(fitting, chosen, SUM_LESS)
            amounts = (*option.amounts[:-1], option.amounts[-1] - short)
            if amounts[-1] > 0 and less_rate(short + minor, minor, fitting[0].currency):
                by_accident = 12 * accidents(len(fitting), 2, minor)
                yield option._replace(amounts=amounts, kept=short, chance=by_accident, pool=len(fitting))


def _picked(entries: Sequence[Entry], chosen: Iterable[tuple[int, int]], stands: str) -> Option:
    """The chosen items in the order in which they fall due, with what each gets."""
    values = {entries[place].key: value for place, value in chosen}
    picked = in_order(entry for entry in entries if entry.key in values)
    return Option(picked, tuple(values[entry.key] for entry in picked), stands)
