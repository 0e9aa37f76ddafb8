"""The open items and the ways to find them: by number, by amount, by customer. Kept up to date item by item."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

from hub.core.errors import Invalid
from hub.core.money import to_minor
from reconciliation.payments.orders import instalments, percentages
from reconciliation.payments.text import compact, squeeze
from reconciliation.payments.values import OpenItem, Settled

TAIL = 5
_HEAD = 4  # digits of a number that many share: a year and a month, mostly
Home = tuple[tuple[str, ...], str, str, str]
_NOWHERE: Home = ((), "", "", "")
_LEAD = re.compile(r"^([A-Z]*)(\d+)$")
_TELEPHONE = re.compile(r"1[3-9]\d{9}")
_LONG, _SEVERAL = 9, 3


class Entry:
    """What is to be paid for one order: its open instalments, next first, with what is computed from them once.

    An order is one thing to be paid however it was opened, whole with its terms or as instalments. Amounts are whole
    minor units. `parts` is the amount, the place and the label of what the terms ask for, the next one first.
    """

    __slots__ = ("amount", "currency", "customer", "item", "items", "key", "numbers", "open", "opens", "order", "parts")

    def __init__(self, items: Iterable[OpenItem]) -> None:
        self.items = tuple(sorted(items, key=lambda item: (item.position, str(item.due_on or ""), item.receivable)))
        self.item = item = self.items[0]
        self.key = item.receivable
        self.order = item.order
        self.currency = item.currency
        self.opens = tuple(to_minor(each.open, each.currency) for each in self.items)
        self.open = sum(self.opens)
        whole = item.order_amount or sum((each.amount for each in self.items), Decimal(0))
        self.amount = max(to_minor(whole, item.currency), self.open, key=abs)
        self.customer = customer_key(item)
        self.numbers = _numbers(item)
        self.parts = () if self.is_credit else self._instalments() if len(self.items) > 1 else self._terms()

    @property
    def is_credit(self) -> bool:
        """Whether this is owed to the customer: a credit note or a prepayment, to be set off."""
        return self.open < 0

    @property
    def is_begun(self) -> bool:
        """Whether the first of several instalments is paid."""
        if self.is_credit or len(self.items) > 1 or not self.item.payment_terms:
            return self.item.position > 1
        try:
            parts = instalments(self.item.amount, self.currency, self.item.payment_terms)
        except Invalid:
            return False
        return len(parts) > 1 and self.amount - self.open >= to_minor(parts[0][2], self.currency)

    @property
    def due_on(self) -> date | None:
        """When the last of it is due."""
        return self.items[-1].due_on

    def _instalments(self) -> tuple[tuple[int, int, str], ...]:
        """The next instalment, the next few together but not all, and each later one by itself."""
        labels = [item.label or str(item.position) for item in self.items]
        ahead = [(minor, place, labels[place]) for place, minor in enumerate(accumulate(self.opens[:-1]))]
        known = {minor for minor, _, _ in ahead}
        later = [(minor, place, labels[place]) for place, minor in enumerate(self.opens) if place > 0]
        return (*ahead, *(each for each in later if each[0] not in known))

    def _terms(self) -> tuple[tuple[int, int, str], ...]:
        """As instalments, by the terms of a whole order; empty where it is all paid at once, or for a lone instalment."""
        try:
            if len(percentages(self.item.payment_terms)) == 1:
                return ()
        except Invalid:  # terms that do not add up split nothing; the order is still there to be paid
            return ()
        paid, until = self.amount - self.open, 0
        ahead: list[tuple[int, int, str]] = []
        single: list[tuple[int, int, str]] = []
        for place, (label, _, share) in enumerate(instalments(self.item.amount, self.currency, self.item.payment_terms)):
            minor = to_minor(share, self.currency)
            until += minor
            if paid < until < self.amount:
                ahead.append((until - paid, len(ahead), label))
            if until > paid and place > 0 and minor < self.open:
                single.append((minor, max(place, 1), label))
        known = {minor for minor, _, _ in ahead}
        return (*ahead, *(each for each in single if each[0] not in known))


def _numbers(item: OpenItem) -> tuple[str, ...]:
    return tuple(dict.fromkeys(compact(number) for number in (item.order, item.contract, item.invoice) if number))


def _home(item: OpenItem) -> Home:
    """What makes items instalments of one order: all numbers, the customer and the currency; an order with its own terms is one."""
    return (_numbers(item), customer_key(item), item.currency, item.receivable if item.payment_terms else "")


def customer_key(item: OpenItem) -> str:
    return item.customer or squeeze(item.customer_name or "") or "?"


class Book:
    """All open orders. Every index is a dictionary, so that one more item costs the same however many there are."""

    def __init__(self) -> None:
        self.entries: dict[Home, Entry] = {}
        self._homes: dict[str, Home] = {}
        self.by_number: dict[str, dict[str, Entry]] = {}
        self.by_amount: dict[tuple[str, int], dict[str, Entry]] = {}
        self.by_part: dict[tuple[str, int], dict[str, Entry]] = {}
        self.by_customer: dict[str, dict[str, Entry]] = {}
        self.credits: dict[str, dict[str, Entry]] = {}
        self.settled: dict[str, Settled] = {}
        self.shapes: Counter[tuple[str, int]] = Counter()
        self._heads: Counter[tuple[str, int, str]] = Counter()
        self._by_digits: dict[str, dict[str, None]] = {}
        self._by_tail: dict[str, dict[str, None]] = {}
        self._by_piece: dict[tuple[int, str, str], dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def add(self, item: OpenItem) -> Entry:
        """Let an item be open; an item told again replaces what was known of it. Below zero it is a credit."""
        if to_minor(item.open, item.currency) == 0:
            raise Invalid(
                happened="an item with nothing open cannot be matched",
                next="remove it instead",
                receivable=item.receivable,
                open=item.open,
            )
        self.remove(item.receivable)
        home = self._homes[item.receivable] = _home(item)
        before = self.entries.get(home)
        self._put(home, (item, *(before.items if before else ())))
        return self.entries[home]

    def item(self, receivable: str) -> OpenItem | None:
        """The open item of this id."""
        entry = self.entries.get(self._homes.get(receivable, _NOWHERE))
        return next((item for item in entry.items if item.receivable == receivable), None) if entry else None

    def is_open(self, number: str) -> bool:
        return compact(number) in self.by_number

    def remove(self, receivable: str) -> OpenItem | None:
        """Let an item be gone; its numbers' shape stays learnt."""
        item = self.item(receivable)
        if item is None:
            return None
        home = self._homes.pop(receivable)
        self._put(home, [each for each in self.entries[home].items if each.receivable != receivable])
        for number in _numbers(item):
            if number not in self.by_number:
                self._forget(number)
        return item

    def _put(self, home: Home, items: Sequence[OpenItem]) -> None:
        """Let these be the open instalments of an order, in place of those before."""
        if before := self.entries.pop(home, None):
            for index, key in self._places(before):
                index[key].pop(before.key, None)
                if not index[key]:
                    del index[key]
        if items:
            entry = self.entries[home] = Entry(items)
            for index, key in self._places(entry):
                index.setdefault(key, {})[entry.key] = entry
            for number in entry.numbers:
                self._learn(number)

    def settle(self, settled: Settled) -> None:
        """Remember what was paid, by each of its numbers."""
        for number in (settled.order, settled.contract, settled.invoice):
            if number:
                self.settled[compact(number)] = settled
                self._learn(compact(number))

    def looks_like_ours(self, number: str) -> bool:
        """Whether a number that nobody knows has the letters, the length and the first digits of ours."""
        shape = _LEAD.match(number)
        if shape is None or len(shape[2]) < TAIL or _TELEPHONE.fullmatch(number):
            return False
        if shape[1]:
            return any((shape[1], len(shape[2]) + off) in self.shapes for off in (0, -1, 1)[: 3 if len(shape[1]) > 1 else 1])
        return len(shape[2]) >= _LONG and self._heads["", len(shape[2]), shape[2][:_HEAD]] >= _SEVERAL

    def named(self, number: str) -> tuple[Entry, ...]:
        """The open orders that a number names, in a fixed order."""
        return in_order(self.by_number.get(number, {}).values())

    def with_digits(self, digits: str) -> Iterable[str]:
        return self._by_digits.get(digits, ())

    def with_tail(self, digits: str) -> Iterable[str]:
        return (number for number in self._by_tail.get(digits[-TAIL:], ()) if number.endswith(digits))

    def starting(self, lead: str, digits: str) -> tuple[str, ...]:
        """Open numbers that a cut line left the beginning of: all but the last one or two digits."""
        for prefix, length in sorted(self.shapes):
            if prefix == lead and 1 <= length - len(digits) <= 2:
                fits = self._by_piece.get((length, digits[: length - 4], ""), ())
                return tuple(sorted(number for number in fits if number.startswith(lead + digits) and number in self.by_number))
        return ()

    def near(self, digits: str, length: int) -> Iterable[str]:
        """Numbers of `length` digits that share a piece with these that one slip, wherever it is, would have left whole."""
        return dict.fromkeys(number for piece in _pieces(digits, length) for number in self._by_piece.get(piece, ()))

    def _places(self, entry: Entry) -> Iterator[tuple[dict[Any, dict[str, Entry]], object]]:
        for number in entry.numbers:
            yield self.by_number, number
        if entry.is_credit:
            yield self.credits, entry.customer
            return
        yield self.by_amount, (entry.currency, entry.open)
        for minor, _, _ in entry.parts:
            yield self.by_part, (entry.currency, minor)
        yield self.by_customer, entry.customer

    def _learn(self, number: str) -> None:
        if shape := _LEAD.match(number):
            digits = shape[2]
            if number not in self._by_digits.get(digits, ()):
                self.shapes[shape[1], len(digits)] += 1
                self._heads[shape[1], len(digits), digits[:_HEAD]] += 1
                self._by_digits.setdefault(digits, {})[number] = None
                self._by_tail.setdefault(digits[-TAIL:], {})[number] = None
                for piece in _pieces(digits, len(digits)):
                    self._by_piece.setdefault(piece, {})[number] = None

    def _forget(self, number: str) -> None:
        if number in self.settled or not (shape := _LEAD.match(number)):
            return
        digits = shape[2]
        pieces = (self._by_piece.get(piece) for piece in _pieces(digits, len(digits)))
        for known in (self._by_digits.get(digits), self._by_tail.get(digits[-TAIL:]), *pieces):
            if known is not None:
                known.pop(number, None)


def _pieces(digits: str, length: int) -> tuple[tuple[int, str, str], ...]:
    """All but the last four digits, all but the first four, and the first and last three: a slip, or a swap, misses one of them."""
    if length < 8:
        return (length, digits[:3], ""), (length, "", digits[-3:])
    return (length, digits[: length - 4], ""), (length, "", digits[4 - length :]), (length, digits[:3], digits[-3:])


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Credits first, then entries by order and by their place in it: the order in which money is laid on them."""
    return tuple(
        sorted(
            entries,
            key=lambda entry: (not entry.is_credit, entry.order, entry.item.position, str(entry.item.due_on or ""), entry.key),
        )
    )
