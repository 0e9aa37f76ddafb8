"""The ledger is what the events add up to: made again from them it is the same, and no cent is given twice."""

import itertools
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, select
from sqlalchemy.exc import IntegrityError

from hub.core import vocabulary as v
from hub.core.event import Event, decided
from hub.ledger.rebuild import rebuild, state_hash
from hub.ledger.record import events_of, record
from hub.store import ledger_tables as l
from hub.store.ledger_tables import LEDGER
from hub.store.sql import Store
from hub.store.work import Work
from hub.testing.fakes import NOON, FixedClock

_tenants = itertools.count(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("ledger") / "hub.sqlite"
    made = Store(f"sqlite:///{path}", clock=FixedClock())
    made.create_tables()
    yield made
    made.close()


def fact(tenant: str, number: int, type_: str, data: v.Fact) -> Event:
    return decided(type_, tenant=tenant, by="test", subject=str(number), data=data, occurred_at=NOON, once=str(number))


AMOUNTS = st.sampled_from([Decimal("0.01"), Decimal(1), Decimal("33.33"), Decimal(50), Decimal(100), Decimal("1e9")])
IDS = st.integers(1, 3)


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[str, v.Fact]]:
    """Anything that can be said about three orders, receivables, receipts and matches, in any order, sensible or not."""
    kinds = {
        "order.placed": lambda: v.Order(order=f"O{draw(IDS)}", amount=draw(AMOUNTS), customer="C", quote=draw(st.sampled_from([None, "Q1"]))),
        "order.changed": lambda: v.Order(order=f"O{draw(IDS)}", amount=draw(AMOUNTS), contract=draw(st.sampled_from([None, "K1"]))),
        "order.cancelled": lambda: v.OrderCancelled(order=f"O{draw(IDS)}"),
        "customer.updated": lambda: v.Customer(customer="C", name="n", aliases=tuple(draw(st.lists(st.sampled_from("ab"), max_size=2)))),
        "receivable.opened": lambda: v.ReceivableOpened(receivable=f"R{draw(IDS)}", order=f"O{draw(IDS)}", amount=draw(AMOUNTS), customer="C"),
        "receipt.received": lambda: v.Receipt(receipt=f"B{draw(IDS)}", amount=draw(AMOUNTS), booked_on=date(2026, 3, 2), payer_name="P"),
        "match.proposed": lambda: v.MatchProposed(match=f"M{draw(IDS)}", receipt=f"B{draw(IDS)}", lane="review", probability=0.5),
        "match.accepted": lambda: v.MatchAccepted(
            match=f"M{draw(IDS)}", receipt=f"B{draw(IDS)}", by="ann", customer="C", payer_name="P",
            shares=tuple(
                v.ShareOf(receivable=f"R{draw(IDS)}", order="O1", amount=draw(AMOUNTS), difference=draw(st.sampled_from([Decimal(0), Decimal("0.5")])))
                for _ in range(draw(st.integers(1, 2)))
            ),
        ),
        "match.rejected": lambda: v.MatchRejected(match=f"M{draw(IDS)}", receipt=f"B{draw(IDS)}", by="ann"),
        "match.undone": lambda: v.MatchUndone(match=f"M{draw(IDS)}", receipt=f"B{draw(IDS)}", by="ann"),
        "receipt.reversed": lambda: v.ReceiptReversed(receipt=f"B{draw(IDS)}", amount=Decimal(1)),
        "contract.sent": lambda: v.Contract(contract="K1", record="f1"),
        "contract.signed": lambda: v.Contract(contract="K1", quote="Q1"),
        "contract.revoked": lambda: v.Contract(contract="K1"),
        "quote.requested": lambda: v.QuoteRequested(quote="Q1", lines=()),
        "quote.approved": lambda: v.QuoteApproved(quote="Q1"),
        "stock.changed": lambda: v.StockChanged(
            sku="S", as_of=NOON,
            supplies=tuple(v.Supply(sku="S", warehouse=name, on_hand=Decimal("1.50")) for name in draw(st.sets(st.sampled_from("WXY")))),
        ),
        "stock.reserved": lambda: v.StockReserved(hold=f"H{draw(IDS)}", quote="Q1", sku="S", quantity=Decimal(1), warehouse="W", until=NOON),
        "stock.released": lambda: v.StockReleased(hold=f"H{draw(IDS)}", quote="Q1"),
    }  # fmt: skip
    money = ["receivable.opened", "receipt.received", "match.proposed", "match.accepted", "match.undone", "receipt.reversed"]
    names = draw(st.lists(st.sampled_from([*kinds, *money, *money]), min_size=1, max_size=25))
    return [(name, kinds[name]()) for name in names]


def told(store: Store, story: list[tuple[str, v.Fact]], batches: list[int]) -> str:
    """Tell the story to a new tenant in commits of these sizes; a commit that is refused is told fact by fact."""
    tenant = f"t{next(_tenants)}"
    store.add_tenant(tenant, name=tenant)
    facts = [fact(tenant, number, type_, data) for number, (type_, data) in enumerate(story)]
    sizes = itertools.cycle(batches)
    while facts:
        size = next(sizes)
        some, facts = facts[:size], facts[size:]
        if not _record(store, tenant, some):
            for one in some:
                _record(store, tenant, [one])
    return tenant


def _record(store: Store, tenant: str, facts: list[Event]) -> bool:
    try:
        with store.work(tenant) as work:
            record(work, facts)
    except IntegrityError:
        return False
    return True


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(story=stories(), batches=st.lists(st.integers(1, 7), min_size=1, max_size=3))
def test_made_again_from_its_events_it_is_the_same(store: Store, story: Any, batches: list[int]) -> None:
    """Whatever was told in commits of whatever size, the rebuilt ledger has the same state hash, and money is conserved."""
    tenant = told(store, story, batches)
    with store.work(tenant) as work:
        before = state_hash(work)
        assert rebuild(work) == before
        rows = {
            table.name: [dict(row) for row in work.connection.execute(table.select().where(table.c.tenant == tenant)).mappings()]
            for table in (l.receipts, l.receivables, l.shares, l.matches)
        }
    given_by: dict[str, int] = {}
    given_to: dict[str, int] = {}
    for share in rows["shares"]:
        given_by[share["receipt"]] = given_by.get(share["receipt"], 0) + share["amount_minor"]
        given_to[share["receivable"]] = given_to.get(share["receivable"], 0) + share["amount_minor"]
    assert all(row["shared_minor"] == given_by.pop(row["id"], 0) <= row["amount_minor"] for row in rows["receipts"])
    assert all(row["paid_minor"] == given_to.pop(row["id"], 0) <= row["amount_minor"] for row in rows["receivables"])
    assert not given_by and not given_to
    accepted = {row["id"] for row in rows["matches"] if row["state"] == "accepted"}
    assert {share["match"] for share in rows["shares"]} == accepted


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(story=stories())
def test_the_size_of_a_commit_changes_nothing(store: Store, story: Any) -> None:
    """The same facts told one by one and many at once add up to the same, where nothing of them is refused."""
    tenants = [told(store, story, [size]) for size in (1, 50)]
    ledgers = []
    for tenant in tenants:
        with store.look(tenant) as work:
            assume(len(events_of(work)) == len(story))
            ledgers.append([_rows(work, table) for table in LEDGER])
    assert ledgers[0] == ledgers[1]


def _rows(work: Work, table: Table) -> list[tuple[Any, ...]]:
    columns = [column for column in table.columns if column.name != "tenant"]
    return [
        tuple(row) for row in work.connection.execute(select(*columns).where(table.c.tenant == work.tenant).order_by(table.c.id))
    ]


def test_undoing_returns_to_what_was(store: Store) -> None:
    """Accepting and undoing leaves receipts, receivables, shares and what was learnt of the payer as they were before."""
    base: list[tuple[str, v.Fact]] = [
        ("receivable.opened", v.ReceivableOpened(receivable="R1", order="O1", amount=Decimal(100), customer="C")),
        ("receipt.received", v.Receipt(receipt="B1", amount=Decimal(100), booked_on=date(2026, 3, 2), payer_name="P")),
    ]
    share = v.ShareOf(receivable="R1", order="O1", amount=Decimal(100))
    accepted = v.MatchAccepted(match="M1", receipt="B1", by="ann", customer="C", payer_name="P", shares=(share,))
    undone = v.MatchUndone(match="M1", receipt="B1", by="ann")
    plain, back = told(store, base, [9]), told(store, [*base, ("match.accepted", accepted), ("match.undone", undone)], [1])

    def money(tenant: str) -> list[Any]:
        with store.look(tenant) as work:
            one = work.connection.execute(l.receivables.select().where(l.receivables.c.tenant == tenant)).mappings().one()
            two = work.connection.execute(l.receipts.select().where(l.receipts.c.tenant == tenant)).mappings().one()
            rest = [
                work.connection.execute(table.select().where(table.c.tenant == tenant)).all() for table in (l.shares, l.payers)
            ]
        return [one["paid_minor"], one["state"], two["shared_minor"], *rest]

    assert money(plain) == money(back) == [0, "open", 0, [], []]
