"""Numbered subfields behind a mark: German `166?00...?20...?32...`, Polish `^20`, `<20`, `~20`, Triodos `>20`.

The numbers are those of the German banks' DFÜ agreement, annex 3 (MT940): 00 kind of booking, 10 batch, 20-29 and 60-63 text,
30 bank, 31 account, 32-33 name, 34 key of a return; Polish banks write the IBAN into 38.
"""

from __future__ import annotations

import re
from collections import defaultdict

from .lookup import BIC, IBAN, Details, compact, plain

_START = re.compile(r"(\d{3})?([?<>^~@|])(?=\d\d)")
# A text of 27 characters fills its subfield: the next one continues it without a blank.
_SUBFIELD = 27
_TEXT = [*range(20, 30), *range(60, 64)]
_WORD = re.compile(
    r"(?:^|(?<=\s))(?:(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|RREF)\+|(EREF|KREF|MREF|CRED|SVWZ|ABWA|ABWE|IBAN|BIC):)"
)
_BEGINS = re.compile(r"(?:EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|RREF)\+|(?:EREF|KREF|MREF|CRED|SVWZ|ABWA|ABWE):")
# Business transaction codes of the same annex that say: returned direct debit, returned transfer, credited again.
_RETURNED = frozenset({"108", "109", "110", "111", "159", "181", "182", "183", "184"})


def read_subfields(text: str, incoming: bool) -> Details | None:
    """`None` for a text of another dialect."""
    start = _START.match(text)
    if start is None:
        return None
    parts = _numbered(re.split(re.escape(start[2]) + r"(\d\d)", text[start.end() - 1 :]))
    words = _words(_joined([parts[number] for number in _TEXT if parts[number]]))
    name, account, bank, memo = _joined([parts[32], parts[33]]), parts[38] or parts[31], parts[30], words[""]
    if not name and BIC.fullmatch(parts[20].strip()) and IBAN.fullmatch(parts[21].strip()):
        # Triodos has no numbers for the other side: bank and account are the first two texts, and 31 is our own account.
        bank, account = parts[20], parts[21]
        memo = _joined([parts[number] for number in _TEXT[2:] if parts[number]])
    elif start[2] == ">":
        account = ""
    code = start[1] or ""
    returned = code in _RETURNED
    # A reference ends with its subfield, unless it filled it; what follows is text.
    behind = " ".join(rest for word in ("EREF", "KREF") for rest in words[word].split("\n", 1)[1:])
    memo = words["SVWZ"] or f"{memo} {behind}"
    return Details(
        name=plain(name),
        account=compact(account),
        bank=compact(bank),
        ultimate=plain(words["ABWA" if incoming else "ABWE"]),
        memo=plain(memo) or plain(parts[0]),
        reference=plain(words["KREF"].partition("\n")[0]),
        end_to_end_id=plain(words["EREF"].partition("\n")[0]),
        code=code,
        return_reason=(plain(memo) or plain(parts[34])) if returned else "",
        original=words["OAMT"],
        charges=words["COAM"],
        returned=returned,
    )


def _numbered(pieces: list[str]) -> dict[int, str]:
    """The text of each number; what comes twice under one goes on."""
    found: dict[int, list[str]] = defaultdict(list)
    for number, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        found[int(number)].append(piece)
    return defaultdict(str, {number: "".join(texts) for number, texts in found.items()})


def _words(text: str) -> dict[str, str]:
    """What stands behind each SEPA word, the first time that it comes; what stands before all of them under no name."""
    found: dict[str, str] = defaultdict(str)
    pieces = _WORD.split(text)
    found[""] = pieces[0]
    for plus, colon, value in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        found.setdefault(plus or colon, value)
    return found


def _joined(pieces: list[str]) -> str:
    """Subfields as one text."""
    text = ""
    for place, piece in enumerate(pieces):
        fills = place > 0 and len(pieces[place - 1]) >= _SUBFIELD and not _BEGINS.match(piece)
        text += piece if fills or not text else "\n" + piece
    return text
