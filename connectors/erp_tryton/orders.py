"""Writes sales the way Tryton's own client does: found again by our number, filled in, then moved on step by step.

A create over RPC runs none of the rules that fill a form, so that addresses, currency, unit, price, terms and taxes are
given here. Our order number is the sale's reference: whoever repeats finds the sale that is already there and goes on
from its state. The steps `quote`, `confirm` and `process` have no effect a second time, because the state is read first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from hub.sdk import VendorFault, VendorRefused

from . import wire
from .client import Client, Row

STATES = ("draft", "quotation", "confirmed", "processing")
_STEPS = ("quote", "confirm", "process")


class NewLine(msgspec.Struct, frozen=True, kw_only=True):
    """Quantity in the product's base unit, price per base unit; without a price the list price counts."""

    sku: str
    quantity: Decimal
    unit_price: Decimal | None = None
    name: str | None = None


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the hub knows it."""

    order: str
    lines: tuple[NewLine, ...]
    customer: str | None = None
    customer_name: str | None = None
    tax_id: str | None = None
    address: str | None = None
    currency: str = "CNY"
    ordered_on: date | None = None
    ship_on: date | None = None
    warehouse: str | None = None
    payment_terms: str | None = None
    note: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What may be changed later, by our number or by Tryton's id."""

    order: str | None = None
    record: str | None = None
    note: str | None = None
    ship_on: date | None = None
    cancel: bool = False


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """The connection's settings for writing."""

    state: str = "processing"
    create_customers: bool = False
    warehouse: str | None = None
    payment_term: str | None = None
    taxes: bool = True


class Orders:
    """Creates and changes sales over one client."""

    def __init__(self, client: Client, habits: Habits, *, connection: str) -> None:
        self._client = client
        self._habits = habits
        self._connection = connection

    def create(self, order: NewOrder, today: date) -> str:
        """The id of the sale for this order, made if it is not there, and moved to the state that is set."""
        if not order.lines:
            raise self._refused(f"order {order.order} has no lines", "send at least one", order.order)
        sale = self._find(order.order)
        number = int(str(sale["id"])) if sale else self._make(order, today)
        self._advance(number, str(sale["state"]) if sale else "draft", order.order)
        return str(number)

    def change(self, change: Change) -> str:
        """The id of the changed sale. Refused where there is none."""
        sale = self._read(int(change.record)) if change.record and change.record.isdigit() else self._find(change.order or "")
        if sale is None:
            raise self._refused("the ERP has no sale for this order", "create it first", change.order or change.record)
        number = int(str(sale["id"]))
        values: dict[str, object] = {}
        if change.note is not None:
            values["comment"] = change.note
        if change.ship_on is not None:
            values["shipping_date"] = change.ship_on
        if values:
            # Tryton compares the stamp that we read, so that what somebody saved meanwhile is not overwritten.
            lock = {"_timestamp": {f"sale.sale,{number}": sale.get("_timestamp")}}
            self._client.call("model.sale.sale.write", [number], values, context=lock, writes=True)
        if change.cancel and sale["state"] != "cancelled":
            self._client.call("model.sale.sale.cancel", [number], writes=True)
        return str(number)

    # --- steps --------------------------------------------------------------------------------------------------

    def _advance(self, number: int, state: str, order: str) -> None:
        if state == "cancelled":
            raise self._refused("the sale of this order was cancelled in the ERP", "copy it there, or give a new number", order)
        target = STATES.index(self._habits.state)
        at = STATES.index(state) if state in STATES else len(STATES)
        for step in _STEPS[at:target]:
            self._client.call(f"model.sale.sale.{step}", [number], writes=True)

    def _make(self, order: NewOrder, today: date) -> int:
        party = self._party(order)
        address = self._address(party, order)
        values: dict[str, object] = {
            "party": party["id"],
            "company": self._client.company,
            "currency": self._one("currency.currency", [["code", "=", order.currency]], "currency", order.currency),
            "warehouse": self._warehouse(order),
            "invoice_address": address,
            "shipment_address": address,
            "invoice_method": "order",
            "shipment_method": "order",
            "reference": order.order,
            "sale_date": order.ordered_on or today,
            "lines": [["create", self._lines(order)]],
        }
        if (term := self._term(order, party)) is not None:
            values["payment_term"] = term
        if order.ship_on:
            values["shipping_date"] = order.ship_on
        if order.note:
            values["comment"] = order.note
        match self._client.call("model.sale.sale.create", [values], writes=True):
            case [int(number)]:
                return number
        raise VendorFault(happened="the ERP names no id for the new sale", next="look for it there", connection=self._connection)

    def _lines(self, order: NewOrder) -> list[dict[str, object]]:
        codes = sorted({line.sku for line in order.lines})
        fields = ["code", "default_uom", "list_price", "template.list_price", "account_category.customer_taxes"]
        found = {str(row["code"]): row for row in self._client.rows("product.product", [["code", "in", codes]], fields)}
        if missing := [code for code in codes if code not in found]:
            raise self._refused(
                f"the ERP has no product {', '.join(missing)}", "correct the code, or create the product", order.order
            )
        return [self._line(line, found[line.sku]) for line in order.lines]

    def _line(self, line: NewLine, product: Row) -> dict[str, object]:
        made: dict[str, object] = {
            "product": product["id"],
            "quantity": wire.Number(line.quantity),
            "unit": product["default_uom"],
            "unit_price": line.unit_price if line.unit_price is not None else _list_price(product),
        }
        category = product.get("account_category.")
        taxes = category.get("customer_taxes") if isinstance(category, dict) else None
        if self._habits.taxes and taxes:
            made["taxes"] = [["add", taxes]]
        if line.name:
            made["description"] = line.name
        return made

    # --- what is looked up ------------------------------------------------------------------------------------------

    def _find(self, order: str) -> Row | None:
        if not order:
            return None
        domain = [["reference", "=", order], ["company", "=", self._client.company]]
        rows = list(self._client.rows("sale.sale", domain, ["state", "_timestamp"]))
        live = [row for row in rows if row["state"] != "cancelled"]
        if len(live) > 1:
            raise self._refused(
                f"the ERP has {len(live)} sales with this reference", "leave one of them; cancel the others", order
            )
        return next(iter(live or rows), None)

    def _read(self, number: int) -> Row | None:
        return next(iter(self._client.rows("sale.sale", [["id", "=", number]], ["state", "_timestamp"])), None)

    def _party(self, order: NewOrder) -> Row:
        fields = ["name", "code", "addresses", "customer_payment_term"]
        ways: Sequence[tuple[str, str | None]] = (
            ("code", order.customer),
            ("identifiers.code", order.tax_id),
            ("name", order.customer_name),
        )
        for field, value in ways:
            if not value:
                continue
            found = list(self._client.rows("party.party", [[field, "=", value]], fields))
            if len(found) == 1:
                return found[0]
            if found:
                raise self._refused(
                    f"the ERP has {len(found)} parties whose {field} is {value}", "name the customer by its code", order.order
                )
        name = order.customer_name or order.customer
        if not self._habits.create_customers or not name:
            raise self._refused(
                "the ERP does not know this customer",
                "create the party there, or allow the connection to create customers",
                order.order,
            )
        values: dict[str, object] = {"name": name, "addresses": [["create", [{"street": order.address}]]]}
        if order.customer:
            values["code"] = order.customer
        created = self._client.call("model.party.party.create", [values], writes=True)
        ids = [number for number in created if isinstance(number, int)] if isinstance(created, list) else []
        return self._client.read("party.party", ids, fields)[0]

    def _address(self, party: Row, order: NewOrder) -> object:
        domain = [["party", "=", party["id"]]]
        rows = list(self._client.rows("party.address", domain, ["invoice", "delivery"]))
        if rows:
            # What Tryton takes itself: the address marked for invoices, else the first.
            return next((row["id"] for row in rows if row.get("invoice")), rows[0]["id"])
        values = [{"party": party["id"], "street": order.address}]
        match self._client.call("model.party.address.create", values, writes=True):
            case [int(number)]:
                return number
        raise self._refused("the customer has no address", "add one in the ERP; a sale cannot be quoted without", order.order)

    def _warehouse(self, order: NewOrder) -> object:
        code = order.warehouse or self._habits.warehouse
        domain: list[object] = [["type", "=", "warehouse"]]
        if code:
            domain.append(["code", "=", code])
        return self._one("stock.location", domain, "warehouse", code or "at all")

    def _term(self, order: NewOrder, party: Row) -> object:
        for name in (order.payment_terms, self._habits.payment_term):
            if name:
                rows = list(self._client.rows("account.invoice.payment_term", [["name", "=", name]], ["name"]))
                if rows:
                    return rows[0]["id"]
        return party.get("customer_payment_term")

    def _one(self, model: str, domain: Sequence[object], what: str, name: str) -> object:
        rows = list(self._client.rows(model, domain, ["code"]))
        if not rows:
            raise self._refused(f"the ERP has no {what} {name}", "create it there, or correct the code", None)
        return rows[0]["id"]

    def _refused(self, happened: str, next: str, order: str | None) -> VendorRefused:
        return VendorRefused(happened=happened, next=next, connection=self._connection, order=order)


def _list_price(product: Row) -> object:
    template = product.get("template.")
    price = product.get("list_price") or (template.get("list_price") if isinstance(template, Mapping) else None)
    return price or Decimal(0)
