"""How the kernel reaches a connection: what its raws mean, who carries out its actions, and whether it is well."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import sqlalchemy as sa
import structlog

from hub.actions import READ_STOCK, Schedule, Vendor, patient
from hub.core.connector import Writes
from hub.core.errors import Invalid, LoginRefused, Problem, RateLimited, VendorRefused
from hub.core.event import Event, Ignored, Raw, decided
from hub.core.vocabulary import ConnectionState
from hub.ledger.record import record
from hub.pipeline import Understood, collect
from hub.registry import Opened, Registry
from hub.store import tables as t
from hub.store.work import Work

log = structlog.get_logger("connections")

SUBSCRIPTION = "subscription:"


class Mapped(Protocol):
    """A connection's field map, ready to be applied to a raw."""

    @property
    def label(self) -> str: ...

    def events(self, raw: Raw) -> Iterable[Event | Ignored | Problem]: ...


class Connections:
    """The registry, seen from the pipeline and from the action queue."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.field_map: Callable[[str, str], Mapped | None] = lambda tenant, name: None
        self.subscription: Callable[[str, str], Writes] | None = None
        self.subscription_schedule: Schedule = patient
        self._readers: dict[tuple[str, str], tuple[Opened, Mapped | None]] = {}

    def renew(self) -> None:
        """Look connections and their field maps up anew: a batch is understood by what is in force when it begins."""
        self._readers = {}

    def understand(self, raw: Raw) -> Understood:
        """What a raw means: by the connection's field map where it has one, else by its connector."""
        where = (raw.tenant, raw.connection)
        reader = self._readers.get(where)
        if reader is None:
            opened = self._registry.open(raw.tenant, raw.connection)
            name = opened.connection.field_map
            reader = self._readers[where] = (opened, self.field_map(raw.tenant, name) if name else None)
        opened, field_map = reader
        if field_map is not None:
            return collect(field_map.events(raw), field_map=field_map.label)
        return collect(opened.connector.normalise(raw))

    # --- for the action queue -------------------------------------------------------------------------------------

    def vendor(self, tenant: str, connection: str, what: str) -> Vendor:
        """Who carries out `what`; raises `Invalid` where nobody can."""
        if connection.startswith(SUBSCRIPTION):
            assert self.subscription is not None
            deliverer = self.subscription(tenant, connection.removeprefix(SUBSCRIPTION))
            return Vendor(does=deliverer, idempotent=True, schedule=self.subscription_schedule)
        opened = self._registry.open(tenant, connection)
        written = opened.manifest.writes.get(what)
        if written is None and what != READ_STOCK:
            raise Invalid(
                happened=f"{opened.manifest.name} cannot do {what}",
                next="use one of " + ", ".join(sorted(opened.manifest.writes)),
                connection=connection,
            )
        return Vendor(
            does=opened.connector, idempotent=what == READ_STOCK or (written is not None and written.idempotent), schedule=patient
        )

    def went(self, work: Work, connection: str, problem: Problem | None) -> None:
        """Keep the connection's state; a change of it is an event and one line in the log."""
        if connection.startswith(SUBSCRIPTION) or isinstance(problem, RateLimited | VendorRefused | Invalid):
            return
        where = (t.connections.c.tenant == work.tenant, t.connections.c.id == connection)
        row = work.connection.execute(sa.select(t.connections.c.state).where(*where)).first()
        state = "failing" if problem else "ok"
        if row is None or row.state == state:
            return
        reason = problem.as_dict() if problem else None
        work.connection.execute(t.connections.update().where(*where).values(state=state, state_reason=reason))
        if row.state == "new" and problem is None:
            return
        self._tell(work, connection, problem)

    def _tell(self, work: Work, connection: str, problem: Problem | None) -> None:
        now = work.clock.now()
        data = ConnectionState(
            connection=connection,
            code=problem.code if problem else None,
            happened=problem.happened if problem else None,
            next=problem.next if problem else None,
        )
        type_ = "connection.failed" if problem else "connection.recovered"
        record(
            work,
            [
                decided(
                    type_, tenant=work.tenant, by=connection, subject=connection, data=data, occurred_at=now, once=now.isoformat()
                )
            ],
        )
        if problem is None:
            log.info("connection.recovered", tenant=work.tenant, connection=connection)
            self._due_now(work, connection)
        else:
            level = log.error if isinstance(problem, LoginRefused) else log.warning
            level("connection.failed", tenant=work.tenant, connection=connection, code=problem.code)

    def _due_now(self, work: Work, connection: str) -> None:
        """What waits for a connection that answers again goes out at once."""
        now = work.clock.now()
        work.connection.execute(
            t.actions.update()
            .where(t.actions.c.tenant == work.tenant, t.actions.c.connection == connection, t.actions.c.state == "waiting")
            .where(t.actions.c.due_at > now)
            .values(due_at=now)
        )
        work.ring("actions")
