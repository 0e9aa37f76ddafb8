"""The database behind one door: reading is free, writing goes through one transaction at a time on SQLite.

SQLite runs with WAL and `synchronous=FULL`; writers take a process-wide lock and then `BEGIN IMMEDIATE`, so they queue
in the process instead of meeting `SQLITE_BUSY`. PostgreSQL needs neither.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import OperationalError

from hub.core.clock import Clock, SystemClock
from hub.core.errors import NotFound, Unavailable
from hub.store import bus_tables as _bus_tables  # noqa: F401 - they belong to the same metadata
from hub.store import ledger_tables as _ledger_tables  # noqa: F401 - they belong to the same metadata
from hub.store import tables as t
from hub.store.bells import Bells
from hub.store.guards import install_guards
from hub.store.work import Work
from hub.store.writer import WRITES, Writer

_RESTS = 1.0  # seconds out of use after which a connection to PostgreSQL is asked whether it is still there


class Store:
    """A database, at either size. `url` is an SQLAlchemy URL (`sqlite:///…` or `postgresql+psycopg://…`)."""

    def __init__(self, url: str, *, clock: Clock | None = None) -> None:
        self.url = url
        self.clock: Clock = clock or SystemClock()
        self.engine = _engine(url)
        self.embedded = self.engine.dialect.name == "sqlite"
        self._writer = Writer(self._open) if self.embedded else None
        self.bells = Bells(self.engine)

    @contextmanager
    def write_transaction(self) -> Iterator[Connection]:
        """One transaction that may write; committed at the end, rolled back on an error. Not reentrant."""
        rung: set[str] = set()
        with self._writer.connection() if self._writer else self._open() as connection:
            connection.info["shuniu_bells"] = rung
            with connection.begin():
                yield connection
        self.bells.committed(rung)

    @contextmanager
    def read_transaction(self) -> Iterator[Connection]:
        """One consistent view for reading."""
        with self._open() as connection, connection.begin():
            yield connection

    @contextmanager
    def work(self, tenant: str) -> Iterator[Work]:
        """A unit of work for one tenant: what it writes is one commit."""
        with self.write_transaction() as connection:
            yield Work(connection, tenant, self.clock, self.bells)

    @contextmanager
    def look(self, tenant: str) -> Iterator[Work]:
        """The same for reading only."""
        with self.read_transaction() as connection:
            yield Work(connection, tenant, self.clock, self.bells)

    def create_tables(self) -> None:
        """Make all tables at once, for tests; a real database is made by its migrations."""
        with self.write_transaction() as connection:
            t.metadata.create_all(connection)
            install_guards(connection)

    def add_tenant(self, tenant: str, *, name: str, zone: str = "Asia/Shanghai") -> None:
        """Make the tenant if it is not there yet."""
        with self.write_transaction() as connection:
            if connection.execute(sa.select(t.tenants.c.tenant).where(t.tenants.c.tenant == tenant)).first() is None:
                connection.execute(
                    t.tenants.insert().values(tenant=tenant, name=name, zone=zone, last_seq=0, created_at=self.clock.now())
                )

    def tenant_zone(self, tenant: str) -> str:
        """The tenant's time zone name."""
        with self.read_transaction() as connection:
            zone = connection.execute(sa.select(t.tenants.c.zone).where(t.tenants.c.tenant == tenant)).scalar()
        if zone is None:
            raise NotFound(happened="there is no such tenant", next="create it first", tenant=tenant)
        return str(zone)

    def ping(self) -> None:
        """Ask the database for one row; raises `Unavailable`."""
        with self.read_transaction() as connection:
            connection.execute(sa.text("SELECT 1"))

    def close(self) -> None:
        self.bells.close()
        if self._writer:
            self._writer.close()
        self.engine.dispose()

    def _open(self) -> Connection:
        try:
            return self.engine.connect()
        except OperationalError as error:
            raise Unavailable(
                happened="the database does not answer",
                next="start it or correct SHUNIU_DATABASE_URL",
                database=self.engine.url.host,
            ) from error


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = sa.create_engine(
            parsed,
            connect_args={"check_same_thread": False, "timeout": 30, "cached_statements": 512},
            pool_size=16,
            max_overflow=16,
            pool_use_lifo=True,
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = sa.create_engine(
        parsed,
        pool_size=16,
        max_overflow=16,
        pool_use_lifo=True,
        connect_args={"connect_timeout": 5, "keepalives_idle": 30, "options": "-c plan_cache_mode=force_custom_plan"},
    )
    _look_at_rested(engine)
    return engine


def _look_at_rested(engine: Engine) -> None:
    """Ask a connection that has rested whether it is still there, and let the pool open new ones where it is not.

    Asking each time would cost a round trip a transaction. A connection that breaks while the hub is busy fails the one
    transaction that meets it first, which its caller does again.
    """

    def put_back(_connection: object, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    def taken_out(connection: Any, record: Any, _proxy: object) -> None:
        if time.monotonic() - record.info.get("rests_since", math.inf) < _RESTS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError("the database let go of a resting connection") from error

    sa.event.listen(engine, "checkin", put_back)
    sa.event.listen(engine, "checkout", taken_out)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event says BEGIN, the driver stays out of it
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "temp_store=MEMORY",
        "cache_size=-16000",
        "wal_autocheckpoint=16000",  # the writer sees to it before that
        "secure_delete=FAST",  # what is deleted here is not secret: no page is written for it alone
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
