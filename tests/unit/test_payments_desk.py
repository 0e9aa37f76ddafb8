"""The desk's behaviour, receipt by receipt."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import Invalid
from hub.core.vocabulary import Customer, MatchProposed, Receipt
from reconciliation.payments import Desk, Match, OpenItem, Payer, Policy, Settled, proposed, result_line

COMPANY = "苏州恒瑞达精密机械有限公司"
OTHER = "宁波金海粮油贸易有限公司"


def item(number: int, amount: str, *, customer: str = "C1", name: str = COMPANY, **rest: object) -> OpenItem:
    fields: dict[str, object] = {
        "receivable": f"R{number}",
        "order": f"XS20260101-{number:05d}",
        "contract": f"HT-2601-{number:05d}",
        "amount": Decimal(amount),
        "open": Decimal(amount),
        "customer": customer,
        "customer_name": name,
        "due_on": date(2026, 3, 1),
    }
    return OpenItem(**(fields | rest))  # type: ignore[arg-type]


def receipt(amount: str, memo: str = "货款", payer: str | None = COMPANY, number: int = 1, **rest: object) -> Receipt:
    return Receipt(
        receipt=f"P{number}", booked_on=date(2026, 3, 5), amount=Decimal(amount), memo=memo, payer_name=payer, row=number, **rest
    )  # type: ignore[arg-type]


@pytest.fixture
def desk() -> Desk:
    """Forty items of ten other customers, and three of ours."""
    others = [
        item(
            100 + n,
            f"{3217 + 911 * n}.{n:02d}",
            customer=f"X{n % 10}",
            name=f"南京甲乙{'丙丁戊己庚辛壬癸子丑'[n % 10]}商贸有限公司",
        )
        for n in range(40)
    ]
    return Desk([*others, item(1, "48137.50"), item(2, "2400.00"), item(3, "9000.00", customer="C2", name=OTHER)])


def told(match: Match) -> list[tuple[str, Decimal]]:
    return [(share.receivable, share.amount) for share in match.shares]


def test_a_receipt_that_names_its_order_is_booked(desk: Desk) -> None:
    """Number, name and amount agree: automatic, with the number's place in the memo as a reason."""
    match = desk.propose(receipt("48137.50", "付XS20260101-00001订单款"))

    assert (match.lane, told(match), match.held) == ("auto", [("R1", Decimal("48137.50"))], None)
    reference = next(reason for reason in match.reasons if reason.ladder == "reference")
    assert reference.span == (1, 17)
    assert reference.weight > 0


@pytest.mark.parametrize(
    "memo",
    [
        "XS2026010100001",
        "xs20260101-00001",
        "ＸＳ２０２６０１０１－００００１",
        "XS20 260101-00001",
        "合同HT-2601-00001款",
        "20260101-00001",
        "电话13800138000 XS20260101-00001",
    ],
)
def test_a_number_is_found_however_it_is_written(desk: Desk, memo: str) -> None:
    """Separators, case, width and letters lost by a bank do not hide a number."""
    assert told(desk.propose(receipt("48137.50", memo))) == [("R1", Decimal("48137.50"))]


def test_a_stranger_who_names_the_order_pays_it(desk: Desk) -> None:
    """A third party's payment is booked on the number and the amount."""
    match = desk.propose(receipt("48137.50", "XS20260101-00001", payer="上海某某劳务派遣有限公司"))

    assert (match.lane, told(match)) == ("auto", [("R1", Decimal("48137.50"))])


def test_a_stranger_with_the_right_amount_is_left_alone(desk: Desk) -> None:
    """An amount alone is never a match, however rare it is."""
    match = desk.propose(receipt("48137.50", "退货款", payer="上海某某劳务派遣有限公司"))

    assert (match.lane, match.shares) == ("open", ())


def test_an_order_named_by_a_wrong_digit_needs_the_payer(desk: Desk) -> None:
    """A repaired number is booked for the customer, and only proposed for a stranger."""
    own = desk.propose(receipt("48137.50", "XS20260161-00001"))
    strange = desk.propose(receipt("48137.50", "XS20260161-00001", payer="上海某某劳务派遣有限公司"))

    assert (own.lane, told(own)) == ("auto", [("R1", Decimal("48137.50"))])
    assert strange.lane != "auto"


def test_the_memo_naming_another_order_is_never_booked(desk: Desk) -> None:
    """Number and amount contradict each other: a person decides."""
    match = desk.propose(receipt("2400.00", "XS20260101-00001"))

    assert match.lane == "review"
    assert match.held is not None


def test_two_items_of_the_same_amount_are_left_to_a_person(desk: Desk) -> None:
    """Nothing tells two equal items apart, so neither is booked, and the other one is shown."""
    desk.add(item(4, "2400.00"))

    match = desk.propose(receipt("2400.00"))

    assert match.lane == "review"
    assert {match.shares[0].receivable, match.runners_up[0].shares[0].receivable} == {"R2", "R4"}


def test_a_second_receipt_for_a_settled_order_is_never_booked(desk: Desk) -> None:
    """What names a settled order is not laid on another item of the same amount either."""
    desk.remove("R2")
    desk.add(item(4, "2400.00"))

    match = desk.propose(receipt("2400.00", "XS20260101-00002"))

    assert match.lane != "auto"


def test_a_settled_item_told_from_outside_is_remembered(desk: Desk) -> None:
    """An item paid before the desk knew it is recognised by its number."""
    desk.settle(Settled(receivable="R0", order="XS20251201-00099", amount=Decimal("2400.00")))

    assert desk.propose(receipt("2400.00", "XS20251201-00099")).lane != "auto"


def test_the_same_receipt_twice_in_one_batch_is_booked_once(desk: Desk) -> None:
    """Of two receipts alike the first pays the order, and the second pays nothing."""
    first, second = desk.propose_all(
        [receipt("48137.50", "XS20260101-00001", number=1), receipt("48137.50", "XS20260101-00001", number=2)]
    )

    assert (first.lane, told(first)) == ("auto", [("R1", Decimal("48137.50"))])
    assert (second.lane, second.shares) == ("open", ())


def test_two_receipts_for_two_equal_items_are_told_apart_by_a_number(desk: Desk) -> None:
    """What one receipt names is not left for the other."""
    desk.add(item(4, "2400.00"))

    plain, naming = desk.propose_all([receipt("2400.00", number=1), receipt("2400.00", "XS20260101-00002", number=2)])

    assert (told(naming), told(plain)) == ([("R2", Decimal("2400.00"))], [("R4", Decimal("2400.00"))])


def test_a_bank_fee_is_booked_as_one(desk: Desk) -> None:
    """A transfer that arrives five short settles the item, and the difference says what it is."""
    match = desk.propose(receipt("48132.50", "XS20260101-00001"))

    assert match.lane == "auto"
    share = match.shares[0]
    assert (share.amount, share.difference, share.booked_as) == (Decimal("48132.50"), Decimal("5.00"), "bank_fee")


def test_a_difference_nobody_can_explain_is_not_booked(desk: Desk) -> None:
    """Some odd money is missing: proposed to a person, with the difference."""
    match = desk.propose(receipt("48116.37"))

    assert (match.lane, told(match)) == ("review", [("R1", Decimal("48116.37"))])
    assert match.held is not None and match.held.code == "unexplained"


def test_more_than_is_open_is_never_booked(desk: Desk) -> None:
    """An overpayment is proposed up to what is open."""
    match = desk.propose(receipt("49000.00", "XS20260101-00001"))

    assert (match.lane, told(match)) == ("review", [("R1", Decimal("48137.50"))])


def test_a_deposit_follows_the_terms_of_a_whole_order(desk: Desk) -> None:
    """Thirty percent with the word for deposit is the first instalment."""
    desk.add(item(5, "11835.99", payment_terms="30/70"))

    match = desk.propose(receipt("3550.80", "30%定金"))

    assert (match.lane, told(match)) == ("auto", [("R5", Decimal("3550.80"))])


def test_instalments_opened_as_items_are_paid_one_by_one(desk: Desk) -> None:
    """An order opened as 30/70 has its deposit paid first and its balance named next, and the total pays both."""
    for position, amount in ((1, "3000.00"), (2, "7000.00")):
        desk.add(
            item(
                5,
                amount,
                receivable=f"R5-{position}",
                position=position,
                percent=Decimal(30 if position == 1 else 70),
                order_amount=Decimal(10000),
            )
        )

    deposit = desk.propose(receipt("3000.00", "XS20260101-00005定金"))
    both = desk.propose(receipt("10000.00", "XS20260101-00005"))
    desk.remove("R5-1")
    balance = desk.propose(receipt("7000.00", "XS20260101-00005尾款"))

    assert [told(match) for match in (deposit, balance)] == [[("R5-1", Decimal(3000))], [("R5-2", Decimal(7000))]]
    assert told(both) == [("R5-1", Decimal(3000)), ("R5-2", Decimal(7000))]
    assert [match.lane for match in (deposit, both, balance)] == ["auto"] * 3


def test_several_numbers_are_paid_together(desk: Desk) -> None:
    """A memo that names two orders whose sum is the amount pays both, written out or in short."""
    full = desk.propose(receipt("50537.50", "XS20260101-00001、XS20260101-00002"))
    short = desk.propose(receipt("50537.50", "XS20260101-00001/00002"))

    assert told(full) == told(short) == [("R1", Decimal("48137.50")), ("R2", Decimal("2400.00"))]
    assert (full.lane, short.lane) == ("auto", "auto")


def test_a_sum_with_an_alternative_is_never_booked(desk: Desk) -> None:
    """Two ways to reach the same sum leave it to a person."""
    for number, amount in ((5, "1000.00"), (6, "1400.00"), (7, "1100.00"), (8, "1300.00")):
        desk.add(item(number, amount, customer="C3", name="常州宝丰泰塑胶有限公司"))

    match = desk.propose(receipt("2400.00", payer="常州宝丰泰塑胶有限公司"))

    assert match.lane != "auto"


def test_a_person_is_believed_after_three_payments(desk: Desk) -> None:
    """A private payer without a number is booked from the third confirmation on."""
    someone = {"payer": "王建国", "payer_account": "6222000011112222"}
    lanes = []
    for times in range(1, 5):
        lanes.append(desk.propose(receipt("48137.50", **someone)).lane)
        for _ in range(2):  # what is told twice counts once
            desk.learn(Payer(name="王建国", account="6222000011112222", customer="C1", times=times, is_person=True))

    assert lanes == ["open", "review", "review", "auto"]


def test_what_was_learnt_can_be_withdrawn(desk: Desk) -> None:
    """Undoing a confirmation leaves the desk as it was."""
    ask = receipt("48137.50", payer="王建国", payer_account="6222000011112222")
    before = desk.propose(ask)

    desk.learn(Payer(name="王建国", account="6222000011112222", customer="C1", times=3))
    during = desk.propose(ask)
    desk.learn(Payer(name="王建国", account="6222000011112222", customer="C1", times=0))

    assert (during.lane, desk.propose(ask)) == ("auto", before)


def test_a_customers_alias_and_account_stand_for_it() -> None:
    """What the ledger knows of a customer is as good as its name."""
    desk = Desk(
        [item(1, "48137.50")],
        customers=[Customer(customer="C1", name=COMPANY, aliases=("恒瑞达重工",), accounts=("3200 1111 2222",))],
    )

    by_alias = desk.propose(receipt("48137.50", payer="恒瑞达重工"))
    by_account = desk.propose(receipt("48137.50", payer=None, payer_account="320011112222"))

    assert (told(by_alias), told(by_account)) == ([("R1", Decimal("48137.50"))], [("R1", Decimal("48137.50"))])


@pytest.mark.parametrize(
    ("memo", "code"), [("退货款", "refund"), ("利息", "not_a_sale"), ("预存货款", "advance"), ("冲正", "refund")]
)
def test_money_that_is_not_a_sale_is_never_booked(desk: Desk, memo: str, code: str) -> None:
    """A refund, interest or money on account is not laid on an item, even one that fits."""
    match = desk.propose(receipt("48137.50", memo))

    assert match.lane != "auto"
    assert match.held is None or match.held.code in (code, "nothing_fits")


def test_a_wallets_payout_is_never_booked(desk: Desk) -> None:
    """What a payment provider pays out goes through its own bill."""
    assert desk.propose(receipt("48137.50", "XS20260101-00001", payer="支付宝（中国）网络技术有限公司")).lane != "auto"


def test_another_currency_is_never_booked(desk: Desk) -> None:
    """Dollars do not settle yuan, and the desk says that the currency is why."""
    match = desk.propose(receipt("48137.50", "XS20260101-00001", currency="USD"))

    assert (match.lane, match.shares, match.held and match.held.code) == ("open", (), "currency")


def test_a_closed_period_is_booked_by_people_only() -> None:
    """A receipt of a closed month is proposed and not booked."""
    match = Desk([item(1, "48137.50")], policy=Policy(closed_until=date(2026, 3, 31))).propose(
        receipt("48137.50", "XS20260101-00001")
    )

    assert (match.lane, match.held and match.held.code) == ("review", "closed")


def test_limit_and_shadow_mode_hold_what_is_certain() -> None:
    """A tenant's limit, and shadow mode, turn automatic into proposed."""
    ask = receipt("48137.50", "XS20260101-00001")
    limited = Desk([item(1, "48137.50")], policy=Policy(limit=Decimal(10000))).propose(ask)
    shadow = Desk([item(1, "48137.50")], policy=Policy(shadow=True)).propose(ask)

    assert [(match.lane, match.held.code if match.held else None) for match in (limited, shadow)] == [
        ("review", "limit"),
        ("review", "shadow"),
    ]


@pytest.mark.parametrize(
    ("memo", "payer"), [(f"代{COMPANY}付货款", "上海某某劳务派遣有限公司"), ("", "恒瑞达"), ("XS20260101-0000", COMPANY)]
)
def test_weak_signs_are_proposed_and_not_booked(desk: Desk, memo: str, payer: str) -> None:
    """A company named in the memo, a short form, or a number that a line cut off are for a person to confirm."""
    match = desk.propose(receipt("48137.50", memo, payer=payer))

    assert told(match) == [("R1", Decimal("48137.50"))]
    assert payer == COMPANY or match.lane == "review"


def test_letters_typed_for_digits_are_read_as_digits(desk: Desk) -> None:
    """O and I within a number are 0 and 1."""
    assert desk.propose(receipt("48137.50", "XS2O260I01-OOOO1", payer="上海某某劳务派遣有限公司")).lane == "auto"


def test_an_affiliate_of_the_same_brand_is_another_company(desk: Desk) -> None:
    """The same brand at another place does not pay for the customer."""
    assert desk.propose(receipt("48137.50", payer="成都恒瑞达精密机械有限公司")).lane != "auto"


def test_a_changed_item_is_matched_by_what_is_left_of_it(desk: Desk) -> None:
    """After a part was paid only the rest fits exactly."""
    desk.change("R1", Decimal("8137.50"))

    assert told(desk.propose(receipt("8137.50", "尾款"))) == [("R1", Decimal("8137.50"))]
    desk.change("R1", Decimal(0))
    assert desk.propose(receipt("8137.50", "尾款")).shares == ()


def test_an_item_with_nothing_open_is_refused(desk: Desk) -> None:
    """A settled item is not added as an open one."""
    with pytest.raises(Invalid):
        desk.add(item(9, "5.00", open=Decimal(0)))


@pytest.mark.parametrize(
    "memo", ["", "0" * 5000, "-" * 500, "款" * 2000, "XS", "1/2/3/4/5" * 200, "\x00\ud7ff\uffff", "XS20260101-00001" * 50]
)
def test_any_memo_is_answered(desk: Desk, memo: str) -> None:
    """Empty, huge and senseless memos get an answer."""
    assert desk.propose(receipt("48137.50", memo)).lane in ("auto", "review", "open")


@pytest.mark.parametrize("amount", ["0", "-5.00", "1.005", "NaN", "Infinity"])
def test_an_impossible_amount_is_left_open(desk: Desk, amount: str) -> None:
    """Nothing, less than nothing and what no bank can move are matched with nothing, and stop nothing."""
    assert desk.propose(receipt(amount, "XS20260101-00001")).lane == "open"


def test_terms_that_do_not_add_up_split_nothing(desk: Desk) -> None:
    """An order with senseless terms can still be paid as a whole."""
    desk.add(item(5, "11835.99", payment_terms="30/60"))

    assert told(desk.propose(receipt("11835.99"))) == [("R5", Decimal("11835.99"))]


def test_nothing_known_proposes_nothing() -> None:
    """An empty desk leaves every receipt open."""
    match = Desk().propose(receipt("1.00"))

    assert (match.lane, match.shares, match.runners_up) == ("open", (), ())


def test_a_proposal_is_read_aloud_in_both_languages(desk: Desk) -> None:
    """Every reason has a sentence in Chinese and one in English, the strongest first."""
    match = desk.propose(receipt("48137.50", "XS20260101-00001"))

    assert match.reasons[0].says == "附言写明单号 XS2026010100001" or match.reasons[0].says.startswith("金额与未收")
    assert "the memo names XS2026010100001" in match.reasons_en
    assert [abs(reason.weight) for reason in match.reasons] == sorted(
        (abs(reason.weight) for reason in match.reasons), reverse=True
    )


def test_a_match_becomes_a_fact_and_a_result_line(desk: Desk) -> None:
    """The same answer goes on the bus and into the result file."""
    match = desk.propose(receipt("48137.50", "XS20260101-00001"))

    fact = proposed(match, id="M1")
    line = result_line("P1", match)

    assert isinstance(fact, MatchProposed)
    assert (fact.match, fact.lane, fact.shares, fact.policy) == ("M1", "auto", match.shares, "payments-1")
    assert msgspec.json.decode(msgspec.json.encode(line))["allocations"] == [
        {"order_no": "XS20260101-00001", "amount": "48137.50"}
    ]
    assert line["decision"] == "auto"


# --- laws --------------------------------------------------------------------------------------------------------

some_items = st.lists(st.tuples(st.integers(1, 3), st.sampled_from([100, 250, 400, 500, 650, 750, 1000])), min_size=1, max_size=8)
some_receipts = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from([100, 250, 350, 500, 650, 750, 900, 1000, 1250]),
        st.sampled_from(["货款", "定金", "", "ref"]),
    ),
    min_size=1,
    max_size=10,
)
NAMES = {1: "苏州恒瑞达机械有限公司", 2: "宁波金海粮油贸易有限公司", 3: "常州宝丰泰塑胶有限公司", 4: "上海某某劳务派遣有限公司"}


def _world(items: list[tuple[int, int]], receipts: list[tuple[int, int, str]]) -> tuple[list[OpenItem], list[Receipt]]:
    book = [
        item(n, f"{amount}.00", customer=f"C{who}", name=NAMES[who], payment_terms="50/50" if n % 2 else None)
        for n, (who, amount) in enumerate(items, 1)
    ]
    sent = [
        receipt(f"{amount}.00", memo if memo != "ref" else f"XS20260101-{1 + n % len(items):05d}", payer=NAMES[who], number=n)
        for n, (who, amount, memo) in enumerate(receipts, 1)
    ]
    return book, sent


@settings(max_examples=60, deadline=None)
@given(some_items, some_receipts)
def test_nothing_is_given_away_twice(items: list[tuple[int, int]], receipts: list[tuple[int, int, str]]) -> None:
    """However receipts compete, no item gets more than it has open and no receipt gives more than it has."""
    book, sent = _world(items, receipts)

    matches = Desk(book).propose_all(sent)

    left = {each.receivable: each.open for each in book}
    for each, match in zip(sent, matches, strict=True):
        assert sum(share.amount for share in match.shares) <= each.amount
        assert 0 <= match.probability <= 1
        for share in match.shares:
            left[share.receivable] -= share.amount
    assert min(left.values()) >= 0


@settings(max_examples=40, deadline=None)
@given(some_items, some_receipts, st.randoms(use_true_random=False))
def test_the_order_of_telling_does_not_matter(
    items: list[tuple[int, int]], receipts: list[tuple[int, int, str]], shuffle
) -> None:  # type: ignore[no-untyped-def]
    """The same items and receipts in another order get the same answers."""
    book, sent = _world(items, receipts)
    expected = {match.receipt: match for match in Desk(book).propose_all(sent)}

    shuffle.shuffle(book)
    shuffle.shuffle(sent)

    assert {match.receipt: match for match in Desk(book).propose_all(sent)} == expected
