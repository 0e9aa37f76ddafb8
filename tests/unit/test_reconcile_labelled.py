"""The labelled month through the command: what people get is what the desk decides."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from hub.cli import main

HERE = Path(__file__).resolve()
DATA = HERE.parents[3] / "shared" / "data" / "reconciliation" / "dev"
BENCH = HERE.parents[1] / "bench" / "bench_reconciliation.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The benchmark, which judges result lines."""
    if not DATA.is_dir():
        message = "the labelled desk is not beside the project"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    spec = importlib.util.spec_from_file_location("bench_reconciliation", BENCH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_labelled_month_through_the_command(bench: ModuleType, tmp_path: Path) -> None:
    """Files in, lines out: one for each credit in the statement's order, nothing wrong booked, and as much as the desk books."""
    out = tmp_path / "out.jsonl"
    given = ["--statement", f"{DATA}/statement.csv", "--orders", f"{DATA}/orders.csv", "--history", f"{DATA}/history.csv"]

    ran = CliRunner().invoke(main, ["reconcile", *given, "--out", str(out)], catch_exceptions=False)

    assert ran.exit_code == 0 and "balanced" in ran.stdout
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["transaction_id"] for line in lines] == [receipt.receipt for receipt in bench.receipts(DATA)]
    measured = bench.judge(DATA, lines)
    assert measured["auto_precision"] >= 0.999 and measured["over_allocated"] == 0
    assert measured["auto_rate"] >= 0.95 and measured["top1"] >= 0.98 and measured["top3"] >= 0.99
