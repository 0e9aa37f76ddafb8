"""100,000 events recorded, the ledger dropped and rebuilt: the same state hash, and how long both take.

Beside it the plain way of keeping the events: inserting their rows and nothing else.
"""

from __future__ import annotations

import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import here  # noqa: F401 - before anything of the project
import sqlalchemy as sa
from served import POSTGRESQL

from hub.core import vocabulary as v
from hub.core.event import Event, decided
from hub.ledger.rebuild import rebuild, state_hash
from hub.ledger.record import record
from hub.store import tables as t
from hub.store.sql import Store

EVENTS, BATCH = 100_000, 250
_DAY = date(2026, 1, 5)
_NOW = datetime(2026, 1, 5, tzinfo=UTC)


def deal(number: int) -> list[Event]:
    """The ten events of one deal: customer, quote, order, two receivables, receipt, match, a stock change; every fifth match is undone."""
    order, customer, amount = f"SO-{number}", f"C-{number % 900}", Decimal(100 + number % 977)
    half = amount / 2
    share = v.ShareOf(receivable=f"{order}/1", order=order, amount=half)
    facts: list[tuple[str, str, v.Fact]] = [
        ("customer.updated", customer, v.Customer(customer=customer, name=f"客户{number % 900}", aliases=(f"别名{number % 7}",))),
        ("quote.requested", f"Q-{number}", v.QuoteRequested(quote=f"Q-{number}", lines=(v.Line(sku="A", quantity=Decimal(3)),))),
        ("quote.approved", f"Q-{number}", v.QuoteApproved(quote=f"Q-{number}")),
        (
            "order.placed",
            order,
            v.Order(order=order, customer=customer, amount=amount, quote=f"Q-{number}", payment_terms="50/50"),
        ),
        (
            "receivable.opened",
            f"{order}/1",
            v.ReceivableOpened(receivable=f"{order}/1", order=order, amount=half, customer=customer),
        ),
        (
            "receivable.opened",
            f"{order}/2",
            v.ReceivableOpened(receivable=f"{order}/2", order=order, amount=half, customer=customer),
        ),
        (
            "receipt.received",
            f"R-{number}",
            v.Receipt(receipt=f"R-{number}", booked_on=_DAY + timedelta(number % 300), amount=half),
        ),
        (
            "match.proposed",
            f"R-{number}",
            v.MatchProposed(match=f"M-{number}", receipt=f"R-{number}", lane="auto", probability=0.99, shares=(share,)),
        ),
        (
            "match.accepted",
            f"R-{number}",
            v.MatchAccepted(
                match=f"M-{number}", receipt=f"R-{number}", shares=(share,), by="engine", customer=customer, payer_name="甲"
            ),
        ),
    ]
    undone = v.MatchUndone(match=f"M-{number}", receipt=f"R-{number}", by="finance")
    supply = v.Supply(sku=f"P-{number % 500}", warehouse="WH", on_hand=Decimal(number % 40))
    stock = v.StockChanged(sku=f"P-{number % 500}", supplies=(supply,), as_of=_NOW + timedelta(seconds=number))
    facts.append(("match.undone", f"R-{number}", undone) if number % 5 == 0 else ("stock.changed", f"P-{number % 500}", stock))
    return [
        decided(type_, tenant="main", by="bench", subject=subject, data=data, occurred_at=_NOW, once=f"{number}|{place}")
        for place, (type_, subject, data) in enumerate(facts)
    ]


@contextmanager
def stores() -> Iterator[list[tuple[str, Store]]]:
    """An empty store of either kind; PostgreSQL only where one answers."""
    with tempfile.TemporaryDirectory() as folder:
        found = [("SQLite", Store(f"sqlite:///{Path(folder) / 'hub.sqlite'}"))]
        schema = f"bench_{uuid.uuid4().hex[:8]}"
        server = sa.create_engine(POSTGRESQL, connect_args={"connect_timeout": 3})
        try:
            with server.begin() as connection:
                connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
            found.append(("PostgreSQL", Store(f"{POSTGRESQL}?options=-csearch_path%3D{schema}")))
        except sa.exc.OperationalError:
            print("PostgreSQL does not answer: only SQLite is measured")
        try:
            yield found
        finally:
            for _, store in found:
                store.close()
            if len(found) > 1:
                with server.begin() as connection:
                    connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")


def measure(name: str, store: Store) -> bool:
    store.create_tables()
    store.add_tenant("main", name="bench")
    deals = [deal(number) for number in range(EVENTS // 10)]
    events = [event for facts in deals for event in facts]
    began = time.perf_counter()
    for start in range(0, len(events), BATCH):
        with store.work("main") as work:
            record(work, events[start : start + BATCH])
    recorded = time.perf_counter() - began
    with store.look("main") as work:
        before = state_hash(work)
        rows = [dict(row) for row in work.connection.execute(sa.select(t.events)).mappings()]
    began = time.perf_counter()
    with store.work("main") as work:
        after = rebuild(work)
    rebuilt = time.perf_counter() - began
    plain = inserted(store, rows)
    same = "the same hash" if before == after else "ANOTHER HASH"
    print(
        f"{name:10}  {len(events):,} events  recorded {len(events) / recorded:8,.0f}/s  rebuilt {len(events) / rebuilt:8,.0f}/s"
        f"  rows alone {len(events) / plain:8,.0f}/s  {same} {before[:12]}"
    )
    return before == after


def inserted(store: Store, rows: list[dict[str, object]]) -> float:
    """Seconds for inserting the same rows with the same commits, and nothing else."""
    with store.write_transaction() as connection:
        connection.execute(t.events.delete())
    began = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        with store.write_transaction() as connection:
            connection.execute(t.events.insert(), rows[start : start + BATCH])
    return time.perf_counter() - began


def main() -> int:
    with stores() as found:
        results = [measure(name, store) for name, store in found]
        return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())
