"""What a row means, how rows are told apart, and what makes a statement balance."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.bank_csv.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Event, Ignored, Raw, Unreadable, cells
from hub.testing import context_for

MANIFEST = read_manifest(Path(__file__).parents[1] / "manifest.toml")
HEADER = ["交易日期", "借方金额", "贷方金额", "余额", "对方户名", "对方账号", "摘要"]
Row = tuple[int, int, str]


def connector(**settings: object) -> Connector:
    return Connector(context_for(MANIFEST, settings={"account": "320000000000101", **settings}))


def as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def statement_of(rows: list[Row], *, newest_first: bool = False, opening: int = 1_000_000) -> bytes:
    """An export of (day, cents with sign, text) rows, with a running balance."""
    lines, balance = [], opening
    for day, cents, text in rows:
        balance += cents
        out, into = (f"{-cents / 100:.2f}", "") if cents < 0 else ("", f"{cents / 100:.2f}")
        lines.append(
            [(date(2026, 3, 1) + timedelta(days=day)).isoformat(), out, into, f"{balance / 100:.2f}", "甲公司", "1", text]
        )
    return as_csv([HEADER, *(reversed(lines) if newest_first else lines)])


def rows_of(body: bytes, name: str = "a.csv") -> list[Raw]:
    return [raw for raw in connector().read(name, body) if raw.stream == "row"]


def facts_of(body: bytes, **settings: object) -> list[Event | Ignored]:
    made = connector(**settings)
    return [found for raw in made.read("a.csv", body) for found in made.normalise(raw)]


BOOKINGS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-5000, 5000).filter(bool), st.sampled_from(["货款", "尾款"])),
    min_size=1,
    max_size=12,
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


@given(BOOKINGS)
def test_the_same_rows_have_the_same_keys_in_either_order(rows: list[Row]) -> None:
    """A file with the newest row first holds the same raws as one with the oldest first, and both balance."""
    forwards, backwards = statement_of(rows), statement_of(rows, newest_first=True)

    there = {(raw.key, raw.body) for raw in rows_of(forwards)}
    back = {(raw.key, raw.body) for raw in rows_of(backwards, "another name.csv")}

    assert len(there) == len(rows)
    assert {key for key, _ in there} == {key for key, _ in back}
    if rows[0][0] != rows[-1][0]:  # on one day alone two orders can both add up
        assert there == back
    for body in (forwards, backwards):
        statement = next(one for one in facts_of(body) if isinstance(one, Event) and one.type == "statement.read")
        assert statement.data.balanced is True  # type: ignore[attr-defined, unused-ignore]


@given(BOOKINGS)
def test_every_row_is_a_raw_of_its_own(rows: list[Row]) -> None:
    """Two equal bookings on one day are two raws; what comes in and goes out adds up to the statement's sums."""
    found = facts_of(statement_of(rows))

    statement = next(one for one in found if isinstance(one, Event) and one.type == "statement.read").data
    receipts = [one.data for one in found if isinstance(one, Event) and one.type == "receipt.received"]
    into = Decimal(sum(row[1] for row in rows if row[1] > 0)) / 100
    assert sum(one.amount for one in receipts) == into == statement.credits
    assert statement.debits == Decimal(-sum(row[1] for row in rows if row[1] < 0)) / 100
    assert len({one.receipt for one in receipts}) == len(receipts)


@given(BOOKINGS, st.integers(0, 11), st.integers(1, 9999))
def test_a_changed_amount_breaks_the_balance(rows: list[Row], place: int, more: int) -> None:
    """A statement of which one amount was changed does not balance."""
    assume(rows[0][0] != rows[-1][0])
    body = statement_of(rows).decode().splitlines()
    line = next(csv.reader([body[1 + place % len(rows)]]))
    column = 2 if line[2] else 1
    line[column] = f"{Decimal(line[column]) + Decimal(more) / 100:.2f}"
    body[1 + place % len(rows)] = ",".join(line)

    found = facts_of("\n".join(body).encode())

    statement = next(one for one in found if isinstance(one, Event) and one.type == "statement.read").data
    # Nothing stands before the first row that could contradict it.
    assert statement.balanced is (place % len(rows) == 0)


def test_overlapping_files_share_their_rows() -> None:
    """A row that is in last week's file and in this week's, with other names and line numbers, is one raw."""
    rows: list[Row] = [(0, 100, "货款"), (1, 200, "货款"), (2, 300, "尾款")]
    first = as_csv([["账户明细"], *csv.reader(statement_of(rows[:2]).decode().splitlines())])
    second = statement_of(rows[1:], opening=1_000_100)

    shared = {raw.key: raw.body for raw in rows_of(first, "w1.csv")}.items() & {
        raw.key: raw.body for raw in rows_of(second, "w2.csv")
    }.items()

    assert len(shared) == 1


def test_a_statement_is_the_same_under_another_name() -> None:
    """The same rows in another order and under another name are the same statement."""
    rows: list[Row] = [(0, 100, "货款"), (1, -200, "运费")]

    one, two = (
        next(raw for raw in connector().read(name, statement_of(rows, newest_first=turned)) if raw.stream == "statement")
        for name, turned in (("a.csv", False), ("b.csv", True))
    )

    assert (one.key, one.body) == (two.key, two.body)


def test_rows_of_two_accounts_are_two_statements() -> None:
    """A file with an account column has a statement for each account and currency."""
    rows = [
        ["本方账号", "交易日期", "借方金额", "贷方金额", "对方户名", "币种"],
        ["320000000000101", "20260302", "", "1.00", "甲公司", "人民币"],
        ["320000000000102", "20260302", "", "2.00", "乙公司", "人民币"],
        ["320000000000102", "20260302", "", "3.00", "乙公司", "美元"],
    ]

    found = [one.data for one in facts_of(as_csv(rows)) if isinstance(one, Event) and one.type == "statement.read"]

    assert [(one.account, one.currency, one.credits) for one in found] == [
        ("320000000000101", "CNY", Decimal("1.00")),
        ("320000000000102", "CNY", Decimal("2.00")),
        ("320000000000102", "USD", Decimal("3.00")),
    ]


@pytest.mark.parametrize(
    ("out", "into", "outcome"),
    [
        ("", "100.00", "receipt.received"),
        ("100.00", "", "money out"),
        ("", "-100.00", "receipt.reversed"),
        ("-100.00", "", "payment taken back"),
        ("0.00", "0.00", "zero amount"),
        ("", "0", "zero amount"),
    ],
)
def test_a_row_means_what_its_columns_say(out: str, into: str, outcome: str) -> None:
    """贷方 is money in, 借方 money out; a negative amount takes one of its own column back."""
    body = as_csv([HEADER, ["20260302", out, into, "", "甲公司", "1", "货款"]])

    found = facts_of(body)[0]

    assert (found.rule if isinstance(found, Ignored) else found.type) == outcome


@pytest.mark.parametrize(
    ("row", "rule", "column"),
    [
        (["20260302", "", "1.2.3", "", "甲公司", "1", ""], "amount", "贷方金额"),
        (["20260302", "", "0.001", "", "甲公司", "1", ""], "amount", "贷方金额"),
        (["20260302", "", "1e5", "", "甲公司", "1", ""], "amount", "贷方金额"),
        (["20260302", "", "NaN", "", "甲公司", "1", ""], "amount", "贷方金额"),
        (["20260302", "", "9999999999999999", "", "甲公司", "1", ""], "amount", "贷方金额"),
        (["20260302", "1.00", "1.00", "", "甲公司", "1", ""], "two amounts", "贷方金额"),
        (["20261302", "", "1.00", "", "甲公司", "1", ""], "day", "交易日期"),
        (["20260302 soon", "", "1.00", "", "甲公司", "1", ""], "day", "交易日期"),
        (["", "", "1.00", "", "甲公司", "1", ""], "day", "交易日期"),
    ],
)
def test_an_impossible_row_is_parked_and_the_others_go_on(row: list[str], rule: str, column: str) -> None:
    """The refusal names the rule, the line and the column; the rows before and after are understood."""
    good = ["20260302", "", "1.00", "", "乙公司", "2", ""]
    made = connector()
    raws = [
        raw
        for raw in made.read("a.csv", as_csv([HEADER, good, row, [*good[:4], "丙公司", "3", ""]]))
        if raw.stream != "statement"
    ]

    with pytest.raises(Unreadable) as parked:
        list(made.normalise(raws[1]))

    assert (parked.value.rule, parked.value.pointer) == (rule, f"line 3, {column}")
    assert all(isinstance(one, Event) for raw in (raws[0], raws[2]) for one in made.normalise(raw))


def test_a_direction_that_contradicts_the_sign_is_parked() -> None:
    """At BOC a 往账 with a plus is nothing that anybody can book."""
    rows = [
        ["交易类型", "付款人名称", "收款人名称", "交易日期", "交易金额", "交易流水号"],
        ["往账", "甲公司", "乙公司", "20260302", "+1.00", "T1"],
    ]
    made = connector()
    row = next(raw for raw in made.read("a.csv", as_csv(rows)) if raw.stream != "statement")

    with pytest.raises(Unreadable) as parked:
        list(made.normalise(row))

    assert parked.value.rule == "direction"


def test_a_reversal_of_nothing_in_the_file_stands_alone() -> None:
    """Which receipt it takes back is not guessed: another amount or another payer does not count."""
    rows = [HEADER, ["20260302", "", "2.00", "", "甲公司", "1", "货款"], ["20260303", "", "-1.00", "", "甲公司", "1", "冲正"]]

    received, reversed_ = facts_of(as_csv(rows))[:-1]

    assert isinstance(received, Event) and isinstance(reversed_, Event)
    assert reversed_.type == "receipt.reversed"
    assert reversed_.subject != received.subject


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_receipt_is_told_before_the_booking_that_takes_it_back(newest_first: bool) -> None:
    """Whichever way the file runs, the reversal comes after its receipt and names it."""
    rows = [["20260302", "", "2.00", "", "甲公司", "1", "货款"], ["20260302", "", "-2.00", "", "甲公司", "1", "冲正"]]

    received, reversed_ = facts_of(as_csv([HEADER, *(reversed(rows) if newest_first else rows)]))[:-1]

    assert isinstance(received, Event) and isinstance(reversed_, Event)
    assert (received.type, reversed_.type) == ("receipt.received", "receipt.reversed")
    assert received.subject == reversed_.subject


def test_a_personal_export_with_name_and_account_in_one_cell_is_parted() -> None:
    """CMB glues the payer's name and account together; the account begins at the first run of digits."""
    rows = [
        ["记账日期", "货币", "交易金额", "联机余额", "交易摘要", "对手信息"],
        ["2026-03-02", "CNY", "1,000.00", "1,000.00", "转账", "甲公司6200000123456789"],
    ]

    found = facts_of(as_csv(rows))[0]

    assert isinstance(found, Event)
    assert (found.data.payer_name, found.data.payer_account) == ("甲公司", "6200000123456789")  # type: ignore[attr-defined, unused-ignore]


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_an_amount_is_read_exactly_however_it_is_written(value: Decimal) -> None:
    """Thousands separators, full-width digits and currency signs change nothing."""
    wide = str.maketrans("0123456789.,-", "０１２３４５６７８９．，－")

    for text in (f"{value}", f"{value:,}", f"¥{value:,}", f"{value:,}元", f"{value:,}".translate(wide), f" {value} "):
        assert cells.amount(text, places=2) == value


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    """No text makes the cell readers do anything but answer or refuse."""
    for reader in (
        lambda: cells.amount(text, places=2),
        lambda: cells.day(text),
        lambda: cells.clock_time(text),
        lambda: cells.currency(text),
    ):
        try:
            reader()
        except cells.BadCell:
            continue
