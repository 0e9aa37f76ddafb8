"""Webhooks out: other systems' subscriptions to our events, delivered through the action queue as Standard Webhooks."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from hub.connections import SUBSCRIPTION
from hub.core.connector import Writes
from hub.core.errors import Invalid, NotFound, Problem
from hub.core.event import Event
from hub.core.ids import derive
from hub.core.outcome import DONE, Outcome
from hub.crypto import Seal
from hub.egress import Egress
from hub.http import HttpClients
from hub.ledger.record import events_of
from hub.store import tables as t
from hub.store.sql import Store
from hub.store.work import Ask, Work
from hub.subscribers import Subscriber
from webhooks.outgoing import (
    Deliverer,
    Gone,
    Standing,
    Subscription,
    check_subscription,
    message_for,
    next_attempt,
    standing_after,
    wanted,
)

NAME = "webhooks"
DELIVER = "webhook.deliver"


class Outgoing:
    """Subscriptions of every tenant."""

    def __init__(self, store: Store, seal: Seal, http: HttpClients, *, allow: tuple[str, ...]) -> None:
        self._store = store
        self._seal = seal
        self._http = http
        self._allow = allow

    def subscriber(self, shards: int = 1) -> Subscriber:
        return Subscriber(name=NAME, patterns=("#",), handle=self.handle, shards=shards)

    def handle(self, facts: Sequence[Event], work: Work) -> list[Outcome]:
        """Queue a delivery for every subscription that wants a fact."""
        s = t.subscriptions.c
        query = sa.select(s.id, s.types).where(s.tenant == work.tenant, s.state == "active")
        active = work.connection.execute(query).all()
        asks = [
            Ask(
                connection=SUBSCRIPTION + row.id,
                what=DELIVER,
                fields={"id": fact.id, "body": message_for(fact).decode()},
                once=fact.id,
                about=f"event:{fact.id}",
                cause=fact.id,
                trace=fact.trace,
            )
            for fact in facts
            for row in active
            if wanted(row.types, fact.type)
        ]
        work.ask(asks)
        return [DONE] * len(facts)

    def schedule(self, attempts: int, id_: str) -> float | None:
        """Seconds until the next attempt."""
        return next_attempt(attempts, id_)

    def deliverer(self, tenant: str, id_: str) -> Writes:
        """Who delivers to this subscription."""
        row = self._row(tenant, id_)
        if row["state"] != "active":
            raise Invalid(happened="the subscription is disabled", next="enable it again", subscription=id_)
        egress = Egress(allow=(*self._allow, *row["allow"]))
        subscription = Subscription(
            id=id_,
            url=row["url"],
            secrets=tuple(self._seal.open(value, bound_to=_bound_to(tenant, id_, row["url"])) for value in row["sealed"]),
            types=tuple(row["types"]),
        )
        client = self._http.of(tenant, SUBSCRIPTION + id_, egress=egress, secrets=subscription.secrets)
        return _Watched(self, tenant, id_, Deliverer(subscription, client, self._store.clock))

    # --- what people and programs ask -----------------------------------------------------------------------------

    def subscribe(self, tenant: str, *, url: str, types: Sequence[str], allow: Sequence[str] = ()) -> tuple[dict[str, Any], str]:
        """A new subscription and its secret, which is shown this once. Without TLS only to an address that is allowed by name."""
        check_subscription(url, plain_allowed=bool(allow or self._allow))
        now = self._store.clock.now()
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        id_ = derive("sub", tenant, url, now.isoformat())
        row = {
            "tenant": tenant,
            "id": id_,
            "url": url,
            "types": list(types),
            "allow": list(allow),
            "sealed": [self._seal.seal(secret, bound_to=_bound_to(tenant, id_, url))],
            "state": "active",
            "created_at": now,
        }
        with self._store.write_transaction() as connection:
            connection.execute(t.subscriptions.insert().values(**row))
        return _told(row), secret

    def subscriptions(self, tenant: str) -> list[dict[str, Any]]:
        """All of a tenant's, without their secrets."""
        query = sa.select(t.subscriptions).where(t.subscriptions.c.tenant == tenant).order_by(t.subscriptions.c.created_at)
        with self._store.read_transaction() as connection:
            return [_told(row) for row in connection.execute(query).mappings()]

    def rotate(self, tenant: str, id_: str) -> str:
        """A new secret beside the old one: deliveries are signed with both until the next rotation."""
        row = self._row(tenant, id_)
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        sealed = [self._seal.seal(secret, bound_to=_bound_to(tenant, id_, row["url"])), *row["sealed"]][:2]
        self._change(tenant, id_, sealed=sealed)
        return secret

    def enable(self, tenant: str, id_: str, *, enabled: bool) -> dict[str, Any]:
        """Switch it off, or on again."""
        self._row(tenant, id_)
        self._change(
            tenant, id_, state="active" if enabled else "disabled", reason=None if enabled else "by hand", failing_since=None
        )
        return _told(self._row(tenant, id_))

    def remove(self, tenant: str, id_: str) -> None:
        """End it. What is still queued for it fails."""
        self._row(tenant, id_)
        with self._store.write_transaction() as connection:
            connection.execute(_one(t.subscriptions.delete(), tenant, id_))

    def replay(self, tenant: str, id_: str, *, after: int, limit: int = 1000) -> int:
        """Deliver again what was recorded after an event number; the ids are the same, so the receiver can tell."""
        row = self._row(tenant, id_)
        with self._store.work(tenant) as work:
            now = work.clock.now().isoformat()
            asks = [
                Ask(
                    connection=SUBSCRIPTION + id_,
                    what=DELIVER,
                    fields={"id": fact.id, "body": message_for(fact).decode()},
                    once=f"{fact.id}|{now}",
                    about=f"event:{fact.id}",
                    cause=fact.id,
                    trace=fact.trace,
                )
                for fact in events_of(work, after=after, limit=limit)
                if wanted(row["types"], fact.type)
            ]
            work.ask(asks)
        return len(asks)

    # --- inside ---------------------------------------------------------------------------------------------------

    def went(self, tenant: str, id_: str, problem: Problem | None) -> None:
        """Remember since when it only fails; disable it where the receiver is gone or has failed for days."""
        row = self._row(tenant, id_)
        before = Standing(state=row["state"], reason=row["reason"], failing_since=row["failing_since"])
        outcome: Literal["done", "failed", "gone"] = (
            "done" if problem is None else "gone" if isinstance(problem, Gone) else "failed"
        )
        after = standing_after(before, outcome, self._store.clock.now())
        if after != before:
            self._change(tenant, id_, **msgspec.structs.asdict(after))

    def _row(self, tenant: str, id_: str) -> dict[str, Any]:
        with self._store.read_transaction() as connection:
            row = connection.execute(_one(sa.select(t.subscriptions), tenant, id_)).mappings().first()
        if row is None:
            raise NotFound(happened="there is no such subscription", next="list the subscriptions", subscription=id_)
        return dict(row)

    def _change(self, tenant: str, id_: str, **values: Any) -> None:
        with self._store.write_transaction() as connection:
            connection.execute(_one(t.subscriptions.update(), tenant, id_).values(**values))


class _Watched:
    """A deliverer whose results the subscription hears of."""

    def __init__(self, outgoing: Outgoing, tenant: str, id_: str, deliverer: Deliverer) -> None:
        self._outgoing, self._tenant, self._id, self._deliverer = outgoing, tenant, id_, deliverer

    def write(self, what: str, fields: Mapping[str, object], *, idempotency_key: str) -> str:
        try:
            told = self._deliverer.write(what, fields, idempotency_key=idempotency_key)
        except Problem as problem:
            self._outgoing.went(self._tenant, self._id, problem)
            raise
        self._outgoing.went(self._tenant, self._id, None)
        return told


def _one(statement: Any, tenant: str, id_: str) -> Any:
    return statement.where(t.subscriptions.c.tenant == tenant, t.subscriptions.c.id == id_)


def _bound_to(tenant: str, id_: str, url: str) -> str:
    return f"{tenant}/{SUBSCRIPTION}{id_}/{url}"


def _told(row: Any) -> dict[str, Any]:
    names = ("id", "url", "types", "state", "reason", "failing_since", "created_at")
    return {name: row.get(name) for name in names}
