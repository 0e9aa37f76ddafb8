"""Files that others wrote: what an independent reader counts in them, and what is refused with its reason."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from connectors.bank_ofx.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Movement, Statement, Unread, Unreadable
from hub.testing import context_for

MANIFEST = read_manifest(Path(__file__).parents[1] / "manifest.toml")
OUTSIDE = Path(__file__).parents[4] / "shared" / "data" / "statements"


@pytest.fixture
def outside(require: Callable[[bool, str], None]) -> Path:
    require(OUTSIDE.is_dir(), "needs the statements written elsewhere, in ../shared/data beside the repository")
    return OUTSIDE


def found_in(path: Path) -> list[Any]:
    return list(Connector(context_for(MANIFEST, settings={})).statements(path.name, BytesIO(path.read_bytes())))


def by_another_reader(path: Path) -> dict[str, list[Decimal]]:
    """What ofxparse reads: the amounts that are cash, by account."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ofxparse import OfxParser

        told = OfxParser.parse(BytesIO(path.read_bytes()))
    return {
        account.account_id.replace(" ", ""): sorted(
            one.amount for one in account.statement.transactions if hasattr(one, "amount")
        )
        for account in told.accounts
        if account.statement is not None
    }


@pytest.mark.parametrize(
    "name",
    [
        "ofx-ofxparse/checking.ofx",
        "ofx-ofxparse/fidelity.ofx",
        "ofx-ofxparse/investment_401k.ofx",
        "ofx-ofxparse/investment_medium.ofx",
        "ofx-ofxparse/multiple_accounts.ofx",
        "ofx-ofxparse/tiaacref.ofx",
        "ofx-ofxparse/bank_small.ofx",
        "mixed-bankstatementparser/sample.ofx",
        "mixed-bankstatementparser/sample.qfx",
    ],
)
def test_a_file_holds_what_another_reader_counts(outside: Path, name: str) -> None:
    """The same accounts, and on each the same amounts; and each statement adds up to its own lines."""
    told = by_another_reader(outside / name)

    found = found_in(outside / name)

    amounts: dict[str, list[Decimal]] = {one.account: [] for one in found if isinstance(one, Statement)}
    for one in found:
        assert not isinstance(one, Unread)
        if isinstance(one, Movement):
            amounts[one.account].append(one.amount)
    assert {account: sorted(values) for account, values in amounts.items()} == told
    statements = [one for one in found if isinstance(one, Statement)]
    assert sum((one.credits - one.debits for one in statements), Decimal(0)) == sum(sum(values) for values in told.values())


def test_a_list_of_accounts_holds_no_statement(outside: Path) -> None:
    """It is OFX, and nothing is booked in it."""
    assert found_in(outside / "ofx-ofxparse/account_listing_aggregation.ofx") == []


def test_a_file_of_an_error_is_refused_with_the_bank_s_code(outside: Path) -> None:
    """SEVERITY ERROR: the bank's code and message are in the reason."""
    with pytest.raises(Unreadable, match="2000: General Server Error") as refused:
        found_in(outside / "ofx-ofxparse/error_message.ofx")

    assert refused.value.rule == "bank error"


def test_lines_without_a_day_are_parked(outside: Path) -> None:
    """A missing, an empty and an impossible day: three lines, each parked by name."""
    found = found_in(outside / "ofx-ofxparse/fail_nice/date_missing.ofx")

    assert [one.rule for one in found if isinstance(one, Unread)] == ["day"] * 3
    assert [one.unread for one in found if isinstance(one, Statement)] == [3]


def test_a_balance_without_an_amount_is_parked(outside: Path) -> None:
    """The line beside it is read all the same."""
    line, balance, statement = found_in(outside / "ofx-ofxparse/fail_nice/empty_balance.ofx")

    assert (line.amount, line.currency) == (Decimal("120.00"), "CAD")
    assert (balance.rule, statement.closing) == ("balance", None)
