"""What decisions teach: who pays for whom, and what was said not to be. A function of the decisions alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from hub.core.vocabulary import MatchAccepted, MatchRejected, MatchUndone, Receipt
from reconciliation.payments.names import is_person
from reconciliation.payments.payers import added_up
from reconciliation.payments.text import squeeze
from reconciliation.payments.values import Payer, Refusal

ENGINE = "engine"
_OTHER_COMPANY = re.compile(
    r"不同公司|不是同一|另一家|其他公司|DIFFERENT.COMPANY|OTHER.COMPANY|NOT.THE.SAME.COMPANY", re.IGNORECASE
)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision in the order in which decisions were made: `kind` is accepted, rejected or undone.

    `on` is the day of the decision, `booked_on` that of the receipt. An undone match needs nothing but its id.
    """

    kind: str
    match: str
    on: date
    by: str = ""
    customer: str | None = None
    payer_name: str | None = None
    payer_account: str | None = None
    orders: tuple[str, ...] = ()
    booked_on: date | None = None
    reason: str | None = None


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered, in a fixed order, so that the same decisions in force are the same bytes."""

    payers: tuple[Payer, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def decision(
    fact: MatchAccepted | MatchRejected | MatchUndone,
    *,
    on: date,
    receipt: Receipt | None = None,
    customer: str | None = None,
) -> Decision:
    """The decision that a fact of the bus tells; a rejection names neither payer nor customer, so the receipt and the match do."""
    name, account = (receipt.payer_name, receipt.payer_account) if receipt else (None, None)
    match fact:
        case MatchAccepted():
            name, account, customer = fact.payer_name or name, fact.payer_account or account, fact.customer or customer
            kind, reason = "accepted", None
        case MatchRejected():
            kind, reason = "rejected", fact.reason
        case MatchUndone():
            return Decision(kind="undone", match=fact.match, on=on, by=fact.by)
    return Decision(
        kind=kind,
        match=fact.match,
        on=on,
        by=fact.by,
        customer=customer,
        payer_name=name,
        payer_account=account,
        orders=tuple(sorted({share.order for share in fact.shares})),
        booked_on=receipt.booked_on if receipt else None,
        reason=reason,
    )


def remembered(decisions: Iterable[Decision]) -> Memory:
    """What these decisions teach, in the order in which they were made. A decision told twice teaches once; an undone one nothing.

    The engine confirms nobody to itself: a person stands for a customer by what people accepted. A person's acceptance
    ends what was refused before for the same payer and customer, until it is undone.
    """
    in_force = list(_in_force(decisions).values())
    accepted = [one for one in in_force if one.kind == "accepted"]
    return Memory(
        payers=tuple(added_up(_payer(one) for one in accepted if _teaches(one))),
        refusals=tuple(
            sorted(
                {
                    _refusal(one)
                    for place, one in enumerate(in_force)
                    if one.kind == "rejected" and not any(_overrules(later, one) for later in in_force[place + 1 :])
                },
                key=_order_of,
            )
        ),
    )


def _in_force(decisions: Iterable[Decision]) -> Mapping[tuple[str, str], Decision]:
    """The decisions that were not taken back, by kind and match, in their order."""
    found: dict[tuple[str, str], Decision] = {}
    for one in decisions:
        if one.kind == "undone":
            found.pop(("accepted", one.match), None)
        else:
            found.setdefault((one.kind, one.match), one)
    return found


def _teaches(one: Decision) -> bool:
    known = bool(one.customer and (one.payer_name or one.payer_account))
    return known and not (one.by == ENGINE and is_person(one.payer_name or ""))


def _payer(one: Decision) -> Payer:
    return Payer(
        name=one.payer_name or "",
        account=one.payer_account,
        customer=one.customer or "",
        last_seen=one.booked_on or one.on,
        is_person=is_person(one.payer_name or ""),
    )


def _refusal(one: Decision) -> Refusal:
    return Refusal(
        payer_name=squeeze(one.payer_name or ""),
        payer_account=one.payer_account,
        customer=one.customer or "",
        orders=one.orders,
        on=one.on,
        is_lasting=bool(_OTHER_COMPANY.search(one.reason or "")),
    )


def _overrules(later: Decision, refused: Decision) -> bool:
    return (
        later.kind == "accepted"
        and later.by != ENGINE
        and later.customer == refused.customer
        and squeeze(later.payer_name or "") == squeeze(refused.payer_name or "")
        and (set(refused.orders) <= set(later.orders) or bool(_OTHER_COMPANY.search(refused.reason or "")))
    )


def _order_of(refusal: Refusal) -> tuple[str, ...]:
    return (refusal.payer_name, refusal.payer_account or "", refusal.customer, str(refusal.on), *refusal.orders)
