"""Bells wake a thread when there is something for it, so that nobody polls an idle database.

In one process a bell is a condition. Between processes PostgreSQL carries it (`NOTIFY` is sent at commit); a thread
listens and rings here. A bell that is missed costs a waiter its time-out, never a row: whoever wakes looks at the table.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import defaultdict

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

_NOTIFY = sa.text("SELECT pg_notify(:channel, :bell)")


class Bells:
    """Named bells over one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._shared = engine.dialect.name == "postgresql"
        self._lock = threading.Lock()
        # A condition each: whoever waits for one bell is not woken by the others, and there are many threads.
        self._conditions: dict[str, threading.Condition] = {}
        self._rung: dict[str, int] = defaultdict(int)
        self._closed = False
        self._listener: threading.Thread | None = None
        # NOTIFY reaches a whole database; schemas of one database must not wake each other.
        self._channel = "shuniu_" + hashlib.sha256(str(engine.url).encode()).hexdigest()[:16]

    def ring(self, bell: str) -> None:
        """Ring in this process."""
        with self._lock:
            self._rung[bell] += 1
            if bell in self._conditions:
                self._conditions[bell].notify_all()

    def ring_on_commit(self, connection: Connection, bell: str) -> None:
        """Ring once this transaction is committed, in every process of this database."""
        rung: set[str] = connection.info.setdefault("shuniu_bells", set())
        if bell not in rung:
            rung.add(bell)
            if self._shared:
                connection.execute(_NOTIFY, {"channel": self._channel, "bell": bell})

    def committed(self, rung: set[str]) -> None:
        """The transaction that rang these is committed; called by the store after it let go of its locks."""
        for bell in rung:
            self.ring(bell)

    def count(self, bell: str) -> int:
        """How often the bell rang; give it to `wait` to miss nothing in between."""
        if self._shared:
            self._listen()
        with self._lock:
            return self._rung[bell]

    def wait(self, bell: str, since: int, timeout: float) -> int:
        """Wait until the bell has rung more often than `since`, or for `timeout` seconds. Returns the new count."""
        with self._lock:
            condition = self._conditions.setdefault(bell, threading.Condition(self._lock))
            condition.wait_for(lambda: self._rung[bell] > since or self._closed, timeout)
            return self._rung[bell]

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for condition in self._conditions.values():
                condition.notify_all()
        if self._listener is not None:
            self._listener.join(timeout=3)

    def _listen(self) -> None:
        with self._lock:
            if self._listener is None and not self._closed:
                self._listener = threading.Thread(target=self._hear, name="bells", daemon=True)
                self._listener.start()

    def _hear(self) -> None:
        while not self._closed:
            try:
                with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.exec_driver_sql(f'LISTEN "{self._channel}"')
                    driver = connection.connection.driver_connection
                    assert driver is not None
                    while not self._closed:
                        for notice in driver.notifies(timeout=1.0, stop_after=1):
                            self.ring(notice.payload)
            except sa.exc.DBAPIError:
                time.sleep(0.5)  # the database is away: look again shortly, waiters live on their time-outs
