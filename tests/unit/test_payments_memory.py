"""What decisions teach the desk, how it fades, and that taking a decision back takes back exactly what it taught."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hub.core.vocabulary import MatchAccepted, MatchRejected, MatchUndone, Receipt, ShareOf
from reconciliation.payments import Decision, Desk, OpenItem, Policy, Week, decision, remembered, rescored

NAME, SISTER, PERSON = "苏州恒锐达精密机械有限公司", "宁波金海粮油贸易有限公司", "王海涛"
DAY = date(2026, 3, 5)


def item(number: int, amount: str, customer: str = "C1", name: str = NAME) -> OpenItem:
    return OpenItem(
        receivable=f"R{number}",
        order=f"SO2602-{number:04d}",
        amount=Decimal(amount),
        open=Decimal(amount),
        customer=customer,
        customer_name=name,
        due_on=DAY,
    )


def receipt(
    amount: str, payer: str = NAME, number: int = 1, on: date = DAY, memo: str = "货款", account: str | None = None
) -> Receipt:
    return Receipt(receipt=f"P{number}", booked_on=on, amount=Decimal(amount), payer_name=payer, payer_account=account, memo=memo)


def accepted(number: int, payer: str, customer: str = "C1", by: str = "li", account: str | None = "6222") -> Decision:
    fact = MatchAccepted(
        match=f"M{number}",
        receipt=f"P{number}",
        shares=(ShareOf(receivable="R1", order="SO2602-0001", amount=Decimal(1)),),
        by=by,
        customer=customer,
        payer_name=payer,
        payer_account=account,
    )
    return decision(fact, on=DAY, receipt=receipt("1", payer, number))


def rejected(number: int, payer: str, reason: str = "金额不对", order: str = "SO2602-0001", customer: str = "C1") -> Decision:
    shares = (ShareOf(receivable="R1", order=order, amount=Decimal(1)),)
    fact = MatchRejected(match=f"M{number}", receipt=f"P{number}", by="li", reason=reason, shares=shares)
    return decision(fact, on=DAY, receipt=receipt("1", payer, number), customer=customer)


def undone(number: int) -> Decision:
    return decision(MatchUndone(match=f"M{number}", receipt=f"P{number}", by="li"), on=DAY)


def knowing(*decisions: Decision) -> Desk:
    memory = remembered(decisions)
    others = [
        item(100 + n, f"{1200 + 31 * n}.{n:02d}", f"X{n}", f"南京甲{'乙丙丁戊己庚辛壬'[n % 8]}子商贸有限公司") for n in range(24)
    ]
    return Desk([item(1, "48137.50"), item(2, "9120.00"), *others], memory.payers, refusals=memory.refusals)


def test_a_person_stands_for_a_customer_after_three_confirmations() -> None:
    """People accepted it three times; what the engine booked itself confirms nobody."""
    ask = receipt("48137.50", PERSON, account="6222")

    three = knowing(*(accepted(n, PERSON) for n in range(3))).propose(ask)
    two = knowing(*(accepted(n, PERSON) for n in range(2))).propose(ask)
    itself = knowing(*(accepted(n, PERSON, by="engine") for n in range(5))).propose(ask)

    assert three.lane == "auto"
    assert two.lane == "review"
    assert itself.lane != "auto"


def test_a_decision_told_twice_teaches_once() -> None:
    """The bus delivers at least once."""
    once = accepted(1, PERSON)

    assert remembered([once, once]) == remembered([once])
    assert remembered([once]).payers[0].times == 1


decisions = st.lists(
    st.one_of(
        st.builds(
            accepted,
            st.integers(0, 8),
            st.sampled_from([NAME, SISTER, PERSON]),
            st.sampled_from(["C1", "C2"]),
            st.sampled_from(["li", "engine"]),
            st.sampled_from([None, "6222", "6223"]),
        ),
        st.builds(
            rejected, st.integers(0, 8), st.sampled_from([NAME, SISTER, PERSON]), st.sampled_from(["金额不对", "不是同一家公司"])
        ),
        st.builds(undone, st.integers(0, 8)),
    ),
    max_size=12,
)


@given(decisions, st.sampled_from([NAME, SISTER, PERSON]), st.sampled_from(["C1", "C2"]), decisions)
def test_undo_takes_back_exactly_what_was_learnt(
    before: list[Decision], payer: str, customer: str, after: list[Decision]
) -> None:
    """A match that was accepted and undone leaves the memory as if it had never been, byte for byte, whatever came in between."""
    extra = accepted(99, payer, customer)

    with_it = remembered([*before, extra, *after, undone(99)])
    without = remembered([*before, *after])

    assert msgspec.json.encode(with_it) == msgspec.json.encode(without)


@given(decisions)
def test_a_desk_forgets_what_was_undone(before: list[Decision]) -> None:
    """A desk that learnt and unlearnt proposes what one that never knew proposes."""
    ask = [receipt("48137.50", PERSON, account="6222"), receipt("9120.00", SISTER, 2)]

    taught = knowing(*before, accepted(99, PERSON), undone(99))

    assert taught.propose_all(ask) == knowing(*before).propose_all(ask)


def test_what_was_refused_is_not_booked_again_and_fades() -> None:
    """The same payer for the same order waits for a person; after ninety days it is forgotten, and fully held for forty-five."""
    desk, fresh = knowing(rejected(1, NAME)), knowing()
    lanes = {days: desk.propose(receipt("48137.50", on=DAY + timedelta(days=days))) for days in (-3, 1, 44, 60, 89, 90)}

    assert fresh.propose(receipt("48137.50")).lane == "auto"
    assert [match.lane == "auto" for match in lanes.values()] == [False, False, False, False, False, True]
    assert lanes[44].probability <= lanes[60].probability <= lanes[90].probability or lanes[44].lane == "open"
    assert desk.propose(receipt("9120.00")).lane == "auto"  # another order of the same customer is not meant


def test_another_company_is_another_company_for_good() -> None:
    """A refusal of the company does not fade, and holds for all its orders."""
    desk = knowing(rejected(1, NAME, "不是同一家公司"))

    match = desk.propose(receipt("9120.00", on=DAY + timedelta(days=400)))

    assert match.lane != "auto"


def test_a_person_who_accepts_later_ends_the_refusal() -> None:
    """Until that acceptance is undone."""
    refused, later = rejected(1, NAME), accepted(2, NAME)

    assert remembered([refused, later]).refusals == ()
    assert remembered([later, refused]).refusals == remembered([refused]).refusals
    assert remembered([refused, later, undone(2)]) == remembered([refused])
    assert remembered([refused, accepted(2, NAME, by="engine")]).refusals == remembered([refused]).refusals


def test_a_refusal_is_forgiven_by_the_desk() -> None:
    """What was refused and forgiven leaves no trace in a proposal."""
    desk, refusal = knowing(), remembered([rejected(1, NAME)]).refusals[0]
    desk.refuse(refusal)
    desk.refuse(refusal)
    desk.forgive(refusal)

    assert desk.propose(receipt("48137.50")) == knowing().propose(receipt("48137.50"))


def test_past_weeks_are_scored_again_under_other_thresholds() -> None:
    """What would have been booked, and what of it people decided otherwise; nothing was changed by asking."""
    week = Week(
        items=[item(1, "48137.50"), item(2, "9120.00"), item(3, "771.35")],
        receipts=[receipt("48137.50"), receipt("9120.00", number=2), receipt("771.35", number=3)],
        decided={
            "P1": [ShareOf(receivable="R1", order="SO2602-0001", amount=Decimal("48137.50"))],
            "P2": [ShareOf(receivable="R3", order="SO2602-0003", amount=Decimal("771.35"))],
        },
    )

    past = rescored([week], Policy(auto=0.9))
    strict = rescored([week], Policy(version="strict", auto=0.9, limit=Decimal(1000)))

    assert (past.receipts, past.autos, past.unjudged) == (3, 2, 1)
    assert [wrong.receipt for wrong in past.wrong] == ["P2"]
    assert past.precision == 0.5
    assert (strict.policy, strict.autos, strict.unjudged, strict.wrong) == ("strict", 0, 1, ())
    assert rescored([week], Policy(auto=0.9)) == past
