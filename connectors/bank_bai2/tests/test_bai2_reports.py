"""Reports of BAI2: other projects' files, single records, totals; what is written is read again; only `Unreadable` leaves the reader."""

from __future__ import annotations

import io
import os
import re
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.bank_bai2.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Movement, Statement, Unread, Unreadable, minor_units
from hub.testing import context_for

HERE = Path(__file__)
MANIFEST = read_manifest(HERE.parents[1] / "manifest.toml")
FIXTURES = HERE.parents[1] / "fixtures"
FOLDER = HERE.resolve().parents[4] / "shared" / "data" / "statements" / "bai2-moov"
Found = list[Movement | Unread | Statement]

# Files whose own totals do not agree with their records: somebody made them anonymous by hand.
TOLD = {
    "sample4-continuations-newline-delimited.txt": [
        ("control total", "line 22, 49"),
        ("record count", "line 22, 49"),
        ("control total", "line 110, 49"),
        ("record count", "line 110, 49"),
        ("control total", "line 115, 98"),
        ("control count", "line 115, 98"),
        ("record count", "line 115, 98"),
        ("record count", "line 116, 99"),
    ]
}


def connector(**told: object) -> Connector:
    return Connector(context_for(MANIFEST, settings={"directions": {}} | told))


def read(text: str | bytes, **told: object) -> Found:
    body = text.encode() if isinstance(text, str) else text
    return list(connector(**told).statements("x.bai", io.BytesIO(body)))


def movements(found: Found) -> list[Movement]:
    return [one for one in found if isinstance(one, Movement)]


def statements(found: Found) -> list[Statement]:
    return [one for one in found if isinstance(one, Statement)]


def told(found: Found) -> list[tuple[str, str]]:
    return [(one.rule, one.pointer) for one in found if isinstance(one, Unread)]


def rules(found: Found) -> list[str]:
    return [rule for rule, _ in told(found)]


def report(*lines: str, account: str = "03,A1,,010,0,,,015,0,,/", group: str = "1,260302,2400,USD,2") -> str:
    """A file of one account with right totals."""
    records = [account, *lines]
    numbers = [number for one in records for number in amounts(one)]
    total, count = sum(numbers), len(records) + 1
    head = ["01,S,R,260303,0600,1,,,2/", f"02,R,S,{group}/"]
    return "\n".join([*head, *records, f"49,{total},{count}/", f"98,{total},1,{count + 2}/", f"99,{total},1,{count + 4}/"]) + "\n"


def amounts(record: str) -> list[int]:
    """The amounts of an 03 with blank funds types, or of a 16."""
    fields = record.rstrip("/").split(",")
    if fields[0] == "16":
        return [int(fields[2])] if re.fullmatch(r"[+-]?\d+", fields[2]) else []
    return [int(one) for one in fields[4::4] if one] if fields[0] == "03" else []


def line(text: str, **how: str) -> Movement:
    (found,) = movements(read(report(text, **how)))
    return found


# --- other projects' files ----------------------------------------------------------------------------------------


@pytest.fixture(params=sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()) or [""])
def path(request: pytest.FixtureRequest) -> Path:
    if not request.param:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("the collected statements are not beside the repository")
    return FOLDER / str(request.param)


def test_every_file_is_read_or_refused_by_name(path: Path) -> None:
    """Files below `errors` are refused with rule and line; the others are read, and what does not agree in them is told."""
    body = path.read_bytes()

    if path.parent.name == "errors":
        assert not connector().recognises(path.name, body)
        with pytest.raises(Unreadable) as caught:
            read(body)
        assert (caught.value.rule, caught.value.pointer) == ("file header", "line 1")
        return

    found = read(body)

    assert connector().recognises(path.name, body)
    assert told(found) == TOLD.get(path.name, [])
    if path.name not in TOLD:
        assert {one.balanced for one in statements(found)} == {True}


def test_a_plain_count_finds_the_same(path: Path) -> None:
    """As many lines, to the same sum, as a search for records finds, and as many accounts."""
    if path.parent.name == "errors":
        return
    text = path.read_text()
    plain = [(int(code), int(amount)) for code, amount in re.findall(r"(?:^|/ +)16,(\d{3}),(\d+),", text, re.MULTILINE)]

    found = read(text)

    assert sum(one.lines for one in statements(found)) == len(movements(found)) == len(plain)
    assert sum(one.amount for one in movements(found)) * 100 == sum(amount if code < 400 else -amount for code, amount in plain)
    assert len(statements(found)) == len(re.findall(r"(?:^|/ +)03,", text, re.MULTILINE))


# --- single records -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "amount", "reversal"),
    [("100", 1, False), ("399", 1, False), ("400", -1, False), ("699", -1, False), ("255", 1, True), ("555", -1, True)],
)
def test_the_type_code_gives_the_sign(code: str, amount: int, reversal: bool) -> None:
    """100 to 399 came in, 400 to 699 went out; returned and reversed items take back."""
    found = line(f"16,{code},100,,,,TEXT/")

    assert (found.amount, found.reversal, found.code) == (Decimal(amount), reversal, code)


@pytest.mark.parametrize("code", ["700", "721", "900", "959", "999", "099"])
def test_a_code_without_a_direction_is_parked_unless_it_is_told(code: str) -> None:
    """Nobody guesses which way money went; without an amount there is nothing to guess."""
    found = read(report(f"16,{code},100,,B-1,,TEXT/"))

    assert told(found) == [("direction", "line 4, 16")]
    assert line(f"16,{code},,,,,NOTHING BUT TEXT/").amount == 0
    assert [one.amount for one in movements(read(report(f"16,{code},100,,,,/"), directions={code: "debit"}))] == [Decimal(-1)]
    assert rules(read(report(f"16,{code},100,,,,/"), directions={code: "none"})) == ["direction"]


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("16,19,100,,,,X/", "type code"),
        ("16,195,1.00,,,,X/", "amount"),
        ("16,195,1e5,,,,X/", "amount"),
        ("16,195,100,Q,,,X/", "funds type"),
        ("16,195,100,D,999,X/", "funds type"),
        ("16,195,100,D,-1,X/", "funds type"),
        ("16,195,100,S,a,b,c,,,X/", "amount"),
        ("16,195,100,V,260230,,,,X/", "day"),
        ("16,195,100,V,tomorrow,,,,X/", "day"),
    ],
)
def test_a_line_that_cannot_be_read_is_parked_alone(written: str, rule: str) -> None:
    """It is parked with its rule, line and text, and the lines beside it are read."""
    found = read(report("16,195,5,,,,BEFORE/", written, "16,195,6,,,,BEHIND/"))

    parked = next(one for one in found if isinstance(one, Unread))
    assert (parked.rule, parked.pointer, parked.text, parked.account) == (rule, "line 5, 16", written.rstrip("/"), "A1")
    assert [one.memo for one in movements(found)] == ["BEFORE", "BEHIND"]


@pytest.mark.parametrize(
    ("written", "value_on"),
    [
        ("16,195,100,V,260305,1200,B-1,C-1,T/", date(2026, 3, 5)),
        ("16,195,100,V,20260305,,B-1,C-1,T/", date(2026, 3, 5)),
        ("16,195,100,V,,,B-1,C-1,T/", None),
        ("16,195,100,S,40,30,30,B-1,C-1,T/", None),
        ("16,195,100,D,2,0,40,1,60,B-1,C-1,T/", None),
        ("16,195,100,D,,B-1,C-1,T/", None),
        ("16,195,100,z,B-1,C-1,T/", None),
        ("16,195,100,2,B-1,C-1,T/", None),
        ("16,195,100,S,40,30,30/\n88,B-1,C-1/\n88,T/", None),
        ("16,195,100,,B-1/\n88,C-1,T/", None),
    ],
)
def test_references_stand_behind_the_funds_type(written: str, value_on: date | None) -> None:
    """Whatever belongs to the funds type, and wherever a continuation breaks the record."""
    (found,) = movements(read(report(written)))

    assert (found.bank_reference, found.reference, found.memo, found.value_on) == ("B-1", "C-1", "T", value_on)


def test_a_text_keeps_its_commas_and_slashes() -> None:
    """Only the slash that ends the record is no text, and a number behind a slash begins no record."""
    text = report("16,195,100,,B-1,,USD/EUR, 1/2 OF 3, INV 12/ 16 500 UNITS/", "88,AND, MORE/")

    (found,) = movements(read(text))

    assert found.memo == "USD/EUR, 1/2 OF 3, INV 12/ 16 500 UNITS AND, MORE"


@pytest.mark.parametrize(
    ("currencies", "amount"), [(("", ""), "1.00"), (("", "JPY"), "100"), (("BHD", "JPY"), "0.100"), (("EUR", ""), "1.00")]
)
def test_the_currency_places_the_point(currencies: tuple[str, str], amount: str) -> None:
    """The account's own currency, else its group's, else the one that is set."""
    account, group = currencies

    (found,) = movements(
        read(report("16,195,100,,,,/", account=f"03,A1,{account},,,,/", group=f"1,260302,,{group},2"), currency="CHF")
    )

    assert (found.currency, format(found.amount, "f")) == (account or group or "CHF", amount)


def test_balances_of_the_ledger_come_before_available_ones() -> None:
    """010 and 015; 040 and 045 where those are missing; a continuation goes on with the list."""
    ledger = read(report(account="03,A1,,010,100,,,015,200,,,040,5,,,045,6,,/"))
    available = read(report(account="03,A1,,040,5,,/\n88,045,5,,/").replace("49,5,2/", "49,10,3/"))

    assert [(one.opening, one.closing, one.balanced) for one in statements(ledger)] == [(Decimal(1), Decimal(2), False)]
    assert [(one.opening, one.closing, one.balanced) for one in statements(available)] == [
        (Decimal("0.05"), Decimal("0.05"), True)
    ]


# --- totals and missing records -----------------------------------------------------------------------------------

GOOD = report("16,195,5,,,,ONE/", "16,475,5,,,,TWO/")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("49,10,4/", "49,11,4/", ["control total", "control total"]),
        ("49,10,4/", "49,10,5/", ["record count"]),
        ("98,10,1,6/", "98,10,2,6/", ["control count"]),
        ("98,10,1,6/", "98,10,1,7/", ["record count"]),
        ("99,10,1,8/", "99,9,1,8/", ["control total"]),
        ("99,10,1,8/", "99,10,0,8/", ["control count"]),
        ("99,10,1,8/", "99,10,1,x/", ["amount"]),
        ("49,10,4/", "49,,4/", ["amount"]),
        ("16,475,5,,,,TWO/\n", "", ["control total", "record count", "record count", "record count"]),
        ("49,10,4/\n", "", ["cut off", "record count", "record count"]),
        ("98,10,1,6/\n", "", ["cut off", "record count"]),
        ("99,10,1,8/\n", "", ["cut off"]),
        ("02,R,S,1,260302,2400,USD,2/", "02,R,S,1,260230,2400,USD,2/", ["day"] + ["record order"] * 5 + ["control total", "control count"]),
        ("03,A1,,010,0,,,015,0,,/", "03,,,010,0,,/", ["account"] + ["record order"] * 3 + ["control total", "control count"]),
        ("03,A1,,", "03,A1,US,", ["currency"] + ["record order"] * 3 + ["control total", "control count"]),
        ("16,195", "01,S,R,260303/\n16,195", ["record order", "record count", "record count", "record count"]),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_told(old: str, new: str, expected: list[str]) -> None:
    """A total, a count or a record that is not as it should be is told by name; nothing of the file is refused."""
    assert rules(read(GOOD)) == []

    assert rules(read(GOOD.replace(old, new))) == expected


def test_a_group_that_is_a_test_books_nothing_and_a_deletion_is_parked() -> None:
    """Both count for the totals."""
    test = read(report("16,195,5,,,,ONE/", group="4,260302,,USD,2"))
    deletion = read(report("16,195,5,,,,ONE/", group="2,260302,,USD,2"))

    assert (movements(test), rules(test)) == ([], [])
    assert [one.not_booked for one in statements(test)] == [{"test": 1}]
    assert (movements(deletion), rules(deletion)) == ([], ["deletion"])
    assert rules(read(report(group="4,260302,,USD,2").replace("03,A1,,010,0,,,015,0,,/", "16,195,5,,,,/")))[0] == "record order"


def test_a_line_without_its_account_is_parked() -> None:
    """A line before any account, or an account before any group."""
    assert rules(read("01,S,R,260303,,1,,,2/\n03,A1,,/\n16,195,5,,,,/\n49,5,3/\n99,0,0,5/\n")) == ["record order"] * 3


def test_two_files_behind_each_other_are_two_files() -> None:
    """Their totals are counted apart."""
    found = read(GOOD + GOOD)

    assert (rules(found), len(statements(found))) == ([], 2)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "empty file"),
        ("\n \n", "empty file"),
        ("hello\n", "file header"),
        ("03,A1,,/\n", "file header"),
        ("88,01/\n", "file header"),
        ("01,S,R,260303,0600,1,80,,1/\n", "version"),
        ("01,S,R,260303,0600,1,,,2/\n" + "x" * 300_000, "line too long"),
    ],
)
def test_what_is_no_report_is_refused(text: str, rule: str) -> None:
    """With its rule; a file of another version as well."""
    with pytest.raises(Unreadable) as caught:
        read(text)

    assert caught.value.rule == rule


def test_letters_of_western_code_pages_are_read() -> None:
    """UTF-8 where all of it is, else CP1252."""
    text = report("16,195,5,,,,ORIG CO NAME:MÜLLER GMBH/")

    assert [one.party_name for one in movements(read(text))] == ["MÜLLER GMBH"]
    assert [one.party_name for one in movements(read(text.encode("cp1252")))] == ["MÜLLER GMBH"]
    assert connector().recognises("x", b"\xef\xbb\xbf" + text.encode())


# --- laws ---------------------------------------------------------------------------------------------------------

WORDS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.-", max_size=40).map(lambda text: " ".join(text.split()).strip(" ,"))
LINES = st.lists(
    st.tuples(
        st.integers(100, 699).map(str),
        st.integers(1, 10**12),
        st.sampled_from(["", "0", "Z", "V,260305,", "S,1,2,3", "D,1,0,5"]),
        st.sampled_from(["", "B-1", "B-2"]),
        WORDS,
        st.booleans(),
    ),
    max_size=6,
)


@st.composite
def reports(draw: st.DrawFn) -> tuple[str, list[tuple[str, str, list[tuple[str, int, str, str, str, bool]]]]]:
    """A file of several accounts with right totals, and what was written into it."""
    accounts = draw(st.lists(st.tuples(st.sampled_from(["A1", "A2"]), st.sampled_from(["USD", "JPY", "BHD"]), LINES), max_size=3))
    written, group_total, group_records = [], 0, 2
    for account, currency, lines in accounts:
        opening = draw(st.integers(-(10**12), 10**12))
        closing = opening + sum(amount if int(code) < 400 else -amount for code, amount, *_ in lines)
        records = [f"03,{account},{currency},010,{opening},,,015,{closing},,/"]
        for code, amount, funds, reference, text, broken in lines:
            records.append(f"16,{code},{amount},{funds},{reference},,{'' if broken else text}/")
            records += [f"88,{text}/"] if broken else []
        total = opening + closing + sum(amount for _, amount, *_ in lines)
        written += [*records, f"49,{total},{len(records) + 1}/"]
        group_total, group_records = group_total + total, group_records + len(records) + 1
    head = ["01,S,R,260303,0600,1,,,2/", "02,R,S,1,260302,2400,,2/"]
    tail = [f"98,{group_total},{len(accounts)},{group_records}/", f"99,{group_total},1,{group_records + 2}/"]
    return "\n".join([*head, *written, *tail]) + "\n", accounts


@given(reports(), st.booleans())
@settings(deadline=None)
def test_what_is_written_is_read_again(
    one: tuple[str, list[tuple[str, str, list[tuple[str, int, str, str, str, bool]]]]], windows: bool
) -> None:
    """Every amount, sign, reference and text; every account balanced; nothing told; twice the same raws."""
    text, accounts = one
    text = text.replace("\n", "\r\n") if windows else text

    found = read(text)

    assert rules(found) == []
    assert [(m.account, m.currency, m.amount, m.bank_reference, m.memo) for m in movements(found)] == [
        (account, currency, Decimal(amount if int(code) < 400 else -amount).scaleb(-minor_units(currency)), reference, memo)
        for account, currency, lines in accounts
        for code, amount, _, reference, memo, _ in lines
    ]
    assert all(one.balanced for one in statements(found))
    assert len(statements(found)) == len(accounts)
    assert list(connector().read("x", text.encode())) == list(connector().read("x", text.encode()))


PIECES = [b"01,S,R,260303,0600,1,,,2/\n", b"02,R,S,1,260302,2400,USD,2/\n", b"03,A1,,010,0,,/\n", b"16,195,5,,B,,T/\n", b"88,X/\n",
          b"49,5,3/\n", b"98,5,1,5/\n", b"99,5,1,7/\n", b"16,195,5,D,3,", b"16,", b"/ 16,195,5,", b"\n", b"03,", b"\xff", b"\x00", b",,,", b"/"]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=30).map(b"".join))
@settings(deadline=None, max_examples=300)
def test_whatever_bytes_come_only_unreadable_leaves(body: bytes) -> None:
    """A file is read or refused by name; each of its lines comes as a movement or is parked."""
    made = connector()
    for whole in (body, PIECES[0] + PIECES[1] + PIECES[2] + body):
        made.recognises("x", whole)
        try:
            raws = list(made.read("x", whole))
        except Unreadable as problem:
            assert problem.rule
            continue
        for raw in raws:
            try:
                list(made.normalise(raw))
            except Unreadable as problem:
                assert problem.rule
        lines = sum(one.lines for one in statements(read(whole)))
        assert lines <= sum(raw.stream != "statement" for raw in raws)


@pytest.mark.parametrize(
    "name", [one.parent.name for one in sorted(FIXTURES.glob("*/raw.txt")) if "broken" not in one.parent.name]
)
def test_cut_anywhere_no_line_is_lost_silently(name: str) -> None:
    """What a cut file books is the beginning of what the whole books, and that something is missing is told."""
    body = (FIXTURES / name / "raw.txt").read_bytes()
    whole = movements(read(body))

    for end in range(len(body.rstrip()) - 2):
        try:
            found = read(body[:end])
        except Unreadable:
            continue
        assert movements(found) == whole[: len(movements(found))], end
        assert rules(found), end


HARD = {
    "text lines": lambda n: "16,195,5,,,,x" + "\nx" * n,
    "continuations": lambda n: "16,195,5,,,,x" + "\n88,x" * n,
    "commas": lambda n: "03,A2,,010,1" + "," * n,
    "slashes": lambda n: "16,195,5,,,," + "/ " * n,
    "almost records": lambda n: "16,195,5,,,," + "/ 01,a" * (n // 4),
    "blanks": lambda n: "16,195,5,,,,/" + " " * n,
    "labels": lambda n: "16,195,5,,,," + "ORIG CO NAME " * (n // 10),
    "label values": lambda n: "16,195,5,,,," + "OBI:" * (n // 4),
}


@pytest.mark.parametrize("kind", HARD)
def test_time_grows_with_the_size_and_no_faster(kind: str) -> None:
    """Ten times the text takes about ten times the time: no pattern goes back over what it has read."""

    def seconds(n: int) -> float:
        text = ("".join(one.decode() for one in PIECES[:3]) + HARD[kind](n) + "\n49,5,3/\n").encode()
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            read(text)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(60_000) < 40 * max(seconds(6_000), 0.002)
