"""The parts of the bus that decide without a broker: the codec, the topics, what becomes of an event; and the memory bus's clock."""

import threading
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import from_type

from hub.bus import each
from hub.bus.bundles import MOST, bundled, joined, parted
from hub.bus.envelope import Envelope, decode, decode_data, encode, encode_data, opened
from hub.bus.handing import Again, Arrival, Aside, Handing
from hub.bus.memory import MemoryBus
from hub.bus.topics import SLOTS, bindings, homes, matches, routing_key, strangers
from hub.bus.topology import STEPS, step_for
from hub.core.errors import Invalid, Unreadable
from hub.core.event import decided
from hub.core.outcome import DONE, Later, Park
from hub.core.vocabulary import VOCABULARY, ActionResult, MatchProposed, Receipt, StockChanged

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)

exact = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4)
moments = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
words = st.text(st.characters(codec="utf-8"), max_size=20)
st.register_type_strategy(Decimal, exact)
st.register_type_strategy(datetime, moments)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(str, words)


def receipt(number, *, key=None, **fields):
    fact = Receipt(receipt=f"r{number}", booked_on=date(2026, 3, 2), amount=Decimal("12.30"), **fields)
    subject = f"r{number}"
    return decided(
        "receipt.received", tenant="acme", by="test", subject=subject, data=fact, occurred_at=MOMENT, once=subject, key=key
    )


def _facts(fact):
    """Any value of a fact; free-form fields hold what JSON can."""
    plain = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | words
    fields = {}
    for field in msgspec.structs.fields(fact):
        if field.name == "fields":
            fields[field.name] = st.dictionaries(words, plain)
        elif field.required:
            fields[field.name] = from_type(field.type)
        else:
            fields[field.name] = from_type(field.type) | st.nothing()
    return st.builds(fact, **fields)


@pytest.mark.parametrize("type_", ["receipt.received", "match.proposed", "stock.changed", "action.done", "quote.checked"])
def test_every_fact_comes_back_as_it_went(type_):
    """Encoding and decoding a fact gives an equal fact, whatever is in it."""

    @given(_facts(VOCABULARY[type_]))
    def check(fact):
        assert decode_data(type_, encode_data(fact)) == fact

    check()


def test_an_event_comes_back_as_it_went():
    """An event survives the way through bytes with its number, its recorded time and its typed data."""
    event = msgspec.structs.replace(receipt(1, memo="订金 🧾"), seq=2**53 + 1, recorded_at=MOMENT)

    envelope = encode(event)

    assert decode(envelope) == event
    assert opened(envelope.body) == envelope
    assert b'"12.30"' in envelope.body


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"id": 1}', b'{"tenant": "t"}', b"null", b"9" * 5000])
def test_bytes_that_are_no_event_are_unreadable(body):
    """Empty, cut off, wrongly encoded or foreign bytes raise `Unreadable` and nothing else."""
    with pytest.raises(Unreadable):
        opened(body)


def test_an_error_about_an_event_does_not_quote_it():
    """The reason names the field, not the value in it."""
    body = encode(receipt(1)).body.replace(b'"12.30"', b'"6222 0000 1234"')

    with pytest.raises(Unreadable) as caught:
        decode(opened(body))

    assert "amount" in str(caught.value)
    assert "6222" not in str(caught.value)


def test_a_type_of_a_newer_version_says_so():
    """An event of a type that is not in the vocabulary is readable as an envelope and refused as a fact."""
    body = encode(receipt(1)).body.replace(b"receipt.received", b"receipt.dreamt")

    with pytest.raises(Unreadable, match="does not know"):
        decode(opened(body))


_TYPES = ("receipt.received", "order.placed", "lead.created")


@given(st.lists(st.tuples(st.sampled_from(_TYPES), st.integers(0, 5)), max_size=300))
def test_bundles_hold_every_event_once_and_each_key_in_order(given_):
    """Whatever is published: nothing is lost or doubled, a bundle has one routing key, and a partition key's order stays."""
    events = [
        Envelope(tenant="t", id=str(number), seq=number, type=type_, key=f"k{key}", body=b'{"n":%d}' % number)
        for number, (type_, key) in enumerate(given_)
    ]

    order = [int(body[5:-1]) for _, bodies in bundled(events) for body in parted(joined(bodies))]

    assert sorted(order) == list(range(len(events)))
    for key in range(6):
        mine = [number for number in order if events[number].key == f"k{key}"]
        assert mine == sorted(mine)
    for words, bodies in bundled(events):
        assert len(bodies) <= MOST
        assert {routing_key(one.type, one.tenant, one.key) for one in events if one.body in bodies} == {words}


@given(st.binary(max_size=300))
def test_random_bytes_are_an_event_a_bundle_or_unreadable(body):
    """Whatever bytes come from a queue, they part into events or are `Unreadable`."""
    for start in (b"", b"[", b"[{},"):
        with suppress(Unreadable):
            assert all(isinstance(one, bytes) for one in parted(start + body))


@given(st.binary(max_size=300))
def test_random_bytes_only_ever_are_unreadable(body):
    """Whatever bytes come from a queue, the answer is an envelope or `Unreadable`."""
    with suppress(Unreadable):
        opened(body)


@pytest.mark.parametrize(
    ("pattern", "key", "covered"),
    [
        ("receipt.*", "receipt.received", True),
        ("receipt.*", "receipt", False),
        ("receipt.*", "receipt.received.s01", False),
        ("receipt.#", "receipt", True),
        ("receipt.#", "receipt.a.b.c", True),
        ("#", "anything.at.all", True),
        ("*.received", "receipt.received", True),
        ("#.s07", "receipt.received.s07", True),
        ("#.s07", "receipt.received.s08", False),
        ("receipt.received.*", "receipt.received.s03", True),
        ("receipt.received.*", "receipt.received", False),
        ("Receipt.*", "receipt.received", False),
    ],
)
def test_topic_patterns_cover_what_amqp_says(pattern, key, covered):
    """`*` is one word, `#` any number of words, everything else itself."""
    assert matches(pattern, key) is covered


@given(st.integers(1, SLOTS), words.filter(bool), words)
def test_each_key_belongs_to_exactly_one_shard(shards, key, tenant):
    """However many shards a queue has, one and only one of them is bound to a key's slot, and the others are unbound from it."""
    name = routing_key("receipt.received", tenant, key)

    takers = [n for n in range(shards) if any(matches(b, name) for b in bindings(["receipt.*"], n, shards))]

    assert len(takers) == 1
    for shard in range(shards):
        assert not set(bindings(["receipt.*"], shard, shards)) & set(strangers(["receipt.*"], shard, shards))


def test_a_key_keeps_its_slot_from_version_to_version():
    """The slot is part of what stands in the broker, so it must not change between processes or releases."""
    assert routing_key("receipt.received", "acme", "payer:1") == "receipt.received.s12"
    assert routing_key("receipt.received", "acme", "付款人:1") == "receipt.received.s06"


@pytest.mark.parametrize("shards", [0, -1, SLOTS + 1])
def test_a_number_of_shards_that_cannot_be_is_refused(shards):
    """Shards are counted from 1 to the number of slots."""
    with pytest.raises(Invalid):
        homes("payments", shards)


@given(st.integers(1, 10_000_000))
def test_a_delay_is_walked_in_steps_that_never_overshoot_but_by_the_shortest(milliseconds):
    """Going from step to step takes as long as asked, and no longer than the shortest step more."""
    walked = 0
    while walked < milliseconds:
        walked += step_for(milliseconds - walked)

    assert walked - milliseconds < STEPS[0]


def _arrivals(*events, tries=0):
    return [Arrival(envelope=encode(event), tries=tries) for event in events]


def _handing(handler):
    return Handing("payments", handler, now=lambda: 1000.0, patience=(1.0, 5.0))


def test_each_outcome_becomes_its_move():
    """Done is dealt with, Later comes back with its delay, Park is put aside with its reason."""
    handing = _handing(lambda events: [DONE, Later(after=3, why="closed"), Park(why="who?")])

    moves = handing.hand(_arrivals(receipt(1), receipt(2), receipt(3)))

    assert moves == [None, Again(after=3, tries=0, why="closed"), Aside(tries=0, why="who?")]


def test_an_event_that_came_too_early_is_not_shown():
    """An event whose time has not come goes back for the rest of it."""
    shown = []
    handing = _handing(lambda events: shown.extend(events) or [DONE] * len(events))
    early = Arrival(envelope=encode(receipt(1)), due=1002.5, tries=2, why="closed")

    moves = handing.hand([early, *_arrivals(receipt(2))])

    assert moves == [Again(after=2.5, tries=2, why="closed"), None]
    assert [event.id for event in shown] == [receipt(2).id]


@pytest.mark.parametrize(
    ("tries", "expected"), [(0, (Again, 1.0, 1)), (1, (Again, 5.0, 2)), (3, (Again, 5.0, 4)), (4, (Aside, None, 5))]
)
def test_the_wait_grows_with_the_tries_and_ends_in_the_parked_queue(tries, expected):
    """A raising handler is tried again after longer and longer, and not a sixth time."""

    def handler(events):
        raise RuntimeError("boom")

    (move,) = _handing(handler).hand(_arrivals(receipt(1), tries=tries))

    assert (type(move), getattr(move, "after", None), move.tries) == expected


def test_the_reason_of_a_raising_handler_does_not_quote_its_message():
    """A stranger's exception may hold a secret; its kind and place are enough to find it."""

    def handler(events):
        raise RuntimeError("token=hush")

    (move,) = _handing(handler).hand(_arrivals(receipt(1)))

    assert "RuntimeError" in move.why
    assert "hush" not in move.why


def test_what_follows_a_raising_event_of_the_same_key_waits_behind_it():
    """In a batch that raised, events of the failing one's key are not tried before it; those of other keys go on."""
    tried = []

    def handler(events):
        tried.extend(event.id for event in events if len(events) == 1)
        if any(event.id == receipt(1).id for event in events):
            raise RuntimeError("boom")
        return [DONE] * len(events)

    first, second, other = receipt(1, key="payer:1"), receipt(2, key="payer:1"), receipt(3, key="payer:2")
    moves = _handing(handler).hand(_arrivals(first, second, other))

    assert tried == [first.id, other.id]
    assert [type(move) for move in moves] == [Again, Again, type(None)]


def test_each_keeps_a_key_behind_its_first_event_that_waits():
    """A function of one event is not asked about the events behind one of the same key that it put off."""
    asked = []

    def one(event):
        asked.append(event.subject)
        return Later(after=2, why="closed") if event.subject == "r1" else DONE

    events = [encode(receipt(1, key="a")), encode(receipt(2, key="a")), encode(receipt(3, key="b"))]
    outcomes = each(one)(events)

    assert asked == ["r1", "r3"]
    assert [type(outcome) for outcome in outcomes] == [Later, Later, type(DONE)]
    assert outcomes[1].after == 2


class _SetClock:
    def __init__(self):
        self.moment = MOMENT

    def now(self):
        return self.moment

    def sleep(self, seconds):
        self.moment += timedelta(seconds=seconds)


def test_the_memory_bus_keeps_the_time_of_its_clock():
    """An event put off for an hour is there when the clock has gone an hour on, and not before."""
    clock, times = _SetClock(), []
    bus = MemoryBus(clock=clock)

    def handler(events):
        times.append(clock.now())
        return [Later(after=3600, why="closed")] * len(events) if len(times) == 1 else [DONE] * len(events)

    bus.subscribe("payments", "#", handler)
    bus.publish([encode(receipt(1))])
    bus.run(until_idle=True)
    clock.sleep(3599)
    bus.run(until_idle=True)
    assert len(times) == 1
    clock.sleep(1)
    bus.run(until_idle=True)

    assert times == [MOMENT, MOMENT + timedelta(hours=1)]


def test_what_a_handler_publishes_is_handled_in_the_same_run():
    """A handler may publish; the run is over when nothing is left."""
    bus, seen = MemoryBus(), []

    def handler(events):
        seen.extend(event.id for event in events)
        if len(seen) < 5:
            bus.publish([encode(receipt(len(seen)))])
        return [DONE] * len(events)

    bus.subscribe("payments", "#", handler)
    bus.publish([encode(receipt(0))])
    bus.run(until_idle=True)

    assert seen == [receipt(number).id for number in range(5)]


def test_a_stop_that_comes_before_the_run_is_not_forgotten():
    """Stopping a bus whose thread has not got that far yet stops it all the same."""
    bus = MemoryBus()
    bus.subscribe("payments", "#", lambda events: [DONE] * len(events))
    bus.stop()

    thread = threading.Thread(target=bus.run)
    thread.start()
    thread.join(10)

    assert not thread.is_alive()


def test_free_form_fields_and_evidence_survive():
    """Structures inside structures keep their types: shares, reasons with spans, supplies by day, plain dictionaries."""
    proposed = MatchProposed(match="m", receipt="r", lane="auto", probability=0.98)
    stock = StockChanged(sku="A-1", supplies=(), as_of=MOMENT)
    result = ActionResult(action="a", what="order.update", connection="crm", state="done", fields={"单号": ["1", {"深": True}]})

    for type_, fact in (("match.proposed", proposed), ("stock.changed", stock), ("action.done", result)):
        assert decode_data(type_, encode_data(fact)) == fact
