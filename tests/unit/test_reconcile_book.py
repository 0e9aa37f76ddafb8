"""Order books and histories as people export them: columns by name, rows that can be read, and reasons for those that cannot."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import Unreadable
from hub.reconcile import OrderBook, read_history, read_orders

CHINESE = "销售订单号,合同编号,发票号码,客户编码,客户名称,订单金额（元）,未收金额,币种,下单日期,到期日期,付款条件"


def orders(*lines: str, named: dict[str, str] | None = None, currency: str = "CNY", encoding: str = "utf-8") -> OrderBook:
    return read_orders("\n".join(lines).encode(encoding), currency=currency, named=named or {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_chinese_book_is_understood_by_its_column_names(encoding: str) -> None:
    """Names with units and full-width brackets, thousands separators, slashes in days; in any encoding that is met."""
    book = orders(
        "应收明细表",
        CHINESE,
        'DD-0001,HT-1,7700001,K1,苏州恒砺泵业有限公司,"12,800.00","￥6,400.00",人民币,2026/3/1,2026年4月1日,30%预付，70%发货前',
        '合计,,,,,"12,800.00","6,400.00",,,,',
        encoding=encoding,
    )

    (item,) = book.items
    assert (item.order, item.contract, item.invoice, item.customer) == ("DD-0001", "HT-1", "7700001", "K1")
    assert (item.amount, item.open, item.currency) == (Decimal("12800.00"), Decimal("6400.00"), "CNY")
    assert (item.ordered_on, item.due_on, item.payment_terms) == (date(2026, 3, 1), date(2026, 4, 1), "30/70")
    assert book.rows == 1 and book.unread == ()


def test_an_english_book_is_understood_too() -> None:
    """Blanks, case and punctuation of a name do not matter; a due date is not an order date."""
    book = orders(
        "Order Number;Customer;Amount Due;Total Amount;Currency;Due Date", "A-10001;Trinova Ltd;99.50;100;usd;2026-05-01"
    )

    (item,) = book.items
    assert (item.order, item.customer, item.customer_name) == ("A-10001", "Trinova Ltd", "Trinova Ltd")
    assert (item.amount, item.open, item.currency, item.due_on) == (Decimal("100.00"), Decimal("99.50"), "USD", date(2026, 5, 1))


def test_commas_in_amounts_do_not_hide_the_columns() -> None:
    """The separator is the one under which the columns are known, not the one that is written most."""
    book = orders("订单号;客户;未收", *(f"A{n};甲公司;1,234,567,890.12" for n in range(9)))

    assert {item.open for item in book.items} == {Decimal("1234567890.12")}


def test_a_workbook_is_read_like_a_text() -> None:
    """The sheet with the known columns is found; numbers and days of cells are exact."""
    workbook = openpyxl.Workbook()
    workbook.active.append(["说明"])
    sheet = workbook.create_sheet("应收")
    sheet.append(["单号", "客户", "金额", "未收", "到期日"])
    sheet.append([20260001, "无锡拓锋模具有限公司", 1234.56, 1234.56, date(2026, 6, 30)])
    body = io.BytesIO()
    workbook.save(body)

    (item,) = read_orders(body.getvalue(), currency="CNY", named={}).items

    assert (item.order, item.open, item.due_on) == ("20260001", Decimal("1234.56"), date(2026, 6, 30))


def test_a_column_that_is_needed_is_asked_for_by_name() -> None:
    """The refusal says which role is missing, what was found, what the columns are called, and what to write."""
    with pytest.raises(Unreadable) as refused:
        orders("订单号,客户,金额,剩余", "A1,甲公司,100,50")

    said = str(refused.value)
    assert "open_amount" in said and "--column open_amount=剩余" in said
    assert "order_no = 订单号" in said and "订单号 · 客户 · 金额 · 剩余" in said

    (item,) = orders("订单号,客户,金额,剩余", "A1,甲公司,100,50", named={"open_amount": "剩余"}).items
    assert (item.amount, item.open) == (Decimal("100.00"), Decimal("50.00"))


@pytest.mark.parametrize(
    ("named", "says"),
    [({"open_amount": "没有"}, "no column '没有'"), ({"remaining": "剩余"}, "no column word 'remaining'")],
)
def test_a_column_that_is_named_wrongly_is_told(named: dict[str, str], says: str) -> None:
    """A name that no column has, and a role that nobody knows, are refused with the choices."""
    with pytest.raises(Unreadable, match=says):
        orders("订单号,客户,未收,剩余", "A1,甲公司,100,50", named=named)


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff\xfe\x81" * 9, "只有一行字".encode(), b"<html></html>", b"1,2,3\n4,5,6\n", b"%PDF-1.7"]
)
def test_what_is_no_book_is_refused(body: bytes) -> None:
    """Nothing but a table with known names is taken for a book."""
    with pytest.raises(Unreadable):
        read_orders(body, currency="CNY", named={})


def test_a_bad_row_stops_no_other() -> None:
    """An amount finer than the currency, words for a number, no number, and digits that a spreadsheet ate: each is told with its line."""
    book = orders(
        "订单号,客户,未收,币种,日期",
        "A1,甲公司,100.005,CNY,2026-01-01",
        "A2,甲公司,many,CNY,2026-01-01",
        ",甲公司,1,CNY,2026-01-01",
        "6.22E+18,甲公司,1,CNY,2026-01-01",
        "A5,甲公司,1,CNY,2026-02-30",
        "A6,甲公司,1000,JPY,",
        "A7,甲公司,,CNY,",
    )

    assert [item.order for item in book.items] == ["A6"]
    assert [(one.pointer, one.rule) for one in book.unread] == [
        ("line 2", "open_amount"),
        ("line 3", "open_amount"),
        ("line 4", "order_no"),
        ("line 5", "lost digits"),
        ("line 6", "order_date"),
        ("line 8", "open_amount"),
    ]


def test_rows_of_one_order_are_its_instalments() -> None:
    """Each gets a receivable of its own; a row that stands there twice counts once; a paid row is remembered, a credit note kept."""
    book = orders(
        "订单号,客户,金额,未收",
        "A1,甲公司,30,30",
        "A1,甲公司,70,70",
        "A2,甲公司,50,50",
        "A2,甲公司,50,50",
        "A3,甲公司,80,0",
        "A4,甲公司,-20,-20",
    )

    assert [(item.receivable, item.open) for item in book.items] == [("A1/1", 30), ("A1/2", 70), ("A2", 50), ("A4", -20)]
    assert [one.order for one in book.settled] == ["A3"]
    assert book.repeated == 1


@pytest.mark.parametrize(
    ("written", "kept"), [("30/70", "30/70"), ("30%定金,70%提货", "30/70"), ("40/40", None), ("月结60天", "月结60天"), ("", None)]
)
def test_terms_that_make_no_whole_are_none(written: str, kept: str | None) -> None:
    """Terms go to the desk as written or as percentages; nonsense does not stop an order."""
    (item,) = orders("订单号,客户,未收,付款条件", f'A1,甲公司,100,"{written}"').items

    assert item.payment_terms == kept


@given(st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99999999999.99"), places=2))
def test_amounts_are_exact(amount: Decimal) -> None:
    """What is written is what is read, to the last cent, with or without thousands separators."""
    lines = [f'A{n},甲公司,"{text}"' for n, text in enumerate((f"{amount:f}", f"{amount:,}", f"¥{amount:,}"))]

    assert {item.open for item in orders("订单号,客户,未收", *lines).items} == {amount}


def test_a_history_tells_its_customer_by_number_name_or_order() -> None:
    """The customer is the book's; what was paid and is not in the book any more is remembered as settled."""
    book = orders("订单号,客户编码,客户名称,未收", "A1,K1,甲公司,100", "A2,K2,乙公司,100")
    history = read_history(
        "日期,付款人,付款账号,金额,客户名称,订单号\n"
        "2026-01-02,张三,6200,100.00,甲公司,A0\n"
        "2026-01-03,张三,6200,80.00,,A1\n"
        "2026-01-04,李四,,80.00,丙公司,\n"
        "2026-01-05,,,80.00,甲公司,\n".encode(),
        book,
        named={},
    )

    assert {(one.name, one.customer, one.times) for one in history.payers} == {("张三", "K1", 2), ("李四", "丙公司", 1)}
    assert [(one.order, one.customer, one.amount) for one in history.settled] == [("A0", "K1", Decimal("100.00"))]
    assert [one.pointer for one in history.unread] == ["line 5"]


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    """Whatever a file holds, it is read or refused."""
    try:
        book = read_orders(body, currency="CNY", named={})
    except Unreadable:
        return
    assert isinstance(book, OrderBook)
