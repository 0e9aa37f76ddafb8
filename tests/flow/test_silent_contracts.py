"""Contracts whose callbacks were missed are found by asking."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hub.crypto import Seal
from hub.demo.day import Day
from hub.demo.plant import QUOTE_FORM, Plant
from hub.silent import ask_for_silent
from hub.store import ledger_tables as l


@pytest.fixture
def day(database_url: str, bus_url: str | None, bus_prefix: str) -> Iterator[Day]:
    plant = Plant(
        port=0, database_url=database_url, bus_url=bus_url or "", bus_prefix=f"{bus_prefix}.", secret_key=Seal.generate_key()
    )
    plant.start()
    yield Day(plant, within=60)
    plant.stop()


def test_a_contract_whose_callbacks_never_came_is_found_signed(day: Day) -> None:
    """Both parties sign, every callback is lost; asking for what is silent finds it signed, and asking again finds nothing new."""
    day.quote_is_checked()
    plant = day.plant
    plant.crm.user_updates(QUOTE_FORM, day.record, {"状态": "已批准"})
    plant.until("the contract is at the platform", lambda: plant.sign.flows)
    plant.idle()
    flow = next(iter(plant.sign.flows))
    plant.sign.callbacks.hold = True
    for party in plant.sign.parties(flow):
        plant.sign.sign(flow, party)

    opened = plant.hub.registry.open("main", "sign")
    found = ask_for_silent(plant.store, opened, silent_for=timedelta(0))
    plant.idle()

    assert found == 1
    assert day._row(l.contracts, day.contract, "status") == "signed"
    assert ask_for_silent(plant.store, opened, silent_for=timedelta(0)) == 0
