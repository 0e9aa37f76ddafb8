"""One line of an OFX statement, `STMTTRN`, as the movements that it books."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from hub.sdk import Movement, Unreadable

from .markup import Aggregate
from .values import amount, moment


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in where the file is silent. `by_type`: the bank writes amounts without a sign, TRNTYPE tells it."""

    account: str = ""
    currency: str = ""
    zone: str = "Asia/Shanghai"
    by_type: bool = False


_OUT = frozenset(("DEBIT", "CHECK", "PAYMENT", "ATM", "POS", "FEE", "SRVCHG", "DIRECTDEBIT", "REPEATPMT", "CASH"))


def movements(found: Aggregate, silent: Silent, booked: dict[str, Decimal], pointer: str) -> list[Movement]:
    """One movement, or two where the line replaces an earlier one: what takes that back, and what is booked instead.

    `booked` are the amounts of this statement by the bank's number; this line is added. Raises `Unreadable`.
    """
    line = _movement(found, silent, pointer)
    corrects, action = found.text("CORRECTFITID"), found.text("CORRECTACTION").upper()
    if not corrects and not action:
        if line.bank_reference:
            booked[line.bank_reference] = line.amount
        return [line]
    if not corrects or action not in ("DELETE", "REPLACE"):
        raise _unclear("it corrects another line, and does not say which or how", "CORRECTFITID, CORRECTACTION")
    before = booked.get(corrects)
    if before is None and action == "REPLACE":
        # What the earlier line amounted to stands in another file: the difference is not to be known from this one.
        raise _unclear(f"it replaces line {corrects}, which is not in this file", "CORRECTFITID")
    if before is None and line.amount == 0:
        raise _unclear(f"it deletes line {corrects}, and does not say what that amounted to", "TRNAMT")
    back = msgspec.structs.replace(
        line,
        amount=-(line.amount if before is None else before),
        reversal=True,
        undoes=corrects,
        memo=line.memo or action.lower(),
    )
    if action == "DELETE":
        booked.pop(corrects, None)
        return [back]
    booked[line.bank_reference or corrects] = line.amount
    return [msgspec.structs.replace(back, bank_reference=f"{line.bank_reference or corrects} {action}"), line]


def _movement(found: Aggregate, silent: Silent, pointer: str) -> Movement:
    own, converted = found.part("CURRENCY"), found.part("ORIGCURRENCY")
    # CURRENCY: the amount itself is in that currency. ORIGCURRENCY: it was, and has been converted to the account's.
    currency = (own.text("CURSYM").upper() if own is not None else "") or silent.currency
    value, kind = amount(found.text("TRNAMT"), currency=currency, field="TRNAMT"), found.text("TRNTYPE").upper()
    booked_on, at = moment(found.text("DTPOSTED"), zone=silent.zone, field="DTPOSTED")
    available = found.text("DTAVAIL")
    payee, other = found.part("PAYEE", "EXTDPAYEE"), found.part("BANKACCTTO", "CCACCTTO")
    return Movement(
        booked_on=booked_on,
        at=at,
        amount=_signed(value, kind, silent),
        currency=currency,
        account=silent.account,
        value_on=moment(available, zone=silent.zone, field="DTAVAIL")[0] if available.strip("0") else None,
        party_name=found.words("EXTDNAME") or found.words("NAME") or (payee.words("NAME") if payee is not None else ""),
        party_account=other.text("ACCTID").replace(" ", "") if other is not None else "",
        party_bank=other.text("BANKID") if other is not None else "",
        memo=_together(found.words("MEMO"), found.words("MEMO2")),
        reference=_together(found.words("CHECKNUM"), found.words("REFNUM")),
        bank_reference=found.text("FITID"),
        code=kind,
        original_currency=converted.text("CURSYM").upper() if converted is not None else "",
        pointer=pointer,
    )


def _signed(value: Decimal, kind: str, silent: Silent) -> Decimal:
    if silent.by_type:
        return -abs(value) if kind in _OUT else abs(value)
    if (kind == "DEBIT" and value > 0) or (kind == "CREDIT" and value < 0):
        raise Unreadable(
            happened=f"TRNTYPE is {kind} and TRNAMT has the other sign",
            next="if this bank writes amounts without a sign, set `direction` to `type`; else correct the line in a copy of the file",
            rule="direction",
            pointer="TRNAMT",
        )
    return value


def _together(*texts: str) -> str:
    return " ".join(dict.fromkeys(text for text in texts if text))


def _unclear(happened: str, field: str) -> Unreadable:
    return Unreadable(
        happened=happened, next="compare with the bank's page and enter the correction by hand", rule="correction", pointer=field
    )
