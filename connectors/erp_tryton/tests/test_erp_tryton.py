"""Tryton over real sockets against its simulator: refusals, lost answers, pages, warehouses. The real server has its own tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.erp_tryton.client import Client
from connectors.erp_tryton.connector import Connector
from connectors.erp_tryton.simulator import Simulator
from hub.core.connector import Answer, Context, Cursor
from hub.core.errors import (
    LoginRefused,
    Misconfigured,
    OutcomeUnknown,
    Problem,
    RateLimited,
    Unreachable,
    VendorFault,
    VendorRefused,
)
from hub.core.event import Raw
from hub.egress import Egress
from hub.http import HttpClient
from hub.testing import NOON, FixedClock


class Plant:
    """A connection to the simulator, with one clock for both."""

    def __init__(self, simulator: Simulator, clock: FixedClock, **settings: object) -> None:
        self.simulator = simulator
        self.clock = clock
        self.kept: dict[str, str] = {}
        self.context = Context(
            tenant="acme",
            connection="erp-main",
            settings=simulator.settings() | settings,
            http=HttpClient(connection="erp-main", egress=Egress(allow=("127.0.0.1",)), clock=clock, attempts=1),
            clock=clock,
            zone="UTC",
            recall=self.kept.get,
            remember=lambda name, value, seconds: self.kept.__setitem__(name, value),
        )
        self.connector = Connector(self.context)

    def create(self, order: str = "SO-1", **fields: object) -> str:
        whole = {
            "order": order,
            "customer_name": "Acme Trading",
            "warehouse": "WH",
            "lines": [{"sku": "PUMP-100", "quantity": 2, "unit_price": "1200"}],
        }
        return self.connector.write("order.create", whole | fields, idempotency_key=f"key {order}")

    def pull(self, stream: str, cursor: Cursor | None = None) -> tuple[list[Raw], Cursor]:
        pages = list(self.connector.pull(stream, cursor))
        return [raw for page in pages for raw in page.raws], pages[-1].cursor


@pytest.fixture
def plant() -> Iterator[Plant]:
    clock = FixedClock()
    simulator = Simulator(now=clock.now)
    simulator.start()
    clock.advance(60)
    yield Plant(simulator, clock)
    simulator.stop()


# --- logins and faults -------------------------------------------------------------------------------------------


def test_one_login_serves_all_calls(plant: Plant) -> None:
    """The session is kept beyond one instance, and renewed once when the server has forgotten it."""
    plant.connector.stock([])
    Connector(plant.context).stock([])
    assert plant.simulator.logins == 1

    plant.simulator.expire_sessions()
    plant.connector.stock([])

    assert plant.simulator.logins == 2


def test_troubles_are_told_apart(plant: Plant) -> None:
    """A refused login, a throttled one, another database, a fault and a stopped server."""
    wrong = Plant(plant.simulator, plant.clock, password="wrong")
    for _ in range(5):
        with pytest.raises(LoginRefused):
            wrong.connector.probe()
    with pytest.raises(RateLimited) as caught:
        wrong.connector.probe()
    plant.simulator.recover()

    with pytest.raises(VendorFault):
        Plant(plant.simulator, plant.clock, database="other").connector.probe()
    plant.simulator.fail_next(status=500)
    with pytest.raises(VendorFault):
        plant.connector.probe()
    plant.simulator.go_down()
    with pytest.raises(Unreachable):
        plant.connector.probe()
    plant.simulator.come_back()
    plant.connector.probe()

    assert caught.value.after >= 60


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, VendorFault), (403, VendorRefused), (404, VendorRefused), (422, VendorRefused), (502, VendorFault)],
)
def test_statuses_are_told_as_what_they_mean(plant: Plant, status: int, kind: type[Problem]) -> None:
    """What a repeat cannot help is refused, the rest is a fault."""
    plant.connector.probe()
    plant.simulator.fail_next(status=status)

    with pytest.raises(kind):
        plant.connector.stock([])


def test_a_time_to_wait_is_handed_on(plant: Plant) -> None:
    """A Retry-After of a gateway in front of it counts."""
    plant.connector.probe()
    plant.simulator.fail_next(status=503, retry_after=7)

    with pytest.raises(RateLimited) as caught:
        plant.connector.stock([])

    assert caught.value.after == 7


class Says:
    """A server that gives one answer to everything."""

    def __init__(self, *bodies: bytes) -> None:
        self.bodies = list(bodies)

    def request(self, method: str, url: str, **_: object) -> Answer:
        return Answer(status=200, headers={}, body=self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0])


LOGIN = b'{"id":1,"result":[1,"0123abcd",null]}'
PREFERENCES = b'{"id":1,"result":{"company":1}}'


def client(*bodies: bytes) -> Client:
    settings = {"base_url": "http://erp.test", "database": "hub", "user": "u", "password": "p"}
    return Client(Context(tenant="a", connection="erp-says", settings=settings, http=Says(*bodies), clock=FixedClock()))


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (b'["UserError",["not so.","",null]]', VendorRefused, "not so."),
        (b'["UserWarning",["name","really?",""]]', VendorRefused, "really"),
        (b'["ConcurrencyException","modified"]', VendorFault, "somebody else"),
        (b'["LoginException",["sms","code?"]]', LoginRefused, "another way"),
        (b'["\'no.such\'",""]', VendorFault, "no.such"),
        (b"null", VendorFault, "without a reason"),
    ],
)
def test_errors_are_told_as_what_they_mean(error: bytes, kind: type[Problem], words: str) -> None:
    """Every class of error that Tryton sends with status 200."""
    with pytest.raises(kind, match=words):
        client(LOGIN, PREFERENCES, b'{"id":1,"error":' + error + b"}").call("model.x.y")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"id":1,"result":[1', b"\xff", b"[" * 100_000])
def test_an_answer_that_is_none_is_the_vendors_fault(body: bytes) -> None:
    """Empty, HTML, another shape, cut off, not UTF-8, too deep."""
    with pytest.raises(VendorFault):
        client(LOGIN, PREFERENCES, body).call("model.x.y")


@pytest.mark.parametrize("rows", [b'[{"id":1}]', b'[{"id":"one","code":"A"}]', b'[{"code":"A"}]'])
def test_rows_of_another_shape_are_the_vendors_fault(rows: bytes) -> None:
    """A field or an id that is missing is not our stumble."""
    says = client(LOGIN, PREFERENCES, b'{"id":1,"result":' + rows + b"}")
    connector = Connector(says._context)

    with pytest.raises(VendorFault, match="another shape"):
        connector.stock([])


def test_a_login_that_wants_more_is_refused() -> None:
    """A second factor, or a user without a company, is told as such."""
    with pytest.raises(LoginRefused, match="does not accept this login"):
        client(b'{"id":1,"result":null}').probe()
    with pytest.raises(Misconfigured, match="no company"):
        client(LOGIN, b'{"id":1,"result":{"company":null}}').probe()


@pytest.mark.parametrize("failure", [{"status": 500}, {"status": 401}, {"lose_answer": True}])
def test_no_error_holds_a_secret(plant: Plant, failure: dict[str, object]) -> None:
    """Neither password nor session is in what is told."""
    plant.connector.probe()
    plant.simulator.fail_next(**failure, times=5)  # type: ignore[arg-type]

    with pytest.raises(Problem) as caught:
        plant.create()

    told = f"{caught.value} {caught.value.as_dict()} {caught.value.__cause__!r}"
    session = plant.kept["session"].split('"')[3]
    assert plant.simulator.password not in told
    assert session not in told


# --- stock -------------------------------------------------------------------------------------------------------


def test_only_the_named_warehouses_count(plant: Plant) -> None:
    """Others are left out; one that does not exist is a setting to correct."""
    only = Plant(plant.simulator, plant.clock, warehouses=["SH"])
    as_text = Plant(plant.simulator, plant.clock, warehouses="SH, WH")

    assert {supply.warehouse for supply in only.connector.stock([])} == {"SH"}
    assert {supply.warehouse for supply in as_text.connector.stock([])} == {"SH", "WH"}
    with pytest.raises(Misconfigured, match="no warehouse XX"):
        Plant(plant.simulator, plant.clock, warehouses=["XX"]).connector.stock([])


def test_unknown_products_are_not_reported(plant: Plant) -> None:
    """There is no supply of what the ERP does not know."""
    assert plant.connector.stock(["NO-SUCH"]) == []


def test_overdue_demand_is_reserved_and_an_overdue_receipt_is_not_promised(plant: Plant) -> None:
    """Tryton forgets both; goods that were sold will be taken all the same."""
    books, today = plant.simulator.books, plant.clock.now().date()
    supplier, customer = books.places["supplier"], books.places["customer"]
    output, entry = books.zone("WH", "output"), books.zone("WH", "input")
    for day in (today - timedelta(days=3), None):
        books.add_move("MOTOR-1", "2", output, customer, state="draft", on=day)
        books.add_move("MOTOR-1", "50", supplier, entry, state="draft", on=day)
    books.add_move("MOTOR-1", "7", supplier, entry, state="draft", on=today)
    books.add_move("MOTOR-1", "5", output, customer, state="assigned", on=today + timedelta(days=4))
    books.add_move("MOTOR-1", "9", supplier, entry, state="cancelled", on=today)

    motor = next(supply for supply in plant.connector.stock(["MOTOR-1"]) if supply.warehouse == "WH")

    assert (motor.on_hand, motor.reserved) == (20, 4)
    assert motor.incoming == ((today, Decimal(7)), (today + timedelta(days=4), Decimal(-5)))


def test_a_transfer_leaves_one_warehouse_and_enters_the_other(plant: Plant) -> None:
    """Between zones of one warehouse nothing changes; between two it is demand here and a receipt there."""
    books, later = plant.simulator.books, plant.clock.now().date() + timedelta(days=2)
    books.add_move("STEEL", "30.5", books.zone("WH", "storage"), books.zone("SH", "input"), state="draft", on=later)
    books.add_move("STEEL", "10", books.zone("WH", "storage"), books.zone("WH", "output"), state="draft", on=later)

    supplies = {supply.warehouse: supply for supply in plant.connector.stock(["STEEL"])}

    assert supplies["WH"].incoming == ((later, Decimal("-30.5")),)
    assert supplies["SH"].incoming == ((later, Decimal("30.5")),)


# --- pulls -------------------------------------------------------------------------------------------------------


def test_a_change_between_pages_is_not_lost(plant: Plant) -> None:
    """Stopped after the first page, with a sale made in between: everything comes, in order, each version once."""
    small = Plant(plant.simulator, plant.clock, page_size=1)
    first = next(iter(small.connector.pull("orders", None)))
    plant.clock.advance(10)
    plant.simulator.sell("WH", "PUMP-100", "1", reference="SO-9")
    plant.clock.advance(10)

    rest, _ = small.pull("orders", first.cursor)

    assert not first.complete
    numbers = [raw.key.split()[1] for raw in (*first.raws, *rest)]
    assert numbers == ["1", "2", "3", "4"]


def test_what_became_visible_late_is_still_found(plant: Plant) -> None:
    """A transaction that began before the last pull and ended after it is within the overlap."""
    _, cursor = plant.pull("orders")
    plant.simulator.sell("WH", "PUMP-100", "1", reference="SO-late")
    sale = max(plant.simulator.books.tables.rows["sale.sale"].values(), key=lambda row: row["id"])
    sale["write_date"] = NOON - timedelta(seconds=30)

    raws, _ = plant.pull("orders", cursor)

    assert any(b"SO-late" in raw.body for raw in raws)


def test_an_empty_database_is_pulled(plant: Plant) -> None:
    """Nothing there is a complete page without raws, and a place to go on from."""
    empty = Simulator(now=plant.clock.now, empty=True)
    empty.start()
    fresh = Plant(empty, plant.clock)

    raws, cursor = fresh.pull("orders")
    again, _ = fresh.pull("orders", cursor)
    stock, _ = fresh.pull("stock")
    empty.stop()

    assert (raws, again, stock) == ([], [], [])


def test_a_quiet_stream_is_not_read_again_and_again(plant: Plant) -> None:
    """Past the overlap the old records do not come any more."""
    _, cursor = plant.pull("orders")
    plant.clock.advance(1000)
    _, cursor = plant.pull("orders", cursor)

    raws, later = plant.pull("orders", cursor)

    assert raws == []
    assert later.at >= cursor.at


def test_stock_is_read_whole_once_a_day(plant: Plant) -> None:
    """The first pull of a day tells all products, the next ones only those that moved, with the same bytes for the same figures."""
    first, cursor = plant.pull("stock")
    plant.clock.advance(600)
    none, cursor = plant.pull("stock", cursor)
    plant.simulator.purchase("SH", "STEEL", "5", plant.clock.now().date() + timedelta(days=1))
    plant.clock.advance(10)
    moved, cursor = plant.pull("stock", cursor)
    plant.clock.advance(86_400)
    tomorrow, _ = plant.pull("stock", cursor)

    assert len(first) == 4
    assert {raw.key for raw in none} <= {raw.key for raw in first}
    assert [raw.key.split()[1] for raw in moved if b'"STEEL"' in raw.body] == ["4"]
    assert len(tomorrow) == 4
    assert all(raw.headers["as-of"] for raw in tomorrow)


def test_a_party_is_told_when_it_is_created_and_when_it_changes(plant: Plant) -> None:
    """A new party comes last; put out of use it is told once more, and means nothing."""
    _, cursor = plant.pull("customers")
    plant.clock.advance(300)
    number = plant.simulator.books.add_party("Nordwind GmbH", "C-900")
    plant.clock.advance(10)
    created, cursor = plant.pull("customers", cursor)
    plant.simulator.books.tables.change("party.party", number, active=False)
    plant.clock.advance(10)
    changed, _ = plant.pull("customers", cursor)

    meant = [
        type(found).__name__
        for raw in (*created, *changed)
        for found in plant.connector.normalise(raw.stamped(tenant="a", connection="c", door="poll", received_at=NOON))
    ]
    assert "Nordwind GmbH" in created[-1].body.decode()
    assert meant[len(created) - 1] == "Event"
    assert meant[-1] == "Ignored"


def test_something_else_cannot_be_pulled(plant: Plant) -> None:
    """A stream that is not ours is named."""
    with pytest.raises(Misconfigured, match="invoices"):
        list(plant.connector.pull("invoices", None))


def test_a_few_hundred_records_come_in_pages_each_once(plant: Plant) -> None:
    """More than a chunk of the search and many pages of one stamp."""
    for number in range(1100):
        plant.simulator.books.add_party(f"Customer {number}", f"C-{number}")
    plant.clock.advance(10)

    pages = list(plant.connector.pull("customers", None))

    keys = [raw.key for page in pages for raw in page.raws]
    assert len(keys) == len(set(keys)) == 1103
    assert len(pages) == 12


# --- writing -----------------------------------------------------------------------------------------------------


def test_an_order_is_filled_in_as_the_form_would(plant: Plant) -> None:
    """Address, unit, list price, payment term, taxes, day, note and names."""
    tables = plant.simulator.books.tables
    tables.rows["product.category"][plant.simulator.books.category]["customer_taxes"] = [13]
    day = datetime(2026, 4, 1, tzinfo=UTC).date()

    plant.create(lines=[{"sku": "PUMP-100", "quantity": "2.5", "name": "Pump, red"}], ship_on=day, note="urgent")

    order = plant.simulator.orders[-1]
    line = order["lines"][0]
    assert (order["reference"], order["state"], order["comment"]) == ("SO-1", "processing", "urgent")
    assert (order["payment_term"], order["shipping_date"]) == (plant.simulator.books.term, day)
    assert order["invoice_address"] == order["shipment_address"] is not None
    assert (line["quantity"], line["unit_price"], line["description"], line["taxes"]) == (
        Decimal("2.5"),
        1200,
        "Pump, red",
        [["add", [13]]],
    )


def test_taxes_can_be_left_out(plant: Plant) -> None:
    """Where the hub's prices include tax."""
    tables = plant.simulator.books.tables
    tables.rows["product.category"][plant.simulator.books.category]["customer_taxes"] = [13]

    Plant(plant.simulator, plant.clock, taxes=False).create()

    assert "taxes" not in plant.simulator.orders[-1]["lines"][0]


@pytest.mark.parametrize("lost", ["create", "quote", "confirm", "process"])
def test_a_lost_answer_at_any_step_leaves_one_order(plant: Plant, lost: str) -> None:
    """The step was carried out and its answer lost: the repeat finds the sale and goes on."""
    plant.connector.probe()
    simulator = plant.simulator
    lose = simulator._do_create if lost == "create" else getattr(simulator, f"_do_{lost}")

    def once(*args: object, **named: object) -> object:
        setattr(simulator, f"_do_{lost}", lose)
        result = lose(*args, **named)
        simulator.fail_next(lose_answer=True)
        return result

    setattr(simulator, f"_do_{lost}", once)
    with pytest.raises((OutcomeUnknown, VendorFault)):
        plant.create()
        plant.connector.stock([])  # where the loss falls on the call that follows
    record = plant.create()

    ours = [order for order in simulator.orders if order["reference"] == "SO-1"]
    assert [(str(order["id"]), order["state"]) for order in ours] == [(record, "processing")]


@pytest.mark.parametrize(("state", "reached"), [("draft", "draft"), ("quotation", "quotation"), ("confirmed", "confirmed")])
def test_an_order_goes_as_far_as_is_set(plant: Plant, state: str, reached: str) -> None:
    """A setting says where a person goes on."""
    Plant(plant.simulator, plant.clock, order_state=state).create()

    assert plant.simulator.orders[-1]["state"] == reached


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"lines": []}, "no lines"),
        ({"lines": None}, "cannot be read"),
        ({"lines": [{"sku": "NO-SUCH", "quantity": 1}]}, "no product NO-SUCH"),
        ({"lines": [{"sku": "PUMP-100", "quantity": "many"}]}, "cannot be read"),
        ({"customer_name": "Nobody"}, "does not know this customer"),
        ({"customer_name": None}, "does not know this customer"),
        ({"currency": "XXX"}, "no currency XXX"),
        ({"warehouse": "XX"}, "no warehouse XX"),
        ({"customer": "C-1", "customer_name": "Twin"}, "2 parties"),
    ],
)
def test_an_order_that_cannot_be_written_is_refused_before_anything_is_made(
    plant: Plant, fields: dict[str, object], words: str
) -> None:
    """What is wrong is named, and no half of a sale is left."""
    for _ in range(2):
        plant.simulator.books.add_party("Twin")
    before = len(plant.simulator.orders)

    with pytest.raises(VendorRefused, match=words):
        plant.create(**fields)

    assert len(plant.simulator.orders) == before


def test_a_customer_is_found_by_code_then_tax_id_then_name(plant: Plant) -> None:
    """The surest key that is given counts."""
    books = plant.simulator.books
    by_code = books.add_party("Same name", "C-1")
    by_tax = books.add_party("Same name", "C-2")
    books.tables.rows["party.party"][by_tax]["identifiers"] = [books.tables.add("party.identifier", code="TAX-2")]

    plant.create("SO-1", customer="C-1", tax_id="TAX-2")
    plant.create("SO-2", customer="unknown", tax_id="TAX-2", customer_name="Same name")

    assert [order["party"] for order in plant.simulator.orders[-2:]] == [by_code, by_tax]


def test_a_customer_is_created_where_that_is_allowed(plant: Plant) -> None:
    """With its code and address, once for two orders."""
    allowed = Plant(plant.simulator, plant.clock, create_customers=True)

    allowed.create("SO-1", customer="C-900", customer_name="Nordwind GmbH", address="Hauptstraße 1")
    allowed.create("SO-2", customer="C-900", customer_name="Nordwind GmbH")

    parties = [row for row in plant.simulator.books.tables.rows["party.party"].values() if row["code"] == "C-900"]
    assert len(parties) == 1
    assert [order["party"] for order in plant.simulator.orders[-2:]] == [parties[0]["id"]] * 2


def test_a_sale_is_changed_unless_somebody_was_faster(plant: Plant) -> None:
    """Comment and day are written under the stamp that was read; a cancelled sale stays cancelled."""
    first = Plant(plant.simulator, plant.clock, order_state="quotation")
    record = first.create()
    day = datetime(2026, 4, 1, tzinfo=UTC).date()

    plant.connector.write("order.update", {"order": "SO-1", "note": "定金已到", "ship_on": "2026-04-01"}, idempotency_key="k")
    plant.connector.write("order.update", {"record": record, "cancel": True}, idempotency_key="k")
    plant.connector.write("order.update", {"record": record, "cancel": True}, idempotency_key="k")

    order = plant.simulator.orders[-1]
    assert (order["comment"], order["shipping_date"], order["state"]) == ("定金已到", day, "cancelled")
    with pytest.raises(VendorRefused, match="cancelled in the ERP"):
        plant.create()
    with pytest.raises(VendorFault, match="somebody else"):
        Client(plant.context).call(
            "model.sale.sale.write", [int(record)], {"comment": "x"}, context={"_timestamp": {f"sale.sale,{record}": "1"}}
        )


def test_a_payment_term_is_found_by_its_name(plant: Plant) -> None:
    """The order's own, else the setting's, else the customer's."""
    tables = plant.simulator.books.tables
    ratio, net = (
        tables.add("account.invoice.payment_term", name="30/70"),
        tables.add("account.invoice.payment_term", name="Net 30"),
    )
    usual = Plant(plant.simulator, plant.clock, payment_term="Net 30")

    usual.create("SO-1", payment_terms="30/70")
    usual.create("SO-2", payment_terms="not there")
    plant.create("SO-3")

    assert [order["payment_term"] for order in plant.simulator.orders[-3:]] == [ratio, net, plant.simulator.books.term]


def test_a_party_without_an_address_gets_one(plant: Plant) -> None:
    """A sale cannot be quoted without; the address marked for invoices is preferred where there are several."""
    books = plant.simulator.books
    bare = books.add_party("Bare", "C-1")
    for number in books.tables.rows["party.party"][bare]["addresses"]:
        del books.tables.rows["party.address"][number]
    second = books.add_address(books.add_party("Two", "C-2"), invoice=True)

    plant.create("SO-1", customer="C-1", address="1 Test Road")
    plant.create("SO-2", customer="C-2")

    first_order, second_order = plant.simulator.orders[-2:]
    assert books.tables.rows["party.address"][first_order["invoice_address"]]["street"] == "1 Test Road"
    assert second_order["invoice_address"] == second


def test_a_reference_that_two_sales_share_is_refused(plant: Plant) -> None:
    """Which of them is ours cannot be told; a cancelled one does not count."""
    for _ in range(2):
        plant.simulator.sell("WH", "PUMP-100", "1", reference="SO-1", process=False)
    with pytest.raises(VendorRefused, match="2 sales"):
        plant.create()

    plant.simulator.books.cancel([plant.simulator.orders[-1]["id"]])
    record = plant.create()

    assert record == str(plant.simulator.orders[-2]["id"])


def test_an_update_needs_a_sale(plant: Plant) -> None:
    """Neither number nor id known: refused; what Tryton does not let happen is told with its words."""
    for fields in ({"order": "never"}, {"record": "999"}, {}):
        with pytest.raises(VendorRefused, match="no sale"):
            plant.connector.write("order.update", fields, idempotency_key="k")
    record = plant.create()
    with pytest.raises(VendorRefused, match="You can not call"):
        plant.connector.write("order.update", {"record": record, "cancel": True}, idempotency_key="k")
    with pytest.raises(VendorRefused, match="cannot do"):
        plant.connector.write("order.burn", {}, idempotency_key="k")
