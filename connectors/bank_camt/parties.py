"""Who is on the other side of a payment, and what it says it pays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from hub.sdk import Remittance, Unreadable

from .reading import Money, amount
from .shapes import Told

_NONE: Told = {}
_FULL = 140  # a text of this length was cut, and goes on in the next without a blank
_LONGEST = 4000


class Party(msgspec.Struct, frozen=True, gc=False):
    name: str = ""
    account: str = ""
    bank: str = ""
    ultimate: str = ""


_NOBODY = Party()
_ULTIMATE = {"Dbtr": "UltmtDbtr", "Cdtr": "UltmtCdtr"}
_AGENT = {"Dbtr": "DbtrAgt", "Cdtr": "CdtrAgt"}


def other_side(detail: Told, *, paid_in: bool, ours: str) -> Party:
    """The debtor of money that came in, else the creditor; never the account that the message is about.

    `paid_in` is the direction of the payment itself: of what is taken back, not of the booking that takes it back.
    Banks leave out our own side, and some put the other one where we should be.
    """
    parties = detail.get("RltdPties")
    if not parties:
        return _NOBODY
    wanted, spare = ("Dbtr", "Cdtr") if paid_in else ("Cdtr", "Dbtr")
    number = account_number(parties.get(f"{wanted}Acct", _NONE))
    if (number and number == ours) or (not number and wanted not in parties):
        theirs = account_number(parties.get(f"{spare}Acct", _NONE))
        if theirs and theirs != ours:
            wanted, number = spare, theirs
        elif number:
            return _NOBODY
    party, ultimate = parties.get(wanted), parties.get(_ULTIMATE[wanted])
    agent = detail.get("RltdAgts", _NONE).get(_AGENT[wanted])
    return Party(_name(party) if party else "", number, _bank(agent) if agent else "", _name(ultimate) if ultimate else "")


def account_number(told: Told | str) -> str:
    """An account's number: an IBAN without blanks, or the bank's own."""
    number: str = told if isinstance(told, str) else told.get("Id", "")
    return number.replace(" ", "") if " " in number else number


def _name(party: Told | str) -> str:
    if isinstance(party, str):
        return party
    name = party.get("Nm") or party.get("Pty", _NONE).get("Nm")
    return str(name) if name else _bank(party.get("Agt", _NONE), named=True)


def _bank(agent: Told | str, *, named: bool = False) -> str:
    if isinstance(agent, str):
        return agent
    bank = agent.get("FinInstnId", _NONE)
    combined = bank.get("CmbndId", _NONE)
    name = bank.get("Nm") or combined.get("Nm") or bank.get("NmAndAdr", _NONE).get("Nm")
    number = bank.get("BICFI") or bank.get("BIC") or combined.get("BIC") or bank.get("ClrSysMmbId", _NONE).get("MmbId")
    return str((name or number if named else number or name) or "")


# --- what it pays ------------------------------------------------------------------------------------------------


def remittances(detail: Told) -> Iterator[Remittance]:
    """The documents that are named, each with its amount where one is told for it alone, and the creditor's references."""
    for one in detail.get("RmtInf", _NONE).get("Strd", ()):
        documents = [told for told in one.get("RfrdDocInf", ()) if told.get("Nb") or told.get("RfrdDocNb")]
        reference = one.get("CdtrRefInf", _NONE).get("Ref") or one.get("CdtrRefInf", _NONE).get("CdtrRef")
        paid = _paid(one.get("RfrdDocAmt", _NONE)) if len(documents) + (not documents and bool(reference)) == 1 else None
        for told in documents:
            yield Remittance(reference=told.get("Nb") or told["RfrdDocNb"], amount=paid)
        if reference:
            yield Remittance(reference=reference, amount=None if documents else paid)


def _paid(amounts: Mapping[str, Any]) -> Decimal | None:
    """What is remitted for a document; a credit note counts against it. `None` where nothing readable is told."""
    by_type = {one.get("Tp"): one.get("Amt") for one in amounts.get("RmtAmtAndTp", ())}
    paid: Money | None = amounts.get("RmtdAmt") or by_type.get("RMTD") or by_type.get("REMI")
    noted: Money | None = amounts.get("CdtNoteAmt") or by_type.get("CRED") or by_type.get("CDTN")
    due: Money | None = amounts.get("DuePyblAmt") or by_type.get("DUPA")
    try:
        for money, sign in ((paid, 1), (noted, -1), (due, 1)):
            if money:
                return amount(money, "RfrdDocAmt")[0] * sign
    except Unreadable:
        return None  # an amount beside the document, not the payment's: the document is named all the same
    return None


def creditor_references(detail: Told) -> list[str]:
    found = (one.get("CdtrRefInf", _NONE) for one in detail.get("RmtInf", _NONE).get("Strd", ()))
    return [str(ref) for told in found if (ref := told.get("Ref") or told.get("CdtrRef"))]


def memo(entry: Told, details: Iterable[Told]) -> str:
    """The free text of the payer; the bank's own where the payer wrote none."""
    pieces = dict.fromkeys([_said(detail) for detail in details])
    text = " ".join(piece for piece in pieces if piece) if len(pieces) > 1 else next(iter(pieces), "")
    text = text or entry.get("AddtlNtryInf", "")
    return (" ".join(text.split()) if "\n" in text else text)[:_LONGEST]


def _said(detail: Told) -> str:
    free = detail.get("RmtInf")
    if not free:
        return str(detail.get("AddtlTxInf", ""))
    said = _joined(free["Ustrd"]) if "Ustrd" in free else ""
    if "Strd" in free:
        said = " ".join([said, *(text for one in free["Strd"] for text in one.get("AddtlRmtInf", ()))]).strip()
    return said or str(detail.get("AddtlTxInf", ""))


def _joined(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0].strip()
    whole, cut = "", True
    for text in texts:
        whole = f"{whole}{text}" if cut else f"{whole.rstrip()} {text.lstrip()}"
        cut = len(text) >= _FULL
    return whole.strip()
