"""What kinds of file are read, which are refused, and that every row of a real desk's statement arrives."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from connectors.bank_csv.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Event, Ignored, Raw, Unreadable
from hub.testing import context_for

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data"
MANIFEST = read_manifest(Path(__file__).parents[1] / "manifest.toml")
HEADER = ["交易日期", "交易时间", "借方金额", "贷方金额", "账户余额", "对方户名", "对方账号", "摘要", "交易流水号"]
ROWS = [
    ["2026-03-02", "08:03:25", "", "12,800.00", "1,012,800.00", "上海示例商贸有限公司", "310000000000001", "货款", "T1"],
    ["2026-03-02", "09:10:00", "800.00", "", "1,012,000.00", "苏州示例物流有限公司", "320000000000002", "运费", "T2"],
    ["2026-03-03", "10:00:00", "", "200.50", "1,012,200.50", "无锡示例五金有限公司", "320000000000003", "尾款", "T3"],
]


def connector(**settings: object) -> Connector:
    return Connector(context_for(MANIFEST, settings=settings))


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{name} is not beside the repository")
    return path


def as_csv(rows: list[list[str]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def as_xlsx(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read(body: bytes, name: str = "flow.csv", **settings: object) -> list[Raw]:
    return list(connector(**settings).read(name, body))


def meant(raws: list[Raw], **settings: object) -> list[Event | Ignored]:
    made = connector(**settings)
    return [found for raw in raws for found in made.normalise(raw)]


def keys(raws: list[Raw]) -> list[tuple[str, bytes]]:
    return [(raw.key, raw.body) for raw in raws if raw.stream == "row"]


def test_every_row_of_a_months_statement_is_read() -> None:
    """2,600 rows in GB18030: as many, and to the same sums, as an independent reading finds, and balanced."""
    body = shared("reconciliation/dev/statement.csv").read_bytes()
    plain = [row for row in csv.DictReader(io.StringIO(body.decode("gb18030").partition("\n")[2])) if row["交易流水号"]]
    money_in = sum(Decimal(row["贷方金额"].replace(",", "")) for row in plain if row["贷方金额"])

    raws = read(body, "statement.csv")
    found = meant(raws)

    statement = next(one.data for one in found if isinstance(one, Event) and one.type == "statement.read")
    receipts = [one.data for one in found if isinstance(one, Event) and one.type == "receipt.received"]
    assert len(plain) == 2600 == sum(1 for raw in raws if raw.stream == "row") == statement.rows
    assert sum(one.amount for one in receipts) == money_in == statement.credits
    assert len(receipts) == sum(1 for row in plain if row["贷方金额"])
    assert {one.bank_reference for one in receipts} == {row["交易流水号"] for row in plain if row["贷方金额"]}
    assert statement.balanced is True
    assert statement.opening_balance == Decimal("1000000.00")
    assert Counter(type(one).__name__ for one in found)["Ignored"] == 200


@pytest.mark.parametrize(
    ("name", "profile", "rows", "money_in", "money_out", "balanced"),
    [
        ("bocom_debit/example-bocom_debit-records.csv", "bocom_personal", 6, "11.25", "114.00", False),
        ("cgb_credit/example-cgb_credit-records.csv", "cgb_credit", 4, "1227.88", "403.32", None),
        ("icbc/debit-v2/example-icbc-debit-v2-records.csv", "icbc_personal", 11, "2841.74", "4241.08", None),
        ("boc/debit/example-boc-records.csv", "boc_personal", 17, "9821.00", "9394.30", True),
        ("ccb/交易明细_xxxx_2025xxxx_2025xxxx.xls", "ccb_personal", 6, "0.00", "703.26", False),
    ],
)
def test_files_of_other_people_are_read(
    name: str, profile: str, rows: int, money_in: str, money_out: str, balanced: bool | None
) -> None:
    """Exports that somebody else collected are recognised by content and read whole; masked ones do not balance, and say so."""
    path = shared(f"statements/cn-double-entry-generator/{name}")
    made, body = connector(), path.read_bytes()

    found = meant(list(made.read(path.name, body)))

    assert made.recognises(path.name, body[:4096])
    statement = next(one.data for one in found if isinstance(one, Event) and one.type == "statement.read")
    assert (statement.format, statement.rows) == (profile, rows)
    assert (statement.credits, statement.debits) == (Decimal(money_in), Decimal(money_out))
    assert statement.balanced is balanced


@pytest.mark.parametrize("name", ["alipay/example-alipay-records.csv", "wechat/example-wechat-records.csv"])
def test_what_is_no_bank_export_is_refused(name: str) -> None:
    """A wallet's bill is refused, and the columns that were seen are told."""
    path = shared(f"statements/cn-double-entry-generator/{name}")

    with pytest.raises(Unreadable) as refused:
        read(path.read_bytes())

    assert refused.value.rule == "no header"
    assert "交易" in refused.value.about["columns"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_encoding_and_the_delimiter_do_not_matter(encoding: str, delimiter: str) -> None:
    """The same rows in whatever encoding and with whatever delimiter are the same raws."""
    body = as_csv([["账号：", "320000000000101"], HEADER, *ROWS], encoding, delimiter)

    assert keys(read(body)) == keys(read(as_csv([["账号：", "320000000000101"], HEADER, *ROWS])))
    assert connector().recognises("x.xls", body[:2048])


def test_a_spreadsheet_is_the_same_as_its_text() -> None:
    """The same rows as XLSX, amounts and days as numbers, are the same facts."""
    import datetime

    cells: list[list[object]] = [["账号：", "320000000000101"], list(HEADER)]
    for day, at, out, into, balance, *rest in ROWS:
        amounts = [float(text.replace(",", "")) if text else None for text in (out, into, balance)]
        cells.append([datetime.date.fromisoformat(day), datetime.time.fromisoformat(at), *amounts, *rest])

    sheet = [one for one in meant(read(as_xlsx(cells), "a.xlsx")) if isinstance(one, Event)]
    text = [
        one for one in meant(read(as_csv([["账号：", "320000000000101"], HEADER, *ROWS]), "a.xlsx")) if isinstance(one, Event)
    ]

    assert [one.data for one in sheet if one.type == "receipt.received"] == [
        one.data for one in text if one.type == "receipt.received"
    ]
    assert [one.subject for one in sheet] == [one.subject for one in text]


def test_another_table_is_not_taken_for_a_bank_export() -> None:
    """A spreadsheet whose first sheet is an order book is left to others; one too large to be seen whole is not."""
    orders = as_xlsx([["order_no", "customer", "amount"], ["SO-1", "甲公司", 1]])

    assert not connector().recognises("a.xlsx", orders)
    assert connector().recognises("a.xlsx", as_xlsx([list(HEADER), list(ROWS[0])]))
    assert connector().recognises("a.xlsx", orders[:2000])


def test_numbers_that_a_spreadsheet_has_shortened_are_refused() -> None:
    """An account number kept as a number of 17 digits or more has lost some: the whole file is refused."""
    rows = [HEADER, [*ROWS[0][:6], 62000006000000012345, *ROWS[0][7:]]]

    with pytest.raises(Unreadable, match="digits are gone"):
        read(as_xlsx(rows))


def test_a_locked_spreadsheet_is_refused() -> None:
    """An encrypted workbook is named as such."""
    container = bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600

    with pytest.raises(Unreadable, match="password"):
        read(container)


def test_a_spreadsheet_that_would_unpack_without_end_is_refused() -> None:
    """A container whose members claim more than anyone exports is not opened."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as container:
        for part in range(5):
            container.writestr(f"xl/{part}", b"\0" * 100_000_000)

    with pytest.raises(Unreadable, match="larger"):
        read(file.getvalue())


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "empty file"),
        (b"  \r\n", "empty file"),
        (b"<html>", "html"),
        (b"%PDF-1.7", "pdf"),
        (b"\x81\xff\x81\xff" * 30, "encoding"),
        (b"PK\x03\x04 cut off", "spreadsheet"),
        (bytes.fromhex("D0CF11E0A1B11AE1") + b"\1" * 5000, "spreadsheet"),
        ("只有一句话".encode(), "no header"),
        (as_csv([HEADER, ["2026-03-02", "08:00:00", "", '"1', "x\n" * 9]]), "unclosed quote"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(body: bytes, rule: str) -> None:
    """Each kind of file that cannot be read has its own rule, and a next step."""
    with pytest.raises(Unreadable) as refused:
        read(body)

    assert refused.value.rule == rule
    assert refused.value.next


def test_a_file_of_one_unsigned_amount_is_refused() -> None:
    """Where nothing says which way the money went, nobody guesses."""
    rows = [["日期", "金额", "对方户名"], ["2026-03-02", "100.00", "甲公司"], ["2026-03-03", "200.00", "乙公司"]]

    with pytest.raises(Unreadable) as refused:
        read(as_csv(rows))

    assert refused.value.rule == "no direction"


def test_a_connection_can_name_the_columns_of_a_new_layout() -> None:
    """With `columns` set, a layout that nobody has seen is read."""
    rows = [["日", "进", "出", "谁"], ["20260302", "100.00", "", "甲公司"], ["20260303", "", "7.00", "乙公司"]]
    columns = {"date": "日", "credit": "进", "debit": "出", "party_name": "谁"}

    found = meant(read(as_csv(rows), columns=columns), columns=columns)

    receipts = [one.data for one in found if isinstance(one, Event) and one.type == "receipt.received"]
    assert [(one.amount, one.payer_name) for one in receipts] == [(Decimal("100.00"), "甲公司")]


def test_the_second_layout_of_bocom_is_known() -> None:
    """BOCOM with two amount columns is the same bank."""
    rows = [
        ["交易时间", "借方发生额", "贷方发生额", "余额", "对方户名", "核心流水号"],
        ["2026-03-02 10:00:00", "", "5.00", "5.00", "甲公司", "E1"],
    ]

    assert b'"format":"bocom"' in read(as_csv(rows))[-1].body
