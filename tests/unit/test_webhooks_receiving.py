"""The parts of the door alone: the quarantine's shelf, the rate, the waits."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from hub.store import tables as t
from hub.store.sql import Store
from webhooks.receiving import Quarantined, keep_in
from webhooks.receiving.patience import Patience
from webhooks.receiving.quarantine import masked
from webhooks.receiving.rate import Bucket

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def refused(connection: str, place: int) -> Quarantined:
    return Quarantined(
        tenant="acme",
        connection=connection,
        verdict="refused",
        reason={"code": "stale", "happened": "old", "next": "look", "about": {}},
        method="POST",
        query="nonce=1",
        headers={"x-a": "b"},
        body=b"\x00%d" % place,
        received_at=AT,
        bytes_left_out=7,
    )


def test_the_shelf_keeps_the_newest_of_each_connection(tmp_path: Path) -> None:
    """Older ones of a noisy connection make room; a quiet connection's are not touched."""
    store = Store(f"sqlite:///{tmp_path / 'hub.db'}")
    store.create_tables()
    store.add_tenant("acme", name="Acme")
    keep = keep_in(store, newest=3)

    keep([refused("quiet", 0)])
    for start in (0, 4):
        keep([refused("noisy", start + place) for place in range(4)])

    with store.read_transaction() as connection:
        rows = connection.execute(sa.select(t.quarantine).order_by(t.quarantine.c.place)).mappings().all()
    assert [(row["connection"], row["body"]) for row in rows] == [
        ("quiet", b"\x000"),
        ("noisy", b"\x005"),
        ("noisy", b"\x006"),
        ("noisy", b"\x007"),
    ]
    reason = rows[0]["reason"]
    reason = json.loads(reason) if isinstance(reason, str) else reason
    assert (reason["code"], reason["verdict"], reason["query"], reason["bytes_left_out"]) == ("stale", "refused", "nonce=1", 7)
    assert rows[0]["received_at"] == AT


@given(
    per_second=st.floats(0.01, 1000),
    burst=st.integers(1, 50),
    steps=st.lists(st.floats(0, 5), min_size=1, max_size=200),
)
def test_a_rate_lets_no_more_in_than_it_says(per_second: float, burst: int, steps: list[float]) -> None:
    """In any window at most the burst and what the rate adds; after the wait it names, one more goes in."""
    bucket = Bucket(per_second=per_second, burst=burst)
    now, let_in = 100.0, 0

    for step in steps:
        now += step
        let_in += bucket.wait(now) == 0

    assert let_in <= burst + (now - 100.0) * per_second + 1e-6
    wait = bucket.wait(now)
    assert wait == 0 or bucket.wait(now + wait + 1e-6) == 0


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    """Time standing still or running backwards adds no allowance."""
    bucket = Bucket(per_second=1, burst=1)
    bucket.wait(100)

    assert bucket.wait(50) > 0
    assert bucket.wait(100) > 0
    assert bucket.wait(101) == 0


def test_a_wait_ends_with_a_timeout_and_others_go_on() -> None:
    """The one that takes too long gets `TimeoutError`; one that ends in time hears nothing, and a cancelled one is cancelled."""
    patience = Patience()

    async def hang(seconds: float) -> None:
        with patience.wait(seconds):
            await asyncio.Event().wait()

    async def quick() -> str:
        with patience.wait(30):
            await asyncio.sleep(0)
        return "done"

    async def together() -> list[object]:
        hanging = asyncio.create_task(hang(30))
        first = await asyncio.gather(hang(0.01), quick(), hang(0.02), return_exceptions=True)
        hanging.cancel()
        return [*first, *await asyncio.gather(hanging, return_exceptions=True)]

    for _ in range(2):  # the second time in another event loop
        results = asyncio.run(together())
        assert [type(result) for result in results] == [TimeoutError, str, TimeoutError, asyncio.CancelledError]


def test_an_error_inside_a_wait_is_itself() -> None:
    """Only the wait's own end becomes a timeout."""

    async def fail() -> None:
        with Patience().wait(5):
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        asyncio.run(fail())


def test_a_doubled_header_is_shown_with_both_values() -> None:
    """What a person looks at in the quarantine is what came, without secrets."""
    shown = masked([("x-sig", "a"), ("x-sig", "b"), ("x-api-key", "s"), ("authorization", "s")])

    assert shown == {"x-sig": "a\nb", "x-api-key": "***", "authorization": "***"}
