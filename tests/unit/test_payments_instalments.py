"""Orders opened as instalments: matched as one thing to be paid, and what they get is laid on their instalments."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.vocabulary import Order, Receipt
from hub.parts.orders import receivables_of
from reconciliation.payments import Desk, Match, OpenItem, Payer

COMPANY = "苏州恒瑞达精密机械有限公司"
OTHER = "宁波金海粮油贸易有限公司"


def placed(number: int, amount: str, terms: str = "100", *, open: str | None = None, name: str = COMPANY) -> Order:
    return Order(
        order=f"XS20260101-{number:05d}",
        contract=f"HT-2601-{number:05d}",
        customer=name[:2],
        customer_name=name,
        amount=Decimal(amount),
        open_amount=Decimal(open) if open else None,
        payment_terms=terms,
        due_on=date(2026, 3, 1),
    )


def parted(order: Order) -> list[OpenItem]:
    """The items that the hub opens for an order."""
    return [
        OpenItem(
            open=one.amount,
            order_amount=order.amount,
            **{name: getattr(one, name) for name in one.__struct_fields__ if name in OpenItem.__struct_fields__},
        )
        for one in receivables_of(order)
    ]


def whole(order: Order) -> OpenItem:
    """The order as one item with its terms."""
    names = [name for name in OpenItem.__struct_fields__ if name in order.__struct_fields__]
    still = order.amount if order.open_amount is None else order.open_amount
    return OpenItem(receivable=order.order, open=still, **{name: getattr(order, name) for name in names})


def receipt(amount: str, memo: str = "货款", payer: str = COMPANY, number: int = 1) -> Receipt:
    return Receipt(
        receipt=f"P{number}", booked_on=date(2026, 3, 5), amount=Decimal(amount), memo=memo, payer_name=payer, row=number
    )


def desk_of(*orders: Order) -> Desk:
    """These, among forty orders of ten other customers."""
    others = [
        placed(100 + n, f"{3217 + 911 * n}.{n:02d}", "30/70", name=f"南京甲乙{'丙丁戊己庚辛壬癸子丑'[n % 10]}商贸有限公司")
        for n in range(40)
    ]
    others = [Order(**{f: getattr(o, f) for f in o.__struct_fields__} | {"customer": f"X{n % 10}"}) for n, o in enumerate(others)]
    return Desk(item for order in (*orders, *others) for item in parted(order))


def told(match: Match) -> list[tuple[str, str]]:
    return [(share.receivable.removeprefix("XS20260101-"), str(share.amount)) for share in match.shares]


def code(match: Match) -> str | None:
    return match.held.code if match.held else None


def book(desk: Desk, match: Match, left: dict[str, Decimal]) -> None:
    for share in match.shares:
        left[share.receivable] -= share.amount + share.difference
        desk.change(share.receivable, left[share.receivable])


@pytest.mark.parametrize("memo", ["货款", "XS20260101-00001", "XS20260101-00001尾款"])
def test_the_whole_order_is_paid_at_once(memo: str) -> None:
    """The sum of all that is open of one order is that order's payment, with its number or with the customer's name alone."""
    match = desk_of(placed(1, "48137.50", "30/60/10")).propose(receipt("48137.50", memo))

    assert match.lane == "auto"
    assert told(match) == [("00001/1", "14441.25"), ("00001/2", "28882.50"), ("00001/3", "4813.75")]


def test_the_rest_of_an_order_partly_paid_before_is_paid() -> None:
    """What was paid before the order was opened is not asked for again."""
    match = desk_of(placed(1, "48137.50", "30/70", open="40000.00")).propose(receipt("40000.00"))

    assert (match.lane, told(match)) == ("auto", [("00001/1", "6303.75"), ("00001/2", "33696.25")])


def test_a_part_of_the_order_named_is_not_shared_with_another() -> None:
    """An odd part is laid on the instalments of the order that the memo names, though with another's it would add up."""
    desk = desk_of(placed(1, "268000.00", "10/90"), placed(2, "53600.00", "50/50"))

    match = desk.propose(receipt("53600.00", "订单号:XS20260101-00001"))

    assert {share.order for share in match.shares} == {"XS20260101-00001"} or match.lane != "auto"


def test_an_odd_part_goes_to_the_next_instalment_first() -> None:
    """Money that is no instalment is laid on them as they fall due."""
    match = desk_of(placed(1, "48137.50", "30/70")).propose(receipt("20000.00", "XS20260101-00001"))

    assert (match.lane, told(match)) == ("auto", [("00001/1", "14441.25"), ("00001/2", "5558.75")])


@pytest.mark.parametrize("terms", ["100", "50/50"])
def test_the_amount_of_another_order_is_a_conflict(terms: str) -> None:
    """The memo names one order and the amount is all of another: a person decides."""
    desk = desk_of(placed(1, "9700.00", "30/70"), placed(2, "3511.20", terms))

    match = desk.propose(receipt("3511.20", "XS20260101-00001货款"))

    assert match.lane == "review"
    assert code(match) in ("fits_another", "conflict")


def test_another_receipt_for_the_other_order_lifts_the_conflict() -> None:
    """An order that its own receipt pays is not what this one means."""
    desk = desk_of(placed(1, "9700.00", "30/70"), placed(2, "3511.20"))

    first, second = desk.propose_all([receipt("3511.20", "XS20260101-00001"), receipt("3511.20", "XS20260101-00002", number=2)])

    assert (first.shares[0].order, second.shares[0].order) == ("XS20260101-00001", "XS20260101-00002")
    assert second.lane == "auto"
    assert code(first) != "fits_another"


def test_all_of_one_order_or_an_instalment_of_another() -> None:
    """One amount is all of an order and the next instalment of another: held, unless the number says which; words decide what is proposed."""
    desk = desk_of(placed(1, "3511.20"), placed(2, "7022.40", "50/50"))

    silent = desk.propose(receipt("3511.20"))
    named = desk.propose(receipt("3511.20", "XS20260101-00001"))
    deposit = desk.propose(receipt("3511.20", "付定金"))

    assert (silent.lane, code(silent)) == ("review", "either")
    assert (named.lane, told(named)) == ("auto", [("00001/1", "3511.20")])
    assert told(deposit) == [("00002/1", "3511.20")]


def test_a_sum_over_instalments_of_several_orders_is_booked_where_the_memo_names_them() -> None:
    """One order and the first part of another add up: proposed, and booked only where the memo names both."""
    desk = desk_of(placed(1, "9713.00", "30/70"), placed(2, "3511.20"))

    silent = desk.propose(receipt("6425.10"))
    named = desk.propose(receipt("6425.10", "XS20260101-00001、XS20260101-00002"))

    assert silent.lane != "auto"
    assert named.lane == "auto"


def test_two_whole_orders_are_paid_together_however_opened() -> None:
    """A memo that names two orders pays every instalment of both with the sum of both."""
    desk = desk_of(placed(1, "9713.00", "30/70"), placed(2, "3511.20"))

    match = desk.propose(receipt("13224.20", "XS20260101-00001/00002"))

    assert (match.lane, told(match)) == ("auto", [("00001/1", "2913.90"), ("00001/2", "6799.10"), ("00002/1", "3511.20")])


def test_a_later_instalment_needs_the_orders_number() -> None:
    """A balance that comes while the deposit is open is booked on the balance where the memo names the order, else held."""
    desk = desk_of(placed(1, "48137.50", "30/70"))

    silent = desk.propose(receipt("33696.25"))
    named = desk.propose(receipt("33696.25", "XS20260101-00001尾款"))

    assert (silent.lane, code(silent), told(silent)) == ("review", "instalment", [("00001/2", "33696.25")])
    assert (named.lane, told(named)) == ("auto", [("00001/2", "33696.25")])


def test_the_next_instalment_needs_a_word_or_a_number() -> None:
    """A deposit is booked where the memo says deposit or names the order; an amount that is only thirty percent is held."""
    desk = desk_of(placed(1, "48137.50", "30/70"))

    lanes = [desk.propose(receipt("14441.25", memo)).lane for memo in ("货款", "定金", "XS20260101-00001")]

    assert lanes == ["review", "auto", "auto"]


def test_a_deposit_that_is_paid_is_not_paid_again() -> None:
    """Half down, half later: the same money called deposit a second time is not booked on the balance."""
    desk = desk_of(placed(1, "48137.50", "50/50"))
    desk.remove("XS20260101-00001/1")

    again = desk.propose(receipt("24068.75", "XS20260101-00001定金"))
    balance = desk.propose(receipt("24068.75", "XS20260101-00001尾款"))

    assert (again.lane, code(again)) == ("review", "deposit_paid")
    assert (balance.lane, told(balance)) == ("auto", [("00001/2", "24068.75")])


def test_equal_halves_in_one_batch_get_an_instalment_each() -> None:
    """Two receipts of half an order each pay the first and the second half, in the bank's order."""
    desk = desk_of(placed(1, "48137.50", "50/50"))

    first, second = desk.propose_all([receipt("24068.75", f"XS20260101-00001 第{n}笔", number=n) for n in (1, 2)])

    assert (told(first), told(second)) == ([("00001/1", "24068.75")], [("00001/2", "24068.75")])
    assert (first.lane, second.lane) == ("auto", "auto")


def test_what_a_bank_kept_is_a_difference_of_the_last_instalment() -> None:
    """A transfer five short settles every instalment of the order."""
    match = desk_of(placed(1, "48137.50", "30/70")).propose(receipt("48132.50"))

    assert match.lane == "auto"
    assert [(share.receivable[-1], str(share.amount), str(share.difference), share.booked_as) for share in match.shares] == [
        ("1", "14441.25", "0.00", None),
        ("2", "33691.25", "5.00", "bank_fee"),
    ]


def test_no_instalment_is_settled_with_nothing() -> None:
    """A last instalment smaller than what the bank kept still gets something, and the one before it bears the rest."""
    match = desk_of(placed(1, "1000.00", "99.8/0.2")).propose(receipt("990.00", "XS20260101-00001"))

    assert [(str(share.amount), str(share.difference)) for share in match.shares] == [("989.99", "8.01"), ("0.01", "1.99")]


def test_an_order_is_settled_with_its_last_instalment() -> None:
    """A number is known as settled only when nothing of its order is open."""
    desk = desk_of(placed(1, "48137.50", "30/70"))

    desk.remove("XS20260101-00001/1")
    half = desk.propose(receipt("33696.25", "XS20260101-00001"))
    desk.remove("XS20260101-00001/2")
    none = desk.propose(receipt("33696.25", "XS20260101-00001"))

    assert (half.lane, told(half)) == ("auto", [("00001/2", "33696.25")])
    assert none.lane == "open"


def test_instalments_with_their_own_invoices_are_paid_by_invoice() -> None:
    """Where each instalment has an invoice, the invoice's number says which of them is paid."""
    desk = desk_of()
    for position, amount in ((1, "3000.00"), (2, "7000.00")):
        desk.add(
            OpenItem(
                receivable=f"R{position}",
                order="XS20260101-00005",
                invoice=f"3300010{position}",
                amount=Decimal(amount),
                open=Decimal(amount),
                customer="苏州",
                customer_name=COMPANY,
                position=position,
            )
        )

    match = desk.propose(receipt("7000.00", "发票33000102"))

    assert (match.lane, [share.receivable for share in match.shares]) == ("auto", ["R2"])


def test_what_is_only_proposed_leaves_the_next_instalment_to_what_is_booked() -> None:
    """An earlier receipt that waits for a person does not push a booked one onto a later instalment."""
    desk = desk_of(placed(1, "48137.50", "50/50"))
    waits = receipt("24068.75", "XS20260101-00001退款")

    held, booked = desk.propose_all([waits, receipt("24068.75", "XS20260101-00001", number=2)])

    assert held.lane != "auto"
    assert (booked.lane, told(booked)) == ("auto", [("00001/1", "24068.75")])


# --- laws ----------------------------------------------------------------------------------------------------------

NAMES = ("苏州恒瑞达机械有限公司", "宁波金海粮油贸易有限公司", "常州宝丰泰塑胶有限公司", "上海某某劳务派遣有限公司")
some_orders = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([100, 137, 200, 300, 400, 511]),
        st.sampled_from(["100", "50/50", "30/70", "30/60/10"]),
        st.sampled_from([100, 100, 70, 45]),
    ),
    min_size=1,
    max_size=9,
)
some_receipts = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([30, 41, 50, 100, 137, 150, 200, 270, 300, 395, 400, 411, 500, 511, 637]),
        st.sampled_from(["货款", "ref", "ref", "定金", "ref定金", "尾款", ""]),
    ),
    min_size=1,
    max_size=10,
)
Orders = list[tuple[int, int, str, int]]
Receipts = list[tuple[int, int, str]]


def _world(orders: Orders, receipts: Receipts) -> tuple[list[Order], list[Receipt]]:
    made = [
        placed(n, f"{amount}.00", terms, open=f"{amount * left / 100:.2f}", name=NAMES[who])
        for n, (who, amount, terms, left) in enumerate(orders, 1)
    ]
    sent = [
        receipt(f"{amount}.00", memo.replace("ref", made[n % len(made)].order), payer=NAMES[who], number=n)
        for n, (who, amount, memo) in enumerate(receipts, 1)
    ]
    return made, sent


@settings(max_examples=80, deadline=None)
@given(some_orders, some_receipts)
def test_no_instalment_is_given_away_twice(orders: Orders, receipts: Receipts) -> None:
    """However receipts compete, no instalment gets more than it has open, and each that gets something gets more than nothing."""
    made, sent = _world(orders, receipts)
    left = {item.receivable: item.open for order in made for item in parted(order)}

    matches = Desk(item for order in made for item in parted(order)).propose_all(sent)

    for each, match in zip(sent, matches, strict=True):
        assert sum(share.amount for share in match.shares) <= each.amount
        assert len({share.receivable for share in match.shares}) == len(match.shares)
        for share in match.shares:
            assert share.amount > 0
            left[share.receivable] -= share.amount + share.difference
    assert min(left.values()) >= 0


@settings(max_examples=80, deadline=None)
@given(some_orders, some_receipts)
def test_an_order_is_matched_alike_whole_and_as_instalments(orders: Orders, receipts: Receipts) -> None:
    """How an order is opened changes neither the lane of a receipt nor what each order gets."""
    made, sent = _world(orders, receipts)
    payers = [Payer(name="王小明", customer="苏州", times=3)]

    def answers(items: list[OpenItem]) -> list[tuple[str, float, dict[str, Decimal], str | None]]:
        result = []
        for match in Desk(items, payers).propose_all(sent):
            sums: dict[str, Decimal] = defaultdict(Decimal)
            for share in match.shares:
                sums[share.order] += share.amount
            result.append((match.lane, round(match.probability, 9), dict(sums), code(match)))
        return result

    assert answers([item for order in made for item in parted(order)]) == answers([whole(order) for order in made])


@settings(max_examples=40, deadline=None)
@given(some_orders, some_receipts, st.randoms(use_true_random=False))
def test_instalments_may_be_told_in_any_order(orders: Orders, receipts: Receipts, shuffle) -> None:  # type: ignore[no-untyped-def]
    """The same instalments told in another order, or told twice, get the same answers."""
    made, sent = _world(orders, receipts)
    items = [item for order in made for item in parted(order)]
    expected = Desk(items).propose_all(sent)

    shuffle.shuffle(items)

    assert Desk([*items, *items[:3]]).propose_all(sent) == expected
