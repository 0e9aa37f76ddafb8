"""An order in another currency than the receipt: what it would be worth, by the policy's rates or within what is plausible."""

from __future__ import annotations

from decimal import Decimal

from hub.core.money import from_minor
from reconciliation.payments.book import Entry
from reconciliation.payments.policy import Policy

HOME = "CNY"
# What one unit was worth in yuan at the least and at the most over many years: far enough to be worth a look, never enough to book.
_PLAUSIBLE = {
    "USD": ("5.8", "8.4"),
    "EUR": ("6.5", "11.5"),
    "GBP": ("7.5", "16"),
    "HKD": ("0.75", "1.1"),
    "JPY": ("0.035", "0.09"),
    "AUD": ("4", "7"),
    "CAD": ("4.4", "7"),
    "SGD": ("4.4", "6"),
    "CHF": ("5.8", "9.5"),
    "KRW": ("0.004", "0.007"),
    "TWD": ("0.19", "0.25"),
}


def rate_of(entry: Entry, minor: int, currency: str) -> Decimal:
    """What one unit of the order's currency was paid with."""
    return from_minor(minor, currency) / from_minor(entry.open, entry.currency)


def is_worth(entry: Entry, minor: int, currency: str, policy: Policy, *, is_named: bool) -> bool:
    """Whether the amount is all of the order: within the band around the policy's rate, or, where the memo names it, plausibly."""
    rate, own, home = rate_of(entry, minor, currency), policy.rates.get(entry.currency), policy.rates.get(currency)
    own, home = (Decimal(1) if code == HOME else known for code, known in ((entry.currency, own), (currency, home)))
    if own is not None and home is not None:
        return abs(rate * home / own - 1) <= policy.rate_band
    return is_named and currency == HOME and _is_plausible(entry.currency, rate)


def _is_plausible(currency: str, rate: Decimal) -> bool:
    low, high = _PLAUSIBLE.get(currency, ("1", "0"))
    return Decimal(low) <= rate <= Decimal(high)
