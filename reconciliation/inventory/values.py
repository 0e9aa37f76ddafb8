"""What is asked of stock, what is held back, and what comes out."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from hub.core.vocabulary import Line, Part, PromisedLine


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of one product, by a day (today where none is given), from one warehouse or from any."""

    sku: str
    quantity: Decimal
    need_by: date | None = None
    warehouse: str | None = None

    @classmethod
    def of(cls, line: Line) -> Want:
        return cls(sku=line.sku, quantity=line.quantity, need_by=line.need_by, warehouse=line.warehouse)


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Stock promised to a quote until a moment; it is taken on day `on`, or at once where none is given."""

    sku: str
    warehouse: str
    quantity: Decimal
    until: datetime
    quote: str
    on: date | None = None


class PromisePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a tenant promises.

    `prefer` lists warehouses, the most wanted first. `max_age` is how old figures may be before an answer calls them
    stale. An incoming receipt whose day has passed without arriving is not stock: it counts only where
    `count_overdue` says so.
    """

    version: str = "promise-1"
    max_age: timedelta = timedelta(hours=4)
    may_split: bool = True
    prefer: tuple[str, ...] = ()
    count_overdue: bool = False


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one want.

    `parts` is where `available` comes from by the day it is needed; `short` is what lacks then. `promise_date` is the
    first day on which all of it can be had, none where that is never. `later` is where the rest comes from on that day
    (all of it, where the policy does not let a want be split).
    """

    sku: str
    quantity: Decimal
    available: Decimal
    short: Decimal
    need_by: date
    promise_date: date | None
    parts: tuple[Part, ...] = ()
    later: tuple[Part, ...] = ()
    as_of: datetime | None = None
    stale: bool = False
    source: str | None = None
    materials: tuple[Part, ...] = ()
    substitutes: tuple[str, ...] = ()
    policy: str = ""

    def line(self) -> PromisedLine:
        """The promise as the vocabulary's part of `quote.checked`."""
        return PromisedLine(
            sku=self.sku,
            quantity=self.quantity,
            available=self.available,
            short=self.short,
            promise_date=self.promise_date,
            parts=self.parts,
            as_of=self.as_of,
            stale=self.stale,
            source=self.source,
        )
