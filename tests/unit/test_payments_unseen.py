"""The desk on kinds of receipts that no collected month has, built from seeds."""

from __future__ import annotations

import random
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.core.vocabulary import Receipt
from reconciliation.payments import Desk, OpenItem

BENCH = Path(__file__).resolve().parents[1] / "bench"
NAME = "苏州恒锐达精密机械有限公司"
DAY = date(2026, 3, 5)


@pytest.fixture(scope="module")
def measured() -> dict[str, float]:
    sys.path.insert(0, str(BENCH))
    try:
        import unseen_bench

        result: dict[str, float] = unseen_bench.pooled(range(100, 103))[0]
        return result
    finally:
        sys.path.remove(str(BENCH))


def test_what_is_booked_unseen_is_right_on_unseen_kinds(measured: dict[str, float]) -> None:
    """Three desks of seeds that nothing was tried on: the bars that hold for every desk."""
    assert measured["auto_precision"] >= 0.998
    assert measured["auto_rate"] >= 0.92
    assert measured["top1"] >= 0.95
    assert measured["nothing_left_alone"] >= 0.95
    assert measured["over_allocated"] == 0


def test_the_same_seed_builds_the_same_desk(tmp_path: Path) -> None:
    """A desk is written the same to the byte for the same seed."""
    sys.path.insert(0, str(BENCH))
    try:
        import unseen_families
    finally:
        sys.path.remove(str(BENCH))
    one, two = (unseen_families.build(tmp_path / name, range(1))[0] for name in ("one", "two"))

    for file in sorted(one.iterdir()):
        assert file.read_bytes() == (two / file.name).read_bytes()


def item(number: int, minor: int, **rest: Any) -> OpenItem:
    amount = Decimal(minor) / 100
    fields: dict[str, Any] = {
        "receivable": f"R{number}",
        "order": f"SO2602-{number:04d}",
        "amount": amount,
        "open": amount,
        "customer": "C1",
        "customer_name": NAME,
        "due_on": DAY,
    }
    return OpenItem(**(fields | rest))


def receipt(minor: int, memo: str = "货款", **rest: Any) -> Receipt:
    fields: dict[str, Any] = {"receipt": "P1", "booked_on": DAY, "amount": Decimal(minor) / 100, "memo": memo, "payer_name": NAME}
    return Receipt(**(fields | rest))


def ambiguous(seed: int) -> tuple[list[OpenItem], int]:
    """Open orders of one customer, and an amount that two different groups of them come to."""
    rng = random.Random(seed)
    size, grain = rng.randint(2, 3), rng.choice((1, 100, 10_000, 500_000))
    terms = rng.choice(("100", "30/70", "50/50"))
    right = [rng.randint(200, 9_000) * grain for _ in range(size)]
    total = sum(right)
    items = [item(n, minor) for n, minor in enumerate(right)]
    if terms == "100":
        first = rng.randint(total // 4, total // 2) // grain * grain or grain
        items += [item(10, first), item(11, total - first)]
    else:  # the other group is deposits
        part = int(terms.split("/")[0])
        first = rng.randint(total // 4, total // 2) // 300 * 300 or 300
        items += [
            item(10, first * 100 // part, payment_terms=terms),
            item(11, (total - first) * 100 // part, payment_terms=terms),
        ]
        total_of_deposits = sum(round(float(one.open) * part) for one in items[-2:])
        items.append(item(12, max(abs(total - total_of_deposits), 1) if total_of_deposits < total else total))
    items += [item(20 + n, rng.randint(200, 9_000) * grain + 7) for n in range(rng.randint(0, 6))]
    rng.shuffle(items)
    return items, total


def test_an_ambiguous_group_is_never_booked_unseen() -> None:
    """Six hundred sums that two groups of a customer's orders come to: not one is booked."""
    autos = []
    for seed in range(600):
        items, minor = ambiguous(seed)
        match = Desk(items).propose(receipt(minor))
        if match.lane == "auto":
            autos.append((seed, minor, match.shares))

    assert autos == []


def test_two_deposits_that_the_memo_names_are_booked() -> None:
    """The numbers tell which, the terms how much; without the numbers a person looks."""
    desk = Desk([item(1, 1_234_500, payment_terms="30/70"), item(2, 770_050, payment_terms="50/50"), item(3, 88_000)])

    named = desk.propose(receipt(370_350 + 385_025, "定金 SO2602-0001、SO2602-0002"))
    silent = desk.propose(receipt(370_350 + 385_025, "定金"))

    assert named.lane == "auto"
    assert [(share.receivable, share.amount) for share in named.shares] == [
        ("R1", Decimal("3703.50")),
        ("R2", Decimal("3850.25")),
    ]
    assert silent.lane == "review"


def test_a_credit_note_is_set_off_where_the_memo_names_it() -> None:
    """The order and the credit come to the amount: both are used up, the credit with its sign."""
    desk = Desk([item(1, 1_234_500), item(2, 770_050), item(9, -34_500)])

    named = desk.propose(receipt(1_200_000, "SO2602-0001 扣 SO2602-0009"))
    silent = desk.propose(receipt(1_200_000))

    assert named.lane == "auto"
    assert {share.receivable: share.amount for share in named.shares} == {"R1": Decimal("12345.00"), "R9": Decimal("-345.00")}
    assert silent.lane == "review"


def test_a_credit_note_is_used_once() -> None:
    """Two receipts that both count on one credit: one of them is not booked."""
    desk = Desk([item(1, 1_234_500), item(2, 770_050), item(9, -34_500)])
    both = [
        receipt(1_200_000, "SO2602-0001 扣 SO2602-0009"),
        receipt(735_550, "SO2602-0002 扣 SO2602-0009", receipt="P2"),
    ]

    shares = [share.receivable for match in desk.propose_all(both) if match.lane == "auto" for share in match.shares]

    assert shares.count("R9") <= 1


@pytest.mark.parametrize(("day", "lane"), [(date(2026, 3, 5), "auto"), (date(2026, 3, 20), "review")])
def test_the_discount_of_the_terms_is_taken_in_time(day: date, lane: str) -> None:
    """Two per cent within ten days is booked as a discount; later it is a difference that a person looks at."""
    desk = Desk([item(1, 1_234_550, payment_terms="2/10 n/30", ordered_on=date(2026, 3, 1)), item(2, 770_000)])

    match = desk.propose(receipt(1_209_859, "货款SO2602-0001", booked_on=day))

    assert match.lane == lane
    assert [(share.difference, share.booked_as) for share in match.shares] == [(Decimal("246.91"), "discount")]


def test_tax_withheld_is_booked_where_the_memo_speaks_of_it() -> None:
    """Six per cent kept back: with the word and the number it is explained, else not."""
    desk = Desk([item(1, 1_234_500), item(2, 770_000)])

    told = desk.propose(receipt(1_160_430, "代扣税后 SO2602-0001"))
    silent = desk.propose(receipt(1_160_430, "货款 SO2602-0001"))

    assert (told.lane, silent.lane) == ("auto", "review")


@pytest.mark.parametrize("memo", ["货款SO2602-0001等", "SO2602-0001 两单合并付款", "第一季度货款"])
def test_a_memo_that_speaks_of_several_orders_is_not_one(memo: str) -> None:
    """A part of the named order, or all of another, may be several orders together."""
    desk = Desk([item(1, 1_234_500), item(2, 770_050)])

    assert desk.propose(receipt(770_050, memo)).lane != "auto"


@pytest.mark.parametrize("memo", ["货款410362元", "邮编410362", "工程款 410362", "回单410362"])
def test_few_digits_from_a_stranger_are_no_number(memo: str) -> None:
    """A sum or a postal code is some order's digits by accident."""
    desk = Desk([item(1, 1_234_500, order="PO-410362"), item(2, 770_050, order="PO-410363")])

    assert desk.propose(receipt(1_234_500, memo, payer_name="陕西越众兴商贸有限公司")).lane != "auto"


def test_a_deposit_paid_twice_is_no_balance() -> None:
    """Half is the deposit; the same receipt a second time is not the other half."""
    desk = Desk([item(1, 1_234_500, payment_terms="50/50")])
    twice = [receipt(617_250, "SO2602-0001定金"), receipt(617_250, "SO2602-0001定金", receipt="P2", booked_on=date(2026, 3, 9))]

    first, second = desk.propose_all(twice)

    assert first.lane == "auto"
    assert (second.lane, second.shares, second.held and second.held.code) == ("open", (), "twice")


def test_a_book_told_bit_by_bit_gives_the_same_answers() -> None:
    """Orders told one by one, in any order, some of them twice or taken back in between: every answer is the same."""
    rng = random.Random(5)
    items = [
        item(
            n, rng.randint(1_000, 900_000), customer=f"C{n % 9}", customer_name=f"宁波{'甲乙丙丁戊己庚辛壬'[n % 9]}宏五金有限公司"
        )
        for n in range(120)
    ]
    sent = [
        receipt(
            int(one.open * 100) - rng.choice((0, 0, 500)),
            rng.choice(("货款", one.order, f"{one.order}定金")),
            receipt=f"P{n}",
            payer_name=one.customer_name,
            booked_on=date(2026, 3, 1 + n % 28),
        )
        for n, one in enumerate(items[::2])
    ]
    whole, bits = Desk(items), Desk()
    for one in rng.sample(items, len(items)):
        bits.add(one)
        if rng.random() < 0.3:
            bits.remove(one.receivable, paid=False)
            bits.add(one)

    assert bits.propose_all(sent) == whole.propose_all(sent)
    assert [bits.propose(one) for one in sent] == [whole.propose(one) for one in sent]


def test_receipts_that_do_not_compete_are_decided_one_by_one_as_together() -> None:
    """Of customers that have one order each, a month at once is what each receipt is alone."""
    letters = "恒锐达宏联拓科凯腾瑞丰润泰启明森诺远卓华"
    items = [
        item(n, 100_037 + 7_919 * n, customer=f"C{n}", customer_name=f"宁波{letters[n]}{letters[n - 7]}五金有限公司")
        for n in range(20)
    ]
    sent = [receipt(int(one.open * 100), receipt=f"P{n}", payer_name=one.customer_name) for n, one in enumerate(items)]
    desk = Desk(items)

    assert desk.propose_all(sent) == [desk.propose(one) for one in sent]
