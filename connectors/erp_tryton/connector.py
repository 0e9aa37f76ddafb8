"""Tryton as a connector: orders, customers and stock come in by polling; orders go out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from hub.sdk import Context, Cursor, Event, Ignored, Misconfigured, Page, Raw, Supply, VendorFault, VendorRefused, digest

from . import stock, wire
from .client import Client, Row
from .normalise import normalise
from .orders import Change, Habits, NewOrder, Orders
from .polling import Head, Window, changed, pages
from .stock import Product

_SALE = (
    "number",
    "reference",
    "state",
    "sale_date",
    "shipping_date",
    "currency.code",
    "party.code",
    "party.name",
    "payment_term.name",
    "warehouse.code",
    "total_amount",
    "shipment_state",
    "invoice_state",
    "create_date",
    "write_date",
)
_SALE_LINE = (
    "sale",
    "type",
    "quantity",
    "unit_price",
    "unit.factor",
    "product.code",
    "product.name",
    "product.default_uom.factor",
)
_PARTY = ("code", "name", "tax_identifier.code", "active", "create_date", "write_date")


class Connector:
    """One database of one Tryton server, seen by one user."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = Client(context)
        self._streams: Mapping[str, Callable[[Cursor | None], Iterator[Page]]] = {
            "orders": self._orders,
            "customers": self._customers,
            "stock": self._stock,
        }

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        return normalise(raw)

    def probe(self) -> None:
        self._client.probe()

    def stock(self, skus: Collection[str]) -> Sequence[Supply]:
        """Each warehouse's supply of these products; of all goods with a code where none is named."""
        with _documented(self._context.connection):
            wanted = stock.products(self._client, skus or None)
            found = self._supplies(wanted)
        return [supply for product in wanted for supply in found[product.id]]

    def pull(self, stream: str, cursor: Cursor | None) -> Iterator[Page]:
        """Pages of what changed since the cursor, oldest change first."""
        chosen = self._streams.get(stream)
        if chosen is None:
            raise Misconfigured(
                happened=f"Tryton has no stream {stream!r}",
                next=f"use one of {', '.join(self._streams)}",
                connection=self._context.connection,
            )
        with _documented(self._context.connection):
            yield from chosen(cursor)

    def write(self, what: str, fields: Mapping[str, object], *, idempotency_key: str) -> str:
        """The id of the sale. Our order number finds it again, so the key is not needed."""
        orders = Orders(self._client, self._habits(), connection=self._context.connection)
        try:
            with _documented(self._context.connection):
                match what:
                    case "order.create":
                        return orders.create(msgspec.convert(dict(fields), NewOrder), self._today())
                    case "order.update":
                        return orders.change(msgspec.convert(dict(fields), Change))
        except msgspec.ValidationError as error:
            raise VendorRefused(
                happened=f"the fields of {what} cannot be read: {error}",
                next="correct the named field",
                connection=self._context.connection,
            ) from None
        raise VendorRefused(
            happened=f"Tryton cannot do {what!r}", next="use order.create or order.update", connection=self._context.connection
        )

    # --- streams ------------------------------------------------------------------------------------------------

    def _orders(self, cursor: Cursor | None) -> Iterator[Page]:
        window = self._window()
        heads = changed(self._client, "sale.sale", cursor, window)
        for page, after, complete in pages(heads, self._size(), cursor, window):
            ids = [head.id for head in page]
            sales = {row["id"]: row for row in self._client.rows("sale.sale", [["id", "in", ids]], _SALE)}
            lines: dict[object, list[Row]] = {}
            for line in self._client.rows("sale.line", [["sale", "in", ids]], _SALE_LINE):
                lines.setdefault(line["sale"], []).append(line)
            raws = [
                _raw("orders", head, {"sale": sale, "lines": lines.get(head.id, [])})
                for head in page
                if (sale := sales.get(head.id)) is not None
            ]
            yield Page(raws=tuple(raws), cursor=after, complete=complete)

    def _customers(self, cursor: Cursor | None) -> Iterator[Page]:
        window = self._window()
        heads = changed(self._client, "party.party", cursor, window)
        for page, after, complete in pages(heads, self._size(), cursor, window):
            domain = [["id", "in", [head.id for head in page]]]
            rows = self._client.rows("party.party", domain, _PARTY, context={"active_test": False})
            parties = {row["id"]: row for row in rows}
            raws = [_raw("customers", head, {"party": parties[head.id]}) for head in page if head.id in parties]
            yield Page(raws=tuple(raws), cursor=after, complete=complete)

    def _stock(self, cursor: Cursor | None) -> Iterator[Page]:
        """Products whose moves changed; all products on the first pull of a day.

        What falls due today is another thing than what falls due later, and a deletion is not reported by Tryton: both
        are put right by the daily reading.
        """
        window, today = self._window(), self._today().isoformat()
        read_on, _, tie = cursor.tie.partition(" ") if cursor else ("", "", "")
        if cursor is None or read_on != today:
            yield from self._all_stock(cursor, window, today)
            return
        place = Cursor(at=cursor.at, tie=tie)
        heads = changed(self._client, "stock.move", place, window, of="product")
        for page, after, complete in pages(heads, self._size(), place, window):
            stamps = {head.id: head for head in page}
            wanted = stock.products(self._client, ids=stamps) if stamps else []
            place_after = Cursor(at=after.at, tie=f"{today} {after.tie}".rstrip())
            yield Page(raws=self._stock_raws(wanted, stamps), cursor=place_after, complete=complete)

    def _all_stock(self, cursor: Cursor | None, window: Window, today: str) -> Iterator[Page]:
        begun, last = window.until, 0
        if cursor is not None and cursor.tie.startswith("all:"):
            begun, last = datetime.fromisoformat(cursor.at), int(cursor.tie.removeprefix("all:"))
        # Moves of the last moments will be seen again by the next pull: it finds the same stamps, and so the same raws.
        window = Window(overlap=window.overlap, until=begun)
        recent = {
            head.id: head for head in changed(self._client, "stock.move", Cursor(at=begun.isoformat()), window, of="product")
        }
        wanted = [product for product in stock.products(self._client) if product.id > last]
        size = self._size()
        for at in range(0, max(len(wanted), 1), size):
            part = wanted[at : at + size]
            complete = at + size >= len(wanted)
            tie = today if complete else f"all:{part[-1].id}"
            stamps = {product.id: recent.get(product.id, Head(stamp=begun, id=product.id)) for product in part}
            yield Page(raws=self._stock_raws(part, stamps), cursor=Cursor(at=begun.isoformat(), tie=tie), complete=complete)

    def _stock_raws(self, wanted: Sequence[Product], stamps: Mapping[int, Head]) -> tuple[Raw, ...]:
        found = self._supplies(wanted)
        raws = []
        for product in wanted:
            as_of = max((supply.as_of for supply in found[product.id] if supply.as_of), default=self._context.clock.now())
            # The time of reading is beside the body: the same figures read twice are the same raw.
            figures = [msgspec.to_builtins(msgspec.structs.replace(supply, as_of=None)) for supply in found[product.id]]
            body = {"sku": product.code, "name": product.name, "supplies": figures}
            raws.append(_raw("stock", stamps[product.id], body, {"as-of": as_of.isoformat()}))
        return tuple(raws)

    # --- what the settings and the clock say --------------------------------------------------------------------

    def _supplies(self, wanted: Sequence[Product]) -> dict[int, tuple[Supply, ...]]:
        where = stock.places(self._client, [str(code) for code in _listed(self._context.settings.get("warehouses"))])
        now, source = self._context.clock.now(), self._context.connection
        return stock.supplies(self._client, wanted, where, today=self._today(), as_of=now, source=source)

    def _window(self) -> Window:
        settle, overlap = (self._number(name, most) for name, most in (("settle_seconds", 5), ("overlap_seconds", 120)))
        return Window(overlap=timedelta(seconds=overlap), until=self._context.clock.now() - timedelta(seconds=settle))

    def _size(self) -> int:
        return max(1, self._number("page_size", 100))

    def _number(self, name: str, otherwise: int) -> int:
        value = self._context.settings.get(name)
        return int(str(value)) if value not in (None, "") else otherwise

    def _today(self) -> date:
        return self._day(self._context.clock.now())

    def _day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self._context.zone)).date()

    def _habits(self) -> Habits:
        settings = self._context.settings
        return Habits(
            state=str(settings.get("order_state") or "processing"),
            create_customers=bool(settings.get("create_customers")),
            warehouse=str(settings.get("warehouse") or "") or None,
            payment_term=str(settings.get("payment_term") or "") or None,
            taxes=bool(settings.get("taxes", True)),
        )


class _documented:
    """An answer of another shape than documented is the vendor's fault, not ours."""

    def __init__(self, connection: str) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, KeyError | TypeError | AttributeError | ArithmeticError) or type(error) is ValueError:
            raise VendorFault(
                happened="the ERP's answer has another shape than documented",
                next="see that it is Tryton 8.2, and look into its log",
                connection=self._connection,
            ) from error


def _raw(stream: str, head: Head, record: object, headers: Mapping[str, str] | None = None) -> Raw:
    """A record in this version. Part of the key is what it holds: a line can change without its sale's stamp."""
    body = wire.dump(record)
    key = f"{stream} {head.id} {head.stamp.isoformat()} {digest(body)[:12]}"
    return Raw(stream=stream, key=key, body=body, headers=headers or {})


def _listed(value: object) -> Sequence[object]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value if isinstance(value, list | tuple) else ()
