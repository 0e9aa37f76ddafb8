"""What we ask of vendors is done once, in order for each thing, and what nobody knows is never repeated."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hub.actions import READ_STOCK, Actions, Vendor, patient
from hub.core.errors import (
    LoginRefused,
    NotFound,
    OutcomeUnknown,
    Problem,
    RateLimited,
    Unavailable,
    Unreachable,
    VendorFault,
    VendorRefused,
)
from hub.core.vocabulary import Supply
from hub.store import ledger_tables as l
from hub.store import tables as t
from hub.store.work import Ask, Work


def no(kind: type[Problem], **more: Any) -> Problem:
    return kind(happened="no", next="wait", **more)


class FakeVendor:
    """Says what it was told to say, and remembers what it was asked, by idempotency key."""

    def __init__(self) -> None:
        self.answers: list[str | Exception | Callable[[], str]] = []
        self.asked: list[tuple[str, str]] = []
        self.finding: list[Exception] = []
        self.idempotent = False
        self.told: list[Problem | None] = []

    # Finds

    def vendor(self, tenant: str, connection: str, what: str) -> Vendor:
        if self.finding:
            raise self.finding.pop(0)
        return Vendor(does=self, idempotent=self.idempotent, schedule=lambda attempts, id_: 10.0 if attempts < 3 else None)

    def went(self, work: Work, connection: str, problem: Problem | None) -> None:
        self.told.append(problem)

    # Writes, ReportsStock

    def write(self, what: str, fields: Mapping[str, object], *, idempotency_key: str) -> str:
        self.asked.append((str(fields.get("n")), idempotency_key))
        answer = self.answers.pop(0) if self.answers else "V-1"
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, str) else answer()

    def stock(self, skus: Sequence[str]) -> list[Supply]:
        self.asked.append((",".join(skus), ""))
        return [Supply(sku="A", warehouse="W", on_hand=7)]  # type: ignore[arg-type]

    def named(self) -> list[str]:
        return [name for name, _ in self.asked]


class Queue:
    """The action queue of the kernel, with one vendor behind it."""

    def __init__(self, kernel: Any) -> None:
        self.kernel, self.vendor = kernel, FakeVendor()
        self.actions = Actions(kernel.store, self.vendor, lease=timedelta(seconds=2))

    def ask(self, n: object, about: str | None = None, **more: Any) -> str:
        asked = Ask(connection="erp", what=more.pop("what", "note.create"), fields={"n": n}, once=str(n), about=about, **more)
        with self.kernel.store.work("main") as work:
            return str(work.ask([asked])[0])

    def run(self) -> int:
        count = 0
        while self.actions.run_once():
            count += 1
        return count

    def state(self, id_: str) -> str:
        (row,) = self.kernel.rows(t.actions, t.actions.c.id == id_)
        return str(row["state"])

    def results(self) -> list[tuple[str, str]]:
        return [(fact.type, fact.data.state) for fact in self.kernel.facts() if fact.type.startswith("action.")]


@pytest.fixture
def queue(kernel: Any) -> Queue:
    return Queue(kernel)


def test_an_action_is_done_once_and_told(queue: Queue) -> None:
    """It is asked with its id as the idempotency key; that it is done is a fact with the vendor's id of the record."""
    id_ = queue.ask(1, about="order:SO-1")
    assert queue.ask(1) == id_
    assert queue.run() == 1
    assert queue.vendor.asked == [("1", id_)]
    assert queue.state(id_) == "done"
    assert queue.results() == [("action.done", "done")]
    (fact,) = queue.kernel.facts()
    assert (fact.key, fact.data.record) == ("order:SO-1", "V-1")


def test_what_is_about_one_thing_goes_out_in_order(queue: Queue) -> None:
    """An action that must wait holds back those behind it about the same thing, and no others."""
    queue.vendor.answers = [no(Unreachable)]
    for n, about in ((1, "a"), (2, "a"), (3, "b"), (4, None), (5, None)):
        queue.ask(n, about)
    queue.run()
    assert queue.vendor.named() == ["1", "3", "4", "5"]
    queue.kernel.clock.advance(10)
    queue.run()
    assert queue.vendor.named() == ["1", "3", "4", "5", "1", "2"]


def test_an_end_of_any_kind_lets_the_next_one_go(queue: Queue) -> None:
    """Refused or unknown, what stood behind is tried: a person decides about the one, not about all."""
    queue.vendor.answers = [no(VendorRefused), no(OutcomeUnknown)]
    ids = [queue.ask(n, "a") for n in range(3)]
    queue.run()
    assert [queue.state(id_) for id_ in ids] == ["failed", "unknown", "done"]


def test_a_busy_vendor_is_not_a_failure(queue: Queue) -> None:
    """Being told to wait counts as no attempt, however often."""
    id_ = queue.ask(1, most_attempts=1)
    queue.vendor.answers = [no(RateLimited, after=5.0)] * 50
    for _ in range(51):
        assert queue.run() == 1
        assert queue.run() == 0
        queue.kernel.clock.advance(5)
    (row,) = queue.kernel.rows(t.actions)
    assert (queue.state(id_), row["attempts"]) == ("done", 1)


def test_a_vendor_that_fails_is_tried_by_its_schedule_and_then_given_up(queue: Queue) -> None:
    """Attempts are spread by the schedule; when it ends, the action has failed with the last reason."""
    id_ = queue.ask(1)
    queue.vendor.answers = [no(VendorFault), no(Unreachable), no(VendorFault)]
    for _ in range(5):
        queue.run()
        queue.kernel.clock.advance(10)
    assert len(queue.vendor.asked) == 3
    assert queue.state(id_) == "failed"
    assert queue.results() == [("action.failed", "failed")]


def test_a_question_may_be_asked_once_only(queue: Queue) -> None:
    """What is only useful now gives up after the attempts that it allows."""
    id_ = queue.ask(1, most_attempts=1)
    queue.vendor.answers = [no(Unreachable)]
    queue.run()
    assert queue.state(id_) == "failed"


def test_a_lost_answer_is_never_asked_for_again(queue: Queue) -> None:
    """Where a repeat could do it twice the outcome is unknown, and a person is told."""
    id_ = queue.ask(1)
    queue.vendor.answers = [no(OutcomeUnknown)]
    for _ in range(3):
        queue.run()
        queue.kernel.clock.advance(10_000)
        queue.actions.recover(all_started=True)
    assert len(queue.vendor.asked) == 1
    assert queue.state(id_) == "unknown"
    assert queue.results() == [("action.failed", "unknown")]


def test_a_lost_answer_is_asked_for_again_where_that_is_harmless(queue: Queue) -> None:
    """A vendor that knows our key is asked with the same one."""
    queue.vendor.idempotent = True
    queue.vendor.answers = [no(OutcomeUnknown)]
    id_ = queue.ask(1)
    queue.run()
    queue.kernel.clock.advance(10)
    queue.run()
    assert queue.vendor.asked == [("1", id_), ("1", id_)]
    assert queue.state(id_) == "done"


def test_a_defect_in_the_connector_leaves_the_outcome_unknown(queue: Queue) -> None:
    """Nobody knows whether the vendor was reached before it stumbled."""
    queue.vendor.answers = [KeyError("x")]
    id_ = queue.ask(1)
    queue.run()
    assert queue.state(id_) == "unknown"


def test_a_connection_that_cannot_be_opened_fails(queue: Queue) -> None:
    """A connector that stumbles while it is made has called nobody: the action has failed, and the next one is tried."""
    queue.vendor.finding = [KeyError("x")]
    ids = [queue.ask(1, "a"), queue.ask(2, "a")]
    queue.run()
    assert [queue.state(id_) for id_ in ids] == ["failed", "done"]


def test_a_refused_login_waits_for_a_person(queue: Queue) -> None:
    """Nothing was done and nothing is given up; the queue does not hammer the vendor meanwhile."""
    queue.vendor.answers = [no(LoginRefused)] * 3
    id_ = queue.ask(1)
    queue.run()
    queue.kernel.clock.advance(60)
    assert queue.run() == 0
    queue.kernel.clock.advance(240)
    assert queue.run() == 1
    assert queue.state(id_) == "waiting"


@pytest.mark.parametrize(("idempotent", "state"), [(True, "waiting"), (False, "unknown")])
def test_the_worker_died_in_between(queue: Queue, idempotent: bool, state: str) -> None:
    """An action that was started and never finished is repeated where that is harmless, and unknown where it is not."""
    queue.vendor.idempotent = idempotent
    id_ = queue.ask(1)
    assert queue.actions._claim() is not None
    assert queue.actions.recover() == 0  # its lease runs: somebody may be at work on it
    queue.kernel.clock.advance(3)
    assert queue.actions.recover() == 1
    assert queue.state(id_) == state
    assert queue.actions.recover(all_started=True) == 0


def test_an_embedded_hub_recovers_at_once(queue: Queue) -> None:
    """At its start nobody else can be at work."""
    id_ = queue.ask(1)
    queue.actions._claim()
    assert queue.actions.recover(all_started=True) == 1
    assert queue.state(id_) == "unknown"


def test_an_answer_that_comes_after_the_lease_settles_nothing_twice(queue: Queue) -> None:
    """A slow call whose action was recovered and claimed again meanwhile changes nothing of the second attempt."""
    queue.vendor.idempotent = True
    id_ = queue.ask(1)
    slow = queue.actions._claim()
    queue.kernel.clock.advance(3)
    queue.actions.recover()
    queue.kernel.clock.advance(10)
    queue.actions._claim()
    queue.actions._finish(slow, "V-slow", [], None)  # type: ignore[arg-type]
    assert queue.state(id_) == "started"
    assert queue.results() == []


def test_a_paused_connection_is_asked_nothing(queue: Queue) -> None:
    """Its actions wait, others go on, and go out in order once it is no longer paused."""
    with queue.kernel.store.work("main") as work:
        row = {
            "tenant": "main",
            "id": "erp",
            "connector": "x",
            "title": "",
            "settings": {},
            "sealed": {},
            "allow": [],
            "paused": True,
        }
        work.connection.execute(t.connections.insert().values(**row, state="ok", version=1, changed_at=queue.kernel.clock.now()))
        work.ask([Ask(connection="chat", what="note.create", fields={"n": "chat"}, once="1")])
    queue.ask(1, "a")
    queue.ask(2, "a")
    queue.run()
    assert queue.vendor.named() == ["chat"]
    with queue.kernel.store.work("main") as work:
        work.connection.execute(t.connections.update().where(t.connections.c.tenant == "main").values(paused=False))
    queue.run()
    assert queue.vendor.named() == ["chat", "1", "2"]


def test_our_own_outage_is_not_the_vendors(queue: Queue) -> None:
    """Where the connection cannot be looked up now, the action waits uncounted, and the connection is not called failing."""
    id_ = queue.ask(1, most_attempts=1)
    queue.vendor.finding = [no(Unavailable)]
    queue.run()
    assert (queue.state(id_), queue.vendor.asked, queue.vendor.told) == ("waiting", [], [])
    queue.kernel.clock.advance(1)
    queue.run()
    assert queue.state(id_) == "done"


def test_a_connection_that_is_no_more_fails(queue: Queue) -> None:
    """An action for nobody ends, and says why."""
    id_ = queue.ask(1)
    queue.vendor.finding = [no(NotFound)] * 9
    queue.run()
    assert queue.state(id_) == "failed"


def test_the_answer_is_kept_until_the_database_is_back(queue: Queue) -> None:
    """A vendor has done it, and the database is away at that moment: the answer is recorded as soon as it is back."""
    id_ = queue.ask(1)
    left = [3]

    def refuse(connection: Any, statement: Any, *_rest: object) -> None:
        if queue.vendor.asked and isinstance(statement, sa.Update) and left[0]:
            left[0] -= 1
            raise no(Unavailable)

    sa.event.listen(queue.kernel.store.engine, "before_execute", refuse)
    assert queue.run() == 1
    assert left == [0]
    assert queue.state(id_) == "done"
    assert len(queue.vendor.asked) == 1


def test_an_answer_that_cannot_be_recorded_is_not_asked_for_for_ever(queue: Queue) -> None:
    """An id that no database can hold leaves the outcome unknown; the queue goes on."""
    queue.vendor.answers = ["V-\ud800"]
    ids = [queue.ask(1, "a"), queue.ask(2, "a")]
    queue.run()
    assert [queue.state(id_) for id_ in ids] == ["unknown", "done"]


def test_reading_stock_makes_facts(queue: Queue) -> None:
    """The answer to the one question among the actions is recorded, also for what there is none of."""
    with queue.kernel.store.work("main") as work:
        work.ask([Ask(connection="erp", what=READ_STOCK, fields={"skus": ["A", "B"]}, once="1")])
    queue.run()
    told = {fact.subject: fact.data.supplies for fact in queue.kernel.facts() if fact.type == "stock.changed"}
    assert {sku: [int(one.on_hand) for one in supplies] for sku, supplies in told.items()} == {"A": [7], "B": []}
    assert [row["sku"] for row in queue.kernel.rows(l.supplies)] == ["A"]


def test_many_workers_carry_out_each_action_once(queue: Queue) -> None:
    """Threads that take from the queue at the same time never take the same action, and keep the order about one thing."""
    ids = [queue.ask(n, f"about {n % 3}") for n in range(60)]
    calls = threading.Lock()
    vendor, write = queue.vendor, queue.vendor.write

    def one_at_a_time(*told: Any, **named: Any) -> str:
        with calls:
            return write(*told, **named)

    vendor.write = one_at_a_time  # type: ignore[method-assign]
    threads = [threading.Thread(target=queue.run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.run()
    assert sorted(key for _, key in vendor.asked) == sorted(ids)
    for about in range(3):
        assert [n for n in map(int, vendor.named()) if n % 3 == about] == list(range(about, 60, 3))


def test_patience_grows_and_ends() -> None:
    """The usual schedule doubles up to five minutes, is the same for the same action, and gives up after twenty attempts."""
    waits = [patient(attempts, "act_1") for attempts in range(1, 21)]
    assert waits == [patient(attempts, "act_1") for attempts in range(1, 21)]
    assert waits[-1] is None
    assert all(0.875 * min(2.0**n, 300) <= wait <= 1.125 * min(2.0**n, 300) for n, wait in enumerate(waits[:-1], 1) if wait)
    assert 3_600 < sum(wait or 0 for wait in waits) < 7_200
