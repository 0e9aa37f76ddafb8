"""Every layout reads what it names; a layout that nobody knows is met with a guess that reads it."""

from __future__ import annotations

import csv
import io
import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bank_csv.connector import Connector
from connectors.bank_csv.profiles import Profile, profiles
from hub.core.manifest import read_manifest
from hub.sdk import Movement, Read, Statement, Unread, Unreadable
from hub.testing import context_for

FOLDER = Path(__file__).parents[1]
MANIFEST = read_manifest(FOLDER / "manifest.toml")
SHARED = Path(__file__).parents[3].parent / "shared" / "data"
# What stands in a cell of a row in which 1,234.50 came in; a layout fills in what it has columns for.
CAME_IN = {
    "date": "2026-03-02", "time": "08:03:25", "booked": "2026-03-02", "value_date": "2026-03-03", "credit": "1,234.50", "debit": "",
    "balance": "9,999.00", "currency": "人民币", "account": "330000000000777", "party_name": "甲公司", "party_account": "32001",
    "party_bank": "某行", "payer_name": "甲公司", "payer_account": "32001", "payer_bank": "某行", "payee_name": "本公司",
    "payee_account": "330000000000777", "payee_bank": "本行", "party_glued": "甲公司32001999", "memo": "货款", "serial": "T-1",
    "reference": "R-1", "reversal": "",
}  # fmt: skip


def connector(**settings: object) -> Connector:
    return Connector(context_for(MANIFEST, settings=settings))


def as_csv(rows: list[list[str]], delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def read(body: bytes, **settings: object) -> list[Read]:
    return list(connector(**settings).statements("a.csv", io.BytesIO(body)))


def lines(found: list[Read]) -> list[Movement]:
    return [one for one in found if isinstance(one, Movement)]


def table_of(profile: Profile) -> list[list[str]]:
    """A header of everything that the layout names, and one row of it, as the bank writes it."""
    cells = dict(CAME_IN)
    if profile.day_first:
        cells["date"] = "02/03/2026"
    sign = "" if profile.positive == "in" else "-"
    cells["amount"] = f"{sign}1,234.50"
    cells["direction"] = "收入" if profile.name == "jd_personal" else "来账" if profile.name == "boc" else "贷"
    names: dict[str, str] = {}
    for role, aliases in profile.columns.items():
        names.setdefault(aliases[0], cells.get(role, ""))
    for name in profile.signature:
        names.setdefault(name, "")
    return [["2026年03月 对账单"], list(names), list(names.values())]


@pytest.mark.parametrize("profile", profiles(), ids=lambda one: f"{one.name}-{one.bank_name}")
def test_every_layout_reads_what_it_names(profile: Profile) -> None:
    """A file with the columns of a layout is recognised as it, and money in is money in on its day."""
    body = as_csv(table_of(profile))

    found = read(body)

    line, statement = lines(found)[0], found[-1]
    assert isinstance(statement, Statement) and connector().recognises("a.csv", body)
    assert statement.format == profile.name or not profile.signature
    assert (line.amount, line.booked_on.isoformat(), line.currency) == (Decimal("1234.50"), "2026-03-02", "CNY")
    assert not ({"party_name", "payer_name", "party_glued"} & set(profile.columns)) or line.party_name == "甲公司"


def test_every_layout_can_be_chosen() -> None:
    """The manifest offers exactly the layouts that there are."""
    offered = set(MANIFEST.settings["profile"].choices) - {""}

    assert offered == {profile.name for profile in profiles()}


def test_a_bill_whose_days_have_no_year_takes_it_from_its_title() -> None:
    """A later month than the title's is of the year before; without a title no day can be told."""
    header = ["交易日", "记账日", "交易摘要", "人民币金额", "卡号末四位", "交易地金额"]
    rows = [["", "12/29", "还款", "-1.23", "1", "-1.23"], ["01/02", "01/03", "消费", "56.78", "1", "56.78"]]

    titled = read(as_csv([["信用卡对账单（2026年01月）"], header, *rows]))
    untitled = read(as_csv([header, *rows]))

    assert [(one.booked_on.isoformat(), one.amount) for one in lines(titled)] == [
        ("2025-12-29", Decimal("1.23")),
        ("2026-01-03", Decimal("-56.78")),
    ]
    assert [one.rule for one in untitled if isinstance(one, Unread)] == ["day", "day"]


def test_what_counts_as_neither_moves_nothing_and_a_refund_lessens_its_payment() -> None:
    """As in the totals that the bill has above its header."""
    header = [
        "交易时间",
        "商户名称",
        "交易说明",
        "金额",
        "收/付款方式",
        "交易状态",
        "收/支",
        "交易分类",
        "交易订单号",
        "商家订单号",
        "备注",
    ]
    rows = [
        ["2026-03-01 10:00:00", "某店", "卫衣", "131.77(已退款89.84)", "卡", "交易成功", "支出", "", "1", "2", ""],
        ["2026-03-02 10:00:00", "某店", "退款", "89.84", "卡", "退款成功", "不计收支", "", "1", "2", ""],
        ["2026-03-03 10:00:00", "某店", "夹克", "70.00(已全额退款)", "卡", "交易成功", "支出", "", "3", "4", ""],
    ]

    found = lines(read(as_csv([header, *rows])))

    assert [one.amount for one in found] == [Decimal("-41.93"), Decimal(0), Decimal(0)]
    assert found[1].original_amount == Decimal("89.84")


@pytest.mark.parametrize(
    ("ibans", "account", "statements"), [(("DE1", "DE1"), "DE1", 1), (("DE1", "DE2"), "", 1), (("DE1",), "", 1)]
)
def test_a_number_that_every_row_has_is_our_account(ibans: tuple[str, ...], account: str, statements: int) -> None:
    """An IBAN may be either side's: ours where all rows have the same. Commas may be decimal marks."""
    rows = [["2026-03-20", "x", "1.250,50", "", "EUR", "2250,50", iban] for iban in ibans]
    body = as_csv([["Booking Date", "Details", "Credit", "Debit", "CCY", "Running Balance", "IBAN"], *rows], ";")

    found = read(body)

    told = [one for one in found if isinstance(one, Statement)]
    assert [one.account for one in told] == [account] * statements
    assert {one.amount for one in lines(found)} == {Decimal("1250.50")}


def test_an_english_amount_carries_its_sign_and_a_garbled_one_is_told() -> None:
    """The row beside a garbled amount is read; both belong to the statement of their currency."""
    found = read(b"Date,Description,Amount,Currency\n2026-04-02,Valid,100.00,EUR\n2026-04-03,Garbled,12..34,EUR\n")

    assert [one.amount for one in lines(found)] == [Decimal("100.00")]
    assert [(one.rule, one.pointer) for one in found if isinstance(one, Unread)] == [("amount", "line 3, amount")]
    assert [(one.currency, one.unread) for one in found if isinstance(one, Statement)] == [("EUR", 1)]


def test_a_row_that_the_file_prints_twice_is_told_once() -> None:
    """The same number, amount and balance cannot be two bookings: the repeat is parked, and the rest adds up."""
    header = ["交易日期", "借方金额", "贷方金额", "余额", "对方户名", "对方账号", "摘要", "交易流水号"]
    first = ["2026-03-02", "", "100.00", "1100.00", "甲公司", "1", "货款", "F1"]
    second = ["2026-03-02", "", "50.00", "1150.00", "乙公司", "2", "货款", "F2"]
    bad = ["2026-03-03", "", "x", "1150.00", "丙公司", "3", "", "F3"]

    found = read(as_csv([header, first, second, first, second, bad]))

    statement = found[-1]
    assert isinstance(statement, Statement)
    assert [one.rule for one in found if isinstance(one, Unread)] == ["printed twice", "printed twice", "amount"]
    assert (statement.credits, statement.lines, statement.unread) == (Decimal("150.00"), 3, 3)


def test_a_sum_without_a_word_is_no_row_unless_a_row_follows() -> None:
    """An undated row of amounts at the foot is a sum; between rows it is one that lost its day."""
    header = ["交易日期", "借方金额", "贷方金额", "余额", "对方户名", "摘要"]
    row, sum_ = ["2026-03-02", "", "1.00", "", "甲公司", ""], ["", "0.00", "1.00", "", "", ""]

    assert [type(one) for one in read(as_csv([header, row, sum_]))] == [Movement, Statement]
    assert [type(one) for one in read(as_csv([header, row, sum_, row]))] == [Movement, Unread, Movement, Statement]


# --- guesses -----------------------------------------------------------------------------------------------------

UNKNOWN: Mapping[str, list[list[str]]] = {
    "two amounts by name": [
        ["账单 2026"],
        ["入账时刻", "进账", "出账付款", "结存余额", "往来单位名", "说明文字", "凭单编号"],
        ["2026-03-02 10:00", "100.00", "", "1,100.00", "甲公司", "货款", "K1"],
        ["2026-03-03 10:00", "", "30.50", "1,069.50", "乙公司", "运费", "K2"],
    ],
    "two amounts by their balance": [
        ["A", "B", "C", "剩余balance", "D"],
        ["2026-03-02", "", "100.00", "1100.00", "x"],
        ["2026-03-03", "30.50", "", "1069.50", "y"],
        ["2026-03-04", "", "1.00", "1070.50", "z"],
    ],
    "one amount and a direction": [
        ["什么时候", "多少", "哪边", "谁的户名"],
        ["20260302", "100.00", "贷", "甲公司"],
        ["20260303", "30.50", "借", "乙公司"],
    ],
    "one signed amount": [["Wann", "Wieviel", "Wer ist der payee"], ["2026-03-02", "100.00", "A"], ["2026-03-03", "-30.50", "B"]],
}


@pytest.mark.parametrize("rows", UNKNOWN.values(), ids=UNKNOWN.keys())
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_guess_for_an_unknown_layout_reads_it(rows: list[list[str]], delimiter: str) -> None:
    """The refusal shows the setting `columns`; put in, it reads the file as it was meant."""
    body = as_csv(rows, delimiter)

    with pytest.raises(Unreadable) as refused:
        read(body)
    setting = tomllib.loads(refused.value.next.partition("checked: ")[2])["columns"]
    found = lines(read(body, columns=setting))

    assert refused.value.rule == "no header" and refused.value.about["columns"]
    assert [one.amount for one in found[:2]] == [Decimal("100.00"), Decimal("-30.50")]
    assert [one.booked_on.isoformat() for one in found[:2]] == ["2026-03-02", "2026-03-03"]


def test_where_nothing_can_be_guessed_the_words_are_told() -> None:
    """A table without a day or without money is refused with what it showed."""
    with pytest.raises(Unreadable) as refused:
        read(as_csv([["甲", "乙", '"丙"'], ["x", "y", "z"]]))

    assert "{date, credit, debit}" in refused.value.next and "甲" in refused.value.about["columns"]


# --- any bytes ---------------------------------------------------------------------------------------------------

WHOLE = [path.read_bytes() for path in sorted((FOLDER / "fixtures").glob("*/raw.*")) if path.suffix in (".csv", ".xlsx")]


@given(st.sampled_from(WHOLE), st.floats(0, 1), st.binary(max_size=40))
def test_broken_bytes_only_raise_unreadable(body: bytes, where: float, noise: bytes) -> None:
    """An export that is cut off, with anything in place of what follows, is read or refused by name."""
    broken = body[: int(where * len(body))] + noise
    made = connector()

    made.recognises("x", broken[:4096])
    try:
        for raw in made.read("x", broken):
            list(made.normalise(raw))
    except Unreadable as refused:
        assert refused.rule and refused.next


def test_every_table_beside_the_repository_is_read() -> None:
    """Exports that other people collected: every one is read without a row that cannot be, but for the one that is garbled."""
    base = SHARED / "statements"
    if not base.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("the statements are not beside the repository")
    found = {
        path.relative_to(base).as_posix(): list(connector().statements(path.name, io.BytesIO(path.read_bytes())))
        for folder in ("cn-double-entry-generator", "mixed-bankstatementparser")
        for path in sorted((base / folder).rglob("*.*"))
        if path.suffix in (".csv", ".xls") and path.parts[-2] not in ("alipay", "wechat")
    }

    assert len(found) == 10
    assert {name for name, read_ in found.items() if any(isinstance(one, Unread) for one in read_)} == {
        "mixed-bankstatementparser/golden/csv_garbled_amount.csv"
    }
    assert all(lines(read_) for read_ in found.values())
    # What the people who collected them changed in these two no longer adds up.
    changed = {name for name, read_ in found.items() for one in read_ if isinstance(one, Statement) and one.balanced is False}
    assert {name.split("/")[1] for name in changed} == {"bocom_debit", "ccb"}
