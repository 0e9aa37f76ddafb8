"""Folders of banks' SFTP servers: what is new in them is fetched, and goes the way of every file.

Such a folder is the bank's: nothing in it is moved or deleted. What was fetched from it is known by name, size and time, in the
connection's place in the stream `sftp`; a file is fetched once these were the same at two looks.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from hub.core.errors import EgressRefused, LoginRefused, Misconfigured, Problem, TooLarge, Unavailable, Unreachable, VendorFault
from hub.files.jobs import Files
from hub.files.limits import FILE_BYTES, file_name
from hub.files.sftp import Listed, Sftp, read_remote
from hub.registry import Connection, Registry
from hub.store import tables as t
from hub.store.outage import passes
from hub.store.sql import Store
from hub.store.work import insert_new

log = structlog.get_logger("files")

STREAM = "sftp"
_EVERY = timedelta(seconds=60)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a folder: how each file in it looked last, and how it looked when it was fetched."""

    seen: dict[str, str] = {}
    taken: dict[str, str] = {}


class RemoteFolders:
    """Looks into the folder of every connection that has one, when it is due."""

    def __init__(self, store: Store, registry: Registry, files: Files, *, went: Any) -> None:
        self._store = store
        self._registry = registry
        self._files = files
        self._went = went

    def run_once(self) -> int:
        """Fetch what is new; returns how many files came."""
        there = [one for one in self._registry.connections() if one.settings.get("sftp") and not one.paused]
        return sum(self._look(one) for one in there if self._due(one))

    # --- inside ---------------------------------------------------------------------------------------------------

    def _look(self, connection: Connection) -> int:
        known, taken, refused = self._place(connection), dict[str, str](), dict[str, str]()
        seen, problem = known.seen, None
        try:
            client = self._client(connection)
            listed = client.files()
            seen = {one.name: _looks(one) for one in listed}
            taken = {name: looks for name, looks in known.taken.items() if name in seen}
            for one in listed:
                # What is new may still be growing: it is fetched when it looks the same the next time.
                if known.seen.get(one.name) == _looks(one) != taken.get(one.name):
                    if reason := self._take(connection, client, one):
                        refused[one.name] = str(reason)
                    if not isinstance(reason, VendorFault):  # the server may give it the next time
                        taken[one.name] = _looks(one)
        except Problem as error:
            if passes(error):
                raise
            problem = error
            taken = known.taken | taken
        self._keep(connection, Place(seen=seen, taken=taken), problem, refused)
        return len(taken.keys() - known.taken.keys())

    def _take(self, connection: Connection, client: Sftp, one: Listed) -> Problem | None:
        """Fetch a file and hand it on; why it was refused, where it was."""
        try:
            if one.size > FILE_BYTES:
                raise TooLarge(
                    happened="the file is larger than any statement", next="ask the bank for a shorter period", file=one.name
                )
            job = self._files.accept(connection.tenant, file_name(one.name), client.fetch(one.name), connection=connection.id)
        except (LoginRefused, Unreachable, EgressRefused, Misconfigured, Unavailable):
            raise  # that is about the server or about us, not about the file
        except Problem as problem:
            log.warning("file.refused", connection=connection.id, file=one.name, why=problem.happened)
            return problem
        log.info("file.taken", connection=connection.id, file=one.name, job=job.id, again=job.again)
        return None

    def _client(self, connection: Connection) -> Sftp:
        settings = self._registry.context(connection.tenant, connection.id).settings
        remote = read_remote(
            str(settings["sftp"]),
            host_key=str(settings.get("sftp_host_key") or ""),
            key=str(settings.get("sftp_key") or ""),
            secret=str(settings.get("sftp_password") or ""),
        )
        return Sftp(remote, self._registry.egress(connection))

    def _row(self, connection: Connection) -> Any:
        query = sa.select(t.cursors).where(*_where(connection))
        with self._store.read_transaction() as transaction:
            return transaction.execute(query).first()

    def _due(self, connection: Connection) -> bool:
        row = self._row(connection)
        return row is None or row.wanted or row.pulled_at is None or row.pulled_at + _EVERY <= self._store.clock.now()

    def _place(self, connection: Connection) -> Place:
        row = self._row(connection)
        return msgspec.convert(row.cursor, Place) if row is not None and row.cursor else Place()

    def _keep(self, connection: Connection, place: Place, problem: Problem | None, refused: dict[str, str]) -> None:
        values = {
            "cursor": msgspec.to_builtins(place),
            "pulled_at": self._store.clock.now(),
            "wanted": False,
            "problem": problem.as_dict() if problem else _of_files(refused),
        }
        with self._store.work(connection.tenant) as work:
            row = {"tenant": connection.tenant, "connection": connection.id, "stream": STREAM}
            work.connection.execute(insert_new(work.connection, t.cursors).values(**row))
            work.connection.execute(t.cursors.update().where(*_where(connection)).values(**values))
            self._went(work, connection.id, problem)


def _where(connection: Connection) -> tuple[sa.ColumnElement[bool], ...]:
    c = t.cursors.c
    return (c.tenant == connection.tenant, c.connection == connection.id, c.stream == STREAM)


def _looks(one: Listed) -> str:
    return f"{one.size} {one.changed}"


def _of_files(refused: dict[str, str]) -> dict[str, Any] | None:
    if not refused:
        return None
    happened = f"{len(refused)} files were refused"
    return {"code": "files-refused", "happened": happened, "next": "look at each file's reason", "about": refused}
