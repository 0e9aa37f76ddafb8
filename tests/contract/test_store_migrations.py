"""A database is what its migrations make of it, on both kinds of database, and goes into a file and out of it whole."""

import zipfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from hub.core import vocabulary as v
from hub.core.errors import Conflict, Misconfigured, Unreadable
from hub.core.event import Raw, decided
from hub.intake import Intake
from hub.ledger.rebuild import rebuild, state_hash
from hub.ledger.record import record
from hub.store import ledger_tables as l
from hub.store import tables as t
from hub.store.backup import backup, restore
from hub.store.migrate import configuration, migrate
from hub.store.sql import Store
from hub.store.tables import metadata
from hub.store.tidy import KEPT, tidy
from hub.store.work import Ask
from hub.testing.fakes import NOON, FixedClock


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A database made by its migrations, at each size."""
    made = Store(database_url, clock=FixedClock())
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Store]:
    """An embedded database with something in every kind of column."""
    made = Store(f"sqlite:///{tmp_path}/small.sqlite", clock=FixedClock())
    migrate(made)
    fill(made)
    yield made
    made.close()


def fill(store: Store) -> None:
    """A little of everything, for two tenants."""
    for tenant in ("main", "other"):
        store.add_tenant(tenant, name="枢纽")
        body = bytes(range(256)) * 5
        raws = [Raw(stream="s", key=f"键-{n}", body=body + bytes([n % 256]), headers={"x": "ü"}) for n in range(1_100)]
        stamped = [
            raw.stamped(tenant=tenant, connection="c", door="file", received_at=NOON + timedelta(microseconds=7)) for raw in raws
        ]
        Intake(store).store(stamped)
        facts: list[tuple[str, v.Fact]] = [
            ("order.placed", v.Order(order="SO-1", amount=Decimal("1234567.89"), customer="C", lines=(v.Line(sku="S", quantity=Decimal("1.250")),))),
            ("receivable.opened", v.ReceivableOpened(receivable="R", order="SO-1", amount=Decimal(100), due_on=NOON.date(), percent=Decimal("30.0"))),
            ("receipt.received", v.Receipt(receipt="B", amount=Decimal(100), booked_on=NOON.date(), payer_name="张三")),
            ("match.proposed", v.MatchProposed(match="M", receipt="B", lane="review", probability=1 / 3)),
            ("match.accepted", v.MatchAccepted(match="M", receipt="B", by="ann", customer="C", payer_name="张三",
                                               shares=(v.ShareOf(receivable="R", order="SO-1", amount=Decimal(100)),))),
            ("stock.changed", v.StockChanged(sku="S", as_of=NOON, supplies=(v.Supply(sku="S", warehouse="W", on_hand=Decimal("0.10")),))),
        ]  # fmt: skip
        with store.work(tenant) as work:
            record(
                work,
                [
                    decided(type_, tenant=tenant, by="x", subject="1", data=data, occurred_at=NOON, once=type_)
                    for type_, data in facts
                ],
            )
            work.ask([Ask(connection="c", what="note.create", fields={"n": Decimal("1.5")}, once="1")])


def everything(store: Store) -> dict[str, list[Any]]:
    with store.read_transaction() as connection:
        return {
            str(table.name): sorted((tuple(map(str, row)) for row in connection.execute(sa.select(table))), key=str)
            for table in metadata.sorted_tables
        }


def hashes(store: Store) -> list[str]:
    found = []
    for tenant in ("main", "other"):
        with store.look(tenant) as work:
            found.append(state_hash(work))
    return found


def test_migrations_make_what_the_code_expects(store: Store) -> None:
    """The migrated database and the tables in the code do not differ."""
    with store.read_transaction() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    assert [one for one in differences if "alembic_version" not in str(one)] == []


def test_a_database_of_the_first_version_is_brought_up_with_what_is_in_it(database_url: str) -> None:
    """Published migrations stay as they were: an old database keeps its rows, and is then as a new one is."""
    old = Store(database_url, clock=FixedClock())
    with old.write_transaction() as connection:
        command.upgrade(configuration(connection), "0001")
        connection.exec_driver_sql(
            "INSERT INTO matches (tenant, id, receipt, lane, probability, shares, reasons, runners_up, policy, state, version)"
            " VALUES ('main', 'M', 'B', 'review', 0.5, '[]', '[]', '[]', 'p', 'rejected', 7)"
        )
    assert migrate(old)[0] == "0001"
    with old.read_transaction() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
        (match,) = connection.execute(sa.select(l.matches)).mappings()
    assert [one for one in differences if "alembic_version" not in str(one)] == []
    assert (match["state"], match["version"], match["reason"], match["decided_on"]) == ("rejected", 7, None, None)
    old.close()


def test_indexes_with_a_condition_have_it(store: Store) -> None:
    """A comparison of names would not see a condition that was forgotten in a migration."""
    query = (
        "SELECT sql FROM sqlite_master WHERE name = 'NAME'"
        if store.embedded
        else "SELECT indexdef FROM pg_indexes WHERE indexname = 'NAME'"
    )
    for name, word in (("uq_raws_first_of_key", "conflict"), ("ix_actions_open", "waiting")):
        with store.read_transaction() as connection:
            told = str(connection.exec_driver_sql(query.replace("NAME", name)).scalar())
        assert word in told.rpartition("WHERE")[2]


def test_migrating_twice_changes_nothing(store: Store) -> None:
    """A database that is current stays as it is, with what is in it, and its guards stand."""
    fill(store)
    before = everything(store)
    head, again = migrate(store)
    assert head == again
    assert everything(store) == before
    with pytest.raises(sa.exc.IntegrityError, match="exceed"), store.work("main") as work:
        work.connection.execute(l.shares.update().where(l.shares.c.tenant == "main").values(amount_minor=10_001))


def test_a_newer_database_is_left_alone(store: Store) -> None:
    """A program does not touch a database that a newer one has made, and says so."""
    with store.write_transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Misconfigured, match="newer") as refused:
        migrate(store)
    assert refused.value.about["version"] == "9999"


def test_a_migration_that_fails_leaves_nothing_half_done(store: Store) -> None:
    """All of it is one transaction: after a fault the database is as it was before."""
    with store.write_transaction() as connection:
        connection.exec_driver_sql("DROP TABLE raws")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
        connection.exec_driver_sql("DELETE FROM alembic_version")
    with pytest.raises(sa.exc.DBAPIError):
        migrate(store)  # the other tables are in its way
    with store.read_transaction() as connection:
        assert "raws" not in sa.inspect(connection).get_table_names()


def test_a_backup_of_one_kind_is_restored_into_the_other(small: Store, store: Store, tmp_path: Path) -> None:
    """From SQLite into PostgreSQL (and into SQLite): the same rows, the same ledger, the same hash; and it goes on from there."""
    file = tmp_path / "hub.backup"
    rows = backup(small, file)
    assert restore(store, file) == rows > 2_200
    assert hashes(store) == hashes(small)
    assert _times_aside(everything(store)) == _times_aside(everything(small))

    with store.work("main") as work:
        assert rebuild(work) == hashes(small)[0]
    raw = Raw(stream="s", key="new", body=b"").stamped(tenant="main", connection="c", door="webhook", received_at=NOON)
    assert Intake(store).store([raw])[0].kind == "new"  # numbers go on after the highest
    with store.work("main") as work:
        work.ask([Ask(connection="c", what="note.create", fields={}, once="2")])
    last = [row["place"] for row in _rows(store, t.inbox)]
    assert len(set(last)) == 2_201


def _times_aside(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """PostgreSQL keeps `0.10` as it was written, SQLite as `0.1`; both are read as equal decimals."""
    return {name: [tuple(cell.rstrip("0") if "." in cell else cell for cell in row) for row in of] for name, of in rows.items()}


def _rows(store: Store, table: sa.Table) -> list[Any]:
    with store.read_transaction() as connection:
        return list(connection.execute(sa.select(table)).mappings())


def test_and_back_again(store: Store, tmp_path: Path) -> None:
    """A backup of either kind is restored into SQLite with the same hash."""
    fill(store)
    backup(store, tmp_path / "x.backup")
    target = Store(f"sqlite:///{tmp_path}/target.sqlite", clock=FixedClock())
    migrate(target)
    restore(target, tmp_path / "x.backup")
    assert hashes(target) == hashes(store)
    target.close()


def test_what_lay_on_the_bus_is_told_again_after_a_restore(small: Store, store: Store, tmp_path: Path) -> None:
    """No backup holds what a broker held. The latest facts leave again, each tenant's in order; their marks tell who had them."""
    told = {tenant: [row["seq"] for row in _rows(small, t.events) if row["tenant"] == tenant] for tenant in ("main", "other")}
    with small.write_transaction() as connection:
        connection.execute(t.outbox.delete().where(t.outbox.c.seq < max(told["main"])))  # the relay had published these
    backup(small, tmp_path / "x.backup")
    restore(store, tmp_path / "x.backup")

    waiting = sorted(_rows(store, t.outbox), key=lambda row: row["place"])
    for tenant, seqs in told.items():
        assert [row["seq"] for row in waiting if row["tenant"] == tenant] == sorted(seqs)


def test_marks_and_counts_are_kept_for_a_while_and_the_record_for_good(store: Store) -> None:
    """After their time, marks, repeats and answers to requests are gone; what is younger and what is the record stays."""
    fill(store)
    clock = store.clock
    assert isinstance(clock, FixedClock)

    def remember(name: str) -> None:
        with store.write_transaction() as connection:
            for number in range(2_100):
                mark = {"tenant": "main", "subscriber": "book", "event": f"{name}{number}", "at": clock.now()}
                connection.execute(t.seen.insert().values(**mark))
            again = {"tenant": "main", "connection": "c", "raw": name, "received_at": clock.now()}
            connection.execute(t.duplicates.insert().values(**again))

    remember("old")
    clock.advance(max(kept for _, kept in KEPT.values()).total_seconds() + 1)
    remember("new")
    record_ = [len(_rows(store, table)) for table in (t.raws, t.events, t.outcomes)]

    assert tidy(store) >= 2_101
    assert {row["event"][:3] for row in _rows(store, t.seen)} == {"new"}
    assert [row["raw"] for row in _rows(store, t.duplicates)] == ["new"]
    assert [len(_rows(store, table)) for table in (t.raws, t.events, t.outcomes)] == record_
    assert tidy(store) == 0


def test_a_backup_is_one_moment(store: Store, tmp_path: Path) -> None:
    """What is written while a backup is made is not half in it: the inbox holds exactly the raws that are there."""
    import threading

    store.add_tenant("main", name="main")
    stop = threading.Event()

    def write_on() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            raw = Raw(stream="s", key=str(number), body=b"x" * 100)
            Intake(store).store([raw.stamped(tenant="main", connection="c", door="webhook", received_at=NOON)])

    writer = threading.Thread(target=write_on)
    writer.start()
    for number in range(3):
        backup(store, tmp_path / f"{number}.backup")
    stop.set()
    writer.join()
    for number in range(3):
        with zipfile.ZipFile(tmp_path / f"{number}.backup") as archive:
            counts = {name: len(archive.read(f"{name}.jsonl").splitlines()) for name in ("raws", "inbox")}
        assert counts["raws"] == counts["inbox"]


def test_a_restore_refuses_what_it_cannot_do(small: Store, store: Store, tmp_path: Path) -> None:
    """Half a file, something else, another version, or a database that holds something: refused, and nothing is changed."""
    good = tmp_path / "good.backup"
    backup(small, good)
    (tmp_path / "half").write_bytes(good.read_bytes()[:1_000])
    (tmp_path / "else").write_bytes(b"PK")
    for name in ("half", "else"):
        with pytest.raises(Unreadable):
            restore(store, tmp_path / name)
    with pytest.raises(Conflict, match="not empty"):
        restore(small, good)
    with store.write_transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(Conflict, match="version"):
        restore(store, good)
    assert all(not rows for rows in everything(store).values())


def test_a_backup_appears_whole_or_not_at_all(small: Store, tmp_path: Path) -> None:
    """While it is written it has another name; one that was there before is replaced at the end."""
    file = tmp_path / "hub.backup"
    file.write_bytes(b"the one before")

    class Killed(BaseException):
        pass

    def die(connection: Any, cursor: Any, statement: str, *_rest: object) -> None:
        if "FROM shares" in statement:
            raise Killed

    sa.event.listen(small.engine, "before_cursor_execute", die)
    with pytest.raises(Killed):
        backup(small, file)
    assert file.read_bytes() == b"the one before"
    sa.event.remove(small.engine, "before_cursor_execute", die)
    assert backup(small, file) > 0
    assert zipfile.is_zipfile(file)
