"""SQLite's one writer: one connection that all writing goes through, one transaction at a time.

A connection's cached pages are good only until another connection commits. Where one connection does all the writing, they
stay good, which halves what a transaction costs.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from hub.core.errors import Unavailable

WRITES = "shuniu_write"

_EVERY = 0.25  # seconds between two looks at what was written
_BUSY = 1000  # pages in the log above which it is worth while to hold up the writers for the last of them


class Writer:
    """The right to write, and the connection that has it. Whoever waits for it waits in the process, and meets no `SQLITE_BUSY`."""

    def __init__(self, open_: Callable[[], Connection]) -> None:
        self._open = open_
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._written = 0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The connection, until the end of the block, for nobody else. Not reentrant."""
        with self._lock:
            if self._connection is None:
                self._connection = self._open().execution_options(**{WRITES: True})
            try:
                yield self._connection
            except DBAPIError:
                self._let_go()  # whatever it met, the next transaction starts on a fresh one
                raise
            self._written += 1
            if self._written == 100:  # a program that writes a little and ends needs no helper
                self._thread = threading.Thread(target=self._carry_over, name="checkpoint", daemon=True)
                self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _carry_over(self) -> None:
        """Move what the log holds into the database beside the writers, so that no commit has to do it.

        The bulk is moved while they go on. What they wrote meanwhile is little, and is moved while they wait; only then can
        the log begin again at its start.
        """
        before = 0
        while not self._closing.wait(_EVERY):
            if self._written == before:
                continue
            before = self._written
            with suppress(DBAPIError, sqlite3.Error, Unavailable):  # a reader or a backup is in the way: next time
                if self._checkpoint() > _BUSY:
                    with self._lock:
                        self._checkpoint()

    def _checkpoint(self) -> int:
        """Move what can be moved without waiting for anybody; returns the pages in the log."""
        with self._open() as connection:
            driver: Any = connection.connection.driver_connection  # no transaction may be open around this pragma
            return int(driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1])
