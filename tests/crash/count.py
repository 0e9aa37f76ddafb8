"""After the last life: what was promised, what is there, and the difference."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import msgspec
import sqlalchemy as sa
from life import Place, effects
from vendor import ONCE_ONLY, REPEATABLE

from hub.store import bus_tables as b
from hub.store import tables as t
from hub.store.sql import Store


class Tally(msgspec.Struct, kw_only=True):
    """What is wrong, in words; empty lists are what is wanted."""

    deliveries: int = 0
    calls: int = 0
    unknown: int = 0
    lost: list[str] = []
    doubled: list[str] = []
    stuck: list[str] = []
    disordered: list[str] = []

    @property
    def whole(self) -> bool:
        return not (self.lost or self.doubled or self.stuck or self.disordered)


def tally(place: Place, answered_log: Path, vendor_log: Path) -> Tally:
    """Compare the senders' log, the database and the vendor's log."""
    found = Tally()
    answered = answered_log.read_text().split() if answered_log.exists() else []
    calls = [line.split() for line in vendor_log.read_text().splitlines()] if vendor_log.exists() else []
    found.deliveries, found.calls = len(set(answered)), len(calls)
    store = Store(place.database_url)
    with store.read_transaction() as connection:
        _deliveries(connection, set(answered), found)
        _effects(connection, found)
        _actions(connection, calls, found)
        _leftovers(connection, found)
    store.close()
    return found


def _deliveries(connection: sa.Connection, answered: set[str], found: Tally) -> None:
    raws = connection.execute(sa.select(t.raws.c.key, t.raws.c.id, t.raws.c.conflict)).all()
    by_key = Counter(row.key for row in raws)
    found.lost += [f"{key}: answered, and not kept" for key in answered if key not in by_key]
    found.doubled += [f"{key}: {count} raws" for key, count in by_key.items() if count > 1]
    outcomes = Counter(connection.execute(sa.select(t.outcomes.c.raw)).scalars())
    events = Counter(connection.execute(sa.select(t.events.c.cause).where(t.events.c.type == "order.changed")).scalars())
    parked = sa.select(sa.func.count()).select_from(t.outcomes).where(t.outcomes.c.kind != "understood")
    if connection.execute(parked).scalar_one():
        found.lost.append("some raws are not understood")
    for row in raws:
        for what, there in (("outcome", outcomes[row.id]), ("event", events[row.id])):
            if there == 0:
                found.lost.append(f"{row.key}: no {what}")
            elif there > 1:
                found.doubled.append(f"{row.key}: {there} {what}s")


def _effects(connection: sa.Connection, found: Tally) -> None:
    events = connection.execute(sa.select(t.events.c.id).where(t.events.c.type == "order.changed")).scalars().all()
    rows = connection.execute(sa.select(effects).order_by(effects.c.place)).all()
    count = Counter(row.event for row in rows)
    found.lost += [f"{id_}: no effect" for id_ in events if count[id_] == 0]
    found.doubled += [f"{id_}: {times} effects" for id_, times in count.items() if times > 1]
    last: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.seq < last[row.key]:
            found.disordered.append(f"{row.key}: {row.seq} after {last[row.key]}")
        last[row.key] = row.seq


def _actions(connection: sa.Connection, calls: list[list[str]], found: Tally) -> None:
    actions = connection.execute(sa.select(t.actions).order_by(t.actions.c.place)).mappings().all()
    events = connection.execute(sa.select(t.events.c.id).where(t.events.c.type == "order.changed")).scalars().all()
    causes = Counter(row["cause"] for row in actions)
    found.lost += [f"{id_}: no action" for id_ in events if causes[id_] == 0]
    found.doubled += [f"{id_}: {times} actions" for id_, times in causes.items() if times > 1]
    told = Counter(connection.execute(sa.select(t.events.c.subject).where(t.events.c.type.like("action.%"))).scalars())
    done_there = Counter(key for key, *_ in calls)
    for row in actions:
        _action(row, done_there[row["id"]], told[row["id"]], found)
    _in_order(actions, calls, found)


def _action(row: sa.RowMapping, times: int, told: int, found: Tally) -> None:
    name = f"{row['what']} {row['id']}"
    if row["state"] not in ("done", "unknown"):
        found.stuck.append(f"{name}: {row['state']} {row['problem']}")
        return
    if told != 1:
        (found.doubled if told else found.lost).append(f"{name}: told {told} times")
    if row["what"] == REPEATABLE and row["state"] != "done":
        found.stuck.append(f"{name}: {row['state']}")
    if row["what"] == ONCE_ONLY:
        if times > 1:
            found.doubled.append(f"{name}: carried out {times} times")
        found.unknown += row["state"] == "unknown"
    if row["state"] == "done" and times == 0:
        found.lost.append(f"{name}: done, and never carried out")


def _in_order(actions: object, calls: list[list[str]], found: Tally) -> None:
    """What is about one thing reached the vendor in the order in which it was asked."""
    place = {row["id"]: row["place"] for row in actions}  # type: ignore[attr-defined]
    last: dict[str, int] = defaultdict(int)
    seen: set[str] = set()
    for key, _, about in calls:
        if key not in seen and place[key] < last[about]:
            found.disordered.append(f"{about}: action {key} too late")
        seen.add(key)
        last[about] = max(last[about], place[key])


def _leftovers(connection: sa.Connection, found: Tally) -> None:
    for table in (t.inbox, t.outbox, t.held, b.bus_messages):
        count = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        if count:
            found.stuck.append(f"{count} rows in {table.name}")
