"""Where did this go? Reading a fact's way back and forth, what is parked, and whether the books agree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.actions import READ_STOCK
from hub.core.errors import Conflict, NotFound
from hub.core.event import Event
from hub.core.money import from_minor
from hub.ledger.record import row_event
from hub.store import ledger_tables as l
from hub.store import tables as t
from hub.store.sql import Store
from hub.store.work import Work
from hub.subscribers import Subscribers


def events(work: Work, *, type_: str | None, subject: str | None, after: int, limit: int) -> list[Event]:
    """Facts in the order they were recorded."""
    query = sa.select(t.events).where(t.events.c.tenant == work.tenant, t.events.c.seq > after)
    if type_ is not None:
        query = query.where(t.events.c.type == type_)
    if subject is not None:
        query = query.where(t.events.c.subject == subject)
    return [row_event(row) for row in work.connection.execute(query.order_by(t.events.c.seq).limit(limit)).mappings()]


def latest(work: Work, *, limit: int) -> list[Event]:
    """The facts recorded last, the newest first."""
    query = sa.select(t.events).where(t.events.c.tenant == work.tenant).order_by(t.events.c.seq.desc()).limit(limit)
    return [row_event(row) for row in work.connection.execute(query).mappings()]


def event(work: Work, id_: str) -> Event:
    """One fact; raises `NotFound`."""
    row = (
        work.connection.execute(sa.select(t.events).where(t.events.c.tenant == work.tenant, t.events.c.id == id_))
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound(happened="there is no such event", next="search by type or subject", event=id_)
    return row_event(row)


def raw(work: Work, id_: str) -> dict[str, Any]:
    """What arrived, with its outcome; raises `NotFound`."""
    row = work.connection.execute(sa.select(t.raws).where(t.raws.c.tenant == work.tenant, t.raws.c.id == id_)).mappings().first()
    if row is None:
        raise NotFound(happened="there is no such raw", next="look at the connection's last deliveries", raw=id_)
    return dict(row) | {"body": bytes(row["body"]), "outcome": _outcome(work, id_)}


def trace(work: Work, id_: str) -> dict[str, Any]:
    """A fact's whole way: the raw it began with, every fact of the same trace, who has handled them, and the actions."""
    fact = event(work, id_)
    told = t.events
    facts = [
        row_event(row)
        for row in work.connection.execute(
            sa.select(told).where(told.c.tenant == work.tenant, told.c.trace == fact.trace).order_by(told.c.seq).limit(1000)
        ).mappings()
    ]
    ids = [one.id for one in facts]
    return {
        "raw": _raw_head(work, fact.trace),
        "events": facts,
        "handled": _rows(work, t.seen, t.seen.c.event.in_(ids)),
        "held": _rows(work, t.held, t.held.c.event.in_(ids)),
        "actions": _rows(work, t.actions, t.actions.c.trace == fact.trace),
    }


def parked(work: Work, *, limit: int, kind: str | None) -> list[dict[str, Any]]:
    """What waits for a person: raws that cannot be read, events that cannot be handled, actions that failed or are unknown."""
    found: list[dict[str, Any]] = []
    if kind in (None, "raw"):
        query = sa.select(t.outcomes).where(t.outcomes.c.tenant == work.tenant, t.outcomes.c.kind == "parked")
        for row in work.connection.execute(query.order_by(t.outcomes.c.at.desc()).limit(limit)).mappings():
            told = {"connection": row["connection"], "rule": row["rule"], "reason": row["reason"], "at": row["at"]}
            found.append({"id": row["raw"], "kind": "raw"} | told)
    if kind in (None, "event"):
        query = sa.select(t.held).where(t.held.c.tenant == work.tenant, t.held.c.state == "parked")
        for row in work.connection.execute(query.order_by(t.held.c.at.desc()).limit(limit)).mappings():
            told = {"event": row["event"], "rule": row["subscriber"], "reason": row["reason"], "at": row["at"]}
            found.append({"id": f"held:{row['subscriber']}:{row['seq']}", "kind": "event"} | told)
    if kind in (None, "action"):
        # A question that got no answer was useful only then: nobody need look at it.
        waits = (t.actions.c.state.in_(("failed", "unknown")), t.actions.c.what != READ_STOCK)
        query = sa.select(t.actions).where(t.actions.c.tenant == work.tenant, *waits)
        for row in work.connection.execute(query.order_by(t.actions.c.place.desc()).limit(limit)).mappings():
            told = {"connection": row["connection"], "rule": row["what"], "reason": row["problem"], "at": row["finished_at"]}
            found.append({"id": row["id"], "kind": "action"} | told)
    return found[:limit]


def replay(store: Store, subscribers: Subscribers, tenant: str, id_: str) -> dict[str, Any]:
    """Try one parked thing again; raises `NotFound` or `Conflict`."""
    if id_.startswith("held:"):
        _, _, rest = id_.partition(":")
        name, _, seq = rest.rpartition(":")
        if not (seq.isascii() and seq.isdigit()):
            raise NotFound(happened="there is no such parked event", next="list what is parked", id=id_)
        subscribers.release(tenant, name, int(seq))
        return {"id": id_, "state": "tried"}
    if id_.startswith("act_"):
        return _again(store, tenant, id_)
    with store.work(tenant) as work:
        outcome = _outcome(work, id_)
        if outcome is None or outcome["kind"] != "parked":
            raise NotFound(happened="nothing is parked under this id", next="list what is parked", id=id_)
        work.connection.execute(t.inbox.insert().values(tenant=tenant, raw=id_, again=True))
        work.ring("inbox")
    return {"id": id_, "state": "waiting"}


def replay_raws(store: Store, tenant: str, *, rule: str | None, connection: str | None) -> int:
    """Try all parked raws of a rule and a connection again; returns how many."""
    query = sa.select(t.outcomes.c.raw).where(t.outcomes.c.tenant == tenant, t.outcomes.c.kind == "parked")
    if rule is not None:
        query = query.where(t.outcomes.c.rule == rule)
    if connection is not None:
        query = query.where(t.outcomes.c.connection == connection)
    with store.work(tenant) as work:
        ids = list(work.connection.execute(query.order_by(t.outcomes.c.at)).scalars())
        if ids:
            work.connection.execute(t.inbox.insert(), [{"tenant": tenant, "raw": id_, "again": True} for id_ in ids])
            work.ring("inbox")
    return len(ids)


def quarantined(work: Work, *, connection: str | None, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """Deliveries that were refused: when, why, and their headers without secrets. The newest first, from `before` on."""
    q = t.quarantine
    query = sa.select(q.c.place, q.c.connection, q.c.reason, q.c.headers, q.c.received_at).where(q.c.tenant == work.tenant)
    if connection is not None:
        query = query.where(q.c.connection == connection)
    if before is not None:
        query = query.where(q.c.place < before)
    return [dict(row) for row in work.connection.execute(query.order_by(q.c.place.desc()).limit(limit)).mappings()]


def actions(work: Work, *, state: str | None, connection: str | None, after: int, limit: int) -> list[dict[str, Any]]:
    """What was asked of vendors, in the order it was asked."""
    query = sa.select(t.actions).where(t.actions.c.tenant == work.tenant, t.actions.c.place > after)
    if state is not None:
        query = query.where(t.actions.c.state == state)
    if connection is not None:
        query = query.where(t.actions.c.connection == connection)
    return [dict(row) for row in work.connection.execute(query.order_by(t.actions.c.place).limit(limit)).mappings()]


def books(work: Work, *, since: datetime | None = None) -> list[dict[str, Any]]:
    """For each connection, whether every raw ended as exactly one thing: `balanced` when nothing is unaccounted for.

    With `since` only what was received from then on. All of it is counted by one statement, so also a database that shows
    each statement the latest commit counts a raw and its outcome together.
    """
    r, o, d, i = t.raws, t.outcomes, t.duplicates, t.inbox
    came = sa.true() if since is None else r.c.received_at >= since
    came_again = sa.true() if since is None else d.c.received_at >= since
    ended = o if since is None else sa.join(o, r, sa.and_(r.c.tenant == o.c.tenant, r.c.id == o.c.raw))
    waits = sa.join(i, r, sa.and_(r.c.tenant == i.c.tenant, r.c.id == i.c.raw))

    def tally(connection: Any, name: Any, of: Any, *where: Any) -> Any:
        by = (connection, name) if isinstance(name, sa.Column) else (connection,)
        return sa.select(connection, name, sa.func.count()).select_from(of).where(*where).group_by(*by)

    parts = (
        tally(r.c.connection, sa.literal("raws"), r, r.c.tenant == work.tenant, came),
        tally(o.c.connection, o.c.kind, ended, o.c.tenant == work.tenant, came),
        tally(d.c.connection, sa.literal("duplicate"), d, d.c.tenant == work.tenant, came_again),
        tally(r.c.connection, sa.literal("waiting"), waits, i.c.tenant == work.tenant, i.c.again.is_(False), came),
    )
    received: dict[str, dict[str, int]] = {}
    for connection, what, count in work.connection.execute(sa.union_all(*parts)):
        received.setdefault(connection, {})[what] = count
    return [_book(connection, counts) for connection, counts in sorted(received.items())]


def _book(connection: str, counts: dict[str, int]) -> dict[str, Any]:
    parts = {name: counts.get(name, 0) for name in ("understood", "ignored", "duplicate", "parked", "waiting")}
    total = counts.get("raws", 0) + parts["duplicate"]
    return {"connection": connection, "received": total, **parts, "balanced": total == sum(parts.values())}


def files_progress(work: Work, files: Sequence[str]) -> dict[str, Any]:
    """What became of the rows that these files brought, and of their receipts by lane."""
    f, r = t.files.c, t.raws.c
    query = sa.select(f.connection, f.sha256, f.received_at).where(f.tenant == work.tenant, f.id.in_(files))
    # A row says in its headers which file brought it first. Only what came since the file did is looked through.
    brought = sa.or_(
        sa.false(),
        *(
            sa.and_(
                r.tenant == work.tenant,
                r.connection == file.connection,
                r.received_at >= file.received_at,
                sa.type_coerce(r.headers, sa.Text).contains(f'"sha256":"{file.sha256}"', autoescape=True),
            )
            for file in work.connection.execute(query)
        ),
    )
    ended = sa.and_(t.outcomes.c.tenant == r.tenant, t.outcomes.c.raw == r.id)
    kind = sa.func.coalesce(t.outcomes.c.kind, sa.literal_column("'waiting'"))
    rows = sa.select(kind, sa.func.count()).join_from(t.raws, t.outcomes, ended, isouter=True).where(brought).group_by(kind)
    counts = {row[0]: row[1] for row in work.connection.execute(rows)}
    ids = sa.select(t.events.c.subject).join_from(
        t.raws, t.events, sa.and_(t.events.c.tenant == r.tenant, t.events.c.trace == r.id, t.events.c.type == "receipt.received")
    )
    told = lanes(work, l.receipts.c.id.in_(ids.where(brought)))
    return {name: counts.get(name, 0) for name in ("understood", "ignored", "parked", "waiting")} | {"receipts": told}


def lanes(work: Work, *where: Any) -> list[dict[str, Any]]:
    """How many receipts are in which lane and state, and what they are worth."""
    r = l.receipts.c
    lane = sa.func.coalesce(r.lane, sa.literal_column("'new'"))
    columns = (
        lane.label("lane"),
        r.state,
        r.currency,
        sa.func.count().label("count"),
        sa.func.sum(r.amount_minor).label("minor"),
    )
    query = sa.select(*columns).where(r.tenant == work.tenant, *where).group_by(lane, r.state, r.currency)
    return [
        {
            "lane": row.lane,
            "state": row.state,
            "currency": row.currency,
            "count": row[3],
            "amount": from_minor(int(row.minor), row.currency),
        }
        for row in work.connection.execute(query.order_by(lane, r.state, r.currency))
    ]


def links(work: Work, kind: str, ours: str) -> list[dict[str, Any]]:
    """The records of other systems that are this thing of ours."""
    query = sa.select(l.links.c.connection, l.links.c.record).where(
        l.links.c.tenant == work.tenant, l.links.c.kind == kind, l.links.c.ours == ours
    )
    return [dict(row) for row in work.connection.execute(query.order_by(l.links.c.connection)).mappings()]


def _again(store: Store, tenant: str, id_: str) -> dict[str, Any]:
    with store.work(tenant) as work:
        where = (t.actions.c.tenant == tenant, t.actions.c.id == id_)
        row = work.connection.execute(sa.select(t.actions.c.state).where(*where)).first()
        if row is None:
            raise NotFound(happened="there is no such action", next="list what is parked", id=id_)
        if row.state not in ("failed", "unknown"):
            raise Conflict(happened=f"the action is {row.state}", next="there is nothing to repeat", id=id_)
        now = work.clock.now()
        work.connection.execute(
            t.actions.update().where(*where).values(state="waiting", attempts=0, due_at=now, finished_at=None)
        )
        work.ring("actions")
    return {"id": id_, "state": "waiting"}


def _outcome(work: Work, raw_id: str) -> dict[str, Any] | None:
    query = sa.select(t.outcomes).where(t.outcomes.c.tenant == work.tenant, t.outcomes.c.raw == raw_id)
    row = work.connection.execute(query).mappings().first()
    return None if row is None else dict(row)


def _raw_head(work: Work, id_: str) -> dict[str, Any] | None:
    r = t.raws.c
    query = sa.select(
        r.id, r.connection, r.stream, r.key, r.door, r.headers, r.received_at, sa.func.length(r.body).label("bytes")
    )
    row = work.connection.execute(query.where(r.tenant == work.tenant, r.id == id_)).mappings().first()
    return None if row is None else dict(row) | {"outcome": _outcome(work, id_)}


def _rows(work: Work, table: sa.Table, *where: Any) -> list[dict[str, Any]]:
    query = sa.select(table).where(table.c.tenant == work.tenant, *where).limit(1000)
    return [dict(row) for row in work.connection.execute(query).mappings()]
