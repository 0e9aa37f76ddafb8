"""A quote checked against stock: every line, one verdict, one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec

from hub.core.vocabulary import Supply
from reconciliation.inventory.promise import DEFAULT, Pool, promise_from
from reconciliation.inventory.values import Hold, Promise, PromisePolicy, Want


class QuoteCheck(msgspec.Struct, frozen=True, kw_only=True):
    """`verdict` is `available` (all by the day it is needed), `later` (all, on `promise_date`) or `short` (never, as far as is known)."""

    verdict: str
    lines: tuple[Promise, ...]
    promise_date: date | None
    as_of: datetime | None
    stale: bool
    says: str
    says_en: str


def check_quote(
    wants: Sequence[Want],
    supplies: Sequence[Supply],
    holds: Sequence[Hold] = (),
    *,
    today: date,
    policy: PromisePolicy = DEFAULT,
    now: datetime | None = None,
    quote: str | None = None,
) -> QuoteCheck:
    """Promise the lines of one quote from one pool: what the first line takes the second cannot have."""
    pool = Pool(supplies, holds, today=today, policy=policy, now=now, quote=quote)
    lines = tuple(promise_from(pool, want) for want in wants)
    days = [line.promise_date for line in lines]
    late = [line for line in lines if line.short > 0]
    known = [day for day in days if day is not None]
    whole = max(known, default=today) if len(known) == len(days) else None
    verdict = "available" if not late else "later" if whole is not None else "short"
    ages = [line.as_of for line in lines if line.as_of is not None]
    stale = any(line.stale for line in lines)
    return QuoteCheck(
        verdict=verdict,
        lines=lines,
        promise_date=whole,
        as_of=min(ages, default=None),
        stale=stale,
        says=_says(late, stale),
        says_en=_says_en(late, stale),
    )


def _number(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"


def _says(late: Sequence[Promise], stale: bool) -> str:
    told = "；".join(
        f"{line.sku} 缺 {_number(line.short)}"
        + (f"，{line.promise_date:%Y-%m-%d} 可齐" if line.promise_date else "，暂无到货计划")
        for line in late
    )
    return (told or "全部有货") + ("（库存数据已过期）" if stale else "")


def _says_en(late: Sequence[Promise], stale: bool) -> str:
    told = "; ".join(
        f"{line.sku} is {_number(line.short)} short"
        + (f", all there on {line.promise_date:%Y-%m-%d}" if line.promise_date else ", with no date known")
        for line in late
    )
    return (told or "everything is available") + (" (stock figures are out of date)" if stale else "")
