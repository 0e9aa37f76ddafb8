"""An order split into instalments by its payment terms, exactly."""

from __future__ import annotations

import re
from decimal import Decimal

from hub.core.errors import Invalid
from hub.core.money import from_minor, to_minor

_TERMS = re.compile(r"\d{1,3}(?:\.\d+)?(?:\s*[/:、,+-]\s*\d{1,3}(?:\.\d+)?)*")


_EARLY = re.compile(r"(\d{1,2}(?:\.\d+)?)\s*%?\s*/\s*(\d{1,3})\s*[,，;、 ]?\s*(?:N|NET|净)\s*/?\s*\d{1,3}", re.IGNORECASE)


def early_payment(terms: str | None) -> tuple[Decimal, int] | None:
    """What who pays early may keep, in percent, and within how many days: `2/10 n/30` is two per cent within ten days."""
    found = _EARLY.fullmatch((terms or "").strip())
    return (Decimal(found[1]), int(found[2])) if found else None


def percentages(terms: str | None) -> tuple[Decimal, ...]:
    """The terms' percentages: `30/70` is 30 and 70. None, words, or a single number (often days) are one payment of all."""
    cleaned = (terms or "").replace("%", "").replace("％", "").strip()
    if not _TERMS.fullmatch(cleaned):
        return (Decimal(100),)
    parts = tuple(Decimal(part) for part in re.findall(r"\d+(?:\.\d+)?", cleaned))
    if len(parts) == 1:
        return (Decimal(100),)
    if sum(parts) != 100 or not all(parts):
        raise Invalid(
            happened="the payment terms do not add up to 100 percent",
            next="write them as percentages of the order, such as 30/70",
            terms=terms,
        )
    return parts


def instalments(amount: Decimal, currency: str, terms: str | None) -> list[tuple[str, Decimal, Decimal]]:
    """Label, percentage and amount of each instalment; they add up to the order to the last minor unit.

    Each but the last is rounded half up to the currency's smallest unit and the last takes the remainder.
    """
    total = to_minor(amount, currency)
    if total < 0:
        raise Invalid(happened="an order below zero has no instalments", next="enter a credit note instead", amount=amount)
    left, result = total, []
    parts = percentages(terms)
    for place, percent in enumerate(parts, start=1):
        share = left if place == len(parts) else min(left, int(total * percent / 100 + Decimal("0.5")))
        left -= share
        result.append((f"{percent.normalize():f}%", percent, from_minor(share, currency)))
    return result
