"""Why an amount is a little less than what is due: rounded off, kept by a bank, a discount, tax withheld, or nobody knows."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from hub.core.money import minor_units, to_minor
from reconciliation.payments.book import Entry
from reconciliation.payments.orders import early_payment
from reconciliation.payments.policy import Policy

FEE, ROUNDING, EARLY, DISCOUNT, ODD = "fee", "rounding", "early", "discount", "odd"

# Percentages that invoices and tax law subtract: cash discounts, and what is withheld from services.
_RATES = tuple(Decimal(rate) / 100 for rate in (1, 2, 3, 5, 6, 10))
_SLACK = 2000  # ten units rounded off a small amount are more than its tenth


def kept_as(due: int, minor: int, currency: str, policy: Policy) -> str | None:
    """What a shortfall is; none where it is too large to be any of these."""
    short = due - minor
    if short * 9 > due + _SLACK:
        return None
    unit = 10 ** minor_units(currency)
    for whole in (unit, 10 * unit):
        if short < whole and minor % whole == 0 and due % whole != 0 and short * 200 <= due:
            return ROUNDING
    if short in fees(currency, policy) and short <= due * policy.largest_fee_part:
        return FEE
    if any(minor in _less(due, rate, unit) for rate in _RATES):
        return DISCOUNT
    small = short <= to_minor(policy.largest_fee, currency) and short * 10 <= due
    return ODD if small else None


def early(entry: Entry, minor: int, on: date) -> str | None:
    """The discount that the order's own terms give to who pays early (`2/10 n/30`), where this is it and in time."""
    terms = early_payment(entry.item.payment_terms)
    if terms is None or entry.item.ordered_on is None or entry.open != entry.amount:
        return None
    rate, days = terms
    in_time = 0 <= (on - entry.item.ordered_on).days <= days
    return EARLY if in_time and minor in _less(entry.open, rate / 100, 10 ** minor_units(entry.currency)) else None


def less_rate(due: int, minor: int, currency: str) -> int:
    """What a usual percentage leaves out of an amount that is due; nothing where it is no usual one."""
    unit = 10 ** minor_units(currency)
    return due - minor if any(minor in _less(due, rate, unit) for rate in _RATES) else 0


def dues_of(minor: int, currency: str) -> list[tuple[int, int]]:
    """What may have been due where a usual percentage left this amount: the least of it, and how much more it may be."""
    unit = 10 ** minor_units(currency)
    slack = 1 if minor % unit else unit // 2 + 1
    return [(int((minor - slack) / (1 - rate)), 3 * slack) for rate in _RATES]


def fees(currency: str, policy: Policy) -> tuple[int, ...]:
    """What banks keep of a transfer, in minor units, smallest first."""
    return _minor_fees(policy.fees, policy.largest_fee, currency)


@lru_cache(maxsize=64)
def _minor_fees(usual: tuple[Decimal, ...], largest: Decimal, currency: str) -> tuple[int, ...]:
    fine = minor_units(currency) >= 2
    return tuple(sorted(to_minor(fee, currency) for fee in usual if fee <= largest and (fine or fee == int(fee))))


def _less(due: int, rate: Decimal, unit: int) -> tuple[int, ...]:
    exact = due * (1 - rate)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP)), int((exact / unit).quantize(Decimal(1), ROUND_HALF_UP)) * unit
