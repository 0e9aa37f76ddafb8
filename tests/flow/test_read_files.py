"""`shuniu read`: bank files in their common form, as people and scripts see them."""

import io
import json
import os
import resource
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.registry.bank_files import statement_readers

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data" / "statements"
STATEMENT = {"kind", "format", "account", "currency", "opening_balance", "closing_balance", "balanced", "transactions"}
TRANSACTION = {
    "kind", "booked_on", "value_on", "amount", "currency", "counterparty_name", "counterparty_account", "memo", "reference",
    "bank_reference", "reversal",
}  # fmt: skip
EXPORT = """账号：,330000000000777
交易日期,借方金额,贷方金额,余额,对方户名,对方账号,摘要,交易流水号
2026-03-03,30.50,,"1,069.50",乙公司,32002,运费,T2
2026-03-02,,100.00,"1,100.00",甲公司,32001,货款,T1
"""


@pytest.fixture
def read(tmp_path: Path):
    """Run the command on files of these names and bytes, or on paths as they are."""

    def run(*words: str | Path, files: dict[str, str | bytes] | None = None, **variables: str) -> Result:
        paths = []
        for name, body in (files or {}).items():
            path = tmp_path / name
            path.write_bytes(body if isinstance(body, bytes) else body.encode())
            paths.append(str(path))
        environment = {"LC_ALL": None, "LC_MESSAGES": None, "LANG": "C.UTF-8", **variables}
        return CliRunner().invoke(main, ["read", *map(str, words), *paths], env=environment)

    return run


def objects(result: Result) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_statement_comes_before_its_transactions(read) -> None:
    """One object a line, with the names that scripts rely on, the oldest transaction first."""
    answered = read("--json", files={"a.csv": EXPORT})

    statement, first, second = objects(answered)
    assert answered.exit_code == 0 and answered.stderr == ""
    assert statement == {
        "kind": "statement",
        "format": "spdb",
        "account": "330000000000777",
        "currency": "CNY",
        "opening_balance": "1000.00",
        "closing_balance": "1069.50",
        "balanced": True,
        "transactions": 2,
    }
    assert first == {
        "kind": "transaction",
        "booked_on": "2026-03-02",
        "value_on": None,
        "amount": "100.00",
        "currency": "CNY",
        "counterparty_name": "甲公司",
        "counterparty_account": "32001",
        "memo": "货款",
        "reference": None,
        "bank_reference": "T1",
        "reversal": False,
    }
    assert second["amount"] == "-30.50"


@pytest.mark.parametrize(("language", "word"), [("zh_CN.UTF-8", "相符"), ("en_GB.UTF-8", "adds up"), ("", "adds up")])
def test_a_table_speaks_the_terminals_language(read, language: str, word: str) -> None:
    """The table shows every line, the sums and whether they lead from the opening to the closing balance."""
    answered = read(files={"a.csv": EXPORT}, LANG=language)

    assert answered.exit_code == 0
    assert word in answered.stdout
    for shown in ("330000000000777", "100.00", "-30.50", "甲公司", "1,069.50"):
        assert shown in answered.stdout


def test_a_refused_file_says_why_and_the_others_are_read(read) -> None:
    """Exit 2, the reason on the standard error, and nothing of the refused file on the standard output."""
    answered = read("--json", files={"a.csv": EXPORT, "b.pdf": b"%PDF-1.7 x", "c.csv": EXPORT})

    assert answered.exit_code == 2
    assert "b.pdf" in answered.stderr and "PDF" in answered.stderr and "Next:" in answered.stderr
    assert [one["kind"] for one in objects(answered)].count("statement") == 2


def test_a_file_that_breaks_in_its_middle_leaves_nothing_behind(read) -> None:
    """What is refused as a whole prints none of its lines, and names the line that was wrong."""
    answered = read("--json", files={"a.csv": EXPORT.replace("32001", "3.20010E+14")})

    assert (answered.exit_code, answered.stdout) == (2, "")
    assert "line 4" in answered.stderr


def test_a_line_that_cannot_be_read_is_told_and_the_others_are_shown(read) -> None:
    """A bad row is no refusal: exit 0, the row and its reason on the standard error."""
    answered = read("--json", files={"a.csv": EXPORT.replace("30.50,,", "3..50,,")})

    assert answered.exit_code == 0
    assert "line 3" in answered.stderr
    assert [one.get("transactions", one.get("amount")) for one in objects(answered)] == [1, "100.00"]
    assert "1" in read(files={"a.csv": EXPORT.replace("30.50,,", "3..50,,")}).stdout


def test_the_files_of_an_archive_are_read_each_as_its_own(read) -> None:
    """Whatever the archive is called; what is no bank file in it is left where there is one that is."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("liesmich.txt", "nothing")
        packed.writestr("三月.csv", EXPORT)
        packed.writestr("april/b.csv", EXPORT.replace("777", "888"))
    nothing = io.BytesIO()
    with zipfile.ZipFile(nothing, "w") as packed:
        packed.writestr("liesmich.txt", "nothing")

    answered = read("--json", files={"x.dat": archive.getvalue()})
    empty = read("--json", files={"y.zip": nothing.getvalue()})

    assert answered.exit_code == 0
    assert [one["account"] for one in objects(answered) if one["kind"] == "statement"] == ["330000000000777", "330000000000888"]
    assert empty.exit_code == 2 and "liesmich.txt" in empty.stderr


def test_a_large_workbook_is_given_to_the_one_who_knows_it(read) -> None:
    """No part of a workbook can be read, so it is recognised whole: a wallet's bill is not taken for a bank's export."""
    book = openpyxl.Workbook()
    book.active.append(
        ["交易时间", "交易类型", "交易对方", "商品", "收/支", "金额(元)", "支付方式", "当前状态", "交易单号", "商户单号", "备注"]
    )
    for row in range(4_000):
        book.active.append(
            [
                "2026-03-05 10:00:00",
                "二维码收款",
                f"用户{row * 7919}",
                "x",
                "收入",
                1.5,
                "零钱",
                "已收钱",
                f"P{row * 104729}",
                "/",
                "/",
            ]
        )
    file = io.BytesIO()
    book.save(file)

    answered = read("--json", files={"a.xlsx": file.getvalue()})

    assert len(file.getvalue()) > 65_536
    assert objects(answered)[0]["format"] == "wechat.personal" and objects(answered)[0]["transactions"] == 4_000


def test_an_archive_that_one_format_brings_is_read_by_it(read) -> None:
    """Alipay packs a bill with its summary, said or not said: the summary is no refusal."""
    bill = ROOT / "connectors/wallet_alipay/fixtures/fund_flow_in_an_archive/raw.bin"

    for words in ((), ("--as", "alipay"), ("--as", "wallet_alipay")):
        answered = read("--json", *words, bill)

        assert answered.exit_code == 0
        assert [one["format"] for one in objects(answered) if one["kind"] == "statement"] == ["alipay.funds"]


def test_an_unknown_table_is_met_with_a_guess_that_can_be_used(read) -> None:
    """The refusal shows which column may be what; `--column` takes it."""
    table = "日,进账额,出账额,谁\n2026-03-02,100.00,,甲\n2026-03-03,,7.00,乙\n"

    refused = read("--json", files={"a.csv": table})
    told = read("--json", "--column", "date=日", "--column", "credit=进账额", "--column", "debit=出账额", files={"a.csv": table})
    wrong = read("--column", "date", files={"a.csv": table})

    assert read(files={"x.csv": "ANY DAMAGES, LOSS, OR ELSE\n, AS IT IS, WITHOUT\n"}).stderr.count("no connector recognises") == 1
    assert refused.exit_code == 2 and 'columns = { date = "日"' in refused.stderr
    assert [one["amount"] for one in objects(told)[1:]] == ["100.00", "-7.00"]
    assert wrong.exit_code == 2 and "ROLE=NAME" in wrong.stderr


def test_the_format_can_be_said(read) -> None:
    """By the connector's name, by its part behind the kind, or by one of its layouts; an unknown one is refused with those known."""
    for word in ("bank_csv", "csv", "generic"):
        assert read("--json", "--as", word, files={"a.csv": EXPORT}).exit_code == 0

    unknown = read("--as", "papyrus", files={"a.csv": EXPORT})
    other = read("--as", "spdb_personal", files={"a.csv": EXPORT})

    assert unknown.exit_code == 2 and "csv" in unknown.stderr
    assert other.exit_code == 2


@pytest.mark.parametrize("body", [b"", b"\xff\xd8\xff\xe0 a photo", b"just a sentence", b"<html><body>x", b"<x/>"])
def test_what_is_no_bank_file_is_refused(read, body: bytes) -> None:
    """Whatever it is, there is a reason and a next step."""
    answered = read("--json", files={"a.bin": body})

    assert (answered.exit_code, answered.stdout) == (2, "")
    assert "Next:" in answered.stderr


def test_every_connector_that_reads_statements_is_asked() -> None:
    """They are found by their manifests; the wallets among them."""
    names = {one.manifest.name for one in statement_readers()}

    assert {"bank_csv", "wallet_alipay", "wallet_wechat"} <= names


def test_every_statement_beside_the_repository_has_an_answer(read) -> None:
    """Each file is read in the common form, or refused with a reason; what is printed adds up where it says so."""
    if not SHARED.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("the statements are not beside the repository")
    folders = ("cn-double-entry-generator", "mixed-bankstatementparser")
    paths = [path for folder in folders for path in sorted((SHARED / folder).rglob("*.*")) if path.is_file()]

    for path in paths:
        answered = read("--json", path)

        assert answered.exit_code == (2 if path.stem == "invalid" else 0), (path, answered.stderr)
        sums: dict[int, Decimal] = {}
        told = objects(answered)
        for place, one in enumerate(told):
            if one["kind"] == "statement":
                assert set(one) == STATEMENT
                amounts = [Decimal(line["amount"]) for line in told[place + 1 : place + 1 + one["transactions"]]]
                sums[place] = sum(amounts, Decimal(0))
                assert len(amounts) == one["transactions"]
                if one["balanced"]:
                    assert Decimal(one["opening_balance"]) + sums[place] == Decimal(one["closing_balance"]), path
            else:
                assert set(one) == TRANSACTION
        assert sums or answered.exit_code


def peak(path: Path) -> int:
    """The most memory that reading the file took, in KiB."""
    code = "import sys; sys.argv = ['shuniu', 'read', '--json', sys.argv[1]]; from hub.cli import main; main()"
    with Path(os.devnull).open("wb") as nowhere:
        child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=nowhere, cwd=ROOT)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    return resource.struct_rusage(usage).ru_maxrss


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """A file twenty times as large takes about as much memory: its lines are kept in a file until their statement is known."""
    sizes = {}
    for rows in (1_500, 30_000):
        path = tmp_path / f"{rows}.csv"
        with path.open("w", encoding="gb18030") as file:
            file.write("账号：,330000000000777\n交易日期,借方金额,贷方金额,余额,对方户名,对方账号,摘要,交易流水号\n")
            for row in range(rows):
                day = date(2026, 1, 1) + timedelta(days=row // 1000)
                file.write(f"{day},,1.00,{row + 1}.00,某某精密机械有限公司{row},32000{row:08},货款 HT-{row:08},T{row:012}\n")
        sizes[rows] = peak(path)

    assert sizes[30_000] - sizes[1_500] < 16 * 1024
