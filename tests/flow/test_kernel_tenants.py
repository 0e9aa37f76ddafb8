"""Two tenants of one hub see nothing of each other."""

from typing import Any

import pytest
import sqlalchemy as sa

from hub.actions import Actions
from hub.bus.envelope import decode
from hub.core.outcome import DONE
from hub.ledger.rebuild import rebuild
from hub.relay import Relay
from hub.store import ledger_tables as l
from hub.store import tables as t
from hub.store.work import Ask


def test_the_same_names_are_other_things(kernel: Any, told: Any) -> None:
    """Orders, receipts and matches of one tenant change nothing of another's, whatever they are called."""
    story = (told.order("SO-1", 100), told.receivable("R-1", 100), told.receipt("B-1", 100))
    for tenant in ("main", "other"):
        kernel.tell(*story, tenant=tenant)
    before = kernel.hash("other")
    kernel.tell(told.accepted("M-1", "B-1", **{"R-1": 100}), told.order("SO-1", 7))

    assert kernel.hash("other") == before
    assert [row["state"] for row in kernel.rows(l.receivables)] == ["settled"]
    assert [row["state"] for row in kernel.rows(l.receivables, tenant="other")] == ["open"]
    assert [fact.seq for fact in kernel.facts("other")] == [1, 2, 3]


def test_a_rebuild_touches_one_tenant(kernel: Any, told: Any) -> None:
    """Dropping and remaking one ledger leaves the other's rows as they are."""
    for tenant in ("main", "other"):
        kernel.tell(told.order("SO-1"), told.receivable("R-1", 5), tenant=tenant)
    before = kernel.hash("main"), kernel.hash("other")
    with kernel.store.work("main") as work:
        work.connection.execute(l.orders.delete().where(l.orders.c.tenant == "main"))
        assert rebuild(work) == before[0]
    assert kernel.hash("other") == before[1]


def test_a_batch_of_the_bus_is_handled_tenant_by_tenant(kernel: Any, told: Any) -> None:
    """A subscriber's unit of work holds one tenant's events and no others."""
    seen: list[tuple[str, set[str]]] = []

    def handle(facts: Any, work: Any) -> Any:
        seen.append((work.tenant, {fact.tenant for fact in facts}))
        return [DONE] * len(facts)

    subscribers, _ = kernel.handled_by("part", handle)
    subscribers.attach()
    for number in range(6):
        kernel.tell(told.order(f"SO-{number}"), tenant=("main", "other")[number % 2])
    while Relay(kernel.store, kernel.bus).run_once():
        pass
    kernel.bus.run(until_idle=True)
    assert {(tenant, *of) for tenant, of in seen} == {("main", "main"), ("other", "other")}
    assert len(kernel.rows(t.seen)) == len(kernel.rows(t.seen, tenant="other")) == 3


def test_the_relay_carries_each_tenants_facts_in_their_order(kernel: Any, told: Any) -> None:
    """What two tenants recorded in turns leaves in turns, each event with its own tenant."""
    published: list[Any] = []

    class Bus:
        def publish(self, envelopes: Any) -> None:
            published.extend(decode(envelope) for envelope in envelopes)

    for number in range(8):
        kernel.tell(told.order(f"SO-{number}"), tenant=("main", "other")[number % 2])
    Relay(kernel.store, Bus()).run_once()  # type: ignore[arg-type]
    for tenant in ("main", "other"):
        assert [fact.seq for fact in published if fact.tenant == tenant] == [1, 2, 3, 4]


def test_an_action_is_carried_out_for_the_tenant_that_asked(kernel: Any) -> None:
    """The same request of two tenants is two actions, each with the connection of its own tenant."""
    asked: list[tuple[str, str]] = []

    class Finds:
        def vendor(self, tenant: str, connection: str, what: str) -> Any:
            asked.append((tenant, connection))
            raise KeyError("nobody")

        def went(self, work: Any, connection: str, problem: Any) -> None:
            pass

    for tenant in ("main", "other"):
        with kernel.store.work(tenant) as work:
            work.ask([Ask(connection="erp", what="note.create", fields={}, once="1", about="a")])
    actions = Actions(kernel.store, Finds())  # type: ignore[arg-type]
    while actions.run_once():
        pass
    assert sorted(asked) == [("main", "erp"), ("other", "erp")]
    assert len(kernel.facts()) == len(kernel.facts("other")) == 1


@pytest.mark.parametrize(
    "statement",
    [
        sa.select(t.raws),
        sa.select(t.events.c.id).where(t.events.c.seq == 1),
        sa.select(t.events).join(t.raws, t.raws.c.id == t.events.c.cause).where(t.events.c.tenant == "main"),
        l.orders.update().values(state="x"),
        l.orders.delete().where(l.orders.c.id == "SO-1"),
        sa.select(l.orders).where(l.orders.c.tenant == "main", sa.exists().where(l.receipts.c.id == "B-1")),
    ],
    ids=["all", "by number", "a join", "an update", "a delete", "a subquery"],
)
def test_a_statement_that_forgets_the_tenant_is_noticed(kernel: Any, statement: Any) -> None:
    """These tests would fail if the kernel looked beyond its tenant: each such statement is refused here."""
    with pytest.raises(AssertionError, match="without its tenant"), kernel.store.write_transaction() as connection:
        connection.execute(statement)


def test_a_statement_that_names_the_tenant_passes(kernel: Any) -> None:
    """Naming it once is enough for tables that are joined by it."""
    joined = sa.and_(t.raws.c.tenant == t.events.c.tenant, t.raws.c.id == t.events.c.cause)
    with kernel.store.read_transaction() as connection:
        connection.execute(sa.select(t.events).join(t.raws, joined).where(t.events.c.tenant == "main"))
