"""The demo's own order book and bank statement, made from fixed numbers: the same every time, and nobody real in them."""

from __future__ import annotations

import csv
import io
import random
from datetime import date, timedelta
from decimal import Decimal

import msgspec

_PLACES = ("苏州", "无锡", "常州", "宁波", "嘉兴", "东莞", "佛山", "青岛", "合肥", "芜湖", "昆山", "绍兴", "台州", "烟台")
_BRANDS = (
    "恒砺", "拓锋", "铭朴", "沪岚", "强楷", "三禾", "东沐", "泽锐", "启钧", "博骐", "尚衡", "云湛", "瑞钛", "汇钜", "安迈", "力诺",
    "佳磊", "信昂", "荣驰", "精拓", "中迅", "广屹", "德仓", "金硕", "海屿", "立坤", "永砼", "华砺", "盛锜", "天枢",
)  # fmt: skip
_TRADES = ("精密机械", "智能装备", "泵业", "液压件", "五金制品", "自动化设备", "模具", "阀门", "传动科技", "光电")
_FORMS = ("有限公司", "股份有限公司")
_TERMS = ("100", "30/70", "50/50", "100", "100")
_STRANGERS = ("某某供电局", "国家税务局退税专户", "城南物业管理处", "平安办公用品商行", "中汇广告社")

FIRST_DAY = date(2026, 11, 2)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the order book."""

    order_no: str
    contract_no: str
    invoice_no: str
    customer_id: str
    customer_name: str
    amount: Decimal
    order_date: date
    due_date: date
    payment_terms: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the statement. `pays` names the orders it is for: empty for a stranger, `None` where nobody could tell."""

    reference: str
    day: date
    payer: str
    account: str
    memo: str
    credit: Decimal | None = None
    debit: Decimal | None = None
    pays: tuple[str, ...] | None = ()


def order_book(count: int = 320) -> list[Order]:
    """Orders of some sixty customers."""
    dice = random.Random(20261101)  # noqa: S311 - a sample, not a secret
    customers = [
        (f"C{number:04d}", f"{_PLACES[number % len(_PLACES)]}{brand}{dice.choice(_TRADES)}{_FORMS[number % 7 == 0]}")
        for number, brand in enumerate(_BRANDS * 2, start=1)
    ]
    orders = []
    for number in range(count):
        id_, name = customers[dice.randrange(len(customers))]
        placed = FIRST_DAY - timedelta(days=dice.randrange(20, 70))
        orders.append(
            Order(
                order_no=f"SO-2610-{number:04d}",
                contract_no=f"HT2610{number:05d}",
                invoice_no=f"{25_400_000 + number * 7}",
                customer_id=id_,
                customer_name=name,
                amount=Decimal(dice.randrange(12, 400)) * Decimal(dice.choice(("48.50", "1200.00", "315.00", "99.90"))),
                order_date=placed,
                due_date=placed + timedelta(days=dice.choice((30, 45, 60))),
                payment_terms=dice.choice(_TERMS),
            )
        )
    return orders


def statement_rows(orders: list[Order], count: int = 310) -> list[Row]:
    """A month of one account: receipts with and without numbers, short names, strangers, money going out."""
    dice = random.Random(20261102)  # noqa: S311
    left = orders[:]
    dice.shuffle(left)
    rows: list[Row] = []
    for number in range(count):
        day = FIRST_DAY + timedelta(days=number // 16)
        reference = f"2611{number:08d}"
        kind = dice.choices(
            ("numbered", "contract", "named", "several", "stranger", "out", "unknown"), (40, 20, 12, 6, 6, 12, 4)
        )[0]
        rows.append(_row(kind, reference, day, left, dice))
    return rows


def _row(kind: str, reference: str, day: date, left: list[Order], dice: random.Random) -> Row:
    if kind == "out" or len(left) < 4:
        amount = Decimal(dice.randrange(100, 9000))
        return Row(reference=reference, day=day, payer="供应商结算户", account="62000008", memo="采购款", debit=amount)
    if kind == "stranger":
        payer = dice.choice(_STRANGERS)
        return Row(
            reference=reference, day=day, payer=payer, account="62000009", memo="退费", credit=Decimal(dice.randrange(10, 900))
        )
    order = left.pop()
    account = f"6200000{order.customer_id[1:]}"
    if kind == "unknown":  # a customer pays what is not in the book
        amount = order.amount + Decimal("3333.33")
        return Row(
            reference=reference, day=day, payer=order.customer_name, account=account, memo="货款", credit=amount, pays=None
        )
    if kind == "several":
        second = next((one for one in left if one.customer_id == order.customer_id), None)
        if second is not None:
            left.remove(second)
            memo = f"货款 {order.order_no}、{second.order_no}"
            amount, pays = order.amount + second.amount, (order.order_no, second.order_no)
            return Row(
                reference=reference, day=day, payer=order.customer_name, account=account, memo=memo, credit=amount, pays=pays
            )
    memo = {"numbered": f"付{order.order_no}货款", "contract": f"合同{order.contract_no}"}.get(kind, "货款")
    return Row(
        reference=reference,
        day=day,
        payer=order.customer_name,
        account=account,
        memo=memo,
        credit=order.amount,
        pays=(order.order_no,),
    )


def orders_csv(orders: list[Order]) -> bytes:
    """The order book as UTF-8 CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "order_no",
            "contract_no",
            "invoice_no",
            "customer_id",
            "customer_name",
            "amount",
            "open_amount",
            "currency",
            "order_date",
            "due_date",
            "payment_terms",
        ]
    )
    for one in orders:
        amount = f"{one.amount:.2f}"
        writer.writerow(
            [
                one.order_no,
                one.contract_no,
                one.invoice_no,
                one.customer_id,
                one.customer_name,
                amount,
                amount,
                "CNY",
                one.order_date,
                one.due_date,
                one.payment_terms,
            ]
        )
    return out.getvalue().encode()


def statement_csv(rows: list[Row]) -> bytes:
    """The statement as a bank's GB18030 export: an account line, split columns, thousands separators, a total line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["账号:", "1109 0000 0000 101", "户名:", "枢纽样板机械有限公司"])
    writer.writerow(
        ["交易日期", "交易时间", "借方金额", "贷方金额", "账户余额", "对方户名", "对方账号", "摘要", "附言", "交易流水号"]
    )
    balance, paid, received = Decimal("1000000.00"), Decimal(0), Decimal(0)
    for number, row in enumerate(rows):
        balance += (row.credit or 0) - (row.debit or 0)
        paid, received = paid + (row.debit or 0), received + (row.credit or 0)
        time = f"{8 + number % 9:02d}:{number % 60:02d}:{number * 7 % 60:02d}"
        writer.writerow(
            [
                row.day,
                time,
                _text(row.debit),
                _text(row.credit),
                _text(balance),
                row.payer,
                row.account,
                "转账",
                row.memo,
                row.reference,
            ]
        )
    writer.writerow(["合计", "", _text(paid), _text(received), "", "", "", "", "", ""])
    return out.getvalue().encode("gb18030")


def _text(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,.2f}"
