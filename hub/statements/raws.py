"""From what a parser read to raws: one a line, one a statement, each with a key that is the same whenever it comes again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from hub.core.event import Raw
from hub.core.ids import derive, digest
from hub.statements.undone import Receipts
from hub.statements.values import Movement, Read, Statement, Unread

_BLANKS = re.compile(r"\s+")


def statement_raws(reading: Iterable[Read], *, name: str, file_digest: str, parser: str, message: str = "") -> Iterator[Raw]:
    """Raws of streams `row` and `statement`, in the order read; a statement after its lines.

    A line's key is its account and the bank's reference, else its day, a fingerprint of what it says and which of its like on
    that day it is. Where it stood in which file is told in the headers, so the same line in another file is the same raw;
    so is the key of the line that a reversal takes back, where the reading shows exactly one (`undoes`), or why none is named
    (`unplaced`). `message` is the kind of message where a bank tells the same lines in several: its lines have keys of their own,
    and it is told in the headers.
    """
    common = {"file": name[:200], "sha256": file_digest, "parser": parser} | ({"message": message} if message else {})
    prefix = f"{message}/" if message else ""
    keys: list[str] = []
    alike: Counter[str] = Counter()
    receipts = Receipts()
    for one in reading:
        if isinstance(one, Statement):
            body = msgspec.json.encode(one, order="sorted")
            period = f"{one.from_day}/{one.to_day}"
            key = prefix + derive("stm", one.account, one.currency, period, one.number, *sorted(set(keys)))
            keys, alike = [], Counter()
            yield Raw(stream="statement", key=key, body=body, headers=common, door="file")
            continue
        body = msgspec.json.encode(msgspec.structs.replace(one, pointer=""), order="sorted")
        key = prefix + _key(one, body, alike)
        keys.append(key)
        stream = "unread" if isinstance(one, Unread) else "row"
        headers = common | {"pointer": one.pointer} | _undoing(one, key, receipts)
        yield Raw(stream=stream, key=key, body=body, headers=headers, door="file")


def _undoing(one: Movement | Unread, key: str, receipts: Receipts) -> dict[str, str]:
    if isinstance(one, Unread):
        return {}
    if one.amount > 0 and not one.reversal:
        receipts.came(one, key)
    if one.amount >= 0 or not one.reversal:
        return {}
    found = receipts.taken_back(one)
    return {"undoes": found[0]} if len(found) == 1 else {"unplaced": f"{len(found) or 'none'} of the receipts in the file fit"}


def _key(one: Movement | Unread, body: bytes, alike: Counter[str]) -> str:
    account = one.account or "unknown"
    if isinstance(one, Unread):
        print_ = f"unread/{digest(body)[:24]}"
    elif one.bank_reference:
        print_ = f"{one.bank_reference[:80]}/{_fingerprint(one, with_text=False)}"
    else:
        print_ = f"{one.booked_on.isoformat()}/{_fingerprint(one, with_text=True)}"
    alike[print_] += 1
    return f"{account}/{print_}" if alike[print_] == 1 else f"{account}/{print_}/{alike[print_]}"


def _fingerprint(one: Movement, *, with_text: bool) -> str:
    """What tells this line from another where the bank's own number does not."""
    parts = [one.booked_on.isoformat(), format(one.amount.normalize(), "f"), one.currency]
    if one.uetr:
        parts.append(one.uetr)
    if with_text:
        parts += [
            _BLANKS.sub("", text) for text in (one.party_account, one.party_name, one.memo, one.reference, one.end_to_end_id)
        ]
        parts.append(one.at.isoformat() if one.at else "")
    return digest("\x1f".join(parts).encode())[:16]
