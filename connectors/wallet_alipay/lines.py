"""The rows of a bill as movements on the wallet's account, and its totals compared with them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

import msgspec

from hub.sdk import PAYOUT, Bill, Cells, Grouping, Movement, Unread, Unreadable, cells, disagreement

from .notes import totals

_NONE = Decimal(0)
_WITHDRAWN = "提现"
_REFUND = "退款"
# What a platform puts before the merchant's own order number.
_PREFIX = re.compile(r"T\d{1,4}P(?=\w)")


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose bill it is."""

    account: str
    currency: str


Sums = dict[str, Decimal]
Reading = Callable[[Cells, Owner, Sums], Movement]


def trades(bill: Bill, owner: Owner, lines: Grouping) -> None:
    """业务明细: one line a payment or refund, net of the service fee, which is its charge."""
    _collect(bill, owner, lines, _trade)


def funds(bill: Bill, owner: Owner, lines: Grouping) -> None:
    """账务明细: one line a booking on the account, with the balance after it; its totals are compared."""
    _collect(bill, owner, lines, _booking)


def personal(bill: Bill, owner: Owner, lines: Grouping) -> None:
    """A person's bill. Its totals are not compared: it says itself that they are counted in another way."""
    _collect(bill, owner, lines, _own)


def _collect(bill: Bill, owner: Owner, lines: Grouping, reading: Reading) -> None:
    """Every row and every total; where a row cannot be read it is told, and the totals are not compared."""
    sums: Sums = defaultdict(Decimal)
    told: dict[str, Decimal] = {}
    pointer, whole = "", True
    for row in bill.below:
        written = [text for cell in row.cells if (text := cells.tidy(cell))]
        if not written or written[0].startswith(("#", "---")):
            found = dict(totals(",".join(written)))
            pointer = f"line {row.line}" if found else pointer
            told |= found
            continue
        try:
            lines.add(reading(bill.cells(row), owner, sums), currency=owner.currency)
        except Unreadable as problem:
            whole = False
            unread = Unread.because(problem, text=",".join(written), pointer=problem.pointer, account=owner.account)
            lines.add(unread, currency=owner.currency)
    wrong = disagreement(told, {name: sums.get(name, _NONE) for name in told}, pointer=pointer, account=owner.account)
    if wrong and whole and bill.kind.name == "funds":
        lines.add(wrong, currency=owner.currency)


def _order(row: Cells, *names: str) -> tuple[str, list[str]]:
    """The merchant's own order number, and, for the memo, how it is written where a platform has put something before it."""
    written = row.number(*names)
    own = _PREFIX.sub("", written, count=1)
    return own, [written] if own != written else []


# --- a merchant's trades ------------------------------------------------------------------------------------------


def _trade(row: Cells, owner: Owner, sums: Sums) -> Movement:
    """A payment, or a refund, whose amounts have a minus. The fee has a minus where it was kept."""
    received, fee = row.amount("商家实收"), row.amount("服务费") or _NONE
    if received is None:
        raise row.refuse("the row has no amount", "amount", row.text("支付宝交易号"), column="商家实收")
    booked_on, at = row.when("完成时间", "创建时间")
    order, as_written = _order(row, "商户订单号")
    refund, trade = row.text("业务类型") == _REFUND or received < 0, row.number("支付宝交易号")
    return Movement(
        booked_on=booked_on,
        at=at,
        amount=received + fee,
        currency=owner.currency,
        account=owner.account,
        party_account=row.text("对方账户"),
        memo=" ".join(filter(None, (row.text("商品名称"), row.text("备注"), *as_written))),
        reference=order,
        bank_reference=trade,
        end_to_end_id=row.number("退款批次号/请求号") if refund else "",
        code=row.text("业务类型"),
        charges=-fee,
        reversal=refund,
        undoes=trade if refund else "",
        pointer=row.pointer,
    )


# --- a merchant's account -----------------------------------------------------------------------------------------


def _booking(row: Cells, owner: Owner, sums: Sums) -> Movement:
    """A booking; what is withdrawn is what comes in at the bank. Money out is written with or without its minus."""
    into, out = row.amount("收入金额") or _NONE, abs(row.amount("支出金额") or _NONE)
    if not row.text("收入金额") and not row.text("支出金额"):
        raise row.refuse("the row has no amount", "amount", row.text("账务流水号"), column="收入金额")
    if into and out:
        raise row.refuse("the row has money in and money out at once", "two amounts", f"{into} / {out}", column="收入金额")
    booked_on, at = row.when("发生时间")
    order, as_written = _order(row, "商户订单号", "业务基础订单号")
    kind = " ".join(filter(None, (row.text("业务类型"), row.text("业务描述"))))
    line = Movement(
        booked_on=booked_on,
        at=at,
        amount=into - out,
        currency=owner.currency,
        account=owner.account,
        party_account=row.text("对方账号"),
        memo=" ".join(dict.fromkeys(filter(None, (row.text("商品名称"), row.text("备注"), *as_written)))),
        reference=order,
        bank_reference=row.number("账务流水号"),
        end_to_end_id=row.number("业务流水号"),
        code=PAYOUT if out and _WITHDRAWN in kind else row.text("业务类型"),
        balance=row.amount("账户余额"),
        reversal=bool(out) and _REFUND in kind,
        pointer=row.pointer,
    )
    for way, amount in (("收入", into), ("支出", out)):
        sums[f"{way}笔数"] += bool(amount)
        sums[f"{way}合计"] += amount
    return line


# --- a person's bill ----------------------------------------------------------------------------------------------


def _own(row: Cells, owner: Owner, sums: Sums) -> Movement:
    """What counts neither as income nor as expense moves nothing, and so does a trade that was closed."""
    amount, way, state = row.amount("金额"), row.text("收/支"), row.text("交易状态")
    if amount is None:
        raise row.refuse("the row has no amount", "amount", "", column="金额")
    signed = 0 * amount if state == "交易关闭" else {"收入": amount, "支出": -amount}.get(way, 0 * amount)
    booked_on, at = row.when("交易时间")
    order, as_written = _order(row, "商家订单号")
    return Movement(
        booked_on=booked_on,
        at=at,
        amount=signed,
        currency=owner.currency,
        account=owner.account,
        party_name=row.text("交易对方"),
        party_account=row.text("对方账号"),
        memo=" ".join(filter(None, (row.text("商品说明"), row.text("备注"), *as_written))),
        reference=order,
        bank_reference=row.number("交易订单号"),
        code=row.text("交易分类"),
        original_amount=None if signed else amount,
        original_currency="" if signed else owner.currency,
        pointer=row.pointer,
    )
