"""Available to promise, warehouse by warehouse.

The rule is the general one of available-to-promise: what is free on a day is the minimum of the projected stock over
that day and every later one. A single warehouse that covers the want is preferred; else the want is split.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from hub.core.errors import Invalid
from hub.core.vocabulary import Part, Supply
from reconciliation.inventory.projection import ZERO, Projection
from reconciliation.inventory.values import Hold, Promise, PromisePolicy, Want

DEFAULT = PromisePolicy()


class Pool:
    """The stock that several wants share: what one takes the next cannot have."""

    def __init__(
        self,
        supplies: Iterable[Supply],
        holds: Iterable[Hold],
        *,
        today: date,
        policy: PromisePolicy,
        now: datetime | None,
        quote: str | None,
    ) -> None:
        self.today = today
        self.policy = policy
        self.now = now
        self._stock: dict[tuple[str, str], Projection] = {}
        self._facts: dict[str, list[Supply]] = {}
        for supply in supplies:
            self._supply(supply)
        for hold in holds:
            expired = now is not None and hold.until <= now
            if not expired and (quote is None or hold.quote != quote):
                self.take(hold.sku, hold.warehouse, hold.quantity, hold.on or today)

    def _supply(self, supply: Supply) -> None:
        self._facts.setdefault(supply.sku, []).append(supply)
        stock = self._stock.setdefault((supply.sku, supply.warehouse), Projection(self.today))
        stock.add(self.today, supply.on_hand - supply.reserved)
        for day, quantity in supply.incoming:
            if quantity > 0 and day < self.today and not self.policy.count_overdue:
                continue
            stock.add(day, quantity)

    def take(self, sku: str, warehouse: str, quantity: Decimal, on: date) -> None:
        """Promise `quantity` away on day `on`."""
        if quantity < 0:
            raise Invalid(
                happened="a quantity that is promised or held is below zero",
                next="send a positive quantity",
                sku=sku,
                quantity=quantity,
            )
        self._stock.setdefault((sku, warehouse), Projection(self.today)).add(on, -quantity)

    def days(self, want: Want, deadline: date) -> list[date]:
        """The days on which the answer can change, the first one today."""
        return sorted({day for stock in self._of(want).values() for day in stock.days()} | {self.today, deadline})

    def free(self, want: Want, day: date) -> dict[str, Decimal]:
        """Warehouse → what is free there from `day` on; only warehouses that have something."""
        return {name: free for name, stock in self._of(want).items() if (free := stock.free(day)) > 0}

    def _of(self, want: Want) -> dict[str, Projection]:
        return {
            warehouse: stock
            for (sku, warehouse), stock in sorted(self._stock.items(), key=lambda entry: entry[0])
            if sku == want.sku and want.warehouse in (None, warehouse)
        }

    def known(self, want: Want) -> tuple[datetime | None, bool, str | None]:
        """How old the figures are that the answer rests on, whether that is too old, and whose they are."""
        facts = [fact for fact in self._facts.get(want.sku, ()) if want.warehouse in (None, fact.warehouse)]
        times = [fact.as_of for fact in facts if fact.as_of is not None]
        sources = sorted({fact.source for fact in facts if fact.source})
        as_of = min(times) if times else None
        return as_of, self._is_stale(as_of, bool(facts)), ", ".join(sources) or None

    def _is_stale(self, as_of: datetime | None, is_known: bool) -> bool:
        if not is_known or as_of is None:
            return is_known
        if self.now is not None:
            return self.now - as_of > self.policy.max_age
        return self.today - as_of.date() > self.policy.max_age


def promise(
    want: Want,
    supplies: Sequence[Supply],
    holds: Sequence[Hold] = (),
    *,
    today: date,
    policy: PromisePolicy = DEFAULT,
    now: datetime | None = None,
    quote: str | None = None,
) -> Promise:
    """What can be promised of one product by a day, without breaking what was promised before.

    `quote` names the quote that asks: its own holds do not stand in its way. `now` lets holds end and figures age to
    the minute; without it ages are counted in days.
    """
    return promise_from(Pool(supplies, holds, today=today, policy=policy, now=now, quote=quote), want)


def promise_from(pool: Pool, want: Want) -> Promise:
    """Promise one want out of a shared pool, and take from the pool what was promised."""
    if not want.quantity.is_finite() or want.quantity < 0:
        raise Invalid(
            happened="the wanted quantity is not a number of zero or more",
            next="ask for zero or more",
            sku=want.sku,
            quantity=want.quantity,
        )
    deadline = max(want.need_by or pool.today, pool.today)
    whole_on, whole = _first_whole(pool, want, want.quantity, pool.days(want, deadline))
    parts = _pick(pool, want, want.quantity, deadline)
    later: tuple[Part, ...] = ()
    if whole_on is not None and whole_on > deadline and not pool.policy.may_split:
        later = whole  # one delivery, and so nothing is taken before it
    else:
        _take(pool, want, parts)
        if whole_on is not None and whole_on > deadline:
            missing = want.quantity - _total(parts)
            _, later = _first_whole(pool, want, missing, [day for day in pool.days(want, deadline) if day >= whole_on])
    _take(pool, want, later)
    as_of, stale, source = pool.known(want)
    return Promise(
        sku=want.sku,
        quantity=want.quantity,
        available=_total(parts),
        short=want.quantity - _total(parts),
        need_by=deadline,
        promise_date=whole_on,
        parts=parts,
        later=later,
        as_of=as_of,
        stale=stale,
        source=source,
        policy=pool.policy.version,
    )


def _first_whole(pool: Pool, want: Want, quantity: Decimal, days: Iterable[date]) -> tuple[date | None, tuple[Part, ...]]:
    """The first of `days` on which all of `quantity` can be had, and from where."""
    for day in days:
        parts = _pick(pool, want, quantity, day)
        if _total(parts) == quantity:
            return day, parts
    return None, ()


def _take(pool: Pool, want: Want, parts: tuple[Part, ...]) -> None:
    for part in parts:
        pool.take(want.sku, part.warehouse, part.quantity, part.on or pool.today)


def _total(parts: tuple[Part, ...]) -> Decimal:
    return sum((part.quantity for part in parts), ZERO)


def _pick(pool: Pool, want: Want, quantity: Decimal, day: date) -> tuple[Part, ...]:
    """Where `quantity` comes from on `day`: one warehouse that covers it, else the fullest first."""
    free = pool.free(want, day)
    if quantity == 0 or not free:
        return ()
    wish = {name: place for place, name in enumerate(pool.policy.prefer)}
    order = sorted(free, key=lambda name: (wish.get(name, len(wish)), -free[name], name))
    whole = next((name for name in order if free[name] >= quantity), None)
    if whole is not None:
        return (Part(warehouse=whole, quantity=quantity, on=day),)
    if not pool.policy.may_split:
        most = max(order, key=lambda name: free[name])
        return (Part(warehouse=most, quantity=free[most], on=day),)
    parts = []
    for name in order:
        taken = min(free[name], quantity)
        quantity -= taken
        if taken > 0:
            parts.append(Part(warehouse=name, quantity=taken, on=day))
    return tuple(parts)
