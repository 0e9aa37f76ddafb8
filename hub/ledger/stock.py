"""What there is, and what is promised to whom."""

from __future__ import annotations

import msgspec

from hub.core import vocabulary as v
from hub.core.event import Event
from hub.ledger.books import Books
from hub.ledger.projectors import connection_of, projects
from hub.store import ledger_tables as l


@projects("stock.changed", touches=lambda data: [(l.products, data.sku)])
def _changed(event: Event, data: v.StockChanged, books: Books) -> None:
    """The connection's whole word on a product: warehouses that it no longer names are dropped."""
    connection = connection_of(event)
    named = {supply.warehouse for supply in data.supplies}
    for old in books.find(l.supplies, connection=connection, sku=data.sku):
        if old["as_of"] > data.as_of:
            return  # older figures that arrive late change nothing
        if old["warehouse"] not in named:
            books.drop(l.supplies, old["id"])
    for supply in data.supplies:
        books.put(
            l.supplies,
            f"{connection}|{data.sku}|{supply.warehouse}",
            event.seq,
            connection=connection,
            sku=data.sku,
            warehouse=supply.warehouse,
            on_hand=supply.on_hand,
            reserved=supply.reserved,
            incoming=msgspec.to_builtins(supply.incoming),
            as_of=data.as_of,
        )
    if data.name or books.get(l.products, data.sku) is None:
        books.put(l.products, data.sku, event.seq, name=data.name)


@projects("stock.reserved", touches=lambda data: [(l.holds, data.hold)])
def _reserved(event: Event, data: v.StockReserved, books: Books) -> None:
    books.put(
        l.holds,
        data.hold,
        event.seq,
        quote=data.quote,
        sku=data.sku,
        warehouse=data.warehouse,
        quantity=data.quantity,
        until=data.until,
        on=data.on,
    )


@projects("stock.released", touches=lambda data: [(l.holds, data.hold)])
def _released(event: Event, data: v.StockReleased, books: Books) -> None:
    if books.get(l.holds, data.hold) is not None:
        books.drop(l.holds, data.hold)
