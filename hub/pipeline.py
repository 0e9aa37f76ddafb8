"""Raw → normalise → map → event → ledger: what is in the inbox gets its outcome, in one commit a batch.

Understanding is pure and happens before the transaction. One pipeline is active per database, so facts are recorded in the
order their raws arrived.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from hub.core.errors import Problem
from hub.core.event import Event, Ignored, Raw
from hub.core.steps import reached
from hub.ledger.record import record
from hub.store import tables as t
from hub.store.among import among
from hub.store.bulk import insert_rows
from hub.store.outage import passes
from hub.store.sql import Store
from hub.store.work import Work

log = structlog.get_logger("pipeline")

Understand = Callable[[Raw], "Understood"]
"""What a raw means: its connector's normaliser and its connection's field map."""

_AT_ONCE = 250

# Made once: building a statement costs more than running it.
_WAITING = (
    sa.select(t.inbox.c.place, t.raws)
    .join(t.raws, sa.and_(t.raws.c.tenant == t.inbox.c.tenant, t.raws.c.id == t.inbox.c.raw))
    .where(t.inbox.c.tenant == sa.select(t.inbox.c.tenant).order_by(t.inbox.c.place).limit(1).scalar_subquery())
    .order_by(t.inbox.c.place)
    .limit(sa.bindparam("most"))
)
_TAKE = t.inbox.delete().where(among(t.inbox.c.place, "places")).returning(t.inbox.c.place)
_FORGET = t.outcomes.delete().where(t.outcomes.c.tenant == sa.bindparam("of"), among(t.outcomes.c.raw, "raws"))


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """The facts in a raw, the rule by which it holds none, or the reasons why it (or a part of it) could not be read."""

    events: tuple[Event, ...] = ()
    ignored: str | None = None
    problems: tuple[dict[str, Any], ...] = ()
    field_map: str | None = None

    @property
    def kind(self) -> Literal["understood", "ignored", "parked"]:
        if self.problems:
            return "parked"
        return "understood" if self.events else "ignored"


class _Item(msgspec.Struct, frozen=True, kw_only=True):
    place: int
    raw: Raw
    understood: Understood


class Pipeline:
    """Takes raws from the inbox and records what they mean."""

    def __init__(self, store: Store, understand: Understand, *, renew: Callable[[], None] = lambda: None) -> None:
        """`renew` is called once what a batch holds is known: what is understood after it may rest on what was looked up since."""
        self._store = store
        self._understand = understand
        self._renew = renew

    def run_once(self, limit: int = _AT_ONCE) -> int:
        """Give up to `limit` raws of one tenant their outcome; returns how many. 0 means the inbox is empty."""
        waiting = self._waiting(limit)
        if not waiting:
            return 0
        self._renew()
        items = [_Item(place=place, raw=raw, understood=self._read(raw)) for place, raw in waiting]
        tenant = items[0].raw.tenant
        try:
            with self._store.work(tenant) as work:
                self._settle(work, items)
                reached("normalise.before_commit")
        except Exception as error:
            if passes(error):
                raise
            self._one_by_one(tenant, items)
        reached("normalise.committed")
        return len(items)

    def _waiting(self, limit: int) -> list[tuple[int, Raw]]:
        with self._store.read_transaction() as connection:
            return [(row["place"], raw_of(row)) for row in connection.execute(_WAITING, {"most": limit}).mappings()]

    def _read(self, raw: Raw) -> Understood:
        try:
            return self._understand(raw)
        except Exception as error:  # a defect in a connector must not stop the raws behind it
            if passes(error):
                raise
            if isinstance(error, Problem):
                return Understood(problems=(error.as_dict(),))
            log.exception("normalise.defect", tenant=raw.tenant, connection=raw.connection, raw=raw.id)
            return Understood(problems=(_defect(error),))

    def _settle(self, work: Work, items: Sequence[_Item]) -> None:
        """Take the raws out of the inbox, record their facts and write their outcomes."""
        work.take_numbers(0)
        ours = set(work.connection.execute(_TAKE, {"places": [item.place for item in items]}).scalars())
        mine = [item for item in items if item.place in ours]
        record(work, [fact for item in mine for fact in item.understood.events])
        rows = {item.raw.id: _outcome(work, item) for item in mine}
        if rows:
            work.connection.execute(_FORGET, {"of": work.tenant, "raws": list(rows)})
            insert_rows(work.connection, t.outcomes, list(rows.values()))

    def _one_by_one(self, tenant: str, items: Sequence[_Item]) -> None:
        """Something in the batch cannot be recorded: find which raw it is, park it, and let the others go on."""
        for item in items:
            try:
                with self._store.work(tenant) as work:
                    self._settle(work, [item])
            except Exception as error:
                if passes(error):
                    raise
                self._park(tenant, item, _reason(item.raw, error))

    def _park(self, tenant: str, item: _Item, reason: dict[str, Any]) -> None:
        parked = msgspec.structs.replace(item, understood=Understood(problems=(reason,)))
        with self._store.work(tenant) as work:
            self._settle(work, [parked])


def raw_of(row: sa.RowMapping) -> Raw:
    """The raw a row holds."""
    return Raw(
        tenant=row["tenant"],
        id=row["id"],
        connection=row["connection"],
        stream=row["stream"],
        key=row["key"],
        digest=row["digest"],
        door=row["door"],
        headers=row["headers"],
        body=bytes(row["body"]),
        received_at=row["received_at"],
    )


def collect(found: Iterable[Event | Ignored | Problem], *, field_map: str | None = None) -> Understood:
    """Sort what a normaliser or a map yields. What it could read counts, whatever it could not."""
    events: list[Event] = []
    problems: list[Problem] = []
    ignored = None
    iterator = iter(found)
    while True:
        try:
            one = next(iterator)
        except StopIteration:
            break
        except Problem as problem:
            problems.append(problem)
            continue  # a map goes on with the next record; a normaliser that broke off has ended
        if isinstance(one, Event):
            events.append(one)
        elif isinstance(one, Ignored):
            ignored = ignored or one.rule
        else:
            problems.append(one)
    return Understood(
        events=tuple(events),
        ignored=ignored or "nothing in it concerns us",
        problems=tuple(problem.as_dict() for problem in problems),
        field_map=field_map,
    )


def _outcome(work: Work, item: _Item) -> dict[str, Any]:
    understood = item.understood
    reason = understood.problems[0] if understood.problems else None
    rule = understood.ignored if understood.kind == "ignored" else None
    if reason is not None:
        rule = str(reason.get("about", {}).get("rule") or reason["code"])
        reason = reason | {"count": len(understood.problems)}
    return {
        "tenant": work.tenant,
        "raw": item.raw.id,
        "connection": item.raw.connection,
        "kind": understood.kind,
        "rule": rule,
        "reason": reason,
        "events": len(understood.events),
        "field_map": understood.field_map,
        "at": work.clock.now(),
    }


def _reason(raw: Raw, error: Exception) -> dict[str, Any]:
    """Why its facts cannot be recorded."""
    if isinstance(error, Problem):
        return error.as_dict()
    if isinstance(error, DBAPIError):
        return _refused_by_database(error)
    log.error("record.defect", tenant=raw.tenant, connection=raw.connection, raw=raw.id, exc_info=error)
    return _defect(error)


def _defect(error: Exception) -> dict[str, Any]:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return {
        "code": "defect",
        "happened": f"the connector stumbled: {type(error).__name__}",
        "next": "tell the connector's owner; replay it once it is mended",
        "about": {"rule": f"{frame.name}:{frame.lineno}"},
    }


def _refused_by_database(error: DBAPIError) -> dict[str, Any]:
    return {
        "code": "refused-by-ledger",
        "happened": f"the ledger refuses what this would record: {str(error.orig).splitlines()[0][:200]}",
        "next": "look at the amounts; replay it once they are right",
        "about": {"rule": "ledger"},
    }
