"""What every dialect of the free text comes to."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_MONEY = re.compile(r"([A-Z]{3})?\s?(\d{1,15}(?:[,.]\d{0,6})?)")


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a line's text. `returned` says that the text itself calls the line the return of an earlier one."""

    name: str = ""
    account: str = ""
    bank: str = ""
    ultimate: str = ""
    memo: str = ""
    reference: str = ""
    end_to_end_id: str = ""
    structured: str = ""
    code: str = ""
    return_reason: str = ""
    original: str = ""
    charges: str = ""
    returned: bool = False


def plain(text: str) -> str:
    """The text with single blanks."""
    return " ".join(text.split())


def compact(text: str) -> str:
    """The text without blanks, as an account is compared."""
    return "".join(text.split())


def money(text: str, currency: str) -> tuple[str, Decimal] | None:
    """Currency and amount of `EUR11,85`; the account's currency where none is written."""
    found = _MONEY.match(text.strip())
    return (found[1] or currency, Decimal(found[2].replace(",", "."))) if found else None


def is_iban(text: str) -> bool:
    """True for an IBAN whose check digits are right (ISO 13616, remainder 1 of 97)."""
    if not IBAN.fullmatch(text):
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1
