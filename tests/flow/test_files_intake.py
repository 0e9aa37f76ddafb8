"""Files that come in by an archive or a watched folder go the way of every file, each by itself and once."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.core.connector import Connector
from hub.core.errors import NotFound, Unreadable
from hub.core.event import Raw
from hub.files import Files, WatchedFolder
from hub.store import tables as t


class Rows:
    """Reads files of lines under a first line `rows`; a line `!` cannot be read."""

    def normalise(self, raw: Raw) -> list[Any]:
        return []

    def recognises(self, name: str, head: bytes) -> bool:
        return head.startswith(b"rows\n")

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        for number, line in enumerate(body.splitlines()[1:], 2):
            if line == b"!":
                raise Unreadable(happened="a row cannot be read", next="look at it", rule="row", pointer=f"line {number}")
            yield Raw(stream="rows", key=line.decode(), body=line)


def text(*rows: object) -> bytes:
    return "\n".join(["rows", *map(str, rows)]).encode()


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, body in files.items():
            archive.writestr(f"{name}.txt", body)
    return made.getvalue()


@pytest.fixture
def files(kernel: Any, register: Any) -> Files:
    connector: Connector = Rows()
    register.add(connector)
    return Files(kernel.store, register)


def settle(files: Files) -> None:
    while files.run_once():
        pass


# Archives


def test_each_file_of_an_archive_is_read_by_itself(files: Files, kernel: Any) -> None:
    """The archive's job tells their sums and which file became which job; one that nobody reads is told with its reason."""
    sent = files.accept("main", "march.zip", zipped(a=text(1, 2), b=text(2, 3), photo=b"\xff\xd8"))
    files.run_once()
    under_way = files.job("main", sent.id)
    settle(files)

    done = files.job("main", sent.id)

    assert (sent.state, under_way.state, done.state) == ("waiting", "reading", "read")
    assert (done.rows, done.new, done.duplicates) == (4, 3, 1)
    assert [(one.name, bool(one.file), (one.problem or {}).get("about", {}).get("rule")) for one in done.members or ()] == [
        ("a.txt", True, None),
        ("b.txt", True, None),
        ("photo.txt", False, "recognise"),
    ]
    assert len(kernel.rows(t.raws)) == 3


def test_the_same_archive_twice_changes_nothing(files: Files, kernel: Any) -> None:
    """Nor does a file of it by itself."""
    body = zipped(a=text(1, 2), b=text(3))
    first = files.accept("main", "march.zip", body)
    settle(files)

    again = files.accept("main", "other name.zip", body)
    alone = files.accept("main", "a.txt", text(1, 2))

    assert (again.id, again.again, again.state, alone.again) == (first.id, True, "read", True)
    assert not files.run_once()
    assert len(kernel.rows(t.raws)) == 3


def test_a_file_that_was_refused_in_an_archive_is_tried_again(files: Files, kernel: Any) -> None:
    """A connection that was made in between may read it."""
    body = zipped(a=text(1), photo=b"\xff\xd8")
    files.accept("main", "march.zip", body)
    settle(files)

    assert files.accept("main", "march.zip", body).state == "waiting"


def test_dying_while_an_archive_is_unpacked_doubles_nothing(files: Files, kernel: Any) -> None:
    """The next process unpacks it again: a file that is a job already stays that job."""
    sent = files.accept("main", "march.zip", zipped(a=text(1, 2), b=text(3)))
    inserts = [0]

    class Killed(BaseException):
        pass

    def die(connection: Any, statement: Any, *_rest: object) -> None:
        if isinstance(statement, sa.Insert) and statement.table is t.files:
            inserts[0] += 1
            if inserts[0] == 2:
                raise Killed

    sa.event.listen(kernel.store.engine, "before_execute", die)
    with pytest.raises(Killed):
        files.run_once()
    sa.event.remove(kernel.store.engine, "before_execute", die)
    settle(files)

    assert files.job("main", sent.id).new == 3
    assert len(kernel.rows(t.files)) == 3


def test_an_archive_is_refused_at_the_door(files: Files, kernel: Any) -> None:
    """What an archive says of itself is enough for that; an unknown connection too. Nothing is kept."""
    with pytest.raises(Unreadable, match="no file in the archive"):
        files.accept("main", "a.zip", zipped())
    with pytest.raises(NotFound):
        files.accept("main", "a.zip", zipped(a=text(1)), connection="nobody")

    assert kernel.rows(t.files) == []


# Reading


def test_rows_are_known_while_a_file_is_read(files: Files, kernel: Any) -> None:
    """A long file tells how many rows it has by now, before the first of them is kept."""
    job = files.accept("main", "long.txt", text(*range(4_500)))
    told: list[tuple[int, int]] = []

    def watch(connection: Any, statement: Any, *_rest: object) -> None:
        if isinstance(statement, sa.Update) and statement.table is t.files:
            now = files.job("main", job.id)
            told.append((now.rows, now.new))

    sa.event.listen(kernel.store.engine, "after_execute", watch)
    files.run_once()
    sa.event.remove(kernel.store.engine, "after_execute", watch)

    assert (2_000, 0) in told
    assert told == sorted(told)
    done = files.job("main", job.id)
    assert (done.state, done.rows, done.new) == ("read", 4_500, 4_500)


# The watched folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "in"


@pytest.fixture
def watched(files: Files, kernel: Any, folder: Path) -> "Watched":
    return Watched(files, kernel, folder)


class Watched:
    """A folder, and a clock that goes on between two looks."""

    def __init__(self, files: Files, kernel: Any, folder: Path) -> None:
        self.files, self.kernel, self.folder = files, kernel, folder
        self.restart()
        self.look()

    def restart(self) -> None:
        self.watching = WatchedFolder(self.kernel.store, self.files, self.folder, tenant="main", every=5.0)

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.watching.run_once()
            settle(self.files)
            self.kernel.clock.advance(6)

    def drop(self, name: str, body: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
        return path

    def there(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())


def test_a_dropped_file_is_read_and_moved(watched: Watched) -> None:
    """It is taken when two looks saw the same, and lies in `done` when all of it was read."""
    watched.drop("a.txt", text(1, 2))

    watched.look()
    first = len(watched.kernel.rows(t.files))
    watched.look(2)

    assert first == 0
    assert watched.there() == ["done/a.txt"]
    assert len(watched.kernel.rows(t.raws)) == 2


def test_a_file_that_still_grows_is_left(watched: Watched) -> None:
    """However often it is looked at."""
    for number in range(4):
        watched.drop("a.txt", text(*range(number + 1)))
        watched.look()

    assert watched.kernel.rows(t.files) == []
    watched.look(3)
    assert watched.there() == ["done/a.txt"]
    assert len(watched.kernel.rows(t.raws)) == 4


def test_a_look_is_not_taken_before_its_time(watched: Watched) -> None:
    """Two looks at the same moment saw the same, which says nothing."""
    watched.drop("a.txt", text(1))

    for _ in range(5):
        watched.watching.run_once()
        watched.kernel.clock.advance(1)

    assert watched.kernel.rows(t.files) == []


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("photo.jpg", b"\xff\xd8", "no connection recognises this file"),
        ("empty.txt", b"", "no connection recognises this file"),
        ("bad.txt", text(1, "!"), "line 3"),
        ("a.zip", zipped(), "no file in the archive"),
        ("b.zip", zipped(a=text(1), photo=b"\xff\xd8"), "photo.txt: no connection recognises"),
        ("nobody/a.txt", text(1), "no such connection"),
    ],
)
def test_a_refused_file_says_why(watched: Watched, name: str, body: bytes, reason: str) -> None:
    """It lies in `refused` with its reason beside it."""
    path = watched.drop(name, body)

    watched.look(3)

    refused = path.parent / "refused"
    assert sorted(one.name for one in refused.iterdir()) == [path.name, f"{path.name}.reason.txt"]
    assert reason in (refused / f"{path.name}.reason.txt").read_text(encoding="utf-8")


def test_a_file_over_the_limit_is_refused_by_name(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of it is read than the limit."""
    monkeypatch.setattr("hub.files.folder.FILE_BYTES", 100)
    watched.drop("huge.txt", text(*range(100)))

    watched.look(3)

    assert "larger than any statement" in (watched.folder / "refused" / "huge.txt.reason.txt").read_text(encoding="utf-8")


def test_the_same_file_again_changes_nothing(watched: Watched) -> None:
    """Under its name or another one; what is in `done` keeps the name it had."""
    for name in ("a.txt", "a.txt", "b.txt"):
        watched.drop(name, text(1, 2))
        watched.look(3)

    assert watched.there() == ["done/a-2.txt", "done/a.txt", "done/b.txt"]
    assert len(watched.kernel.rows(t.files)) == 1
    assert len(watched.kernel.rows(t.raws)) == 2


def test_a_restart_between_taking_and_moving_loses_nothing(watched: Watched) -> None:
    """The file is still there, is taken again, which changes nothing, and is moved."""
    watched.drop("a.txt", text(1, 2))
    watched.look(2)

    watched.restart()
    watched.look(3)

    assert watched.there() == ["done/a.txt"]
    assert len(watched.kernel.rows(t.files)) == 1


def test_a_folder_named_as_a_connection_is_that_one_s(watched: Watched, register: Any) -> None:
    """What it does not recognise is refused, whoever else would read it."""
    (connection,) = {one.id for one in register.connections("main")}
    good, bad = watched.drop(f"{connection}/a.txt", text(1)), watched.drop(f"{connection}/b.txt", b"other")

    watched.look(3)

    assert (good.parent / "done" / "a.txt").exists() and (bad.parent / "refused" / "b.txt").exists()


def test_what_is_no_finished_plain_file_is_left(watched: Watched, tmp_path: Path) -> None:
    """Links, pipes, hidden and half-written files are not touched."""
    secret = tmp_path / "secret.txt"
    secret.write_bytes(text("secret"))
    watched.drop(".hidden.txt", text(1))
    watched.drop("a.txt.part", text(1))
    watched.drop("~$a.txt", text(1))
    (watched.folder / "link.txt").symlink_to(secret)
    (watched.folder / "linked").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(watched.folder / "pipe.txt")

    watched.look(4)

    assert watched.kernel.rows(t.files) == []
    assert watched.there() == [".hidden.txt", "a.txt.part", "link.txt", "~$a.txt"]


def test_a_file_that_cannot_be_moved_stops_no_other(watched: Watched) -> None:
    """It is read once, said once in the log, and tried again at every look."""
    watched.drop("done", b"in the way")
    watched.drop("a.txt", text(1))
    watched.drop("photo.jpg", b"\xff\xd8")

    watched.look(5)

    assert watched.there() == ["a.txt", "done", "refused/photo.jpg", "refused/photo.jpg.reason.txt"]
    assert len(watched.kernel.rows(t.raws)) == 1
    (watched.folder / "done").unlink()
    watched.look(3)
    assert (watched.folder / "done" / "a.txt").exists()
