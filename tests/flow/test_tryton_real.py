"""Our connector against a real Tryton, and the simulator against the same questions.

The figures are those of the seed: 10 pumps in WH of which 4 are sold and 6 more come in ten days, 4 of the revision B of
which one is assigned, 3 pumps in SH.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.erp_tryton.client import Client
from connectors.erp_tryton.connector import Connector
from connectors.erp_tryton.simulator import Simulator
from connectors.erp_tryton.wire import Number
from hub.core.connector import Context, Cursor
from hub.core.errors import LoginRefused, Unreachable, VendorFault, VendorRefused
from hub.core.event import Event, Raw
from hub.core.vocabulary import Supply
from hub.egress import Egress
from hub.http import HttpClient
from tests.services.tryton.server import Tryton, serve

# The first test of a day makes the server's environment and database.
pytestmark = pytest.mark.timeout(900)


class LaterClock:
    """The machine's clock, a little ahead, so that a pull sees what was written this instant."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=10)

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


def context(settings: dict[str, object], **more: object) -> Context:
    kept: dict[str, str] = {}
    return Context(
        tenant="acme",
        connection="erp-main",
        settings=settings | more,
        http=HttpClient(connection="erp-main", egress=Egress(allow=("127.0.0.1",)), attempts=1),
        clock=LaterClock(),
        zone="UTC",
        recall=kept.get,
        remember=lambda name, value, seconds: kept.__setitem__(name, value),
    )


def today() -> date:
    return LaterClock().now().date()


def in_days(days: int) -> date:
    return today() + timedelta(days=days)


@pytest.fixture(scope="module")
def tryton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    """A server that tests only read from."""
    yield from serve(tmp_path_factory.mktemp("tryton"))


@pytest.fixture(scope="module")
def worked_tryton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    """A server that tests write to, each under order numbers of its own, and stop and start again."""
    yield from serve(tmp_path_factory.mktemp("worked-tryton"))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    simulated = Simulator()
    simulated.start()
    yield simulated
    simulated.stop()


@pytest.fixture(params=["real", "simulated"])
def erp(request: pytest.FixtureRequest) -> Any:
    """The real server, then the simulator: what holds for one must hold for the other."""
    return request.getfixturevalue("worked_tryton" if request.param == "real" else "simulator")


@pytest.fixture(params=["real", "simulated"])
def read_erp(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("tryton" if request.param == "real" else "simulator")


def promised(supply: Supply, on: date) -> Decimal:
    """What is there on a day: on hand, less what is promised, and all changes until then."""
    return supply.on_hand - supply.reserved + sum((amount for day, amount in supply.incoming if day <= on), Decimal(0))


def by_place(supplies: list[Supply]) -> dict[tuple[str, str], Supply]:
    return {(supply.sku, supply.warehouse): supply for supply in supplies}


def pulled(connector: Connector, stream: str, cursor: Cursor | None = None) -> tuple[list[Raw], Cursor]:
    pages = list(connector.pull(stream, cursor))
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
    return [raw for page in pages for raw in page.raws], pages[-1].cursor


def understood(connector: Connector, raws: list[Raw]) -> list[Event]:
    stamped = [raw.stamped(tenant="acme", connection="erp-main", door="poll", received_at=datetime.now(UTC)) for raw in raws]
    return [event for raw in stamped for event in connector.normalise(raw) if isinstance(event, Event)]


NEW_ORDER: dict[str, object] = {
    "customer_name": "Acme Trading",
    "currency": "CNY",
    "warehouse": "WH",
    "payment_terms": "Direct",
    "lines": [{"sku": "PUMP-100", "quantity": "2", "unit_price": "1200.00"}],
}


# --- stock -------------------------------------------------------------------------------------------------------


def test_stock_is_what_the_seed_says(read_erp: Any) -> None:
    """On hand, reserved and incoming of every product in both warehouses."""
    supplies = by_place(list(Connector(context(read_erp.settings())).stock([])))

    figures = {place: (supply.on_hand, supply.reserved, supply.incoming) for place, supply in supplies.items()}
    assert figures == {
        ("PUMP-100", "WH"): (10, 4, ((in_days(10), 6),)),
        ("PUMP-100", "SH"): (3, 0, ()),
        ("PUMP-100B", "WH"): (4, 1, ()),
        ("PUMP-100B", "SH"): (0, 0, ()),
        ("MOTOR-1", "WH"): (20, 0, ()),
        ("MOTOR-1", "SH"): (0, 0, ()),
        ("STEEL", "WH"): (100, 0, ()),
        ("STEEL", "SH"): (40, 0, ()),
    }


@pytest.mark.parametrize(("days", "pumps", "revised"), [(0, 6, 3), (7, 6, 3), (9, 6, 3), (10, 12, 3), (30, 12, 3)], ids=str)
def test_a_promise_is_the_erps_own_forecast(read_erp: Any, days: int, pumps: int, revised: int) -> None:
    """From our supplies the same quantity follows, on every day, as Tryton forecasts for the whole warehouse."""
    settings = context(read_erp.settings())
    supplies = by_place(list(Connector(settings).stock(["PUMP-100", "PUMP-100B"])))
    on = in_days(days)

    ours = {sku: promised(supplies[sku, "WH"], on) for sku in ("PUMP-100", "PUMP-100B")}

    assert ours == {"PUMP-100": pumps, "PUMP-100B": revised}
    assert ours == forecast(settings, "WH", on, list(ours))


def forecast(settings: Context, warehouse: str, on: date, skus: list[str]) -> dict[str, Decimal]:
    client = Client(settings)
    house = next(client.rows("stock.location", [["code", "=", warehouse], ["type", "=", "warehouse"]], ["code"]))
    where = {"locations": [house["id"]], "stock_date_end": on, "stock_skip_warehouse": False}
    rows = client.rows("product.product", [["code", "in", skus]], ["code", "forecast_quantity"], context=where)
    return {str(row["code"]): Decimal(str(row["forecast_quantity"])) for row in rows}


def test_transfers_receipts_and_production_are_forecast_alike(worked_tryton: Tryton) -> None:
    """Steel goes to production, comes from a supplier and moves to the other warehouse: every day in both agrees with Tryton."""
    settings = context(worked_tryton.settings())
    client = Client(settings)
    places = {str(row["code"] or row["name"]): row["id"] for row in client.rows("stock.location", [], ["code", "name"])}
    [steel] = client.rows("product.product", [["code", "=", "STEEL"]], ["default_uom"])
    for days, start, end, quantity in (
        (2, "STO", "PROD", "12.5"),
        (4, "STO", "SH-STO", "30"),
        (6, "SUP", "IN", "7.25"),
        (6, "STO", "OUT", "5"),
    ):
        move: dict[str, object] = {
            "product": steel["id"],
            "quantity": Number(Decimal(quantity)),
            "unit": steel["default_uom"],
            "from_location": places[start],
            "to_location": places[end],
            "planned_date": in_days(days),
            "company": client.company,
        }
        if start == "SUP":
            move |= {"unit_price": Decimal("8.0000"), "currency": 1}
        client.call("model.stock.move.create", [move], writes=True)

    supplies = by_place(list(Connector(settings).stock(["STEEL"])))

    for warehouse in ("WH", "SH"):
        for days in range(8):
            expected = forecast(settings, warehouse, in_days(days), ["STEEL"])["STEEL"]
            assert promised(supplies["STEEL", warehouse], in_days(days)) == expected, f"{warehouse} in {days} days"
    assert promised(supplies["STEEL", "SH"], in_days(7)) == 70


TABLE = [
    # days ahead (none: no date), skip the warehouse's zones, warehouses, PUMP-100, PUMP-100B, STEEL
    (0, True, ["WH"], (10, 6), (4, 3), (100, 100)),
    (0, True, ["SH"], (3, 3), (0, 0), (40, 40)),
    (0, True, ["WH", "SH"], (13, 9), (4, 3), (140, 140)),
    (30, True, ["WH"], (10, 6), (4, 3), (100, 100)),
    (0, False, ["WH"], (10, 6), (4, 3), (100, 100)),
    (7, False, ["WH"], (10, 6), (4, 3), (100, 100)),
    (10, False, ["WH"], (10, 12), (4, 3), (100, 100)),
    (None, False, ["WH"], (10, 12), (4, 3), (100, 100)),
    (0, True, [], (0, 0), (0, 0), (0, 0)),
]


@pytest.mark.parametrize(("days", "skip", "warehouses", "pump", "revised", "steel"), TABLE)
def test_the_erp_counts_as_we_understand_it(
    read_erp: Any,
    days: int | None,
    skip: bool,
    warehouses: list[str],
    pump: tuple[int, int],
    revised: tuple[int, int],
    steel: tuple[int, int],
) -> None:
    """Quantity and forecast under each of Tryton's contexts; the simulator counts the same."""
    settings = context(read_erp.settings())
    where = quantities_in(settings, warehouses) | {"stock_skip_warehouse": skip}
    if days is not None:
        where["stock_date_end"] = in_days(days)

    found = quantities(settings, where)

    assert (found["PUMP-100"], found["PUMP-100B"], found["STEEL"]) == (pump, revised, steel)


def test_what_is_assigned_can_be_told_apart(read_erp: Any) -> None:
    """With `stock_assign` the one pump that was picked is no longer in quantity, and the four that were only sold are."""
    settings = context(read_erp.settings())
    where = quantities_in(settings, ["WH"]) | {"stock_date_end": today(), "stock_assign": True, "stock_skip_warehouse": True}

    found = quantities(settings, where)

    assert (found["PUMP-100"], found["PUMP-100B"], found["STEEL"]) == ((10, 6), (3, 3), (100, 100))


def quantities_in(settings: Context, warehouses: list[str]) -> dict[str, object]:
    rows = Client(settings).rows("stock.location", [["code", "in", warehouses], ["type", "=", "warehouse"]], ["code"])
    return {"locations": [row["id"] for row in rows]}


def quantities(settings: Context, where: dict[str, object]) -> dict[str, tuple[Decimal, Decimal]]:
    rows = Client(settings).rows(
        "product.product", [["code", "!=", None]], ["code", "quantity", "forecast_quantity"], context=where
    )
    return {str(row["code"]): (Decimal(str(row["quantity"])), Decimal(str(row["forecast_quantity"]))) for row in rows}


# --- orders ------------------------------------------------------------------------------------------------------


def test_an_order_arrives_and_is_seen_once(erp: Any) -> None:
    """Written, it is in process there with our number and lowers what can be promised; a pull tells it once."""
    connector = Connector(context(erp.settings()))
    _, cursor = pulled(connector, "orders")
    before = by_place(list(connector.stock(["PUMP-100"])))["PUMP-100", "WH"]

    record = connector.write("order.create", NEW_ORDER | {"order": "SO-7011"}, idempotency_key="k-1")

    raws, cursor = pulled(connector, "orders", cursor)
    told = [event for event in understood(connector, raws) if event.subject == "SO-7011"]
    assert [(event.type, event.data.amount, event.data.record) for event in told] == [
        ("order.placed", Decimal("2400.00"), record)
    ]
    assert [(line.sku, line.quantity, line.unit_price) for line in told[0].data.lines] == [("PUMP-100", 2, 1200)]
    again, _ = pulled(connector, "orders", cursor)
    assert {raw.key for raw in again} <= {raw.key for raw in raws}
    after = by_place(list(connector.stock(["PUMP-100"])))["PUMP-100", "WH"]
    assert (after.on_hand, after.reserved) == (before.on_hand, before.reserved + 2)


def test_a_repeat_creates_nothing(erp: Any) -> None:
    """The same order again, also after its state was only half reached, is the same sale."""
    half = Connector(context(erp.settings(), order_state="quotation"))
    first = half.write("order.create", NEW_ORDER | {"order": "SO-7021"}, idempotency_key="k-1")
    whole = Connector(context(erp.settings()))

    second = whole.write("order.create", NEW_ORDER | {"order": "SO-7021"}, idempotency_key="k-1")
    third = whole.write("order.create", NEW_ORDER | {"order": "SO-7021"}, idempotency_key="k-1")

    client = Client(context(erp.settings()))
    sales = list(client.rows("sale.sale", [["reference", "=", "SO-7021"]], ["state", "shipment_state", "invoice_state"]))
    assert first == second == third == str(sales[0]["id"])
    assert [(sale["state"], sale["shipment_state"], sale["invoice_state"]) for sale in sales] == [
        ("processing", "waiting", "pending")
    ]


def test_a_new_customer_is_made_where_that_is_allowed(erp: Any) -> None:
    """Refused by default; with the setting it is made with an address, and found by its code the next time."""
    order = NEW_ORDER | {"order": "SO-7031", "customer": "C-900", "customer_name": "Nordwind GmbH", "address": "Hauptstraße 1"}
    with pytest.raises(VendorRefused, match="does not know this customer"):
        Connector(context(erp.settings())).write("order.create", order, idempotency_key="k-1")
    allowed = Connector(context(erp.settings(), create_customers=True))

    allowed.write("order.create", order, idempotency_key="k-1")
    allowed.write("order.create", order | {"order": "SO-7032"}, idempotency_key="k-2")

    client = Client(context(erp.settings()))
    parties = list(client.rows("party.party", [["code", "=", "C-900"]], ["name", "addresses"]))
    assert [(party["name"], len(party["addresses"])) for party in parties] == [("Nordwind GmbH", 1)]


def test_an_order_can_be_changed_and_cancelled(erp: Any) -> None:
    """A note and a day are written to the sale of our number; a cancelled sale is told, and not created anew."""
    connector = Connector(context(erp.settings(), order_state="quotation"))
    record = connector.write("order.create", NEW_ORDER | {"order": "SO-7041"}, idempotency_key="k-1")
    _, cursor = pulled(connector, "orders")

    connector.write("order.update", {"order": "SO-7041", "note": "定金已到", "ship_on": in_days(5)}, idempotency_key="k-2")
    connector.write("order.update", {"record": record, "cancel": True}, idempotency_key="k-3")

    raws, _ = pulled(connector, "orders", cursor)
    told = [event for event in understood(connector, raws) if event.subject == "SO-7041"]
    assert [event.type for event in told] == ["order.cancelled"]
    sale = next(Client(context(erp.settings())).rows("sale.sale", [["id", "=", int(record)]], ["comment", "state"]))
    assert (sale["comment"], sale["state"]) == ("定金已到", "cancelled")
    with pytest.raises(VendorRefused, match="cancelled in the ERP"):
        connector.write("order.create", NEW_ORDER | {"order": "SO-7041"}, idempotency_key="k-4")


def test_what_the_erp_refuses_is_told_with_its_words(erp: Any) -> None:
    """An unknown product, a repeated step, and a record changed meanwhile."""
    connector = Connector(context(erp.settings()))
    unknown = NEW_ORDER | {"order": "SO-7051", "lines": [{"sku": "NO-SUCH", "quantity": 1}]}
    with pytest.raises(VendorRefused, match="no product NO-SUCH"):
        connector.write("order.create", unknown, idempotency_key="k-1")
    client = Client(context(erp.settings()))
    with pytest.raises(VendorRefused, match="You can not call"):
        client.call("model.sale.sale.confirm", [1], writes=True)
    stale = {"_timestamp": {"sale.sale,1": "1.0"}}
    with pytest.raises(VendorFault, match="changed by somebody else"):
        client.call("model.sale.sale.write", [1], {"comment": "x"}, context=stale, writes=True)


def test_stock_that_moves_is_told_for_its_product_alone(erp: Any) -> None:
    """The first pull tells every product; after an order only the one that was sold, with all its warehouses."""
    connector = Connector(context(erp.settings()))
    raws, cursor = pulled(connector, "stock")
    first = understood(connector, raws)
    was = {supply.warehouse: supply for event in first if event.subject == "PUMP-100" for supply in event.data.supplies}
    # The seed's own moves are within the overlap; told again they are the same raws.
    _, cursor = pulled(connector, "stock", cursor)

    connector.write("order.create", NEW_ORDER | {"order": "SO-7061"}, idempotency_key="k-1")
    after, _ = pulled(connector, "stock", cursor)
    told = understood(connector, after)

    assert sorted(event.subject for event in first) == ["MOTOR-1", "PUMP-100", "PUMP-100B", "STEEL"]
    pump = next(event for event in told if event.subject == "PUMP-100")
    now = {supply.warehouse: supply for supply in pump.data.supplies}
    assert now["WH"].reserved == was["WH"].reserved + 2
    assert (now["SH"].on_hand, now["SH"].reserved) == (3, 0)


def test_customers_are_told(read_erp: Any) -> None:
    """Parties come with code and name, as created."""
    connector = Connector(context(read_erp.settings()))

    events = understood(connector, pulled(connector, "customers")[0])

    assert ("customer.created", "Acme Trading") in [(event.type, event.data.name) for event in events]


def test_a_party_that_is_put_out_of_use_is_told(erp: Any) -> None:
    """Tryton hides it from searches; the pull asks for it, and it means nothing any more."""
    connector = Connector(context(erp.settings()))
    client = Client(context(erp.settings()))
    [party] = client.rows("party.party", [["name", "=", "Motor Supplier"]], ["code"])
    _, cursor = pulled(connector, "customers")

    client.call("model.party.party.write", [party["id"]], {"active": False}, writes=True)

    raws, _ = pulled(connector, "customers", cursor)
    told = next(raw for raw in raws if b"Motor Supplier" in raw.body and b'"active":1' not in raw.body)
    assert understood(connector, [told]) == []


# --- logins ------------------------------------------------------------------------------------------------------


def test_a_wrong_password_is_told_apart_from_a_stopped_server(erp: Any) -> None:
    """Three different troubles, three different words; and it recovers by itself."""
    connector = Connector(context(erp.settings()))
    connector.probe()
    with pytest.raises(LoginRefused):
        Connector(context(erp.settings(), password="wrong-password")).probe()
    with pytest.raises((VendorFault, VendorRefused)):
        Connector(context(erp.settings(), database="nosuch")).probe()

    erp.stop()
    with pytest.raises(Unreachable):
        connector.probe()

    erp.start()
    connector.probe()
    assert connector.stock(["PUMP-100"])


def test_an_ended_session_is_renewed_once(read_erp: Any) -> None:
    """A session that the server no longer knows costs one more login, no error."""
    settings = context(read_erp.settings())
    connector = Connector(settings)
    connector.probe()
    kept = settings.recall("session")
    assert kept is not None
    settings.remember("session", kept.replace('"authorization":"', '"authorization":"YWRtaW46MTow'), 60)

    assert connector.stock(["PUMP-100"])
    assert settings.recall("session") != kept


CALLS: list[tuple[str, Callable[[Client], object]]] = [
    ("unknown model", lambda client: client.call("model.no.such.read", [1], [])),
    ("unknown field", lambda client: client.call("model.product.product.read", [1], ["nope"])),
    ("unknown method", lambda client: client.call("model.sale.sale.no_such", [1])),
    ("missing record", lambda client: client.call("model.sale.sale.read", [999999], ["number"])),
    ("missing step", lambda client: client.call("model.sale.sale.quote", [999999])),
    (
        "product",
        lambda client: client.call("model.product.product.read", [1], ["code", "template.list_price", "default_uom.factor"]),
    ),
    (
        "sale",
        lambda client: client.call(
            "model.sale.sale.read", [1], ["number", "state", "total_amount", "currency.code", "party.name"]
        ),
    ),
    ("lines", lambda client: client.call("model.sale.line.read", [1], ["type", "quantity", "unit_price", "product.code"])),
    (
        "empty search",
        lambda client: client.call("model.sale.sale.search_read", [["reference", "=", "no"]], 0, 10, None, ["state"]),
    ),
]


@pytest.mark.parametrize("call", [call for _, call in CALLS], ids=[name for name, _ in CALLS])
def test_the_simulator_answers_as_the_real_server_does(
    tryton: Tryton, simulator: Simulator, call: Callable[[Client], object]
) -> None:
    """The same question, the same answer: results equal, refusals of the same class."""

    def asked(settings: dict[str, object]) -> object:
        try:
            return call(Client(context(settings)))
        except (VendorRefused, VendorFault) as problem:
            return type(problem)

    assert asked(simulator.settings()) == asked(tryton.settings())
