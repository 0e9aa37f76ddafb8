"""The kernel without its threads: each test says when a loop makes a step, and what time it is.

Every statement that the kernel executes here is looked at: one that touches a tenant's rows must name the tenant.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from structlog.testing import capture_logs

from hub.bus.memory import MemoryBus
from hub.core import vocabulary as v
from hub.core.connector import Connector
from hub.core.errors import NotFound, Unreadable
from hub.core.event import Event, Raw, event
from hub.core.ids import derive
from hub.core.manifest import Manifest
from hub.intake import Intake, Stored
from hub.ledger.rebuild import state_hash
from hub.ledger.record import events_of, record
from hub.pipeline import Pipeline, Understood
from hub.registry import Connection, Opened
from hub.store import tables as t
from hub.store.sql import Store
from hub.subscribers import Handler, Subscriber, Subscribers
from hub.testing.fakes import NOON, FixedClock

# Who may look at the rows of all tenants, and why. Places are numbers of the whole database, given once.
ACROSS_TENANTS = {
    ("Select", "inbox"): "the pipeline takes the tenant whose raw waits longest",
    ("Delete", "inbox"): "by place",
    ("Select", "outbox"): "the relay publishes in the order of recording, whoever recorded",
    ("Delete", "outbox"): "by place",
    ("Select", "held"): "what is due is looked for first, and handled in its tenant's unit of work",
    ("Select", "actions"): "a worker takes what is due next, whoever asked for it",
    ("Update", "actions"): "by place, of the action just taken",
    ("Select", "files"): "the file that waits longest is read first",
}


def unnamed(statement: Any, exempt: set[str]) -> set[str]:
    """The tables in a statement whose rows it does not narrow to one tenant.

    A table is narrowed where its tenant equals a value, or the tenant of a table that is narrowed or exempt.
    """
    parts = list(visitors.iterate(statement))
    found = {table for part in parts if isinstance(part, sa.Select) for top in part.get_final_froms() for table in _tables(top)}
    if isinstance(statement, sa.Update | sa.Delete):
        found |= set(_tables(statement.table))
    bound, pairs = set(exempt), []
    for part in parts:
        if isinstance(part, sa.BinaryExpression) and part.operator is operators.eq:
            left, right = _tenant_of(part.left), _tenant_of(part.right)
            if left and right:
                pairs += [(left, right), (right, left)]
            elif left or right:
                bound.add(str(left or right))
    while more := {one for one, other in pairs if other in bound} - bound:
        bound |= more
    return found - bound


def _tables(place: Any) -> Iterator[str]:
    if isinstance(place, sa.Join):
        yield from _tables(place.left)
        yield from _tables(place.right)
    elif isinstance(place, sa.Table | sa.Alias) and "tenant" in place.c:
        yield str(place.name)


def _tenant_of(side: Any) -> str | None:
    return str(side.table.name) if isinstance(side, sa.Column) and side.name == "tenant" and side.table is not None else None


def look_at(connection: Any, statement: Any, *_rest: object) -> None:
    """Refuse a statement that would reach beyond its tenant without a reason."""
    if isinstance(statement, sa.Select | sa.Update | sa.Delete):
        strangers = unnamed(statement, {table for kind, table in ACROSS_TENANTS if kind == type(statement).__name__})
        assert not strangers, f"{sorted(strangers)} without its tenant: {statement}"


class Kernel:
    """A store, a door, a pipeline and subscribers, one step at a time."""

    def __init__(self, url: str, *, made: bool = False) -> None:
        self.url = url
        self.clock = FixedClock()
        self.store = Store(url, clock=self.clock)
        if not made:
            self.store.create_tables()
            for tenant in ("main", "other"):
                self.store.add_tenant(tenant, name=tenant)
        sa.event.listen(self.store.engine, "before_execute", look_at)
        self.intake = Intake(self.store)
        self.pipeline = Pipeline(self.store, understand)
        self.bus = MemoryBus(clock=self.clock)

    # --- in -------------------------------------------------------------------------------------------------------

    def raw(self, key: str, *told: Mapping[str, Any], tenant: str = "main", connection: str = "shop", body: bytes = b"") -> Raw:
        """A stamped raw whose body holds these facts, or this body."""
        content = body or json.dumps(told).encode()
        raw = Raw(stream="s", key=key, body=content)
        return raw.stamped(tenant=tenant, connection=connection, door="webhook", received_at=self.clock.now())

    def keep(self, *raws: Raw) -> list[Stored]:
        return self.intake.store(raws)

    def settle(self) -> int:
        """Let the pipeline work until the inbox is empty; returns how many raws had their turn."""
        return sum(iter(self.pipeline.run_once, 0))

    def tell(self, *told: Mapping[str, Any], tenant: str = "main") -> list[Event]:
        """Facts that arrive as one raw and are recorded; returns those that are new."""
        before = self.last_seq(tenant)
        self.keep(self.raw(derive("key", json.dumps(told), str(before)), *told, tenant=tenant))
        self.settle()
        return [fact for fact in self.facts(tenant) if fact.seq > before]

    def record(self, *facts: Event, tenant: str = "main") -> list[Event]:
        with self.store.work(tenant) as work:
            return record(work, facts)

    def handled_by(self, name: str, handle: Handler, *patterns: str) -> tuple[Subscribers, Subscriber]:
        one = Subscriber(name=name, patterns=patterns or ("#",), handle=handle)
        return Subscribers(self.store, self.bus, [one]), one

    # --- looking --------------------------------------------------------------------------------------------------

    def rows(self, table: sa.Table, *where: Any, tenant: str = "main") -> list[dict[str, Any]]:
        query = sa.select(table).where(table.c.tenant == tenant, *where).order_by(*table.primary_key.columns)
        with self.store.read_transaction() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def outcome(self, raw: Raw) -> dict[str, Any]:
        (row,) = self.rows(t.outcomes, t.outcomes.c.raw == raw.id, tenant=raw.tenant)
        return row

    def facts(self, tenant: str = "main") -> list[Event]:
        with self.store.look(tenant) as work:
            return events_of(work, limit=100_000)

    def last_seq(self, tenant: str = "main") -> int:
        return max((fact.seq for fact in self.facts(tenant)), default=0)

    def hash(self, tenant: str = "main") -> str:
        with self.store.look(tenant) as work:
            return state_hash(work)

    def close(self) -> None:
        self.store.close()


def understand(raw: Raw) -> Understood:
    """A normaliser for bodies made by `Kernel.raw`; anything else is unreadable, `null` is a defect, `[]` is ignored."""
    try:
        told = json.loads(raw.body)
    except ValueError as error:
        raise Unreadable(happened="this is no JSON", next="send JSON", rule="json") from error
    events = tuple(
        event(
            raw,
            one["type"],
            subject=one["subject"],
            data=msgspec.convert(one["data"], v.VOCABULARY[one["type"]]),
            key=one.get("key"),
        )
        for one in told
    )
    return Understood(events=events, ignored=None if events else "nothing in it concerns us")


@pytest.fixture
def kernel(database_url: str) -> Iterator[Kernel]:
    """The kernel over an empty database of one size. What it logs is kept to itself."""
    made = Kernel(database_url)
    with capture_logs():
        yield made
    made.close()


@pytest.fixture
def told() -> type["Told"]:
    """Facts as they are written in a body."""
    return Told


class Told:
    """Facts as they are written in a body."""

    @staticmethod
    def order(number: str, amount: object = "100", **more: Any) -> dict[str, Any]:
        return {"type": "order.placed", "subject": number, "data": {"order": number, "amount": str(amount), **more}}

    @staticmethod
    def task(number: str, key: str) -> dict[str, Any]:
        data = {"task": number, "title": "call", "due_at": NOON.isoformat()}
        return {"type": "task.due", "subject": number, "data": data, "key": key}

    @staticmethod
    def receivable(id_: str, amount: object, order: str = "SO-1") -> dict[str, Any]:
        data = {"receivable": id_, "order": order, "amount": str(amount), "customer": "C-1"}
        return {"type": "receivable.opened", "subject": id_, "data": data}

    @staticmethod
    def receipt(id_: str, amount: object) -> dict[str, Any]:
        data = {"receipt": id_, "amount": str(amount), "booked_on": str(date(2026, 3, 2)), "payer_name": "Payer"}
        return {"type": "receipt.received", "subject": id_, "data": data}

    @staticmethod
    def accepted(match: str, receipt: str, **shares: object) -> dict[str, Any]:
        parts = [{"receivable": name, "order": "SO-1", "amount": str(amount)} for name, amount in shares.items()]
        data = {"match": match, "receipt": receipt, "shares": parts, "by": "ann", "customer": "C-1", "payer_name": "Payer"}
        return {"type": "match.accepted", "subject": match, "data": data}

    @staticmethod
    def undone(match: str, receipt: str) -> dict[str, Any]:
        return {"type": "match.undone", "subject": match, "data": {"match": match, "receipt": receipt, "by": "ann"}}

    @staticmethod
    def reversed(receipt: str, amount: object) -> dict[str, Any]:
        return {"type": "receipt.reversed", "subject": receipt, "data": {"receipt": receipt, "amount": str(Decimal(str(amount)))}}


class Register:
    """Connections with connectors made by the test, where the kernel expects the registry."""

    def __init__(self) -> None:
        self._opened: dict[tuple[str, str], Opened | Exception] = {}

    def add(
        self, connector: Connector | Exception, *, id_: str = "shop", tenant: str = "main", streams: Sequence[str] = ()
    ) -> None:
        """A connection of this connector; an exception is raised where it is opened."""
        if isinstance(connector, Exception):
            self._opened[tenant, id_] = connector
            return
        manifest = Manifest(
            name="http_fake", kind="http", title="Fake", title_zh="假", summary="", summary_zh="", vendor_api="1", does=(),
            owners=(), streams=tuple(streams), poll_every=60.0,
        )  # fmt: skip
        self._opened[tenant, id_] = Opened(connection=_connection(tenant, id_), manifest=manifest, connector=connector)

    def connections(self, tenant: str | None = None) -> list[Connection]:
        return [_connection(of, id_) for of, id_ in sorted(self._opened) if tenant in (None, of)]

    def open(self, tenant: str, id_: str) -> Opened:
        found = self._opened.get((tenant, id_)) or NotFound(happened="there is no such connection", next="make it")
        if isinstance(found, Exception):
            raise found
        return found


def _connection(tenant: str, id_: str) -> Connection:
    return Connection(tenant=tenant, id=id_, connector="http_fake", title="", settings={}, secrets=())


@pytest.fixture
def register() -> Register:
    """Connections with connectors made by the test."""
    return Register()


@pytest.fixture
def second(kernel: Kernel) -> Iterator[Kernel]:
    """The same database once more, as another process sees it; only where two processes may share one."""
    other = Kernel(kernel.url, made=True)
    yield other
    other.close()
