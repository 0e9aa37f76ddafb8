"""The lane of a proposal. What must never be booked unseen is decided by evidence, whatever the probability."""

from __future__ import annotations

import re
from collections.abc import Callable

from hub.core.money import from_minor
from reconciliation.payments import words as w
from reconciliation.payments.candidates import (
    FOREIGN,
    OVER,
    OVER_NEAR,
    PART,
    PART_FEE,
    PART_LESS,
    SOME,
    SUM,
    SUM_FEE,
    SUM_LESS,
    SUM_PARTS,
    WHOLE,
)
from reconciliation.payments.cases import Case
from reconciliation.payments.elsewise import all_of, fits_beside, next_of
from reconciliation.payments.groups import coincidence
from reconciliation.payments.numbers import AGAIN, BARE, END, EXACT, SLIP, STRANGE
from reconciliation.payments.shortfalls import DISCOUNT, EARLY, FEE, ODD, ROUNDING
from reconciliation.payments.text import fold
from reconciliation.payments.values import Held

_ROUND = 0.01  # the coincidence of an amount of two digits and noughts
_LONG_RUN = re.compile(r"(?<!\d)\d{8,}(?!\d)")
_CROOKED, _MOST = 0.001, 85  # the coincidence of an amount of four digits and more; percent of what is due
_LONG = 10  # digits that no telephone's end or postal code meets by accident


def _fits_another(case: Case) -> bool:
    """The amount is not what this order asks for, but all that is open of another."""
    return case.option.stands not in (WHOLE, PART, SUM, SUM_PARTS) and bool(case.others(case.book.by_amount))


def _is_either(case: Case) -> bool:
    """All of one order, or the next instalment of another: without a number, only the memo's words tell."""
    is_told = case.reading.words & {w.DEPOSIT, w.BALANCE} or case.names(EXACT, BARE, SLIP, END)
    return (
        case.option.stands == WHOLE
        and not is_told
        and any(entry.parts[0][0] == case.reading.minor for entry in case.others(case.book.by_part))
    )


def _is_paid_deposit(case: Case) -> bool:
    """The memo says deposit, and the deposit of this order is paid: the same money a second time, or another order's."""
    return w.DEPOSIT in case.reading.words and any(entry.is_begun for entry in case.option.entries)


def _has_strange(case: Case) -> bool:
    return any(one.level == STRANGE for one in case.reading.named) and not case.names(EXACT)


def _is_one_of_several(case: Case) -> bool:
    """The memo speaks of several orders, and the option is one that it does not name in full."""
    return w.SEVERAL in case.reading.words and not (case.is_named and case.option.stands in (WHOLE, SUM))


def _is_again(case: Case) -> bool:
    return any(one.level == AGAIN for one in case.reading.named)


def _is_weak_reference(case: Case) -> bool:
    """A repaired number needs the payer beside it; so do a number that is only its end, and few digits without their letters."""
    bare = [one.numbers[0] for one in case.reading.named if one.level == BARE]
    is_long = all(sum(map(str.isdigit, number)) >= _LONG for number in bare)
    return not case.is_firm and not case.names(EXACT) and not (case.is_named and is_long)


def _is_most_of_it(case: Case) -> bool:
    """Nearly all of the orders, and no round sum: rather something taken off than a part paid."""
    due = sum(entry.open for entry in case.option.entries)
    return case.reading.minor * 100 > due * _MOST and coincidence(case.reading.minor) <= _CROOKED


def _is_unexplained(case: Case) -> bool:
    """Money that pays only a part is booked unseen only where the customer's own memo names the item exactly.

    Tax withheld is explained where the memo speaks of it and the rest is exactly what a usual rate leaves.
    """
    if case.option.stands in (DISCOUNT, ODD):
        return not (case.option.stands == DISCOUNT and w.WITHHELD in case.reading.words and case.is_named and case.is_firm)
    if case.option.stands == SOME and _is_most_of_it(case):
        return True
    return case.option.stands == SOME and not (
        case.is_firm
        and case.is_named
        and len(case.option.entries) == 1
        and not fits_beside(case.option.entries[0], case.own, case.reading.minor)
    )


def _has_other_digits(case: Case) -> bool:
    """The memo has a long number that says nothing to us: somebody meant something by it."""
    spans = [one.span for one in case.reading.named]
    return any(
        not any(start < run.end() and run.start() < end for start, end in spans)
        for run in _LONG_RUN.finditer(fold(case.reading.receipt.memo))
    )


def _is_loose_group(case: Case) -> bool:
    if case.option.stands == SUM and not case.option.named and _has_other_digits(case):
        return True
    return (
        case.option.stands == SUM
        and not case.option.named
        and (case.option.rivals > 0 or case.option.chance > case.policy.chance or not case.is_firm or case.fits_otherwise(4))
    )


def _is_sum_too(case: Case) -> bool:
    """The memo names nothing, and two other orders of the customer come to the same amount together.

    All of one order and all of two are as good as each other, and so are deposits where the memo speaks of one. Round
    amounts are met by more.
    """
    if case.names(EXACT, BARE, SLIP, END) or case.option.stands not in (WHOLE, PART, FEE, ROUNDING, EARLY):
        return False
    if coincidence(case.reading.minor) >= _ROUND:
        return case.fits_otherwise(2)
    return case.fits_otherwise(2, next_of if case.option.stands == PART else all_of)


def _is_two_things(case: Case) -> bool:
    """A difference in a group or an instalment, or instalments of several orders at once: too many ways to be right.

    Only where the customer's memo names every order, and nothing else comes to the amount, there is one.
    """
    if case.option.stands in (SUM_LESS, PART_LESS):
        return True
    is_told = case.is_firm and case.is_named and case.option.rivals == 0 and not case.names_other
    return case.option.stands in (SUM_FEE, SUM_PARTS, PART_FEE) and not (is_told and not case.fits_otherwise(3))


def _is_kept_by_stranger(case: Case) -> bool:
    return case.option.stands in (FEE, ROUNDING) and not case.is_firm


def _is_part_by_chance(case: Case) -> bool:
    """An instalment that neither the memo's words nor its numbers speak of."""
    return (
        case.option.stands == PART
        and (case.option.rivals > 0 or w.DEPOSIT not in case.reading.words)
        and not case.names(EXACT, BARE, SLIP)
    )


def _is_over_limit(case: Case) -> bool:
    return case.policy.limit is not None and from_minor(case.reading.minor, case.reading.receipt.currency) > case.policy.limit


def _is_closed(case: Case) -> bool:
    until = case.policy.closed_until
    return until is not None and case.reading.receipt.booked_on <= until


RULES: tuple[tuple[Callable[[Case], bool], Held], ...] = (
    (lambda case: case.policy.shadow, Held(code="shadow", says="试运行，只提建议", says_en="shadow mode proposes only")),
    (
        lambda case: case.reading.refused(case.option) > 0,
        Held(code="refused", says="这个付款人付这一单曾被否定", says_en="this payer was refused for this before"),
    ),
    (
        lambda case: case.option.stands == FOREIGN,
        Held(
            code="foreign",
            says="应收是另一币种，需按汇率核对",
            says_en="the item is in another currency, its rate is to be checked",
        ),
    ),
    (_is_again, Held(code="second_receipt", says="附言写的单据已经结清", says_en="the memo names a settled order")),
    (
        lambda case: bool(case.reading.words & {w.REFUND, w.REVERSAL}),
        Held(code="refund", says="附言像是退款或冲正", says_en="the memo speaks of a refund or reversal"),
    ),
    (
        lambda case: w.NOT_A_SALE in case.reading.words,
        Held(code="not_a_sale", says="附言不像货款", says_en="the memo does not speak of a sale"),
    ),
    (
        lambda case: w.WALLET in case.reading.words,
        Held(code="wallet", says="支付机构结算，需按账单核对", says_en="a payment provider's payout goes through its own bill"),
    ),
    (
        lambda case: w.ADVANCE in case.reading.words,
        Held(code="advance", says="附言写明是预存款", says_en="the memo says that it is money on account"),
    ),
    (
        lambda case: case.option.stands in (OVER, OVER_NEAR),
        Held(code="overpaid", says="付款超过未收金额", says_en="more is paid than is open"),
    ),
    (lambda case: case.names_other, Held(code="conflict", says="附言写的是另一单", says_en="the memo names another order")),
    (
        _has_strange,
        Held(code="unknown_number", says="附言中的单号不在账上", says_en="the memo names a number that is not in the book"),
    ),
    (
        lambda case: case.reading.who.is_person and not case.is_firm and not case.names(EXACT, BARE),
        Held(code="person", says="个人付款，尚无足够记录", says_en="a person pays, without enough confirmations"),
    ),
    (
        _is_weak_reference,
        Held(code="payer_unknown", says="付款人未确认，附言也没有单号", says_en="neither the payer nor a number is certain"),
    ),
    (
        _fits_another,
        Held(code="fits_another", says="金额不合这一单，却正合另一单", says_en="the amount is another order's, not this one's"),
    ),
    (_is_one_of_several, Held(code="several", says="附言说的是多单", says_en="the memo speaks of several orders")),
    (
        _is_either,
        Held(
            code="either", says="金额既是一单的全款，也是另一单的分期款", says_en="all of one order or an instalment of another"
        ),
    ),
    (
        _is_paid_deposit,
        Held(code="deposit_paid", says="附言写明是定金，而定金已付", says_en="the memo says deposit, which is paid already"),
    ),
    (_is_unexplained, Held(code="unexplained", says="差额无法解释", says_en="the difference is unexplained")),
    (
        _is_kept_by_stranger,
        Held(code="kept_by_stranger", says="有差额，付款人未确认", says_en="a difference, and the payer is not certain"),
    ),
    (
        _is_loose_group,
        Held(code="group", says="合计可能是巧合或另有组合", says_en="the sum may be an accident or has an alternative"),
    ),
    (
        _is_sum_too,
        Held(code="sum_too", says="另有几单合计也是这个金额", says_en="other orders come to the same amount together"),
    ),
    (_is_two_things, Held(code="two_things", says="合计另有差额或分期", says_en="a group with a difference or instalments")),
    (
        _is_part_by_chance,
        Held(
            code="instalment", says="像是分期款，但附言没有说明", says_en="looks like an instalment, which the memo does not say"
        ),
    ),
    (_is_closed, Held(code="closed", says="会计期间已关闭", says_en="the period is closed")),
    (_is_over_limit, Held(code="limit", says="超过自动入账限额", says_en="above the limit for automatic booking")),
)

DOUBT = Held(code="doubt", says="把握不足", says_en="not certain enough")
RIVAL = Held(code="rival", says="另有相近的可能", says_en="another possibility is nearly as likely")
NOTHING = Held(code="nothing_fits", says="没有合适的应收", says_en="nothing that is open fits")
CURRENCY = Held(code="currency", says="附言写明的应收是另一币种", says_en="the item that the memo names is in another currency")
TWICE = Held(code="twice", says="与前一笔收款完全相同", says_en="the same as a receipt before it")
QUEUE = Held(code="competition", says="另一笔收款也可能付这一项", says_en="another receipt may pay the same item")


def held(case: Case) -> Held | None:
    """Why a proposal is not booked unseen; none where it may be."""
    for rule, reason in RULES:
        if rule(case):
            return reason
    if case.second * case.policy.margin > case.probability:
        return RIVAL
    return DOUBT if case.probability < case.policy.auto else None
