"""What a vendor's answer to an action is recorded as."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.core.errors import Problem
from hub.core.event import Event, decided
from hub.core.ids import derive
from hub.core.vocabulary import ActionResult, StockChanged, Supply
from hub.store.work import Action


def told(action: Action, state: str, record: str | None, problem: Problem | None, now: datetime) -> Event:
    """That the action is done, or has failed, or that nobody knows."""
    return decided(
        "action.done" if state == "done" else "action.failed",
        tenant=action.tenant,
        by=action.connection,
        subject=action.id,
        key=action.about,
        data=ActionResult(
            action=action.id,
            what=action.what,
            connection=action.connection,
            state=state,
            about=action.about,
            record=record,
            attempts=action.attempts,
            code=problem.code if problem else None,
            happened=problem.happened if problem else None,
            next=problem.next if problem else None,
            fields=dict(action.fields),
        ),
        occurred_at=now,
        once=f"{action.id}|{derive('try', state, str(action.attempts))}",
        trace=action.trace or None,
    )


def stock_told(action: Action, supplies: Sequence[Supply], now: datetime) -> list[Event]:
    """The answer to a question for stock, product by product; a product that is not named has none."""
    return [
        decided(
            "stock.changed",
            tenant=action.tenant,
            by=action.connection,
            subject=sku,
            data=StockChanged(sku=sku, supplies=tuple(one for one in supplies if one.sku == sku), as_of=now),
            occurred_at=now,
            once=f"{action.id}|{action.attempts}|{sku}",
            trace=action.trace or None,
        )
        for sku in map(str, action.fields["skus"])
    ]
