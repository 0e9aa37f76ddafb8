"""Whole files: those that other people collected, what is refused, what is the same however it comes, and what damage does."""

from __future__ import annotations

import io
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.bank_camt import stream
from connectors.bank_camt.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Event, Ignored, Movement, Raw, Statement, Unread, Unreadable
from hub.testing import context_for

FOLDER = Path(__file__).parents[1]
SHARED = FOLDER.parents[2] / "shared" / "data" / "statements"
MANIFEST = read_manifest(FOLDER / "manifest.toml")
CASES = sorted(path for path in FOLDER.glob("fixtures/*/raw.xml"))
SOUND = [path for path in CASES if not path.parent.name.endswith("_broken") or "amount" in path.parent.name]


def connector(**set_: object) -> Connector:
    return Connector(context_for(MANIFEST, settings=set_))


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{name} is not beside the repository")
    return path


def lines(body: bytes) -> list[Movement | Unread | Statement]:
    return list(connector().statements("a.xml", io.BytesIO(body)))


def entry(amount: str = "5.00", more: str = "", details: str = "") -> str:
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-03-02</Dt></BookgDt>'
        f"{more}<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def document(*entries: str, head: str = "", version: str = "02") -> bytes:
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    account = "<Acct><Id><IBAN>DE00500105170000000001</IBAN></Id></Acct>"
    told = f'<Document xmlns="{space}"><BkToCstmrStmt><Stmt>{account}{head}{"".join(entries)}</Stmt></BkToCstmrStmt></Document>'
    return told.encode()


@pytest.mark.parametrize(
    ("name", "format_", "rows", "credits_", "debits", "balanced"),
    [
        ("camt-genkgo/camt052.v1.xml", "camt.052.001.01", 1, "0", "200000.00", None),
        ("camt-genkgo/camt052.v4.xml", "camt.052.001.04", 0, "0", "0", None),
        ("camt-genkgo/camt052.v6.Amt-zero.xml", "camt.052.001.06", 0, "0", "0", None),
        ("camt-genkgo/camt052.v8.xml", "camt.052.001.08", 1, "0", "200000.00", None),
        ("camt-genkgo/camt053.v2.five.decimals.xml", "camt.053.001.02", 1, "8.85", "0", False),  # its balances are 0.05 apart
        ("camt-genkgo/camt053.v2.with-account-name.xml", "camt.053.001.02", 1, "8.85", "0", None),
        ("camt-genkgo/camt053.v4.xml", "camt.053.001.04", 1, "8.85", "0", None),  # opens in EUR and closes in SEK
        ("camt-genkgo/camt053.v8.xml", "camt.053.001.08", 1, "8.85", "0", None),
        ("camt-genkgo/camt054.v2.xml", "camt.054.001.02", 1, "0", "200000.00", None),
        ("camt-genkgo/camt054.v8-with-UETR.xml", "camt.054.001.08", 1, "0", "200000.00", None),
        ("camt-genkgo/camt054.v8-with-financial-institution.xml", "camt.054.001.08", 1, "0", "200000.00", None),
        ("camt-genkgo/camt53.only-Dt-with-DtTm.xml", "camt.053.001.02", 0, "0", "0", None),
        ("mixed-bankstatementparser/camt.053.001.02.xml", "camt.053.001.02", 3, "135678.50", "200000.00", True),
        ("mixed-bankstatementparser/golden/camt053_duplicate_same_day.xml", "camt.053.001.02", 2, "0", "9.00", None),
    ],
)
def test_files_of_other_people_are_read(
    name: str, format_: str, rows: int, credits_: str, debits: str, balanced: bool | None
) -> None:
    """Files that somebody else collected are recognised by content, read whole, and balance where they can."""
    body = shared(name).read_bytes()

    found = lines(body)

    assert connector().recognises("a.txt", body[:2000])
    assert not [one for one in found if isinstance(one, Unread)]
    (statement,) = (one for one in found if isinstance(one, Statement))
    assert (statement.format, statement.lines, statement.balanced) == (format_, rows, balanced)
    assert (statement.credits, statement.debits) == (Decimal(credits_), Decimal(debits))
    assert len(found) == rows + 1


@pytest.mark.parametrize(
    ("name", "rule", "where"),
    [
        ("camt-genkgo/camt053.v2.wrong.xml", "no statement", "tag Stmt"),
        ("mixed-bankstatementparser/invalid.xml", "no message", "tag Document"),
    ],
)
def test_files_that_are_wrong_are_refused(name: str, rule: str, where: str) -> None:
    """Files that are called wrong are refused with a named rule and the tag."""
    with pytest.raises(Unreadable) as refused:
        lines(shared(name).read_bytes())

    assert (refused.value.rule, refused.value.pointer[: len(where)]) == (rule, where)


def test_another_reader_counts_the_same() -> None:
    """pycamt, which is not ours, finds as many entries and the same sum, where an entry has one detail and no other currency."""
    from pycamt.parser import Camt053Parser

    many = document(
        *(entry(f"{n}.{n % 100:02}", details=f"<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs></TxDtls>") for n in range(500))
    )
    for body in (many, shared("mixed-bankstatementparser/golden/camt053_duplicate_same_day.xml").read_bytes()):
        theirs = Camt053Parser(body).get_transactions()
        mine = [one for one in lines(body) if isinstance(one, Movement)]

        assert Counter(abs(one.amount) for one in mine) == Counter(Decimal(one["Amount"]) for one in theirs)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "no message"),
        (b"<Document", "no message"),
        (b"<Document/>", "no message"),
        (b"<Other/>", "no message"),
        (b"<Document><Elsewhere/></Document>", "no message"),
        (document(version="14"), "version"),
        (document().replace(b"camt.053.001.02", b"camt.052.001.02"), "version"),
        (document().replace(b"camt.053.001", b"camt.060.001"), "version"),
        (document().replace(b"</Document>", b""), "xml"),
        (document(entry()).replace(b"5.00", b"&a;"), "xml"),
        (b"<!DOCTYPE a>" + document(), "doctype"),
        (("<!DOCTYPE a>" + document().decode()).encode("utf-16"), "doctype"),
        (document(head='<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">x</Amt></Bal>'), "amount"),
        (document(entry(details="<a>" * 300 + "</a>" * 300)), "xml"),
    ],
)
def test_what_is_no_such_message_is_refused(body: bytes, rule: str) -> None:
    """Each kind of file that is refused as a whole has its rule, a place and a next step."""
    with pytest.raises(Unreadable) as refused:
        lines(body)

    assert refused.value.rule == rule
    assert refused.value.pointer and refused.value.next


def test_only_what_speaks_of_such_a_message_is_taken() -> None:
    """A table, a web page and a statement of another format are left to others; a message in UTF-16 is not."""
    taken = connector().recognises

    assert not any(taken("a.xml", head) for head in (b"", b"date,amount\n", b"<html><body>", b":20:START", b"OFXHEADER:100"))
    assert taken("a.dat", document().decode().encode("utf-16")[:400])


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.parent.name)
def test_a_file_is_the_same_under_another_name_and_encoding(path: Path) -> None:
    """The same file again, under another name, in UTF-16 and without its line breaks, gives the same raws."""
    body = path.read_bytes()
    text = body.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"')
    flat = b"".join(line.strip() for line in body.splitlines())

    first, again, wide, bare = (
        [(raw.stream, raw.key, raw.body) for raw in connector().read(name, some)]
        for name, some in (("a.xml", body), ("b.xml", body), ("c.xml", text.encode("utf-16")), ("d.xml", flat))
    )

    assert first == again == wide == bare


@given(st.lists(st.sampled_from(["5.00", "7.25", "5.00 "]), max_size=6), st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_the_same_rows_are_the_same_raws(amounts: list[str], name: str) -> None:
    """However many rows are alike, each has a key of its own, and the file read again has the same."""
    body = document(*(entry(amount) for amount in amounts))

    raws = list(connector().read(name, body))

    assert [(raw.key, raw.body) for raw in raws] == [(raw.key, raw.body) for raw in connector().read("again", body)]
    assert len({raw.key for raw in raws}) == len(raws) == len(amounts) + 1


def test_money_is_booked_by_one_kind_of_message_only() -> None:
    """Whatever `books` is set to, one of the three messages books the same entry, and a row of one is never a row of another."""
    roots = {"053": ("BkToCstmrStmt", "Stmt"), "052": ("BkToCstmrAcctRpt", "Rpt"), "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}
    raws: dict[str, Raw] = {}
    for kind, (root, container) in roots.items():
        body = document(entry(more="<AcctSvcrRef>R1</AcctSvcrRef>")).decode().replace("camt.053", f"camt.{kind}")
        body = body.replace("BkToCstmrStmt", root).replace("<Stmt>", f"<{container}>").replace("</Stmt>", f"</{container}>")
        raws[kind] = next(raw for raw in connector().read("a.xml", body.encode()) if raw.stream == "row")

    for setting, books in (("statement", "053"), ("report", "052"), ("notification", "054")):
        meant = {kind: next(iter(connector(books=setting).normalise(raw))) for kind, raw in raws.items()}
        assert {kind for kind, one in meant.items() if isinstance(one, Event)} == {books}
        assert {one.rule for one in meant.values() if isinstance(one, Ignored)} == {
            f"camt.{k} does not book here" for k in roots if k != books
        }
    assert len({raw.key for raw in raws.values()}) == 3


def test_a_batch_of_any_length_is_read_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The details of an entry that goes on and on are read before its end, and none is lost or read twice."""
    monkeypatch.setattr(stream, "_LONG", 1000)
    monkeypatch.setattr(stream, "_CHUNK", 700)
    monkeypatch.setattr(stream, "HEAD", 700)
    details = "".join(
        f'<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy="EUR">1.00</Amt></TxAmt></AmtDtls></TxDtls>'
        for n in range(300)
    )

    *movements, statement = lines(document(entry("300.00", details=details)))

    assert [one.end_to_end_id for one in movements if isinstance(one, Movement)] == [f"E{n}" for n in range(300)]
    assert isinstance(statement, Statement) and statement.credits == Decimal("300.00")


def test_what_goes_on_without_an_entry_is_refused() -> None:
    """A message that fills memory with what nobody reads is stopped, wherever that stands."""
    for body in (document("<X/>" * 6_000_000), document("<Ntry>" + "<X/>" * 6_000_000 + "</Ntry>")):
        with pytest.raises(Unreadable) as refused:
            lines(body)
        assert refused.value.rule == "too large"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_damage_is_only_ever_unreadable(path: Path, data: st.DataObject) -> None:
    """A file that is cut off, has bytes changed, or tags of another kind put in, is refused or parks rows, and nothing else."""
    body = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 12))] = data.draw(
            st.binary(max_size=6)
            | st.sampled_from([b"<Ntry>", b"</Ntry>", b"<TxDtls/>", b"]]>", b"&#0;", b"<![CDATA[", b"<?x?>", b"Infinity"])
        )
    damaged = bytes(body[: data.draw(st.integers(0, len(body)))] if data.draw(st.booleans()) else body)
    made = connector()

    try:
        made.recognises("a.xml", damaged[:4096])
        for raw in list(made.read("a.xml", damaged)):
            list(made.normalise(raw))
    except Unreadable as problem:
        assert problem.rule and problem.next
