"""Polling and files come in by the same path, and stop after any step without losing or doubling anything."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from hub.core.connector import Cursor, Page
from hub.core.errors import Invalid, NotFound, Problem, Unavailable, Unreachable, Unreadable
from hub.core.event import Raw
from hub.files import Files
from hub.poller import Poller
from hub.store import tables as t


class Pulled:
    """A connector with some pages of records; the cursor is the number of the last one."""

    def __init__(self, records: int = 10, page: int = 3) -> None:
        self.records, self.page = records, page
        self.fails: list[Exception | None] = []
        self.pulls: list[Cursor | None] = []

    def normalise(self, raw: Raw) -> list[Any]:
        return []

    def pull(self, stream: str, cursor: Cursor | None) -> Iterator[Page]:
        self.pulls.append(cursor)
        start = int(cursor.at) if cursor else 0
        while start < self.records:
            problem = self.fails.pop(0) if self.fails else None
            if problem is not None:
                raise problem
            end = min(start + self.page, self.records)
            raws = tuple(Raw(stream=stream, key=f"{stream}-{number}", body=b"[]") for number in range(start, end))
            yield Page(raws=raws, cursor=Cursor(at=str(end)), complete=end == self.records)
            start = end


class Rows:
    """A connector that reads files of lines; a line `!` cannot be read, a file of `?` makes it stumble."""

    def normalise(self, raw: Raw) -> list[Any]:
        return []

    def recognises(self, name: str, head: bytes) -> bool:
        return head.startswith(b"rows\n")

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        for number, line in enumerate(body.splitlines()[1:], 2):
            if line == b"!":
                raise Unreadable(happened="a row cannot be read", next="look at it", rule="row", pointer=f"line {number}")
            if line == b"?":
                raise KeyError("a defect")
            yield Raw(stream="rows", key=line.decode(), body=line)


class Poll:
    def __init__(self, kernel: Any, register: Any) -> None:
        self.told: list[tuple[str, Problem | None]] = []
        self.poller = Poller(
            kernel.store, register, went=lambda work, connection, problem: self.told.append((connection, problem))
        )
        self.kernel = kernel

    def keys(self) -> list[str]:
        with self.kernel.store.read_transaction() as connection:
            query = sa.select(t.raws.c.key).join(
                t.inbox, sa.and_(t.inbox.c.tenant == t.raws.c.tenant, t.inbox.c.raw == t.raws.c.id)
            )
            return list(connection.execute(query.order_by(t.inbox.c.place)).scalars())

    def cursor(self) -> Any:
        return self.kernel.rows(t.cursors)[0]["cursor"]


@pytest.fixture
def poll(kernel: Any, register: Any) -> Poll:
    return Poll(kernel, register)


def test_a_page_and_its_cursor_are_one_commit(poll: Poll, register: Any) -> None:
    """Dying while a page is stored leaves neither its raws nor its cursor; the next pull goes on from the page before."""
    connector = Pulled()
    register.add(connector, streams=["s"])
    commits = [0]

    class Killed(BaseException):
        pass

    def die(connection: Any, statement: Any, *_rest: object) -> None:
        if isinstance(statement, sa.Update) and statement.table is t.cursors:
            commits[0] += 1
            if commits[0] == 3:
                raise Killed

    sa.event.listen(poll.kernel.store.engine, "before_execute", die)
    with pytest.raises(Killed):
        poll.poller.run_once()
    assert poll.keys() == [f"s-{number}" for number in range(6)]
    assert poll.cursor()["at"] == "6"

    assert poll.poller.run_once() == 4
    assert connector.pulls[-1] == Cursor(at="6")
    assert poll.keys() == [f"s-{number}" for number in range(10)]


def test_a_vendor_that_fails_between_pages_loses_nothing(poll: Poll, register: Any) -> None:
    """The pages before the fault are kept and the connection is told of it; the next pull goes on there."""
    connector = Pulled()
    connector.fails = [None, Unreachable(happened="no route", next="wait"), None, None, None]
    register.add(connector, streams=["s"])
    poll.poller.run_once()
    assert poll.cursor()["at"] == "3"
    assert isinstance(poll.told[-1][1], Unreachable)
    assert poll.kernel.rows(t.cursors)[0]["problem"]["code"] == "unreachable"
    poll.kernel.clock.advance(60)
    poll.poller.run_once()
    assert poll.keys() == [f"s-{number}" for number in range(10)]
    assert poll.told[-1] == ("shop", None)


def test_from_the_start_again_doubles_nothing(poll: Poll, register: Any) -> None:
    """A backfill reads everything once more; nothing is kept twice and nothing counts as a duplicate delivery."""
    register.add(Pulled(), streams=["s"])
    poll.poller.run_once()
    assert poll.poller.run_once() == 0  # not due
    poll.poller.want("main", "shop", from_start=True)
    assert poll.poller.run_once() == 0
    assert len(poll.kernel.rows(t.raws)) == 10
    assert poll.kernel.rows(t.duplicates) == []


def test_one_broken_connector_stops_no_other(poll: Poll, register: Any) -> None:
    """A defect, a configuration that cannot be opened and a vendor that is away: the connection after them is pulled."""
    broken, away = Pulled(), Pulled()
    broken.fails = [KeyError("a defect")]
    away.fails = [Unreachable(happened="no route", next="wait")]
    register.add(broken, id_="a", streams=["s"])
    register.add(away, id_="b", streams=["s"])
    register.add(ValueError("cannot be built"), id_="c")
    register.add(Pulled(), id_="d", streams=["s"])
    assert poll.poller.run_once() == 10
    assert [(connection, problem.code if problem else None) for connection, problem in poll.told] == [
        ("a", "vendor-fault"), ("b", "unreachable"), ("c", "vendor-fault"), ("d", None),
    ]  # fmt: skip


def test_our_own_outage_is_told_of_no_connection(poll: Poll, register: Any) -> None:
    """Where our database is away, the poller stops and tries again; no connection is called failing."""
    connector = Pulled()
    register.add(connector, streams=["s"])
    connector.fails = [Unavailable(happened="away", next="wait")]
    with pytest.raises(Unavailable):
        poll.poller.run_once()
    assert poll.told == []
    assert poll.poller.run_once() == 10


def test_what_cannot_be_pulled_says_so(poll: Poll, register: Any) -> None:
    """A connector without streams, and a connection that is not there, are named."""
    register.add(Rows())  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        poll.poller.pull("main", "shop", "s")
    with pytest.raises(NotFound):
        poll.poller.pull("main", "nobody", "s")


# Files


@pytest.fixture
def files(kernel: Any, register: Any) -> Files:
    register.add(Rows())
    return Files(kernel.store, register)


def text(*rows: object) -> bytes:
    return "\n".join(["rows", *map(str, rows)]).encode()


def test_a_file_is_read_once(files: Files, kernel: Any) -> None:
    """Its rows come in order; the same file again changes nothing, and says that it was here before."""
    job = files.accept("main", "a.txt", text(*range(1_100)))
    assert (job.state, job.again) == ("waiting", False)
    assert files.run_once() and not files.run_once()
    again = files.accept("main", "other name.txt", text(*range(1_100)))
    assert (again.id, again.state, again.again) == (job.id, "read", True)
    assert not files.run_once()
    done = files.job("main", job.id)
    assert (done.rows, done.new, done.duplicates, done.conflicts) == (1_100, 1_100, 0, 0)
    assert kernel.settle() == 1_100


def test_two_files_may_overlap(files: Files, kernel: Any) -> None:
    """Rows that were known are counted, not doubled."""
    files.accept("main", "a.txt", text(*range(10)))
    second = files.accept("main", "b.txt", text(*range(5, 15)))
    while files.run_once():
        pass
    done = files.job("main", second.id)
    assert (done.rows, done.new, done.duplicates) == (10, 5, 5)
    assert len(kernel.rows(t.raws)) == 15


def test_a_file_that_breaks_in_the_middle_leaves_no_row(files: Files, kernel: Any) -> None:
    """It is refused as a whole, with the line; the file behind it is read."""
    bad = files.accept("main", "bad.txt", text(*range(700), "!", 1))
    good = files.accept("main", "good.txt", text("g"))
    while files.run_once():
        pass
    assert files.job("main", bad.id).state == "refused"
    assert "line 702" in str(files.job("main", bad.id).problem)
    assert files.job("main", good.id).state == "read"
    assert len(kernel.rows(t.raws)) == 1


def test_a_reader_that_stumbles_refuses_one_file(files: Files) -> None:
    """A defect of a reader is told as one, stops no other file, and the file may be sent again once it is mended."""
    bad = files.accept("main", "bad.txt", text("?"))
    files.accept("main", "good.txt", text("g"))
    while files.run_once():
        pass
    assert (files.job("main", bad.id).problem or {})["code"] == "defect"
    assert files.accept("main", "bad.txt", text("?")).state == "waiting"


def test_a_half_read_file_is_finished(files: Files, kernel: Any) -> None:
    """Dying between two groups of rows loses none and doubles none: the next process reads the file to its end."""
    job = files.accept("main", "a.txt", text(*range(1_200)))
    groups = [0]

    class Killed(BaseException):
        pass

    def die(connection: Any, statement: Any, *_rest: object) -> None:
        if isinstance(statement, sa.Update) and statement.table is t.files:
            groups[0] += 1
            if groups[0] == 3:
                raise Killed

    sa.event.listen(kernel.store.engine, "before_execute", die)
    with pytest.raises(Killed):
        files.run_once()
    assert files.job("main", job.id).state == "reading"
    assert len(kernel.rows(t.raws)) == 500

    assert files.run_once()
    done = files.job("main", job.id)
    assert (done.state, done.rows, done.new, done.duplicates) == ("read", 1_200, 1_200, 0)
    assert len(kernel.rows(t.raws)) == 1_200
    assert kernel.settle() == 1_200


def test_an_outage_refuses_no_file(files: Files, kernel: Any) -> None:
    """Where the database goes away while a file is read, the file is read again later."""
    job = files.accept("main", "a.txt", text(1, 2))
    left = [1]

    def refuse(connection: Any, cursor: Any, statement: str, *_rest: object) -> None:
        if "INSERT INTO raws" in statement and left[0]:
            left[0] -= 1
            raise Unavailable(happened="away", next="wait")

    sa.event.listen(kernel.store.engine, "before_cursor_execute", refuse)
    with pytest.raises(Unavailable):
        files.run_once()
    assert files.run_once()
    assert files.job("main", job.id).state == "read"


@pytest.mark.parametrize("body", [b"", b"\x00\x01", b"PK\x03\x04", b"row" * 100_000], ids=["empty", "binary", "zip", "huge"])
def test_a_file_that_nobody_reads_is_refused_at_the_door(files: Files, kernel: Any, body: bytes) -> None:
    """It is not kept, and the answer says what to do."""
    with pytest.raises(Unreadable):
        files.accept("main", "a.txt", body)
    assert kernel.rows(t.files) == []


def test_a_file_belongs_to_its_tenant(files: Files) -> None:
    """Another tenant sees neither the connection that reads it nor the file."""
    job = files.accept("main", "a.txt", text(1))
    with pytest.raises(Unreadable):
        files.accept("other", "a.txt", text(1))
    with pytest.raises(NotFound):
        files.job("other", job.id)
