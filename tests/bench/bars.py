"""What the receipts' desk must reach, each measure beside its bar."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from hub.core.vocabulary import Receipt
from reconciliation.payments import Desk, OpenItem
from reconciliation.payments.ranking import NameIndex

NAMES = Path(__file__).resolve().parents[3] / "shared" / "data" / "statements" / "company-names" / "cn_listed_short_full.csv"
_GROUPS = 500


class Bar(NamedTuple):
    """A measure, what it came to, and what it must be: at least, or at most."""

    what: str
    measured: float
    limit: float
    at_least: bool = True

    @property
    def holds(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def __str__(self) -> str:
        sign, state = "≥" if self.at_least else "≤", "holds" if self.holds else "MISSED"
        return f"{self.what:52s} {self.measured:>10.4f}   {sign} {self.limit:<8g} {state}"


def of_labelled(measured: Mapping[str, float]) -> Iterator[Bar]:
    """The labelled month, with its history."""
    for name, limit in {
        "auto_precision": 0.999,
        "auto_rate": 0.95,
        "top1": 0.98,
        "top3": 0.99,
        "nothing_left_alone": 0.95,
    }.items():
        yield Bar(f"labelled month: {name}", measured[name], limit)
    for name, limit in {"over_allocated": 0, "calibration_error": 0.02, "calibration_error_above_0.9": 0.01}.items():
        yield Bar(f"labelled month: {name}", measured[name], limit, at_least=False)


def of_unseen(measured: Mapping[str, float]) -> Iterator[Bar]:
    """Built desks with kinds that the labelled month lacks, pooled."""
    for name, limit in {"auto_precision": 0.998, "auto_rate": 0.92, "top1": 0.95, "nothing_left_alone": 0.95}.items():
        yield Bar(f"unseen kinds, pooled: {name}", measured[name], limit)
    yield Bar("unseen kinds, pooled: over_allocated", measured["over_allocated"], 0, at_least=False)


def of_scale(measured: Mapping[str, float]) -> Iterator[Bar]:
    """Large books, in processor time of one core."""
    yield Bar("20,000 receipts x 20,000 orders: seconds", measured["seconds"], 20, at_least=False)
    yield Bar("20,000 receipts x 20,000 orders: MB", measured["megabytes"], 1024, at_least=False)
    yield Bar("a receipt x 100,000 orders: p99 in ms", measured["p99_ms"], 30, at_least=False)


def of_names(path: Path = NAMES) -> Iterator[Bar]:
    """Short names of listed companies: is the full name the first, is it among the first ten."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        pairs = [(row["short_name"], row["full_name"]) for row in csv.DictReader(file)]
    index = NameIndex(full for _, full in pairs)
    ranked = [([name for name, _ in index.rank(short)], full) for short, full in pairs]
    yield Bar("short to full company name: top-1", sum(names[:1] == [full] for names, full in ranked) / len(pairs), 0.96)
    yield Bar("short to full company name: top-10", sum(full in names for names, full in ranked) / len(pairs), 0.995)


def of_groups(propose: Callable[[list[OpenItem], Receipt], str] | None = None) -> Iterator[Bar]:
    """Sums that two sets of a customer's orders meet: how many are booked unseen."""
    lane = propose or (lambda items, receipt: Desk(items).propose(receipt).lane)
    dice, built, booked = random.Random(20261121), 0, 0
    while built < _GROUPS:
        amounts = [dice.randint(20, 900) * dice.choice((10, 50, 100)) for _ in range(dice.randint(5, 11))]
        sums: dict[int, int] = {}
        for size in (2, 3):
            for chosen in combinations(range(len(amounts)), size):
                total = sum(amounts[place] for place in chosen)
                sums[total] = sums.get(total, 0) + 1
        target = next((total for total, ways in sorted(sums.items()) if ways > 1 and total not in amounts), None)
        if target is None:
            continue
        built += 1
        booked += lane(_items(amounts), _receipt(target)) == "auto"
    yield Bar(f"{_GROUPS} ambiguous groups: booked unseen", booked, 0, at_least=False)


def _items(amounts: list[int]) -> list[OpenItem]:
    name = "昆山尚砺泵业有限公司"
    return [
        OpenItem(
            receivable=f"R{n}", order=f"XD-{n:06d}", amount=Decimal(one), open=Decimal(one), customer="K1", customer_name=name
        )
        for n, one in enumerate(amounts)
    ]


def _receipt(amount: int) -> Receipt:
    return Receipt(
        receipt="P", booked_on=date(2026, 5, 6), amount=Decimal(amount), payer_name="昆山尚砺泵业有限公司", memo="往来款"
    )
