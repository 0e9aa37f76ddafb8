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
        self._by_reference: dict[tuple[str, str, Decimal], list[str]] = {}
        self._by_side: dict[object, list[str]] = {}
        self._taken: set[str] = set()

    def came(self, line: Movement, key: str) -> None:
        """Remember a line in which money came in."""
        self._by_side.setdefault(_side(line, line.amount), []).append(key)
        if line.bank_reference:
            self._by_reference.setdefault((line.account, line.bank_reference, line.amount), []).append(key)

    def taken_back(self, line: Movement) -> str | None:
        """The key of the line that this one takes back: by the bank's own reference, else where exactly one has its other side and amount."""
        named = self._by_reference.get((line.account, line.undoes, -line.amount), []) if line.undoes else []
        open_ = [key for key in named or self._by_side.get(_side(line, -line.amount), []) if key not in self._taken]
        if len(open_) != 1:
            return None
        self._taken.add(open_[0])
        return open_[0]


def _side(line: Movement, amount: Decimal) -> object:
    name = _BLANKS.sub("", unicodedata.normalize("NFKC", line.party_name)).lower()
    return line.account, line.currency, amount, line.party_account, name
