"""Lines, pages, balances, encodings; what is written is read again; whatever bytes come, only `Unreadable` leaves the reader."""

from __future__ import annotations

import io
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.bank_mt940.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Movement, Remittance, Statement, Unread, Unreadable
from hub.testing import context_for

MANIFEST = read_manifest(Path(__file__).parents[1] / "manifest.toml")
FIXTURES = Path(__file__).parents[1] / "fixtures"
HEAD = ":20:S1\n:25:12345678/0000111222\n:28C:1/1\n"
Found = list[Movement | Unread | Statement]


def connector(**told: object) -> Connector:
    return Connector(context_for(MANIFEST, settings=told))


def read(text: str | bytes, **told: object) -> Found:
    body = text.encode() if isinstance(text, str) else text
    return list(connector(**told).statements("x.sta", io.BytesIO(body)))


def movements(found: Found) -> list[Movement]:
    return [one for one in found if isinstance(one, Movement)]


def statements(found: Found) -> list[Statement]:
    return [one for one in found if isinstance(one, Statement)]


def rules(found: Found) -> list[str]:
    return [one.rule for one in found if isinstance(one, Unread)]


def line(text: str, details: str = "", *, opening: str = "C260301EUR0,") -> Movement:
    """The one movement of a statement that holds this :61: and :86:."""
    (found,) = movements(read(f"{HEAD}:60F:{opening}\n:61:{text}\n:86:{details}\n:62F:{opening}\n-\n"))
    return found


# --- :61: ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "amount", "reversal"),
    [
        ("2603030303C1,00NTRFA", "1.00", False),
        ("2603030303D1,00NTRFA", "-1.00", False),
        ("2603030303RC1,00NTRFA", "-1.00", True),
        ("2603030303RD1,00NTRFA", "1.00", True),
        ("2603030303CR1,00NTRFA", "1.00", False),
        ("2603030303RCR1,00NTRFA", "-1.00", True),
        ("2603030303RDR,5NTRFA", "0.5", True),
        ("260303C000000000001,NTRFA", "1", False),
        ("260303    DD1,5 NRTIA", "-1.5", True),
        ("260303CN100NTRFA", "100", False),
    ],
)
def test_a_mark_gives_the_sign(written: str, amount: str, reversal: bool) -> None:
    """Credit and debit, each taken back or not, with or without a funds code, blanks and decimals."""
    found = line(written)

    assert (found.amount, found.reversal, found.reference) == (Decimal(amount), reversal, "A")


@pytest.mark.parametrize(
    ("written", "value_on", "booked_on"),
    [
        ("2512310102C1,NTRFA", date(2025, 12, 31), date(2026, 1, 2)),
        ("2601021231C1,NTRFA", date(2026, 1, 2), date(2025, 12, 31)),
        ("2403010229C1,NTRFA", date(2024, 3, 1), date(2024, 2, 29)),
        ("260303C1,NTRFA", date(2026, 3, 3), date(2026, 3, 3)),
        ("2510020302C1,NTRFA", date(2025, 10, 2), date(2026, 3, 2)),
        ("9912310101C1,NTRFA", date(1999, 12, 31), date(2000, 1, 1)),
    ],
)
def test_the_entry_day_lies_near_the_value_day(written: str, value_on: date, booked_on: date) -> None:
    """Around New Year the entry day, which has no year, lies in the other year."""
    found = line(written, opening="C260302EUR0,")

    assert (found.value_on, found.booked_on) == (value_on, booked_on)


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("2602300301C1,NTRFA", "day"),
        ("2603020230C1,NTRFA", "day"),
        ("2613010301C1,NTRFA", "day"),
        ("2603020302X1,NTRFA", "line"),
        ("2603020302C1,234,00NTRFA", "amount"),
        ("2603020302C1.234,00NTRFA", "amount"),
        ("2603020302CNTRFA", "amount"),
        ("2603020302C12,5", "amount"),
        ("", "line"),
        ("2604020402C1,NTRFA", "day after closing"),
    ],
)
def test_a_line_that_cannot_be_read_is_parked_alone(written: str, rule: str) -> None:
    """It is parked with its rule, its place and its text; the lines around it are read."""
    good = ":61:2603020302C2,NTRFA\n:86:good\n"

    found = read(f"{HEAD}:60F:C260301EUR0,\n{good}:61:{written}\n:86:bad\n{good}:62F:C260302EUR4,\n-\n")

    (parked,) = [one for one in found if isinstance(one, Unread)]
    assert (parked.rule, parked.pointer, parked.account) == (rule, "line 7, :61:", "12345678/0000111222")
    assert "bad" in parked.text
    assert [one.memo for one in movements(found)] == ["good", "good"]


def test_references_of_payer_and_bank_are_told_apart() -> None:
    """What stands before // is the payer's, what stands behind it the bank's; words for none are none."""
    told = line("2603030303C1,NTRFINV-9//BK-1")
    none = line("2603030303C1,NTRFNONREF//NONREF")

    assert (told.reference, told.bank_reference) == ("INV-9", "BK-1")
    assert (none.reference, none.bank_reference) == ("", "")


# --- statements, pages, totals ------------------------------------------------------------------------------------


def page(number: str, opening: str, lines: str, closing: str) -> str:
    return f":20:S1\n:25:A1\n:28C:{number}\n{opening}\n{lines}{closing}\n-\n"


ONE = ":61:2603020302C1,NTRFA\n:86:text\n"


def test_pages_are_one_statement() -> None:
    """Three pages: opening of the first, closing of the last, all lines, balanced."""
    text = (
        page("7/1", ":60F:C260301EUR5,", ONE, ":62M:C260302EUR6,")
        + page("7/2", ":60M:C260302EUR6,", ONE + ONE, ":62M:C260302EUR8,")
        + page("7/3", ":60M:C260302EUR8,", ONE, ":62F:C260302EUR9,")
    )

    found = read(text)

    (told,) = statements(found)
    assert (told.opening, told.closing, told.lines, told.balanced) == (Decimal(5), Decimal(9), 4, True)
    assert (told.number, told.unread, rules(found)) == ("7/1", 0, [])


@pytest.mark.parametrize(
    "second",
    [
        page("7/3", ":60M:C260302EUR6,", ONE, ":62F:C260302EUR7,"),
        page("7/2", ":60M:C260302EUR99,", ONE, ":62F:C260302EUR100,"),
        page("7/2", ":60M:C260302EUR6,", ONE, ":62F:C260302EUR7,").replace("A1", "A2"),
    ],
)
def test_a_page_that_is_not_there_is_told(second: str) -> None:
    """Another page number, another balance or another account: they are not pages of one statement, and both say so."""
    found = read(page("7/1", ":60F:C260301EUR5,", ONE, ":62M:C260302EUR6,") + second)

    assert rules(found) == ["page missing", "page missing"]
    assert [one.balanced for one in statements(found)] == [True, True]
    assert len(movements(found)) == 2


def test_a_balance_that_does_not_fit_is_told() -> None:
    """Opening and lines do not give the closing balance: the statement says so."""
    (told,) = statements(read(page("1", ":60F:D260301EUR5,", ONE, ":62F:D260302EUR5,")))

    assert (told.opening, told.closing, told.credits, told.balanced) == (Decimal(-5), Decimal(-5), Decimal(1), False)


def test_a_statement_without_its_opening_balance_is_told_and_read() -> None:
    """The closing balance names the currency of the lines."""
    found = read(page("1", ":64:C260301EUR5,", ONE, ":62F:C260302EUR6,"))

    assert rules(found) == ["no opening balance"]
    assert [one.currency for one in movements(found)] == ["EUR"]
    assert [one.balanced for one in statements(found)] == [None]


@pytest.mark.parametrize(
    ("field", "rule"),
    [(":62F:C260302EUR6", "balance"), (":62F:C260230EUR6,", "day"), (":62F:X", "balance"), (":62F:C260302USD6,", "currency")],
)
def test_a_balance_that_cannot_be_read_is_told(field: str, rule: str) -> None:
    """A closing balance without a comma may be cut off; of another currency it closes something else."""
    assert rules(read(page("1", ":60F:C260301EUR5,", ONE, field))) == [rule]


def test_an_opening_balance_needs_no_comma() -> None:
    """Fields behind it show that it was not cut off. A :13D: or :90C: does not make an interim report of a statement."""
    text = page("1", ":13D:2603031200+0100\n:60F:C260301EUR5", ONE, ":90C:1EUR1,\n:62F:C260302EUR6,")

    (told,) = statements(read(text))

    assert (told.format, told.opening, told.balanced, rules(read(text))) == ("MT940", Decimal(5), True, [])


def test_totals_that_do_not_agree_are_told() -> None:
    """MT942 has counts and sums in place of balances."""
    text = ":20:S\n:25:A1\n:28C:1\n:34F:EUR0,\n:13D:2603031200+0100\n" + ONE + ":90D:0EUR0,\n:90C:{}EUR{}\n-\n"

    right, wrong = read(text.format(1, "1,")), read(text.format(2, "3,"))

    assert (rules(right), rules(wrong)) == ([], ["totals"])
    assert [(one.format, one.balanced) for one in statements(right)] == [("MT942", None)]


def test_an_interim_report_without_an_end_is_told() -> None:
    """Neither totals nor a dash: its last line may be cut off and is parked; with a dash all is well."""
    text = "{1:F01X}{2:I942X}{4:\n:20:S\n:25:A1\n:28C:1\n:34F:EURC0,\n" + ONE + ONE.rstrip("\n")

    assert rules(read(text)) == ["cut off", "cut off", "cut off"]
    assert len(movements(read(text))) == 1
    assert (rules(read(text + "\n-}")), len(movements(read(text + "\n-}")))) == ([], 2)


def test_an_envelope_that_is_not_closed_is_told() -> None:
    """A file that ends behind the closing balance and before `-}` was cut."""
    text = "{1:F01X}{2:I940X}{4:\n" + HEAD + ":60F:C260301EUR5,\n" + ONE + ":62F:C260302EUR6,\n"

    assert (rules(read(text)), rules(read(text + "-}"))) == (["cut off"], [])


def test_a_fragment_beside_a_statement_is_told() -> None:
    """A message that is no statement refuses a file alone, and is parked beside one."""
    found = read(":20:X\n:25:A9\n-\n" + page("1", ":60F:C260301EUR5,", ONE, ":62F:C260302EUR6,"))

    assert rules(found) == ["no currency"]
    assert len(statements(found)) == 1


def test_settings_stand_in_for_what_a_file_does_not_name() -> None:
    """A fragment is read where the connection says whose it is; a tag that a program has wrapped is found."""
    text = ":61:2603020302CR\n30,00N062NONREF\n:\n86:166?00GUTSCHR.?20SVWZ+Test\n-\n"

    with pytest.raises(Unreadable, match="account"):
        read(text)
    with pytest.raises(Unreadable, match="currency"):
        read(text, account="A1")
    (found,) = movements(read(text, account="A1", currency="EUR"))

    assert (found.account, found.currency, found.amount, found.memo) == ("A1", "EUR", Decimal("30.00"), "Test")


@pytest.mark.parametrize(
    ("written", "account"),
    [
        ("NL62INGB0001234567EUR", "NL62INGB0001234567"),
        ("NL92 KNAB 0123 4567 89", "NL92KNAB0123456789"),
        ("51210600/9223382012EUR", "51210600/9223382012"),
        ("3462.483.153 EUR   ", "3462.483.153"),
        ("A1\nEXAMDEFF", "A1"),
        ("/PL07160011980002002256301011", "PL07160011980002002256301011"),
    ],
)
def test_an_account_is_the_same_however_it_is_written(written: str, account: str) -> None:
    """Without blanks, without the currency behind it, without the bank in the next line (:25P:)."""
    (told,) = statements(read(f":20:S\n:25P:{written}\n:60F:C260301EUR5,\n:62F:C260301EUR5,\n"))

    assert told.account == account


def test_a_dash_inside_a_text_ends_nothing() -> None:
    """A line with a dash alone is the end only where a message ends: here the text goes on behind it."""
    text = page("1", ":60F:C260301EUR5,", ":61:2603020302C1,NTRFA\n:86:first\n-\nsecond\n" + ONE, ":62F:C260302EUR7,")

    assert [one.memo for one in movements(read(text))] == ["first - second", "text"]


def test_minutes_at_the_beginning_of_a_line_are_no_tag() -> None:
    """A time that a bank wraps between hour and minutes looks like the tag :20: and is none."""
    text = page("1", ":60F:C260301EUR5,", ":61:2603020302C1,NTRFA\n:86:12-09-2014T16\n:20:37 Folgenr. 007\n", ":62F:C260302EUR6,")

    assert [one.memo for one in movements(read(text))] == ["12-09-2014T16 :20:37 Folgenr. 007"]


# --- :86: ---------------------------------------------------------------------------------------------------------


def test_german_words_are_told_apart() -> None:
    """References end with their subfield, the payer's text goes on over subfields, names over two."""
    found = line(
        "2603030303C1,NTRFNONREF",
        "166?00GUTSCHRIFT?20EREF+1234567890123456789012?21-END?22KREF+K-1?23MREF+M-1?24SVWZ+RG 1?25 2 und 3?30EXAMDEFF"
        "?31DE00 1234?32Erste?33Zweite?60ABWA+Mutter",
    )

    assert (found.end_to_end_id, found.reference, found.memo) == ("1234567890123456789012-END", "K-1", "RG 1 2 und 3")
    assert (found.party_name, found.party_account, found.party_bank) == ("Erste Zweite", "DE001234", "EXAMDEFF")
    assert (found.ultimate_party, found.code) == ("Mutter", "NTRF/166")


def test_text_behind_a_reference_is_text() -> None:
    """A bank that writes no SVWZ+ still has its text behind the reference."""
    found = line("2603030303C1,NTRFNONREF", "159?00RETOURE?20EREF+T 5?21MTLG:Konto gesperrt?34914")

    assert (found.end_to_end_id, found.memo) == ("T 5", "MTLG:Konto gesperrt")
    assert (found.reversal, found.return_reason) == (True, "MTLG:Konto gesperrt")


def test_a_party_belongs_to_its_word() -> None:
    """Money in comes from the ordering party, money out goes to the beneficiary."""
    text = "/EREF/E-1/ORDP//NAME/PAYER BV/BENM//NAME/PAYEE BV/ULTD//NAME/LAST BV/REMI/USTD//INV 7//PURP/OTHR/"

    came, went = line("2603030303C1,NTRFNONREF", text), line("2603030303D1,NTRFNONREF", text)

    assert (came.party_name, came.ultimate_party, came.memo) == ("PAYER BV", "LAST BV", "INV 7")
    assert (went.party_name, went.ultimate_party) == ("PAYEE BV", "")


def test_other_words_between_slashes() -> None:
    """An account with its bank (ACCW), a structured reference, an original amount; an unknown word is text."""
    found = line(
        "2603030303C1,NTRFNONREF", "/ACCW/NL00EXAM0000000003,EXAMNL2A/NAME/X/CDTRREF/RF18/REMI/T/OCMT/USD2,5/CHGS/EUR,5/EXCH/1,1/"
    )
    unknown = line("2603030303C1,NTRFNONREF", "/QQQQ/just text")

    assert (found.party_account, found.party_bank, found.reference) == ("NL00EXAM0000000003", "EXAMNL2A", "RF18")
    assert found.remittances == (Remittance(reference="RF18"),)
    assert (found.original_amount, found.original_currency) == (Decimal("2.5"), "USD")
    assert unknown.memo == "/QQQQ/just text"


def test_an_account_at_the_beginning_is_the_other_side() -> None:
    """Only with right check digits: order numbers look like accounts as well."""
    told = line("2603030303C1,NTRFNONREF", "DE89370400440532013000 COBADEFF Rechnung 5")
    not_told = line("2603030303C1,NTRFNONREF", "EJ46GREENP100610T1456 Rechnung 5")

    assert (told.party_account, told.party_bank) == ("DE89370400440532013000", "COBADEFF")
    assert not_told.party_account == ""


@pytest.mark.parametrize(
    ("text", "account", "name", "memo"),
    [
        ("GIRO   123456 VOORBEELD BV          BETALINGSKENM.  0001", "123456", "VOORBEELD BV", None),
        ("GIRO 123456 VOORBEELD BV", "123456", "VOORBEELD BV", None),
        ("12.34.56.789 VOORBEELD WINKEL,PAS999", "12.34.56.789", "VOORBEELD WINKEL", None),
        (
            "GIRO AUS ONLINE-SIC 1 AUFTRAGGEBER: BEISPIEL AG 0000 DORF 260303CH98765432 MITTEILUNGEN: RG 1",
            "CH98765432",
            "BEISPIEL AG 0000 DORF",
            "RG 1",
        ),
        ("911 COLLECT; Z RACH.: 123; OD: JAN PRZYKLADOWY  UL. NIJAKA 1; TYT.: FV 1", "123", "JAN PRZYKLADOWY", "FV 1"),
        ("0123456789 SPOEDBETALING", "0123456789", "", "SPOEDBETALING"),
        ("ALLEEN TEKST 12345", "", "", None),
    ],
)
def test_the_other_side_stands_in_its_place(text: str, account: str, name: str, memo: str | None) -> None:
    """Dutch accounts from before IBAN, Swiss accounts behind an address, Polish addresses behind two blanks."""
    found = line("2603030303C1,NTRFNONREF", text)

    assert (found.party_account, found.party_name) == (account, name)
    assert found.memo == (" ".join(text.split()) if memo is None else memo)


def test_chinese_labels_need_no_blanks() -> None:
    """A label may stand right behind the value before it."""
    found = line("2603030303C1,NTRFNONREF", "付款人：甲机械有限公司付款账号：310000000000001用途：货款")

    assert (found.party_name, found.party_account, found.memo) == ("甲机械有限公司", "310000000000001", "货款")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp850"])
def test_umlauts_are_read_in_any_code_page(encoding: str) -> None:
    """The bytes tell which it is."""
    text = f"{HEAD}:60F:C260301EUR0,\n:61:2603030303C1,NTRFA\n:86:Überweisung für Öl, Gebühr\n:62F:C260303EUR1,\n-\n"

    found = read(text.encode(encoding))

    assert [one.memo for one in movements(found)] == ["Überweisung für Öl, Gebühr"]
    assert connector().recognises("x", text.encode(encoding)[:65536])


def test_a_code_page_that_bytes_cannot_tell_is_set() -> None:
    """Polish letters in CP1250 look like Western ones."""
    text = f"{HEAD}:60F:C260301PLN0,\n:61:2603030303C1,NTRFA\n:86:~20Zapłata za łożyska~32Śrubex\n:62F:C260303PLN1,\n-\n"

    (found,) = movements(read(text.encode("cp1250"), encoding="cp1250"))

    assert (found.memo, found.party_name) == ("Zapłata za łożyska", "Śrubex")


# --- laws ---------------------------------------------------------------------------------------------------------

DAYS = st.dates(date(2000, 1, 1), date(2079, 12, 31))
CENTS = st.integers(-(10**11), 10**11)
WORDS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop0123456789 ", max_size=25).map(lambda text: " ".join(text.split()))


def comma(cents: int) -> str:
    return f"{abs(cents) // 100},{abs(cents) % 100:02d}"


def balance(cents: int, day: date) -> str:
    return f"{'D' if cents < 0 else 'C'}{day:%y%m%d}EUR{comma(cents)}"


@st.composite
def written(draw: st.DrawFn) -> tuple[str, list[tuple[int, date, str, str, str]], int, int]:
    """A statement as a bank writes it, and the lines, opening and closing that were written."""
    opening, day = draw(CENTS), draw(DAYS)
    lines = draw(st.lists(st.tuples(CENTS, st.just(day), WORDS, WORDS, st.sampled_from(["", "BK-1", "0001"])), max_size=6))
    closing = opening + sum(one[0] for one in lines)
    text = f":20:S\n:25:DE00 1234\n:28C:3/1\n:60F:{balance(opening, day - timedelta(1))}\n"
    for cents, value_on, name, memo, reference in lines:
        mark = draw(st.sampled_from(["D", "RC"])) if cents < 0 else draw(st.sampled_from(["C", "RD"]))
        behind = f"//{reference}" if reference else ""
        text += f":61:{value_on:%y%m%d%m%d}{mark}{comma(cents)}NTRFNONREF{behind}\n"
        text += draw(st.sampled_from([f":86:166?00K?20SVWZ+{memo}?32{name}\n", f":86:/NAME/{name}/REMI/{memo}\n"]))
    return text + f":62F:{balance(closing, day)}\n-\n", lines, opening, closing


@given(written(), st.sampled_from(["\n", "\r\n"]), st.booleans())
@settings(deadline=None)
def test_what_is_written_is_read_again(
    one: tuple[str, list[tuple[int, date, str, str, str]], int, int], newline: str, enveloped: bool
) -> None:
    """Days, amounts, names, texts and references of every line, and both balances; always balanced; twice the same raws."""
    text, lines, opening, closing = one
    whole = (f"{{1:F01X}}{{2:I940X}}{{4:\n{text.rstrip()}}}\n" if enveloped else text).replace("\n", newline)

    found = read(whole)

    hundred = Decimal(100)
    assert [(m.amount * 100, m.booked_on, m.party_name, m.bank_reference) for m in movements(found)] == [
        (cents, day, name, reference) for cents, day, name, _, reference in lines
    ]
    assert all(m.memo == memo or not memo for m, (_, _, _, memo, _) in zip(movements(found), lines, strict=True))
    (told,) = statements(found)
    assert (told.opening, told.closing, told.balanced) == (opening / hundred, closing / hundred, True)
    assert told.unread == 0
    assert list(connector().read("x", whole.encode())) == list(connector().read("x", whole.encode()))


HANZI = bytes(range(0xB0, 0xD7))
CHINESE = st.text(
    [bytes([lead, trail]).decode("gb2312") for lead in HANZI for trail in range(0xA1, 0xFF)], min_size=1, max_size=20
)


@given(st.lists(CHINESE, min_size=1, max_size=3))
@settings(deadline=None)
def test_chinese_is_read_in_either_encoding(words: list[str]) -> None:
    """GB18030 is told from every other code page, unless the bytes are UTF-8 by accident."""
    text = f"{HEAD}:60F:C260301CNY0,\n:61:2603030303C1,NTRFA\n:86:{' '.join(words)}\n:62F:C260303CNY1,\n-\n"
    body = text.encode("gb18030")
    try:
        body.decode()
    except UnicodeDecodeError:
        assert [one.memo for one in movements(read(body))] == [" ".join(words)]

    assert [one.memo for one in movements(read(text))] == [" ".join(words)]


@given(
    st.lists(
        st.sampled_from(["оплата", "по", "счету", "за", "март", "договор", "поставки", "аренда", "помещения", "услуги", "связи"]),
        min_size=3,
        max_size=9,
        unique=True,
    )
)
@settings(deadline=None)
def test_russian_is_told_from_chinese(words: list[str]) -> None:
    """Words of Russian in CP1251 are read as such."""
    text = f"{HEAD}:60F:C260301RUB0,\n:61:2603030303C1,NTRFA\n:86:{' '.join(words)}\n:62F:C260303RUB1,\n-\n"

    assert [one.memo for one in movements(read(text.encode("cp1251")))] == [" ".join(words)]


PIECES = [b":20:S\n", b":25:A1\n", b":60F:C260301EUR1,\n", b":61:2603010301C1,NTRFA\n", b":86:166?20X?32Y\n", b":62F:C260301EUR2,\n",
          b"-\n", b"-}", b"{1:F01}{2:I940}{4:\n", b":86:/NAME/X/REMI/", b":34F:EUR\n", b":90C:1EUR1,\n", b":\n", b"\xff\xfe", b"\x00",
          b":62M:C260301EUR2,\n", b":60M:C260301EUR2,\n", b":28C:1/1\n", b":28C:1/2\n", b"IBAN: ", b"\x1a", b":NS:15X\n", b":13D:"]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)), max_size=30).map(b"".join))
@settings(deadline=None, max_examples=300)
def test_whatever_bytes_come_only_unreadable_leaves(body: bytes) -> None:
    """A file is read or refused by name; every line of it comes as a movement or is parked."""
    made = connector()
    made.recognises("x", body)
    try:
        raws = list(made.read("x", body))
    except Unreadable as problem:
        assert problem.rule
        return

    for raw in raws:
        try:
            list(made.normalise(raw))
        except Unreadable as problem:
            assert problem.rule
    told = [one for one in read(body) if isinstance(one, Statement)]
    assert told
    assert sum(one.lines for one in told) <= sum(raw.stream != "statement" for raw in raws)


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_a_case_cut_anywhere_books_nothing_wrong(data: st.DataObject) -> None:
    """What is booked of a cut file is the beginning of what is booked of the whole."""
    path = data.draw(
        st.sampled_from(
            [
                one
                for one in sorted(FIXTURES.glob("*/raw.*"))
                if one.suffix in (".txt", ".bin") and "broken" not in one.parent.name
            ]
        )
    )
    body = path.read_bytes()
    whole = movements(read(body))

    try:
        found = movements(read(body[: data.draw(st.integers(0, len(body)))]))
    except Unreadable:
        return

    assert [(one.amount, one.booked_on, one.memo, one.party_name) for one in found] == [
        (one.amount, one.booked_on, one.memo, one.party_name) for one in whole[: len(found)]
    ]


HARD = {
    "subfields": lambda n: ":86:166" + "?20a" * n,
    "marks without numbers": lambda n: ":86:166?00" + "?" * n,
    "slashes": lambda n: ":86:/REMI/" + "/NAME" * n + "/",
    "labels": lambda n: ":86:" + "IBAN " * n,
    "accounts": lambda n: ":86:" + "AB12CDEFGHIJKLM ABCDEFGH " * (n // 4),
    "sepa words": lambda n: ":86:166?20" + "EREF+ " * n,
    "blanks": lambda n: ":86:" + " " * n,
    "text lines": lambda n: ":86:x" + "\nx" * n,
    "braces": lambda n: "{1:" * n + "\n:86:x",
    "dashes": lambda n: ":86:x" + "\n-" * n,
    "digits": lambda n: ":28C:" + "9" * n + "/" + "9" * n,
}


@pytest.mark.parametrize("kind", HARD)
def test_time_grows_with_the_size_and_no_faster(kind: str) -> None:
    """Ten times the text takes at most about ten times the time: no pattern goes back over what it has read."""

    def seconds(n: int) -> float:
        text = (
            HEAD + ":60F:C260301EUR0,\n:61:2603030303C1,NTRFA\n" + wrapped(HARD[kind](n)) + "\n:62F:C260303EUR1,\n-\n"
        ).encode()
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            read(text)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(60_000) < 40 * max(seconds(6_000), 0.002)


def wrapped(text: str) -> str:
    """Lines of at most 6,000 characters, so that none is refused for its length."""
    return "\n".join(part[at : at + 6000] for part in text.split("\n") for at in range(0, max(len(part), 1), 6000))


def test_a_line_without_an_end_is_refused() -> None:
    """A file of one endless line is no statement, and is not held in memory to find that out."""
    with pytest.raises(Unreadable) as caught:
        read(HEAD + ":86:" + "x" * 70_000)

    assert (caught.value.rule, caught.value.pointer) == ("line too long", "line 4")
