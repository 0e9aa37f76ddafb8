"""The rows of a bill as movements on the wallet's account, and its totals compared with them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from hub.sdk import PAYOUT, Bill, Cells, Grouping, Movement, Row, Unread, Unreadable, cells, disagreement, named

_NONE = Decimal(0)
_FEE = re.compile(r"服务费\s*[¥￥]?\s*([\d.,]+)")
_WITHDRAWN = "提现"
_REFUND = "退款"


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose bill it is, where the bill does not say."""

    account: str
    currency: str


Sums = dict[str, Decimal]
Reading = Callable[[Cells, Owner, Sums], Movement]


def trades(bill: Bill, owner: Owner, lines: Grouping) -> None:
    """交易账单: one line a payment or refund, net of the fee, which is its charge."""
    _collect(bill, owner, lines, _trade, ends="总交易单数")


def funds(bill: Bill, owner: Owner, lines: Grouping) -> None:
    """资金账单: one line a booking on the account, with the balance after it."""
    _collect(bill, owner, lines, _booking, ends="资金流水总笔数")


def personal(bill: Bill, owner: Owner, lines: Grouping) -> None:
    """A person's bill. Its totals are not compared: they leave out what was deleted."""
    _collect(bill, owner, lines, _own, ends="")


def _collect(bill: Bill, owner: Owner, lines: Grouping, reading: Reading, *, ends: str) -> None:
    """Every row until the totals; a row that cannot be read is told, and the totals are then not compared."""
    sums: Sums = defaultdict(Decimal)
    account, whole = owner.account, True
    for row in bill.below:
        if not any(cells.tidy(cell) for cell in row.cells):
            continue
        if ends and cells.header_name(row.cells[0]) == ends:
            _compare(bill, row, lines, sums, account=account, currency=owner.currency, whole=whole)
            return
        try:
            line = reading(bill.cells(row), owner, sums)
            account = line.account
            lines.add(line, currency=line.currency)
        except Unreadable as problem:
            whole = False
            text = ",".join(map(cells.tidy, row.cells))
            account = _merchant(bill, row) or account
            told = Unread.because(problem, text=text, pointer=problem.pointer, account=account)
            lines.add(told, currency=owner.currency)


def _merchant(bill: Bill, row: Row) -> str:
    """Whose row it is, though it cannot be read. The column stands before those in which a comma may part a cell."""
    place = bill.columns.get("商户号", -1)
    return cells.tidy(row.cells[place]) if 0 <= place < len(row.cells) else ""


def _compare(
    bill: Bill, header: Row, lines: Grouping, sums: Mapping[str, Decimal], *, account: str, currency: str, whole: bool
) -> None:
    """The totals stand in one row under names of their own; a count may be written 20.0."""
    below = next(bill.below, None)
    if below is None or not whole:
        return
    columns = named(header.cells)
    try:
        row = Cells(below, columns)
        told = {name: row.amount(name) for name in columns}
    except Unreadable as problem:
        lines.add(
            Unread.because(problem, text=",".join(below.cells), pointer=problem.pointer, account=account), currency=currency
        )
        return
    found = {name: sums.get(name, _NONE) for name in columns}
    wrong = disagreement(
        {name: value for name, value in told.items() if value is not None}, found, pointer=f"line {below.line}", account=account
    )
    if wrong:
        lines.add(wrong, currency=currency)


# --- a merchant's trades ------------------------------------------------------------------------------------------


def _trade(row: Cells, owner: Owner, sums: Sums) -> Movement:
    """A payment, or a refund where it has a refund's number.

    The fee of a refund is given back and has a minus. What the payer paid, or got back, is the amount and the charges together.
    """
    refund = row.number("微信退款单号")
    paid, returned = row.amount("应结订单金额", "订单金额"), row.amount("退款金额") or _NONE
    fee = row.amount("手续费") or _NONE
    if (paid is None and not refund) or (refund and not returned):
        raise row.refuse(
            "the row has no amount", "amount", row.text("微信订单号"), column="退款金额" if refund else "应结订单金额"
        )
    booked_on, at = row.when("退款成功时间", "交易时间") if refund else row.when("交易时间")
    account, currency = row.number("商户号") or owner.account, row.currency("货币种类", owner.currency)
    memo, trade = " ".join(filter(None, (row.text("商品名称"), row.text("商户数据包")))), row.number("微信订单号")
    _count_trade(row, sums, fee)
    return Movement(
        booked_on=booked_on,
        at=at,
        amount=(-returned if refund else paid or _NONE) - fee,
        currency=currency,
        account=account,
        party_account=row.text("用户标识"),
        party_bank=row.text("付款银行"),
        memo=memo,
        reference=row.number("商户订单号"),
        bank_reference=refund or trade,
        code=row.text("交易类型"),
        charges=fee,
        reversal=bool(refund),
        undoes=trade if refund else "",
        pointer=row.pointer,
    )


def _count_trade(row: Cells, sums: Sums, fee: Decimal) -> None:
    """What the totals below the trades add up."""
    sums["总交易单数"] += 1
    sums["手续费总金额"] += fee
    added = {"应结订单总金额": "应结订单金额", "退款总金额": "退款金额", "充值券退款总金额": "充值券退款金额"}
    for total, column in (added | {"订单总金额": "订单金额", "申请退款总金额": "申请退款金额"}).items():
        sums[total] += row.amount(column) or _NONE


# --- a merchant's account -----------------------------------------------------------------------------------------


def _booking(row: Cells, owner: Owner, sums: Sums) -> Movement:
    """A booking; what is withdrawn is what comes in at the bank."""
    amount, way = row.amount("收支金额"), row.text("收支类型")
    if amount is None or way not in ("收入", "支出"):
        raise row.refuse("the row is neither money in nor money out", "direction", f"{way} {amount}", column="收支类型")
    booked_on, at = row.when("记账时间")
    kind = " ".join(filter(None, (row.text("业务名称"), row.text("业务类型"))))
    signed = amount if way == "收入" else -amount
    line = Movement(
        booked_on=booked_on,
        at=at,
        amount=signed,
        currency=owner.currency,
        account=owner.account,
        memo=" ".join(dict.fromkeys(filter(None, (row.text("业务名称"), row.text("备注"))))),
        reference=row.number("业务凭证号"),
        bank_reference=row.number("资金流水单号"),
        end_to_end_id=row.number("微信支付业务单号"),
        code=PAYOUT if signed < 0 and _WITHDRAWN in kind else row.text("业务类型"),
        balance=row.amount("账户结余"),
        reversal=signed < 0 and _REFUND in kind,
        pointer=row.pointer,
    )
    for name, value in (("资金流水总笔数", Decimal(1)), (f"{way}笔数", Decimal(1)), (f"{way}金额", amount)):
        sums[name] += value
    return line


# --- a person's bill ----------------------------------------------------------------------------------------------


def _own(row: Cells, owner: Owner, sums: Sums) -> Movement:
    """What counts neither as income nor as expense moves nothing, unless it was withdrawn to a bank account."""
    amount, way = row.amount("金额"), row.text("收/支")
    if amount is None:
        raise row.refuse("the row has no amount", "amount", "", column="金额")
    kind = row.text("交易类型")
    withdrawn = not way and _WITHDRAWN in kind
    signed = amount if way == "收入" else -amount if way == "支出" or withdrawn else 0 * amount
    fee = _FEE.search(row.text("备注"))
    booked_on, at = row.when("交易时间")
    return Movement(
        booked_on=booked_on,
        at=at,
        amount=signed,
        currency=owner.currency,
        account=owner.account,
        party_name=row.text("交易对方"),
        party_bank=row.text("支付方式") if withdrawn else "",
        memo=" ".join(filter(None, (kind, row.text("商品"), row.text("备注")))),
        reference=row.number("商户单号"),
        bank_reference=row.number("交易单号"),
        code=PAYOUT if withdrawn else kind,
        charges=cells.amount(fee[1], places=2) or _NONE if fee and withdrawn else _NONE,
        original_amount=None if signed else amount,
        original_currency="" if signed else owner.currency,
        pointer=row.pointer,
    )
