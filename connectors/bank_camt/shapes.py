"""What is read of a message, as data, and the one walk that reads it.

A shape names the elements that we know, by local name: `TEXT` is an element's text, `MONEY` its text and currency, a mapping
goes on below. A list around it says that the element may repeat. What a shape does not name is skipped with all below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

TEXT, MONEY = "text", "money"
Told = dict[str, Any]
Shape = Mapping[str, Any]

_ACCOUNT: Shape = {
    "Id": {
        "IBAN": TEXT,
        "BBAN": TEXT,  # 001.01 has BBAN, UPIC and PrtryAcct where later versions have Othr
        "UPIC": TEXT,
        "PrtryAcct": {"Id": TEXT},
        "Othr": {"Id": TEXT},
    },
    "Ccy": TEXT,
}
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
_DAY: Shape = {"Dt": TEXT, "DtTm": TEXT}
_CODE: Shape = {"Cd": TEXT, "Prtry": TEXT}
_MONEY_BELOW: Shape = {"Amt": MONEY}
_CHARGE: Shape = {"Amt": MONEY, "CdtDbtInd": TEXT, "ChrgInclInd": TEXT}
_CHARGES: Shape = {"TtlChrgsAndTaxAmt": MONEY, "Rcrd": [_CHARGE], **_CHARGE}  # until 001.03 without Rcrd
_AMOUNTS: Shape = {"InstdAmt": _MONEY_BELOW, "TxAmt": _MONEY_BELOW, "CntrValAmt": _MONEY_BELOW}
_BANK_CODE: Shape = {"Domn": {"Cd": TEXT, "Fmly": {"Cd": TEXT, "SubFmlyCd": TEXT}}, "Prtry": {"Cd": TEXT}}
_RETURN: Shape = {"Rsn": _CODE, "RtrRsn": _CODE, "AddtlInf": [TEXT], "AddtlRtrRsnInf": [TEXT]}
_DOCUMENTS: Shape = {
    "RfrdDocInf": [{"Nb": TEXT, "RfrdDocNb": TEXT, "Tp": {"CdOrPrtry": _CODE}}],
    "RfrdDocAmt": {
        "RmtdAmt": MONEY,
        "CdtNoteAmt": MONEY,
        "DuePyblAmt": MONEY,
        "RmtAmtAndTp": [{"Tp": _CODE, "Amt": MONEY}],  # from 001.11 on
    },
    "CdtrRefInf": {"Ref": TEXT, "CdtrRef": TEXT},
    "AddtlRmtInf": [TEXT],
}

DETAIL: Shape = {
    "Refs": {
        "AcctSvcrRef": TEXT,
        "PmtInfId": TEXT,
        "InstrId": TEXT,
        "EndToEndId": TEXT,
        "UETR": TEXT,
        "TxId": TEXT,
    },
    "Amt": MONEY,
    "CdtDbtInd": TEXT,
    "AmtDtls": _AMOUNTS,
    "BkTxCd": _BANK_CODE,
    "Chrgs": [_CHARGES],
    "RltdPties": {
        "Dbtr": _PARTY,
        "DbtrAcct": _ACCOUNT,
        "UltmtDbtr": _PARTY,
        "Cdtr": _PARTY,
        "CdtrAcct": _ACCOUNT,
        "UltmtCdtr": _PARTY,
    },
    "RltdAgts": {"DbtrAgt": _BANK, "CdtrAgt": _BANK},
    "RmtInf": {"Ustrd": [TEXT], "Strd": [_DOCUMENTS]},
    "RtrInf": _RETURN,
    "AddtlTxInf": TEXT,
}
ENTRY: Shape = {
    "NtryRef": TEXT,
    "Amt": MONEY,
    "CdtDbtInd": TEXT,
    "RvslInd": TEXT,
    "Sts": _CODE,  # until 001.07 the code is its text
    "BookgDt": _DAY,
    "ValDt": _DAY,
    "AcctSvcrRef": TEXT,
    "BkTxCd": _BANK_CODE,
    "AmtDtls": _AMOUNTS,
    "Chrgs": [_CHARGES],
    "Btch": {"PmtInfId": TEXT, "NbOfTxs": TEXT},  # in 001.01 beside the details
    "NtryDtls": [{"Btch": {"PmtInfId": TEXT, "NbOfTxs": TEXT}}],
    "AddtlNtryInf": TEXT,
}
STATEMENT: Shape = {
    "ElctrncSeqNb": TEXT,
    "LglSeqNb": TEXT,
    "CreDtTm": TEXT,
    "FrToDt": {"FrDtTm": TEXT, "ToDtTm": TEXT},
    "Acct": _ACCOUNT,
    "Bal": [{"Tp": {"Cd": TEXT, "CdOrPrtry": _CODE}, "Amt": MONEY, "CdtDbtInd": TEXT, "Dt": _DAY}],
}


def compiled(shape: Shape, namespace: str) -> Shape:
    """The shape by full tag, ready for `told`: a text's name, or name, shape below (none for money) and whether it repeats."""
    found: dict[str, Any] = {}
    for name, below in shape.items():
        many = isinstance(below, list)
        one = below[0] if many else below
        if one is TEXT and not many:
            found[f"{namespace}{name}"] = name
        else:
            further = compiled(one, namespace) if isinstance(one, Mapping) else one
            found[f"{namespace}{name}"] = (name, further, many)
    return found


def told(element: etree._Element, shape: Shape) -> Told:
    """What an element says of a compiled shape, by local name; text where a mapping is expected comes under the empty name."""
    found: Told = {}
    for child in element[:]:  # a slice is taken at once, which is twice as fast as going from one to the next
        known = shape.get(child.tag)
        if known is None:
            continue
        if known.__class__ is str:
            text = child.text
            if text:
                found[known] = text.strip()
            continue
        name, below, many = known
        value: Any
        if below is TEXT:
            value = child.text or ""
        elif below is MONEY:
            value = ((child.text or "").strip(), child.get("Ccy") or "")
        else:
            value = told(child, below) or ({"": text.strip()} if (text := child.text) else {})
        if many:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found
