"""Telling an outage from a refusal: the one passes and the same may succeed later, the other gives the same answer again.

Result codes of SQLite: https://www.sqlite.org/rescode.html. Error codes of PostgreSQL: appendix A of its manual.
"""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError

from hub.core.errors import Unavailable

_SQLITE = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    )
)
# Connection, transaction rollback (deadlocks), resources, object state, operator intervention, the system itself.
_POSTGRESQL = frozenset(("08", "40", "53", "55", "57", "58"))


def passes(error: BaseException) -> bool:
    """Whether the database is away, busy or short of something. False: it was understood, and is refused or a defect."""
    if isinstance(error, Unavailable | sa.exc.TimeoutError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE
    state = getattr(error.orig, "sqlstate", None)
    return str(state)[:2] in _POSTGRESQL if state else isinstance(error, OperationalError)
