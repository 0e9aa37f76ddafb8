"""Being the only one: work that must not be done twice at a time is done by whoever holds the database's lock for it.

PostgreSQL gives the lock to one session and takes it back when that session ends, so a dead process hands over by itself.
The embedded hub is one process and needs no lock.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from hub.core.errors import Unavailable
from hub.store.sql import Store


class Sole:
    """The right to do one named thing, asked for anew whenever it is needed."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        # Keys of advisory locks are numbers of the whole database: the URL keeps schemas of one database apart.
        digest = hashlib.sha256(f"{store.engine.url}|{name}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._connection: Connection | None = None

    def mine(self) -> bool:
        """Whether this process holds it now; takes it if it is free."""
        if self._store.embedded:
            return True
        try:
            if self._connection is not None:
                self._connection.execute(sa.text("SELECT 1"))
                return True
            connection = self._store.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar():
                self._connection = connection
                return True
            connection.close()
        except (DBAPIError, Unavailable):
            self.release()
        return False

    def release(self) -> None:
        """Let another process have it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # ends the session, and the lock with it
            connection.close()
