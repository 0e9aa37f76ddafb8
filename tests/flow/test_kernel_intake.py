"""Everything that arrives is kept once, as it came, before it is answered."""

import asyncio
import threading
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from hub.core.errors import Malformed, Problem, Unavailable
from hub.intake import Intake
from hub.store import tables as t
from hub.store.sql import Store


def test_the_same_delivery_twice_is_kept_once(kernel: Any, told: Any) -> None:
    """A delivery that comes again is told apart, counted, and makes no second raw and no second fact."""
    first = kernel.raw("D-1", told.order("SO-1"))
    stored = [kernel.keep(first), kernel.keep(first), kernel.keep(first, first)]
    kernel.settle()

    assert [one.kind for group in stored for one in group] == ["new", "duplicate", "duplicate", "duplicate"]
    assert {one.id for group in stored for one in group} == {first.id}
    assert len(kernel.rows(t.raws)) == 1
    assert len(kernel.rows(t.duplicates)) == 3
    assert len(kernel.facts()) == 1


def test_twice_within_one_commit_is_kept_once(kernel: Any, told: Any) -> None:
    """Deliveries that share a commit may repeat each other."""
    one, two = kernel.raw("D-1", told.order("SO-1")), kernel.raw("D-2", told.order("SO-2"))
    assert [stored.kind for stored in kernel.keep(one, two, one)] == ["new", "new", "duplicate"]
    assert kernel.settle() == 2


def test_another_body_under_a_known_key_is_kept_and_parked(kernel: Any, told: Any) -> None:
    """A key that comes with another content overwrites nothing: both are there, and a person is asked about the second."""
    first, second = kernel.raw("D-1", told.order("SO-1", 10)), kernel.raw("D-1", told.order("SO-1", 99))
    kernel.keep(first)
    assert [one.kind for one in kernel.keep(second, second)] == ["conflict", "duplicate"]
    kernel.settle()

    assert {row["id"]: row["conflict"] for row in kernel.rows(t.raws)} == {first.id: False, second.id: True}
    assert kernel.outcome(second)["kind"] == "parked"
    assert kernel.outcome(second)["reason"]["about"] == {"key": "D-1", "first": first.id}
    assert [fact.data.amount for fact in kernel.facts()] == [10]


def test_one_key_may_be_used_by_many_connections_and_tenants(kernel: Any, told: Any) -> None:
    """Keys are a connection's own."""
    raws = [
        kernel.raw("D-1", told.order("SO-1")),
        kernel.raw("D-1", told.order("SO-1"), connection="mail"),
        kernel.raw("D-1", told.order("SO-1"), tenant="other"),
    ]
    assert [one.kind for one in kernel.keep(*raws)] == ["new"] * 3


@pytest.mark.parametrize("body", [b"\x00\xff\xfe", b"x" * 3_000_000, "枢纽".encode("gb18030")], ids=["binary", "huge", "gb18030"])
def test_a_body_comes_back_byte_for_byte(kernel: Any, body: bytes) -> None:
    """What is kept is what came."""
    kernel.keep(kernel.raw("D-1", body=body))
    (row,) = kernel.rows(t.raws)
    assert bytes(row["body"]) == body


def test_a_burst_shares_commits(kernel: Any, told: Any) -> None:
    """Deliveries that wait while a commit is under way are stored together by the next, and each gets its own answer."""
    commits: list[int] = []
    sa.event.listen(kernel.store.engine, "commit", lambda connection: commits.append(1))
    raws = [kernel.raw(f"D-{number}", told.order(f"SO-{number}")) for number in range(200)]
    kernel.intake.start()

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(kernel.intake.submit([raw]) for raw in raws))

    answers = asyncio.run(all_at_once())
    kernel.intake.stop()

    assert [answer[0].id for answer in answers] == [raw.id for raw in raws]
    assert {answer[0].kind for answer in answers} == {"new"}
    assert len(commits) < 100


async def _each(intake: Any, raws: list[Any]) -> list[Any]:
    return await asyncio.gather(*(intake.submit([raw]) for raw in raws), return_exceptions=True)


def test_a_delivery_that_cannot_be_stored_fails_alone(kernel: Any, told: Any) -> None:
    """Half a character in a key is refused; the deliveries beside it are stored, and so are those after it."""
    good = [kernel.raw(f"D-{number}", told.order(f"SO-{number}")) for number in range(3)]
    bad = msgspec.structs.replace(good[0], key="D-\ud800", id="raw_bad")
    kernel.intake.start()
    answers = asyncio.run(_each(kernel.intake, [good[0], bad, good[1]]))
    after = asyncio.run(_each(kernel.intake, [good[2]]))
    kernel.intake.stop()

    assert isinstance(answers[1], Malformed)
    assert [answers[0][0].kind, answers[2][0].kind, after[0][0].kind] == ["new"] * 3


def test_no_answer_is_given_for_what_is_not_stored(kernel: Any, told: Any) -> None:
    """Where the database is away a delivery is refused with `Unavailable`, and stored when it is sent again later."""
    raw = kernel.raw("D-1", told.order("SO-1"))
    away = threading.Event()
    away.set()

    def refuse(*_: object) -> None:
        if away.is_set():
            raise Unavailable(happened="the database does not answer", next="wait")

    sa.event.listen(kernel.store.engine, "before_cursor_execute", refuse)
    kernel.intake.start()
    (first,) = asyncio.run(_each(kernel.intake, [raw]))
    away.clear()
    (again,) = asyncio.run(_each(kernel.intake, [raw]))
    kernel.intake.stop()

    assert isinstance(first, Unavailable) and isinstance(first, Problem)
    assert again[0].kind == "new"


def test_doors_of_several_processes_take_the_same_delivery_once(kernel: Any, told: Any, size: str) -> None:
    """Many doors that store the same deliveries at the same time, in different orders, keep each of them once."""
    raws = [kernel.raw(f"D-{number}", told.order(f"SO-{number}")) for number in range(40)]
    stores = [Store(kernel.url) for _ in range(3)] if size == "distributed" else [kernel.store] * 3
    doors = [Intake(store) for store in stores]
    kinds: list[str] = []
    together = threading.Barrier(3)

    def send(door: Any, order: list[Any]) -> None:
        together.wait()
        for answer in asyncio.run(_each(door, order)):
            kinds.append(answer[0].kind if isinstance(answer, list) else "refused")

    for door in doors:
        door.start()
    threads = [
        threading.Thread(target=send, args=(door, order)) for door, order in zip(doors, [raws, raws[::-1], raws], strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for door in doors:
        door.stop()
    for store in set(stores) - {kernel.store}:
        store.close()

    assert len(kernel.rows(t.raws)) == 40
    assert kinds.count("new") == 40 and kinds.count("duplicate") == 80
    assert kernel.settle() == 40


def test_a_key_that_no_database_keeps_as_text_is_written_out(kernel: Any, told: Any) -> None:
    """A record whose id holds NUL or half a character stops nothing: it is kept under a readable key, and known again."""
    strange = [kernel.raw(key, told.order(f"SO-{number}")) for number, key in enumerate(("a\x00b", "a\\x00b", "a\ud800", "ok"))]

    stored = kernel.keep(*strange) + kernel.keep(*strange)
    kernel.settle()

    assert [one.kind for one in stored] == ["new"] * 4 + ["duplicate"] * 4
    kept = sorted(row["key"].partition("#")[0] for row in kernel.rows(t.raws))
    assert kept == ["a\\ud800", "a\\x00b", "a\\x00b", "ok"]
    assert len(kernel.facts()) == 4
