"""From a :61: and its :86: to a movement."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from hub.sdk import Movement, Remittance

from .details import read_details
from .envelope import Field
from .fields import Line, calendar_day, entry_day, told_reference
from .lookup import IBAN, Details, compact, money, plain

_NS = re.compile(r"(\d\d)(.*)")
_AMOUNTS = re.compile(r"/(OCMT|CHGS|EXCH|TRCD)/([^/]*)")
# Rabobank's older lines: sixteen places for the other account, then its name.
_ACCOUNT_PLACES = 16
_DOMESTIC = re.compile(r"P?\d{9,10}")
_SERIAL = re.compile(r"(?=[A-Z]*\d{10})[A-Z0-9]{16,34}")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a line stands: its statement's account, currency and opening day, and its place in the file."""

    account: str
    currency: str
    opened_on: date | None
    pointer: str


def movement(line: Line, texts: Sequence[str], others: Sequence[str], place: Place) -> Movement:
    """The line as a movement. `texts` are the lines of its :86:, `others` those of bank-specific :NS: fields. Raises `Unreadable`."""
    value_on = calendar_day(line.value_day, place.pointer)
    # Without an entry day the value day is all that is known of when it was booked.
    booked_on = entry_day(line.entry_day, value_on, place.opened_on, place.pointer) if line.entry_day else value_on
    incoming = line.amount > 0
    said = _with_line(read_details(texts, incoming=incoming) if any(map(str.strip, texts)) else _of_ns(others), line)
    original, charges = _amounts(line, said, place.currency)
    return Movement(
        account=place.account,
        booked_on=booked_on,
        value_on=value_on,
        amount=line.amount,
        currency=place.currency,
        party_name=said.name,
        party_account=said.account,
        party_bank=said.bank,
        ultimate_party=said.ultimate,
        memo=said.memo,
        reference=said.reference,
        bank_reference=line.bank_reference or _serial(line),
        end_to_end_id=told_reference(said.end_to_end_id),
        code="/".join(part for part in (line.code, said.code) if part),
        return_reason=said.return_reason,
        remittances=(Remittance(reference=said.structured),) if said.structured else (),
        charges=charges,
        original_amount=original[1] if original else None,
        original_currency=original[0] if original else "",
        # A mark R, the kind "returned item", or a text that says so: each of them takes an earlier line back.
        reversal=line.mark.startswith("R") or line.code[1:] == "RTI" or said.returned,
        pointer=place.pointer,
    )


def _with_line(said: Details, line: Line) -> Details:
    """What the :61: itself tells of the other side, where its text did not."""
    reference, name, account, memo = told_reference(line.reference), "", "", ""
    more = [text for text in line.supplementary if not _AMOUNTS.match(text)]
    if IBAN.fullmatch(compact(line.reference)):
        reference, account, name = "", compact(line.reference), plain(" ".join(more))
    elif not line.bank_reference and len(line.reference) > _ACCOUNT_PLACES and line.reference[_ACCOUNT_PLACES - 1] == " ":
        reference, account, text = "", told_reference(line.reference[:_ACCOUNT_PLACES]), plain(line.reference[_ACCOUNT_PLACES:])
        name, memo = (text, "") if account else ("", text)
    elif more and (IBAN.fullmatch(more[0]) or _DOMESTIC.fullmatch(more[0])):
        account = more[0]
    else:
        memo = plain(" ".join(more))
    return msgspec.structs.replace(
        said,
        name=said.name or name,
        account=said.account or account,
        memo=said.memo or memo,
        reference=said.reference or reference,
    )


def _serial(line: Line) -> str:
    """A bank that writes its own number below the line instead of behind `//`."""
    first = line.supplementary[0] if line.supplementary else ""
    return first if _SERIAL.fullmatch(first) and not IBAN.fullmatch(first) else ""


def _amounts(line: Line, said: Details, currency: str) -> tuple[tuple[str, Decimal] | None, Decimal]:
    """What was sent, in its own currency, and what banks kept of it in ours."""
    written = dict(_AMOUNTS.findall(" ".join(line.supplementary)))
    original = money(said.original or written.get("OCMT", ""), currency)
    charges = money(said.charges or written.get("CHGS", ""), currency)
    return original, charges[1] if charges and charges[0] == currency else Decimal(0)


def _of_ns(lines: Sequence[str]) -> Details:
    """The :NS: of Hungarian banks: numbered lines; 09 the kind, 15-16 the name, 33 the bank, 34 the account."""
    said: dict[str, str] = {}
    for line in lines:
        found = _NS.match(line)
        if found:
            said.setdefault(found[1], found[2].strip())
    return Details(
        name=plain(said.get("15", "") + said.get("16", "")),
        account=compact(said.get("33", "") + said.get("34", "")),
        memo=plain(said.get("09", "")),
        reference=plain(said.get("02", "")),
    )


def text_of(field: Field, texts: Sequence[str]) -> str:
    """The line as it stands in the file, for a person."""
    return "\n".join([f":61:{field.text}", *([":86:" + "\n".join(texts)] if texts else [])])
