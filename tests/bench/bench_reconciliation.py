"""How good and how fast the desk is on a labelled month, beside two plain ways of doing it. Run as a program."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec

from hub.core.vocabulary import Receipt
from reconciliation.payments import Desk, OpenItem, Payer, added_up, result_line
from reconciliation.payments.names import is_person

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "reconciliation" / "dev"
Line = dict[str, object]


def receipts(folder: Path) -> list[Receipt]:
    """The statement's credits, in its order."""
    found = []
    for row, cells in enumerate(csv.reader(io.StringIO((folder / "statement.csv").read_bytes().decode("gb18030")))):
        if len(cells) < 10 or not cells[9].startswith("TX") or not cells[3]:
            continue
        found.append(
            Receipt(
                receipt=cells[9],
                booked_on=date.fromisoformat(cells[0]),
                amount=Decimal(cells[3].replace(",", "")),
                payer_name=cells[5] or None,
                payer_account=cells[6] or None,
                memo=cells[8],
                row=row,
            )
        )
    return found


def orders(folder: Path) -> list[OpenItem]:
    """The order book as whole orders with their terms."""
    with (folder / "orders.csv").open(encoding="utf-8") as file:
        return [
            OpenItem(
                receivable=row["order_no"],
                order=row["order_no"],
                contract=row["contract_no"] or None,
                invoice=row["invoice_no"] or None,
                customer=row["customer_id"],
                customer_name=row["customer_name"],
                amount=Decimal(row["amount"]),
                open=Decimal(row["open_amount"]),
                currency=row["currency"],
                ordered_on=date.fromisoformat(row["order_date"]),
                due_on=date.fromisoformat(row["due_date"]),
                payment_terms=row["payment_terms"],
            )
            for row in csv.DictReader(file)
        ]


def payers(folder: Path) -> list[Payer]:
    """What people confirmed earlier."""
    with (folder / "history.csv").open(encoding="utf-8") as file:
        return added_up(
            Payer(
                name=row["payer_name"],
                account=row["payer_account"] or None,
                customer=row["customer_id"],
                last_seen=date.fromisoformat(row["date"]),
                is_person=is_person(row["payer_name"]),
            )
            for row in csv.DictReader(file)
        )


def truth(folder: Path) -> dict[str, dict[str, object]]:
    with (folder / "truth.jsonl").open(encoding="utf-8") as file:
        return {row["id"]: row for row in map(json.loads, file)}


# --- three ways ----------------------------------------------------------------------------------------------------


def by_desk(folder: Path) -> list[Line]:
    desk = Desk(orders(folder), payers(folder))
    batch = receipts(folder)
    return [result_line(receipt.receipt, match) for receipt, match in zip(batch, desk.propose_all(batch), strict=True)]


def by_exact_rule(folder: Path) -> list[Line]:
    """An order number as it stands in the memo, else the one order with this very amount."""
    book = orders(folder)
    amounts: dict[Decimal, list[OpenItem]] = defaultdict(list)
    for item in book:
        amounts[item.open].append(item)
    lines = []
    for receipt in receipts(folder):
        hits = [item for item in book if item.order in receipt.memo or (item.contract and item.contract in receipt.memo)]
        if len(hits) != 1 and len(amounts[receipt.amount]) == 1:
            hits = amounts[receipt.amount]
        lines.append(_line(receipt, hits[0] if len(hits) == 1 else None, 1.0))
    return lines


def by_fuzzy_script(folder: Path) -> list[Line]:
    """The script that people write: the most alike name among the orders with this amount, else the number in the memo."""
    from rapidfuzz import fuzz

    book = orders(folder)
    lines = []
    for receipt in receipts(folder):
        hits = [item for item in book if item.order in receipt.memo or (item.contract and item.contract in receipt.memo)]
        if len(hits) == 1:
            lines.append(_line(receipt, hits[0], 1.0))
            continue
        scored = [
            (fuzz.ratio(receipt.payer_name or "", item.customer_name or ""), item.order, item)
            for item in book
            if item.open == receipt.amount
        ]
        best = max(scored, default=None, key=lambda entry: entry[:2])
        lines.append(_line(receipt, best[2] if best and best[0] >= 80 else None, best[0] / 100 if best else 0.0))
    return lines


def _line(receipt: Receipt, item: OpenItem | None, confidence: float) -> Line:
    shares = [{"order_no": item.order, "amount": str(receipt.amount)}] if item else []
    return {
        "transaction_id": receipt.receipt,
        "decision": "auto" if item else "unmatched",
        "confidence": confidence,
        "allocations": shares,
        "alternatives": [],
    }


# --- judging -------------------------------------------------------------------------------------------------------


def _same(shares: object, right: Iterable[dict[str, str]], amounts: bool) -> bool:
    def key(entries: Iterable[dict[str, str]]) -> list[object]:
        return sorted((entry["order_no"], Decimal(entry["amount"]) if amounts else 0) for entry in entries)

    return key(shares) == key(right)  # type: ignore[arg-type]


def judge(folder: Path, lines: Sequence[Line]) -> dict[str, float]:
    """The measures of the labelled desk, and how far confidence is from truth (ten bins, and above 0.9)."""
    labels, left = truth(folder), {item.order: item.open for item in orders(folder)}
    count: Counter[str] = Counter()
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for line in lines:
        label = labels[str(line["transaction_id"])]
        accept: list[list[dict[str, str]]] = label["accept"]  # type: ignore[assignment]
        amounts, pays = bool(label["amounts"]), accept != [[]]
        sets = [line["allocations"], *line["alternatives"]]  # type: ignore[misc]
        right = [any(_same(each, good, amounts) for good in accept) for each in sets]
        auto = line["decision"] == "auto"
        count["rows"] += 1
        count["autos"] += auto
        count["wrong"] += auto and not right[0]
        count["pays"] += pays
        count["top1"] += pays and right[0]
        count["top3"] += pays and any(right[:3])
        count["decidable"] += pays and bool(label["decidable"])
        count["good"] += pays and bool(label["decidable"]) and auto and right[0]
        count["nothing"] += not pays
        count["left"] += not pays and not line["allocations"]
        if auto:
            for share in line["allocations"]:  # type: ignore[attr-defined]
                left[share["order_no"]] -= Decimal(share["amount"])
        if line["allocations"]:
            confidence = float(line["confidence"])  # type: ignore[arg-type]
            bins[min(int(confidence * 10), 9)].append((confidence, right[0]))
    return {
        "auto_precision": 1 - count["wrong"] / max(count["autos"], 1),
        "auto_rate": count["good"] / max(count["decidable"], 1),
        "top1": count["top1"] / max(count["pays"], 1),
        "top3": count["top3"] / max(count["pays"], 1),
        "nothing_left_alone": count["left"] / max(count["nothing"], 1),
        "over_allocated": sum(amount < 0 for amount in left.values()),
        "wrong_autos": count["wrong"],
        "calibration_error": _calibration(bins.values()),
        "calibration_error_above_0.9": _calibration([bins[9]]),
    }


def _calibration(bins: Iterable[Sequence[tuple[float, bool]]]) -> float:
    filled = [each for each in bins if each]
    total = sum(len(each) for each in filled)
    return sum(abs(sum(confidence for confidence, _ in each) - sum(right for _, right in each)) for each in filled) / max(
        total, 1
    )


def families(folder: Path, lines: Sequence[Line]) -> dict[str, Counter[str]]:
    """Per family: lanes, and what was wrong."""
    labels, result = truth(folder), defaultdict(Counter)
    for line in lines:
        label = labels[str(line["transaction_id"])]
        accept, amounts = label["accept"], bool(label["amounts"])
        right = any(_same(line["allocations"], good, amounts) for good in accept)  # type: ignore[attr-defined]
        name = f"{label['family']}{'' if label['decidable'] else ' (a person must)'}"
        result[name][f"{line['decision']}{'' if right else ' WRONG'}"] += 1
    return result


# --- large books -----------------------------------------------------------------------------------------------------


def grown(folder: Path, times: int) -> tuple[list[OpenItem], list[Receipt]]:
    """The month so many times over: other customers, numbers, names and amounts, of the same kinds."""
    signs = "宏达鑫源华盛天泽佳美金海恒瑞宝丰泰康"
    items, sent = [], []
    for each in range(times):
        sign = signs[each % 18] + signs[each // 18 % 18]
        number = re.compile(r"((?:XS|HT)\S*-)(\d{5})")

        def renumber(text: str, each: int = each, number: re.Pattern[str] = number) -> str:
            return number.sub(lambda found: f"{found[1]}{int(found[2]) + each * 4000:06d}", text)

        def rename(name: str | None, sign: str = sign) -> str | None:
            return name[:3] + sign + name[3:] if name and len(name) > 6 else name

        def regrow(amount: Decimal, each: int = each) -> Decimal:
            return (amount * (100 + each) / 100).quantize(Decimal("0.01"))

        for item in orders(folder):
            order, contract = renumber(item.order), renumber(item.contract or "") or None
            invoice = f"{int(item.invoice) + each * 10**8:010d}" if item.invoice else None
            names = {
                "customer": f"{item.customer}-{each}",
                "customer_name": rename(item.customer_name),
                "order": order,
                "receivable": order,
            }
            sums = {"amount": regrow(item.amount), "open": min(regrow(item.open), regrow(item.amount))}
            items.append(msgspec.structs.replace(item, contract=contract, invoice=invoice, **names, **sums))
        for receipt in receipts(folder):
            name, account = rename(receipt.payer_name), f"{receipt.payer_account}{each}" if receipt.payer_account else None
            sent.append(
                msgspec.structs.replace(
                    receipt,
                    receipt=f"{receipt.receipt}-{each}",
                    payer_name=name,
                    payer_account=account,
                    amount=regrow(receipt.amount),
                    memo=renumber(receipt.memo),
                )
            )
    random.Random(1).shuffle(sent)
    return items, sent


def scale() -> None:
    """Twenty thousand receipts against as many orders, and one receipt against a hundred thousand, in processor time of one core."""
    items, sent = grown(DATA, 9)
    items, sent = items[:20_000], sent[:20_000]
    start = time.process_time()
    Desk(items, payers(DATA)).propose_all(sent)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{len(sent)} receipts x {len(items)} orders: {time.process_time() - start:.1f} s (limit 20), {peak} MB (limit 1024)")
    items, sent = grown(DATA, 25)
    desk = Desk(items, payers(DATA))
    taken = []
    for receipt in sent[:2000]:
        start = time.process_time()
        desk.propose(receipt)
        taken.append(time.process_time() - start)
    taken.sort()
    print(f"1 receipt x {len(items)} orders: p50 {taken[1000] * 1e3:.2f} ms, p99 {taken[1980] * 1e3:.2f} ms (limit 30)")


def main() -> int:
    if not DATA.is_dir():
        print("no labelled desk beside the project", file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else 0
    ways = {"exact rule": by_exact_rule, "fuzzy script": by_fuzzy_script, "desk": by_desk}
    for name, way in ways.items():
        start = time.perf_counter()
        lines = way(DATA)
        seconds = time.perf_counter() - start
        print(f"{name:14s} seconds={seconds:.2f} " + " ".join(f"{key}={value:.4f}" for key, value in judge(DATA, lines).items()))
    if "--families" in sys.argv:
        for family, lanes in sorted(families(DATA, lines).items()):
            print(f"  {family:34s}", dict(sorted(lanes.items())))
    if "--scale" in sys.argv:
        scale()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
