"""The order book and the history of confirmed receipts, from files that people export."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

import msgspec

from hub import cells
from hub.core.errors import Invalid, Unreadable
from hub.core.money import minor_units
from hub.reconcile.columns import Role, Table, read_table
from hub.statements import Unread
from hub.tables import Row, lost_digits
from reconciliation.payments import OpenItem, Payer, Settled, added_up, instalments

T = TypeVar("T")

ORDERS = (
    Role("order_no", ("订单号", "订单编号", "销售订单号", "销售单号", "单号", "单据编号", "单据号", "order_no", "order number", "order id", "order", "sales order", "SO"), r"(订单|销售单|单据|送货单|出库单).*[号编]|order(no|number|id)"),
    Role("contract_no", ("合同号", "合同编号", "contract_no", "contract number", "contract"), r"合同.*[号编]|contract(no|number|id)"),
    Role("invoice_no", ("发票号", "发票号码", "发票编号", "invoice_no", "invoice number", "invoice"), r"发票.*[号编]|invoice(no|number|id)"),
    Role("customer_id", ("客户编号", "客户编码", "客户代码", "客户号", "客户id", "customer_id", "customer code", "customer no"), r"(客户|购货单位|往来单位).*(编|代码|号|id)|customer(id|code|no|number)"),
    Role("customer_name", ("客户", "客户名称", "客户全称", "购货单位", "购买方", "购方名称", "往来单位", "customer_name", "customer", "client", "buyer"), r"客户名|客户全称|购货单位|购买方|购方|往来单位|customername"),
    Role("open_amount", ("未收", "未收金额", "未收款", "未收余额", "应收余额", "余额", "未付金额", "未付", "未核销金额", "未结金额", "待收金额", "待收", "欠款", "open_amount", "open", "outstanding", "balance due", "amount due", "unpaid", "balance"), r"未收|未付|未核销|未结|待收|欠款|余额|outstanding|unpaid|openamount|amountdue"),
    Role("amount", ("金额", "订单金额", "总金额", "合同金额", "应收金额", "应收", "价税合计", "含税金额", "amount", "order amount", "total amount", "total"), r"^(?!.*(已收|已付|已开|预收|税额|折扣|不含税|paid|received|tax)).*(金额|总额|价税合计|应收$|amount|total)"),
    Role("currency", ("币种", "币别", "货币", "currency", "ccy"), r"币种|币别|currency"),
    Role("due_date", ("到期日", "到期日期", "应收日期", "付款到期日", "due_date", "due"), r"到期|应收日|duedate"),
    Role("order_date", ("日期", "订单日期", "下单日期", "下单日", "单据日期", "签订日期", "order_date", "date"), r"(订单|下单|单据|签订|开单|业务).*(日期|日)$|orderdate"),
    Role("payment_terms", ("付款条件", "收款条件", "付款方式", "结算方式", "付款比例", "payment_terms", "terms"), r"(付款|收款).*(条件|比例)|terms"),
)  # fmt: skip
HISTORY = (
    Role("payer_name", ("付款人", "付款户名", "付款方", "付款单位", "付款人名称", "对方户名", "payer_name", "payer"), r"付款(人|方|单位|户名)|对方(户名|名称)|payername"),
    Role("payer_account", ("付款账号", "付款账户", "付款人账号", "对方账号", "对方账户", "payer_account", "account"), r"(付款|对方).*[账帐][号户]|payeraccount"),
    Role("customer_id", ORDERS[3].names, ORDERS[3].like),
    Role("customer_name", ORDERS[4].names, ORDERS[4].like),
    Role("order_no", ORDERS[0].names, ORDERS[0].like),
    Role("date", ("日期", "收款日期", "到账日期", "入账日期", "交易日期", "date"), r"(收款|到账|入账|交易).*日"),
    Role("amount", ("金额", "收款金额", "到账金额", "amount"), r"金额|amount"),
)  # fmt: skip
_OPTION = "--column "


class OrderBook(msgspec.Struct, frozen=True, kw_only=True):
    """What is open, what the book says is paid, and what was left out of it with the reason."""

    items: tuple[OpenItem, ...]
    settled: tuple[Settled, ...]
    rows: int
    columns: Mapping[str, str]
    unread: tuple[Unread, ...] = ()
    repeated: int = 0


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Who paid for whom, and the orders that these receipts paid."""

    payers: tuple[Payer, ...]
    settled: tuple[Settled, ...]
    rows: int
    columns: Mapping[str, str]
    unread: tuple[Unread, ...] = ()


def read_orders(body: bytes, *, currency: str, named: Mapping[str, str]) -> OrderBook:
    """The order book in a CSV, XLS or XLSX file; `currency` stands in where no column tells it. Raises `Unreadable`."""
    needed = (("order_no", "contract_no", "invoice_no"), ("customer_name", "customer_id"), ("open_amount",))
    table = read_table(body, ORDERS, what="order book", option=_OPTION, named=named, needed=needed)
    rows, unread = _each(table, lambda row: _order(table, row, currency))
    distinct = list(dict.fromkeys(rows))
    items = _numbered([one for one in distinct if one.open != 0])
    return OrderBook(
        items=tuple(items),
        settled=tuple(_settled(one) for one in distinct if one.open == 0),
        rows=len(rows) + len(unread),
        columns={role: table.title(role) for role in table.places},
        unread=tuple(unread),
        repeated=len(rows) - len(distinct),
    )


def read_history(body: bytes, book: OrderBook, *, named: Mapping[str, str]) -> History:
    """Earlier receipts that people confirmed. A customer is told by its number, its name, or an order of the book. Raises `Unreadable`."""
    needed = (("payer_name", "payer_account"), ("customer_id", "customer_name", "order_no"))
    table = read_table(body, HISTORY, what="history", option=_OPTION + "history.", named=named, needed=needed)
    told = [one for one in book.items if one.customer is not None]
    by_name = {one.customer_name: one.customer for one in told if one.customer_name}
    by_order = {one.order: one.customer for one in told}
    rows, unread = _each(table, lambda row: _payer(table, row, by_name, by_order))
    known = {*(one.order for one in book.items), *(one.order for one in book.settled)}
    settled = {one.order: one for _, one in rows if one is not None and one.order not in known}
    return History(
        payers=tuple(added_up(payer for payer, _ in rows)),
        settled=tuple(settled.values()),
        rows=len(rows) + len(unread),
        columns={role: table.title(role) for role in table.places},
        unread=tuple(unread),
    )


def _each(table: Table, parse: Callable[[Row], T]) -> tuple[list[T], list[Unread]]:
    """Every row that can be read, and every one that cannot with its reason: one bad row stops no other."""
    rows, unread = [], []
    for row in table.filled():
        try:
            rows.append(parse(row))
        except Unreadable as problem:
            unread.append(Unread.because(problem, text=" | ".join(row.cells), pointer=problem.pointer))
    return rows, unread


def _cell(table: Table, row: Row, role: str, parse: Callable[[str], T]) -> T:
    """The cell, parsed. Raises `Unreadable` with its line and column."""
    text = table.cell(row, role)
    try:
        return parse(text)
    except cells.BadCell as bad:
        raise Unreadable(
            happened=f"{table.title(role)} is not {bad}",
            next="correct the cell and run it again",
            rule=role,
            pointer=f"line {row.line}",
            value=text[:80],
        ) from bad


def _day(text: str) -> date | None:
    return None if cells.is_empty(text) else cells.day(text)[0]


def _number(table: Table, row: Row, role: str) -> str | None:
    text = table.cell(row, role)
    if lost_digits(text):
        raise Unreadable(
            happened=f"{table.title(role)} was shortened by a spreadsheet program; its digits are gone",
            next="export the file again and do not open it in between",
            rule="lost digits",
            pointer=f"line {row.line}",
            value=text,
        )
    return text or None


def _order(table: Table, row: Row, fallback: str) -> OpenItem:
    currency = _cell(table, row, "currency", cells.currency) or fallback
    contract, invoice = _number(table, row, "contract_no"), _number(table, row, "invoice_no")
    order = _number(table, row, "order_no") or contract or invoice
    customer_id, name = _number(table, row, "customer_id"), table.cell(row, "customer_name") or None
    open_amount = _cell(table, row, "open_amount", lambda text: cells.amount(text, places=minor_units(currency)))
    if order is None or open_amount is None:
        raise Unreadable(
            happened="the row has no number" if order is None else f"{table.title('open_amount')} is empty",
            next="fill it in and run it again",
            rule="order_no" if order is None else "open_amount",
            pointer=f"line {row.line}",
        )
    amount = _cell(table, row, "amount", lambda text: cells.amount(text, places=minor_units(currency)))
    if amount is None or abs(amount) < abs(open_amount):
        amount = open_amount
    return OpenItem(
        receivable=order,
        order=order,
        contract=contract,
        invoice=invoice,
        customer=customer_id or name,
        customer_name=name,
        amount=amount,
        open=open_amount,
        currency=currency,
        ordered_on=_cell(table, row, "order_date", _day),
        due_on=_cell(table, row, "due_date", _day),
        payment_terms=_terms(table.cell(row, "payment_terms"), amount, currency),
    )


def _terms(written: str, amount: Decimal, currency: str) -> str | None:
    """The terms as the desk reads them: as written, or `30/70` where words stand between percentages. Terms that make no whole are none."""
    percents = re.findall(r"(\d+(?:\.\d+)?)%", unicodedata.normalize("NFKC", written))
    terms = "/".join(percents) if len(percents) > 1 else written
    try:
        instalments(abs(amount), currency, terms)
    except Invalid:
        return None
    return terms or None


def _numbered(items: list[OpenItem]) -> Iterator[OpenItem]:
    """Rows of one order are its instalments, each with a receivable of its own; terms are then told by the rows themselves."""
    often = Counter(item.order for item in items)
    seen: Counter[str] = Counter()
    for item in items:
        seen[item.order] += 1
        if often[item.order] == 1:
            yield item
        else:
            place = seen[item.order]
            yield msgspec.structs.replace(item, receivable=f"{item.order}/{place}", position=place, payment_terms=None)


def _settled(item: OpenItem) -> Settled:
    return Settled(
        receivable=item.receivable,
        order=item.order,
        amount=item.amount,
        currency=item.currency,
        customer=item.customer,
        contract=item.contract,
        invoice=item.invoice,
    )


def _payer(
    table: Table, row: Row, by_name: Mapping[str, str | None], by_order: Mapping[str, str | None]
) -> tuple[Payer, Settled | None]:
    name, account = table.cell(row, "payer_name"), _number(table, row, "payer_account")
    customer_name, order = table.cell(row, "customer_name"), _number(table, row, "order_no")
    customer = _number(table, row, "customer_id") or by_name.get(customer_name) or customer_name or by_order.get(order or "")
    if not customer or not (name or account):
        raise Unreadable(
            happened="the row does not tell the customer" if not customer else "the row does not tell the payer",
            next="fill it in and run it again",
            rule="customer" if not customer else "payer",
            pointer=f"line {row.line}",
        )
    on = _cell(table, row, "date", _day)
    payer = Payer(name=name, account=account, customer=customer, last_seen=on)
    amount = _cell(table, row, "amount", lambda text: cells.amount(text, places=4))
    if order is None or amount is None:
        return payer, None
    return payer, Settled(receivable=order, order=order, amount=amount, customer=customer, settled_on=on)
