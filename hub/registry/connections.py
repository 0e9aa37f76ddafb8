"""Configured connections, and a connection's connector ready to use."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from hub.core.clock import Clock
from hub.core.connector import Connector, Context
from hub.core.errors import Invalid, NotFound, Outdated
from hub.core.manifest import Manifest
from hub.crypto import Seal
from hub.egress import Egress
from hub.http import HttpClients
from hub.registry.checked import bound_to, check_complete, divided
from hub.registry.configured import Connection, Opened, connection_of
from hub.registry.finding import Found, find_connectors
from hub.registry.memory import Memory
from hub.store import tables as t
from hub.store.sql import Store


class Registry:
    """Connections of every tenant, and their connectors."""

    def __init__(
        self,
        store: Store,
        seal: Seal,
        *,
        clock: Clock,
        http: HttpClients,
        public_url: str,
        allow: tuple[str, ...] = (),
        main_tenant: str = "main",
    ) -> None:
        self.main_tenant = main_tenant
        self.connectors = find_connectors()
        self._store = store
        self._seal = seal
        self._clock = clock
        self._memory = Memory(store, seal, clock)
        self._http = http
        self._public_url = public_url.rstrip("/")
        self._allow = allow
        self._opened: dict[tuple[str, str], Opened] = {}
        self._zones: dict[str, str] = {}
        self._lock = threading.Lock()

    # --- reading --------------------------------------------------------------------------------------------------

    def connections(self, tenant: str | None = None) -> list[Connection]:
        """The connections of a tenant, or of all of them, by name."""
        query = sa.select(t.connections).order_by(t.connections.c.tenant, t.connections.c.id)
        if tenant is not None:
            query = query.where(t.connections.c.tenant == tenant)
        with self._store.read_transaction() as connection:
            return [connection_of(row) for row in connection.execute(query).mappings()]

    def connection(self, tenant: str, id_: str) -> Connection:
        """One connection; raises `NotFound`."""
        return connection_of(self._row(tenant, id_))

    def open(self, tenant: str, id_: str) -> Opened:
        """The connection with its connector. Built once for each version of the connection."""
        row = self._row(tenant, id_)
        with self._lock:
            opened = self._opened.get((tenant, id_))
            if opened is None or opened.connection.version != row["version"]:
                opened = self._build(row)
                self._opened[tenant, id_] = opened
            elif opened.connection != (now := connection_of(row)):
                opened = msgspec.structs.replace(opened, connection=now)
                self._opened[tenant, id_] = opened
        return opened

    def context(self, tenant: str, id_: str) -> Context:
        """What the connection's connector is given, secrets opened; raises `NotFound`."""
        row = self._row(tenant, id_)
        connection = connection_of(row)
        return self._context(row, connection, self.found(connection.connector).manifest)

    def egress(self, connection: Connection) -> Egress:
        """Which addresses the connection may call beyond the public internet."""
        return Egress(allow=tuple(dict.fromkeys((*self._allow, *connection.allow))))

    def found(self, connector: str) -> Found:
        """The connector of this name; raises `NotFound`."""
        try:
            return self.connectors[connector]
        except KeyError:
            raise NotFound(
                happened="there is no such connector",
                next="choose one of " + ", ".join(sorted(self.connectors)),
                connector=connector,
            ) from None

    def hook_url(self, tenant: str, id_: str) -> str:
        """The public address that a vendor posts to."""
        where = id_ if tenant == self.main_tenant else f"{tenant}/{id_}"
        return f"{self._public_url}/hooks/{where}"

    def zone(self, tenant: str) -> str:
        """The tenant's time zone."""
        if tenant not in self._zones:
            self._zones[tenant] = self._store.tenant_zone(tenant)
        return self._zones[tenant]

    def of_kind(self, tenant: str, kind: str) -> Connection | None:
        """The tenant's first connection of a kind (`crm`, `chat`, …), by name."""
        return next((one for one in self.connections(tenant) if one.connector.partition("_")[0] == kind and not one.paused), None)

    # --- changing -------------------------------------------------------------------------------------------------

    def save(
        self,
        tenant: str,
        id_: str,
        *,
        connector: str,
        settings: Mapping[str, Any],
        title: str = "",
        allow: tuple[str, ...] = (),
        field_map: str | None = None,
        if_version: int | None = None,
    ) -> Connection:
        """Make or change a connection. Secret settings that are left out keep their value, unless the host changed."""
        manifest = self.found(connector).manifest
        old = self._row_or_none(tenant, id_)
        if if_version is not None and (old is None or old["version"] != if_version):
            raise Outdated(
                happened="the connection was changed in the meantime", next="read it again and repeat the change", connection=id_
            )
        plain, secret = divided(manifest, settings, connection=id_)
        sealed = self._sealed(tenant, id_, manifest, plain, secret, old)
        check_complete(manifest, plain, sealed, connection=id_)
        values = {
            "connector": connector,
            "title": title or (old["title"] if old else manifest.title),
            "settings": plain,
            "sealed": sealed,
            "allow": list(allow) or (old["allow"] if old else []),
            "field_map": field_map or (old["field_map"] if old else None),
            "state": old["state"] if old else "new",
            "version": (old["version"] if old else 0) + 1,
            "changed_at": self._clock.now(),
        }
        with self._store.write_transaction() as connection:
            if old is None:
                connection.execute(t.connections.insert().values(tenant=tenant, id=id_, paused=False, **values))
            else:
                connection.execute(_one(t.connections.update(), tenant, id_).values(**values))
            self._store.bells.ring_on_commit(connection, "connections")
        return self.connection(tenant, id_)

    def pause(self, tenant: str, id_: str, *, paused: bool) -> Connection:
        """Stop or resume pulling from and writing to it. Deliveries are kept all the same."""
        self.connection(tenant, id_)
        with self._store.write_transaction() as connection:
            connection.execute(_one(t.connections.update(), tenant, id_).values(paused=paused))
            self._store.bells.ring_on_commit(connection, "connections")
            self._store.bells.ring_on_commit(connection, "actions")
        return self.connection(tenant, id_)

    def add_secret(self, tenant: str, id_: str, setting: str, value: str) -> None:
        """Set a new value beside the old one, for a rotation with overlap; the new one is used for signing."""
        row = self._row(tenant, id_)
        where = bound_to(self.found(row["connector"]).manifest, tenant, id_, row["settings"])
        sealed = dict(row["sealed"])
        sealed[setting] = [self._seal.seal(value, bound_to=where), *sealed.get(setting, [])][:2]
        with self._store.write_transaction() as connection:
            changed = {"sealed": sealed, "version": row["version"] + 1, "changed_at": self._clock.now()}
            connection.execute(_one(t.connections.update(), tenant, id_).values(**changed))

    def rotate_seals(self) -> int:
        """Seal every secret again with the newest key; returns how many."""
        count = 0
        for one in self.connections():
            row = self._row(one.tenant, one.id)
            where = bound_to(self.found(row["connector"]).manifest, one.tenant, one.id, row["settings"])
            sealed = {
                name: [self._seal.rotate(value, bound_to=where) for value in values] for name, values in row["sealed"].items()
            }
            with self._store.write_transaction() as connection:
                connection.execute(_one(t.connections.update(), one.tenant, one.id).values(sealed=sealed))
            count += sum(len(values) for values in sealed.values())
        return count

    # --- inside ---------------------------------------------------------------------------------------------------

    def _row_or_none(self, tenant: str, id_: str) -> dict[str, Any] | None:
        with self._store.read_transaction() as connection:
            row = connection.execute(_one(sa.select(t.connections), tenant, id_)).mappings().first()
        return None if row is None else dict(row)

    def _row(self, tenant: str, id_: str) -> dict[str, Any]:
        row = self._row_or_none(tenant, id_)
        if row is None:
            raise NotFound(happened="there is no such connection", next="list the connections, or create it", connection=id_)
        return row

    def _sealed(
        self,
        tenant: str,
        id_: str,
        manifest: Manifest,
        plain: Mapping[str, Any],
        secret: Mapping[str, list[str]],
        old: Mapping[str, Any] | None,
    ) -> dict[str, list[str]]:
        where = bound_to(manifest, tenant, id_, plain)
        kept: dict[str, list[str]] = {}
        if old is not None and old["connector"] == manifest.name:
            if bound_to(manifest, tenant, id_, old["settings"]) == where:
                kept = dict(old["sealed"])
            elif set(old["sealed"]) - set(secret):
                raise Invalid(
                    happened="the host changed, and a secret is bound to the host it was entered for",
                    next="enter these again: " + ", ".join(sorted(set(old["sealed"]) - set(secret))),
                    connection=id_,
                )
        return kept | {name: [self._seal.seal(value, bound_to=where) for value in values] for name, values in secret.items()}

    def _build(self, row: Mapping[str, Any]) -> Opened:
        connection = connection_of(row)
        found = self.found(connection.connector)
        module, _, name = found.manifest.entry.partition(":")
        made: Callable[[Context], Connector] = getattr(importlib.import_module(f"{found.package}.{module}"), name)
        return Opened(
            connection=connection, manifest=found.manifest, connector=made(self._context(row, connection, found.manifest))
        )

    def _context(self, row: Mapping[str, Any], connection: Connection, manifest: Manifest) -> Context:
        tenant, id_ = connection.tenant, connection.id
        where = bound_to(manifest, tenant, id_, row["settings"])
        opened: dict[str, Any] = {}
        for name, values in row["sealed"].items():
            plain = [self._seal.open(value, bound_to=where) for value in values]
            opened[name] = plain[0]
            opened[f"{name}_all"] = plain  # every active value, the newest first, for a verifier
        defaults = {name: setting.default for name, setting in manifest.settings.items() if setting.default is not None}
        secrets = tuple(value for name in row["sealed"] for value in opened[f"{name}_all"])
        client = self._http.of(
            tenant,
            id_,
            egress=self.egress(connection),
            limits=manifest.limits,
            secrets=secrets,
        )
        return Context(
            tenant=tenant,
            connection=id_,
            settings=defaults | dict(row["settings"]) | opened,
            http=client,
            clock=self._clock,
            hook_url=self.hook_url(tenant, id_),
            zone=self.zone(tenant),
            recall=lambda name: self._memory.recall(tenant, id_, name, where),
            remember=lambda name, value, seconds: self._memory.remember(tenant, id_, name, value, seconds, where),
        )


def _one(statement: Any, tenant: str, id_: str) -> Any:
    return statement.where(t.connections.c.tenant == tenant, t.connections.c.id == id_)
