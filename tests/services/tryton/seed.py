"""Fills a fresh Tryton database with a small manufacturer. Run by Tryton's own interpreter, never by the hub's.

usage: seed.py DATABASE CONFIGURATION IDS

Writes the ids of what it made to the file IDS, as JSON. Everything goes through proteus, so that Tryton's own rules run.
"""

import datetime
import json
import sys
from decimal import Decimal
from pathlib import Path

from proteus import Model, Wizard, config

TODAY = datetime.date.today()  # noqa: DTZ011 - started with TZ=UTC, as the server is
GOODS = (
    # code, name, unit, price, cost, is it sold, is it made
    ("PUMP-100", "Pump 100", "Unit", "1200", "700", True, True),
    ("PUMP-100B", "Pump 100 revision B", "Unit", "1250", "720", True, True),
    ("MOTOR-1", "Motor", "Unit", "300", "200", False, False),
    ("STEEL", "Sheet steel", "Kilogram", "8", "5", False, False),
)
ON_HAND = {"WH": {"PUMP-100": 10, "PUMP-100B": 4, "MOTOR-1": 20, "STEEL": 100}, "SH": {"PUMP-100": 3, "STEEL": 40}}


def in_days(days):
    return TODAY + datetime.timedelta(days=days)


def make_company():
    from trytond.modules.account.tests.tools import create_chart, create_fiscalyear
    from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences
    from trytond.modules.company.tests.tools import create_company, get_company
    from trytond.modules.currency.tests.tools import get_currency

    currency = get_currency("EUR")
    currency.code, currency.numeric_code, currency.name, currency.symbol = "CNY", "156", "Renminbi", "¥"
    currency.save()
    party = Model.get("party.party")(name="Hub Test Manufacturing")
    party.save()
    create_company(party=party, currency=currency)
    company = get_company()
    set_fiscalyear_invoice_sequences(create_fiscalyear(company, TODAY)).click("create_period")
    create_chart(company)
    return company


def make_goods(company):
    from trytond.modules.account.tests.tools import get_accounts

    accounts = get_accounts(company)
    category = Model.get("product.category")(name="Goods", accounting=True)
    category.account_revenue, category.account_expense = accounts["revenue"], accounts["expense"]
    category.save()
    units = {name: Model.get("product.uom").find([("name", "=", name)])[0] for name in ("Unit", "Kilogram")}
    made = {}
    for code, name, unit, price, cost, sold, producible in GOODS:
        template = Model.get("product.template")(name=name, code=code, type="goods", default_uom=units[unit])
        template.list_price = Decimal(price)
        template.purchasable, template.purchase_uom = True, units[unit]
        template.salable = sold
        if sold:
            template.sale_uom = units[unit]
        template.producible = producible
        template.account_category = category
        template.products[0].cost_price = Decimal(cost)
        template.save()
        made[code] = template.products[0]
    make_bill_of_materials(made, units)
    return made, units


def make_bill_of_materials(goods, units):
    bill = Model.get("production.bom")(name="Pump 100")
    for code, quantity, unit in (("MOTOR-1", 1, "Unit"), ("STEEL", 2.5, "Kilogram")):
        row = bill.inputs.new()
        row.product, row.quantity, row.unit = goods[code], quantity, units[unit]
    row = bill.outputs.new()
    row.product, row.quantity, row.unit = goods["PUMP-100"], 1, units["Unit"]
    bill.save()
    goods["PUMP-100"].boms.new().bom = bill
    goods["PUMP-100"].save()


def make_warehouses():
    Location = Model.get("stock.location")
    zones = {}
    for zone in ("input", "output", "storage"):
        zones[zone] = Location(name=f"Shanghai {zone}", code=f"SH-{zone[:3].upper()}", type="storage")
        zones[zone].save()
    production = Location(name="Shanghai production", type="production")
    production.save()
    second = Location(name="Shanghai", code="SH", type="warehouse", production_location=production)
    second.input_location, second.output_location, second.storage_location = (
        zones[zone] for zone in ("input", "output", "storage")
    )
    # An inventory cannot be confirmed in a warehouse that has no place for what was lost.
    second.lost_found_location = Location.find([("type", "=", "lost_found")])[0]
    second.save()
    return {"WH": Location.find([("code", "=", "WH")])[0], "SH": second}


def count_stock(warehouses, goods):
    for code, counted in ON_HAND.items():
        inventory = Model.get("stock.inventory")(location=warehouses[code].storage_location, empty_quantity="keep")
        for product, quantity in counted.items():
            row = inventory.lines.new()
            row.product, row.quantity = goods[product], quantity
        inventory.save()
        inventory.click("confirm")


def make_partners():
    term = Model.get("account.invoice.payment_term")(name="Direct")
    term.lines.new()
    term.save()
    partners = {}
    for role, name in (("customer", "Acme Trading"), ("supplier", "Motor Supplier")):
        party = Model.get("party.party")(name=name, **{f"{role}_payment_term": term})
        address = party.addresses[0] if party.addresses else party.addresses.new()
        address.street, address.city = "1 Test Road", "Suzhou"
        party.save()
        partners[role] = party
    return partners, term


def sell(customer, term, warehouse, product, quantity, steps):
    order = Model.get("sale.sale")(party=customer, payment_term=term, warehouse=warehouse, sale_date=TODAY)
    order.invoice_method = order.shipment_method = "order"
    row = order.lines.new()
    row.product, row.quantity, row.unit_price = product, quantity, Decimal("1200.0000")
    order.save()
    for step in steps:
        order.click(step)
    return order


def buy(supplier, term, warehouse, product, quantity, days):
    order = Model.get("purchase.purchase")(party=supplier, payment_term=term, warehouse=warehouse, purchase_date=TODAY)
    order.invoice_method = "order"
    row = order.lines.new()
    row.product, row.quantity, row.unit_price = product, quantity, Decimal("700.0000")
    # Without a day of its own and without a supplier's lead time the receipt would have no day at all.
    row.delivery_date_edit, row.delivery_date = True, in_days(days)
    order.save()
    for step in ("quote", "confirm", "process"):
        order.click(step)
    return order


def main():
    database, configuration, ids = sys.argv[1:]
    config.set_trytond(f"sqlite:///{database}", config_file=configuration)
    company = make_company()
    goods, _units = make_goods(company)
    warehouses = make_warehouses()
    count_stock(warehouses, goods)
    partners, term = make_partners()
    all_steps = ("quote", "confirm", "process")
    sales = [
        sell(partners["customer"], term, warehouses["WH"], goods["PUMP-100"], 4, all_steps),
        sell(partners["customer"], term, warehouses["WH"], goods["PUMP-100"], 2, ("quote",)),
        sell(partners["customer"], term, warehouses["WH"], goods["PUMP-100B"], 1, all_steps),
    ]
    shipment = sales[2].shipments[0]
    if shipment.state == "draft":
        shipment.click("wait")
    Wizard("stock.shipment.assign", [Model.get("stock.shipment.out")(shipment.id)])
    purchase = buy(partners["supplier"], term, warehouses["WH"], goods["PUMP-100"], 6, 10)
    made = {
        "day": TODAY.isoformat(),
        "company": company.id,
        "products": {code: product.id for code, product in goods.items()},
        "warehouses": {code: warehouse.id for code, warehouse in warehouses.items()},
        "storages": {code: warehouse.storage_location.id for code, warehouse in warehouses.items()},
        "customer": partners["customer"].code,
        "sales": [order.id for order in sales],
        "purchase": purchase.id,
    }
    Path(ids).write_text(json.dumps(made, indent=1), encoding="utf-8")


main()
