"""Demand against supply: quotes are checked, stock is held, and the age of the figures is told.

A quote that comes in asks the ERP once (an action, so the handler calls nobody). Whether the ERP answers or not, the quote
is then checked against what the ledger knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from hub.actions import READ_STOCK
from hub.core import vocabulary as v
from hub.core.event import Event, decided, following
from hub.core.ids import derive
from hub.core.outcome import DONE, Outcome
from hub.ledger.record import record
from hub.registry import Registry
from hub.store import ledger_tables as l
from hub.store.work import Ask, Work
from hub.subscribers import Subscriber, one_by_one
from reconciliation.inventory import Hold, PromisePolicy, QuoteCheck, Want, check_quote

NAME = "inventory"


class Inventory:
    """The stock desk of every tenant."""

    def __init__(self, registry: Registry, policy_of: Callable[[str], PromisePolicy]) -> None:
        self._registry = registry
        self._policy_of = policy_of

    def subscriber(self, shards: int = 1) -> Subscriber:
        patterns = ("quote.requested", "action.done", "action.failed")
        return Subscriber(name=NAME, patterns=patterns, handle=one_by_one(self.handle), shards=shards)

    def handle(self, fact: Event, work: Work) -> Outcome:
        match fact.data:
            case v.QuoteRequested(quote=quote, lines=lines):
                if not self._ask(fact, work, quote, lines):
                    self._answer(fact, work, quote)
            case v.ActionResult(what="stock.read", about=str(about)) if about.startswith("quote:"):
                self._answer(fact, work, about.removeprefix("quote:"))
        return DONE

    def check(self, work: Work, wants: Sequence[Want], *, quote: str | None = None) -> QuoteCheck:
        """What can be promised now, from the figures the ledger has."""
        skus = sorted({want.sku for want in wants})
        now = work.clock.now()
        return check_quote(
            wants,
            _supplies(work, skus),
            _holds(work, skus, now),
            today=now.astimezone(ZoneInfo(self._registry.zone(work.tenant))).date(),
            policy=self._policy_of(work.tenant),
            now=now,
            quote=quote,
        )

    def hold(self, work: Work, checked: QuoteCheck, *, quote: str, minutes: int) -> list[str]:
        """Hold what was just promised, so that nobody else is promised it. Replaces the quote's earlier holds.

        Call it in the work that checked, after `take_numbers`: two checks at once then see each other.
        """
        now = work.clock.now()
        once = f"{quote}|{now.isoformat()}"
        facts = [
            _released(work, row, now, "held anew", once)
            for row in work.connection.execute(
                sa.select(l.holds.c.id, l.holds.c.quote).where(l.holds.c.tenant == work.tenant, l.holds.c.quote == quote)
            )
        ]
        held: list[str] = []
        for line in checked.lines:
            for part in line.parts:
                id_ = derive("hold", quote, line.sku, part.warehouse, str(part.on), now.isoformat())
                held.append(id_)
                facts.append(
                    decided(
                        "stock.reserved",
                        tenant=work.tenant,
                        by=NAME,
                        subject=id_,
                        key=f"quote:{quote}",
                        occurred_at=now,
                        once=id_,
                        data=v.StockReserved(
                            hold=id_,
                            quote=quote,
                            sku=line.sku,
                            quantity=part.quantity,
                            warehouse=part.warehouse,
                            until=now + timedelta(minutes=minutes),
                            on=part.on,
                        ),
                    )
                )
        record(work, facts)
        return held

    def release_expired(self, work: Work) -> int:
        """Let go of holds whose time is over."""
        now = work.clock.now()
        query = sa.select(l.holds.c.id, l.holds.c.quote).where(l.holds.c.tenant == work.tenant, l.holds.c.until <= now)
        facts = [_released(work, row, now, "its time is over", row.id) for row in work.connection.execute(query.limit(200))]
        record(work, facts)
        return len(facts)

    def _ask(self, fact: Event, work: Work, quote: str, lines: Sequence[v.Line]) -> bool:
        erp = self._registry.of_kind(work.tenant, "erp")
        if erp is None:
            return False
        skus = sorted({line.sku for line in lines})
        # Once: an answer that comes after the salesperson has gone is of no use.
        ask = Ask(
            connection=erp.id, what=READ_STOCK, fields={"skus": skus}, once=fact.id, about=f"quote:{quote}", most_attempts=1
        )
        work.ask([ask], cause=fact)
        return True

    def _answer(self, fact: Event, work: Work, quote: str) -> None:
        row = (
            work.connection.execute(sa.select(l.quotes).where(l.quotes.c.tenant == work.tenant, l.quotes.c.id == quote))
            .mappings()
            .first()
        )
        if row is None:
            return
        lines = msgspec.convert(row["lines"], tuple[v.Line, ...], strict=False)
        wants = [Want.of(line if line.need_by else msgspec.structs.replace(line, need_by=row["need_by"])) for line in lines]
        checked = self.check(work, wants, quote=quote)
        data = v.QuoteChecked(
            quote=quote,
            verdict=checked.verdict,
            lines=tuple(line.line() for line in checked.lines),
            promise_date=checked.promise_date,
            as_of=checked.as_of,
            stale=checked.stale,
            summary=checked.says,
            salesperson=row["salesperson"],
        )
        record(
            work,
            [
                following(
                    fact, "quote.checked", by=NAME, subject=quote, data=data, occurred_at=work.clock.now(), key=f"quote:{quote}"
                )
            ],
        )


def _released(work: Work, row: Any, now: datetime, reason: str, once: str) -> Event:
    return decided(
        "stock.released",
        tenant=work.tenant,
        by=NAME,
        subject=row.id,
        key=f"quote:{row.quote}",
        occurred_at=now,
        once=f"release|{row.id}|{once}",
        data=v.StockReleased(hold=row.id, quote=row.quote, reason=reason),
    )


def _supplies(work: Work, skus: Sequence[str]) -> list[v.Supply]:
    query = (
        sa.select(l.supplies)
        .where(l.supplies.c.tenant == work.tenant, l.supplies.c.sku.in_(list(skus)))
        .order_by(l.supplies.c.id)
    )
    return [
        v.Supply(
            sku=row["sku"],
            warehouse=row["warehouse"],
            on_hand=row["on_hand"],
            reserved=row["reserved"],
            incoming=msgspec.convert(row["incoming"], tuple[tuple[date, Decimal], ...], strict=False),
            as_of=row["as_of"],
            source=row["connection"],
        )
        for row in work.connection.execute(query).mappings()
    ]


def _holds(work: Work, skus: Sequence[str], now: datetime) -> list[Hold]:
    query = sa.select(l.holds).where(l.holds.c.tenant == work.tenant, l.holds.c.sku.in_(list(skus)), l.holds.c.until > now)
    return [
        Hold(
            sku=row["sku"],
            warehouse=row["warehouse"],
            quantity=row["quantity"],
            until=row["until"],
            quote=row["quote"],
            on=row["on"],
        )
        for row in work.connection.execute(query.order_by(l.holds.c.id)).mappings()
    ]
