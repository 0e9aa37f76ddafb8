"""Promises of stock: the rule, the worked example and the laws that hold for any stock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import Invalid
from hub.core.vocabulary import Part, Supply
from reconciliation.inventory import Hold, PromisePolicy, Want, check_quote, promise

TODAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


def stock(on_hand: int, *incoming: tuple[int, int], warehouse: str = "A", sku: str = "M8", reserved: int = 0) -> Supply:
    return Supply(
        sku=sku,
        warehouse=warehouse,
        on_hand=Decimal(on_hand),
        reserved=Decimal(reserved),
        incoming=tuple((day(on), Decimal(quantity)) for on, quantity in incoming),
        as_of=NOON,
        source="erp",
    )


def want(quantity: int, by: int | None = None, **rest: str) -> Want:
    return Want(sku="M8", quantity=Decimal(quantity), need_by=None if by is None else day(by), **rest)


def hold(quantity: int, quote: str = "Q-1", on: int | None = None, minutes: int = 30) -> Hold:
    return Hold(
        sku="M8",
        warehouse="A",
        quantity=Decimal(quantity),
        until=NOON + timedelta(minutes=minutes),
        quote=quote,
        on=None if on is None else day(on),
    )


def test_a_promise_today_does_not_break_a_later_commitment() -> None:
    """Ten on hand, eight due on day 3 and six coming on day 10 leave two today and eight from day 10."""
    supplies = [stock(10, (3, -8), (10, 6))]

    now = promise(want(8), supplies, today=TODAY)
    later = promise(want(8, by=10), supplies, today=TODAY)

    assert (now.available, now.short, now.promise_date) == (2, 6, day(10))
    assert now.parts == (Part(warehouse="A", quantity=Decimal(2), on=TODAY),)
    assert now.later == (Part(warehouse="A", quantity=Decimal(6), on=day(10)),)
    assert (later.available, later.short) == (8, 0)


def test_one_warehouse_that_covers_is_preferred_to_two() -> None:
    """A want is not split while one warehouse has all of it, even if another one is preferred."""
    supplies = [stock(4, warehouse="A"), stock(9, warehouse="B")]

    answer = promise(want(6), supplies, today=TODAY, policy=PromisePolicy(prefer=("A",)))

    assert [(part.warehouse, part.quantity) for part in answer.parts] == [("B", 6)]


def test_a_want_is_split_when_no_warehouse_covers_it() -> None:
    """Two warehouses give together what neither has alone, the preferred one first."""
    supplies = [stock(4, warehouse="A"), stock(9, warehouse="B")]

    answer = promise(want(12), supplies, today=TODAY, policy=PromisePolicy(prefer=("A",)))

    assert [(part.warehouse, part.quantity) for part in answer.parts] == [("A", 4), ("B", 8)]
    assert answer.short == 0


def test_without_splitting_the_whole_comes_from_one_place() -> None:
    """A policy that forbids splitting waits for one warehouse that has all of it."""
    supplies = [stock(4, warehouse="A"), stock(9, (5, 3), warehouse="B")]

    answer = promise(want(12), supplies, today=TODAY, policy=PromisePolicy(may_split=False))

    assert (answer.available, answer.promise_date) == (9, day(5))
    assert [(part.warehouse, part.quantity) for part in answer.later] == [("B", 12)]


def test_a_named_warehouse_is_the_only_one_asked() -> None:
    """Stock elsewhere does not answer a want for one warehouse."""
    supplies = [stock(4, warehouse="A"), stock(9, warehouse="B")]

    answer = promise(want(6, warehouse="A"), supplies, today=TODAY)

    assert (answer.available, answer.short, answer.promise_date) == (4, 2, None)


def test_a_hold_of_the_same_quote_does_not_stand_in_its_way() -> None:
    """A quote that is checked again is not refused because of what it holds itself."""
    supplies = [stock(10)]

    own = promise(want(10), supplies, [hold(10)], today=TODAY, quote="Q-1")
    other = promise(want(10), supplies, [hold(10)], today=TODAY, quote="Q-2")

    assert (own.available, other.available) == (10, 0)


def test_an_ended_hold_gives_its_stock_back() -> None:
    """A hold counts until its moment, not after."""
    answer = promise(want(10), [stock(10)], [hold(10, minutes=30)], today=TODAY, now=NOON + timedelta(minutes=31))

    assert answer.available == 10


def test_an_overdue_receipt_is_not_stock() -> None:
    """Goods that should have come yesterday are not promised, unless the tenant says so; an overdue delivery still counts."""
    supplies = [stock(5, (-1, 10), (-2, -1))]

    careful = promise(want(10), supplies, today=TODAY)
    hopeful = promise(want(10), supplies, today=TODAY, policy=PromisePolicy(count_overdue=True))

    assert (careful.available, hopeful.available) == (4, 10)


def test_old_figures_are_called_stale() -> None:
    """An answer says how old its figures are and whether that is too old."""
    fresh = promise(want(1), [stock(5)], today=TODAY, now=NOON + timedelta(hours=4))
    old = promise(want(1), [stock(5)], today=TODAY, now=NOON + timedelta(hours=5))

    assert (fresh.stale, old.stale, old.as_of, old.source) == (False, True, NOON, "erp")


def test_nothing_known_is_nothing_promised() -> None:
    """A product without any supply is short with no date."""
    answer = promise(want(1), [], today=TODAY)

    assert (answer.available, answer.short, answer.promise_date, answer.as_of) == (0, 1, None, None)


@pytest.mark.parametrize("quantity", ["-1", "NaN", "Infinity"])
def test_an_impossible_quantity_is_refused(quantity: str) -> None:
    """A want below zero or without a size is refused, not answered."""
    with pytest.raises(Invalid):
        promise(Want(sku="M8", quantity=Decimal(quantity)), [stock(5)], today=TODAY)


def test_the_second_line_is_not_promised_what_the_first_took() -> None:
    """Two lines of one quote share the stock, today's and what is still to come."""
    check = check_quote([want(6), want(6), want(2)], [stock(8, (4, 4))], today=TODAY)

    assert [line.available for line in check.lines] == [6, 2, 0]
    assert [line.promise_date for line in check.lines] == [TODAY, day(4), None]
    assert check.verdict == "short"


def test_a_check_says_what_is_missing_and_when_it_comes() -> None:
    """The verdict's sentence names the product, the shortage and the date."""
    check = check_quote([want(8)], [stock(2, (10, 6))], today=TODAY)

    assert (check.verdict, check.promise_date) == ("later", day(10))
    assert check.says == "M8 缺 6，2026-03-12 可齐"
    assert check.says_en == "M8 is 6 short, all there on 2026-03-12"


def test_an_empty_quote_is_available() -> None:
    """Nothing asked for is nothing missing."""
    assert check_quote([], [], today=TODAY).verdict == "available"


# --- laws --------------------------------------------------------------------------------------------------------

amounts = st.integers(min_value=0, max_value=40)
changes = st.lists(st.tuples(st.integers(min_value=-3, max_value=12), st.integers(min_value=-20, max_value=20)), max_size=5)
stocks = st.lists(
    st.builds(lambda on_hand, moves, name: stock(on_hand, *moves, warehouse=name), amounts, changes, st.sampled_from("ABC")),
    max_size=4,
)
holds = st.lists(
    st.builds(hold, st.integers(min_value=0, max_value=15), on=st.none() | st.integers(min_value=0, max_value=12)), max_size=3
)
wants = st.builds(want, amounts, st.none() | st.integers(min_value=-2, max_value=14))


def projected(supplies: list[Supply], held: list[Hold], warehouse: str, on: date) -> Decimal:
    own = [supply for supply in supplies if supply.warehouse == warehouse]
    total = sum((supply.on_hand - supply.reserved for supply in own), Decimal(0))
    for supply in own:
        total += sum(
            (quantity for when, quantity in supply.incoming if when <= on and (quantity < 0 or when >= TODAY)), Decimal(0)
        )
    return total - sum((each.quantity for each in held if each.warehouse == warehouse and (each.on or TODAY) <= on), Decimal(0))


@given(wants, stocks, holds)
def test_never_more_than_is_projected_on_any_later_day(asked: Want, supplies: list[Supply], held: list[Hold]) -> None:
    """What is promised from a warehouse is there on its day and on every day after it."""
    answer = promise(asked, supplies, held, today=TODAY, quote="Q-2")

    for part in (*answer.parts, *answer.later):
        taken = sum(
            other.quantity
            for other in (*answer.parts, *answer.later)
            if other.warehouse == part.warehouse and other.on <= part.on
        )
        assert all(taken <= projected(supplies, held, part.warehouse, part.on + timedelta(days=after)) for after in range(20))


@given(wants, stocks, holds)
def test_quantities_add_up(asked: Want, supplies: list[Supply], held: list[Hold]) -> None:
    """Available and short make the want; the parts make what is available, and with the later ones the whole."""
    answer = promise(asked, supplies, held, today=TODAY, quote="Q-2")

    assert answer.available + answer.short == asked.quantity
    assert sum(part.quantity for part in answer.parts) == answer.available
    assert answer.promise_date is None or sum(part.quantity for part in (*answer.parts, *answer.later)) == asked.quantity


@given(wants, stocks, holds, st.integers(min_value=0, max_value=20), st.sampled_from("ABC"))
def test_more_supply_never_promises_less(asked: Want, supplies: list[Supply], held: list[Hold], more: int, where: str) -> None:
    """More stock never makes a promise smaller or later."""
    before = promise(asked, supplies, held, today=TODAY, quote="Q-2")
    after = promise(asked, [*supplies, stock(more, warehouse=where)], held, today=TODAY, quote="Q-2")

    assert after.available >= before.available
    assert before.promise_date is None or (after.promise_date is not None and after.promise_date <= before.promise_date)


@given(wants, stocks, holds, st.randoms(use_true_random=False))
def test_the_order_of_supplies_does_not_matter(asked: Want, supplies: list[Supply], held: list[Hold], shuffle) -> None:  # type: ignore[no-untyped-def]
    """The same facts in another order give the same promise."""
    mixed = list(supplies)
    shuffle.shuffle(mixed)

    assert promise(asked, mixed, held, today=TODAY, quote="Q-2") == promise(asked, supplies, held, today=TODAY, quote="Q-2")


@given(wants, stocks, holds, st.builds(hold, st.integers(min_value=0, max_value=15), quote=st.just("Q-3")))
def test_a_hold_never_increases_a_promise(asked: Want, supplies: list[Supply], held: list[Hold], extra: Hold) -> None:
    """Stock held for another quote is never a gain."""
    before = promise(asked, supplies, held, today=TODAY, quote="Q-2")
    after = promise(asked, supplies, [*held, extra], today=TODAY, quote="Q-2")

    assert after.available <= before.available
    assert after.promise_date is None or (before.promise_date is not None and before.promise_date <= after.promise_date)
