"""What the overview shows, read in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from hub import tracing
from hub.actions import READ_STOCK
from hub.bootstrap import Hub
from hub.core.event import Event
from hub.registry import Connection
from hub.store import ledger_tables as l
from hub.store import tables as t
from hub.store.work import Work

SHOWN = 20
_FACTS = 12
_LOOKED_AT = 500  # facts, to find the runs in
_ACTIONS = 8
_STATEMENTS = 3
# The lanes in the order of the page, each with the receipts' states and lanes that it means.
LANES = ("auto", "hand", "review", "open", "rejected", "new", "reversed")


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """Receipts of one currency that went the same way. `begins` and `width` are per mille of the bar."""

    name: str
    count: int
    amount: Decimal
    begins: int = 0
    width: int = 0


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """All receipts of one currency, by lane."""

    currency: str
    lanes: tuple[Lane, ...]
    count: int
    amount: Decimal


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement with its balances."""

    account: str
    file: str
    currency: str
    rows: int
    from_day: Any
    to_day: Any
    opening: Decimal | None
    credits: Decimal
    debits: Decimal
    closing: Decimal | None
    balanced: bool | None


class System(msgspec.Struct, frozen=True, kw_only=True):
    """One connection and how it is: `ok`, `new`, `failing` or `paused`."""

    id: str
    title: str
    connector: str
    state: str
    reason: Mapping[str, Any] | None
    last: datetime | None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one type that came one after the other: the last of them, and how many they are."""

    last: Event
    count: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page, without words or formats."""

    tenant: str
    now: datetime
    zone: ZoneInfo
    money: tuple[Money, ...]
    statements: tuple[Statement, ...]
    books: tuple[Mapping[str, Any], ...]
    systems: tuple[System, ...]
    action_counts: Mapping[str, int]
    actions: tuple[Mapping[str, Any], ...]
    parked: tuple[Mapping[str, Any], ...]
    parked_count: int
    unread: int
    facts: tuple[Run, ...]
    has_orders: bool

    def lane_count(self, name: str) -> int:
        return sum(lane.count for money in self.money for lane in money.lanes if lane.name == name)

    @property
    def stuck(self) -> int:
        """Actions that a person must look at."""
        return self.action_counts.get("failed", 0) + self.action_counts.get("unknown", 0)

    @property
    def unwell(self) -> int:
        return sum(one.state == "failing" for one in self.systems)

    @property
    def is_new(self) -> bool:
        """Nothing has happened here yet."""
        return not self.facts and not self.statements


def overview(hub: Hub, tenant: str, lang: str) -> Overview:
    """What there is to see now."""
    zone = ZoneInfo(hub.registry.zone(tenant))
    connections = hub.registry.connections(tenant)
    titles = {name: _title(found.manifest, lang) for name, found in hub.registry.connectors.items()}
    with hub.store.look(tenant) as work:
        now = work.clock.now()
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
        last = _last(work, [one.id for one in connections])
        systems = tuple(
            System(
                id=one.id,
                title=one.title,
                connector=titles.get(one.connector, one.connector),
                state=_state(one, last.get(one.id)),
                reason=one.state_reason,
                last=last.get(one.id),
            )
            for one in connections
        )
        counts = _action_counts(work)
        unread, held = _parked_counts(work)
        return Overview(
            tenant=_tenant_name(work),
            now=now,
            zone=zone,
            money=by_lane(tracing.lanes(work)),
            statements=_statements(work),
            books=tuple(_all_books(tracing.books(work, since=midnight), systems)),
            systems=tuple(sorted(systems, key=lambda one: (one.state != "failing", one.id))),
            action_counts=counts,
            actions=_actions(work),
            parked=tuple(tracing.parked(work, limit=SHOWN, kind=None)),
            parked_count=unread + held + counts.get("failed", 0) + counts.get("unknown", 0),
            unread=unread + held,
            facts=tuple(runs(tracing.latest(work, limit=_LOOKED_AT)))[:_FACTS],
            has_orders=work.connection.execute(sa.select(l.orders.c.id).where(l.orders.c.tenant == tenant).limit(1)).first()
            is not None,
        )


def by_lane(rows: Iterable[Mapping[str, Any]]) -> tuple[Money, ...]:
    """The receipts by currency and lane, with each lane's place on a bar of 1000. The currency with most receipts first."""
    found: dict[str, dict[str, tuple[int, Decimal]]] = {}
    for row in rows:
        lanes = found.setdefault(row["currency"], {})
        name = _lane(row["lane"], row["state"])
        count, amount = lanes.get(name, (0, Decimal(0)))
        lanes[name] = (count + row["count"], amount + row["amount"])
    told = []
    for currency, lanes in found.items():
        whole = sum((amount for _, amount in lanes.values()), Decimal(0))
        told.append(
            Money(
                currency=currency, lanes=tuple(_bars(lanes, whole)), count=sum(count for count, _ in lanes.values()), amount=whole
            )
        )
    return tuple(sorted(told, key=lambda money: (-money.count, money.currency)))


def runs(facts: Iterable[Event]) -> Iterable[Run]:
    """One line for each run of a type, so that three hundred proposals do not hide what came before them."""
    for _, same in groupby(facts, key=lambda fact: fact.type):
        found = list(same)
        yield Run(last=found[0], count=len(found))


def _bars(lanes: Mapping[str, tuple[int, Decimal]], whole: Decimal) -> Iterable[Lane]:
    before = Decimal(0)
    for name in LANES:
        if name in lanes:
            count, amount = lanes[name]
            begins, ends = (int(edge / whole * 1000) if whole else 0 for edge in (before, before + amount))
            yield Lane(name=name, count=count, amount=amount, begins=begins, width=max(ends - begins, 2 if amount else 0))
            before += amount


def _lane(lane: str, state: str) -> str:
    if state in ("rejected", "reversed", "new"):
        return state
    if state == "matched":
        return "auto" if lane == "auto" else "hand"
    return lane if lane in LANES else "review"


def _all_books(books: list[dict[str, Any]], systems: Iterable[System]) -> Iterable[dict[str, Any]]:
    """The books of today; a connection that was silent is left out, one that is no longer configured is not."""
    titles = {one.id: one.title for one in systems}
    for book in books:
        yield book | {"title": titles.get(book["connection"], book["connection"])}


def _state(one: Connection, last: datetime | None) -> str:
    if one.paused:
        return "paused"
    # What only receives is never asked for anything: that it brings something is how one knows that it is well.
    return "ok" if one.state == "new" and last is not None else one.state


def _title(manifest: Any, lang: str) -> str:
    return str((manifest.title_zh if lang == "zh" else "") or manifest.title)


def _tenant_name(work: Work) -> str:
    name: str | None = work.connection.execute(sa.select(t.tenants.c.name).where(t.tenants.c.tenant == work.tenant)).scalar()
    return name or work.tenant


def _last(work: Work, connections: Iterable[str]) -> dict[str, datetime]:
    """When each connection last brought something: one look into the index for each."""
    r = t.raws.c
    found = {}
    for id_ in connections:
        query = sa.select(r.received_at).where(r.tenant == work.tenant, r.connection == id_)
        at = work.connection.execute(query.order_by(r.received_at.desc()).limit(1)).scalar()
        if at is not None:
            found[id_] = at
    return found


def _statements(work: Work) -> tuple[Statement, ...]:
    """The latest statement of each account, as many as the page has room for."""
    s = l.statements
    query = sa.select(s).where(s.c.tenant == work.tenant).order_by(s.c.version.desc()).limit(50)
    latest: dict[tuple[str, str], Statement] = {}
    for row in work.connection.execute(query).mappings():
        plain = l.plain_row(row)
        names = ("file", "currency", "rows", "from_day", "to_day", "opening", "credits", "debits", "closing", "balanced")
        one = Statement(account=plain["account"] or "", **{name: plain[name] for name in names})
        latest.setdefault((one.account, one.currency), one)
    return tuple(latest.values())[:_STATEMENTS]


def _asked_for_good() -> Any:
    # A question that got no answer was useful only then.
    return sa.or_(t.actions.c.what != READ_STOCK, t.actions.c.state.not_in(("failed", "unknown")))


def _action_counts(work: Work) -> dict[str, int]:
    a = t.actions.c
    query = sa.select(a.state, sa.func.count()).where(a.tenant == work.tenant, _asked_for_good()).group_by(a.state)
    return {row[0]: row[1] for row in work.connection.execute(query)}


def _actions(work: Work) -> tuple[Mapping[str, Any], ...]:
    """What is not done, the worst first; then what was done last, if there is room."""
    a = t.actions.c
    columns = (a.id, a.connection, a.what, a.about, a.state, a.attempts, a.problem, a.asked_at)
    query = sa.select(*columns).where(a.tenant == work.tenant, _asked_for_good())
    worst_first = sa.case((a.state == "unknown", 0), (a.state == "failed", 1), else_=2)
    undone = query.where(a.state != "done").order_by(worst_first, a.place.desc()).limit(SHOWN)
    rows = [dict(row) for row in work.connection.execute(undone).mappings()]
    if len(rows) < _ACTIONS:
        done = query.where(a.state == "done").order_by(a.place.desc()).limit(_ACTIONS - len(rows))
        rows += [dict(row) for row in work.connection.execute(done).mappings()]
    return tuple(rows)


def _parked_counts(work: Work) -> tuple[int, int]:
    raws = sa.select(sa.func.count()).where(t.outcomes.c.tenant == work.tenant, t.outcomes.c.kind == "parked")
    held = sa.select(sa.func.count()).where(t.held.c.tenant == work.tenant, t.held.c.state == "parked")
    return int(work.connection.execute(raws).scalar_one()), int(work.connection.execute(held).scalar_one())
