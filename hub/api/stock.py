"""What can be promised, said with the age of the figures, and held if asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from datetime import date
from typing import Any

import structlog
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from hub.api import shapes
from hub.api.guard import Body, OnlyOnce, Quantity, TheHub, Who
from hub.bootstrap import Hub
from hub.core.connector import ReportsStock
from hub.core.errors import Problem
from hub.core.event import decided
from hub.core.ids import derive
from hub.core.vocabulary import StockChanged
from hub.ledger.record import record
from reconciliation.inventory import QuoteCheck, Want

log = structlog.get_logger("stock")

router = APIRouter(prefix="/api/v1/inventory", tags=["stock"])

_PATIENCE = 0.6  # seconds for the ERP: a salesperson gets an answer within one
_asking = ThreadPoolExecutor(max_workers=8, thread_name_prefix="stock")


class WantedLine(Body):
    """A quantity of one product."""

    sku: str = Field(min_length=1, max_length=80)
    quantity: Quantity
    need_by: date | None = None
    warehouse: str | None = Field(default=None, max_length=64)


class HoldFor(Body):
    """Keep what is promised for a quote for so many minutes."""

    quote: str = Field(min_length=1, max_length=120)
    minutes: int = Field(ge=1, le=14 * 24 * 60)


class Check(Body):
    """What is wanted."""

    lines: list[WantedLine] = Field(min_length=1, max_length=200)
    hold: HoldFor | None = None


@router.post(
    "/check",
    summary="What can be promised, by when, from where, and how old the figures are",
    responses=shapes.told(shapes.CHECKED),
)
def check(hub: TheHub, who: Who, once: OnlyOnce, body: Check) -> Response:
    return once.run(body.model_dump(mode="json"), lambda: _check(hub, who.tenant, body))


def _check(hub: Hub, tenant: str, body: Check) -> dict[str, Any]:
    wants = [Want(sku=x.sku, quantity=x.quantity, need_by=x.need_by, warehouse=x.warehouse) for x in body.lines]
    silent = _ask(hub, tenant, sorted({want.sku for want in wants}))
    quote = body.hold.quote if body.hold else None
    if body.hold is None:
        with hub.store.look(tenant) as work:
            return _told(hub.inventory.check(work, wants), [], silent)
    with hub.store.work(tenant) as work:
        work.take_numbers(0)  # from here to the commit nobody else can be promised the same
        checked = hub.inventory.check(work, wants, quote=quote)
        held = hub.inventory.hold(work, checked, quote=body.hold.quote, minutes=body.hold.minutes)
        return _told(checked, held, silent)


def _ask(hub: Hub, tenant: str, skus: list[str]) -> str | None:
    """Bring the figures up to date if the ERP answers in time; else say why it did not."""
    erp = hub.registry.of_kind(tenant, "erp")
    if erp is None:
        return None
    asked = hub.clock.now()
    try:
        connector = hub.registry.open(tenant, erp.id).connector
        if not isinstance(connector, ReportsStock):
            return None
        supplies = _asking.submit(connector.stock, skus).result(timeout=_PATIENCE)
    except TooSlow:
        return f"{erp.id} did not answer within {_PATIENCE} s"
    except Problem as problem:
        return f"{erp.id}: {problem.happened}"
    facts = [
        decided(
            "stock.changed",
            tenant=tenant,
            by=erp.id,
            subject=sku,
            data=StockChanged(sku=sku, supplies=tuple(one for one in supplies if one.sku == sku), as_of=asked),
            occurred_at=asked,
            once=derive("ask", sku, asked.isoformat()),
        )
        for sku in skus
    ]
    with hub.store.work(tenant) as work:
        record(work, facts)
    return None


def _told(checked: QuoteCheck, held: list[str], silent: str | None) -> dict[str, Any]:
    lines = [
        {
            "sku": line.sku,
            "quantity": line.quantity,
            "available": line.available,
            "promise_date": line.promise_date,
            "short": line.short,
            "from": [{"warehouse": part.warehouse, "quantity": part.quantity} for part in line.parts],
            "materials": list(line.materials),
            "substitutes": list(line.substitutes),
            "as_of": line.as_of,
            "stale": line.stale,
            "source": line.source,
        }
        for line in checked.lines
    ]
    return {
        "verdict": checked.verdict,
        "promise_date": checked.promise_date,
        "as_of": checked.as_of,
        "stale": checked.stale,
        "says": checked.says,
        "says_en": checked.says_en,
        "held": held,
        "silent": silent,
        "lines": lines,
    }
