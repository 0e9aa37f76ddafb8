"""Words between slashes: `/TRTP/.../IBAN/.../NAME/.../REMI/...` of Dutch banks and SWIFT, `/PT/.../PY/...` of Citi."""

from __future__ import annotations

import re
from collections import defaultdict

from .lookup import BIC, IBAN, Details, compact, plain

_START = re.compile(r"\s*/[A-Z]{2,9}/")
_WORDS = re.compile(
    r"/(TRTP|TRCD|IBAN|BIC|NAME|REMI|EREF|KREF|PREF|CSID|MARF|RTRN|ORDP|BENM|CNTP|PURP|ISDT|ULTD|ULTC|ULTB|ACCW|ADDR|ID|"
    r"OCMT|CHGS|EXCH|IREF|SVCL|INV|INN|KPP|RREF|NRTX|CDTRREF|CDTRREFTP)/"
)
# Citi's words are of two letters and would be met inside other texts: only a text that begins with one is read so.
_CITI_START = re.compile(r"\s*/(?:PT|CTC|PY|BO|BN|OB|BB)/")
_CITI = re.compile(r"/(PT|CTC|PY|BO|BN|OB|BB|EREF|REMI|OCMT|CHGS|EXCH)/")
_PARTIES = frozenset({"ORDP", "BENM", "ULTD", "ULTC", "ULTB"})
_OF_PARTY = frozenset({"NAME", "ID", "ADDR", "IBAN", "BIC"})
_STRUCTURED = re.compile(r"STRD/(?:CUR|ISO)?/?([^/]+)")


def read_slashes(text: str, incoming: bool) -> Details | None:
    """`None` for a text of another dialect."""
    if not _START.match(text):
        return None
    citi = _CITI_START.match(text) is not None
    pieces = (_CITI if citi else _WORDS).split(text)
    if len(pieces) == 1:
        return None
    said = _said(list(zip(pieces[1::2], pieces[2::2], strict=True)))
    return _citi(said, pieces[0], incoming) if citi else _swift(said, pieces[0], incoming)


def _said(pieces: list[tuple[str, str]]) -> dict[str, str]:
    """What stands behind each word the first time; a party's own words under its name, as `ORDP/NAME`."""
    said: dict[str, str] = defaultdict(str)
    party = ""
    for word, value in pieces:
        if word in _PARTIES:
            party = word
        elif word not in _OF_PARTY:
            party = ""
        key = f"{party}/{word}" if party and word != party else word
        if not said[key]:
            said[key] = value.strip().strip("/").strip()
    return said


def _swift(said: dict[str, str], before: str, incoming: bool) -> Details:
    near = "ORDP" if incoming else "BENM"
    account, bank, name, *_ = [*said["CNTP"].split("/"), "", "", ""]
    accw = said["ACCW"].replace(",", "/").split("/")
    if not IBAN.fullmatch(compact(account)) and not said["CNTP"]:
        account, bank = accw[0], accw[1] if len(accw) > 1 else ""
    structured = _STRUCTURED.match(said["REMI"])
    memo = structured[1] if structured else said["REMI"].removeprefix("USTD").strip("/")
    ultimate = said["ULTD/NAME"] or said["ULTD"] if incoming else said["ULTC/NAME"] or said["ULTB/NAME"] or said["ULTC"]
    return Details(
        name=plain(said[f"{near}/NAME"] or said[near] or said["NAME"] or _other(said, near) or name),
        account=compact(said[f"{near}/IBAN"] or said["IBAN"] or account),
        bank=compact(said[f"{near}/BIC"] or said["BIC"] or bank),
        ultimate=plain(ultimate),
        memo=plain(memo) or plain(before) or plain(said["TRTP"]),
        reference=plain(said["CDTRREF"] or said["INV"] or said["PREF"] or said["KREF"]),
        end_to_end_id=plain(said["EREF"]),
        structured=plain(structured[1]) if structured else plain(said["CDTRREF"]),
        code=plain(said["TRCD"]),
        return_reason=plain(said["RTRN"]),
        original=said["OCMT"],
        charges=said["CHGS"],
        returned=bool(said["RTRN"]),
    )


def _other(said: dict[str, str], near: str) -> str:
    """A bank that names the other side by the wrong word names one side only."""
    other = "BENM" if near == "ORDP" else "ORDP"
    return said[f"{other}/NAME"] or said[other]


def _citi(said: dict[str, str], before: str, incoming: bool) -> Details:
    name, bank = (said["BO"], said["OB"]) if incoming else (said["BN"], said["BB"])
    return Details(
        name=plain(name or said["BO"] or said["BN"]),
        bank=compact(bank) if BIC.fullmatch(compact(bank)) else "",
        memo=plain(said["PY"] or said["REMI"]) or plain(before),
        end_to_end_id=plain(said["EREF"]),
        code=plain(said["CTC"] or said["PT"]),
        original=said["OCMT"],
        charges=said["CHGS"],
    )
