"""The sets of items that a receipt may pay, from every source: numbers in the memo, the payer's items, the amount, the terms, sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hub.core.money import to_minor
from hub.core.vocabulary import Receipt
from reconciliation.payments.book import Book, Entry, in_order
from reconciliation.payments.groups import accidents, sums
from reconciliation.payments.numbers import AGAIN, END, STRANGE, Named
from reconciliation.payments.payers import Who
from reconciliation.payments.policy import Policy

# How an amount stands to the items it is laid on.
WHOLE, PART, FEE, ROUNDING, SOME, OVER, SUM, SUM_PARTS, SUM_FEE = "whole", "part", "fee", "rounding", "some", "over", "sum", "sum_parts", "sum_fee"
_FREQUENT = 40


class Option(NamedTuple):
    """Items with what each would get, how the amount stands to them, and what is kept back of the receivable.

    `named` tells a group that the memo names from one that only adds up; `chance` is how many such sums are accidents.
    """

    entries: tuple[Entry, ...]
    amounts: tuple[int, ...]
    stands: str
    kept: int = 0
    named: bool = False
    chance: float = 0.0
    rivals: int = 0
    label: str = ""

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

    def entries_named(self, book: Book) -> tuple[Entry, ...]:
        return in_order({entry.key: entry for one in self.named for number in one.numbers for entry in book.named(number)}.values())


def options(reading: Reading, book: Book, policy: Policy) -> list[Option]:
    """All that a receipt may pay, each set once, in a fixed order."""
    found: dict[tuple[tuple[str, int], ...], Option] = {}
    for option in _all(reading, book, policy):
        found.setdefault(option.key, option)
    return [found[key] for key in sorted(found)]


def _all(reading: Reading, book: Book, policy: Policy) -> Iterator[Option]:
    currency, minor = reading.receipt.currency, reading.minor
    named = reading.entries_named(book)
    yield from _named_groups(reading, book, policy)
    for entry in named:
        yield from _single(entry, minor, policy, any_amount=True)
    for suspect in reading.who.suspects[:4]:
        own = in_order(entry for entry in book.by_customer.get(suspect.customer, {}).values() if entry.currency == currency)
        for entry in own:
            yield from _single(entry, minor, policy, any_amount=False)
        if suspect.probability >= 0.2:
            yield from _sums(own, minor, policy)
    exact = book.by_amount.get((currency, minor), {})
    if len(exact) <= _FREQUENT:
        for entry in exact.values():
            yield from _single(entry, minor, policy, any_amount=False)


def _single(entry: Entry, minor: int, policy: Policy, *, any_amount: bool) -> Iterator[Option]:
    """One item, where the amount is its own, one of its terms', or short of it by what a bank or a payer keeps."""
    if entry.open == minor:
        yield Option((entry,), (minor,), WHOLE)
        return
    for part, place, label in entry.parts:
        if part == minor:
            yield Option((entry,), (minor,), PART, rivals=place, label=label)
            return
    short = entry.open - minor
    if short > 0 and (kind := kept_as(entry.open, minor, entry.currency, policy)):
        yield Option((entry,), (minor,), kind, kept=short)
    elif any_amount:
        yield Option((entry,), (min(minor, entry.open),), SOME if short > 0 else OVER, kept=min(0, short))


def kept_as(due: int, minor: int, currency: str, policy: Policy) -> str | None:
    """What a small shortfall is: rounded off by the payer, or kept by the bank; none where it is neither."""
    short = due - minor
    unit = 10 ** _places(currency)
    for whole in (unit, 10 * unit):
        if short < whole and minor % whole == 0 and due % whole != 0 and short * 200 <= due:
            return ROUNDING
    within = short <= to_minor(policy.largest_fee, currency) and short <= due * policy.largest_fee_part
    return FEE if within else None


def _places(currency: str) -> int:
    from hub.core.money import minor_units  # noqa: PLC0415

    return minor_units(currency)


def _named_groups(reading: Reading, book: Book, policy: Policy) -> Iterator[Option]:
    """Several items that the memo names, and the instalments of one order that it names."""
    strong = [one for one in reading.named if one.level not in (STRANGE, AGAIN, END) or len(one.numbers) == 1]
    entries = in_order(
        {entry.key: entry for one in strong for number in one.numbers for entry in book.named(number) if entry.currency == reading.receipt.currency}.values()
    )
    if len(entries) < 2 or len(entries) > 40:
        return
    yield from _laid_on(entries, reading.minor, policy, orders=len({entry.order for entry in entries}))


def _laid_on(entries: Sequence[Entry], minor: int, policy: Policy, *, orders: int) -> Iterator[Option]:
    total = sum(entry.open for entry in entries)
    if total == minor:
        yield Option(tuple(entries), tuple(entry.open for entry in entries), SUM, named=True)
        return
    parts = [entry.parts[0][0] if entry.parts else entry.open for entry in entries]
    if sum(parts) == minor:
        yield Option(tuple(entries), tuple(parts), SUM_PARTS, named=True)
    if total > minor and (kept_as(total, minor, entries[0].currency, policy)):
        amounts = [entry.open for entry in entries]
        amounts[-1] -= total - minor
        if amounts[-1] > 0:
            yield Option(tuple(entries), tuple(amounts), SUM_FEE, kept=total - minor, named=True)
    if orders > 1:
        for chosen in sums([entry.open for entry in entries], minor, effort=policy.group_effort).found:
            picked = tuple(entries[place] for place in sorted(chosen))
            yield Option(picked, tuple(entry.open for entry in picked), SUM, named=True, rivals=1)
    yield _filled(entries, minor)


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
    """Groups of one customer's items whose only evidence is that they add up."""
    fitting = [entry for entry in own if entry.open < minor]
    if len(fitting) < 2:
        return
    result = sums([entry.open for entry in fitting], minor, most=policy.group_size, effort=policy.group_effort)
    for chosen in result.found:
        picked = in_order(fitting[place] for place in chosen)
        chance = accidents(len(fitting), len(picked), minor)
        rivals = len(result.found) - 1 + (0 if result.complete else 1)
        yield Option(picked, tuple(entry.open for entry in picked), SUM, chance=chance, rivals=rivals)


def orders_of(entries: Iterable[Entry]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry.order for entry in entries))
