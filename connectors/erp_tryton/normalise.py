"""What a Tryton record means: an order, a customer, or all that is known of a product's stock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec

from hub.sdk import (
    Customer,
    Event,
    Ignored,
    Line,
    Order,
    OrderCancelled,
    Raw,
    StockChanged,
    Supply,
    Unreadable,
    event,
)

from . import wire

Row = Mapping[str, object]

_RATIO = re.compile(r"\d{1,3}(?:/\d{1,3})*")
# States of deliveries and invoices in which nothing has happened to a confirmed sale yet.
_NOTHING_SENT = frozenset({None, "none", "waiting"})
_NOTHING_PAID = frozenset({None, "none", "pending"})


def normalise(raw: Raw) -> Iterable[Event | Ignored]:
    """One record of one stream becomes one fact, or is ignored by a named rule."""
    read = _STREAMS.get(raw.stream)
    if read is None:
        raise _unreadable(f"there is no stream {raw.stream!r}", "stream", "")
    try:
        record = wire.values(wire.parse(raw.body))
    except (ValueError, RecursionError):
        raise _unreadable("the record is not the JSON that Tryton writes", "json", "") from None
    if not isinstance(record, dict):
        raise _unreadable("the record is not an object", "json", "")
    try:
        yield read(raw, record)
    except ArithmeticError:
        raise _unreadable("a number or a time in the record is out of range", "number", "") from None


# --- orders ------------------------------------------------------------------------------------------------------


def _order(raw: Raw, record: Row) -> Event | Ignored:
    sale = _inner(record, "sale", pointer="")
    state = _text(sale, "state")
    if state in ("draft", "quotation"):
        return Ignored(rule="a sale that is not confirmed yet")
    number = _number(sale)
    stamp = _stamp(sale)
    key = str(_whole(sale, "id"))
    if state == "cancelled":
        gone = OrderCancelled(order=number, record=key)
        return event(raw, "order.cancelled", subject=number, data=gone, occurred_at=stamp)
    if state not in ("confirmed", "processing", "done"):
        raise _unreadable(f"a sale in state {state!r} is not known", "state", "/sale/state")
    untouched = sale.get("shipment_state") in _NOTHING_SENT and sale.get("invoice_state") in _NOTHING_PAID
    placed = state != "done" and untouched
    return event(
        raw, "order.placed" if placed else "order.changed", subject=number, data=_fact(sale, record, number), occurred_at=stamp
    )


def _fact(sale: Row, record: Row, number: str) -> Order:
    party = _inner(sale, "party.", pointer="/sale")
    term = _text(sale.get("payment_term."), "name") or ""
    lines = record.get("lines")
    if not isinstance(lines, list):
        raise _unreadable("the sale has no list of lines", "lines", "/lines")
    return Order(
        order=number,
        customer=_party(party),
        customer_name=_text(party, "name"),
        amount=_amount(sale, "total_amount", "/sale"),
        currency=_text(sale.get("currency."), "code") or "CNY",
        ordered_on=_day(sale, "sale_date"),
        payment_terms=term if _RATIO.fullmatch(term) else None,
        lines=tuple(_line(line, at, sale) for at, line in enumerate(lines) if _is_goods(line)),
        record=str(_whole(sale, "id")),
    )


def _number(sale: Row) -> str:
    """Our own number where the hub wrote the order; Tryton's number for one that was made there without a reference."""
    for name in ("reference", "number"):
        if found := _text(sale, name):
            return found
    return f"sale-{_whole(sale, 'id')}"


def _is_goods(line: object) -> bool:
    # Titles, comments and subtotals are lines too.
    return isinstance(line, dict) and line.get("type", "line") == "line" and isinstance(line.get("product."), dict)


def _line(line: Row, at: int, sale: Row) -> Line:
    pointer = f"/lines/{at}"
    product = _inner(line, "product.", pointer=pointer)
    code = _text(product, "code") or f"product-{_whole(product, 'id')}"
    factor = _factor(line.get("unit."), pointer) / _factor(product.get("default_uom."), pointer)
    quantity = _amount(line, "quantity", pointer)
    price = _amount(line, "unit_price", pointer) if line.get("unit_price") is not None else None
    return Line(
        sku=code,
        name=_text(product, "name"),
        # A line may be in boxes; our quantities and prices are per base unit, and their product stays the same.
        quantity=quantity * factor,
        unit_price=price if price is None or factor == 1 else price / factor,
        need_by=_day(sale, "shipping_date"),
        warehouse=_text(sale.get("warehouse."), "code"),
    )


def _factor(unit: object, pointer: str) -> Decimal:
    factor = _amount(unit, "factor", pointer) if isinstance(unit, dict) and unit.get("factor") is not None else Decimal(1)
    if factor <= 0:
        raise _unreadable("a unit's factor is not positive", "unit", pointer)
    return factor


# --- customers ---------------------------------------------------------------------------------------------------


def _customer(raw: Raw, record: Row) -> Event | Ignored:
    party = _inner(record, "party", pointer="")
    if not party.get("active", True):
        return Ignored(rule="a party that was put out of use")
    code = _party(party)
    created, written = party.get("create_date"), party.get("write_date")
    fact = Customer(
        customer=code,
        name=_text(party, "name") or code,
        tax_id=_text(party.get("tax_identifier."), "code"),
        record=str(_whole(party, "id")),
    )
    # Addresses and terms that come with a new party write it once more in the same transaction.
    type_ = "customer.created" if written is None or written == created else "customer.updated"
    return event(raw, type_, subject=code, data=fact, occurred_at=_stamp(party))


def _party(party: Row) -> str:
    return _text(party, "code") or f"party-{_whole(party, 'id')}"


# --- stock -------------------------------------------------------------------------------------------------------


def _stock(raw: Raw, record: Row) -> Event:
    sku = _text(record, "sku")
    try:
        supplies = msgspec.convert(record.get("supplies"), tuple[Supply, ...])
        as_of = datetime.fromisoformat(raw.headers["as-of"]) if "as-of" in raw.headers else raw.received_at
    except (msgspec.ValidationError, ValueError):
        raise _unreadable("the product's supplies cannot be read", "supplies", "/supplies") from None
    if not sku or as_of.tzinfo is None or any(supply.sku != sku for supply in supplies):
        raise _unreadable("the product has no code, or its supplies are another one's", "supplies", "/sku")
    fact = StockChanged(
        sku=sku,
        name=_text(record, "name"),
        supplies=tuple(msgspec.structs.replace(supply, as_of=as_of) for supply in supplies),
        as_of=as_of,
    )
    return event(raw, "stock.changed", subject=sku, data=fact, occurred_at=as_of)


_STREAMS: Mapping[str, Callable[[Raw, Row], Event | Ignored]] = {"orders": _order, "customers": _customer, "stock": _stock}


# --- reading -----------------------------------------------------------------------------------------------------


def _inner(of: Row, name: str, *, pointer: str) -> Row:
    inner = of.get(name)
    if not isinstance(inner, dict):
        raise _unreadable(f"the record has no {name.rstrip('.')}", "needed", f"{pointer}/{name}")
    return inner


def _text(of: object, name: str) -> str | None:
    value = of.get(name) if isinstance(of, dict) else None
    return str(value) if value not in (None, "") else None


def _whole(of: Row, name: str) -> int:
    value = of.get(name)
    if not isinstance(value, int):
        raise _unreadable(f"the record has no {name}", "needed", f"/{name}")
    return value


def _day(of: Row, name: str) -> date | None:
    value = of.get(name)
    return value if isinstance(value, date) else None


def _amount(of: Row, name: str, pointer: str) -> Decimal:
    value = of.get(name)
    number = Decimal(value) if isinstance(value, int) else value
    if not isinstance(number, Decimal) or not number.is_finite():
        raise _unreadable(f"{name} is not a number", "number", f"{pointer}/{name}")
    return number


def _stamp(of: Row) -> datetime:
    stamp = of.get("write_date") or of.get("create_date")
    if not isinstance(stamp, datetime):
        raise _unreadable("the record has neither write_date nor create_date", "stamp", "/write_date")
    return stamp.astimezone(UTC)


def _unreadable(happened: str, rule: str, pointer: str) -> Unreadable:
    return Unreadable(happened=happened, next="look at the record in Tryton and at the raw", rule=rule, pointer=pointer)
