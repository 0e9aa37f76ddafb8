"""Looks for faults in wiring and packaging: what would otherwise be found out at night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import metadata

import msgspec
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from hub.bus.kombu import KombuBus
from hub.core.errors import Problem, Unavailable
from hub.crypto import Seal
from hub.registry import find_connectors
from hub.settings import Settings
from hub.store import tables as t
from hub.store.migrate import configuration, version
from hub.store.sql import Store

OURS = ("hub", "connectors", "mappings", "reconciliation", "webhooks")
DISTRIBUTION = "shuniu"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    ok: bool
    says: str


def diagnose(settings: Settings) -> Iterator[Finding]:
    """Look at everything that can be looked at without starting the hub."""
    yield from strangers()
    yield _look("connectors", lambda: f"{len(find_connectors())} connectors found: {', '.join(sorted(find_connectors()))}")
    yield _look("key", lambda: _seals(settings))
    store = Store(settings.database_url)
    try:
        yield _look("database", lambda: _database(store))
        yield _look("bus", lambda: _bus(settings))
        yield from _connections(store)
    finally:
        store.close()


def strangers() -> Iterator[Finding]:
    """Another distribution that owns one of our top-level names would be imported instead of us."""
    owners = metadata.packages_distributions()
    for name in OURS:
        others = sorted(set(owners.get(name, [])) - {DISTRIBUTION})
        if others:
            yield Finding(
                ok=False,
                says=f"the package {name} also belongs to {', '.join(others)}: install Shuniu into an environment of its own",
            )


def _look(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(ok=True, says=look())
    except Problem as problem:
        return Finding(ok=False, says=f"{what}: {problem}")
    except Exception as error:  # whatever it is, the person who asked wants to read it here
        return Finding(ok=False, says=f"{what}: {type(error).__name__}")


def _seals(settings: Settings) -> str:
    seal = Seal(settings.secret_key.get_secret_value())
    seal.open(seal.seal("x", bound_to="doctor"), bound_to="doctor")
    return "secrets can be sealed and opened"


def _database(store: Store) -> str:
    with store.read_transaction() as connection:
        have = version(connection)
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    state = "up to date" if have == head else f"at {have}, the program is at {head}: run shuniu migrate"
    return f"the database answers ({store.engine.dialect.name}), {state}"


def _bus(settings: Settings) -> str:
    if not settings.bus_url:
        return "the embedded bus needs nothing"
    bus = KombuBus(settings.bus_url, prefix="doctor.", confirm_within=3.0)
    try:
        bus.subscribe("doctor", "doctor.none", lambda envelopes: [])
        bus.remove()
    finally:
        bus.close()
    return "RabbitMQ answers and lets us make queues"


def _connections(store: Store) -> Iterator[Finding]:
    try:
        with store.read_transaction() as connection:
            c = t.connections.c
            for row in connection.execute(sa.select(c.id, c.state, c.state_reason, c.paused).order_by(c.id)):
                reason = f": {row.state_reason['happened']}" if row.state_reason else ""
                yield Finding(
                    ok=row.state != "failing", says=f"connection {row.id} is {'paused' if row.paused else row.state}{reason}"
                )
    except (sa.exc.DBAPIError, Unavailable):
        return  # no tables yet, or nobody there: the look at the database has told it
