"""The manufacturer's day at both sizes: the same steps over SQLite with the embedded bus, and over PostgreSQL with RabbitMQ."""

from collections.abc import Iterator

import pytest

from hub.crypto import Seal
from hub.demo.day import Day
from hub.demo.plant import Plant


@pytest.fixture
def day(database_url: str, bus_url: str | None, bus_prefix: str) -> Iterator[Day]:
    plant = Plant(
        port=0, database_url=database_url, bus_url=bus_url or "", bus_prefix=f"{bus_prefix}.", secret_key=Seal.generate_key()
    )
    plant.start()
    yield Day(plant, within=60)
    plant.stop()


@pytest.mark.timeout(120)
def test_a_whole_day_comes_out_as_it_must(day: Day) -> None:
    """Every step of the day holds, the books balance, and the ledger rebuilt from the events is the same."""
    said = [play() for _, play in day.steps()]

    assert len(said) == 8
    assert "缺 2" in said[0]
    assert "只记一次已签署" in said[1]
    assert "哈希一致" in said[7]
