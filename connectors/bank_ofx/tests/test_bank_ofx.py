"""What a field of OFX may look like, how lines correct each other, and what no bytes can make the reader do."""

from __future__ import annotations

import time as clock
from datetime import date, time
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bank_ofx.connector import Connector
from connectors.bank_ofx.values import amount, moment
from hub.core.manifest import read_manifest
from hub.sdk import Event, Ignored, Movement, Raw, Statement, Unread, Unreadable
from hub.testing import context_for

FOLDER = Path(__file__).parents[1]
MANIFEST = read_manifest(FOLDER / "manifest.toml")
CASES = sorted((FOLDER / "fixtures").glob("*/raw.*"))
WHOLE = [path for path in CASES if path.suffix != ".toml" and "broken" not in path.parent.name]


def connector(**settings: object) -> Connector:
    return Connector(context_for(MANIFEST, settings=settings))


def read(body: bytes, **settings: object) -> list[Any]:
    return list(connector(**settings).statements("a.ofx", BytesIO(body)))


def ofx(lines: str, *, head: str = "<CURDEF>USD<BANKACCTFROM><ACCTID>1</BANKACCTFROM>", tail: str = "") -> bytes:
    return (
        f"OFXHEADER:100\nENCODING:USASCII\nCHARSET:1252\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>{head}"
        f"<BANKTRANLIST>{lines}</BANKTRANLIST>{tail}</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    ).encode()


def line(value: str = "1.00", day: str = "20260302", number: str = "1", kind: str = "OTHER", more: str = "") -> str:
    return f"<STMTTRN><TRNTYPE>{kind}<DTPOSTED>{day}<TRNAMT>{value}<FITID>{number}{more}</STMTTRN>"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", "1.50"),
        ("-1,5", "-1.50"),
        ("+0000000000100.00000", "100.00"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1 ", "1.00"),
        ("-0", "0.00"),
    ],
)
def test_an_amount_has_a_comma_or_a_dot(text: str, value: str) -> None:
    """Both are decimals; where both stand, the last one is."""
    assert amount(text, currency="USD", field="TRNAMT") == Decimal(value)


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1,2,3.0", "0.001", "1,234", "NaN", "1e5", "--1", "9" * 16, "１"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    """Nothing is rounded, and three decimals may be thousands: nobody guesses."""
    with pytest.raises(Unreadable) as refused:
        amount(text, currency="USD", field="TRNAMT")

    assert refused.value.rule == "amount"


@pytest.mark.parametrize(
    ("text", "day", "at"),
    [
        ("20260302", date(2026, 3, 2), None),
        ("20260302120000.000", date(2026, 3, 2), None),
        ("20260302093005", date(2026, 3, 2), time(9, 30, 5)),
        ("202603020930", date(2026, 3, 2), time(9, 30)),
        ("20260302093000.258[-5:EST]", date(2026, 3, 2), time(22, 30)),
        ("20260302093000[+8]", date(2026, 3, 2), time(9, 30)),
        ("20260302093000[+5.30:IST]", date(2026, 3, 2), time(12, 0)),
        ("20260302093000[5.5:IST]", date(2026, 3, 2), time(12, 0)),
        ("20260302203000[-7:PDT]", date(2026, 3, 2), None),
        ("20260302202000.000[-:EST]", date(2026, 3, 2), None),
        ("20260302202000[99:XXX]", date(2026, 3, 2), None),
    ],
)
def test_a_moment_keeps_the_bank_s_day(text: str, day: date, at: time | None) -> None:
    """The zone only tells the hour here, and only where it is still the same day."""
    assert moment(text, zone="Asia/Shanghai", field="DTPOSTED") == (day, at)


@pytest.mark.parametrize("text", ["", "2026", "20260230", "20261301", "20260302250000", "20260302x", "2026-03-02"])
def test_what_is_no_day_is_refused(text: str) -> None:
    """A day that the calendar does not have is nobody's booking day."""
    with pytest.raises(Unreadable) as refused:
        moment(text, zone="Asia/Shanghai", field="DTPOSTED")

    assert refused.value.rule == "day"


def test_an_empty_field_takes_nothing_from_its_neighbours() -> None:
    """Version 1 does not close fields: an empty one may look as if it opened an aggregate, even where it is closed elsewhere."""
    first = line(more="<MEMO><NAME>Acme<FLAG><CHECKNUM>7")
    second = line(number="2", more="<FLAG></FLAG><NAME>Bolt</NAME><MEMO>x")

    found = read(ofx(first + second))

    assert [(one.party_name, one.memo, one.reference) for one in found[:2]] == [("Acme", "", "7"), ("Bolt", "x", "")]


def test_text_is_read_as_it_is_meant() -> None:
    """References, literal text, comments, a lone ampersand and a lone bracket."""
    found = read(ofx(line(more="<NAME>A &amp; B &#38; <!-- no --><![CDATA[<C>]]><MEMO>AT&T  1 < 2 &#55296;&copy;")))

    assert (found[0].party_name, found[0].memo) == ("A & B & <C>", "AT&T 1 < 2 &copy;")


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("ENCODING:USASCII\nCHARSET:1252", "cp1252"),
        ("ENCODING:USASCII\nCHARSET:1252", "utf-8"),
        ("ENCODING:UTF-8\nCHARSET:NONE", "utf-8"),
        ("ENCODING:UNICODE\nCHARSET:NONE", "utf-16"),
        ("ENCODING:UNICODE\nCHARSET:NONE", "utf-16-le"),
        ("ENCODING:USASCII\nCHARSET:ISO-8859-1", "latin-1"),
        ("", "utf-8-sig"),
        ("", "cp1252"),
    ],
)
def test_a_file_is_read_in_the_character_set_it_has(header: str, encoding: str) -> None:
    """By its mark, by its header, and as UTF-8 where a header of one byte a letter is wrong."""
    body = f"OFXHEADER:100\n{header}\n\n" + ofx(line(more="<NAME>Söhne")).decode().partition("\n\n")[2]

    assert read(body.encode(encoding))[0].party_name == "Söhne"


@pytest.mark.parametrize("encoding", ["utf-8", "nonsense"])
def test_a_file_in_another_character_set_than_it_says_is_refused(encoding: str) -> None:
    """Nothing is replaced by question marks."""
    body = f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + ofx(line(more="<NAME>S\xf6hne")).partition(b"\n\n")[2]

    with pytest.raises(Unreadable) as refused:
        read(body.decode().encode("latin-1"))

    assert refused.value.rule == "encoding"


def test_settings_stand_in_where_the_file_is_silent() -> None:
    """Account and currency come from the connection, and without them the file is refused by name."""
    body = ofx(line(), head="")

    found = read(body, account="6200 01", currency="cny")
    with pytest.raises(Unreadable) as no_account:
        read(body, currency="CNY")
    with pytest.raises(Unreadable) as no_currency:
        read(body, account="1")

    assert [(one.account, one.currency) for one in found] == [("620001", "CNY")] * 2
    assert (no_account.value.rule, no_currency.value.rule) == ("no account", "no currency")


@pytest.mark.parametrize(
    ("kind", "value", "sums"), [("DEBIT", "5.00", (0, 5)), ("CREDIT", "5.00", (5, 0)), ("FEE", "5.00", (0, 5))]
)
def test_a_bank_without_signs_is_read_by_type(kind: str, value: str, sums: tuple[int, int]) -> None:
    """With `direction` set to the type, TRNTYPE says what went out."""
    statement = read(ofx(line(value, kind=kind)), direction="type")[-1]

    assert (statement.credits, statement.debits) == sums


def test_a_deleted_line_comes_to_nothing_wherever_it_was_booked() -> None:
    """In the same file the line's own amount counts, else the amount that the correction repeats; without any it is parked."""
    delete = "<CORRECTFITID>1<CORRECTACTION>DELETE"

    same = read(ofx(line("7.00") + line("9.00", number="2", more=delete)))
    other = read(ofx(line("9.00", number="2", more=delete)))
    unclear = [read(ofx(line(value, number="2", more=more))) for value, more in (("0", delete), ("1", "<CORRECTFITID>1"))]

    assert [(one.amount, one.reversal, one.undoes) for one in same[:2]] == [(7, False, ""), (-7, True, "1")]
    assert (other[0].amount, other[0].reversal) == (-9, True)
    assert [found[0].rule for found in unclear] == ["correction"] * 2


def test_an_account_that_the_bank_could_not_tell_stops_no_other() -> None:
    """One error among several accounts is parked; the account beside it is read."""
    good = ofx(line()).decode()
    error = "<STMTTRNRS><STATUS><CODE>2003<SEVERITY>ERROR<MESSAGE>no such account</STATUS></STMTTRNRS></BANKMSGSRSV1>"

    *_, statement, parked = read(good.replace("</BANKMSGSRSV1>", error).encode())

    assert isinstance(statement, Statement) and isinstance(parked, Unread)
    assert parked.rule == "bank error" and "2003" in parked.happened


def test_a_refused_login_refuses_the_file() -> None:
    """An error of the sign-on is about everything that follows."""
    signon = "<SIGNONMSGSRSV1><SONRS><STATUS><CODE>15500<SEVERITY>ERROR</STATUS></SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1>"

    with pytest.raises(Unreadable, match="15500: no message"):
        read(ofx(line()).replace(b"<BANKMSGSRSV1>", signon.encode(), 1))


def test_a_loan_is_left_out_by_name() -> None:
    """What is not followed is kept, and ignored with its name; a body that is not ours is parked."""
    loan = b"OFXHEADER:100\n\n<OFX><LOANSTMTRS><LOANACCTFROM><ACCTID>9</LOANACCTFROM></LOANSTMTRS></OFX>"
    made = connector()

    (raw,) = made.read("a.ofx", loan)

    assert [one.rule for one in made.normalise(raw) if isinstance(one, Ignored)] == ["statement of a loan or another kind"]
    with pytest.raises(Unreadable):
        list(made.normalise(Raw(stream="left_out", key="k", body=b"{", door="file")))


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "not OFX"),
        (b"date;amount\n1;2\n", "not OFX"),
        (b"<OFX>" + b"<A>" * 60 + b"</A></OFX>", "nesting"),
        (ofx("<STMTTRN>" + line()), "nesting"),
        (ofx(line()).replace(b"</STMTRS>", b""), "cut off"),
        (ofx(line()) + b"<OFX>", "cut off"),
        (ofx(line() + "<!-- "), "cut off"),
        (ofx(line() + "<!DOCTYPE a>"), "doctype"),
        (ofx(line()).replace(b"<OFX>", b"<OFX><!entity a>", 1), "doctype"),
    ],
)
def test_a_broken_file_is_refused_by_name(body: bytes, rule: str) -> None:
    """The reason names the rule."""
    with pytest.raises(Unreadable) as refused:
        read(body)

    assert refused.value.rule == rule


def test_a_file_beyond_any_statement_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is looked at before anything else."""
    monkeypatch.setattr("connectors.bank_ofx.markup.MAX_BYTES", 100)

    with pytest.raises(Unreadable) as refused:
        read(ofx(line()))

    assert refused.value.rule == "too large"


@given(st.sampled_from(WHOLE), st.data())
def test_a_cut_file_is_refused_whole(path: Path, data: st.DataObject) -> None:
    """However much of the end is missing, nothing of it is taken for a statement."""
    body = path.read_bytes().rstrip()
    cut = body[: data.draw(st.integers(0, len(body) - 1))]

    with pytest.raises(Unreadable):
        read(cut, account="1", currency="USD")


@given(
    st.sampled_from(WHOLE), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6), st.binary(max_size=40)
)
def test_no_bytes_do_more_than_be_refused(path: Path, changes: list[tuple[int, int]], inserted: bytes) -> None:
    """Changed bytes are read, parked or refused; every amount that is read is exact and every raw means something."""
    body = bytearray(path.read_bytes())
    for place, byte in changes:
        body[place % len(body)] = byte
    if changes:
        body[changes[0][0] % len(body) : 0] = inserted
    made = connector()

    try:
        raws = list(made.read("a.ofx", bytes(body)))
    except Unreadable:
        return

    for raw in raws:
        try:
            assert all(isinstance(one, Event | Ignored) for one in made.normalise(raw))
        except Unreadable as parked:
            assert parked.rule


@given(st.text(max_size=200))
def test_no_text_between_the_tags_does_either(text: str) -> None:
    """Whatever stands inside a list of lines is read or refused."""
    try:
        read(ofx(text).decode().encode("utf-8", "replace"))
    except (Unreadable, UnicodeEncodeError):
        return


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9).filter(bool), st.integers(1, 28)), min_size=1, max_size=20))
def test_a_statement_adds_up_to_its_lines(lines: list[tuple[int, int]]) -> None:
    """Credits less debits is the sum of the lines, to the cent, and no line is lost."""
    body = ofx("".join(line(f"{cents / 100:.2f}", f"202603{day:02d}", str(n)) for n, (cents, day) in enumerate(lines)))

    *found, statement = read(body)

    assert len(found) == statement.lines == len(lines)
    assert statement.credits - statement.debits == Decimal(sum(cents for cents, _ in lines)) / 100
    assert [one.amount * 100 for one in found if isinstance(one, Movement)] == [cents for cents, _ in lines]


@pytest.mark.parametrize(
    "piece", ["<", "<A ", "<A>", "</A>", "&#", "<!--x-->", "<MEMO>", "<STMTTRN><X></STMTTRN>", "<?x?>", " ", "</"]
)
def test_a_long_file_takes_no_longer_a_byte(piece: str) -> None:
    """A megabyte of anything is done within seconds: no piece makes the reader look back."""
    began = clock.process_time()

    for body in (ofx(piece * (1_000_000 // len(piece))), b"<OFX>" + piece.encode() * (1_000_000 // len(piece))):
        try:
            read(body)
        except Unreadable:
            continue

    assert clock.process_time() - began < 20
