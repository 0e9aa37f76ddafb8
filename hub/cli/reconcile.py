"""`shuniu reconcile`: a bank file matched with an order book."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import click

from hub import cells
from hub.core.errors import Invalid, Problem, Unreadable
from hub.reconcile import BankFiles, Result, read_bank_files, read_history, read_orders, reconcile, result_lines
from hub.reconcile.book import HISTORY, ORDERS
from hub.reconcile.run import LANES, Answer
from reconciliation.payments import Policy

T = TypeVar("T")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_TARGET = click.Path(dir_okay=False, path_type=Path)
_LANES = {"review": "to review 待复核", "open": "not found 未找到", "auto": "automatic 自动入账"}
_SHOWN = 5


@click.command("reconcile")
@click.option("--statement", "statements", type=_FILE, multiple=True, required=True, help="A bank file; give it again for more.")
@click.option("--orders", "orders_file", type=_FILE, required=True, help="The order book: CSV, XLS or XLSX.")
@click.option("--history", "history_file", type=_FILE, help="Receipts that people confirmed earlier: CSV, XLS or XLSX.")
@click.option("--out", "out", type=_TARGET, help="Where to write one JSON line for each credit.")
@click.option("--report", "report_file", type=_TARGET, help="Where to write a page that finance can read, .html.")
@click.option(
    "--as", "format", help="The bank files' format, where it is not recognised: camt, mt940, csv, … or a bank's layout."
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="ROLE=NAME",
    help="Which column is what, where its name does not tell: "
    f"{', '.join(one.name for one in ORDERS)}; with history. in front {', '.join(one.name for one in HISTORY)}; "
    "with statement. in front date, credit, debit, amount, party_name, party_account, memo, serial, …",
)
@click.option("--currency", help="The currency of orders without one; else that of the statement, else CNY.")
@click.option("--limit", help="No receipt above this amount is automatic.")
def reconcile_(
    statements: Sequence[Path],
    orders_file: Path,
    history_file: Path | None,
    out: Path | None,
    report_file: Path | None,
    format: str | None,
    columns: Sequence[str],
    currency: str | None,
    limit: str | None,
) -> None:
    """Match bank statements with an order book. No server, no configuration.

    The order book needs a number, a customer and what is open; columns are found by their names, Chinese or English.
    Exit 2 where a file is refused, with the reason; rows that cannot be read are told, and the others go on.
    """
    named = _named(columns)
    policy = Policy(limit=_parsed("--limit", limit, lambda text: cells.amount(text, places=4)))
    money = _parsed("--currency", currency, cells.currency)
    for target in (out, report_file):
        _check_writable(target)
    with _progress("reading " + ", ".join(one.name for one in statements)), _columns(), ExitStack() as opened:
        files = ((one.name, opened.enter_context(one.open("rb"))) for one in statements)
        bank = read_bank_files(files, format=format, columns=named["statement"])
    with _progress(f"reading {orders_file.name}"), _about(orders_file):
        book = read_orders(orders_file.read_bytes(), currency=money or _currency(bank), named=named["orders"])
    history = None
    if history_file is not None:
        with _progress(f"reading {history_file.name}"), _about(history_file):
            history = read_history(history_file.read_bytes(), book, named=named["history"])
    result = reconcile(bank, book, history, policy=policy, progress=_progress)
    if out is not None:
        with out.open("wb") as file:
            file.writelines(result_lines(result.answers))
    if report_file is not None:
        from hub.reconcile.report import report  # noqa: PLC0415 - only a report needs the templates

        with _progress(f"writing {report_file.name}"):
            report_file.write_text(report(result), encoding="utf-8")
    for line in _summary(result):
        click.echo(line)


def _named(columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Column names by table: `open_amount=剩余`, `history.payer_name=…`, `statement.memo=…`."""
    named: dict[str, dict[str, str]] = {"orders": {}, "history": {}, "statement": {}}
    for one in columns:
        role, equals, name = one.partition("=")
        table, dot, word = role.strip().rpartition(".")
        if not equals or not name.strip() or (table if dot else "orders") not in named:
            raise Invalid(
                happened=f"{one!r} does not say which column is what",
                next="write it as open_amount=剩余, or history.payer_name=… or statement.memo=…",
            )
        named[table if dot else "orders"][word] = name.strip()
    return named


def _parsed(option: str, text: str | None, parse: Callable[[str], T | None]) -> T | None:
    try:
        return None if text is None else parse(text)
    except cells.BadCell as bad:
        raise Invalid(happened=f"{option} is not {bad}", next="correct it", value=text) from bad


def _check_writable(target: Path | None) -> None:
    """Refuse a place that cannot be written to before the work is done, not after."""
    if target is not None and not os.access(target if target.exists() else target.parent, os.W_OK):
        raise Invalid(happened="this file cannot be written", next="choose a folder that exists and is yours", file=target)


def _currency(bank: BankFiles) -> str:
    currencies = {one.receipt.currency for one in bank.credits}
    return currencies.pop() if len(currencies) == 1 else "CNY"


@contextmanager
def _about(file: Path) -> Iterator[None]:
    """A refusal names the file that it is about."""
    try:
        yield
    except Problem as problem:
        problem.about.setdefault("file", file.name)
        raise


@contextmanager
def _columns() -> Iterator[None]:
    """Where a bank's columns are not known, the person is told how to name them here, where there is no connection to set up."""
    try:
        yield
    except Unreadable as problem:
        if problem.rule in ("no header", "no direction", "recognise"):
            problem.next += "; here that is --column statement.date=… --column statement.credit=… --column statement.memo=…"
        raise


@contextmanager
def _progress(doing: str) -> Iterator[None]:
    """What is being done and how long it took, on the error stream; the dots are written before it begins."""
    start = time.monotonic()
    click.echo(f"{doing} … ", err=True, nl=False)
    sys.stderr.flush()
    try:
        yield
    except BaseException:
        click.echo("", err=True)
        raise
    click.echo(f"{time.monotonic() - start:.1f} s", err=True)


# --- the summary -------------------------------------------------------------------------------------------------


def _summary(result: Result) -> Iterator[str]:
    """How the tables were understood, what needs a person, then the lanes, then whether the statement adds up."""
    for what, columns in (("order book", result.book.columns), ("history", result.history.columns if result.history else {})):
        if columns:
            yield f"{what}: " + ", ".join(f"{role} = {title}" for role, title in columns.items())
    yield from _faults(result)
    for lane in ("review", "open"):
        yield from _waiting(lane, result.of(lane))
    yield f"{'receipts 收款':<22}{'count':>8}  {'amount':>20}"
    for lane in LANES:
        yield _line(_LANES[lane], result.of(lane))
    yield _line("total 合计", result.answers)
    for one in result.bank.statements:
        state = {True: "balanced 已核平", False: "NOT BALANCED 核不平", None: "no balances to check 文件没有余额"}[one.balanced]
        opening, closing = ("?" if each is None else f"{each:,}" for each in (one.opening_balance, one.closing_balance))
        yield f"statement {one.account or '?'} {one.currency}: {opening} + {one.credits:,} − {one.debits:,} = {closing}, {state}"


def _faults(result: Result) -> Iterator[str]:
    """Everything that was left out, with its reason: the decisions rest on the rest."""
    history = result.history.unread if result.history else ()
    unread = [*result.bank.unread, *(("order book", one) for one in result.book.unread), *(("history", one) for one in history)]
    for file, one in unread[:_SHOWN]:
        yield f"! {file} {one.pointer}: {one.happened}. Next: {one.next}"
    if len(unread) > _SHOWN:
        yield f"! and {len(unread) - _SHOWN} more lines that cannot be read; the report lists them"
    if result.book.repeated:
        yield f"! {result.book.repeated} rows of the order book stand there twice and were counted once"
    if result.bank.repeated:
        yield f"! {result.bank.repeated} lines stand in more than one bank file and were counted once"


def _waiting(lane: str, answers: Sequence[Answer]) -> Iterator[str]:
    if not answers:
        return
    reasons = Counter((one.match.held.says_en, one.match.held.says) for one in answers if one.match.held)
    yield f"{_LANES[lane]}: {len(answers):,} receipts wait for a person, because"
    for (says_en, says), count in reasons.most_common():
        yield f"  {count:>6,}  {says_en} {says}"
    yield ""


def _line(title: str, answers: Sequence[Answer]) -> str:
    """A lane with its count and its amounts, one currency after the other: they are never added up."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in answers:
        sums[one.credit.receipt.currency] += one.credit.receipt.amount
    amounts = " + ".join(f"{amount:,} {currency}" for currency, amount in sorted(sums.items()))
    wide = sum(ord(char) > 0x2E80 for char in title)
    return f"{title:<{24 - wide}}{len(answers):>8,}  {amounts:>20}"
