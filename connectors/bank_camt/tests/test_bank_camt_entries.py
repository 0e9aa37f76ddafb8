"""What entries and their details come to: amounts, the other side, documents, charges, and what stands in for what is not told."""

from __future__ import annotations

import io
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.bank_camt.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Movement, Statement, Unread
from hub.testing import context_for

MANIFEST = read_manifest(Path(__file__).parents[1] / "manifest.toml")
OURS = "DE00500105170000000001"
HEAD = f"<Acct><Id><IBAN>{OURS}</IBAN></Id></Acct>"


def read(*entries: str, head: str = HEAD) -> tuple[list[Movement | Unread], Statement]:
    body = f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>{head}{"".join(entries)}</Stmt></BkToCstmrStmt></Document>'
    *lines, statement = Connector(context_for(MANIFEST)).statements("a.xml", io.BytesIO(body.encode()))
    return lines, statement


def entry(
    amount: str = "5.00", *, sign: str = "CRDT", more: str = "", day: str = "<BookgDt><Dt>2026-03-02</Dt></BookgDt>"
) -> str:
    sts = "<Sts><Cd>BOOK</Cd></Sts>"
    return f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{sts}{day}{more}</Ntry>'


def detail(more: str = "", **more_entry: str) -> Movement:
    sign = more_entry.pop("sign", "CRDT")
    lines, _ = read(
        entry(
            more_entry.pop("amount", "5.00"),
            sign=sign,
            more=f"{more_entry.pop('entry', '')}<NtryDtls><TxDtls>{more}</TxDtls></NtryDtls>",
        )
    )
    (one,) = lines
    assert isinstance(one, Movement)
    return one


def balance(code: str, amount: str, sign: str = "CRDT") -> str:
    return f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd></Bal>'


def party(tag: str, name: str = "", account: str = "") -> str:
    told = f"<{tag}><Pty><Nm>{name}</Nm></Pty></{tag}>" if name else ""
    return told + (f"<{tag}Acct><Id><IBAN>{account}</IBAN></Id></{tag}Acct>" if account else "")


@pytest.mark.parametrize(
    ("parties", "sign", "name", "account"),
    [
        (party("Dbtr", "They", "X1") + party("Cdtr", "We", OURS), "CRDT", "They", "X1"),
        (party("Dbtr", "We", OURS) + party("Cdtr", "They", "X1"), "DBIT", "They", "X1"),
        (party("Dbtr", "We", OURS) + party("Cdtr", "They", "X1"), "CRDT", "They", "X1"),  # the bank has turned them around
        (party("Cdtr", "They", "X1"), "CRDT", "They", "X1"),
        (party("Cdtr", "We"), "CRDT", "", ""),
        (party("Cdtr", "We", OURS), "CRDT", "", ""),
        (party("Dbtr", "We", OURS), "CRDT", "", ""),
        ("", "CRDT", "", ""),
    ],
)
def test_the_other_side_is_never_us(parties: str, sign: str, name: str, account: str) -> None:
    """The other side is told by the payment's direction, and by whose account it is where a bank gets that wrong."""
    one = detail(f"<RltdPties>{parties}</RltdPties>", sign=sign)

    assert (one.party_name, one.party_account) == (name, account)


@pytest.mark.parametrize(
    ("bank", "told"),
    [
        ("<FinInstnId><BICFI>BANKDEFF</BICFI><Nm>Bank</Nm></FinInstnId>", "BANKDEFF"),
        ("<FinInstnId><BIC>BANKDEFF</BIC></FinInstnId>", "BANKDEFF"),
        (
            "<FinInstnId><ClrSysMmbId><ClrSysId><Cd>DEBLZ</Cd></ClrSysId><MmbId>50010517</MmbId></ClrSysMmbId></FinInstnId>",
            "50010517",
        ),
        ("<FinInstnId><CmbndId><BIC>BANKDEFF</BIC></CmbndId></FinInstnId>", "BANKDEFF"),
        ("<FinInstnId><NmAndAdr><Nm>Bank</Nm></NmAndAdr></FinInstnId>", "Bank"),
    ],
)
def test_a_bank_is_told_in_many_ways(bank: str, told: str) -> None:
    """Versions name a bank by other elements; its code goes before its name."""
    one = detail(f"<RltdPties>{party('Dbtr', 'They')}</RltdPties><RltdAgts><DbtrAgt>{bank}</DbtrAgt></RltdAgts>")

    assert one.party_bank == told


@pytest.mark.parametrize(
    ("told", "charges"),
    [
        ('<AmtDtls><InstdAmt><Amt Ccy="EUR">6.00</Amt></InstdAmt></AmtDtls>', "1.00"),
        ('<AmtDtls><TxAmt><Amt Ccy="EUR">5.50</Amt></TxAmt></AmtDtls>', "0.50"),
        ('<AmtDtls><InstdAmt><Amt Ccy="USD">6.00</Amt></InstdAmt></AmtDtls>', "0"),
        ('<Chrgs><Rcrd><Amt Ccy="EUR">0.30</Amt><ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs>', "0.30"),
        ('<Chrgs><Rcrd><Amt Ccy="EUR">0.30</Amt><ChrgInclInd>false</ChrgInclInd></Rcrd></Chrgs>', "0"),
        (
            '<Chrgs><Rcrd><Amt Ccy="EUR">0.30</Amt></Rcrd><Rcrd><Amt Ccy="EUR">0.10</Amt><CdtDbtInd>CRDT</CdtDbtInd></Rcrd></Chrgs>',
            "0.20",
        ),
        ('<Chrgs><Amt Ccy="EUR">0.30</Amt></Chrgs><Chrgs><Amt Ccy="EUR">0.20</Amt></Chrgs>', "0.50"),
        ('<Chrgs><TtlChrgsAndTaxAmt Ccy="EUR">0.70</TtlChrgsAndTaxAmt></Chrgs>', "0.70"),
        ('<Chrgs><Rcrd><Amt Ccy="EUR">much</Amt></Rcrd></Chrgs>', "0"),
    ],
)
def test_what_was_kept_on_the_way_is_known(told: str, charges: str) -> None:
    """What the payer sent is the amount and the charges; charges that are booked apart are none of it."""
    assert detail(told).charges == Decimal(charges)


@given(
    st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 500), st.booleans()), min_size=2, max_size=8),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_a_batch_never_loses_a_cent(shares: list[tuple[int, int, bool]], paid_out: bool, apart: bool) -> None:
    """Whatever details an entry has, its lines add up to it; a line each where theirs do."""
    cents = [(-amount if against else amount, charge if apart else 0) for amount, charge, against in shares]
    whole = sum(amount for amount, _ in cents) * (-1 if paid_out else 1) - sum(charge for _, charge in cents)
    sign = "DBIT" if whole < 0 else "CRDT"
    told = "".join(
        f'<TxDtls><Amt Ccy="EUR">{Decimal(abs(amount)).scaleb(-2)}</Amt><CdtDbtInd>{"DBIT" if (amount < 0) != paid_out else "CRDT"}</CdtDbtInd>'
        f'<Chrgs><Rcrd><Amt Ccy="EUR">{Decimal(charge).scaleb(-2)}</Amt></Rcrd></Chrgs></TxDtls>'
        for amount, charge in cents
    )

    lines, statement = read(entry(str(Decimal(abs(whole)).scaleb(-2)), sign=sign, more=f"<NtryDtls>{told}</NtryDtls>"))

    assert sum(one.amount for one in lines if isinstance(one, Movement)) == Decimal(whole).scaleb(-2)
    assert len(lines) == len(shares) == statement.lines
    assert statement.credits - statement.debits == Decimal(whole).scaleb(-2)


def test_details_that_do_not_add_up_are_one_line() -> None:
    """Where the shares are not known nobody guesses them: one line for the entry, with every document that is named."""
    one = '<TxDtls><Amt Ccy="EUR">1.00</Amt><RmtInf><Strd><RfrdDocInf><Nb>{}</Nb></RfrdDocInf></Strd></RmtInf></TxDtls>'

    lines, _ = read(entry(more=f"<NtryDtls>{one.format('A')}{one.format('B')}</NtryDtls>"))

    (line,) = lines
    assert isinstance(line, Movement)
    assert (line.amount, [told.reference for told in line.remittances]) == (Decimal("5.00"), ["A", "B"])


@pytest.mark.parametrize(
    ("day", "booked_on", "at"),
    [
        ("<BookgDt><Dt>2026-03-02</Dt></BookgDt><ValDt><Dt>2026-03-04</Dt></ValDt>", date(2026, 3, 2), None),
        ("<BookgDt><Dt>2026-03-02+01:00</Dt></BookgDt>", date(2026, 3, 2), None),
        ("<BookgDt><DtTm>2026-03-02T10:11:12.123456789</DtTm></BookgDt>", date(2026, 3, 2), time(10, 11, 12, 123456)),
        ("<ValDt><Dt>2026-03-04</Dt></ValDt>", date(2026, 3, 4), None),
        ("", date(2026, 3, 9), None),
    ],
)
def test_a_day_is_found(day: str, booked_on: date, at: time | None) -> None:
    """The booking day, else the value day, else the day of the message."""
    lines, _ = read(entry(day=day), head=f"<CreDtTm>2026-03-09T18:00:00</CreDtTm>{HEAD}")

    (one,) = lines
    assert isinstance(one, Movement)
    assert (one.booked_on, one.at) == (booked_on, at)


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        (entry(day="<BookgDt><Dt>2026-02-30</Dt></BookgDt>"), "day"),
        (entry(day="<BookgDt><Dt>2.3.2026</Dt></BookgDt>"), "day"),
        (entry(day=""), "day"),
        (entry("-5.00"), "amount"),
        (entry("1e3"), "amount"),
        (entry("NaN"), "amount"),
        (entry("0.005"), "amount"),
        (entry().replace('"EUR"', '"euro"'), "currency"),
        (entry().replace(' Ccy="EUR"', ""), "currency"),
        (entry(sign="D"), "direction"),
        (entry().replace("<Sts><Cd>BOOK</Cd></Sts>", ""), "status"),
    ],
)
def test_an_entry_that_cannot_be_read_is_parked(told: str, rule: str) -> None:
    """It has its rule, its text and its place; the entry beside it is read, and the statement says that its sum is open."""
    lines, statement = read(told, entry(), head=HEAD + balance("OPBD", "0.00") + balance("CLBD", "5.00"))

    unread, read_ = lines
    assert isinstance(unread, Unread) and isinstance(read_, Movement)
    assert (unread.rule, unread.pointer[:14], unread.account) == (rule, "Stmt 1, Ntry 1", OURS)
    assert unread.text and (statement.unread, statement.balanced) == (1, None)


@pytest.mark.parametrize(
    ("balances", "opening", "closing"),
    [
        (("OPBD", "CLBD"), 1, 2),
        (("PRCD", "CLBD"), 1, 2),
        (("PRCD", "OPBD", "CLBD"), 2, 3),
        (("ITBD", "ITBD"), 1, 2),
        (("ITBD", "CLBD"), 1, 2),
        (("OPBD", "ITBD"), 1, 2),
        (("ITBD",), None, 1),
        (("CLAV", "FWAV"), None, None),
    ],
)
def test_balances_are_taken_by_their_kind(balances: tuple[str, ...], opening: int | None, closing: int | None) -> None:
    """Opening is OPBD, else PRCD, else an interim one; closing CLBD, else the last interim one; what is available is neither."""
    _, statement = read(head=HEAD + "".join(balance(code, str(place)) for place, code in enumerate(balances, 1)))

    assert (statement.opening, statement.closing) == (opening, closing)


def test_texts_that_were_cut_are_put_together() -> None:
    """A text of the greatest length goes on in the next without a blank, a shorter one with one."""
    cut = "x" * 138 + "SO"
    one = detail(f"<RmtInf><Ustrd>{cut}</Ustrd><Ustrd>-1042 and</Ustrd><Ustrd>SO-1043</Ustrd></RmtInf>")

    assert one.memo == f"{cut}-1042 and SO-1043"


def test_accounts_that_are_no_iban_are_known() -> None:
    """An account below other names is the same account."""
    for number in ("<Othr><Id>4711</Id></Othr>", "<PrtryAcct><Id>4711</Id></PrtryAcct>", "<BBAN>4711</BBAN>"):
        _, statement = read(head=f"<Acct><Id>{number}</Id></Acct>")
        assert statement.account == "4711"
