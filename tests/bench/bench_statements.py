"""How fast CAMT.053 becomes movements, and in how much memory, beside a bare walk over the file and another reader. Run as a program.

`--fuzz N` instead damages every bank connector's own cases N times each: only `Unreadable` may come of it, within a second and 200 MB.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import here  # noqa: F401 - puts the project on the path

LIMIT_MB_S, LIMIT_RSS = 25.0, 100.0
FIXTURES = Path(__file__).parents[2] / "connectors" / "bank_camt" / "fixtures"

ENTRY = """      <Ntry>
        <NtryRef>{n}</NtryRef>
        <Amt Ccy="EUR">{amount}</Amt>
        <CdtDbtInd>{sign}</CdtDbtInd>
        <Sts>
          <Cd>BOOK</Cd>
        </Sts>
        <BookgDt>
          <Dt>2026-03-{day:02}</Dt>
        </BookgDt>
        <ValDt>
          <Dt>2026-03-{day:02}</Dt>
        </ValDt>
        <AcctSvcrRef>BENCH{n:012}</AcctSvcrRef>
        <BkTxCd>
          <Domn>
            <Cd>PMNT</Cd>
            <Fmly>
              <Cd>{family}</Cd>
              <SubFmlyCd>ESCT</SubFmlyCd>
            </Fmly>
          </Domn>
        </BkTxCd>
        <NtryDtls>
          <TxDtls>
            <Refs>
              <EndToEndId>E2E-{n}</EndToEndId>
              <UETR>{n:08x}-0000-4000-8000-000000000000</UETR>
            </Refs>
            <Amt Ccy="EUR">{amount}</Amt>
            <CdtDbtInd>{sign}</CdtDbtInd>
            <RltdPties>
              <{side}>
                <Pty>
                  <Nm>Muster Kunde {customer} Maschinenbau GmbH</Nm>
                  <PstlAdr>
                    <StrtNm>Musterstrasse {customer}</StrtNm>
                    <PstCd>{customer:05}</PstCd>
                    <TwnNm>Musterstadt</TwnNm>
                    <Ctry>DE</Ctry>
                  </PstlAdr>
                </Pty>
              </{side}>
              <{side}Acct>
                <Id>
                  <IBAN>DE00{customer:018}</IBAN>
                </Id>
              </{side}Acct>
            </RltdPties>
            <RltdAgts>
              <{side}Agt>
                <FinInstnId>
                  <BICFI>BANKDEFFXXX</BICFI>
                </FinInstnId>
              </{side}Agt>
            </RltdAgts>
            <RmtInf>
              <Ustrd>Rechnung INV-2026-{n:07} vom 2026-03-{day:02}, Auftrag SO-{n}</Ustrd>
            </RmtInf>
          </TxDtls>
        </NtryDtls>
      </Ntry>
"""


def write(path: Path, megabytes: float) -> tuple[int, Decimal]:
    """A statement of so many MB; returns its entries and their sum."""
    head = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>BENCH</MsgId><CreDtTm>2026-03-31T20:00:00+02:00</CreDtTm></GrpHdr>
    <Stmt>
      <Id>BENCH-1</Id>
      <Acct><Id><IBAN>DE00500105170000000001</IBAN></Id><Ccy>EUR</Ccy></Acct>
"""
    entries, total = [], Decimal(0)
    size, wanted = 0, megabytes * 1e6
    while size < wanted:
        n = len(entries) + 1
        amount, credit = Decimal(n * 37 % 1_000_000 + 1).scaleb(-2), n % 5 != 0
        total += amount if credit else -amount
        entries.append(
            ENTRY.format(
                n=n,
                amount=amount,
                sign="CRDT" if credit else "DBIT",
                family="RCDT" if credit else "ICDT",
                side="Dbtr" if credit else "Cdtr",
                day=n % 28 + 1,
                customer=n % 5000,
            )
        )
        size += len(entries[-1])
    balances = "".join(
        f"      <Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="EUR">{abs(value)}</Amt><CdtDbtInd>{"DBIT" if value < 0 else "CRDT"}</CdtDbtInd><Dt><Dt>2026-03-31</Dt></Dt></Bal>\n'
        for code, value in (("OPBD", Decimal(1000)), ("CLBD", 1000 + total))
    )
    path.write_text(head + balances + "".join(entries) + "    </Stmt>\n  </BkToCstmrStmt>\n</Document>\n", encoding="utf-8")
    return len(entries), total


# --- three ways ----------------------------------------------------------------------------------------------------


def by_connector(path: Path) -> tuple[int, Decimal]:
    """`statements()` of the connector, every line as a movement."""
    from connectors.bank_camt.connector import Connector
    from hub.core.manifest import read_manifest
    from hub.statements import Movement, Statement
    from hub.testing import context_for

    made = Connector(context_for(read_manifest(FIXTURES.parent / "manifest.toml")))
    count, total, balanced = 0, Decimal(0), None
    with path.open("rb") as source:
        for one in made.statements(path.name, source):
            if isinstance(one, Movement):
                count, total = count + 1, total + one.amount
            elif isinstance(one, Statement):
                balanced = one.balanced
    if balanced is not True:
        raise AssertionError("the statement does not balance")
    return count, total


def by_bare_walk(path: Path) -> tuple[int, Decimal]:
    """lxml's iterparse over the entries, nothing taken from them: what no reader on it can be faster than."""
    from lxml import etree

    count = 0
    for _, element in etree.iterparse(str(path), events=("end",), tag="{*}Ntry"):
        count += 1
        element.clear(keep_tail=False)
    return count, Decimal(0)


def by_peer(path: Path) -> tuple[int, Decimal]:
    """pycamt, which makes a dictionary of every entry."""
    from pycamt.parser import Camt053Parser

    total, count = Decimal(0), 0
    for one in Camt053Parser.from_file(path).get_transactions():
        count += 1
        total += Decimal(one["Amount"]) * (1 if one["CreditDebitIndicator"] == "CRDT" else -1)
    return count, total


WAYS: dict[str, Callable[[Path], tuple[int, Decimal]]] = {
    "connector": by_connector,
    "bare lxml iterparse": by_bare_walk,
    "pycamt": by_peer,
}


def alone(way: str, path: Path) -> dict[str, object]:
    """One way in a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, "--way", way, "--file", str(path)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def measured(way: str, path: Path) -> dict[str, object]:
    WAYS[way](write_small(path))  # imports and caches are not what is measured
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as the hub's own process has it
    wall, busy = time.perf_counter(), time.process_time()
    count, total = WAYS[way](path)
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    return {"count": count, "sum": str(total), "wall": wall, "busy": busy, "rss": _peak()}


PEER_MB = 1.0  # its time grows with the square of the entries


def write_small(beside: Path) -> Path:
    small = beside.with_name("small.xml")
    if not small.exists():
        write(small, 0.05)
    return small


def _peak() -> float:
    """The most memory that this process has held, in MB. What `getrusage` says is inherited from the process that started it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the system does not tell")


def compare(megabytes: float, rounds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "camt053.xml"
        entries, total = write(path, megabytes)
        write_small(path)
        size = path.stat().st_size / 1e6
        print(f"CAMT.053 of {size:.1f} MB, {entries} entries; best of {rounds}, each in a process of its own")
        found: dict[str, dict[str, object]] = {}
        for _ in range(rounds):
            for way in ("connector", "bare lxml iterparse"):  # in turns, so that what else runs on the machine slows both
                one = alone(way, path)
                if way not in found or float(str(one["busy"])) < float(str(found[way]["busy"])):
                    found[way] = one
        for way, one in found.items():
            wall, busy = float(str(one["wall"])), float(str(one["busy"]))
            agrees = one["count"] == entries and (way == "bare lxml iterparse" or Decimal(str(one["sum"])) == total)
            told = f"{size / wall:6.1f} MB/s, {size / busy:6.1f} MB a second of CPU, peak {float(str(one['rss'])):6.1f} MB"
            print(f"  {way:20} {told}  {'' if agrees else 'OTHER COUNT OR SUM'}")
        peer_reads(Path(folder) / "peer.xml")
        mine = found["connector"]
        # It reads in one thread and waits for nothing: on an idle machine the clock shows what the CPU took.
        fast = size / float(str(mine["busy"])) >= LIMIT_MB_S
        small = float(str(mine["rss"])) <= LIMIT_RSS
        print(
            f"  bars: {LIMIT_MB_S:g} MB a second of CPU {'kept' if fast else 'MISSED'}, {LIMIT_RSS:g} MB {'kept' if small else 'MISSED'}"
        )
        return 0 if fast and small else 1


def peer_reads(path: Path) -> None:
    """The other reader on a shorter file: count and sum are its independent check."""
    entries, total = write(path, PEER_MB)
    size, one = path.stat().st_size / 1e6, alone("pycamt", path)
    agrees = one["count"] == entries and Decimal(str(one["sum"])) == total
    told = f"{size / float(str(one['wall'])):6.1f} MB/s on {size:.1f} MB, peak {float(str(one['rss'])):6.1f} MB"
    print(f"  {'pycamt':20} {told}  {'same count and sum' if agrees else 'OTHER COUNT OR SUM'}")


# --- damage --------------------------------------------------------------------------------------------------------


def damaged(chance: random.Random, bodies: list[bytes]) -> Iterator[bytes]:
    """Cut off, changed, doubled, mixed with another, or nothing but noise."""
    pieces = [
        b"<Ntry>",
        b"</Ntry>",
        b"<TxDtls/>",
        b"]]>",
        b"&#0;",
        b"<!--",
        b"<?x?>",
        b"1e999",
        b"\x00",
        b"\xff\xfe",
        b"<![CDATA[",
    ]
    while True:
        body = bytearray(chance.choice(bodies))
        for _ in range(chance.randint(0, 4)):
            at = chance.randrange(len(body) + 1)
            kind = chance.randrange(5)
            if kind == 0:
                del body[at:]
            elif kind == 1:
                body[at : at + chance.randint(0, 8)] = chance.randbytes(chance.randint(0, 8))
            elif kind == 2:
                body[at:at] = chance.choice(pieces)
            elif kind == 3:
                body[at:at] = body[at : at + chance.randint(0, 2000)] * chance.randint(1, 20)
            else:
                body = bytearray(chance.randbytes(chance.randint(0, 3000))) if chance.random() < 0.2 else body
        yield bytes(body)


def fuzz(cases: int, seed: int) -> int:
    """Every format's own cases, damaged so many times each."""
    from hub.registry.bank_files import statement_readers

    missed = False
    for reader in statement_readers():
        name = reader.manifest.name
        files = sorted((FIXTURES.parents[1] / name / "fixtures").glob("*/raw.*"))
        missed |= fuzz_one(name, reader.connector, [(path.name, path.read_bytes()) for path in files], cases, seed)
    return int(missed)


def fuzz_one(format: str, made: Any, files: list[tuple[str, bytes]], cases: int, seed: int) -> bool:
    from hub.core.errors import Unreadable

    before, slowest, refused = _peak(), 0.0, 0
    some = damaged(random.Random(seed), [body for _, body in files])
    for _ in range(cases):
        body = next(some)
        start = time.perf_counter()
        try:
            made.recognises("a", body[:4096])
            list(made.statements("a", io.BytesIO(body)))
            for raw in list(made.read("a", body)):
                try:
                    list(made.normalise(raw))
                except Unreadable:
                    continue
        except Unreadable:
            refused += 1
        slowest = max(slowest, time.perf_counter() - start)
    grown = _peak() - before
    print(f"{format}: {cases} damaged files, seed {seed}: {refused} refused, the others read; nothing but Unreadable")
    print(f"  slowest {slowest:.3f} s (limit 1 s), memory grown by {grown:.1f} MB (limit 200 MB)", flush=True)
    return slowest >= 1 or grown >= 200


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--mb", type=float, default=50)
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--fuzz", type=int, default=0)
    given.add_argument("--seed", type=int, default=20260302)
    given.add_argument("--way", choices=list(WAYS))
    given.add_argument("--file", type=Path)
    told = given.parse_args()
    if told.way:
        print(json.dumps(measured(told.way, told.file)))
        return 0
    return fuzz(told.fuzz, told.seed) if told.fuzz else compare(told.mb, told.rounds)


if __name__ == "__main__":
    sys.exit(main())
