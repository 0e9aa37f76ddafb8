"""What is read of a message, as data, and the one walk that reads it.

A shape names the elements that we know, by local name: `TEXT` is an element's text, `MONEY` its text and currency, `CHOICE` the text
of the one value below it whatever its name, `CODES` all texts below its first element, a mapping goes on below. A list around it says that the element may repeat.
What a shape does not name is skipped with all below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from lxml import etree

TEXT, MONEY, CHOICE, CODES = "text", "money", "choice", "codes"
Told = dict[str, Any]
Shape = Mapping[str, Any]


class Leading(msgspec.Struct, frozen=True):
    """The text of the first value below an element where that has this name, as it mostly has; else what `otherwise` reads."""

    name: str
    otherwise: Shape


_TEXTS = etree.XPath("descendant::text()", smart_strings=False)

_ACCOUNT: Shape = {"Id": CHOICE, "Ccy": TEXT}  # IBAN, or another number below names that differ by version
_BANK: Shape = {
    "FinInstnId": {
        "BICFI": TEXT,
        "BIC": TEXT,  # until 001.03
        "ClrSysMmbId": {"MmbId": TEXT},
        "CmbndId": {"BIC": TEXT, "Nm": TEXT},
        "NmAndAdr": {"Nm": TEXT},
        "Nm": TEXT,
    }
}
_PARTY: Shape = {"Nm": TEXT, "Pty": {"Nm": TEXT}, "Agt": _BANK}  # from 001.08 on below Pty, or a bank below Agt
_MONEY_BELOW: Shape = {"Amt": MONEY}
_CHARGE: Shape = {"Amt": MONEY, "CdtDbtInd": TEXT, "ChrgInclInd": TEXT}
_CHARGES: Shape = {"TtlChrgsAndTaxAmt": MONEY, "Rcrd": [_CHARGE], **_CHARGE}  # until 001.03 without Rcrd
_AMOUNTS: Shape = {"InstdAmt": _MONEY_BELOW, "TxAmt": _MONEY_BELOW, "CntrValAmt": _MONEY_BELOW}
_RETURN: Shape = {"Rsn": CHOICE, "RtrRsn": CHOICE, "AddtlInf": [TEXT], "AddtlRtrRsnInf": [TEXT]}
_DOCUMENTS: Shape = {
    "RfrdDocInf": [{"Nb": TEXT, "RfrdDocNb": TEXT, "Tp": {"CdOrPrtry": CHOICE}}],
    "RfrdDocAmt": {
        "RmtdAmt": MONEY,
        "CdtNoteAmt": MONEY,
        "DuePyblAmt": MONEY,
        "RmtAmtAndTp": [{"Tp": CHOICE, "Amt": MONEY}],  # from 001.11 on
    },
    "CdtrRefInf": {"Ref": TEXT, "CdtrRef": TEXT},
    "AddtlRmtInf": [TEXT],
}

DETAIL: Shape = {
    "Refs": {
        "AcctSvcrRef": TEXT,
        "EndToEndId": TEXT,
        "UETR": TEXT,
    },
    "Amt": MONEY,
    "CdtDbtInd": TEXT,
    "AmtDtls": _AMOUNTS,
    "BkTxCd": CODES,
    "Chrgs": [_CHARGES],
    "RltdPties": {
        "Dbtr": Leading("Nm", _PARTY),
        "DbtrAcct": Leading("IBAN", _ACCOUNT),
        "UltmtDbtr": Leading("Nm", _PARTY),
        "Cdtr": Leading("Nm", _PARTY),
        "CdtrAcct": Leading("IBAN", _ACCOUNT),
        "UltmtCdtr": Leading("Nm", _PARTY),
    },
    "RltdAgts": {"DbtrAgt": Leading("BICFI", _BANK), "CdtrAgt": Leading("BICFI", _BANK)},
    "RmtInf": {"Ustrd": [TEXT], "Strd": [_DOCUMENTS]},
    "RtrInf": _RETURN,
    "AddtlTxInf": TEXT,
}
ENTRY: Shape = {
    "NtryRef": TEXT,
    "Amt": MONEY,
    "CdtDbtInd": TEXT,
    "RvslInd": TEXT,
    "Sts": CHOICE,  # until 001.07 the code is its own text
    "BookgDt": CHOICE,
    "ValDt": CHOICE,
    "AcctSvcrRef": TEXT,
    "BkTxCd": CODES,
    "AmtDtls": _AMOUNTS,
    "Chrgs": [_CHARGES],
    "Btch": {"PmtInfId": TEXT, "NbOfTxs": TEXT},  # this and the details stand here in 001.01
    "NtryDtls": [{"Btch": {"PmtInfId": TEXT, "NbOfTxs": TEXT}, "TxDtls": [DETAIL]}],
    "TxDtls": [DETAIL],
    "AddtlNtryInf": TEXT,
}
STATEMENT: Shape = {
    "ElctrncSeqNb": TEXT,
    "LglSeqNb": TEXT,
    "CreDtTm": TEXT,
    "FrToDt": {"FrDtTm": TEXT, "ToDtTm": TEXT},
    "Acct": _ACCOUNT,
    "Bal": [{"Tp": CHOICE, "Amt": MONEY, "CdtDbtInd": TEXT, "Dt": CHOICE}],
}


def compiled(shape: Shape, namespace: str) -> Shape:
    """The shape by full tag, ready for `told`: a text's name, or name, what is below and whether it repeats."""
    found: dict[str, Any] = {}
    for name, below in shape.items():
        many = isinstance(below, list)
        one = below[0] if many else below
        if one is TEXT and not many:
            found[f"{namespace}{name}"] = name
        else:
            further = one
            if isinstance(one, Leading):
                further = (f"{namespace}{one.name}", compiled(one.otherwise, namespace))
            elif isinstance(one, Mapping):
                further = compiled(one, namespace)
            found[f"{namespace}{name}"] = (name, further, many)
    return found


def told(element: etree._Element, shape: Shape) -> Told:
    """What an element says of a compiled shape, by local name."""
    found: Told = {}
    for child in element[:]:  # a slice is taken at once, which is twice as fast as going from one to the next
        known = shape.get(child.tag)
        if known is None:
            continue
        if known.__class__ is str:
            if text := child.text:
                found[known] = text.strip()
            continue
        name, below, many = known
        value: Any
        if below is CHOICE:
            value = _only(child)
        elif below is CODES:
            value = _TEXTS(child[0]) if len(child) else []
        elif below is MONEY:
            value = ((child.text or "").strip(), child.get("Ccy") or "")
        elif below is TEXT:
            value = child.text or ""
        elif below.__class__ is tuple:
            value = _leading(child, *below)
        else:
            value = told(child, below)
        if many:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found


def _only(element: etree._Element) -> str:
    while (text := element.text) is None and len(element):
        element = element[0]
    return text.strip() if text else ""


def _leading(element: etree._Element, tag: str, otherwise: Shape) -> str | Told:
    first = element
    while (text := first.text) is None and len(first):
        first = first[0]
    return text.strip() if text and first.tag == tag else told(element, otherwise)
