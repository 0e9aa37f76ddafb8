"""Which line a reversal takes back, where a file shows it."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from hub.statements.values import Movement

_BLANKS = re.compile(r"\s+")


class Receipts:
    """The money in of one reading, by what a reversal can tell of it. Lines come oldest first."""

    def __init__(self) -> None:
        self._known: dict[object, list[str]] = {}
        self._taken: set[str] = set()

    def came(self, line: Movement, key: str) -> None:
        """Remember a line in which money came in."""
        for told in (
            ("reference", line.account, line.bank_reference, line.amount) if line.bank_reference else None,
            _payment(line, line.amount),
            _side(line, line.amount),
        ):
            if told:
                self._known.setdefault(told, []).append(key)

    def taken_back(self, line: Movement) -> list[str]:
        """The keys of the lines that this one may take back; where it is one, it is taken and no other takes it again.

        By the bank's own reference, else by the payment's ids, else by the other side and the amount.
        """
        by_reference = ("reference", line.account, line.undoes, -line.amount) if line.undoes else None
        for told in (by_reference, _payment(line, -line.amount), _side(line, -line.amount)):
            if named := self._known.get(told) if told else None:
                found = [key for key in named if key not in self._taken]
                if len(found) == 1:
                    self._taken.add(found[0])
                return found
        return []


def _payment(line: Movement, amount: Decimal) -> object:
    """What the payer's bank gave the payment on its way, which stays with it when it is returned."""
    if line.uetr or line.end_to_end_id:
        return "payment", line.account, line.currency, amount, line.uetr or line.end_to_end_id
    return None


def _side(line: Movement, amount: Decimal) -> object:
    name = _BLANKS.sub("", unicodedata.normalize("NFKC", line.party_name)).lower()
    return "side", line.account, line.currency, amount, line.party_account, name
