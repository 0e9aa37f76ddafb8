"""Flows: when something happens, check, do, notify. The engine decides; this part loads what it asks for and queues what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
import structlog

from hub.core.errors import Problem
from hub.core.event import Event, following
from hub.core.outcome import DONE, Outcome, Park
from hub.definitions import Definition, Definitions
from hub.flows import Action, Emit, Flow, load_flow
from hub.ledger.record import record
from hub.registry import Registry
from hub.store import ledger_tables as l
from hub.store.work import Ask, Work
from hub.subscribers import Subscriber, one_by_one

log = structlog.get_logger("flows")

NAME = "flows"

# What a flow may look up, by the name it uses.
_TABLES = {
    "customer": l.customers,
    "quote": l.quotes,
    "contract": l.contracts,
    "order": l.orders,
    "receivable": l.receivables,
    "receipt": l.receipts,
    "product": l.products,
}
_KIND = "kind:"


class Flows:
    """The flows in force."""

    def __init__(self, definitions: Definitions, registry: Registry) -> None:
        self._definitions = definitions
        self._registry = registry
        self._loaded: dict[str, tuple[list[Definition], tuple[Flow, ...]]] = {}

    def subscriber(self, shards: int = 1) -> Subscriber:
        return Subscriber(name=NAME, patterns=("#",), handle=one_by_one(self.handle), shards=shards)

    def handle(self, fact: Event, work: Work) -> Outcome:
        """Run every flow that this fact starts."""
        for flow in self._flows(work.tenant):
            if not flow.matches(fact):
                continue
            try:
                for step in flow.run(fact, lambda table, id_: load(work, table, id_)):
                    self._take(step, fact, work)
            except Problem as problem:
                return Park(why=f"flow {flow.name}: {problem}")
        return DONE

    def _flows(self, tenant: str) -> tuple[Flow, ...]:
        """The compiled flows; read again when a definition has changed."""
        active = self._definitions.active(tenant, "flow")
        seen, flows = self._loaded.get(tenant, ([], ()))
        if seen is not active:
            flows = tuple(
                self._definitions.compiled(one, lambda text, name: load_flow(text, file=f"{name}.toml")) for one in active
            )
            self._loaded[tenant] = (active, flows)
        return flows

    def _take(self, step: Action | Emit, fact: Event, work: Work) -> None:
        match step:
            case Action():
                connection = self._connection(work.tenant, step.connection)
                if connection is None:
                    log.info("flow.nobody", what=step.what, connection=step.connection, fact=fact.id)
                    return
                fields = dict(step.fields)
                if step.about and "record" not in fields:
                    fields |= _record(work, connection, step.about)
                ask = Ask(connection=connection, what=step.what, fields=fields, once=step.idempotency_key, about=step.about)
                work.ask([ask], cause=fact)
            case Emit():
                data = step.data
                record(work, [following(fact, step.type, by=NAME, subject=step.subject, data=data, occurred_at=work.clock.now())])

    def _connection(self, tenant: str, name: str) -> str | None:
        if not name.startswith(_KIND):
            return name
        found = self._registry.of_kind(tenant, name.removeprefix(_KIND))
        return found.id if found else None


def load(work: Work, table: str, id_: str) -> Mapping[str, Any] | None:
    """A row of the ledger, with its amounts as decimals."""
    where = _TABLES.get(table)
    if where is None:
        return None
    row = work.connection.execute(sa.select(where).where(where.c.tenant == work.tenant, where.c.id == id_)).mappings().first()
    return None if row is None else l.plain_row(row)


def _record(work: Work, connection: str, about: str) -> dict[str, str]:
    """The connection's own record of the thing, if it has one: a write-back goes there."""
    kind, _, ours = about.partition(":")
    query = sa.select(l.links.c.record).where(
        l.links.c.tenant == work.tenant, l.links.c.connection == connection, l.links.c.kind == kind, l.links.c.ours == ours
    )
    found = work.connection.execute(query).scalar()
    return {"record": found} if found else {}
