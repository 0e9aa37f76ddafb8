"""Money is conserved whatever two people do at once: no share exceeds its receipt or its receivable, at both sizes."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from decimal import Decimal
from itertools import count
from threading import Barrier
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core import vocabulary as v
from hub.core.errors import Problem
from hub.core.event import decided
from hub.ledger.rebuild import rebuild, state_hash
from hub.ledger.record import record
from hub.parts.decisions import Decisions
from hub.store import ledger_tables as l
from hub.testing.fakes import NOON
from reconciliation.payments import Policy

RECEIPTS = {"B0": Decimal("100.00"), "B1": Decimal("60.00"), "B2": Decimal("250.10")}
RECEIVABLES = {"R0": Decimal("100.00"), "R1": Decimal("120.00"), "R2": Decimal("0.10")}
_numbers = count()

_receipt = st.sampled_from(sorted(RECEIPTS))
_shares = st.lists(
    st.tuples(
        st.sampled_from(sorted(RECEIVABLES)),
        st.sampled_from(["0.10", "40.00", "60.00", "100.00"]),
        st.sampled_from(["0", "0.05"]),
    ),
    min_size=1,
    max_size=3,
)
_deed = st.one_of(
    st.tuples(st.just("split"), _receipt, _shares),
    st.tuples(st.just("propose"), _receipt, _shares),
    st.tuples(st.sampled_from(["accept", "reject", "undo", "reverse", "import"]), _receipt),
)


class Person:
    """Somebody at the desk, with the hub's own decisions and with facts that arrive in between."""

    def __init__(self, kernel: Any, tenant: str, name: str) -> None:
        self.kernel, self.tenant, self.name = kernel, tenant, name
        self.decisions = Decisions(lambda _: Policy())

    def do(self, what: str, receipt: str, shares: Any = ()) -> None:
        """Do it; a refusal is an answer too."""
        named = tuple(v.ShareOf(receivable=of, order="SO", amount=Decimal(a), difference=Decimal(d)) for of, a, d in shares)
        with suppress(Problem), self.kernel.store.work(self.tenant) as work:
            if what == "split":
                self.decisions.accept(work, receipt, by=self.name, shares=named)
            elif what == "accept":
                self.decisions.accept(work, receipt, by=self.name)
            elif what == "reject":
                self.decisions.reject(work, receipt, by=self.name, reason="no")
            elif what == "undo":
                self.decisions.undo(work, receipt, by=self.name)
            else:
                record(work, [self.fact(what, receipt, named)])

    def fact(self, what: str, receipt: str, shares: tuple[v.ShareOf, ...]) -> Any:
        once = str(next(_numbers))
        if what == "propose":
            data: v.Fact = v.MatchProposed(match=f"M{once}", receipt=receipt, lane="review", probability=0.5, shares=shares)
            return self.decided("match.proposed", receipt, data, once)
        if what == "reverse":
            return self.decided("receipt.reversed", receipt, v.ReceiptReversed(receipt=receipt, amount=RECEIPTS[receipt]), once)
        return received(self.tenant, receipt)  # the same file again

    def decided(self, type_: str, subject: str, data: v.Fact, once: str) -> Any:
        return decided(type_, tenant=self.tenant, by=self.name, subject=subject, data=data, occurred_at=NOON, once=once)


def received(tenant: str, receipt: str, day: date = date(2026, 3, 2)) -> Any:
    data = v.Receipt(receipt=receipt, amount=RECEIPTS[receipt], booked_on=day, payer_name="P")
    return decided("receipt.received", tenant=tenant, by="bank", subject=receipt, data=data, occurred_at=NOON, once=receipt)


def opened(tenant: str, receivable: str) -> Any:
    data = v.ReceivableOpened(receivable=receivable, order="SO", customer="C", amount=RECEIVABLES[receivable])
    return decided(
        "receivable.opened", tenant=tenant, by="orders", subject=receivable, data=data, occurred_at=NOON, once=receivable
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(first=st.lists(_deed, max_size=12), second=st.lists(_deed, max_size=12))
def test_whatever_two_people_do_money_is_conserved(kernel: Any, first: Any, second: Any) -> None:
    """Import, propose, accept, split, reject, undo, reversal and the same file again, from two threads."""
    tenant = f"t{next(_numbers)}"
    kernel.store.add_tenant(tenant, name=tenant)
    with kernel.store.work(tenant) as work:
        record(work, [received(tenant, name) for name in RECEIPTS] + [opened(tenant, name) for name in RECEIVABLES])
    together = Barrier(2)

    def play(name: str, deeds: Any) -> None:
        person = Person(kernel, tenant, name)
        together.wait(30)
        for deed in deeds:
            person.do(*deed)

    with ThreadPoolExecutor(2) as people:
        for one in [people.submit(play, "ann", first), people.submit(play, "bob", second)]:
            one.result()

    rows = {
        table: [row for row in kernel.rows(table) if row["tenant"] == tenant] for table in (l.shares, l.receipts, l.receivables)
    }
    given_, paid, written = Counter[str](), Counter[str](), Counter[str]()
    for share in rows[l.shares]:
        given_[share["receipt"]] += share["amount_minor"]
        paid[share["receivable"]] += share["amount_minor"]
        written[share["receivable"]] += share["difference_minor"]
    for row in rows[l.receipts]:
        assert given_[row["id"]] == row["shared_minor"] <= row["amount_minor"]
        assert row["state"] == "matched" or not given_[row["id"]]
    for row in rows[l.receivables]:
        assert (paid[row["id"]], written[row["id"]]) == (row["paid_minor"], row["difference_minor"])
        assert paid[row["id"]] + written[row["id"]] <= row["amount_minor"]
        assert (row["state"] == "settled") == (paid[row["id"]] + written[row["id"]] == row["amount_minor"])
    with kernel.store.work(tenant) as work:
        before = state_hash(work)
        assert rebuild(work) == before


def test_undo_leaves_balances_and_memory_as_they_were(kernel: Any) -> None:
    """Receipts, receivables, shares and what is known of the payer are equal to before, to the byte; only versions go on."""
    tables = (l.receipts, l.receivables, l.shares, l.payers)

    def books() -> list[Any]:
        rows = {table.name: [dict(row) | {"version": 0} for row in kernel.rows(table)] for table in tables}
        for row in rows["receipts"]:
            row |= {"state": "", "lane": "", "match": ""}  # where it stands at the desk is no balance
        return sorted(rows.items())

    person = Person(kernel, "main", "ann")
    days = {"B0": date(2026, 3, 1), "B2": date(2026, 3, 9)}
    with kernel.store.work("main") as work:
        record(work, [opened("main", name) for name in RECEIVABLES])
        record(work, [received("main", name, days[name]) for name in days])
    person.do("split", "B0", [("R1", "60.00", "0")])
    before = books()

    person.do("split", "B2", [("R0", "99.95", "0.05"), ("R1", "40.00", "0")])
    with kernel.store.look("main") as work:
        during = state_hash(work)
    person.do("undo", "B2")

    assert books() == before
    (payer,) = kernel.rows(l.payers)
    assert (payer["times"], payer["last_seen"]) == (1, days["B0"])
    with kernel.store.work("main") as work:
        assert state_hash(work) != during
        assert rebuild(work) == state_hash(work)
