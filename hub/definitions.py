"""What people define as text: field maps, flows and policies. Every save is a version; one of them is in force."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec
import sqlalchemy as sa

from hub.core.errors import NotFound
from hub.store import tables as t
from hub.store.sql import Store

Kind = Literal["map", "flow", "policy"]
T = TypeVar("T")


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a named text."""

    tenant: str
    kind: str
    name: str
    version: int
    text: str
    active: bool
    at: datetime
    by: str


class Definitions:
    """The texts of every tenant, and what they compile to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._compiled: dict[tuple[str, str, str, int], Any] = {}
        self._active: dict[tuple[str, str], tuple[tuple[int, int], list[Definition]]] = {}

    def save(self, tenant: str, kind: Kind, name: str, text: str, *, by: str) -> Definition:
        """Put a text in force, as a new version unless it is what is in force already."""
        now = self._store.clock.now()
        with self._store.write_transaction() as connection:
            rows = [_definition(row) for row in connection.execute(_named(tenant, kind, name)).mappings()]
            current = next((row for row in rows if row.active), None)
            if current is not None and current.text == text:
                return current
            version = max((row.version for row in rows), default=0) + 1
            connection.execute(_update(tenant, kind, name).values(active=False))
            connection.execute(
                t.definitions.insert().values(
                    tenant=tenant, kind=kind, name=name, version=version, text=text, active=True, at=now, by=by
                )
            )
            self._store.bells.ring_on_commit(connection, "definitions")
        return self.get(tenant, kind, name)

    def choose(self, tenant: str, kind: Kind, name: str, version: int) -> Definition:
        """Put another version in force: the way back."""
        self.get(tenant, kind, name, version)
        with self._store.write_transaction() as connection:
            connection.execute(_update(tenant, kind, name).values(active=t.definitions.c.version == version))
            self._store.bells.ring_on_commit(connection, "definitions")
        return self.get(tenant, kind, name)

    def get(self, tenant: str, kind: Kind, name: str, version: int | None = None) -> Definition:
        """The version in force, or the one named. Raises `NotFound`."""
        for one in self.versions(tenant, kind, name):
            if one.version == version or (version is None and one.active):
                return one
        raise NotFound(happened=f"there is no such {kind}", next="list them, or save it first", name=name, version=version)

    def versions(self, tenant: str, kind: Kind, name: str) -> list[Definition]:
        """All versions of one text, the newest first."""
        with self._store.read_transaction() as connection:
            return [_definition(row) for row in connection.execute(_named(tenant, kind, name)).mappings()]

    def active(self, tenant: str, kind: Kind) -> list[Definition]:
        """What is in force, by name. Read again when a bell tells of a change, and every other second to be safe."""
        rung = (self._store.bells.count("definitions"), int(time.monotonic() / 2))
        known = self._active.get((tenant, kind))
        if known is None or known[0] != rung:
            known = self._active[tenant, kind] = (rung, self._read_active(tenant, kind))
        return known[1]

    def _read_active(self, tenant: str, kind: Kind) -> list[Definition]:
        where = (t.definitions.c.tenant == tenant, t.definitions.c.kind == kind, t.definitions.c.active)
        query = sa.select(t.definitions).where(*where).order_by(t.definitions.c.name)
        with self._store.read_transaction() as connection:
            return [_definition(row) for row in connection.execute(query).mappings()]

    def compiled(self, one: Definition, compile_: Callable[[str, str], T]) -> T:
        """What the text compiles to, made once a version: `compile_(text, name)`."""
        key = (one.tenant, one.kind, one.name, one.version)
        if key not in self._compiled:
            self._compiled[key] = compile_(one.text, one.name)
        compiled: T = self._compiled[key]
        return compiled


def _named(tenant: str, kind: str, name: str) -> Any:
    where = (t.definitions.c.tenant == tenant, t.definitions.c.kind == kind, t.definitions.c.name == name)
    return sa.select(t.definitions).where(*where).order_by(t.definitions.c.version.desc())


def _update(tenant: str, kind: str, name: str) -> Any:
    return t.definitions.update().where(
        t.definitions.c.tenant == tenant, t.definitions.c.kind == kind, t.definitions.c.name == name
    )


def _definition(row: Any) -> Definition:
    return Definition(**{name: row[name] for name in Definition.__struct_fields__})
