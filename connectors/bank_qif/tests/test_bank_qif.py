"""How days and amounts of a file tell how they are meant, what a record may hold, and what no bytes can make the reader do."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bank_qif.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Event, Ignored, Movement, Raw, Statement, Unread, Unreadable
from hub.testing import context_for

FOLDER = Path(__file__).parents[1]
MANIFEST = read_manifest(FOLDER / "manifest.toml")
WHOLE = [path for path in sorted((FOLDER / "fixtures").glob("*/raw.txt")) if "broken" not in path.parent.name]
OUTSIDE = FOLDER.parents[2] / "shared" / "data" / "statements" / "qif-actual"


def connector(**settings: object) -> Connector:
    return Connector(context_for(MANIFEST, settings={"account": "1", **settings}))


def read(text: str | bytes, **settings: object) -> list[Any]:
    body = text if isinstance(text, bytes) else text.encode()
    return list(connector(**settings).statements("a.qif", BytesIO(body)))


def register(*records: str, kind: str = "Bank", before: str = "") -> str:
    return f"{before}!Type:{kind}\n" + "".join(f"{record}\n^\n" for record in records)


def days_of(*days: str, **settings: object) -> list[date]:
    return [one.booked_on for one in read(register(*(f"D{day}\nT1.00" for day in days)), **settings) if isinstance(one, Movement)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["12/19/18"], [date(2018, 12, 19)]),
        (["19/12/18", "1/2/18"], [date(2018, 12, 19), date(2018, 2, 1)]),
        (["1/25' 6", "1/ 2' 6"], [date(2006, 1, 25), date(2006, 1, 2)]),
        (["12/31/1999", "1/2/70", "1/2/69"], [date(1999, 12, 31), date(1970, 1, 2), date(2069, 1, 2)]),
        (["2026-03-02", "2026/3/4", "2026.3.5"], [date(2026, 3, 2), date(2026, 3, 4), date(2026, 3, 5)]),
        (["13.3.2026", "02.03.26"], [date(2026, 3, 13), date(2026, 3, 2)]),
        (["3/3/26", "4/4/26"], [date(2026, 3, 3), date(2026, 4, 4)]),
    ],
)
def test_the_days_of_a_file_tell_their_order(written: list[str], meant: list[date]) -> None:
    """One day that can be read in one way only is enough for all of them."""
    assert days_of(*written) == meant


@pytest.mark.parametrize("written", [["1/2/26"], ["1/2/26", "3/3/26"], ["13/1/26", "1/13/26"], ["2026-01-02", "13/1/26"]])
def test_days_that_can_be_read_in_two_ways_are_asked_about(written: list[str]) -> None:
    """The refusal names the setting, and the setting decides."""
    with pytest.raises(Unreadable) as refused:
        days_of(*written)

    assert refused.value.rule == "day order" and "`dates`" in refused.value.next
    assert days_of("1/2/26", dates="dmy") == [date(2026, 2, 1)]
    assert days_of("1/2/26", dates="mdy") == [date(2026, 1, 2)]


def test_a_day_that_is_none_says_nothing_of_the_others() -> None:
    """It is parked, and the order is told by the days that are days."""
    found = read(register("D99/99/26\nT1.00", "D25/1/26\nT1.00", "T1.00", "Dsoon\nT1.00", "D1/2/026\nT1.00"))

    assert [one.rule for one in found if isinstance(one, Unread)] == ["day"] * 4
    assert [one.booked_on for one in found if isinstance(one, Movement)] == [date(2026, 1, 25)]


def amounts_of(*amounts: str, **settings: object) -> list[Any]:
    found = read(register(*(f"D2026-03-02\nT{amount}" for amount in amounts)), **settings)[:-1]
    return [str(one.amount) if isinstance(one, Movement) else one.rule for one in found]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["-1,234.50", "1,000"], ["-1234.50", "1000.00"]),
        (["1.234,5", "1.000"], ["1234.50", "1000.00"]),
        (["12,50", "1,000"], ["12.50", "1.00"]),
        (["1,000,000"], ["1000000.00"]),
        (["1,000", "2"], ["amount", "2.00"]),
        (["1'000.50", "1 000.50", ".5", "−5."], ["1000.50", "1000.50", "0.50", "-5.00"]),
        (["1,5", "2.5"], ["1.50", "2.50"]),
        (["1.005", "2.50"], ["amount", "2.50"]),
        (["1.2.3", "2.50"], ["amount", "2.50"]),
        (["x", "1e5", "NaN", "--1", "1,00,0.50", "9" * 17, "９"], ["amount"] * 7),
    ],
)
def test_the_amounts_of_a_file_tell_their_mark(written: list[str], meant: list[str]) -> None:
    """What can be read in two ways is parked, never guessed; nothing is rounded."""
    assert amounts_of(*written) == meant


def test_the_mark_can_be_set() -> None:
    """Where no amount of the file tells it."""
    assert amounts_of("1,000", decimals=".") == ["1000.00"]
    assert amounts_of("1,000", decimals=",") == ["1.00"]
    assert amounts_of("1000", currency="JPY") == ["1000"]


def test_an_opening_balance_is_no_money_that_came_in() -> None:
    """It makes the statement one that can be checked, if the account tells its balance at the end."""
    account = "!Account\nNHouse\nTBank\n/2026-03-31\n$130.00\n^\n"
    opening = "D2026-03-01\nT100.00\nPOpening Balance\nL[House]"

    whole = read(register(opening, "D2026-03-02\nT30.00", before=account))
    short = read(register(opening, "D2026-03-02\nT29.00", before=account))
    later = read(register(opening, "D2026-04-02\nT30.00", before=account))
    alone = read(register(opening, "D2026-03-02\nT30.00"))

    assert [one.amount for one in whole[:-1]] == [30]
    assert [found[-1].balanced for found in (whole, short, later, alone)] == [True, False, None, None]
    assert [found[-1].account for found in (whole, alone)] == ["House", "House"]
    assert (whole[-1].opening, whole[-1].closing) == (100, 130)


def test_a_balance_that_cannot_be_read_is_not_told() -> None:
    """The lines are read all the same."""
    found = read(register("D2026-03-02\nT30.00", before="!Account\nNHouse\n/soon\n$x\n^\n"))

    assert (found[0].amount, found[-1].closing) == (30, None)


def test_a_list_of_all_accounts_names_none() -> None:
    """Between !Option:AutoSwitch and !Clear:AutoSwitch stands a list; the account of a section is the one after it."""
    listed = "!Option:AutoSwitch\n!Account\nNOne\n^\nNTwo\n^\n!Clear:AutoSwitch\n"

    unnamed = read(register("D2026-03-02\nT1.00", before=listed))
    named = read(register("D2026-03-02\nT1.00", before=f"{listed}!Account\nNTwo\n^\n"))

    assert [found[-1].account for found in (unnamed, named)] == ["1", "Two"]


def test_a_section_has_a_statement_of_its_own() -> None:
    """Two accounts in one file; a kind in small letters; what books nothing is left out and named."""
    text = (
        register("D2026-03-02\nT1.00", kind="ccard ")
        + register("NSales", kind="Cat")
        + register("D2026-03-02\nT2.00", kind="Oth L")
    )
    made = connector()

    raws = list(made.read("a.qif", text.encode()))

    assert [raw.stream for raw in raws] == ["row", "statement", "row", "statement", "left_out"]
    assert [type(one) for one in made.normalise(raws[-1])] == [Ignored]


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        ("D2026-03-02", "amount"),
        ("D2026-03-02\nT1.00\nU2.00", "two amounts"),
        ("D2026-03-02\nT1.00\nT2.00", "said twice"),
        ("D2026-03-02\nT3.00\nSa\n$1.00\nSb\n$1.00", "splits"),
        ("D2026-03-02\nT3.00\nSa\n%50\n$3.00\nSb", "amount"),
    ],
)
def test_an_impossible_record_is_parked(record: str, rule: str) -> None:
    """The one beside it is read."""
    parked, good, statement = read(register(record, "D2026-03-03\nT1.00"))

    assert (parked.rule, good.amount, statement.lines, statement.unread) == (rule, 1, 2, 1)


def test_a_file_that_is_not_utf_8_is_asked_about() -> None:
    """The refusal names the setting, and the setting decides; a mark decides by itself."""
    text = register("D2026-03-02\nT1.00\nPM\xfcller")

    with pytest.raises(Unreadable) as refused:
        read(text.encode("cp1252"))
    found = [read(text.encode("cp1252"), encoding="cp1252"), read(text.encode("utf-16")), read(text.encode("utf-8-sig"))]

    assert refused.value.rule == "encoding" and "`encoding`" in refused.value.next
    assert [one[0].party_name for one in found] == ["Müller"] * 3


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "not QIF"),
        ("date;amount", "not QIF"),
        ("D2026-03-02\nT1\n^\n", "not QIF"),
        ("!Type:Bank\nD2026-03-02\nT1", "cut off"),
    ],
)
def test_a_broken_file_is_refused_by_name(text: str, rule: str) -> None:
    """The reason names the rule."""
    with pytest.raises(Unreadable) as refused:
        read(text)

    assert refused.value.rule == rule


def test_a_file_beyond_any_register_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is looked at before anything else."""
    monkeypatch.setattr("connectors.bank_qif.records.MAX_BYTES", 20)

    with pytest.raises(Unreadable) as refused:
        read(register("D2026-03-02\nT1.00"))

    assert refused.value.rule == "too large"


def test_a_file_that_others_wrote_is_read(require: Callable[[bool, str], None]) -> None:
    """Three purchases on one day, counted by hand."""
    require(OUTSIDE.is_dir(), "needs the statements written elsewhere, in ../shared/data beside the repository")

    *lines, statement = read((OUTSIDE / "data-with-categories.qif").read_bytes(), currency="USD")

    assert [(one.booked_on, str(one.amount), one.party_name) for one in lines] == [
        (date(2018, 12, 19), "-100.58", "Outlet"),
        (date(2018, 12, 19), "-20.15", "GroceriesYou"),
        (date(2018, 12, 19), "-40.60", "RestaurantExample"),
    ]
    assert (statement.lines, statement.debits) == (3, Decimal("161.33"))


@given(
    st.lists(st.tuples(st.integers(-(10**9), 10**9), st.dates(date(1970, 1, 1), date(2069, 12, 31))), min_size=1, max_size=12),
    st.sampled_from(["%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%m/%d/%y", "%d/%m/%y"]),
    st.sampled_from([(",", "."), (".", ","), ("", "."), (" ", ",")]),
)
def test_a_register_comes_back_as_it_was_written(lines: list[tuple[int, date]], order: str, marks: tuple[str, str]) -> None:
    """Whatever order and marks a program writes: the same days, the same cents, the same sum; or the setting is asked for."""
    thousands, decimal = marks

    def written(cents: int) -> str:
        return f"{cents / 100:,.2f}".replace(",", "t").replace(".", decimal).replace("t", thousands)

    text = register(*(f"D{day.strftime(order)}\nT{written(cents)}" for cents, day in lines))
    try:
        *found, statement = read(text)
    except Unreadable as asked:
        assert asked.rule == "day order"
        *found, statement = read(text, dates="mdy" if order.startswith("%m") else "dmy")

    assert [(one.amount * 100, one.booked_on) for one in found] == lines
    assert isinstance(statement, Statement)
    assert (statement.credits - statement.debits) * 100 == sum(cents for cents, _ in lines)


@given(st.sampled_from(WHOLE), st.data())
def test_a_record_that_is_cut_refuses_the_file(path: Path, data: st.DataObject) -> None:
    """A file that ends anywhere but behind a ^ is not whole, or it is the beginning of a header alone."""
    body = path.read_bytes()
    cut = body[: data.draw(st.integers(0, len(body)))]

    try:
        read(cut, encoding="gb18030", dates="mdy")
    except Unreadable:
        return

    last = cut.split(b"\n")[-1] or cut.split(b"\n")[-2]
    assert last == b"^" or last.startswith(b"!")


@given(
    st.sampled_from(WHOLE), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6), st.binary(max_size=40)
)
def test_no_bytes_do_more_than_be_refused(path: Path, changes: list[tuple[int, int]], inserted: bytes) -> None:
    """Changed bytes are read, parked or refused, and every raw means something."""
    body = bytearray(path.read_bytes())
    for place, byte in changes:
        body[place % len(body)] = byte
    if changes:
        body[changes[0][0] % len(body) : 0] = inserted
    made = connector()

    try:
        raws: list[Raw] = list(made.read("a.qif", bytes(body)))
    except Unreadable:
        return

    for raw in raws:
        try:
            assert all(isinstance(one, Event | Ignored) for one in made.normalise(raw))
        except Unreadable as parked:
            assert parked.rule


@given(st.text(max_size=200))
def test_no_text_below_a_header_does_either(text: str) -> None:
    """Whatever stands there is read or refused."""
    try:
        read(f"!Type:Bank\n{text}\n^\n".encode("utf-8", "replace"))
    except Unreadable:
        return


@pytest.mark.parametrize(
    "piece", ["^\n", "!\n", "!Type:Bank\n", "D1/2/26\nT1\n^\n", "T1,1", "S\n", "\n", "D", "Opening Balance", "$1\n"]
)
def test_a_long_file_takes_no_longer_a_byte(piece: str) -> None:
    """Any piece over and over is done within seconds."""
    began = clock.process_time()

    for end in ("", "\n^\n"):
        try:
            read(f"!Type:Bank\n{piece * (200_000 // len(piece))}{end}", dates="mdy")
        except Unreadable:
            continue

    assert clock.process_time() - began < 20
