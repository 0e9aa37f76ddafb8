"""Several processes over one PostgreSQL: one of them does what must be done once, and another takes over when it dies."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from hub.bus.envelope import Envelope
from hub.core.errors import Unavailable
from hub.relay import Relay
from hub.store import tables as t
from hub.store.outage import passes
from hub.store.sole import Sole
from hub.store.sql import Store
from hub.worker import Loop, Worker


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for it; fail where it does not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def cut(url: str) -> int:
    """End every session of the database, as a restart of the server does."""
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return len(connection.execute(query).fetchall())


@pytest.fixture
def stores(postgresql_url: str) -> Iterator[list[Store]]:
    """Two stores over one database, as two processes have them."""
    made = [Store(postgresql_url), Store(postgresql_url)]
    made[0].create_tables()
    made[0].add_tenant("main", name="main")
    yield made
    for store in made:
        store.close()


def test_one_of_two_processes_is_the_one(stores: list[Store]) -> None:
    """The second gets the right when the first gives it back."""
    first, second = (Sole(store, "pipeline") for store in stores)
    assert first.mine() and first.mine()
    assert not second.mine()
    assert Sole(stores[1], "relay").mine()  # another thing
    first.release()
    assert second.mine()
    assert not first.mine()
    second.release()


def test_the_right_ends_with_the_session(stores: list[Store], postgresql_url: str) -> None:
    """Whoever lost its session has lost the right, notices it when it asks, and does not think it is still the one."""
    first, second = (Sole(store, "pipeline") for store in stores)
    assert first.mine()
    cut(postgresql_url)
    until(second.mine)
    assert not first.mine()
    second.release()
    until(first.mine)
    first.release()


def test_a_dead_process_hands_over(stores: list[Store], postgresql_url: str) -> None:
    """A process that is killed while it is the one is followed by another at once."""
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        Sole(Store(postgresql_url), "pipeline").mine()
        os.write(told, b"x")
        time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    mine = Sole(stores[0], "pipeline")
    assert not mine.mine()
    os.kill(child, 9)
    os.waitpid(child, 0)
    until(mine.mine, 5)
    mine.release()


def test_a_bell_is_heard_in_the_other_process(stores: list[Store], postgresql_url: str) -> None:
    """It rings at the commit and not before, and is heard again after the listener's session was cut."""
    here, there = stores
    for round_ in range(2):
        since = there.bells.count("inbox")
        until(lambda: _rings(here, there))
        since = there.bells.count("inbox")
        with here.write_transaction() as connection:
            here.bells.ring_on_commit(connection, "inbox")
            assert there.bells.wait("inbox", since, 0.2) == since
        assert there.bells.wait("inbox", since, 5) > since
        if round_ == 0:
            cut(postgresql_url)


def _rings(here: Store, there: Store) -> bool:
    since = there.bells.count("inbox")
    try:
        with here.write_transaction() as connection:
            here.bells.ring_on_commit(connection, "inbox")
    except sa.exc.DBAPIError:
        return False
    return there.bells.wait("inbox", since, 0.5) > since


@pytest.mark.parametrize("size", ["distributed"])
def test_two_workers_compete_and_every_raw_has_one_outcome(kernel: Any, told: Any) -> None:
    """Two processes run every loop; raws come in meanwhile; each is understood once and its fact published in order."""
    others = [type(kernel)(kernel.url, made=True) for _ in range(2)]
    published: list[int] = []
    lock = threading.Lock()

    class Bus:
        def publish(self, envelopes: list[Envelope]) -> None:
            with lock:
                published.extend(envelope.seq for envelope in envelopes)

    workers = []
    for other in others:
        store = other.store
        loops = [
            Loop(store, "pipeline", other.pipeline.run_once, bell="inbox", rest=0.1, sole=Sole(store, "pipeline")),
            Loop(store, "relay", Relay(store, Bus()).run_once, bell="outbox", rest=0.1, sole=Sole(store, "relay")),  # type: ignore[arg-type]
        ]
        workers.append(Worker(loops))
        workers[-1].start()
    for number in range(30):
        kernel.keep(*(kernel.raw(f"D-{number}-{part}", told.order(f"SO-{number}-{part}")) for part in range(5)))
        if number in (10, 20):
            cut(kernel.url)
            kernel.store.engine.dispose()
    until(lambda: len(kernel.facts()) == 150 and not kernel.rows(t.outbox))
    assert all(worker.stop() for worker in workers)
    for other in others:
        other.close()

    assert len(kernel.rows(t.outcomes)) == 150
    first = list(dict.fromkeys(published))  # a relay that was cut may publish some of them again
    assert first == sorted(first) == [fact.seq for fact in kernel.facts()]


def test_a_loop_survives_an_outage(kernel: Any) -> None:
    """A step that meets an outage is tried again, a step that stumbles too; the loop ends when it is told to."""
    steps: list[str] = []
    problems: list[Exception] = [Unavailable(happened="away", next="wait"), ValueError("a defect"), ConnectionResetError()]

    def step() -> bool:
        steps.append("x")
        if problems:
            raise problems.pop(0)
        return False

    loop = Loop(kernel.store, "test", step, bell="test", rest=0.01)
    loop.start()
    until(lambda: len(steps) > 5)
    loop.stop()
    assert loop.join(5)


def test_an_outage_is_told_from_a_refusal(postgresql_url: str, tmp_path: Any) -> None:
    """A cut session, a deadlock and a full disk pass; a broken constraint, a missing table and a bad value do not."""
    store = Store(postgresql_url)
    store.create_tables()
    assert [passes(error) for error in _errors(store, "SELECT 1/0", "SELECT * FROM nothing", "SELECT 'x'::int")] == [False] * 3
    raised = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{}'; END $$"
    states = ("40P01", "53100", "57P01", "55P03", "08006", "23514", "22001")
    assert [passes(error) for error in _errors(store, *(raised.format(state) for state in states))] == [True] * 5 + [False] * 2
    with pytest.raises(sa.exc.DBAPIError) as caught, store.write_transaction() as connection:
        cut(postgresql_url)
        connection.execute(sa.text("SELECT 1"))
    assert passes(caught.value)
    store.close()

    small = Store(f"sqlite:///{tmp_path}/x.sqlite")
    small.create_tables()
    assert [passes(error) for error in _errors(small, "SELECT * FROM nothing", "INSERT INTO tenants (tenant) VALUES (NULL)")] == [
        False
    ] * 2
    with pytest.raises(sa.exc.OperationalError) as full, small.write_transaction() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql(
            "CREATE TABLE big AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n LIMIT 99999) SELECT x FROM n"
        )
    assert passes(full.value)
    small.close()


def _errors(store: Store, *statements: str) -> Iterator[Exception]:
    for statement in statements:
        with pytest.raises(sa.exc.DBAPIError) as caught, store.write_transaction() as connection:
            connection.exec_driver_sql(statement)
        yield caught.value
