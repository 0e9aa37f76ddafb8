"""`shuniu read`: bank files in their common form, as JSON lines or as a table."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import click
import msgspec

from hub.cli.statement_table import Table, written_line
from hub.core.errors import Problem
from hub.registry.bank_files import BankFile, bank_files, statement_readers
from hub.statements import Movement, Spool, Statement, Unread

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("read")
@click.argument("files", type=_FILE, nargs=-1, required=True, metavar="FILE…")
@click.option("--as", "format", help="The format, where it is not recognised: camt, mt940, csv, … or a bank's layout.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: a statement, then its transactions.")
@click.option("--column", "columns", multiple=True, metavar="ROLE=NAME", help="Which column of a table is what: date=记账日")
def read(files: Sequence[Path], format: str | None, as_json: bool, columns: Sequence[str]) -> None:
    """Show bank files in their common form. Exit 2 where one is refused; a line that cannot be read is told and the others go on."""
    readers = statement_readers(format, columns=_named(columns))
    refused = False
    for path in files:
        with path.open("rb") as source:
            try:
                for one in bank_files(path.name, source, readers, told=format is not None):
                    refused |= not _show(one, as_json=as_json)
            except Problem as problem:
                refused = True
                click.echo(f"shuniu: {path.name}: {problem}", err=True)
    sys.exit(2 if refused else 0)


def _named(columns: Sequence[str]) -> dict[str, str]:
    for one in columns:
        if "=" not in one:
            raise click.BadParameter(f"{one!r} is not ROLE=NAME", param_hint="--column")
    return {role.strip(): name.strip() for role, _, name in (one.partition("=") for one in columns)}


def _show(file: BankFile, *, as_json: bool) -> bool:
    """Write one file's statements; false where it is refused, of which nothing is then written.

    A statement is known after its lines and written before them, so the lines are kept in a spool until the file has ended.
    """
    with Spool() as spool:
        told: list[tuple[Statement, range, int]] = []
        start = unread = 0
        try:
            for one in file.statements():
                if isinstance(one, Statement):
                    told.append((one, range(start, len(spool)), unread))
                    start, unread = len(spool), 0
                else:
                    spool.add(one)
                    unread += isinstance(one, Unread)
        except Problem as problem:
            click.echo(f"shuniu: {file.name}: {problem}", err=True)
            return False
        for statement, places, unread in told:
            if as_json:
                _as_json(file, statement, spool, places, unread)
            else:
                _as_table(file, statement, spool, places, unread)
    return True


def _as_json(file: BankFile, statement: Statement, spool: Spool, places: range, unread: int) -> None:
    out = sys.stdout.buffer
    out.write(msgspec.json.encode(_statement(statement, len(places) - unread)) + b"\n")
    for line in spool.lines(places):
        if isinstance(line, Unread):
            _tell(file, line)
        else:
            out.write(msgspec.json.encode(_transaction(line)) + b"\n")
    out.flush()


def _as_table(file: BankFile, statement: Statement, spool: Spool, places: range, unread: int) -> None:
    table = Table(chinese=_is_chinese(), name=file.name)
    for text in table.heading(statement):
        click.echo(text)
    for line in spool.lines(places):
        if isinstance(line, Unread):
            _tell(file, line)
        else:
            click.echo(written_line(line))
    for text in table.totals(statement, len(places) - unread, unread):
        click.echo(text)


def _tell(file: BankFile, line: Unread) -> None:
    click.echo(f"shuniu: {file.name}: {line.pointer}: {line.happened} ({line.rule}). Next: {line.next}", err=True)


def _is_chinese() -> bool:
    """Whether the terminal's language is Chinese, as the environment says it for messages."""
    told = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return next((one for one in told if one), "").lower().startswith("zh")


def _statement(statement: Statement, transactions: int) -> dict[str, object]:
    return {
        "kind": "statement",
        "format": statement.format,
        "account": statement.account or None,
        "currency": statement.currency,
        "opening_balance": _amount(statement.opening),
        "closing_balance": _amount(statement.closing),
        "balanced": statement.balanced,
        "transactions": transactions,
    }


def _transaction(line: Movement) -> dict[str, object]:
    return {
        "kind": "transaction",
        "booked_on": line.booked_on,
        "value_on": line.value_on,
        "amount": _amount(line.amount),
        "currency": line.currency,
        "counterparty_name": line.party_name or None,
        "counterparty_account": line.party_account or None,
        "memo": line.memo,
        "reference": line.reference or None,
        "bank_reference": line.bank_reference or None,
        "reversal": line.reversal,
    }


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
