"""`shuniu reconcile` from files to result lines and a page, without a server or a database."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import defaultdict
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.demo.samples import order_book, orders_csv, statement_csv, statement_rows
from hub.reconcile import words
from reconciliation.payments import Held, lanes
from reconciliation.payments.ladders import LADDERS

HEADER = "交易日期,借方金额,贷方金额,账户余额,对方户名,对方账号,附言,交易流水号"
ORDERS = "order_no,customer_name,open_amount\nSO-2601-0001,苏州恒砺泵业有限公司,500.00\nSO-2601-0002,无锡拓锋模具有限公司,90.00\n"


class Desk:
    """A folder with files, and the command run over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def run(self, *given: str) -> Result:
        return CliRunner().invoke(main, ["reconcile", *given], catch_exceptions=False)

    def lines(self, *given: str) -> list[dict[str, Any]]:
        ran = self.run(*given, "--out", str(self.folder / "out.jsonl"))
        assert ran.exit_code == 0, ran.output
        return [json.loads(line) for line in (self.folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_month_becomes_result_lines(desk: Desk) -> None:
    """One line for each credit in the statement's order; what is automatic is right, and no order gets more than it has open."""
    orders, rows = order_book(120), statement_rows(order_book(120), 110)
    received = [row for row in rows if row.credit]
    pays = {row.reference: row.pays for row in received}

    lines = desk.lines(
        "--statement", desk.has("bank.csv", statement_csv(rows)), "--orders", desk.has("orders.csv", orders_csv(orders))
    )

    assert [line["transaction_id"] for line in lines] == [row.reference for row in received]
    left = {one.order_no: one.amount for one in orders}
    auto = [line for line in lines if line["decision"] == "auto"]
    assert len(auto) > len(lines) / 2
    for line in auto:
        assert {share["order_no"] for share in line["allocations"]} == set(pays[line["transaction_id"]] or ())
        for share in line["allocations"]:
            left[share["order_no"]] -= Decimal(share["amount"])
    assert min(left.values()) >= 0
    assert {line["decision"] for line in lines} <= {"auto", "review", "unmatched"}
    assert all(set(line) == {"transaction_id", "decision", "confidence", "allocations", "alternatives"} for line in lines)


def test_the_same_files_give_the_same_bytes(desk: Desk) -> None:
    """Neither clock nor chance is in the result or on the page."""
    statement = desk.has("bank.csv", statement_csv(statement_rows(order_book(40), 40)))
    orders = desk.has("orders.csv", orders_csv(order_book(40)))
    made = []
    for turn in ("a", "b"):
        out, page = desk.folder / f"{turn}.jsonl", desk.folder / f"{turn}.html"
        assert desk.run("--statement", statement, "--orders", orders, "--out", str(out), "--report", str(page)).exit_code == 0
        made.append((out.read_bytes(), page.read_bytes()))

    assert made[0] == made[1]


def test_a_line_that_stands_in_two_files_counts_once(desk: Desk) -> None:
    """Overlapping exports, one of them packed, give each credit once, and the summary says how many came again."""
    rows = statement_rows(order_book(40), 30)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("second.csv", statement_csv(rows[10:]))
    orders = desk.has("orders.csv", orders_csv(order_book(40)))
    files = [
        "--statement",
        desk.has("first.csv", statement_csv(rows[:20])),
        "--statement",
        desk.has("more.zip", packed.getvalue()),
    ]

    lines = desk.lines(*files, "--orders", orders)

    assert [line["transaction_id"] for line in lines] == [row.reference for row in rows if row.credit]
    assert "10 lines stand in more than one bank file" in desk.run(*files, "--orders", orders).output


def test_what_the_bank_took_back_is_not_matched(desk: Desk) -> None:
    """A receipt that is reversed in the same file pays nothing, and neither does a payment of ours that came back."""
    statement = desk.has(
        "bank.csv",
        f"{HEADER},冲正标志\n"
        "2026-01-05,,500.00,500.00,苏州恒砺泵业有限公司,6200,SO-2601-0001,T1,\n"
        "2026-01-06,,-500.00,0.00,苏州恒砺泵业有限公司,6200,冲正 SO-2601-0001,T2,冲正\n"
        "2026-01-07,,90.00,90.00,无锡拓锋模具有限公司,6300,SO-2601-0002,T3,\n",
    )

    lines = desk.lines("--statement", statement, "--orders", desk.has("orders.csv", ORDERS))

    assert [(line["transaction_id"], line["decision"]) for line in lines] == [("T1", "unmatched"), ("T3", "auto")]
    assert lines[0]["allocations"] == []


def test_a_reference_that_comes_twice_names_two_lines(desk: Desk) -> None:
    """A bank's number is kept as it is, and told apart where it is not one."""
    statement = desk.has(
        "bank.csv",
        f"{HEADER}\n2026-01-05,,500.00,500.00,甲,6200,SO-2601-0001,T1\n2026-01-05,,90.00,590.00,乙,6300,SO-2601-0002,T1\n",
    )

    lines = desk.lines("--statement", statement, "--orders", desk.has("orders.csv", ORDERS))

    assert [line["transaction_id"] for line in lines] == ["T1", "T1#2"]


def test_instalments_are_told_as_their_order(desk: Desk) -> None:
    """An order in two rows that is paid at once is one allocation."""
    statement = desk.has("bank.csv", f"{HEADER}\n2026-01-05,,100.00,100.00,苏州恒砺泵业有限公司,6200,付 SO-2601-0001 全款,T1\n")
    book = "order_no,customer_name,amount,open_amount\nSO-2601-0001,苏州恒砺泵业有限公司,30,30\nSO-2601-0001,苏州恒砺泵业有限公司,70,70\n"

    (line,) = desk.lines("--statement", statement, "--orders", desk.has("orders.csv", book))

    assert line["allocations"] == [{"order_no": "SO-2601-0001", "amount": "100.00"}]


def test_history_knows_who_a_person_pays_for(desk: Desk) -> None:
    """A person who paid for a customer often enough is booked; without the history a person decides."""
    statement = desk.has("bank.csv", f"{HEADER}\n2026-03-05,,500.00,500.00,周大川,6200111,货款,T1\n")
    given = ["--statement", statement, "--orders", desk.has("orders.csv", ORDERS)]
    rows = "".join(f"2026-0{n}-01,周大川,6200111,100.00,苏州恒砺泵业有限公司\n" for n in (1, 1, 2, 2, 2))
    history = desk.has("history.csv", "日期,付款人,付款账号,金额,客户\n" + rows)

    (without,) = desk.lines(*given)
    (known,) = desk.lines(*given, "--history", history)

    assert without["decision"] != "auto" and known["decision"] == "auto"
    assert known["allocations"] == [{"order_no": "SO-2601-0001", "amount": "500.00"}]


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("orders.csv", "订单号,客户,金额,剩余\nA1,甲,1,1\n", "--column open_amount=剩余"),
        ("orders.csv", "<html></html>", "web page"),
        ("bank.csv", "not a statement\n", "--column statement.date="),
        ("bank.csv", "", "empty"),
    ],
)
def test_a_file_that_is_refused_says_why(desk: Desk, file: str, content: str, says: str) -> None:
    """Exit 2, the file's name, the reason and what to do; and nothing is written."""
    statement = desk.has("bank.csv", statement_csv(statement_rows(order_book(9), 5)))
    orders = desk.has("orders.csv", ORDERS)
    desk.has(file, content)

    ran = desk.run("--statement", statement, "--orders", orders, "--out", str(desk.folder / "out.jsonl"))

    assert ran.exit_code == 2
    assert says in ran.stderr and file in ran.stderr and "Next: " in ran.stderr
    assert not (desk.folder / "out.jsonl").exists()


@pytest.mark.parametrize("column", ["open_amount", "nowhere.date=日期", "=x", "remaining=剩余"])
def test_a_column_option_that_says_nothing_is_refused(desk: Desk, column: str) -> None:
    """The three tables and their words are named."""
    statement = desk.has("bank.csv", statement_csv(statement_rows(order_book(9), 5)))

    ran = desk.run("--statement", statement, "--orders", desk.has("orders.csv", ORDERS), "--column", column)

    assert ran.exit_code == 2 and "open_amount" in ran.stderr


@pytest.mark.parametrize(
    "given", [["--limit", "much"], ["--currency", "money"], ["--out", "/no/such/folder/out.jsonl"], ["--as", "nothing"]]
)
def test_an_option_that_cannot_be_is_refused_before_the_work(desk: Desk, given: list[str]) -> None:
    """Exit 2 with a sentence, never a stack trace."""
    statement = desk.has("bank.csv", statement_csv(statement_rows(order_book(9), 5)))

    ran = desk.run("--statement", statement, "--orders", desk.has("orders.csv", ORDERS), *given)

    assert ran.exit_code == 2 and "Next: " in ran.stderr


def test_a_month_without_credits_is_no_error(desk: Desk) -> None:
    """Nothing came in: no line, and a page that says so."""
    target = desk.folder / "page.html"
    statement = desk.has("bank.csv", f"{HEADER}\n2026-01-05,500.00,,500.00,某供应商,6200,采购款,T1\n")

    lines = desk.lines("--statement", statement, "--orders", desk.has("orders.csv", ORDERS), "--report", str(target))

    assert lines == [] and "没有要人处理的收款" in target.read_text(encoding="utf-8")


def test_the_summary_tells_first_what_a_person_must_do(desk: Desk) -> None:
    """Rows that were left out, then what waits and why, then the lanes with sums of each currency, then the statement's balance."""
    statement = desk.has(
        "bank.csv",
        f"{HEADER}\n2026-01-05,,500.00,500.00,某供电局,6200,退费,T1\n2026-01-05,,90.00,590.00,无锡拓锋模具有限公司,,SO-2601-0002,T2\n",
    )
    book = ORDERS + "SO-2601-0003,甲,many\n"

    said = desk.run("--statement", statement, "--orders", desk.has("orders.csv", book)).stdout.splitlines()

    assert said[0] == "order book: order_no = order_no, customer_name = customer_name, open_amount = open_amount"
    assert said[1].startswith("! order book line 4: open_amount is not an amount")
    assert said[2].startswith("not found 未找到: 1 receipts wait")
    text = "\n".join(said)
    assert re.search(r"automatic 自动入账 +1 +90\.00 CNY", text) and re.search(r"total 合计 +2 +590\.00 CNY", text)
    assert "0.00 + 590.00 − 0.00 = 590.00, balanced 已核平" in said[-1]


def test_whatever_stops_a_receipt_says_what_to_do() -> None:
    """Every reason of the desk has a next step in both languages, every ladder and every difference its word."""
    stops = {held.code for _, held in lanes.RULES} | {one.code for one in vars(lanes).values() if isinstance(one, Held)}

    assert stops <= set(words.NEXT)
    assert set(LADDERS) == set(words.LADDERS)
    for table in (words.NEXT, words.LADDERS, words.BOOKED_AS, words.LANES, words.LANES_SAY, words.BALANCED):
        assert all(one.zh and one.en and not re.search(r"[\u4e00-\u9fff]", one.en) for one in table.values())


# --- the page ----------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """A page's elements, and the text in each language."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: dict[str, list[str]] = defaultdict(list)
        self.marked: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "link", "rect", "path", "circle"):
            self._open.append((tag, str(dict(attrs).get("lang") or "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] == "mark":
            self.marked.append(data)
        lang = next((lang for tag, lang in reversed(self._open) if lang and tag != "html"), "")
        if not any(tag in ("style", "title") for tag, _ in self._open):
            self.said[lang].append(data)


def page(desk: Desk, statement: str, orders: str) -> tuple[str, Page]:
    target = desk.folder / "page.html"
    ran = desk.run(
        "--statement", desk.has("bank.csv", statement), "--orders", desk.has("orders.csv", orders), "--report", str(target)
    )
    assert ran.exit_code == 0, ran.output
    text = target.read_text(encoding="utf-8")
    return text, Page(text)


def test_the_page_stands_alone(desk: Desk) -> None:
    """No script, no inline handler, nothing fetched from anywhere: links lead into the page, its policy forbids the rest."""
    text, read = page(
        desk, statement_csv(statement_rows(order_book(30), 40)).decode("gb18030"), orders_csv(order_book(30)).decode()
    )

    assert "default-src 'none'" in text
    for tag, attributes in read.tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "form", "base")
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "style", "action")]
        assert str(attributes.get("href", "#")).startswith("#")
    styles = "".join(re.findall(r"<style[^>]*>(.*?)</style>", text, flags=re.S))
    assert "url(" not in styles and "@import" not in styles
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(attributes["href"])[1:] for tag, attributes in read.tags if tag == "a"} <= set(ids)


def test_every_cell_is_escaped(desk: Desk) -> None:
    """What files hold is text on the page: markup, quotes, control characters and turned reading directions do nothing."""
    evil = "<script>alert(1)</script>"
    statement = f"{HEADER}\n2026-01-05,,500.00,500.00,{evil},6200</td>,&lt;b&gt; SO-2601-0001 \u202egnp.exe\u0007 \"'><img src=x onerror=1>,T1\n"
    text, read = page(
        desk, statement, f"order_no,customer_name,open_amount\nSO-2601-0001,{evil},500.00\nSO-2601-0002,<i>乙</i>,x<b>\n"
    )

    tags = {tag for tag, _ in read.tags}
    assert "script" not in tags and "img" not in tags
    assert not [attributes for _, attributes in read.tags if "onerror" in attributes]
    assert evil in "".join(read.said[""]) and "&lt;b&gt; " in "".join(read.said[""])
    assert "\u202e" not in text and "\u0007" not in text


def test_a_match_is_shown_with_its_reasons(desk: Desk) -> None:
    """The marked number, the shares, what is kept back and why, the weights, in both languages."""
    statement = f"{HEADER}\n2026-01-05,,4990.00,4990.00,苏州恒砺泵业有限公司,6200,货款 SO-2601-0001 谢谢,T1\n"

    _, read = page(desk, statement, ORDERS.replace("500.00", "5000.00"))

    assert set(read.marked) == {"SO-2601-0001"}
    everything = "".join(read.said[""])
    assert "4,990.00" in everything and "5,000.00" in everything and "10.00" in everything and "T1" in everything
    assert "手续费" in "".join(read.said["zh"]) and "bank fee" in "".join(read.said["en"])
    assert any(tag == "rect" and attributes.get("class") == "p" for tag, attributes in read.tags)


def test_the_page_says_everything_in_both_languages(desk: Desk) -> None:
    """Each piece that is said in one language is said in the other right beside it, and English has no Chinese words of ours."""
    _, read = page(desk, statement_csv(statement_rows(order_book(30), 60)).decode("gb18030"), orders_csv(order_book(30)).decode())

    assert len(read.said["zh"]) == len(read.said["en"]) > 100
    names = {one.customer_name for one in order_book(30)}
    for text in read.said["en"]:
        for name in names:
            text = text.replace(name, "")  # noqa: PLW2901
        assert not re.search(
            r"[\u4e00-\u9fff]", re.sub(r"某某供电局|国家税务局退税专户|城南物业管理处|平安办公用品商行|中汇广告社", "", text)
        ), text


def test_a_statement_that_does_not_add_up_says_so_first(desk: Desk) -> None:
    """The page warns above everything else, and the summary too."""
    statement = f"{HEADER}\n2026-01-05,,500.00,500.00,甲,6200,SO-2601-0001,T1\n2026-01-06,,90.00,600.00,乙,6300,货款,T2\n"

    text, read = page(desk, statement, ORDERS)

    assert "核不平" in "".join(read.said["zh"]) and "does not add up" in "".join(read.said["en"])
    assert text.index("note bad") < text.index("<table")
    assert (
        "NOT BALANCED"
        in desk.run("--statement", str(desk.folder / "bank.csv"), "--orders", str(desk.folder / "orders.csv")).stdout
    )


def test_money_of_two_currencies_is_never_added_up(desk: Desk) -> None:
    """Each currency has its own sum, and amounts tell theirs."""
    statement = "交易日期,贷方金额,借方金额,币种,对方户名,附言,交易流水号\n2026-01-05,500.00,,人民币,甲,SO-2601-0001,T1\n2026-01-05,70.00,,美元,乙,货款,T2\n"

    _, read = page(desk, statement, ORDERS)

    everything = "".join(read.said[""])
    assert "¥500.00" in everything and "US$70.00" in everything and "570.00" not in everything
