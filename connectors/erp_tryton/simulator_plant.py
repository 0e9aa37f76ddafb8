"""What the simulated Tryton starts with: the same small plant that the tests' real server is seeded with."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .simulator import Simulator


def small_plant(simulator: Simulator) -> None:
    """The goods, the stock, the sales and the purchase that the tests' real server is seeded with."""
    books = simulator.books
    for code in ("WH", "SH"):
        books.add_warehouse(code)
    for code, name, price in (
        ("PUMP-100", "Pump 100", "1200"),
        ("PUMP-100B", "Pump 100 revision B", "1250"),
        ("MOTOR-1", "Motor", "300"),
        ("STEEL", "Sheet steel", "8"),
    ):
        books.add_product(code, name, price)
    books.add_party("Acme Trading")
    books.add_party("Motor Supplier")
    counted = {
        "WH": {"PUMP-100": "10", "PUMP-100B": "4", "MOTOR-1": "20", "STEEL": "100"},
        "SH": {"PUMP-100": "3", "STEEL": "40"},
    }
    for warehouse, goods in counted.items():
        for code, quantity in goods.items():
            simulator.set_stock(warehouse, code, quantity)
    simulator.sell("WH", "PUMP-100", "4")
    simulator.sell("WH", "PUMP-100", "2", process=False)
    simulator.sell("WH", "PUMP-100B", "1")
    picking = max(books.tables.rows["stock.move"])
    books.tables.change("stock.move", picking, state="assigned")
    simulator.purchase("WH", "PUMP-100", "6", books.today + timedelta(days=10))
