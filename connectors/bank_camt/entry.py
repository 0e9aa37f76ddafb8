"""From an entry and its details to movements: one a detail where their amounts are told and add up, else one for the entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal

import msgspec

from hub.sdk import Movement, Unreadable

from .parties import Party, creditor_references, memo, other_side, remittances
from .reading import TRUE, Money, amount, moment, negative, provided
from .shapes import Told

_NONE: Told = {}
_NOTHING = Decimal(0)
# Which of a detail's amounts is its share of the entry differs from bank to bank: the one that adds up is taken.
_ORDERS = (("Amt", "TxAmt", "InstdAmt"), ("TxAmt", "InstdAmt", "Amt"), ("InstdAmt", "TxAmt", "Amt"))


class Booking(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What holds for every movement of an entry. `amount` is signed; `reversal` and `bank_reference` are the entry's own word."""

    account: str
    amount: Decimal
    currency: str
    booked_on: date
    at: time | None
    value_on: date | None
    reversal: bool
    bank_reference: str
    pointer: str


def is_reversal(entry: Told) -> bool:
    return entry.get("RvslInd") in TRUE


def booking(entry: Told, *, account: str, day: date | None, pointer: str, flipped: bool = False) -> Booking:
    """Raises `Unreadable` with the tag. `day` stands in where the entry has none; `flipped` turns the sign around."""
    unsigned, currency = amount(entry.get("Amt"), "Ntry/Amt")
    out = negative(entry.get("CdtDbtInd"), "Ntry/CdtDbtInd") != flipped
    valued = moment(entry.get("ValDt"), "Ntry/ValDt")
    booked = moment(entry.get("BookgDt"), "Ntry/BookgDt") or (valued and (valued[0], None)) or (day and (day, None))
    if not booked:
        raise Unreadable(
            happened="the entry has neither a booking day nor a value day, and the message has no date",
            next="ask the bank for the file again",
            rule="day",
            pointer="tag Ntry/BookgDt",
        )
    return Booking(
        account=account,
        amount=-unsigned if out else unsigned,
        currency=currency,
        booked_on=booked[0],
        at=booked[1],
        value_on=valued[0] if valued else None,
        reversal=is_reversal(entry),
        bank_reference=entry.get("AcctSvcrRef") or entry.get("NtryRef") or "",
        pointer=pointer,
    )


def movements(entry: Told, details: Sequence[Told], booked: Booking) -> list[Movement]:
    """The entry's movements; their amounts are the entry's."""
    if len(details) <= 1:
        return [_movement(entry, details[0] if details else _NONE, booked, booked.amount)]
    shares = _shares(entry, details, booked)
    if shares is None:
        return [_together(entry, details, booked)]
    whole = {name: told for name, told in entry.items() if name not in ("Chrgs", "AmtDtls")}  # those are of all details together
    found = [_movement(whole, detail, booked, share) for detail, share in zip(details, shares, strict=True)]
    rest = booked.amount - sum(shares)
    return [*found, _charged(entry, booked, rest)] if rest else found


def _movement(entry: Told, detail: Told, booked: Booking, share: Decimal) -> Movement:
    refs = detail.get("Refs", _NONE)
    returned = detail.get("RtrInf")
    reversal = booked.reversal or returned is not None
    party = other_side(detail, paid_in=(share > 0) != reversal, ours=booked.account)
    end_to_end = provided(refs.get("EndToEndId"))
    amounts = detail.get("AmtDtls") or entry.get("AmtDtls") or _NONE
    plain = not amounts and "Chrgs" not in detail and "Chrgs" not in entry and detail.get("Amt", entry["Amt"]) == entry["Amt"]
    structured = "Strd" in detail.get("RmtInf", _NONE)
    named = creditor_references(detail) if structured else ()
    original = None if plain else _original(detail, amounts, booked.currency)
    return Movement(
        account=booked.account,
        currency=booked.currency,
        booked_on=booked.booked_on,
        at=booked.at,
        value_on=booked.value_on,
        bank_reference=refs.get("AcctSvcrRef") or booked.bank_reference,
        code="/".join(detail.get("BkTxCd") or entry.get("BkTxCd") or ()),
        pointer=booked.pointer,
        amount=share,
        party_name=party.name,
        party_account=party.account,
        party_bank=party.bank,
        ultimate_party=party.ultimate,
        memo=memo(entry, (detail,)),
        reference=named[0] if len(named) == 1 else end_to_end or _batch(entry),
        end_to_end_id=end_to_end,
        uetr=refs.get("UETR", ""),
        return_reason=_reason(returned) if returned is not None else "",
        remittances=tuple(remittances(detail)) if structured else (),
        charges=_NOTHING if plain else _kept(entry, detail, amounts, booked.currency, share),
        original_amount=original[0] if original else None,
        original_currency=original[1] if original else "",
        reversal=reversal,
    )


def _together(entry: Told, details: Sequence[Told], booked: Booking) -> Movement:
    """One movement for details that do not tell their shares: what all of them say, and what only one kind of them says."""
    reversal = booked.reversal or all("RtrInf" in detail for detail in details)
    parties = {other_side(detail, paid_in=(booked.amount > 0) != reversal, ours=booked.account) for detail in details}
    party = parties.pop() if len(parties) == 1 else Party()
    named = {provided(detail.get("Refs", _NONE).get("EndToEndId")) for detail in details}
    end_to_end = named.pop() if len(named) == 1 else ""
    reasons = {_reason(detail.get("RtrInf", _NONE)) for detail in details}
    return Movement(
        account=booked.account,
        currency=booked.currency,
        booked_on=booked.booked_on,
        at=booked.at,
        value_on=booked.value_on,
        bank_reference=booked.bank_reference,
        code="/".join(entry.get("BkTxCd", ())),
        pointer=booked.pointer,
        amount=booked.amount,
        party_name=party.name,
        party_account=party.account,
        party_bank=party.bank,
        ultimate_party=party.ultimate,
        memo=memo(entry, details),
        reference=end_to_end or _batch(entry),
        end_to_end_id=end_to_end,
        return_reason=reasons.pop() if len(reasons) == 1 else "",
        remittances=tuple(one for detail in details for one in remittances(detail)),
        charges=_told_charges(entry.get("Chrgs", ()), booked.currency, included=True),
        reversal=reversal,
    )


def _charged(entry: Told, booked: Booking, rest: Decimal) -> Movement:
    """What the entry has beyond its details, which are its own charges."""
    return Movement(
        account=booked.account,
        currency=booked.currency,
        booked_on=booked.booked_on,
        at=booked.at,
        value_on=booked.value_on,
        bank_reference=booked.bank_reference,
        code="/".join(entry.get("BkTxCd", ())),
        pointer=booked.pointer,
        amount=rest,
        memo=entry.get("AddtlNtryInf") or "bank charges",
        reversal=booked.reversal,
    )


def _batch(entry: Told) -> str:
    for told in (*entry.get("NtryDtls", ()), entry):
        if number := told.get("Btch", _NONE).get("PmtInfId"):
            return str(number)
    return ""


def _reason(returned: Told) -> str:
    """The return's code, with the bank's words where it has some."""
    words = " ".join(text.strip() for text in (*returned.get("AddtlInf", ()), *returned.get("AddtlRtrRsnInf", ())))
    return f"{returned.get('Rsn') or returned.get('RtrRsn') or ''} {words}".strip()


# --- amounts -----------------------------------------------------------------------------------------------------


def _shares(entry: Told, details: Sequence[Told], booked: Booking) -> list[Decimal] | None:
    """Each detail's signed part of the entry. Together they are the entry, or the entry before the charges that it tells."""
    for order in _ORDERS:
        gross = [_share(detail, order, entry, booked) for detail in details]
        shares = [share for share in gross if share is not None]
        if len(shares) < len(details):
            continue
        own = [_told_charges(detail.get("Chrgs", ()), booked.currency, included=False) for detail in details]
        net = [share - charge for share, charge in zip(shares, own, strict=True)]
        total = sum(shares, _NOTHING)
        if total == booked.amount:
            return shares
        if sum(net, _NOTHING) == booked.amount:
            return net
        if total - _told_charges(entry.get("Chrgs", ()), booked.currency, included=False) == booked.amount:
            return shares
    return None


def _share(detail: Told, order: Sequence[str], entry: Told, booked: Booking) -> Decimal | None:
    amounts = detail.get("AmtDtls", _NONE)
    for name in order:
        money = detail.get("Amt") if name == "Amt" else amounts.get(name, _NONE).get("Amt")
        if money and money[1] == booked.currency:
            unsigned = amount(money, f"TxDtls/{name}")[0]
            own, whole = detail.get("CdtDbtInd"), entry.get("CdtDbtInd")
            against = bool(own) and negative(own, "TxDtls/CdtDbtInd") != negative(whole, "Ntry/CdtDbtInd")
            return unsigned if (booked.amount < 0) == against else -unsigned
    return None


def _kept(entry: Told, detail: Told, amounts: Told, currency: str, share: Decimal) -> Decimal:
    """What banks kept on the way: what was instructed or paid beyond what was booked, else the charges that are said to be inside."""
    for money in (amounts.get("InstdAmt", _NONE).get("Amt"), amounts.get("TxAmt", _NONE).get("Amt"), detail.get("Amt")):
        if money and money[1] == currency:
            sent = _readable(money)
            kept = (-sent if share < 0 else sent) - share
            if _NOTHING < kept < abs(share) or (kept > 0 and "Chrgs" in detail):
                return kept
    if "Chrgs" in detail or "Chrgs" in entry:
        return _told_charges(detail.get("Chrgs") or entry.get("Chrgs") or (), currency, included=True)
    return _NOTHING


def _told_charges(charges: Sequence[Told], currency: str, *, included: bool) -> Decimal:
    """The charges in this currency; with `included` only those that are not said to be booked apart."""
    total = _NOTHING
    for told in charges:
        records = told.get("Rcrd") or ([told] if "Amt" in told else [])
        for record in records:
            if included and record.get("ChrgInclInd") in ("false", "0"):
                continue
            if record.get("Amt", ("", ""))[1] == currency:
                value = _readable(record["Amt"])
                total += -value if record.get("CdtDbtInd") == "CRDT" else value
        if not records and told.get("TtlChrgsAndTaxAmt", ("", ""))[1] == currency:
            total += _readable(told["TtlChrgsAndTaxAmt"])
    return total


def _original(detail: Told, amounts: Told, currency: str) -> tuple[Decimal, str] | None:
    """What the payer sent, where it was in another currency."""
    for told in (*(amounts.get(name, _NONE).get("Amt") for name in ("InstdAmt", "TxAmt", "CntrValAmt")), detail.get("Amt")):
        if told and told[1] != currency and (value := _readable(told)):
            return value, told[1]
    return None


def _readable(money: Money) -> Decimal:
    """An amount beside the booked one; what cannot be read of it is as if it were not told, and the booking stands."""
    try:
        return amount(money, "AmtDtls")[0]
    except Unreadable:
        return _NOTHING
