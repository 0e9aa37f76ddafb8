"""Payouts of wallets and acquirers: what one pays is in its bill, line by line, and never found by sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from hub.core.money import to_minor
from hub.core.vocabulary import Reason, Receipt, ShareOf
from reconciliation.payments.book import Book, Entry
from reconciliation.payments.candidates import WHOLE, Option
from reconciliation.payments.laying import Laying
from reconciliation.payments.policy import Policy
from reconciliation.payments.text import compact
from reconciliation.payments.values import Held, Match


class BillLine(msgspec.Struct, frozen=True, kw_only=True):
    """One payment of the bill: the number of our order that the provider was given, what the buyer paid, what the provider kept."""

    order: str
    amount: Decimal
    fee: Decimal = Decimal(0)


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's bill for one payout; a refund is a line below zero."""

    bill: str
    lines: tuple[BillLine, ...]
    currency: str = "CNY"

    @property
    def paid_out(self) -> Decimal:
        """What the payout should be: all that buyers paid, less what was kept."""
        return sum((line.amount - line.fee for line in self.lines), Decimal(0))


OTHER_SUM = Held(code="bill_sum", says="到账金额与账单不符", says_en="the payout is not what the bill comes to")
UNKNOWN_LINE = Held(
    code="bill_line",
    says="账单中有未识别的单号、退款或超额",
    says_en="a line of the bill is no open order's, or more than is open",
)
NOT_NOW = Held(code="policy", says="试运行、超限额或期间已关闭", says_en="shadow mode, above the limit, or a closed period")


def by_bill(receipt: Receipt, bill: Bill, book: Book, policy: Policy) -> Match:
    """The orders that a payout pays, by its bill: automatic only where every line is an open order's and the sum is the receipt."""
    shares, is_whole = _shares(bill, book, receipt.currency)
    why = _held(receipt, bill, policy, is_whole=is_whole)
    says = f"支付机构账单 {bill.bill} 共 {len(bill.lines)} 笔"
    return Match(
        receipt=receipt.receipt,
        lane="open" if not shares else "review" if why else "auto",
        probability=1.0 if why is None else 0.5 if shares else 0.0,
        shares=tuple(shares),
        reasons=(Reason(ladder="bill", level="named", weight=0.0, says=says),),
        reasons_en=(f"the provider's bill {bill.bill} has {len(bill.lines)} lines",),
        held=why,
        policy=policy.version,
    )


def _held(receipt: Receipt, bill: Bill, policy: Policy, *, is_whole: bool) -> Held | None:
    if bill.currency != receipt.currency or bill.paid_out != receipt.amount:
        return OTHER_SUM
    if not is_whole:
        return UNKNOWN_LINE
    is_closed = policy.closed_until is not None and receipt.booked_on <= policy.closed_until
    is_large = policy.limit is not None and receipt.amount > policy.limit
    return NOT_NOW if policy.shadow or is_closed or is_large else None


def _shares(bill: Bill, book: Book, currency: str) -> tuple[list[ShareOf], bool]:
    """What each line gives to its order, and whether every line could be given in full."""
    laying, left = Laying(), dict[str, int]()
    shares: list[ShareOf] = []
    is_whole = True
    for entry, paid, kept in _lines(bill, book, currency):
        if entry is None or not 0 <= kept < paid <= left.setdefault(entry.key, entry.open):
            is_whole = False
            continue
        left[entry.key] -= paid
        shares += _named_fee(laying.shares(Option((entry,), (paid - kept,), WHOLE, kept=kept)))
    return shares, is_whole


def _lines(bill: Bill, book: Book, currency: str) -> Iterator[tuple[Entry | None, int, int]]:
    for line in bill.lines:
        found = [entry for entry in book.named(compact(line.order)) if entry.currency == currency and not entry.is_credit]
        yield (found[0] if len(found) == 1 else None), to_minor(line.amount, currency), to_minor(line.fee, currency)


def _named_fee(shares: Sequence[ShareOf]) -> list[ShareOf]:
    return [msgspec.structs.replace(share, booked_as="provider_fee" if share.difference else None) for share in shares]
