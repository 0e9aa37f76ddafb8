"""The rules of the simulated Tryton: what a warehouse has and will have, and the steps of a sale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .simulator_data import NoSuch, Quantity, Row, Tables, UserError

_FROM = {"quote": "draft", "confirm": "quotation", "process": "confirmed"}
_TO = {"quote": "quotation", "confirm": "confirmed", "process": "processing"}


class Business:
    """A small manufacturer's books."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.tables = Tables(now)
        self.tables.computed = self._computed
        add = self.tables.add
        self.currency = add("currency.currency", code="CNY")
        self.unit = add("product.uom", name="Unit", factor=Quantity(1))
        self.category = add("product.category", customer_taxes=[])
        self.term = add("account.invoice.payment_term", name="Direct")
        self.places = {
            kind: add("stock.location", code=kind[:3].upper(), name=kind, type=kind, parent=None)
            for kind in ("supplier", "customer", "lost_found", "production")
        }
        self.company = add("party.party", **_party("Simulated Manufacturing", "1"))

    @property
    def today(self) -> date:
        return self.tables.now().date()

    # --- making things ------------------------------------------------------------------------------------------

    def add_warehouse(self, code: str, name: str | None = None) -> int:
        add = self.tables.add
        house = add("stock.location", code=code, name=name or code, type="warehouse", parent=None)
        zones = {
            zone: add("stock.location", code=f"{code}-{zone[:3].upper()}", name=f"{code} {zone}", type="storage", parent=house)
            for zone in ("input", "output", "storage")
        }
        self.tables.rows["stock.location"][house]["zones"] = zones
        return house

    def add_product(self, code: str, name: str, price: str = "10") -> int:
        template = self.tables.add("product.template", type="goods", list_price=Decimal(price))
        own = {"default_uom": self.unit, "list_price": None, "account_category": self.category, "template": template}
        return self.tables.add("product.product", code=code, name=name, **own)

    def add_party(self, name: str, code: str | None = None, **values: Any) -> int:
        code = code or str(max(self.tables.rows["party.party"]) + 1)
        number = self.tables.add("party.party", **{**_party(name, code), "customer_payment_term": self.term, **values})
        self.add_address(number)
        return number

    def add_address(self, party: int, **values: Any) -> int:
        number = self.tables.add("party.address", party=party, **{"invoice": False, "delivery": False, "street": None, **values})
        self.tables.rows["party.party"][party]["addresses"].append(number)
        return number

    def add_move(self, code: str, quantity: str, start: int, end: int, *, state: str = "done", on: date | None = None) -> int:
        """A stock move; `on` is the day it was done or is planned."""
        product = next(row["id"] for row in self.tables.rows["product.product"].values() if row["code"] == code)
        days = {"effective_date": on or self.today, "planned_date": None} if state == "done" else _planned(on)
        amount = Quantity(quantity)
        where = {"from_location": start, "to_location": end}
        return self.tables.add(
            "stock.move", product=product, quantity=amount, internal_quantity=amount, unit=self.unit, state=state, **where, **days
        )

    def zone(self, warehouse: str, zone: str) -> int:
        rows = self.tables.rows["stock.location"].values()
        return int(next(row["zones"][zone] for row in rows if row["code"] == warehouse and row["type"] == "warehouse"))

    # --- what there is ------------------------------------------------------------------------------------------

    def _computed(self, model: str, row: Row, name: str, context: Mapping[str, Any]) -> Any:
        if model == "product.product" and name in ("quantity", "forecast_quantity"):
            return self.quantity(row["id"], context, forecast=name == "forecast_quantity")
        raise NoSuch(name)

    def quantity(self, product: int, context: Mapping[str, Any], *, forecast: bool = False) -> Quantity:
        """As Tryton counts: 0 without locations; open moves of the past or without a day are not forecast."""
        inside = self._inside(context)
        end = context.get("stock_date_end")
        total = Quantity(0)
        for move in self.tables.rows["stock.move"].values():
            if move["product"] != product or not self._counts(move, end, forecast, bool(context.get("stock_assign"))):
                continue
            leaves, enters = move["from_location"] in inside, move["to_location"] in inside
            if move["state"] == "assigned" and not forecast:
                enters = False  # what is assigned is taken where it lies, and not yet there where it goes
            total = Quantity(total + move["internal_quantity"] * (enters - leaves))
        return total

    def _counts(self, move: Row, end: date | None, forecast: bool, assigned: bool) -> bool:
        if move["state"] == "done":
            return end is None or move["effective_date"] <= end
        if move["state"] == "assigned" and assigned and not forecast:
            return True
        if not forecast or move["state"] not in ("draft", "assigned"):
            return False
        return end is None or (move["planned_date"] is not None and self.today <= move["planned_date"] <= end)

    def _inside(self, context: Mapping[str, Any]) -> set[int]:
        rows = self.tables.rows["stock.location"]
        inside: set[int] = set()
        for number in context.get("locations") or ():
            zones = rows[number].get("zones")
            if zones and context.get("stock_skip_warehouse"):
                inside.add(zones["storage"])
            else:
                inside |= {number} | {row["id"] for row in rows.values() if row["parent"] == number}
        return inside

    # --- sales --------------------------------------------------------------------------------------------------

    def create_sale(self, values: Row) -> int:
        if "party" not in values or "currency" not in values:
            raise UserError('A value is required for field "Party" in "Sale".')
        own = {name: value for name, value in values.items() if name != "lines"}
        blank = dict.fromkeys(_SALE_BLANK)
        number = self.tables.add(
            "sale.sale",
            **{**blank, **own},
            lines=[],
            state="draft",
            shipment_state="none",
            invoice_state="none",
            total_amount=Decimal(0),
        )
        for _, rows in values.get("lines") or ():
            for row in rows:
                self._add_line(number, row)
        return number

    def _add_line(self, sale: int, values: Row) -> None:
        price = values["unit_price"].quantize(Decimal("0.0001"))
        amount = Quantity(values["quantity"])
        line = {"type": "line", "description": None, **values, "quantity": amount, "unit_price": price, "sale": sale}
        row = self.tables.get("sale.sale", sale)
        row["lines"].append(self.tables.add("sale.line", **line))
        row["total_amount"] += (Decimal(line["quantity"]) * line["unit_price"]).quantize(Decimal("0.01"))

    def step(self, name: str, numbers: Sequence[int]) -> None:
        """`quote`, `confirm` or `process`."""
        for number in numbers:
            sale = self.tables.get("sale.sale", number)
            if sale["state"] != _FROM[name]:
                raise UserError(f'You can not call "{name}" on "{sale["number"] or number}" because its state does not allow it.')
            if name == "quote":
                self._check(sale)
                numbered = [row for row in self.tables.rows["sale.sale"].values() if row["number"]]
                sale["number"] = str(len(numbered) + 1)
            self.tables.change("sale.sale", number, state=_TO[name])
            if name == "process":
                self._deliver(sale)

    def cancel(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            if self.tables.get("sale.sale", number)["state"] in ("processing", "done"):
                raise UserError(f'You can not call "cancel" on "{number}" because its state does not allow it.')
            self.tables.change("sale.sale", number, state="cancelled")

    def _check(self, sale: Row) -> None:
        for field, words in (("invoice_address", "an invoice address"), ("warehouse", "a warehouse")):
            if not sale[field]:
                raise UserError(f'To get a quote for sale "{sale["id"]}" you must enter {words}.')

    def _deliver(self, sale: Row) -> None:
        zones = self.tables.get("stock.location", sale["warehouse"])["zones"]
        for number in sale["lines"]:
            line = self.tables.get("sale.line", number)
            code, amount = self.tables.get("product.product", line["product"])["code"], str(line["quantity"])
            for start, end in ((zones["output"], self.places["customer"]), (zones["storage"], zones["output"])):
                self.add_move(code, amount, start, end, state="draft", on=self.today)
        self.tables.change("sale.sale", sale["id"], shipment_state="waiting", invoice_state="pending")


_SALE_BLANK = (
    "number",
    "reference",
    "comment",
    "sale_date",
    "shipping_date",
    "payment_term",
    "warehouse",
    "invoice_address",
    "shipment_address",
)


def _party(name: str, code: str) -> Row:
    return {
        "name": name,
        "code": code,
        "addresses": [],
        "identifiers": [],
        "tax_identifier": None,
        "customer_payment_term": None,
    }


def _planned(on: date | None) -> Row:
    return {"effective_date": None, "planned_date": on}
