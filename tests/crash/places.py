"""Where the lives happen: a new database for each run, and names in the broker that nobody else has."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from forks import in_child
from life import Place

POSTGRESQL = os.environ.get("SHUNIU_TEST_DATABASE_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
RABBITMQ = os.environ.get("SHUNIU_TEST_BUS_URL", "amqp://guest:guest@127.0.0.1:5672//")


@contextmanager
def a_place(size: str, folder: Path) -> Iterator[Place]:
    """An empty database and bus of one size, gone afterwards."""
    prefix = f"crash-{uuid.uuid4().hex[:10]}."
    if size == "embedded":
        yield Place(database_url=f"sqlite:///{folder}/hub.sqlite", bus_url=None, prefix=prefix)
        return
    name = f"shuniu_crash_{uuid.uuid4().hex[:10]}"
    in_child(lambda: _say(f'CREATE DATABASE "{name}"'))
    try:
        yield Place(database_url=urlsplit(POSTGRESQL)._replace(path=f"/{name}").geturl(), bus_url=RABBITMQ, prefix=prefix)
    finally:
        in_child(lambda: _say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def cut_all_sessions(place: Place) -> Callable[[], int]:
    """Ends every session of the place's database, as a restart of the server would; returns how many."""
    name = urlsplit(place.database_url).path[1:]
    query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"

    def cut() -> int:
        with psycopg.connect(POSTGRESQL.replace("+psycopg", "", 1), autocommit=True) as connection:
            row = connection.execute(query, [name]).fetchone()
            return int(row[0]) if row else 0

    return cut


def _say(statement: str) -> None:
    with psycopg.connect(POSTGRESQL.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type, unused-ignore]
