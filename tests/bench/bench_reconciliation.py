"""How good and how fast the desk is on a labelled month, beside three plain ways of doing it. Run as a program."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from hub.core.vocabulary import Order, Receipt
from hub.parts.orders import receivables_of
from reconciliation.payments import Desk, OpenItem, Payer, added_up, result_line
from reconciliation.payments.names import is_person

BATCH = 200  # events that the bus hands over at once
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


def by_instalments(folder: Path, *, history: bool, batch: int = BATCH) -> list[Line]:
    """As the running hub does it: a receivable an instalment, receipts in batches, each batch's automatic matches booked before the next."""
    book = {item.receivable: item for order in orders(folder) for item in opened(order)}
    desk = Desk(book.values(), payers(folder) if history else ())
    left = {key: item.open for key, item in book.items()}
    lines, sent = [], receipts(folder)
    for start in range(0, len(sent), batch):
        some = sent[start : start + batch]
        for receipt, match in zip(some, desk.propose_all(some), strict=True):
            lines.append(_of_orders(result_line(receipt.receipt, match)))
            for share in match.shares if match.lane == "auto" else ():
                left[share.receivable] -= share.amount + share.difference
                if left[share.receivable] < 0:
                    raise AssertionError(f"{share.receivable} got more than it had open")
                desk.change(share.receivable, left[share.receivable])
    return lines


def opened(order: OpenItem) -> list[OpenItem]:
    """The instalments of an order that are still open, as the hub opens them."""
    names = (
        "order",
        "customer",
        "customer_name",
        "amount",
        "currency",
        "ordered_on",
        "due_on",
        "payment_terms",
        "contract",
        "invoice",
    )
    fact = Order(open_amount=order.open, **{name: getattr(order, name) for name in names})
    return [
        OpenItem(
            open=one.amount,
            ordered_on=order.ordered_on,
            order_amount=order.amount,
            **{name: getattr(one, name) for name in one.__struct_fields__ if name in OpenItem.__struct_fields__},
        )
        for one in receivables_of(fact)
    ]


def _of_orders(line: Line) -> Line:
    """The line with what each order gets in one sum, as the truth has it."""

    def summed(shares: Iterable[dict[str, str]]) -> list[dict[str, str]]:
        total: dict[str, Decimal] = defaultdict(Decimal)
        for share in shares:
            total[share["order_no"]] += Decimal(share["amount"])
        return [{"order_no": order, "amount": str(amount)} for order, amount in total.items()]

    return line | {"allocations": summed(line["allocations"]), "alternatives": [summed(each) for each in line["alternatives"]]}  # type: ignore[arg-type, attr-defined]


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


def by_splink(folder: Path) -> list[Line]:
    """Record linkage with weights learnt from the month itself; an order goes to the receipt that is surest of it."""
    from by_splink import assigned, pairs_by_splink

    sent, book = receipts(folder), {item.order: item for item in orders(folder)}
    chosen = assigned(pairs_by_splink(sent, book.values()))
    lines = []
    for receipt in sent:
        probability, order, is_sure = chosen.get(receipt.receipt, (0.0, "", False))
        line = _line(receipt, book.get(order), probability)
        lines.append(line | {"decision": "auto" if is_sure else "review" if order else "unmatched"})
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
    return judge_all([(folder, lines)])


def judge_all(results: Sequence[tuple[Path, Sequence[Line]]]) -> dict[str, float]:
    """The measures of several desks together."""
    count: Counter[str] = Counter()
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for folder, lines in results:
        left = _judge(truth(folder), {item.order: item.open for item in orders(folder)}, lines, count, bins)
        count["over"] += sum(amount < 0 for amount in left.values())
    return {
        "auto_precision": 1 - count["wrong"] / max(count["autos"], 1),
        "auto_rate": count["good"] / max(count["decidable"], 1),
        "top1": count["top1"] / max(count["pays"], 1),
        "top3": count["top3"] / max(count["pays"], 1),
        "nothing_left_alone": count["left"] / max(count["nothing"], 1),
        "over_allocated": count["over"],
        "wrong_autos": count["wrong"],
        "calibration_error": _calibration(bins.values()),
        "calibration_error_above_0.9": _calibration([bins[9]]),
    }


def _judge(
    labels: dict[str, dict[str, object]],
    open_: dict[str, Decimal],
    lines: Sequence[Line],
    count: Counter[str],
    bins: dict[int, list[tuple[float, bool]]],
) -> dict[str, Decimal]:
    """Count one desk's results; returns what its automatic matches leave of each order, credit notes aside."""
    left = {order: amount for order, amount in open_.items() if amount > 0}
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
                left[share["order_no"]] = left.get(share["order_no"], Decimal("Infinity")) - Decimal(share["amount"])
        if line["allocations"]:
            confidence = float(line["confidence"])  # type: ignore[arg-type]
            bins[min(int(confidence * 10), 9)].append((confidence, right[0]))
    return left


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


def main() -> int:
    if not DATA.is_dir():
        print("no labelled desk beside the project", file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else 0
    from bars import of_groups, of_labelled, of_names, of_scale, of_unseen

    # Before all else: memory is the process's greatest, and other ways need more of it.
    large = None if "--dev" in sys.argv else _scale()
    measured = _ways()
    bars = [*of_labelled(measured["desk"])]
    if large is not None:
        from unseen_bench import pooled

        bars += [*of_unseen(pooled()[0]), *of_groups(), *of_names(), *of_scale(large)]
    for bar in bars:
        print(bar)
    return 0 if all(bar.holds for bar in bars) else 1


def _scale() -> dict[str, float]:
    from large_books import scale

    return scale(orders(DATA), receipts(DATA), payers(DATA))


def _ways() -> dict[str, dict[str, float]]:
    """Each way over the labelled month, printed; a way whose package is missing says how to get it."""
    ways: dict[str, Callable[[Path], list[Line]]] = {
        "exact rule": by_exact_rule,
        "fuzzy script": by_fuzzy_script,
        "splink": by_splink,
        "desk": by_desk,
    }
    if "--instalments" in sys.argv:
        ways["instalments"] = lambda folder: by_instalments(folder, history=False)
        ways["with history"] = lambda folder: by_instalments(folder, history=True)
    measured = {}
    for name, way in ways.items():
        start = time.perf_counter()
        try:
            lines = way(DATA)
        except ImportError as missing:
            print(f"{name:14s} {missing}")
            continue
        seconds = time.perf_counter() - start
        measured[name] = judge(DATA, lines)
        print(f"{name:14s} seconds={seconds:.2f} " + " ".join(f"{key}={value:.4f}" for key, value in measured[name].items()))
        if "--families" in sys.argv and way not in (by_exact_rule, by_fuzzy_script, by_splink):
            for family, lanes in sorted(families(DATA, lines).items()):
                print(f"  {family:34s}", dict(sorted(lanes.items())))
    return measured


if __name__ == "__main__":
    raise SystemExit(main())
