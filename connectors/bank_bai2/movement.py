"""From a 16 to a movement: direction by type code, the other side by the labels in its text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from hub.sdk import Movement, Unreadable

from .values import Line, money

# The uniform type codes whose names say: reversal, returned or rejected item, posted in error.
_TAKES_BACK = frozenset({"252", "254", "255", "257", "258", "261", "266", "552", "554", "555", "557", "558", "561", "566", "694"})
_NO_REFERENCE = frozenset({"", "NONREF", "NOTPROVIDED", "-"})
# Labels in the text, and whom or what they name: for money in, for money out.
_LABELS = {
    "DBNM": ("name", ""), "CRNM": ("", "name"), "DACT": ("account", ""), "CACT": ("", "account"),
    "DABA": ("bank", ""), "DBIC": ("bank", ""), "CABA": ("", "bank"), "CBIC": ("", "bank"),
    "REMI": ("memo", "memo"), "OBI": ("memo", "memo"), "Remittance Info": ("memo", "memo"),
    "EREF": ("e2e", "e2e"), "Client Ref ID": ("", ""), "Return of Client Ref ID": ("", ""), "GS ID": ("", ""), "IDNM": ("", ""), "CREF": ("", ""), "CHKN": ("", ""),
    "ORIG CO NAME": ("name", "name"), "CO NAME": ("name", "name"), "ORIG": ("name", ""), "ORG": ("name", ""), "B/O": ("name", ""),
    "BNF": ("", "name"), "BENE": ("", "name"), "From": ("name", ""), "To": ("", "name"), "Return From": ("name", "name"),
    "Return To": ("name", "name"), "Return Reason": ("reason", "reason"), "Reason": ("reason", "reason"),
    "Entry Description": ("", ""), "SEC": ("", ""), "ORIG ID": ("", ""), "CO ENTRY DESCR": ("", ""), "DESC DATE": ("", ""),
    "IND NAME": ("", ""), "IND ID": ("", ""), "TRACE#": ("", ""), "EED": ("", ""), "Account": ("", ""), "Clearing Ref": ("", ""),
    "Settled Amt": ("", ""), "FX Rate": ("", ""), "Check Serial Number": ("", ""),
}  # fmt: skip
_LABEL = re.compile(r"(?:^|(?<=[\s,;]))(" + "|".join(map(re.escape, sorted(_LABELS, key=len, reverse=True))) + r")\s?[:=]")
_AROUND = ' \t\n,;"'


def direction(type_: str, own: Mapping[str, str]) -> int:
    """1 for money in, -1 for money out, 0 for a code that does not tell: 7xx of loans, 9xx of the bank's own making."""
    told = own.get(type_, "")
    if told:
        return {"credit": 1, "debit": -1}.get(told, 0)
    number = int(type_)
    return 1 if 100 <= number < 400 else -1 if 400 <= number < 700 else 0


def movement(line: Line, *, account: str, currency: str, day: date, sign: int, pointer: str) -> Movement:
    """The line as a movement. Raises `Unreadable` for an amount whose direction nothing tells."""
    if line.amount and sign == 0:
        raise Unreadable(
            happened=f"type code {line.type} does not say whether its amount came in or went out",
            next=f'ask the bank, and tell it by the connection\'s setting `directions`, e.g. {{"{line.type}" = "credit"}}',
            rule="direction",
            pointer=pointer,
        )
    said = _said(line.text, incoming=sign > 0)
    end_to_end = said["e2e"]
    returned = line.type in _TAKES_BACK
    memo = _plain(said["memo"] or line.text)
    return Movement(
        account=account,
        booked_on=day,
        value_on=line.value_on,
        amount=sign * money(line.amount or 0, currency) if line.amount else Decimal(0),
        currency=currency,
        party_name=said["name"],
        party_account="".join(said["account"].split()),
        party_bank="".join(said["bank"].split()),
        memo=memo,
        reference=_reference(line.reference),
        bank_reference=_reference(line.bank_reference),
        end_to_end_id=_reference(end_to_end),
        code=line.type,
        return_reason=(said["reason"] or memo) if returned else "",
        reversal=returned,
        pointer=pointer,
    )


def _said(text: str, *, incoming: bool) -> dict[str, str]:
    """What the labels of the text name, the first time that each comes."""
    found: dict[str, str] = defaultdict(str)
    pieces = _LABEL.split(text)
    for label, value in zip(pieces[1::2], pieces[2::2], strict=True):
        role = _LABELS[label][0 if incoming else 1]
        told = _plain(value.strip(_AROUND))
        if role and told and role not in found:
            found[role] = told
    return found


def _reference(text: str) -> str:
    return "" if text.upper() in _NO_REFERENCE else text


def _plain(text: str) -> str:
    return " ".join(text.split())
