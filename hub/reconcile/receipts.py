"""The credits of bank files, in the order of the statements, and what else the files say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hub.core.errors import Problem, Unreadable
from hub.core.event import Event, Ignored, Raw
from hub.core.vocabulary import Receipt, ReceiptReversed, StatementRead
from hub.registry.reading import BankReader, bank_reader, bank_readers
from hub.statements import Movement, Unread
from reconciliation.payments import Held

_LINE = re.compile(r"(?:line )?(\d+)")
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
    formats: dict[str, str] = {}
    ignored: Counter[str] = msgspec.field(default_factory=Counter)
    reversals: int = 0
    repeated: int = 0


def read_bank_files(
    files: Iterable[tuple[str, bytes]], *, format: str | None = None, columns: Mapping[str, str] | None = None
) -> BankFiles:
    """The credits of these files, a line that stands in two of them once. Raises `Unreadable` naming the file that is refused."""
    readers = bank_readers({"columns": dict(columns)} if columns else None)
    found, seen, taken_back = BankFiles(), set[tuple[str, str]](), set[str]()
    for name, body in files:
        reader = _reader(name, body, readers, format)
        found.formats[name] = reader.manifest.name
        own: set[tuple[str, str]] = set()
        for raw in _in_file_order(_raws(reader, name, body)):
            key = (raw.stream, raw.key)
            own.add(key)
            if key in seen:
                found.repeated += raw.stream != "statement"
            else:
                _take(found, reader, raw, name, taken_back)
        seen |= own
    found.credits = [_with_fate(one, taken_back) for one in _with_distinct_ids(found.credits)]
    return found


def _reader(name: str, body: bytes, readers: Sequence[BankReader], format: str | None) -> BankReader:
    try:
        return bank_reader(name, body, readers, format=format)
    except Problem as problem:
        problem.about.setdefault("file", name)
        raise


def _raws(reader: BankReader, name: str, body: bytes) -> list[Raw]:
    try:
        return list(reader.raws(name, body))
    except Unreadable as problem:
        problem.about.setdefault("file", name)
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
    return raw.headers.get("pointer") or raw.headers.get("line") or ""


def _take(found: BankFiles, reader: BankReader, raw: Raw, file: str, taken_back: set[str]) -> None:
    try:
        meant = list(reader.connector.normalise(raw))
    except Unreadable as problem:
        text = raw.body.decode("utf-8", "replace")
        found.unread.append((file, Unread.because(problem, text=text, pointer=problem.pointer or _pointer(raw))))
        return
    for one in meant:
        match one:
            case Event(data=Receipt() as receipt):
                found.credits.append(Credit(id="", receipt=_told_in_full(receipt, raw), file=file, pointer=_pointer(raw)))
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


def _movement(raw: Raw) -> Movement | None:
    try:
        return msgspec.json.decode(raw.body, type=Movement)
    except msgspec.ValidationError:
        return None


def _told_in_full(receipt: Receipt, raw: Raw) -> Receipt:
    """The receipt with the documents that the payer names beside the text, so that they are looked for too."""
    line = _movement(raw)
    named = [*(one.reference for one in line.remittances), line.reference] if line else []
    more = [text for text in dict.fromkeys(named) if text and text not in receipt.memo]
    return msgspec.structs.replace(receipt, memo=" ".join([receipt.memo, *more]).strip()) if more else receipt


def _came_back(raw: Raw) -> Receipt | None:
    """Money in that takes back a payment of ours: a credit of the statement, and nobody's for an order."""
    line = _movement(raw)
    if line is None or line.amount <= 0:
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
