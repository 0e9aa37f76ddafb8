"""The desk on a labelled month: floors that it must never fall below."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve()
DATA = HERE.parents[3] / "shared" / "data" / "reconciliation" / "dev"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The benchmark, which reads the month and judges it."""
    if not DATA.is_dir():
        message = "the labelled desk is not beside the project"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    spec = importlib.util.spec_from_file_location("bench_reconciliation", HERE.parents[1] / "bench" / "bench_reconciliation.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def measured(bench: ModuleType) -> dict[str, float]:
    return bench.judge(DATA, bench.by_desk(DATA))  # type: ignore[no-any-return]


def test_what_is_booked_unseen_is_right(measured: dict[str, float]) -> None:
    """At least 99.9 % of the automatic matches are right, and no order gets more than it has open."""
    assert measured["auto_precision"] >= 0.999
    assert measured["over_allocated"] == 0


def test_most_of_what_can_be_decided_is_booked_unseen(measured: dict[str, float]) -> None:
    """The desk is not careful at the cost of doing nothing."""
    assert measured["auto_rate"] >= 0.95


def test_the_right_order_is_on_the_table(measured: dict[str, float]) -> None:
    """The proposal, or one of the two runners-up, is right."""
    assert measured["top1"] >= 0.98
    assert measured["top3"] >= 0.99


def test_money_for_nothing_in_the_book_is_left_alone(measured: dict[str, float]) -> None:
    """Strangers, refunds, advances and second payments are proposed nothing."""
    assert measured["nothing_left_alone"] >= 0.98


def test_a_probability_means_what_it_says(measured: dict[str, float]) -> None:
    """Proposals are right about as often as their probability says."""
    assert measured["calibration_error"] <= 0.02
    assert measured["calibration_error_above_0.9"] <= 0.01


def test_one_by_one_is_never_wrong_either(bench: ModuleType) -> None:
    """Receipts that come one at a time, each booked before the next, are as safe as a month at once."""
    desk = bench.Desk(bench.orders(DATA), bench.payers(DATA))
    left = {item.order: item.open for item in bench.orders(DATA)}
    lines = []
    for receipt in bench.receipts(DATA):
        match = desk.propose(receipt)
        lines.append(bench.result_line(receipt.receipt, match))
        for share in match.shares if match.lane == "auto" else ():
            left[share.order] -= share.amount + share.difference
            desk.change(share.receivable, left[share.order])

    measured = bench.judge(DATA, lines)

    assert measured["auto_precision"] >= 0.998
    assert measured["over_allocated"] == 0
    assert measured["auto_rate"] >= 0.9


@pytest.mark.parametrize(("history", "least"), [(False, 0.92), (True, 0.94)])
def test_instalments_in_batches_are_as_safe(bench: ModuleType, history: bool, least: float) -> None:
    """As the hub runs it, a receivable an instalment and receipts as they come: nothing wrong is booked, and as much as for whole orders.

    Without history a person who pays for a company is nobody, which is a twentieth of the month.
    """
    measured = bench.judge(DATA, bench.by_instalments(DATA, history=history))

    assert measured["auto_precision"] >= 0.998
    assert measured["over_allocated"] == 0
    assert measured["auto_rate"] >= least
