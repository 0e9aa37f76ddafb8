"""Statements follow each other by balance, number and period; what does not go on is told, whatever the order of the files."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core import vocabulary as v
from hub.core.event import Event, decided
from hub.ledger.record import record
from hub.statements import Span, continuity
from hub.store import ledger_tables as l
from hub.store.migrate import migrate
from hub.store.sql import Store
from hub.testing.fakes import NOON, FixedClock


def span(number: str = "", days: tuple[int, int] = (1, 1), opening: str | None = None, closing: str | None = None) -> Span:
    return Span(
        number=number,
        from_day=date(2026, 3, days[0]),
        to_day=date(2026, 3, days[1]),
        opening=None if opening is None else Decimal(opening),
        closing=None if closing is None else Decimal(closing),
    )


@pytest.mark.parametrize(
    ("previous", "this", "kinds"),
    [
        (span("7", (2, 2), "0", "5"), span("8", (3, 3), "5.00", "6"), []),
        (span("7", (2, 2), "0", "5"), span("8", (3, 3), "4", "6"), ["balance"]),
        (span("7", (2, 2)), span("9", (4, 4)), ["number"]),
        (span("00007", (2, 2)), span("00012", (4, 4)), ["number"]),
        (span("7", (2, 2)), span("7", (3, 3)), ["number"]),
        (span("7", (2, 2)), span("5", (3, 3)), ["number"]),
        (span("7/1", (2, 2)), span("7/2", (2, 2)), []),
        (span("7/1", (2, 2)), span("7/3", (2, 2)), ["number"]),
        (span("7/2", (2, 2)), span("8/1", (3, 3)), []),
        (span("", (2, 6)), span("", (9, 10)), []),  # a weekend lies between
        (span("", (2, 5)), span("", (9, 10)), ["period"]),
        (span("", (2, 2), "0", "5"), span("", (20, 20), "5", "5"), []),  # nothing moved in between
        (span("7", (2, 2)), span("8", (20, 20)), []),
        (span("", (2, 9)), span("", (5, 12)), ["overlap"]),
        (span("7", (2, 9), "0", "5"), span("9", (5, 12), "4", "5"), ["balance", "number", "overlap"]),
        (span("MARCH", (2, 2)), span("APRIL", (3, 3)), []),
        (Span(), Span(), []),
    ],
)
def test_what_does_not_go_on_is_named(previous: Span, this: Span, kinds: list[str]) -> None:
    """A balance that differs, a number or a period that was skipped and days told twice are each told by name."""
    found = continuity(previous, this)

    assert [one.kind for one in found] == kinds
    assert all(one.says for one in found)


def test_numbers_begin_anew_with_the_year() -> None:
    """The first statement of a year has number 1, whatever the last one had."""
    last = Span(number="250", to_day=date(2025, 12, 31))

    assert continuity(last, Span(number="1", from_day=date(2026, 1, 2), to_day=date(2026, 1, 2))) == ()
    assert continuity(last, Span(number="3", from_day=date(2026, 1, 2), to_day=date(2026, 1, 2))) != ()


@pytest.fixture
def store(database_url: str):
    made = Store(database_url, clock=FixedClock())
    migrate(made)
    made.add_tenant("main", name="main")
    yield made
    made.close()


def read(day: int, *, format_: str = "camt.053.001.08") -> Event:
    data = v.StatementRead(
        statement=f"stm-{format_}-{day}",
        format=format_,
        file="a.xml",
        account="DE1",
        currency="EUR",
        number=str(day),
        opening_balance=Decimal(day),
        closing_balance=Decimal(day + 1),
        from_day=date(2026, 3, day),
        to_day=date(2026, 3, day),
    )
    return decided(
        "statement.read", tenant="main", by="test", subject=data.statement, data=data, occurred_at=NOON, once=data.statement
    )


def kept(store: Store, days: list[int]) -> dict[str, list[str] | None]:
    for day in days:
        with store.work("main") as work:
            record(work, [read(day), read(day, format_="camt.052.001.08")])
    with store.look("main") as work:
        rows = work.connection.execute(l.statements.select()).mappings()
        return {row["id"]: row["breaks"] and [one["kind"] for one in row["breaks"]] for row in rows}


@pytest.mark.parametrize("days", [[2, 3, 5, 4, 7], [7, 5, 4, 3, 2], [4, 7, 2, 5, 3]])
def test_the_ledger_tells_the_same_whatever_comes_first(store: Store, days: list[int]) -> None:
    """A gap that a later file closes is no gap any more; statements and reports of an account follow their own kind."""
    found = kept(store, days)

    for kind in ("camt.053.001.08", "camt.052.001.08"):
        told = {int(name.rpartition("-")[2]): breaks for name, breaks in found.items() if kind in name}
        assert told == {2: None, 3: [], 4: [], 5: [], 7: ["balance", "number"]}


@given(st.text(max_size=8), st.text(max_size=8), st.dates(), st.dates(), st.dates(), st.dates())
def test_whatever_is_written_is_compared(one: str, two: str, a: date, b: date, c: date, d: date) -> None:
    """No number and no period is too strange to be compared, and a statement compared twice gives the same."""
    previous, this = Span(number=one, from_day=a, to_day=b), Span(number=two, from_day=c, to_day=d)

    assert continuity(previous, this) == continuity(previous, this)
