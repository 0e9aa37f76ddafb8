"""Thresholds and limits of the desk, as one versioned value."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """When a match may be booked unseen. The rules in `lanes.py` hold whatever these numbers say.

    A proposal is automatic from probability `auto` with the next best less likely by `margin` times, proposed to a
    person from `review`, and otherwise nothing is proposed. Amounts are in the receipt's currency. `largest_fee` is
    what a bank may keep of a transfer (usually one of `fees`), `largest_fee_part` its largest part of the receivable. `chance` is the largest
    expected number of sums that fit by accident for a group that was found by its sum. `rates` says what one unit of
    a currency is worth in yuan and `rate_band` how far from it a bank's own rate may be. Days up to `closed_until` are booked by people only. `shadow` proposes only.
    Above `second_person` what one person divides another accepts; the engine counts as a proposer.
    """

    version: str = "payments-1"
    auto: float = 0.99
    margin: float = 20.0
    review: float = 0.30
    limit: Decimal | None = None
    largest_fee: Decimal = Decimal(50)
    fees: tuple[Decimal, ...] = tuple(
        Decimal(fee)
        for fee in (
            "0.5",
            "1",
            "2",
            "3",
            "5",
            "5.5",
            "7.5",
            "10",
            "10.5",
            "15",
            "15.5",
            "20",
            "20.5",
            "25",
            "30",
            "35",
            "40",
            "45",
            "50",
        )
    )
    largest_fee_part: Decimal = Decimal("0.02")
    person_times: int = 3
    group_size: int = 8
    group_effort: int = 6000
    chance: float = 0.01
    component: int = 12
    rates: dict[str, Decimal] = {}
    rate_band: Decimal = Decimal("0.015")
    closed_until: date | None = None
    second_person: Decimal | None = None
    shadow: bool = False
