"""Processes made by forking one that has imported everything: a life begins in milliseconds.

The process that forks has one thread and no connection to anything, so a child inherits nothing that two could use.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec


class Child:
    """A forked process that runs `act` and ends with status 0, or 1 where it raised."""

    def __init__(self, act: Callable[[], object], *, log: Path | None = None) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _run(act, log)
        self._door = os.pidfd_open(self.pid)

    def wait(self, seconds: float) -> int | None:
        """How it ended (the signal's number below zero, as `subprocess` says it), or `None` while it lives."""
        if not select.select([self._door], [], [], seconds)[0]:
            return None
        _, status = os.waitpid(self.pid, 0)
        os.close(self._door)
        return os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        """End it now."""
        signal.pidfd_send_signal(self._door, signal.SIGKILL)
        self.wait(10)


def _run(act: Callable[[], object], log: Path | None) -> None:
    status = 1
    try:
        if log is not None:
            place = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(place, 1)
            os.dup2(place, 2)
        act()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


class Task:
    """Something worked out in a process of its own."""

    def __init__(self, act: Callable[[], object], *, log: Path | None = None) -> None:
        self._log = log
        self._answer = tempfile.NamedTemporaryFile()  # noqa: SIM115 - closed with the result
        path = Path(self._answer.name)
        self._child = Child(lambda: path.write_bytes(msgspec.json.encode(act())), log=log)

    def result(self, seconds: float) -> Any:
        """What it returned, as plain values; raises where it raised or takes longer."""
        with self._answer:
            status = self._child.wait(seconds)
            if status is None:
                self._child.kill()
            if status != 0:
                raise RuntimeError(f"a child ended with {status}" + (f"; see {self._log}" if self._log else ""))
            return msgspec.json.decode(Path(self._answer.name).read_bytes())


def in_child(act: Callable[[], object], *, log: Path | None = None, seconds: float = 120.0) -> Any:
    """What `act` returns (plain values), worked out in a process of its own."""
    return Task(act, log=log).result(seconds)
