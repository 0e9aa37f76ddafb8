"""Payouts of wallets through their bill, and orders in another currency."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.vocabulary import Receipt
from reconciliation.payments import Bill, BillLine, Desk, OpenItem, Policy

NAME = "苏州恒锐达精密机械有限公司"
DAY = date(2026, 3, 5)


def item(number: int, amount: str, **rest: Any) -> OpenItem:
    fields: dict[str, Any] = {
        "receivable": f"R{number}",
        "order": f"SO2602-{number:04d}",
        "amount": Decimal(amount),
        "open": Decimal(amount),
        "customer": f"C{number}",
        "customer_name": NAME if number == 1 else None,
        "due_on": DAY,
    }
    return OpenItem(**(fields | rest))


def receipt(amount: str, memo: str = "商户结算款", payer: str = "支付宝（中国）网络技术有限公司", **rest: Any) -> Receipt:
    return Receipt(receipt="P1", booked_on=DAY, amount=Decimal(amount), payer_name=payer, memo=memo, **rest)


def line(number: int, amount: str, fee: str = "0") -> BillLine:
    return BillLine(order=f"SO2602-{number:04d}", amount=Decimal(amount), fee=Decimal(fee))


BOOK = [item(1, "1000.00"), item(2, "250.00"), item(3, "80.00")]


def test_a_payout_pays_what_its_bill_says() -> None:
    """Every line's order gets what was paid, less what the provider kept, which is booked by its name."""
    bill = Bill(bill="B1", lines=(line(1, "1000.00", "6.00"), line(2, "250.00", "1.50")))

    match = Desk(BOOK).propose_payout(receipt("1242.50"), bill)

    assert (match.lane, match.held) == ("auto", None)
    assert [(share.receivable, share.amount, share.difference, share.booked_as) for share in match.shares] == [
        ("R1", Decimal("994.00"), Decimal("6.00"), "provider_fee"),
        ("R2", Decimal("248.50"), Decimal("1.50"), "provider_fee"),
    ]


@pytest.mark.parametrize(
    ("paid", "lines", "code"),
    [
        ("1242.51", (line(1, "1000.00", "6.00"), line(2, "250.00", "1.50")), "bill_sum"),
        ("1100.00", (line(1, "1000.00"), line(9, "100.00")), "bill_line"),
        ("900.00", (line(1, "1000.00"), line(2, "-100.00")), "bill_line"),
        ("1300.00", (line(1, "1000.00"), line(2, "300.00")), "bill_line"),
        ("160.00", (line(3, "80.00"), line(3, "80.00")), "bill_line"),
    ],
)
def test_a_bill_with_a_doubt_is_for_a_person(paid: str, lines: tuple[BillLine, ...], code: str) -> None:
    """Another sum, an unknown number, a refund, more than is open, the same order twice."""
    match = Desk(BOOK).propose_payout(receipt(paid), Bill(bill="B1", lines=lines))

    assert (match.lane, match.held and match.held.code) == ("review", code)


@pytest.mark.parametrize("policy", [Policy(shadow=True), Policy(limit=Decimal(100)), Policy(closed_until=DAY)])
def test_the_policy_holds_payouts_too(policy: Policy) -> None:
    """Shadow mode, the limit and closed periods are the same for bills."""
    match = Desk(BOOK, policy=policy).propose_payout(receipt("1000.00"), Bill(bill="B1", lines=(line(1, "1000.00"),)))

    assert (match.lane, match.held and match.held.code) == ("review", "policy")


def test_without_its_bill_a_payout_is_nothing() -> None:
    """Not even where the sum is that of orders."""
    assert Desk(BOOK).propose(receipt("1250.00")).shares == ()


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(-500, 120_000), st.integers(0, 900)), max_size=7), st.integers(-3, 3))
def test_a_payout_never_gives_more_than_it_is(lines: list[tuple[int, int, int]], off: int) -> None:
    """Whatever the bill says, an automatic payout gives exactly the receipt, and no order more than it has open."""
    bill = Bill(bill="B", lines=tuple(line(n, str(Decimal(paid) / 100), str(Decimal(fee) / 100)) for n, paid, fee in lines))
    amount = bill.paid_out + Decimal(off) / 100
    if amount <= 0:
        return

    match = Desk(BOOK).propose_payout(receipt(str(amount)), bill)

    taken = {item.receivable: Decimal(0) for item in BOOK}
    for share in match.shares:
        taken[share.receivable] += share.amount + share.difference
    assert all(taken[item.receivable] <= item.open for item in BOOK)
    if match.lane == "auto":
        assert sum(share.amount for share in match.shares) == amount


# --- another currency ----------------------------------------------------------------------------------------------

DOLLARS = [item(1, "1000.00", currency="USD"), item(2, "250.00")]


@pytest.mark.parametrize(
    ("amount", "rates", "lane"),
    [
        ("7150.00", {"USD": Decimal("7.12")}, "review"),
        ("7350.00", {"USD": Decimal("7.12")}, "open"),
        ("7150.00", {}, "review"),
        ("1000.00", {}, "open"),
    ],
)
def test_dollars_paid_in_yuan_are_proposed_and_never_booked(amount: str, rates: dict[str, Decimal], lane: str) -> None:
    """Within the band of the rate, or where none is known within what is plausible: to a person. Else it is not this order."""
    match = Desk(DOLLARS, policy=Policy(rates=rates)).propose(receipt(amount, "货款SO2602-0001", NAME))

    assert match.lane == lane
    assert (match.held and match.held.code) == ("foreign" if lane == "review" else "currency")
    assert [share.receivable for share in match.shares] == (["R1"] if lane == "review" else [])


def test_a_rate_finds_an_order_that_the_memo_does_not_name() -> None:
    """With a rate the customer's own order in dollars is proposed; without one only what the memo names."""
    known, unknown = Policy(rates={"USD": Decimal("7.12")}), Policy()

    assert [share.receivable for share in Desk(DOLLARS, policy=known).propose(receipt("7150.00", "货款", NAME)).shares] == ["R1"]
    assert Desk(DOLLARS, policy=unknown).propose(receipt("7150.00", "货款", NAME)).shares == ()
