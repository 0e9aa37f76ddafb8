"""How long the door waits, for a sender or for the store.

One timer watches all requests, because a timer each costs more than verifying a signature: a request only notes when it
should have ended, and the watch wakes at the earliest of these times.
"""

from __future__ import annotations

import asyncio


class Patience:
    """Ends waits that take too long. For one event loop at a time."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Task[object], Wait] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def wait(self, seconds: float) -> Wait:
        """`with patience.wait(3): await …` raises `TimeoutError` when it took longer."""
        return Wait(self, seconds)

    def _watch(self, wait: Wait) -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._timer = loop, None
            self._open.clear()
        wait.until = loop.time() + wait.seconds
        self._open[wait.task] = wait
        if self._timer is None or wait.until < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(wait.until, self._end_overdue, loop)

    def _end_overdue(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for wait in list(self._open.values()):
            if wait.until <= now:
                wait.overdue = True
                del self._open[wait.task]
                wait.task.cancel()
        if self._open:
            self._timer = loop.call_at(min(wait.until for wait in self._open.values()), self._end_overdue, loop)


class Wait:
    """One wait of the current task."""

    __slots__ = ("overdue", "patience", "seconds", "task", "until")

    def __init__(self, patience: Patience, seconds: float) -> None:
        self.patience, self.seconds = patience, seconds
        self.until = 0.0
        self.overdue = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a wait belongs to a task")
        self.task = task
        self.patience._watch(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not self.overdue:
            self.patience._open.pop(self.task, None)
            return
        # The cancellation is ours: it ends here, unless somebody else wants the task to end as well.
        if self.task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError from error
