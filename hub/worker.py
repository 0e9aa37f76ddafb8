"""The hub's threads: each does one thing, sleeps until its bell rings, and survives an outage of what it needs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import DBAPIError

from hub.bus import Bus
from hub.core.errors import Unavailable
from hub.store.sole import Sole
from hub.store.sql import Store

log = structlog.get_logger("worker")


class Loop:
    """A thread that calls `step` as long as there is something to do, then waits for `bell` or `rest` seconds."""

    def __init__(
        self, store: Store, name: str, step: Callable[[], object], *, bell: str, rest: float = 1.0, sole: Sole | None = None
    ) -> None:
        self.name = name
        self._store = store
        self._step = step
        self._bell = bell
        self._rest = rest
        self._sole = sole
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to stop; it finishes the step in hand."""
        self.stopping.set()
        self._store.bells.ring(self._bell)

    def join(self, timeout: float) -> bool:
        """Wait for it to end; true if it did."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        if self._sole is not None:
            self._sole.release()
        return not self._thread.is_alive()

    def _run(self) -> None:
        away = False
        while not self.stopping.is_set():
            since = self._store.bells.count(self._bell)
            try:
                if self._sole is not None and not self._sole.mine():
                    self._store.bells.wait(self._bell, since, 1.0)
                    continue
                while not self.stopping.is_set() and self._step():
                    pass
                if away:
                    log.info("loop.recovered", loop=self.name)
                    away = False
            except (Unavailable, DBAPIError, OSError) as error:
                if not away:  # an outage is one line when it starts and one when it ends
                    log.warning("loop.waits", loop=self.name, why=type(error).__name__)
                    away = True
                self.stopping.wait(0.5)
                continue
            except Exception:
                log.exception("loop.stumbled", loop=self.name)
                self.stopping.wait(1.0)
                continue
            self._store.bells.wait(self._bell, since, self._rest)


class Worker:
    """A set of loops and, if given, the bus's own threads."""

    def __init__(self, loops: Sequence[Loop], *, bus: Bus | None = None) -> None:
        self._loops = loops
        self._bus = bus
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._bus is not None:
            self._thread = threading.Thread(target=self._bus.run, name="bus", daemon=True)
            self._thread.start()
        for loop in self._loops:
            loop.start()

    def stop(self, timeout: float = 15.0) -> bool:
        """Stop everything; true if all of it ended in time."""
        for loop in self._loops:
            loop.stop()
        if self._bus is not None:
            self._bus.stop()
        ended = [loop.join(timeout) for loop in self._loops]
        if self._thread is not None:
            self._thread.join(timeout)
            ended.append(not self._thread.is_alive())
        return all(ended)
