"""How good the desk is on built desks of unseen kinds, pooled; run as a program it also tells what became of each kind."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import bench_reconciliation as bench
from unseen_families import build

SEEDS = range(5)


def pooled(seeds: range = SEEDS) -> tuple[dict[str, float], dict[str, Counter[str]], list[str]]:
    """The measures over all desks together, what became of each kind, and the wrong bookings in words."""
    with tempfile.TemporaryDirectory() as name:
        folders = build(Path(name), seeds)
        lines = [bench.by_desk(folder) for folder in folders]
        told: dict[str, Counter[str]] = defaultdict(Counter)
        for folder, each in zip(folders, lines, strict=True):
            for family, lanes in bench.families(folder, each).items():
                told[family].update(lanes)
        wrong = [text for folder, each in zip(folders, lines, strict=True) for text in _wrong(folder, each)]
        return bench.judge_all(list(zip(folders, lines, strict=True))), told, wrong


def _wrong(folder: Path, lines: list[bench.Line]) -> list[str]:
    labels, paid = bench.truth(folder), {receipt.receipt: receipt for receipt in bench.receipts(folder)}
    found = []
    for line in lines:
        label, receipt = labels[str(line["transaction_id"])], paid[str(line["transaction_id"])]
        right = any(bench._same(line["allocations"], good, bool(label["amounts"])) for good in label["accept"])  # type: ignore[attr-defined]
        if not right and (line["decision"] == "auto" or "--all" in sys.argv):
            what = f"{receipt.payer_name} {receipt.amount} {receipt.memo!r}"
            found.append(f"{line['decision']} {label['family']}: {what} → {line['allocations']}, not {label['accept']}")
    return found


def unseen() -> bool:
    """Print the pooled measures beside their bars; whether all are met."""
    measured, told, wrong = pooled()
    print("unseen desks   " + " ".join(f"{key}={value:.4f}" for key, value in measured.items()))
    if "--families" in sys.argv:
        for family, lanes in sorted(told.items()):
            print(f"  {family:40s}", dict(sorted(lanes.items())))
    for text in wrong:
        print("  wrong:", text)
    bars = {"auto_precision": 0.998, "auto_rate": 0.92, "top1": 0.95, "nothing_left_alone": 0.95}
    return all(measured[name] >= bar for name, bar in bars.items()) and not measured["over_allocated"]


if __name__ == "__main__":
    raise SystemExit(0 if unseen() else 1)
