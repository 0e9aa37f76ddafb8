"""The door: an ASGI endpoint that verifies a delivery, has it stored durably, and only then answers.

It is the hot path of the hub, so it speaks ASGI itself: no request object, no thread, no model validation. What it does
with a delivery is decided by three functions that it is given, so it can be tested and measured alone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from starlette.routing import Route

from hub.core.clock import Clock
from hub.core.errors import NoSecretSet, Problem, Refused, TooMany
from hub.core.event import Raw
from webhooks.receiving.answers import Answer, of_reply, problem, retry_after
from webhooks.receiving.hook import Hook
from webhooks.receiving.limits import Limits, TooSlow
from webhooks.receiving.patience import Patience
from webhooks.receiving.quarantine import KEPT_BYTES, Quarantined, masked, masked_query
from webhooks.receiving.rate import Bucket
from webhooks.receiving.visit import Gone, Receive, Scope, Visit

log = logging.getLogger("webhooks.door")

PREFIX = "/hooks/"
RETRY_AFTER = 5.0
NAME_LENGTH = 200
"""Longer than any connection's name, or tenant's and connection's with the slash between."""


class Stored(Protocol):
    """What became of a raw: `kind` is `new`, `duplicate` or `conflict`. All three are answered alike."""

    @property
    def kind(self) -> str: ...


def make_door(
    *,
    find: Callable[[str], Hook | None],
    submit: Callable[[list[Raw]], Awaitable[Sequence[Stored]]],
    quarantine: Callable[[Quarantined], None],
    clock: Clock,
    limits: Limits | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Door:
    """A door. `find` gets `connection` or `tenant/connection` as the address has it, and must not wait for anything.

    `submit` takes stamped raws and returns once they are committed. `limits` are for hooks that have none of their own.
    """
    return Door(find=find, submit=submit, quarantine=quarantine, clock=clock, limits=limits or Limits(), monotonic=monotonic)


class Door:
    """The endpoint. `counts` holds, by tenant, connection and outcome, how many requests ended that way."""

    def __init__(
        self,
        *,
        find: Callable[[str], Hook | None],
        submit: Callable[[list[Raw]], Awaitable[Sequence[Stored]]],
        quarantine: Callable[[Quarantined], None],
        clock: Clock,
        limits: Limits,
        monotonic: Callable[[], float],
    ) -> None:
        self._find, self._submit, self._quarantine = find, submit, quarantine
        self._clock, self._limits, self._monotonic = clock, limits, monotonic
        self._patience = Patience()
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def routes(self) -> list[Route]:
        """The two forms of address, for a Starlette or FastAPI application."""
        return [
            Route(PREFIX + "{connection}", self, include_in_schema=False, name="hook"),
            Route(PREFIX + "{tenant}/{connection}", self, include_in_schema=False, name="hook_of_tenant"),
        ]

    def in_front_of(self, app: Any) -> Any:
        """An application that takes `/hooks/…` here and gives everything else to `app`, past its middleware and routing."""

        async def with_door(scope: Scope, receive: Receive, send: Any) -> None:
            hook = scope["type"] == "http" and scope["path"].startswith(PREFIX)
            await (self if hook else app)(scope, receive, send)

        return with_door

    async def __call__(self, scope: Scope, receive: Receive, send: Any) -> None:
        found = self._hook(scope)
        try:
            answer = found if isinstance(found, Answer) else await self._answer(found, scope, receive)
        except Gone:
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    def _hook(self, scope: Scope) -> Hook | Answer:
        """The hook at this address, or the answer of a request that concerns none."""
        if scope["method"] not in ("POST", "GET", "OPTIONS"):
            return problem(405, more=((b"allow", b"GET, POST"),))
        name = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix(PREFIX)
        hook = self._find(name) if 0 < len(name) <= NAME_LENGTH else None
        if hook is None:
            self.counts["", "", "unknown"] += 1
            return problem(404)
        return self._handshake(scope, hook) if scope["method"] == "OPTIONS" else hook

    async def _answer(self, hook: Hook, scope: Scope, receive: Receive) -> Answer:
        limits = hook.limits or self._limits
        visit = Visit(scope, hook, limits)
        try:
            visit.open()
            with self._patience.wait(limits.seconds_to_send):
                await visit.read(receive)
            delivery = visit.delivery(self._clock.now())
            accepted = await asyncio.to_thread(hook.receive, delivery) if hook.blocking else hook.receive(delivery)
            self._admit(hook, limits)
            answer = of_reply(accepted.reply, echoes=not accepted.raws)
        except Refused as refused:
            return self._refuse(visit, refused)
        except TimeoutError:
            return self._refuse(visit, TooSlow(happened="the body did not arrive in time", next="send it again"))
        except Gone:
            raise
        except Exception as error:
            return self._fault(visit, error)
        if not accepted.raws:
            return self._count(hook, "challenge", answer)
        tenant, connection, at = hook.tenant, hook.connection, delivery.received_at
        raws = [raw.stamped(tenant=tenant, connection=connection, door="webhook", received_at=at) for raw in accepted.raws]
        try:
            with self._patience.wait(limits.seconds_to_store):
                stored = await self._submit(raws)
        except Exception as error:  # whatever it is, the vendor has the only copy and must send it again
            log.warning("a delivery to %s/%s could not be stored: %s", tenant, connection, type(error).__name__)
            return self._count(hook, "unavailable", problem(503, more=(retry_after(RETRY_AFTER),)))
        return self._count(hook, stored[0].kind if stored else "new", answer)

    def _admit(self, hook: Hook, limits: Limits) -> None:
        """Counts the delivery against its connection's rate. After the signature, so that forgeries use nothing up."""
        if not limits.per_second:
            return
        key = (hook.tenant, hook.connection)
        bucket = self._buckets.get(key)
        wanted = (limits.per_second, max(1, limits.burst))
        if bucket is None or (bucket.per_second, bucket.burst) != wanted:
            bucket = self._buckets[key] = Bucket(per_second=wanted[0], burst=wanted[1])
        wait = bucket.wait(self._monotonic())
        if wait:
            raise TooMany(
                after=wait, happened="the connection sends faster than its limit", next="raise the limit, or slow the sender down"
            )

    def _handshake(self, scope: Scope, hook: Hook) -> Answer:
        """CloudEvents' abuse protection: an origin that may send asks for leave first."""
        origin = next((value for name, value in scope["headers"] if name == b"webhook-request-origin"), b"")
        if not origin or not ({"*", origin.decode("latin-1")} & set(hook.origins)):
            return self._count(hook, "refused:origin", problem(403))
        per_second = (hook.limits or self._limits).per_second
        rate = str(max(1, int(per_second * 60))) if per_second else "*"
        headers = [
            (b"webhook-allowed-origin", origin),
            (b"webhook-allowed-rate", rate.encode()),
            (b"allow", b"GET, POST"),
            (b"content-length", b"0"),
        ]
        return self._count(hook, "challenge", Answer(200, headers, b""))

    # --- what is not let in ---

    def _refuse(self, visit: Visit, refused: Refused) -> Answer:
        hook = visit.hook
        unverified = isinstance(refused, NoSecretSet)
        if isinstance(refused, TooMany):
            # It was genuine, and will come again: nothing to look into, so it is counted and not kept.
            return self._count(hook, f"refused:{refused.code}", problem(429, more=(retry_after(refused.after),)))
        self._keep_apart(visit, "unverified" if unverified else "refused", refused.as_dict())
        status = hook.unverified_status if unverified else refused.status
        if 200 <= status < 300:
            return self._count(hook, "unverified", Answer(status, [(b"content-length", b"0")], b""))
        return self._count(hook, f"refused:{refused.code}", problem(status))

    def _fault(self, visit: Visit, error: Exception) -> Answer:
        """The connector failed where it should have refused: the vendor is asked to keep it, and a person can see what came."""
        told: dict[str, object] = {
            "code": "fault",
            "happened": f"the connector failed with {type(error).__name__} while it checked the delivery",
            "next": "report it with this delivery; the connector should have refused it",
            "about": {},
        }
        if isinstance(error, Problem):
            told = error.as_dict()
        log.error("receiving for %s/%s failed: %s", visit.hook.tenant, visit.hook.connection, type(error).__name__)
        self._keep_apart(visit, "refused", told)
        return self._count(visit.hook, "fault", problem(503, more=(retry_after(60),)))

    def _keep_apart(self, visit: Visit, verdict: str, reason: dict[str, object]) -> None:
        body = visit.body
        self._quarantine(
            Quarantined(
                tenant=visit.hook.tenant,
                connection=visit.hook.connection,
                verdict=verdict,
                reason=reason,
                method=visit.scope["method"],
                query=masked_query(visit.scope["query_string"][:8192].decode("latin-1")),
                headers=masked(visit.head.headers if visit.head else ()),
                body=body[:KEPT_BYTES],
                received_at=self._clock.now(),
                bytes_left_out=max(0, len(body) - KEPT_BYTES),
            )
        )

    def _count(self, hook: Hook, outcome: str, answer: Answer) -> Answer:
        self.counts[hook.tenant, hook.connection, outcome] += 1
        return answer
