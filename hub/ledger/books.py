"""The ledger's rows inside one unit of work: loaded once, changed in memory, written together.

A batch of events touches few rows many times; loading them in one query and writing them in one statement a table is what
makes a ledger in the event's own commit affordable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.store import ledger_tables as l
from hub.store.among import among
from hub.store.bulk import insert_rows
from hub.store.ledger_tables import LEDGER

Row = dict[str, Any]
Place = tuple[sa.Table, str]

_CHUNK = 400

# Shares go last: the database compares them with the receipts and receivables they belong to.
_ORDER = [table for table in LEDGER if table is not l.shares] + [l.shares]


class Books:
    """An identity map over the ledger tables of one tenant."""

    def __init__(self, connection: Connection, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant
        self._rows: dict[sa.Table, dict[str, Row | None]] = defaultdict(dict)
        self._changed: dict[Place, Row] = {}
        self._dropped: set[Place] = set()

    def fetch(self, places: Iterable[Place]) -> None:
        """Load these rows, one query a table."""
        wanted: dict[sa.Table, set[str]] = defaultdict(set)
        for table, id_ in places:
            if id_ not in self._rows[table]:
                wanted[table].add(id_)
        for table, ids in wanted.items():
            for id_ in ids:
                self._rows[table][id_] = None
            ordered = sorted(ids)
            for start in range(0, len(ordered), _CHUNK):
                query = sa.select(table).where(table.c.tenant == self._tenant, among(table.c.id, ordered[start : start + _CHUNK]))
                for row in self._connection.execute(query).mappings():
                    self._rows[table][row["id"]] = dict(row)

    def get(self, table: sa.Table, id_: str) -> Row | None:
        """The row as it is now in this unit of work, or `None`. Change it through `put` only."""
        if id_ not in self._rows[table]:
            self.fetch([(table, id_)])
        return self._rows[table][id_]

    def find(self, table: sa.Table, **equal: object) -> list[Row]:
        """The rows whose columns equal these values now, by id: those of the database, as this unit of work has changed them."""
        query = sa.select(table).where(table.c.tenant == self._tenant, *(table.c[name] == value for name, value in equal.items()))
        for row in self._connection.execute(query).mappings():
            self._rows[table].setdefault(row["id"], dict(row))
        found = [
            row
            for row in self._rows[table].values()
            if row is not None and all(row[name] == value for name, value in equal.items())
        ]
        return sorted(found, key=lambda row: str(row["id"]))

    def put(self, table: sa.Table, id_: str, seq: int, **values: object) -> Row:
        """Make or change a row; columns that are not named keep their value, new ones start empty."""
        row = self.get(table, id_)
        if row is None:
            row = {column.name: None for column in table.columns} | {"tenant": self._tenant, "id": id_}
        row = row | values | {"version": seq}
        self._rows[table][id_] = row
        self._changed[table, id_] = row
        self._dropped.discard((table, id_))
        return row

    def drop(self, table: sa.Table, id_: str) -> None:
        """Delete a row."""
        self._rows[table][id_] = None
        self._changed.pop((table, id_), None)
        self._dropped.add((table, id_))

    def flush(self) -> None:
        """Write what changed: deletions first, then one upsert a table."""
        for table, ids in _by_table(self._dropped):
            self._connection.execute(table.delete().where(table.c.tenant == self._tenant, among(table.c.id, ids)))
        for table, ids in _by_table(self._changed):
            insert_rows(self._connection, table, [self._changed[table, id_] for id_ in ids], known="replace")
        self._dropped.clear()
        self._changed.clear()


def _by_table(places: Iterable[Place]) -> Iterator[tuple[sa.Table, list[str]]]:
    ids: dict[sa.Table, list[str]] = defaultdict(list)
    for table, id_ in places:
        ids[table].append(id_)
    for table in _ORDER:
        if table in ids:
            yield table, sorted(ids[table])
