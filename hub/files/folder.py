"""A folder that is watched: whoever can write into it sends files without knowing the API.

A file in it goes to whichever connection recognises it, one in a folder named as a connection to that connection. It is taken
once it did not change between two looks, and moved when it was read: to `done`, or to `refused` with a `.reason.txt` beside it.
Nothing is remembered but what lies there: a file that is still there after a restart is taken again, which changes nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from hub.core.errors import Problem, TooLarge, Unavailable
from hub.files.jobs import Files
from hub.files.limits import FILE_BYTES, file_name
from hub.store.sql import Store

log = structlog.get_logger("files")

DONE, REFUSED = "done", "refused"
# What programs write while they are not finished yet.
_UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart")
_Seen = tuple[int, int, int]


class WatchedFolder:
    """Takes what is dropped into a folder of the main tenant."""

    def __init__(self, store: Store, files: Files, folder: Path, *, tenant: str, every: float) -> None:
        self._store = store
        self._files = files
        self._folder = folder
        self._tenant = tenant
        self._every = timedelta(seconds=every)
        self._looked_at: datetime | None = None
        self._seen: dict[Path, _Seen] = {}
        self._taken: dict[Path, tuple[_Seen, str]] = {}
        self._stuck: set[Path] = set()

    def run_once(self) -> int:
        """Look, if it is time to; returns how many files were moved."""
        now = self._store.clock.now()
        if self._looked_at is not None and now < self._looked_at + self._every:
            return 0
        self._looked_at = now
        self._folder.mkdir(parents=True, exist_ok=True)
        there = {path: seen for path, seen, _ in self._there()}
        moved = sum(self._go_on(path, seen, of) for path, seen, of in self._there() if self._seen.get(path) == seen)
        self._seen = there
        self._taken = {path: taken for path, taken in self._taken.items() if path in there}
        self._stuck &= set(there)
        return moved

    # --- inside ---------------------------------------------------------------------------------------------------

    def _there(self) -> Iterator[tuple[Path, _Seen, str | None]]:
        """Every file that may be one of a bank, what it looks like now, and the connection whose folder it lies in."""
        for entry in sorted(self._folder.iterdir()):
            if entry.name in (DONE, REFUSED) or entry.name.startswith("."):
                continue
            if entry.is_dir() and not entry.is_symlink():
                within = sorted(one for one in entry.iterdir() if one.name not in (DONE, REFUSED))
                yield from ((path, seen, entry.name) for path in within if (seen := _looks(path)))
            elif seen := _looks(entry):
                yield entry, seen, None

    def _go_on(self, path: Path, seen: _Seen, connection: str | None) -> bool:
        """Take the file, or move it where its reading has ended. True where it was moved."""
        try:
            taken = self._taken.get(path)
            if taken is None or taken[0] != seen:
                job = self._files.accept(self._tenant, file_name(path.name), _read(path), connection=connection)
                self._taken[path] = (seen, job.id)
                log.info("file.taken", file=path.name, job=job.id, again=job.again)
                return False
            job = self._files.job(self._tenant, taken[1])
            if job.state == "read" and not (left := [one for one in job.members or () if one.problem]):
                _move(path, DONE)
            elif job.state == "read":
                _refuse(path, [f"{one.name}: {_sentence(one.problem or {})}" for one in left])
            elif job.state == "refused":
                _refuse(path, [_sentence(job.problem or {})])
            else:
                return False
        except Unavailable:
            raise  # that is about us, not about the file
        except Problem as problem:
            return self._turn_away(path, problem)
        except OSError as error:
            return self._is_stuck(path, error)
        return True

    def _turn_away(self, path: Path, problem: Problem) -> bool:
        try:
            _refuse(path, [str(problem)])
        except OSError as error:
            return self._is_stuck(path, error)
        log.warning("file.refused", file=path.name, why=problem.happened)
        return True

    def _is_stuck(self, path: Path, error: OSError) -> bool:
        if path not in self._stuck:  # one line, however often it is looked at
            log.warning("file.stuck", file=path.name, why=error.strerror or type(error).__name__)
            self._stuck.add(path)
        return False


def _looks(path: Path) -> _Seen | None:
    """Size, time of change and number of a plain file that is finished by its name; nothing for anything else."""
    if path.name.startswith((".", "~$")) or path.name.lower().endswith(_UNFINISHED):
        return None
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _read(path: Path) -> bytes:
    """The file's bytes; a link that took its place is not followed. Raises `TooLarge`."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as source:
        body = source.read(FILE_BYTES + 1)
    if len(body) > FILE_BYTES:
        raise TooLarge(
            happened="the file is larger than any statement", next=f"send at most {FILE_BYTES >> 20} MiB", file=path.name
        )
    return body


def _free(path: Path, to: str) -> Path:
    """A name in a folder beside the file that nothing has there yet."""
    folder = path.parent / to
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    return target


def _move(path: Path, to: str) -> None:
    path.rename(_free(path, to))


def _refuse(path: Path, reasons: list[str]) -> None:
    target = _free(path, REFUSED)
    # The reason first: whoever finds the file there finds why.
    target.with_name(f"{target.name}.reason.txt").write_text("\n".join(reasons) + "\n", encoding="utf-8")
    path.rename(target)


def _sentence(problem: dict[str, Any]) -> str:
    about = ", ".join(f"{name} {value}" for name, value in problem.get("about", {}).items())
    return f"{problem.get('happened', 'refused')}{f' ({about})' if about else ''}. Next: {problem.get('next', 'look at it')}"
