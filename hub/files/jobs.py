"""Files as jobs: kept whole first, then read row by row, with progress. An archive is a job that makes one of each file in it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from hub import archives
from hub.archives import check_archive, is_archive, members
from hub.core.connector import ReadsFiles
from hub.core.errors import Invalid, NotFound, Problem, Unavailable, Unreadable
from hub.core.event import Raw
from hub.core.ids import derive, digest
from hub.files.limits import FILE_BYTES, file_name
from hub.files.spool import spooled
from hub.intake import keep
from hub.registry import Opened, Registry
from hub.store import tables as t
from hub.store.outage import passes
from hub.store.sql import Store
from hub.tables import recognised_by

log = structlog.get_logger("files")

_ROWS_AT_ONCE = 500
_HEAD = 1024


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A file out of an archive: the job it became, or why it became none."""

    name: str
    file: str | None = None
    problem: dict[str, Any] | None = None


class FileJob(msgspec.Struct, frozen=True, kw_only=True):
    """A file on its way: `state` is `waiting`, `reading`, `read` or `refused`; `again` says that it was here before.

    Of its `rows`, which are those known by now, `new` were not known before, `duplicates` were, and `conflicts` came under a
    known key with another content. An archive has `members`, tells their sums, and is read once all of them have ended.
    """

    id: str
    connection: str
    name: str
    state: str
    again: bool = False
    rows: int = 0
    new: int = 0
    duplicates: int = 0
    conflicts: int = 0
    problem: dict[str, Any] | None = None
    members: tuple[Member, ...] | None = None


class Files:
    """Takes files in and reads them."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    def accept(self, tenant: str, name: str, body: bytes, *, connection: str | None = None) -> FileJob:
        """Keep a file durably for reading. The same file twice changes nothing. Raises where no connection reads it."""
        archive = is_archive(body[:_HEAD])
        if archive:
            check_archive(BytesIO(body))
            if connection is not None:
                self._registry.open(tenant, connection)
            where = connection or ""  # each file in it finds its own
        else:
            where = self._reader(tenant, name, body, connection).connection.id
        id_ = derive("file", tenant, where, digest(body))
        row = {
            "tenant": tenant,
            "id": id_,
            "connection": where,
            "name": name[:255],
            "sha256": digest(body),
            "body": body,
            "state": "waiting",
            "received_at": self._store.clock.now(),
            "members": [] if archive else None,
        }
        with self._store.write_transaction() as transaction:
            known = transaction.execute(_file(sa.select(t.files.c.state, t.files.c.members), tenant, id_)).first()
            if known is None:
                transaction.execute(t.files.insert().values(**row))
            elif known.state == "refused" or any(one["file"] is None for one in known.members or ()):
                # A connector that was mended, or a connection that was made, may read it now.
                transaction.execute(_file(t.files.update(), tenant, id_).values(state="waiting", problem=None))
            self._store.bells.ring_on_commit(transaction, "files")
        return msgspec.structs.replace(self.job(tenant, id_), again=known is not None)

    def job(self, tenant: str, id_: str) -> FileJob:
        """How far a file is; raises `NotFound`."""
        columns = [t.files.c[name] for name in FileJob.__struct_fields__ if name in t.files.c]
        with self._store.read_transaction() as connection:
            row = connection.execute(_file(sa.select(*columns), tenant, id_)).mappings().first()
        if row is None:
            raise NotFound(happened="there is no such file", next="send it", file=id_)
        if row["members"] is None:
            return FileJob(**row)
        files = msgspec.convert(row["members"], tuple[Member, ...])
        return self._summed(tenant, FileJob(**{**row, "members": files}))

    def run_once(self) -> bool:
        """Read the file that waits longest, or that a dead process left half read; false where none does."""
        query = sa.select(t.files.c.tenant, t.files.c.id).where(t.files.c.state.in_(("waiting", "reading")))
        with self._store.read_transaction() as connection:
            row = connection.execute(query.order_by(t.files.c.received_at).limit(1)).first()
        if row is None:
            return False
        self._read_one(row.tenant, row.id)
        return True

    # --- inside ---------------------------------------------------------------------------------------------------

    def _reader(self, tenant: str, name: str, body: bytes, connection: str | None) -> Opened:
        if connection is not None:
            opened = self._registry.open(tenant, connection)
            if not isinstance(opened.connector, ReadsFiles):
                raise Invalid(happened="the connection reads no files", next="choose one that does", connection=connection)
            candidates = [opened]
        else:
            candidates = [self._registry.open(tenant, one.id) for one in self._registry.connections(tenant) if not one.paused]
            # A bank's own reader knows better than one that takes any table.
            candidates.sort(key=lambda one: (one.manifest.kind not in ("bank", "wallet"), one.connection.id))
        head = recognised_by(BytesIO(body))
        for opened in candidates:
            if isinstance(opened.connector, ReadsFiles) and opened.connector.recognises(name, head):
                return opened
        raise Unreadable(
            happened="no connection recognises this file",
            next="check that it is the bank's own export, unchanged; or make a connection that reads it",
            rule="recognise",
            file=name,
        )

    def _read_one(self, tenant: str, id_: str) -> None:
        with self._store.read_transaction() as connection:
            row = connection.execute(_file(sa.select(t.files), tenant, id_)).mappings().one()
        if row["state"] == "waiting":
            self._mark(tenant, id_, state="reading", rows=0, new=0, duplicates=0, conflicts=0)
        try:
            if row["members"] is not None:
                self._unpack(tenant, id_, row["connection"], row["name"], bytes(row["body"]))
            else:
                self._read(self._registry.open(tenant, row["connection"]), id_, row["name"], bytes(row["body"]))
        except Unavailable:
            raise  # that is about us, not about the file
        except Problem as problem:
            self._mark(tenant, id_, state="refused", problem=problem.as_dict())
        except Exception as error:  # a defect in a reader refuses this file and stops no other
            if passes(error):
                raise
            log.exception("file.defect", tenant=tenant, file=id_)
            reason = {
                "code": "defect",
                "happened": f"the reader stumbled: {type(error).__name__}",
                "next": "tell its owner",
                "about": {},
            }
            self._mark(tenant, id_, state="refused", problem=reason)

    def _read(self, opened: Opened, id_: str, name: str, body: bytes) -> None:
        where, now = opened.connection, self._store.clock.now()
        assert isinstance(opened.connector, ReadsFiles)
        raws = (
            raw.stamped(tenant=where.tenant, connection=where.id, door="file", received_at=now)
            for raw in opened.connector.read(name, body)
        )
        # Read to its end first: a file that breaks in the middle is refused before any of its rows is kept.
        with spooled(raws, lambda count: self._mark(where.tenant, id_, rows=count)) as rows:
            done = self.job(where.tenant, id_)
            counts = {"new": done.new, "duplicate": done.duplicates, "conflict": done.conflicts}
            kept, place = sum(counts.values()), 0  # by a process that died over this file
            for group in rows.groups(_ROWS_AT_ONCE):
                place += len(group)
                with self._store.write_transaction() as transaction:
                    if place <= kept and _all_known(transaction, group):
                        continue
                    for one in keep(transaction, group):
                        counts[one.kind] += 1
                    told = {"rows": rows.count, "new": counts["new"]}
                    told |= {"duplicates": counts["duplicate"], "conflicts": counts["conflict"]}
                    transaction.execute(_file(t.files.update(), where.tenant, id_).values(**told))
                    self._store.bells.ring_on_commit(transaction, "inbox")
        self._mark(where.tenant, id_, state="read")

    def _unpack(self, tenant: str, id_: str, connection: str, name: str, body: bytes) -> None:
        """Make a job of each file in the archive. Dying in between doubles none: the same file is the same job."""
        made = []
        for one in members(name, BytesIO(body)):
            called = file_name(one.name)
            try:
                if one.problem is not None:
                    raise one.problem
                job = self.accept(tenant, called, _content(one), connection=connection or None)
                made.append(Member(name=called, file=job.id))
            except Unavailable:
                raise
            except Problem as problem:  # the files beside it go their way
                made.append(Member(name=called, problem=problem.as_dict()))
        self._mark(tenant, id_, state="read", members=msgspec.to_builtins(made))

    def _summed(self, tenant: str, archive: FileJob) -> FileJob:
        """An archive's job, with what became of its files."""
        files = [self.job(tenant, one.file) for one in archive.members or () if one.file is not None]
        ended = all(one.state in ("read", "refused") for one in files)
        sums = {name: sum(getattr(one, name) for one in files) for name in ("rows", "new", "duplicates", "conflicts")}
        state = archive.state if ended or archive.state != "read" else "reading"
        return msgspec.structs.replace(archive, state=state, **sums)

    def _mark(self, tenant: str, id_: str, **values: Any) -> None:
        with self._store.write_transaction() as transaction:
            transaction.execute(_file(t.files.update(), tenant, id_).values(**values))


def _content(member: archives.Member) -> bytes:
    """The bytes of a file out of an archive. Raises `Unreadable` for one that is no file of a bank by its looks."""
    body = member.source.read(FILE_BYTES + 1)
    rule, happened, advice = "", "", ""
    if not body:
        rule, happened, advice = "empty file", "the file is empty", "export it again"
    elif len(body) > FILE_BYTES:
        rule, happened, advice = "too large", "the file is larger than any statement", "send fewer days at once"
    elif is_archive(body[:_HEAD]):
        rule, happened, advice = "archive in an archive", "there is an archive in the archive", "send the inner one by itself"
    if rule:
        raise Unreadable(happened=happened, next=advice, rule=rule, file=file_name(member.name))
    return body


def _file(statement: Any, tenant: str, id_: str) -> Any:
    return statement.where(t.files.c.tenant == tenant, t.files.c.id == id_)


def _all_known(transaction: sa.Connection, group: Sequence[Raw]) -> bool:
    ids = {raw.id for raw in group}
    query = sa.select(sa.func.count()).where(t.raws.c.tenant == group[0].tenant, t.raws.c.id.in_(ids))
    return transaction.execute(query).scalar_one() == len(ids)
