"""What Tryton has and expects of a product, warehouse by warehouse, so that a promise made from it is Tryton's own forecast.

On hand is `quantity` of the whole warehouse (input and output zones too, `stock_skip_warehouse` false): goods that lie in
the input zone are there, and goods that were picked are still taken away by the move to the customer. Open moves that
cross the warehouse's border are demand or receipts; a move between two of its own zones is neither.

Tryton's forecast leaves out open moves with a day in the past or with none. So do we for receipts; demand without a
usable day counts as reserved now, because the goods will be taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec

from hub.sdk import Misconfigured, Supply

from . import wire
from .client import Client, Row


class Product(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    code: str
    name: str | None


class Warehouse(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    code: str


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """The warehouses that count, and in which of all warehouses every location lies."""

    warehouses: tuple[Warehouse, ...]
    within: Mapping[int, int]


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """What the open moves of one product change in one warehouse."""

    reserved: Decimal = Decimal(0)
    later: Mapping[date, Decimal] = {}


def products(client: Client, skus: Collection[str] | None = None, *, ids: Collection[int] | None = None) -> list[Product]:
    """The goods with a code; all of them where neither codes nor ids are named."""
    domain: list[object] = [["code", "!=", None], ["template.type", "=", "goods"]]
    if skus is not None:
        domain.append(["code", "in", sorted(skus)])
    if ids is not None:
        domain.append(["id", "in", sorted(ids)])
    rows = client.rows("product.product", domain, ["code", "name"])
    return [Product(id=_int(row["id"]), code=str(row["code"]), name=_text(row.get("name"))) for row in rows]


def places(client: Client, only: Sequence[str] = ()) -> Places:
    """The warehouses, by code (by name where there is none), and the tree below them."""
    rows = list(client.rows("stock.location", [], ["code", "name", "type", "parent", "active"], context={"active_test": False}))
    parent = {_int(row["id"]): row.get("parent") for row in rows}
    houses = {
        _int(row["id"]): Warehouse(id=_int(row["id"]), code=str(row.get("code") or row.get("name")))
        for row in rows
        if row.get("type") == "warehouse" and row.get("active")
    }
    within = {location: house for location in parent if (house := _above(location, parent, houses)) is not None}
    chosen = tuple(house for house in houses.values() if not only or house.code in only)
    if missing := sorted(set(only) - {house.code for house in chosen}):
        raise Misconfigured(
            happened=f"the ERP has no warehouse {', '.join(missing)}",
            next=f"name some of {', '.join(sorted(house.code for house in houses.values()))} in the setting warehouses",
        )
    return Places(warehouses=chosen, within=within)


def supplies(
    client: Client, wanted: Sequence[Product], where: Places, *, today: date, as_of: datetime, source: str
) -> dict[int, tuple[Supply, ...]]:
    """For each product one supply a warehouse, also where there is none of it."""
    on_hand = {house.id: _on_hand(client, wanted, house, today) for house in where.warehouses}
    moves = _moves(client, wanted, where, today)
    return {
        product.id: tuple(
            Supply(
                sku=product.code,
                warehouse=house.code,
                on_hand=on_hand[house.id].get(product.id, Decimal(0)),
                reserved=changed.reserved,
                incoming=tuple(sorted(changed.later.items())),
                as_of=as_of,
                source=source,
            )
            for house in where.warehouses
            for changed in (moves.get((product.id, house.id), Open()),)
        )
        for product in wanted
    }


def _on_hand(client: Client, wanted: Sequence[Product], house: Warehouse, today: date) -> dict[int, Decimal]:
    context = {"locations": [house.id], "stock_date_end": today, "stock_skip_warehouse": False}
    rows = client.read("product.product", [product.id for product in wanted], ["quantity"], context=context)
    return {_int(row["id"]): _decimal(row.get("quantity")) for row in rows}


def _moves(client: Client, wanted: Sequence[Product], where: Places, today: date) -> dict[tuple[int, int], Open]:
    reserved: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    later: dict[tuple[int, int], dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    ids = [product.id for product in wanted]
    for at in range(0, len(ids), 500):
        domain = [["product", "in", ids[at : at + 500]], ["state", "in", ["draft", "assigned"]]]
        fields = ["product", "internal_quantity", "from_location", "to_location", "planned_date"]
        for row in client.rows("stock.move", domain, fields):
            product, day = _int(row["product"]), _day(row)
            amount = _decimal(row.get("internal_quantity"))
            leaves, enters = (where.within.get(_int(row[end])) for end in ("from_location", "to_location"))
            if leaves == enters:
                continue
            if leaves is not None and (day is None or day <= today):
                reserved[product, leaves] += amount
            elif leaves is not None and day is not None:
                later[product, leaves][day] -= amount
            if enters is not None and day is not None and day >= today:
                later[product, enters][day] += amount
    return {key: Open(reserved=reserved.get(key, Decimal(0)), later=later.get(key, {})) for key in {*reserved, *later}}


def _above(location: int, parent: Mapping[int, object], houses: Mapping[int, Warehouse]) -> int | None:
    seen: set[int] = set()
    here: object = location
    while isinstance(here, int) and here not in seen:
        if here in houses:
            return here
        seen.add(here)
        here = parent.get(here)
    return None


def _day(row: Row) -> date | None:
    day = wire.values(row.get("planned_date"))
    return day if isinstance(day, date) else None


def _int(value: object) -> int:
    return int(str(value))


def _decimal(value: object) -> Decimal:
    return Decimal(str(value)) if value is not None else Decimal(0)


def _text(value: object) -> str | None:
    return str(value) if value is not None else None
