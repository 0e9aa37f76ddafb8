"""Every raw gets exactly one outcome, and what cannot be understood or recorded holds up nobody."""

from typing import Any

import pytest
import sqlalchemy as sa

from hub.core.errors import Unavailable
from hub.store import ledger_tables as l
from hub.store import tables as t


def test_one_bad_raw_is_parked_and_the_others_go_on(kernel: Any, told: Any) -> None:
    """Unreadable bytes and a defect in a normaliser are parked with their reason; what stands around them is recorded."""
    good = [kernel.raw(f"D-{number}", told.order(f"SO-{number}")) for number in range(4)]
    unreadable, defect = kernel.raw("D-8", body=b"{half"), kernel.raw("D-9", body=b"[7]")
    empty = kernel.raw("D-10")
    kernel.keep(good[0], unreadable, good[1], defect, good[2], empty, good[3])
    assert kernel.settle() == 7

    assert [kernel.outcome(raw)["kind"] for raw in (*good, unreadable, defect, empty)] == ["understood"] * 4 + ["parked"] * 2 + [
        "ignored"
    ]
    assert kernel.outcome(unreadable)["rule"] == "json"
    assert kernel.outcome(defect)["reason"]["code"] == "defect"
    assert kernel.outcome(empty)["rule"] == "nothing in it concerns us"
    assert [fact.subject for fact in kernel.facts()] == ["SO-0", "SO-1", "SO-2", "SO-3"]
    assert kernel.rows(t.inbox) == []


def test_an_amount_no_ledger_can_hold_is_parked_alone(kernel: Any, told: Any) -> None:
    """A number beyond any account, one finer than a cent and one that is none are parked; the next raw is recorded."""
    bad = [kernel.raw(f"D-{number}", told.order("SO-1", amount)) for number, amount in enumerate(("9" * 30, "0.001", "NaN"))]
    good = kernel.raw("D-good", told.order("SO-2"))
    kernel.keep(*bad, good)
    kernel.settle()

    assert [kernel.outcome(raw)["kind"] for raw in (*bad, good)] == ["parked"] * 3 + ["understood"]
    assert [fact.subject for fact in kernel.facts()] == ["SO-2"]


def test_the_ledger_refuses_to_give_away_more_than_came_in(kernel: Any, told: Any) -> None:
    """Shares beyond their receipt are refused by the database itself; the raw that said so is parked, the others are not."""
    kernel.tell(told.order("SO-1", 500), told.receivable("R-1", 500), told.receipt("B-1", 100))
    before = kernel.hash()
    greedy = kernel.raw("D-1", told.accepted("M-1", "B-1", **{"R-1": 101}))
    good = kernel.raw("D-2", told.order("SO-2"))
    kernel.keep(greedy, good)
    kernel.settle()

    assert kernel.outcome(greedy)["kind"] == "parked"
    assert kernel.outcome(greedy)["reason"]["code"] == "refused-by-ledger"
    assert kernel.outcome(good)["kind"] == "understood"
    assert kernel.rows(l.shares) == []
    assert kernel.rows(l.receipts)[0]["state"] == "new"
    assert kernel.hash() != before  # of SO-2
    assert [fact.type for fact in kernel.facts()].count("match.accepted") == 0


@pytest.mark.parametrize(
    ("receivable", "shares"),
    [(50, {"R-1": 60}), (50, {"R-9": 10}), (50, {"R-1": 30, "R-2": 71})],
    ids=["beyond the receivable", "of no receivable", "together beyond the receipt"],
)
def test_the_triggers_themselves_refuse(kernel: Any, told: Any, receivable: int, shares: dict[str, int]) -> None:
    """A share that is written past all of our code is refused by the database."""
    kernel.tell(told.receivable("R-1", receivable), told.receivable("R-2", 100), told.receipt("B-1", 100))
    rows = [
        {"tenant": "main", "id": f"M-1|{place}", "match": "M-1", "receipt": "B-1", "receivable": name, "amount_minor": amount * 100,
         "difference_minor": 0, "version": 1}
        for place, (name, amount) in enumerate(shares.items())
    ]  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError, match="exceed"), kernel.store.work("main") as work:
        work.connection.execute(l.shares.insert(), rows)
    assert kernel.rows(l.shares) == []


def test_a_share_cannot_be_raised_afterwards(kernel: Any, told: Any) -> None:
    """An update past the receipt's amount is refused like an insert."""
    kernel.tell(told.receivable("R-1", 500), told.receipt("B-1", 100), told.accepted("M-1", "B-1", **{"R-1": 100}))
    with pytest.raises(sa.exc.IntegrityError, match="exceed"), kernel.store.work("main") as work:
        work.connection.execute(l.shares.update().where(l.shares.c.tenant == "main").values(amount_minor=10_001))


def test_replaying_makes_no_new_fact(kernel: Any, told: Any) -> None:
    """Raws that are read again come to the same outcome; no fact, number or row of the ledger is added."""
    raws = [kernel.raw(f"D-{number}", told.order(f"SO-{number}"), told.receivable(f"R-{number}", 5)) for number in range(5)]
    kernel.keep(*raws, kernel.raw("D-9", body=b"{"))
    kernel.settle()
    facts, state, outcomes = kernel.facts(), kernel.hash(), kernel.rows(t.outcomes)
    for _ in range(2):
        with kernel.store.work("main") as work:
            again = [{"tenant": "main", "raw": row["id"], "again": True} for row in kernel.rows(t.raws)]
            work.connection.execute(t.inbox.insert(), again)
        assert kernel.settle() == 6

    assert kernel.facts() == facts
    assert kernel.hash() == state
    assert kernel.rows(t.outcomes) == outcomes


def test_a_mended_map_adds_what_it_had_missed(kernel: Any, told: Any) -> None:
    """A raw that was parked and is replayed with better understanding gets its facts, after those recorded meanwhile."""
    from hub.pipeline import Pipeline, Understood

    kernel.pipeline = Pipeline(kernel.store, lambda raw: Understood(problems=({"code": "x", "about": {}},)))
    first = kernel.raw("D-1", told.order("SO-1"))
    kernel.keep(first)
    kernel.settle()
    assert kernel.outcome(first)["kind"] == "parked"
    kernel.pipeline = type(kernel)(kernel.url, made=True).pipeline
    kernel.tell(told.order("SO-2"))
    with kernel.store.work("main") as work:
        work.connection.execute(t.inbox.insert().values(tenant="main", raw=first.id, again=True))
    kernel.settle()
    assert kernel.outcome(first)["kind"] == "understood"
    assert [fact.subject for fact in kernel.facts()] == ["SO-2", "SO-1"]


def test_an_outage_parks_nothing(kernel: Any, told: Any) -> None:
    """While the database is away no raw gets an outcome; once it is back all of them get theirs."""
    raws = [kernel.raw(f"D-{number}", told.order(f"SO-{number}")) for number in range(3)]
    kernel.keep(*raws)
    times = [2]

    def refuse(connection: Any, statement: Any, *_rest: object) -> None:
        if isinstance(statement, sa.Update) and times[0]:
            times[0] -= 1
            raise Unavailable(happened="the database does not answer", next="wait")

    sa.event.listen(kernel.store.engine, "before_execute", refuse)
    for _ in range(2):
        with pytest.raises(Unavailable):
            kernel.pipeline.run_once()
        assert kernel.rows(t.outcomes) == []
    assert kernel.settle() == 3
    assert {kernel.outcome(raw)["kind"] for raw in raws} == {"understood"}


def test_numbers_follow_the_order_of_arrival(kernel: Any, told: Any) -> None:
    """Facts are numbered without gaps within a commit, in the order in which their raws came, tenant by tenant."""
    kernel.keep(
        *(kernel.raw(f"D-{number}", told.order(f"SO-{number}"), tenant=("main", "other")[number % 2]) for number in range(10))
    )
    kernel.settle()
    for tenant, subjects in (("main", range(0, 10, 2)), ("other", range(1, 10, 2))):
        assert [fact.subject for fact in kernel.facts(tenant)] == [f"SO-{number}" for number in subjects]
        assert [fact.seq for fact in kernel.facts(tenant)] == [1, 2, 3, 4, 5]


def test_the_outbox_holds_each_fact_until_the_bus_has_it(kernel: Any, told: Any) -> None:
    """A bus that is away keeps every fact waiting; each is published once it is back, in order."""
    from hub.relay import Relay

    kernel.tell(*(told.order(f"SO-{number}") for number in range(5)))
    published: list[str] = []

    class Bus:
        away = True

        def publish(self, envelopes: Any) -> None:
            if self.away:
                raise Unavailable(happened="the broker is away", next="start it")
            published.extend(envelope.seq for envelope in envelopes)

    bus = Bus()
    relay = Relay(kernel.store, bus)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        relay.run_once()
    assert len(kernel.rows(t.outbox)) == 5
    bus.away = False
    assert [relay.run_once(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert published == [1, 2, 3, 4, 5]
    assert kernel.rows(t.outbox) == []


def test_a_signed_contract_can_still_be_annulled_and_stays_so(kernel: Any) -> None:
    """What both sides take back was signed before; a late word of the signing changes nothing, and the day of it is kept."""
    for number, type_ in enumerate(
        ("contract.sent", "contract.signed", "contract.revoked", "contract.signed", "contract.viewed")
    ):
        kernel.tell({"type": type_, "subject": f"K1-{number}", "data": {"contract": "K1"}})

    (contract,) = kernel.rows(l.contracts)
    assert contract["status"] == "revoked"
    assert contract["signed_at"] is not None
