"""The hooks the door may ask for, looked up without waiting: kept in memory, made anew when a connection changes."""

from __future__ import annotations

import threading

import structlog

from hub.core.connector import Receives
from hub.core.errors import Problem
from hub.registry import Registry
from hub.store.sql import Store
from webhooks.receiving.hook import Hook
from webhooks.receiving.limits import Limits

log = structlog.get_logger("hooks")

_REST = 2.0  # seconds after which a change in another process is seen at the latest


class Hooks:
    """Every connection that receives, by `connection` (of the main tenant) and `tenant/connection`."""

    def __init__(self, store: Store, registry: Registry, limits: Limits) -> None:
        self._store = store
        self._registry = registry
        self._limits = limits
        self._hooks: dict[str, Hook] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def find(self, name: str) -> Hook | None:
        """The hook of this address."""
        return self._hooks.get(name)

    def start(self) -> None:
        self.refresh()
        self._thread = threading.Thread(target=self._watch, name="hooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._store.bells.ring("connections")
        if self._thread is not None:
            self._thread.join(timeout=5)

    def refresh(self) -> None:
        """Read the connections again."""
        hooks: dict[str, Hook] = {}
        for one in self._registry.connections():
            try:
                opened = self._registry.open(one.tenant, one.id)
            except Problem as problem:
                log.warning("hook.unusable", tenant=one.tenant, connection=one.id, code=problem.code)
                continue
            if not isinstance(opened.connector, Receives):
                continue
            hook = Hook(
                tenant=one.tenant,
                connection=one.id,
                url=self._registry.hook_url(one.tenant, one.id),
                receive=opened.connector.receive,
                limits=self._limits,
            )
            hooks[f"{one.tenant}/{one.id}"] = hook
            hooks.setdefault(one.id, hook)
            if one.tenant == self._registry.main_tenant:
                hooks[one.id] = hook
        self._hooks = hooks

    def _watch(self) -> None:
        while not self._stopping.is_set():
            since = self._store.bells.count("connections")
            self._store.bells.wait("connections", since, _REST)
            try:
                self.refresh()
            except Exception as error:  # the database is away: the hooks known so far stay
                log.warning("hooks.kept", why=type(error).__name__)
