"""The credits of bank files, in the order of the statements, and what else the files say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO

import msgspec

from hub.core.errors import Unreadable
from hub.core.event import Event, Ignored, Raw
from hub.core.vocabulary import Receipt, ReceiptReversed, StatementRead
from hub.registry.bank_files import BankFile, bank_files, statement_readers
from hub.statements import Movement, Unread, normalised, statement_raws
from reconciliation.payments import Held

_LINE = re.compile(r"line (\d+)")
_ZONE = "UTC"  # instants are of no use here: banks' days are kept as they are written
TAKEN_BACK = Held(code="taken_back", says="银行又退回了这笔收款", says_en="the bank took this receipt back")
RETURNED = Held(code="returned", says="自己付出的款退了回来", says_en="a payment of our own came back")


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came in. `id` is the bank's own reference where it has one; `settled` says why no order is looked for."""

    id: str
    receipt: Receipt
    file: str
    pointer: str = ""
    settled: Held | None = None


class BankFiles(msgspec.Struct, kw_only=True):
    """What bank files say together. Lines read = credits + `ignored` + `reversals` + unread + `repeated`."""

    credits: list[Credit] = []
    statements: list[StatementRead] = []
    unread: list[tuple[str, Unread]] = []
    files: list[str] = []
    ignored: Counter[str] = msgspec.field(default_factory=Counter)
    reversals: int = 0
    repeated: int = 0


def read_bank_files(
    files: Iterable[tuple[str, BinaryIO]], *, format: str | None = None, columns: Mapping[str, str] | None = None
) -> BankFiles:
    """The credits of these files, or of what they pack; a line that stands in two of them counts once.

    Raises `Unreadable` naming the file that is refused, and `NotFound` for a format that nobody reads.
    """
    readers = statement_readers(format, columns=dict(columns or {}))
    found, seen, taken_back = BankFiles(), set[tuple[str, str]](), set[str]()
    for name, source in files:
        for file in bank_files(name, source, readers, told=format is not None):
            own: set[tuple[str, str]] = set()
            for raw in _in_file_order(_raws(file)):
                key = (raw.stream, raw.key)
                own.add(key)
                if key in seen:
                    found.repeated += raw.stream != "statement"
                else:
                    _take(found, raw, file.name, taken_back)
            seen |= own
            found.files.append(file.name)
    found.credits = [_with_fate(one, taken_back) for one in _with_distinct_ids(found.credits)]
    return found


def _raws(file: BankFile) -> list[Raw]:
    """The raws of a file, as those of a connection with the connector's own name."""
    connector = file.reader.manifest.name if file.reader else ""
    try:
        raws = statement_raws(file.statements(), name=file.name, file_digest="", parser=connector)
        return [msgspec.structs.replace(raw, connection=connector) for raw in raws]
    except Unreadable as problem:
        problem.about.setdefault("file", file.name)
        raise


def _in_file_order(raws: Sequence[Raw]) -> list[Raw]:
    """As the lines stand in the file, where each tells its line; else as the reader gave them."""
    places = [_LINE.fullmatch(_pointer(raw)) for raw in raws if raw.stream != "statement"]
    if not all(places):
        return list(raws)
    lines = iter([int(place[1]) for place in places if place])
    keyed = [(-1 if raw.stream == "statement" else next(lines), raw) for raw in raws]
    return [raw for _, raw in sorted(keyed, key=lambda pair: pair[0])]


def _pointer(raw: Raw) -> str:
    return raw.headers.get("pointer", "")


def _take(found: BankFiles, raw: Raw, file: str, taken_back: set[str]) -> None:
    try:
        meant = list(normalised(raw, zone=_ZONE))
    except Unreadable as problem:
        text = raw.body.decode("utf-8", "replace")
        found.unread.append((file, Unread.because(problem, text=text, pointer=problem.pointer or _pointer(raw))))
        return
    for one in meant:
        match one:
            case Event(data=Receipt() as receipt):
                found.credits.append(Credit(id="", receipt=_told_in_full(receipt), file=file, pointer=_pointer(raw)))
            case Event(data=ReceiptReversed() as reversal):
                taken_back.add(reversal.receipt)
                found.reversals += 1
            case Event(data=StatementRead() as statement):
                found.statements.append(statement)
            case Ignored(rule=rule):
                back = _came_back(raw)
                if back is None:
                    found.ignored[rule] += 1
                else:
                    found.credits.append(Credit(id="", receipt=back, file=file, pointer=_pointer(raw), settled=RETURNED))


def _told_in_full(receipt: Receipt) -> Receipt:
    """The receipt with the documents that the payer names beside the text, so that they are looked for too."""
    named = [*(one.reference for one in receipt.remittances), receipt.reference]
    more = [text for text in dict.fromkeys(named) if text and text not in receipt.memo]
    return msgspec.structs.replace(receipt, memo=" ".join([receipt.memo, *more]).strip()) if more else receipt


def _came_back(raw: Raw) -> Receipt | None:
    """Money in that takes back a payment of ours: a credit of the statement, and nobody's for an order."""
    line = msgspec.json.decode(raw.body, type=Movement)
    if line.amount <= 0:
        return None
    return Receipt(
        receipt=raw.key,
        account=line.account or None,
        booked_on=line.booked_on,
        amount=line.amount,
        currency=line.currency,
        payer_name=line.party_name or None,
        payer_account=line.party_account or None,
        memo=line.memo,
        bank_reference=line.bank_reference or None,
        end_to_end_id=line.end_to_end_id or None,
    )


def _with_distinct_ids(credits: Sequence[Credit]) -> list[Credit]:
    """Each credit under the bank's reference, else under our own id; a reference that comes again gets its turn behind it."""
    often: Counter[str] = Counter()
    result = []
    for one in credits:
        told = one.receipt.bank_reference or one.receipt.end_to_end_id or one.receipt.receipt
        often[told] += 1
        result.append(msgspec.structs.replace(one, id=told if often[told] == 1 else f"{told}#{often[told]}"))
    return result


def _with_fate(credit: Credit, taken_back: set[str]) -> Credit:
    return msgspec.structs.replace(credit, settled=TAKEN_BACK) if credit.receipt.receipt in taken_back else credit
