"""The one place where the program is put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

import structlog

from hub.actions import Actions
from hub.bus.kombu import KombuBus
from hub.connections import Connections
from hub.core.clock import EPOCH, Clock, SystemClock
from hub.crypto import Seal
from hub.definitions import Definitions
from hub.files import Files, RemoteFolders, WatchedFolder
from hub.http import HttpClients
from hub.intake import Intake
from hub.metrics import Metrics
from hub.parts import orders
from hub.parts.decisions import Decisions
from hub.parts.flows import Flows
from hub.parts.hooks import Hooks
from hub.parts.inventory import Inventory
from hub.parts.learning import Learning
from hub.parts.maps import Maps
from hub.parts.outgoing import Outgoing
from hub.parts.payments import Payments
from hub.parts.texts import Policies
from hub.pipeline import Pipeline
from hub.poller import Poller
from hub.registry import Registry
from hub.relay import Relay
from hub.settings import Settings
from hub.store.migrate import migrate
from hub.store.sole import Sole
from hub.store.sql import Store
from hub.store.tidy import tidy
from hub.subscribers import Subscriber, Subscribers
from hub.worker import Loop, Worker
from reconciliation.inventory import PromisePolicy
from reconciliation.payments import Policy
from webhooks.receiving.limits import Limits

log = structlog.get_logger("hub")

Role = Literal["all", "api", "worker", "poller"]


class Hub:
    """The program: everything constructed, nothing started."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.metrics = Metrics()
        self.store = Store(settings.database_url, clock=self.clock)
        self.metrics.watch(self.store)
        self.http = HttpClients(clock=self.clock, observe=self.metrics.call)
        self.seal = Seal(settings.secret_key.get_secret_value())
        self.registry = Registry(
            self.store,
            self.seal,
            clock=self.clock,
            http=self.http,
            public_url=settings.public_url,
            allow=settings.egress_allow,
            main_tenant=settings.tenant,
        )
        self.definitions = Definitions(self.store)
        self.bus = KombuBus(
            settings.bus_url or "embedded://", prefix=settings.bus_prefix, store=None if settings.bus_url else self.store
        )
        self._worker: Worker | None = None
        self._tidied = EPOCH
        self._put_up_the_path()
        self._put_up_the_parts(settings)

    def _put_up_the_path(self) -> None:
        """From what arrives to what is told, and from what is asked to the vendor."""
        self.maps = Maps(self.definitions)
        self.connections = Connections(self.registry)
        self.connections.field_map = self.maps.of
        self.intake = Intake(self.store)
        self.files = Files(self.store, self.registry)
        self.remote_folders = RemoteFolders(self.store, self.registry, self.files, went=self.connections.went)
        self.watched = self._watched()
        self.actions = Actions(self.store, self.connections)
        self.poller = Poller(self.store, self.registry, went=self.connections.went)
        self.pipeline = Pipeline(self.store, self.connections.understand, renew=self.connections.renew)
        self.relay = Relay(self.store, self.bus)

    def _put_up_the_parts(self, settings: Settings) -> None:
        """What acts on events."""
        limit = Decimal(settings.auto_limit) if settings.auto_limit else None
        max_age = timedelta(seconds=settings.stale_after)
        self.policies = Policies(self.definitions, payments=Policy(limit=limit), inventory=PromisePolicy(max_age=max_age))
        self.inventory = Inventory(self.registry, self.policies.inventory)
        self.payments = Payments(self.policies.payments, self.policies.calibration)
        self.learning = Learning(self.store, self.definitions, self.policies)
        self.decisions = Decisions(self.policies.payments)
        self.flows = Flows(self.definitions, self.registry)
        self.outgoing = Outgoing(self.store, self.seal, self.http, allow=settings.egress_allow)
        self.connections.subscription = self.outgoing.deliverer
        self.connections.subscription_schedule = self.outgoing.schedule
        self.hooks = Hooks(self.store, self.registry, Limits(body_bytes=settings.max_body, per_second=settings.hook_rate))
        self.subscribers = Subscribers(self.store, self.bus, self._subscribers())

    def prepare(self) -> None:
        """Bring the database up to date and make the tenant."""
        migrate(self.store)
        self.store.add_tenant(self.settings.tenant, name=self.settings.tenant_name, zone=self.settings.zone)

    def start(self, role: Role = "all") -> None:
        """Start the threads of a role. The HTTP server is started by whoever serves `hub.api`."""
        loops: list[Loop] = []
        bus = None
        if role in ("all", "api"):
            self.intake.start()
            self.hooks.start()
        if role in ("all", "worker"):
            self.subscribers.attach()
            self.actions.recover(all_started=self.store.embedded)
            loops += self._working()
            bus = self.bus
        if role in ("all", "poller"):
            loops += self._polling()
        self._worker = Worker(loops, bus=bus)
        self._worker.start()
        log.info("hub.started", role=role, database=self.store.engine.dialect.name)

    def stop(self) -> bool:
        """Finish what is in hand and stop; true if all of it ended in time."""
        self.hooks.stop()
        self.intake.stop()
        self.subscribers.stop()
        ended = self._worker.stop() if self._worker is not None else True
        self.bus.close()
        self.http.close()
        self.store.close()
        return ended

    # --- inside ---------------------------------------------------------------------------------------------------

    def _subscribers(self) -> list[Subscriber]:
        shards = self.settings.shards
        return [
            orders.subscriber(shards),
            self.payments.subscriber(),
            self.inventory.subscriber(shards),
            self.flows.subscriber(shards),
            self.outgoing.subscriber(shards),
        ]

    def _working(self) -> list[Loop]:
        store = self.store
        loops = [
            Loop(store, "files", self.files.run_once, bell="files", sole=Sole(store, "files")),
            Loop(store, "pipeline", self.pipeline.run_once, bell="inbox", sole=Sole(store, "pipeline")),
            Loop(store, "relay", self.relay.run_once, bell="outbox", sole=Sole(store, "relay")),
            Loop(store, "held", self.subscribers.run_due, bell="held", rest=0.25, sole=Sole(store, "held")),
            Loop(store, "tidy", self._tidy, bell="tidy", rest=5.0, sole=Sole(store, "tidy")),
        ]
        for number in range(self.settings.action_threads):
            loops.append(Loop(store, f"actions-{number}", self.actions.run_once, bell="actions", rest=0.25))
        return loops

    def _watched(self) -> WatchedFolder | None:
        settings = self.settings
        if not settings.watch_folder:
            return None
        folder = Path(settings.watch_folder).expanduser()
        return WatchedFolder(self.store, self.files, folder, tenant=settings.tenant, every=settings.watch_every)

    def _polling(self) -> list[Loop]:
        # A bank's server that is slow to hand out a file keeps nobody else waiting.
        steps = {"poller": self.poller.run_once, "sftp": self.remote_folders.run_once}
        if self.watched is not None:
            steps["folder"] = self.watched.run_once
        return [
            Loop(self.store, name, _at_rest_after(step), bell="poll", rest=0.5, sole=Sole(self.store, name))
            for name, step in steps.items()
        ]

    def _tidy(self) -> bool:
        if self.clock.now() >= self._tidied + timedelta(days=1):
            self._tidied = self.clock.now()
            if gone := tidy(self.store):
                log.info("store.tidied", rows=gone)
            if self.learning.learn(self.settings.tenant):
                log.info("calibration.promoted", tenant=self.settings.tenant)
        self.actions.recover()
        with self.store.work(self.settings.tenant) as work:
            self.inventory.release_expired(work)
        return False


def _at_rest_after(step: Callable[[], int]) -> Callable[[], bool]:
    """A step whose loop rests whatever it did: what is due next is due later."""

    def rests() -> bool:
        step()
        return False

    return rests
