"""What every bus we ship must do, tried on each of them."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import uuid
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from hub.bus import each
from hub.bus.envelope import decode, encode
from hub.bus.kombu import KombuBus
from hub.bus.memory import MemoryBus
from hub.core.errors import Invalid, Unavailable
from hub.core.event import decided
from hub.core.outcome import DONE, Later, Park
from hub.core.vocabulary import OrderCancelled, Receipt
from hub.store import bus_tables
from hub.store.sql import Store

URL = os.environ.get("SHUNIU_TEST_BUS_URL", "amqp://guest:guest@127.0.0.1:5672//")
FAST = (0.05,)
PATIENT = 20.0


def receipt(number, *, key=None, seq=0):
    """A receipt as it is published; `number` tells it from the others."""
    fact = Receipt(receipt=f"r{number}", booked_on=date(2026, 3, 2), amount=Decimal("12.30"), memo="订金")
    return encode(msgspec.structs.replace(_event("receipt.received", f"r{number}", fact, key), seq=seq))


def cancelled(number, *, key=None):
    return encode(_event("order.cancelled", f"o{number}", OrderCancelled(order=f"o{number}"), key))


def _event(type_, subject, fact, key):
    moment = datetime(2026, 3, 2, 9, tzinfo=UTC)
    return decided(type_, tenant="acme", by="test", subject=subject, data=fact, occurred_at=moment, once=subject, key=key)


class Witness:
    """A handler that remembers what it was given and can be waited for."""

    def __init__(self, answer=lambda event, times: DONE):
        self.seen = []
        self.batches = []
        self._answer = answer
        self._changed = threading.Condition()

    def __call__(self, events):
        outcomes = []
        for event in events:
            with self._changed:
                self.seen.append(event)
                times = sum(1 for other in self.seen if other.id == event.id)
                self._changed.notify_all()
            outcomes.append(self._answer(event, times))
        self.batches.append(len(events))
        return outcomes

    @property
    def ids(self):
        return [event.id for event in self.seen]

    def wait_for(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.seen) >= count, PATIENT), f"{len(self.seen)} of {count} came"


class Broker:
    """Opens buses that share their queues, and removes those queues afterwards."""

    def __init__(self, kind, folder):
        self.kind = kind
        self.prefix = f"test-{uuid.uuid4().hex[:10]}."
        self.url = "embedded://" if kind == "embedded" else URL
        self.database = f"sqlite:///{folder}/bus.db"
        self.store = self._new_store() if kind == "embedded" else None
        self.buses = []

    def _new_store(self):
        store = Store(self.database)
        bus_tables.metadata.create_all(store.engine)
        return store

    def open(self, **options):
        options = {"patience": FAST, **options}
        if self.kind == "memory":
            bus = MemoryBus(patience=options["patience"])
        else:
            bus = KombuBus(options.pop("url", self.url), prefix=self.prefix, store=self.store, **options)
        self.buses.append(bus)
        return bus

    def close(self):
        for bus in self.buses:
            if self.kind != "memory":
                bus.remove()
            bus.close()
        if self.store:
            self.store.close()


def _need_rabbitmq():
    address = urlsplit(URL)
    try:
        socket.create_connection((address.hostname, address.port or 5672), timeout=2).close()
    except OSError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"RabbitMQ does not answer at {address.hostname}:{address.port}: {error}")


def _broker(kind, folder):
    if kind == "rabbitmq":
        _need_rabbitmq()
    broker = Broker(kind, folder)
    yield broker
    broker.close()


@pytest.fixture(params=["memory", "embedded", "rabbitmq"])
def broker(request, tmp_path):
    yield from _broker(request.param, tmp_path)


@pytest.fixture(params=["embedded", "rabbitmq"])
def durable(request, tmp_path):
    yield from _broker(request.param, tmp_path)


@contextmanager
def running(*buses):
    threads = [threading.Thread(target=bus.run) for bus in buses]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for bus in buses:
            bus.stop()
        for thread in threads:
            thread.join(PATIENT)
        assert not any(thread.is_alive() for thread in threads)


def test_each_queue_gets_the_types_it_asked_for(broker):
    """A pattern of words, one of several patterns, and # for everything decide what a queue is given."""
    bus, receipts, both, all_, none = broker.open(), Witness(), Witness(), Witness(), Witness()
    bus.subscribe("receipts", "receipt.*", receipts)
    bus.subscribe("both", ["order.cancelled", "receipt.received"], both)
    bus.subscribe("all", "#", all_)
    bus.subscribe("none", "receipt", none)

    bus.publish([receipt(1), cancelled(2)])
    bus.run(until_idle=True)

    assert receipts.ids == [receipt(1).id]
    assert both.ids == all_.ids == [receipt(1).id, cancelled(2).id]
    assert none.ids == []


def test_an_event_arrives_as_it_was_published(broker):
    """Envelope and typed data are the same on the other side: exact decimals, days, Chinese text."""
    bus, seen = broker.open(), Witness()
    bus.subscribe("all", "#", seen)

    bus.publish([receipt(1)])
    bus.run(until_idle=True)

    assert seen.seen == [receipt(1)]
    assert decode(seen.seen[0]).data.amount == Decimal("12.30")
    assert decode(seen.seen[0]).data.memo == "订金"


def test_many_events_come_in_batches_and_in_order(broker):
    """A handler is given many events at once, oldest first."""
    bus, seen = broker.open(), Witness()
    bus.subscribe("all", "#", seen)
    events = [receipt(number, seq=number) for number in range(500)]

    bus.publish(events)
    bus.run(until_idle=True)

    place = {event.id: event.seq for event in events}
    start = 0
    for size in seen.batches:
        batch = [place[id_] for id_ in seen.ids[start : start + size]]
        assert batch == sorted(batch)
        start += size
    assert sorted(place[id_] for id_ in seen.ids) == list(range(500))
    assert max(seen.batches) > 1


def test_a_key_stays_in_order_across_types_that_travel_apart(broker):
    """Facts of one partition key keep their order though their types have routing keys, and so bundles, of their own."""
    bus, seen = broker.open(), Witness()
    bus.subscribe("all", "#", seen)
    made = (receipt, cancelled)
    events = [made[number // 3 % 2](number, key=f"k{number % 7}") for number in range(400)]

    bus.publish(events)
    bus.run(until_idle=True)

    for key in range(7):
        mine = [event.id for event in events if event.key == f"k{key}"]
        assert [event.id for event in seen.seen if event.key == f"k{key}"] == mine


def test_many_events_are_few_messages(durable):
    """What is published together travels together, and is handled one event at a time all the same."""
    bus, seen = durable.open(), Witness()
    bus.subscribe("all", "#", seen)

    bus.publish([receipt(number, key="one") for number in range(200)])

    assert bus.depth("all") < 10
    bus.run(until_idle=True)
    assert len(seen.ids) == 200


def test_one_event_of_a_bundle_comes_again_alone(durable):
    """An event that is put off or parked leaves its bundle; those beside it are done once."""
    answers = {receipt(3).id: Later(after=0.0, why="not yet"), receipt(5).id: Park(why="ask somebody")}
    bus, seen = durable.open(), Witness(lambda event, times: answers.get(event.id, DONE) if times == 1 else DONE)
    bus.subscribe("all", "#", seen)

    bus.publish([receipt(number) for number in range(64)])
    bus.run(until_idle=True)

    assert sorted(Counter(seen.ids).values()) == [1] * 63 + [2]
    assert (bus.depth("all"), bus.parked("all")) == (0, 1)


def test_nothing_published_is_nothing_done(broker):
    """An empty publish and an event that no queue wants are both fine."""
    bus = broker.open()

    bus.publish([])
    bus.publish([receipt(1)])
    bus.run(until_idle=True)


def test_an_event_put_off_comes_back_to_its_own_queue_only(broker):
    """One queue says later; it sees the event again, once, and the other queue saw one copy."""
    bus, other = broker.open(), Witness()
    again = Witness(lambda event, times: Later(after=0.2, why="not yet") if times == 1 else DONE)
    bus.subscribe("again", "receipt.*", again)
    bus.subscribe("other", "receipt.*", other)
    end = Witness()
    bus.subscribe("end", "order.*", end)

    with running(bus):
        bus.publish([receipt(1), receipt(2)])
        again.wait_for(4)
        bus.publish([cancelled(1)])
        end.wait_for(1)
    bus.run(until_idle=True)

    assert sorted(again.ids) == sorted([receipt(1).id, receipt(2).id] * 2)
    assert sorted(other.ids) == sorted([receipt(1).id, receipt(2).id])


def test_later_waits_as_long_as_it_says(broker):
    """An event put off is not handed over before its time, and is after it."""
    bus, times_of = broker.open(), []

    def handler(events):
        times_of.append(datetime.now(UTC))
        return [Later(after=0.7, why="the bank is closed") if len(times_of) == 1 else DONE for _ in events]

    seen = Witness()
    bus.subscribe("slow", "#", lambda events: (handler(events), seen(events))[0])
    with running(bus):
        bus.publish([receipt(1)])
        seen.wait_for(2)

    assert 0.69 <= (times_of[1] - times_of[0]).total_seconds() < 3


def test_a_parked_event_waits_for_a_person(broker):
    """A parked event is out of the queue, counted, and comes back when somebody puts it back."""
    bus = broker.open()
    seen = Witness(lambda event, times: Park(why="no such customer") if times == 1 else DONE)
    bus.subscribe("payments", "#", seen)

    bus.publish([receipt(1)])
    bus.run(until_idle=True)
    assert (bus.depth("payments"), bus.parked("payments"), len(seen.seen)) == (0, 1, 1)
    assert bus.unpark("payments") == 1
    bus.run(until_idle=True)

    assert (bus.parked("payments"), len(seen.seen)) == (0, 2)


def test_a_poison_event_holds_nobody_up_and_is_parked_after_five_tries(broker):
    """A handler that raises for one event of a batch has the others handled, and the one parked in the end."""
    bus, tries, done = broker.open(), [], Witness()

    def one(event):
        if event.subject == "r3":
            tries.append(event.id)
            raise RuntimeError("card 6222 0000 is not a number")
        done([encode(event)])
        return DONE

    bus.subscribe("payments", "#", each(one))
    with running(bus):
        bus.publish([receipt(number) for number in range(6)])
        done.wait_for(5)
        bus.publish([cancelled(1)])
        done.wait_for(6)
        deadline = threading.Event()
        while bus.parked("payments") == 0 and not deadline.wait(0.05):
            assert len(tries) < 20

    assert {event.id for event in done.seen} >= {receipt(number).id for number in (0, 1, 2, 4, 5)}
    assert bus.parked("payments") == 1
    assert 5 <= len(tries) <= 6  # once more where it came in a batch, which is then handed over one by one


def test_a_handler_with_too_few_outcomes_loses_nothing(broker):
    """A handler that forgets an outcome has raised: the event stays and is parked in the end."""
    bus = broker.open(patience=(0.0,))
    bus.subscribe("payments", "#", lambda events: [])

    bus.publish([receipt(1)])
    bus.run(until_idle=True)
    bus.run(until_idle=True)

    assert bus.parked("payments") == 1


@pytest.mark.parametrize("pattern", ["", "receipt.", "rec*", "..", []])
def test_a_pattern_that_is_none_is_refused(broker, pattern):
    """A pattern that is not words, * and # between dots is refused before anything is declared."""
    with pytest.raises(Invalid):
        broker.open().subscribe("odd", pattern, Witness())


def test_events_of_a_key_stay_in_order_over_shards_and_processes(broker):
    """With four shards and two consumers at once, each key's events are handled once and in their order."""
    seen = Witness()
    buses = [broker.open()] if broker.kind == "memory" else [broker.open(), broker.open()]
    for bus in buses:
        bus.subscribe("payments", "receipt.*", seen, shards=4)
    events = [receipt(number, key=f"payer:{number % 23}") for number in range(600)]

    with running(*buses):
        for start in range(0, 600, 50):
            buses[0].publish(events[start : start + 50])
        seen.wait_for(600)

    for payer in range(23):
        mine = [event.id for event in seen.seen if event.key == f"payer:{payer}"]
        assert mine == [event.id for event in events if event.key == f"payer:{payer}"]


def test_an_event_outlives_the_bus_that_published_it(durable):
    """What was published is there for a bus that is opened later."""
    first = durable.open()
    first.subscribe("payments", "#", Witness(), shards=2)
    for number in range(10):
        first.publish([receipt(number)])
    first.close()

    second, seen = durable.open(), Witness()
    second.subscribe("payments", "#", seen, shards=2)
    assert second.depth("payments") == 10
    second.run(until_idle=True)

    assert sorted(seen.ids) == sorted(receipt(number).id for number in range(10))


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 2), (2, 1)])
def test_another_number_of_shards_loses_and_doubles_nothing(durable, before, after):
    """What a queue held before it was cut differently is handled, and what comes afterwards comes once."""
    first = durable.open()
    first.subscribe("payments", "#", Witness(), shards=before)
    first.publish([receipt(number) for number in range(20)])
    first.close()

    second, seen = durable.open(), Witness()
    second.subscribe("payments", "#", seen, shards=after)
    second.publish([receipt(number) for number in range(20, 60)])
    second.run(until_idle=True)

    assert sorted(seen.ids) == sorted(receipt(number).id for number in range(60))


def test_a_second_consumer_takes_over_when_the_first_stops(durable):
    """A queue has one consumer at a time; the one that waits goes on where the other stopped."""
    first_seen, second_seen = Witness(), Witness()
    first, second = durable.open(), durable.open()
    first.subscribe("payments", "#", first_seen)
    second.subscribe("payments", "#", second_seen)

    with ExitStack() as second_runs:
        with running(first):
            first.publish([receipt(1)])
            first_seen.wait_for(1)
            second_runs.enter_context(running(second))
            first.publish([receipt(2)])
            first_seen.wait_for(2)
        second.publish([receipt(3)])
        second_seen.wait_for(1)

    assert second_seen.ids == [receipt(3).id]


_VICTIM = """
    import sys, time
    from hub.bus.kombu import KombuBus
    from hub.core.outcome import DONE
    from hub.store import bus_tables
    from hub.store.sql import Store

    url, prefix, database = sys.argv[1:]
    bus = KombuBus(url, prefix=prefix, store=Store(database) if url == "embedded://" else None, batch=20)

    def handler(events):
        print(len(events), flush=True)
        if len(handled) == 1:
            time.sleep(600)
        handled.append(events)
        return [DONE] * len(events)

    handled = []
    bus.subscribe("payments", "#", handler)
    bus.run()
"""


def test_unacknowledged_events_come_back_first_and_in_order_after_a_kill(durable, tmp_path):
    """A consumer killed in the middle of its second batch loses nothing: the batch comes back, before what follows it."""
    bus, seen = durable.open(batch=20), Witness()
    bus.subscribe("payments", "#", seen)
    events = [receipt(number, key="one") for number in range(100)]
    bus.publish(events)
    script = tmp_path / "victim.py"
    script.write_text(textwrap.dedent(_VICTIM))
    root = str(Path(__file__).parents[2])
    command = [sys.executable, str(script), durable.url, durable.prefix, durable.database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ, "PYTHONPATH": root}) as victim:
        first = int(victim.stdout.readline())
        assert victim.stdout.readline()
        victim.send_signal(signal.SIGKILL)

    with running(bus):
        seen.wait_for(100 - first)

    assert seen.ids == [event.id for event in events[first:]]


def test_bytes_that_are_no_event_are_parked(durable):
    """What somebody else put into a queue is put aside and holds nobody up."""
    bus, seen = durable.open(), Witness()
    bus.subscribe("payments", "#", seen)
    connection = bus._connection()
    channel = connection.channel()
    channel.confirm_select()
    for body in (b"", b"not an event", b"\xff" * 300_000):
        message = channel.prepare_message(body, properties={"delivery_mode": 2})
        channel.basic_publish(message, exchange="", routing_key=f"{durable.prefix}payments")
    with suppress(TimeoutError):
        connection.drain_events(timeout=0.2)
    connection.release()

    bus.publish([receipt(1)])
    bus.run(until_idle=True)

    assert seen.ids == [receipt(1).id]
    assert bus.parked("payments") == 3


def test_an_event_of_many_megabytes_arrives_whole(durable):
    """Size alone stops nothing: a body larger than any frame or buffer comes as it went."""
    bus, seen = durable.open(), Witness()
    bus.subscribe("payments", "#", seen)
    fact = Receipt(receipt="r", booked_on=date(2026, 3, 2), amount=Decimal("1"), memo="款" * 1_500_000)
    large = encode(_event("receipt.received", "r", fact, None))

    bus.publish([receipt(1), large, receipt(2)])
    bus.run(until_idle=True)

    assert seen.seen == [receipt(1), large, receipt(2)]


def test_publishing_the_same_event_twice_hands_it_over_twice(durable):
    """The bus promises at least once and drops no doubles: who handles an event knows what it has seen."""
    bus, seen = durable.open(), Witness()
    bus.subscribe("payments", "#", seen)

    bus.publish([receipt(1), receipt(1)])
    bus.run(until_idle=True)

    assert seen.ids == [receipt(1).id] * 2


def test_publish_says_so_when_the_database_does_not_take_it(tmp_path):
    """An embedded publish that cannot be committed raises `Unavailable`, and nothing of it is kept."""
    broker = Broker("embedded", tmp_path)
    bus = broker.open(confirm_within=0.2)
    bus.subscribe("payments", "#", Witness())
    with broker.store.write_transaction() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON bus_messages BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )

    with pytest.raises(Unavailable):
        bus.publish([receipt(1)])

    assert bus.depth("payments") == 0
    broker.close()
