"""What any bank file says, in the words that bank, broker and wallet formats share."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import msgspec

from hub.core.errors import Problem
from hub.core.vocabulary import Remittance


class Movement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One booked line. `amount` is in the account's currency and signed: positive came in, negative went out.

    `reversal` says that it takes back an earlier line of the *other* sign: a reversal of money in has a negative amount.
    `undoes` is the bank's reference of that line, where the file tells it. `reference` is the payer's, `bank_reference` the
    bank's own. `at` is the tenant's wall clock, unless it tells its own offset. `charges` were kept by banks on the way: what the payer sent is `amount + charges`. `pointer` is the place in
    the file ("line 12", "Ntry 3") and no part of what the line is.
    """

    booked_on: date
    amount: Decimal
    currency: str
    account: str = ""
    at: time | None = None
    value_on: date | None = None
    party_name: str = ""
    party_account: str = ""
    party_bank: str = ""
    ultimate_party: str = ""
    memo: str = ""
    reference: str = ""
    bank_reference: str = ""
    end_to_end_id: str = ""
    uetr: str = ""
    code: str = ""
    return_reason: str = ""
    remittances: tuple[Remittance, ...] = ()
    charges: Decimal = Decimal(0)
    original_amount: Decimal | None = None
    original_currency: str = ""
    balance: Decimal | None = None
    reversal: bool = False
    undoes: str = ""
    pointer: str = ""


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A line that books something and cannot be read: it is parked with its reason, and the lines beside it go on."""

    text: str
    pointer: str
    rule: str
    happened: str
    next: str
    account: str = ""

    @classmethod
    def because(cls, problem: Problem, *, text: str, pointer: str, account: str = "") -> Unread:
        told = problem.as_dict()
        return cls(
            text=text[:4000],
            pointer=pointer,
            rule=str(getattr(problem, "rule", "") or problem.code),
            happened=str(told["happened"]),
            next=str(told["next"]),
            account=account,
        )


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a file says of one account and period. A parser yields it after the lines that belong to it.

    `balanced` is true where opening + lines = closing, false where not, and none where the file has no balances to go by.
    `number` is the bank's sequence number of the statement (`LglSeqNb`, `:28C:`), as written. `not_booked` counts the entries
    that the file tells and that book nothing (yet), by the status that it gives them.
    """

    format: str
    account: str
    currency: str
    opening: Decimal | None = None
    closing: Decimal | None = None
    from_day: date | None = None
    to_day: date | None = None
    number: str = ""
    lines: int = 0
    unread: int = 0
    credits: Decimal = Decimal(0)
    debits: Decimal = Decimal(0)
    balanced: bool | None = None
    not_booked: dict[str, int] = {}


__all__ = ["Movement", "Read", "Remittance", "Statement", "Unread"]

Read = Movement | Unread | Statement
