"""What people refused: it counts in full for a while, fades, and is forgotten, unless the payer is another company altogether."""

from __future__ import annotations

from datetime import date

from hub.core.vocabulary import Receipt
from reconciliation.payments.text import squeeze
from reconciliation.payments.values import Refusal

FULL_DAYS, NO_DAYS = 45, 90


class Refusals:
    """The refusals by who was refused. Told twice, one changes nothing."""

    def __init__(self) -> None:
        self._by_payer: dict[str, dict[Refusal, None]] = {}

    def add(self, refusal: Refusal) -> None:
        for key in _keys(refusal.payer_name, refusal.payer_account):
            self._by_payer.setdefault(key, {})[refusal] = None

    def remove(self, refusal: Refusal) -> None:
        for key in _keys(refusal.payer_name, refusal.payer_account):
            self._by_payer.get(key, {}).pop(refusal, None)

    def of(self, receipt: Receipt) -> tuple[Refusal, ...]:
        """What was refused to who sent a receipt, by name or by account."""
        if not self._by_payer:
            return ()
        found = {
            refusal: None
            for key in _keys(squeeze(receipt.payer_name or ""), receipt.payer_account)
            for refusal in self._by_payer.get(key, ())
        }
        return tuple(found)


def _keys(name: str, account: str | None) -> tuple[str, ...]:
    digits = "".join(filter(str.isalnum, account or ""))
    return tuple(key for key in (name, f"#{digits}" if digits else "") if key)


def strength(refusal: Refusal, on: date) -> float:
    """How much a refusal still counts on a day: all for 45 days, then less each day, nothing after 90; for good where it is lasting."""
    if refusal.is_lasting:
        return 1.0
    age = (on - refusal.on).days
    if age < 0:  # a receipt that was booked before it is judged as it was then
        return 1.0 if age > -NO_DAYS else 0.0
    return max(0.0, min(1.0, (NO_DAYS - age) / (NO_DAYS - FULL_DAYS)))
