"""What the desk is told, and what it answers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from hub.core.vocabulary import MatchProposed, Reason, RunnerUp, ShareOf


class OpenItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is still to be paid: an instalment of an order, or a whole order with its `payment_terms`.

    Items with the same numbers, customer and currency are instalments of one order and matched as that order.

    `amount` is what it was opened for and `open` what is left of it; a credit note or a prepayment is not an open item.
    `percent`, `label`, `position` and `order_amount` tell an instalment's place in its order.
    """

    receivable: str
    order: str
    amount: Decimal
    open: Decimal
    currency: str = "CNY"
    customer: str | None = None
    customer_name: str | None = None
    contract: str | None = None
    invoice: str | None = None
    ordered_on: date | None = None
    due_on: date | None = None
    label: str | None = None
    percent: Decimal | None = None
    position: int = 1
    order_amount: Decimal | None = None
    payment_terms: str | None = None


class Payer(msgspec.Struct, frozen=True, kw_only=True):
    """Who paid for a customer before: what confirmed matches taught. `times` counts them."""

    name: str
    customer: str
    account: str | None = None
    times: int = 1
    last_seen: date | None = None
    is_person: bool = False


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was paid lately. A receipt that names it again is a second payment, never a match."""

    receivable: str
    order: str
    amount: Decimal
    currency: str = "CNY"
    customer: str | None = None
    contract: str | None = None
    invoice: str | None = None
    settled_on: date | None = None
    receipt: str | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A person said that a payer's money was not for these orders of a customer; lasting: that it is another company altogether.

    `payer_name` is as `text.squeeze` writes it.
    """

    payer_name: str
    customer: str
    on: date
    payer_account: str | None = None
    orders: tuple[str, ...] = ()
    is_lasting: bool = False


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Why a match is not automatic: a stable code, and the words for people."""

    code: str
    says: str
    says_en: str


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """The desk's answer for one receipt.

    `lane` is `auto` (book it), `review` (a person looks at the proposal) or `open` (nothing fits well enough to propose).
    `probability` is that of the proposal, or of "none of these" where nothing is proposed.
    `decided_by` says how receipts that compete were settled: `alone`, `exactly`, or `greedily` above the size limit.
    """

    receipt: str
    lane: str
    probability: float
    shares: tuple[ShareOf, ...] = ()
    reasons: tuple[Reason, ...] = ()
    reasons_en: tuple[str, ...] = ()
    runners_up: tuple[RunnerUp, ...] = ()
    held: Held | None = None
    customer: str | None = None
    policy: str = ""
    decided_by: str = "alone"

    @property
    def held_by(self) -> str | None:
        return self.held.says if self.held else None


def proposed(match: Match, *, id: str) -> MatchProposed:
    """The match as the fact that goes on the bus."""
    return MatchProposed(
        match=id,
        receipt=match.receipt,
        lane=match.lane,
        probability=match.probability,
        shares=match.shares,
        reasons=match.reasons,
        runners_up=match.runners_up,
        held_by=match.held_by,
        held_code=match.held.code if match.held else None,
        customer=match.customer,
        policy=match.policy,
    )


def result_line(receipt: str, match: Match) -> dict[str, object]:
    """One line of the result file: transaction, decision, confidence, allocations and up to two alternatives."""

    def told(shares: tuple[ShareOf, ...]) -> list[dict[str, str]]:
        return [{"order_no": share.order, "amount": str(share.amount)} for share in shares]

    return {
        "transaction_id": receipt,
        "decision": {"open": "unmatched"}.get(match.lane, match.lane),
        "confidence": round(match.probability, 6),
        "allocations": told(match.shares),
        "alternatives": [told(other.shares) for other in match.runners_up[:2]],
    }
