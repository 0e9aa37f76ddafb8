"""An effect happens once, a key's events in order, and what must wait holds up its own key only."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hub.core.errors import Invalid, NotFound, Unavailable
from hub.core.event import Event
from hub.core.outcome import DONE, Later, Outcome, Park
from hub.store import tables as t
from hub.store.work import Ask, Work
from hub.subscribers import one_by_one


class Part:
    """A subscriber that notes what it has done in its unit of work, and answers as it is told to."""

    def __init__(self, kernel: Any) -> None:
        self.answers: dict[str, list[Outcome | Exception]] = {}
        self.shown: list[str] = []
        self.subscribers, self.subscriber = kernel.handled_by("part", one_by_one(self.handle))
        self._kernel = kernel

    def handle(self, fact: Event, work: Work) -> Outcome:
        self.shown.append(fact.subject)
        work.ask(
            [Ask(connection="vendor", what="note.create", fields={}, once=f"{fact.id}|{len(self.shown)}", about=fact.subject)]
        )
        answer = next(iter(self.answers.get(fact.subject, [])), DONE)
        if self.answers.get(fact.subject):
            self.answers[fact.subject].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def receive(self, *facts: Event) -> None:
        self.subscribers.handle(self.subscriber, "main", facts)

    def done(self) -> list[str]:
        """What was committed, in order."""
        return [row["about"] for row in sorted(self._kernel.rows(t.actions), key=lambda row: row["place"])]

    def held(self) -> dict[str, str]:
        by_seq = {fact.seq: fact.subject for fact in self._kernel.facts()}
        return {by_seq[row["seq"]]: row["state"] for row in self._kernel.rows(t.held)}


@pytest.fixture
def part(kernel: Any) -> Part:
    return Part(kernel)


@pytest.fixture
def tasks(kernel: Any, told: Any) -> Callable[..., list[Event]]:
    """Recorded facts named like `a1`: the letter is their key."""
    return lambda *names: kernel.tell(*(told.task(name, name[0]) for name in names))


LATER = Later(after=10, why="not yet")


def test_what_is_delivered_again_is_done_once(part: Part, tasks: Any) -> None:
    """The same events, alone, in a batch, twice in one batch, have their effect once."""
    facts = tasks("a1", "b1", "a2")
    part.receive(*facts)
    part.receive(*facts, *facts)
    part.receive(facts[1])
    assert part.done() == ["a1", "b1", "a2"]


def test_an_effect_and_its_mark_are_one_commit(part: Part, tasks: Any, kernel: Any) -> None:
    """Where the handler raises, nothing that it wrote is kept."""
    facts = tasks("a1")
    part.answers["a1"] = [ValueError("a defect")] * 2
    part.receive(*facts)
    assert part.done() == []
    assert part.held() == {"a1": "later"}
    assert kernel.rows(t.seen) == []


def test_later_holds_up_its_own_key(part: Part, tasks: Any, kernel: Any) -> None:
    """Events behind one that must wait are kept, in order; the other keys go on. In time all of them are done, in order."""
    facts = tasks("a1", "b1", "a2", "b2", "a3")
    part.answers["a1"] = [LATER, LATER]
    part.receive(*facts[:4])
    part.receive(facts[4])
    assert part.done() == ["b1", "b2"]
    assert part.held() == {"a1": "later", "a2": "behind", "a3": "behind"}
    assert part.subscribers.run_due() == 0

    kernel.clock.advance(10)
    assert part.subscribers.run_due() == 1
    assert part.done() == ["b1", "b2", "a1", "a2", "a3"]
    assert part.held() == {}


def test_one_behind_may_have_to_wait_itself(part: Part, tasks: Any, kernel: Any) -> None:
    """What stood behind is asked in its turn, and may put off the rest again."""
    facts = tasks("a1", "a2", "a3")
    part.answers = {"a1": [LATER, LATER], "a2": [LATER, LATER]}
    part.receive(*facts)
    kernel.clock.advance(10)
    part.subscribers.run_due()
    assert part.done() == ["a1"]
    assert part.held() == {"a2": "later", "a3": "behind"}
    kernel.clock.advance(10)
    part.subscribers.run_due()
    assert part.done() == ["a1", "a2", "a3"]


def test_a_parked_event_waits_for_a_person(part: Part, tasks: Any, kernel: Any) -> None:
    """Time does not release it; a person does, and what stood behind it follows in order."""
    facts = tasks("a1", "a2", "b1", "a3")
    part.answers["a1"] = [Park(why="no such customer"), Park(why="no such customer")]
    part.receive(*facts)
    kernel.clock.advance(1_000_000)
    part.subscribers.run_due()
    assert part.held() == {"a1": "parked", "a2": "behind", "a3": "behind"}
    assert part.done() == ["b1"]

    part.subscribers.release("main", "part", facts[0].seq)
    assert part.done() == ["b1", "a1", "a2", "a3"]


def test_a_released_event_may_be_parked_again(part: Part, tasks: Any) -> None:
    """Releasing too early changes nothing but the count of tries."""
    facts = tasks("a1", "a2")
    part.answers["a1"] = [Park(why="x")] * 3
    part.receive(*facts)
    part.subscribers.release("main", "part", facts[0].seq)
    assert part.held() == {"a1": "parked", "a2": "behind"}
    assert part.done() == []


def test_events_of_a_held_key_that_come_again_stay_in_their_place(part: Part, tasks: Any, kernel: Any) -> None:
    """A redelivered batch neither overtakes what is held nor doubles it."""
    facts = tasks("a1", "a2", "b1")
    part.answers["a1"] = [LATER, LATER]
    part.receive(*facts)
    part.receive(*facts)
    assert part.held() == {"a1": "later", "a2": "behind"}
    kernel.clock.advance(10)
    part.subscribers.run_due()
    part.receive(*facts)
    assert part.done() == ["b1", "a1", "a2"]


def test_a_handler_that_raises_is_tried_again_and_then_parked(part: Part, tasks: Any, kernel: Any) -> None:
    """A defect is tried with growing pauses, at most eight times; its neighbours in the batch are done at once."""
    facts = tasks("b1", "a1", "c1")
    part.answers["a1"] = [ValueError("a defect")] * 99
    part.receive(*facts)
    assert part.done() == ["b1", "c1"]
    for _ in range(20):
        kernel.clock.advance(300)
        part.subscribers.run_due()
    assert part.held() == {"a1": "parked"}
    assert part.shown.count("a1") == 9  # once in the batch, then eight times alone
    (row,) = kernel.rows(t.held)
    assert "ValueError" in row["reason"]["why"] and "a defect" not in row["reason"]["why"]


def test_a_problem_of_the_handler_is_told(part: Part, tasks: Any, kernel: Any) -> None:
    """What a part says about an event is kept for whoever looks at it."""
    part.answers["a1"] = [Invalid(happened="there is no such quote", next="make it")] * 2
    part.receive(*tasks("a1"))
    (row,) = kernel.rows(t.held)
    assert row["reason"]["why"] == "there is no such quote. Next: make it"


def test_an_outage_is_nobodys_fault(part: Part, tasks: Any, kernel: Any) -> None:
    """Where the database is away the events are not held and no try is counted."""
    facts = tasks("a1")
    part.answers["a1"] = [Unavailable(happened="away", next="wait")]
    with pytest.raises(Unavailable):
        part.receive(*facts)
    assert part.held() == {}
    part.receive(*facts)
    assert part.done() == ["a1"]

    part.answers["a2"] = [LATER, LATER, Unavailable(happened="away", next="wait")]
    part.receive(*tasks("a2"))
    kernel.clock.advance(10)
    with pytest.raises(Unavailable):
        part.subscribers.run_due()
    assert kernel.rows(t.held)[0]["attempts"] == 1
    part.subscribers.run_due()
    assert part.done() == ["a1", "a2"]


def test_held_by_a_part_that_is_no_more_is_left_alone(part: Part, tasks: Any, kernel: Any) -> None:
    """Rows of a former subscriber wait for a person; they are not looked at again and again, nor in the way of others."""
    facts = tasks(*(f"{letter}1" for letter in "abcdefgh"))
    with kernel.store.work("main") as work:
        for fact in facts[:-1]:
            row = {"tenant": "main", "subscriber": "gone", "seq": fact.seq, "event": fact.id, "key": fact.key, "state": "later"}
            work.connection.execute(
                t.held.insert().values(**row, due_at=kernel.clock.now() - timedelta(days=1), attempts=1, at=kernel.clock.now())
            )
    part.answers["h1"] = [Later(after=0, why="x")] * 2
    part.receive(facts[-1])
    kernel.clock.advance(1)
    assert part.subscribers.run_due(limit=1) == 1
    assert part.done() == ["h1"]
    assert part.subscribers.run_due() == 0


def test_releasing_for_nobody_says_so(part: Part) -> None:
    """There must be such a subscriber; an event that is not held is no error, because another may have released it."""
    with pytest.raises(NotFound):
        part.subscribers.release("main", "nobody", 1)
    part.subscribers.release("main", "part", 7)


def test_two_who_release_the_same_event_do_it_once(kernel: Any, tasks: Any) -> None:
    """A person and the clock at the same moment: one effect, nothing left over, nothing parked."""
    inside, go_on = threading.Semaphore(0), threading.Event()
    first = [True]

    def handle(facts: Sequence[Event], work: Work) -> Sequence[Outcome]:
        if first:
            return [LATER] * len(facts)
        work.ask([Ask(connection="vendor", what="note.create", fields={}, once=facts[0].id + str(threading.get_ident()))])
        inside.release()
        go_on.wait(0.3)
        return [DONE] * len(facts)

    subscribers, one = kernel.handled_by("part", handle)
    facts = tasks("a1")
    subscribers.handle(one, "main", facts)
    first.clear()
    threads = [threading.Thread(target=subscribers.release, args=("main", "part", facts[0].seq)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kernel.clock.advance(1_000)
    subscribers.run_due()

    assert len(kernel.rows(t.actions)) == 1
    assert kernel.rows(t.held) == []
    assert len(kernel.rows(t.seen)) == 1


def test_two_tenants_do_not_wait_for_each_other(kernel: Any, told: Any) -> None:
    """The same key of another tenant is another key."""
    done: list[tuple[str, str]] = []

    def handle(facts: Sequence[Event], work: Work) -> Sequence[Outcome]:
        done.extend((work.tenant, fact.subject) for fact in facts)
        return [LATER if work.tenant == "main" else DONE for _ in facts]

    subscribers, one = kernel.handled_by("part", handle)
    for tenant in ("main", "other"):
        subscribers.handle(one, tenant, kernel.tell(told.task("a1", "a"), told.task("a2", "a"), tenant=tenant))
    assert len(kernel.rows(t.held)) == 2
    assert kernel.rows(t.held, tenant="other") == []
    assert len(kernel.rows(t.seen, tenant="other")) == 2


def test_the_store_is_asked_about_all_of_a_batch_at_once(kernel: Any, tasks: Any) -> None:
    """A batch of many events takes a handful of statements, not some for each."""
    subscribers, one = kernel.handled_by("part", lambda facts, work: [DONE] * len(facts))
    facts = tasks(*(f"{letter}{number}" for letter in "abcde" for number in range(20)))
    statements: list[str] = []
    sa.event.listen(kernel.store.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    subscribers.handle(one, "main", facts)
    assert len(statements) < 10
