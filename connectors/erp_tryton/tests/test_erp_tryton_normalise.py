"""What a record means, whatever it holds, and that values cross the wire exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.erp_tryton import wire
from connectors.erp_tryton.normalise import normalise
from connectors.erp_tryton.simulator_data import Quantity, dump, load
from hub.core.errors import Unreadable
from hub.core.event import Event, Ignored, Raw
from hub.testing import NOON

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
WHOLE = (FIXTURES / "order_of_ours" / "raw.json").read_bytes()


def meant(stream: str, body: bytes, headers: Mapping[str, str] | None = None) -> Event | Ignored:
    raw = Raw(stream=stream, key="k", body=body, headers=headers or {})
    [found] = normalise(raw.stamped(tenant="acme", connection="erp-main", door="poll", received_at=NOON))
    return found


def changed(case: str, *path: str | int, to: object) -> bytes:
    record: Any = json.loads((FIXTURES / case / "raw.json").read_text(encoding="utf-8"))
    inner = record
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = to
    return json.dumps(record).encode()


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        (changed("order_of_ours", "sale", "state", to="confirmed"), "order.placed"),
        (changed("order_of_ours", "sale", "state", to="done"), "order.changed"),
        (changed("order_of_ours", "sale", "invoice_state", to="paid"), "order.changed"),
        (changed("order_of_ours", "sale", "state", to="cancelled"), "order.cancelled"),
    ],
)
def test_a_sale_is_placed_until_something_happens_to_it(body: bytes, type_: str) -> None:
    """Nothing shipped and nothing paid: placed; after that: changed."""
    found = meant("orders", body)

    assert isinstance(found, Event)
    assert (found.type, found.subject) == (type_, "SO-1042")


def test_what_is_not_there_is_not_made_up() -> None:
    """A sale without numbers, a product without a code, a party without code or name are known by their ids."""
    body = changed("order_of_ours", "sale", "reference", to=None)
    record = json.loads(body)
    record["sale"]["number"] = None
    record["sale"]["party."] = {"id": 2, "code": None, "name": None}
    record["lines"][0]["product."]["code"] = None
    record["lines"][0]["unit."] = None
    record["lines"][0]["unit_price"] = None

    order = meant("orders", json.dumps(record).encode())

    assert isinstance(order, Event)
    fact: Any = order.data
    assert (fact.order, fact.customer, fact.customer_name) == ("sale-1", "party-2", None)
    assert [(line.sku, line.quantity, line.unit_price) for line in fact.lines] == [("product-1", 4, None)]


def test_a_line_in_another_unit_is_told_in_the_base_unit() -> None:
    """Two dozen at 1200 are 24 at 100; quantities are exact, however many digits they have."""
    dozens: Any = meant("orders", (FIXTURES / "order_in_dozens" / "raw.json").read_bytes())
    many: Any = meant("orders", WHOLE.replace(b'"quantity":4.0', b'"quantity":0.12345678901234567890123'))

    assert [(line.quantity, line.unit_price) for line in dozens.data.lines] == [(24, 100)]
    assert many.data.lines[0].quantity == Decimal("0.12345678901234567890123")


@pytest.mark.parametrize(
    ("stream", "body", "rule"),
    [
        ("invoices", WHOLE, "stream"),
        ("orders", b"", "json"),
        ("orders", b"[]", "json"),
        ("orders", b"\xff\xfe", "json"),
        ("orders", b"[" * 5000, "json"),
        ("orders", b'{"sale":{"__class__":"date"}}', "json"),
        ("orders", b'{"sale":{"__class__":"pickle"}}', "json"),
        ("orders", b"{}", "needed"),
        ("orders", changed("order_of_ours", "sale", "id", to=None), "needed"),
        ("orders", changed("order_of_ours", "sale", "party.", to=None), "needed"),
        ("orders", changed("order_of_ours", "sale", "total_amount", to=None), "number"),
        ("orders", changed("order_of_ours", "sale", "total_amount", to={"__class__": "Decimal", "decimal": "NaN"}), "number"),
        ("orders", changed("order_of_ours", "sale", "write_date", to="today"), "stamp"),
        ("orders", changed("order_of_ours", "lines", 0, "unit.", "factor", to=0), "unit"),
        (
            "orders",
            WHOLE.replace(b'"unit.":{"factor":1.0', b'"unit.":{"factor":9e999999'),
            "number",
        ),
        ("customers", b'{"party":{"active":1,"id":2}}', "stamp"),
        ("stock", b'{"sku":"A","supplies":{}}', "supplies"),
        ("stock", b'{"sku":"","supplies":[]}', "supplies"),
    ],
)
def test_what_cannot_be_read_names_its_rule(stream: str, body: bytes, rule: str) -> None:
    """The record is parked with the rule that failed."""
    with pytest.raises(Unreadable) as caught:
        meant(stream, body)

    assert caught.value.rule == rule


@pytest.mark.parametrize("stamp", ["yesterday", "2026-01-01T00:00:00"])
def test_a_time_of_reading_without_a_zone_is_refused(stamp: str) -> None:
    """The age of stock must be known."""
    with pytest.raises(Unreadable):
        meant("stock", b'{"sku":"A","supplies":[]}', {"as-of": stamp})


def test_stock_without_a_time_of_reading_is_as_old_as_its_arrival() -> None:
    """And a product that is nowhere has no supplies."""
    found: Any = meant("stock", b'{"sku":"A","supplies":[]}')

    assert (found.data.as_of, found.data.supplies) == (NOON, ())


@settings(max_examples=200)
@given(
    st.sampled_from(["orders", "customers", "stock"]),
    st.binary(max_size=200) | st.integers(0, len(WHOLE)).map(lambda end: WHOLE[:end]),
)
def test_random_and_cut_off_bytes_are_only_ever_unreadable(stream: str, body: bytes) -> None:
    """Nothing else is raised."""
    try:
        meant(stream, body)
    except Unreadable as problem:
        assert problem.rule


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text()
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text().filter(lambda name: name != "__class__"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_values_cross_the_wire_exactly(value: object) -> None:
    """Decimals, days and times of any size come back as they were."""
    assert wire.values(wire.parse(wire.dump(wire.plain(value)))) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_quantities_cross_the_wire_as_plain_numbers(value: Decimal) -> None:
    """No digit is lost on the way to Tryton and back."""
    sent = wire.dump(wire.plain({"quantity": wire.Number(value)}))

    assert b"__class__" not in sent
    assert Decimal(str(wire.parse(sent)["quantity"])) == value  # type: ignore[index]


def test_the_rarer_values_are_read() -> None:
    """A span of time and bytes, and the simulator's own reading agrees."""
    body = dump(
        {"at": datetime(2026, 1, 2, 3, 4, 5, 6, UTC), "on": date(2026, 1, 2), "n": Quantity("4"), "d": Decimal("1.50")}
    ).encode()

    assert wire.values({"__class__": "timedelta", "seconds": Decimal("1.5")}) == timedelta(seconds=1.5)
    assert wire.values({"__class__": "bytes", "base64": "AQI="}) == b"\x01\x02"
    assert wire.values(wire.parse(body)) == load(body)
