"""Files that other projects collected: each is read, balances where its own numbers do, and agrees with an independent reader."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import mt940
import pytest

from connectors.bank_mt940.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Movement, Statement, Unread, Unreadable
from hub.testing import context_for

STATEMENTS = Path(__file__).resolve().parents[4] / "shared" / "data" / "statements"
MANIFEST = read_manifest(Path(__file__).parents[1] / "manifest.toml")
FOLDERS = ("mt940-wolph", "mt940-jejik", "mt940-zilverline")
ALONE = "mixed-bankstatementparser/sample.mt940"
MEANT_TO_FAIL = ("invalid", "failing", "error", "february_30")

# Pieces of statements: they name no account or no currency, so nothing of them can be booked.
FRAGMENTS = {
    "mt940-wolph/betterplace/amount_formats.sta": "no account",
    "mt940-wolph/betterplace/currency_in_25.sta": "no statement",
    "mt940-wolph/betterplace/empty_86.sta": "no account",
    "mt940-wolph/betterplace/empty_entry_date.sta": "no account",
    "mt940-wolph/betterplace/empty_line.sta": "no account",
    "mt940-wolph/betterplace/missing_crlf_at_end.sta": "no account",
    "mt940-wolph/cmxl/account_balance_credit.sta": "no account",
    "mt940-wolph/cmxl/account_balance_debit.sta": "no account",
    "mt940-wolph/cmxl/available_balance.sta": "no account",
    "mt940-wolph/cmxl/closing_balance.sta": "no account",
    "mt940-wolph/cmxl/statement_details.sta": "no account",
    "mt940-wolph/self-provided/account_identification.sta": "no currency",
    "mt940-wolph/self-provided/sparkassen.sta": "no account",
}
REFUSED = FRAGMENTS | {"mt940-wolph/self-provided/invalid_statement.sta": "no message"}

# What is told of a file beside its lines: rule and line.
TOLD = {
    "mt940-jejik/K4262927_20200905-080000-952.txt": [("no closing balance", "line 1")],
    "mt940-jejik/oldenburgischelandesbank2.txt": [("no closing balance", "line 1")],
    "mt940-zilverline/deutsche_bank.txt": [("page missing", "line 1")],
    "mt940-wolph/self-provided/february_30.sta": [("day", "line 6, :61:")],
    # The same line as in february_30.sta: its value day is a 30 February as well.
    "mt940-wolph/self-provided/wrapped_timestamp.sta": [("day", "line 5, :61:")],
    "mt940-zilverline/ing/failing.txt": [("day after closing", "line 8, :61:")],
}


def paths() -> list[str]:
    found = [path for folder in FOLDERS for path in (STATEMENTS / folder).rglob("*") if path.is_file()]
    return [path.relative_to(STATEMENTS).as_posix() for path in sorted([*found, STATEMENTS / ALONE])]


def read(body: bytes, **settings: object) -> list[Movement | Unread | Statement]:
    return list(Connector(context_for(MANIFEST, settings=settings)).statements("x.sta", io.BytesIO(body)))


@pytest.fixture(params=paths())
def name(request: pytest.FixtureRequest) -> str:
    if not (STATEMENTS / request.param).exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("the collected statements are not beside the repository")
    return str(request.param)


@pytest.fixture
def quiet() -> Iterator[None]:
    """The independent reader logs what it cannot read."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_every_file_is_read_or_refused_by_name(name: str) -> None:
    """Statements are read and tell what is missing; fragments and files that are none are refused with a rule and a line."""
    body = (STATEMENTS / name).read_bytes()

    assert Connector(context_for(MANIFEST)).recognises(name, body[:65536]) is (REFUSED.get(name) != "no message")
    if name in REFUSED:
        with pytest.raises(Unreadable) as caught:
            read(body)
        assert caught.value.rule == REFUSED[name]
        assert caught.value.pointer.startswith("line ")
        return
    found = read(body)

    assert any(isinstance(one, Statement) for one in found)
    assert [(one.rule, one.pointer) for one in found if isinstance(one, Unread)] == TOLD.get(name, [])


def test_what_is_meant_to_fail_does(name: str) -> None:
    """Files whose names say that something is wrong with them are refused, or their line is parked with its place."""
    if any(word in Path(name).name for word in MEANT_TO_FAIL):
        assert name in REFUSED or any("line" in pointer for _, pointer in TOLD[name])


def test_an_independent_reader_finds_the_same(name: str, quiet: None) -> None:
    """As many lines, the same sum, and balanced exactly where the other reader's numbers add up."""
    if name in REFUSED:
        return
    body = (STATEMENTS / name).read_bytes()
    try:
        others = mt940.parse_statements(body.decode(), options=mt940.Options.all())
    except RuntimeError:  # it refuses sns.txt (an IBAN as reference) and two files with words in :65F:
        assert name in {
            "mt940-zilverline/sns/sns.txt",
            "mt940-jejik/K4262927_20200905-080000-952.txt",
            "mt940-jejik/oldenburgischelandesbank2.txt",
        }
        return
    amounts = [line.data["amount"].amount for one in others for line in one if line.data.get("amount")]

    statements = [one for one in read(body) if isinstance(one, Statement)]

    assert sum(one.lines for one in statements) == len(amounts)
    assert sum(one.credits - one.debits for one in statements) == sum(amounts, Decimal(0))
    if len(others) == len(statements):
        assert [one.balanced for one in statements] == [adds_up(one) for one in others]


def adds_up(other: mt940.models.Transactions) -> bool | None:
    """Whether opening and lines of the independent reader's statement give its closing balance."""
    opening = other.data.get("final_opening_balance") or other.data.get("intermediate_opening_balance")
    closing = other.data.get("final_closing_balance") or other.data.get("intermediate_closing_balance")
    if opening is None or closing is None:
        return None
    lines = sum((line.data["amount"].amount for line in other if line.data.get("amount")), Decimal(0))
    return bool(opening.amount.amount + lines == closing.amount.amount)


def test_no_byte_order_mark_or_line_end_matters(name: str) -> None:
    """The same file with a BOM and with the line ends of another system is the same lines."""
    if name in REFUSED:
        return
    body = (STATEMENTS / name).read_bytes()
    unix = body.replace(b"\r\n", b"\n")

    found = [one for one in read(body) if isinstance(one, Movement)]

    assert found == [one for one in read(b"\xef\xbb\xbf" + unix) if isinstance(one, Movement)]
    assert found == [one for one in read(unix.replace(b"\n", b"\r\n")) if isinstance(one, Movement)]


def test_cut_anywhere_no_line_is_lost_silently(name: str) -> None:
    """Of a file cut at any place, what is booked is what the whole file books, and a missing line is told."""
    if name in REFUSED or name in TOLD:
        return
    body = (STATEMENTS / name).read_bytes()
    whole = [one for one in read(body) if isinstance(one, Movement)]

    for end in range(0, len(body), 1 if len(body) < 2000 else len(body) // 300):
        try:
            found = read(body[:end])
        except Unreadable:
            continue
        booked = [one for one in found if isinstance(one, Movement)]
        assert booked == whole[: len(booked)], end
        in_part = [one for one in found if isinstance(one, Statement)][-1]
        told = any(isinstance(one, Unread) and one.pointer for one in found) or in_part.balanced is False
        # A cut behind a closing balance leaves a whole file: nothing in it can tell that another message followed.
        ended = b":62F:" in body[body[:end].rfind(b":61:") + 1 : end]
        assert len(booked) == len(whole) or told or ended, end
