"""What we ask e签宝 to make: the body of a flow, from the fields of `contract.create` and the connection's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from hub.sdk import VendorRefused

_LONGEST_DAYS = 90
_FORBIDDEN_IN_NAMES = str.maketrans("", "", '/\\:*"<>|?')


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One side of the contract: `role` is our word for it (buyer, seller), and comes back in every signer's callback."""

    role: str
    person: str
    account: str
    organisation: str | None = None
    number: str | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of `contract.create`."""

    contract: str
    title: str = "合同"
    template: str | None = None
    values: dict[str, Any] = {}
    parties: tuple[Party, ...] = ()
    customer_name: str | None = None
    customer_tax_id: str | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


def wanted(fields: Mapping[str, object]) -> Wanted:
    """The fields, checked; raises `VendorRefused` with the one that is wrong, because repeating would not help."""
    try:
        want = msgspec.convert({name: value for name, value in fields.items() if value is not None}, Wanted)
    except msgspec.ValidationError as error:
        raise VendorRefused(happened=f"the contract cannot be made: {error}", next="correct the named field") from error
    if not want.contract.strip() or "," in want.contract:
        raise VendorRefused(
            happened="the contract's number is empty or holds a comma, which the vendor uses to part numbers",
            next="give the contract another number",
            contract=want.contract,
        )
    return want


def parties(want: Wanted, settings: Mapping[str, object]) -> tuple[Party, ...]:
    """Both sides: those that are named, and ours from the settings where it is not among them."""
    named = want.parties
    if not named:
        if not (want.contact_phone and want.contact_name):
            raise VendorRefused(
                happened="nobody is named who signs for the buyer",
                next="fill in the contact's name and mobile number of the quote",
                contract=want.contract,
            )
        buyer = Party(
            role="buyer",
            person=want.contact_name,
            account=want.contact_phone,
            organisation=want.customer_name,
            number=want.customer_tax_id,
        )
        named = (buyer,)
    if any(party.role == "seller" for party in named):
        return named
    ours = Party(
        role="seller",
        person=str(settings["own_person"]),
        account=str(settings["own_account"]),
        organisation=str(settings["own_name"]),
        number=str(settings.get("own_number") or "") or None,
    )
    return (*named, ours)


def file_name(title: str) -> str:
    """A name that the vendor takes: at most 100 characters, none of `/ \\ : * " < > | ?`, no emoji."""
    plain = "".join(letter for letter in title.translate(_FORBIDDEN_IN_NAMES) if letter.isprintable() and ord(letter) < 0x10000)
    return f"{plain.strip()[:90] or 'contract'}.pdf"


def title_of(want: Wanted) -> str:
    """The number first, so that people find the contract by it in the vendor's console as well."""
    return f"{want.contract} {want.title}"


def notify_url(hook_url: str, contract: str) -> str:
    """Where callbacks go. A flow's own callbacks do not echo our number, so it is part of the address, which the vendor signs."""
    return f"{hook_url}?contract={quote(contract, safe='')}"


def flow(want: Wanted, file: str, *, settings: Mapping[str, object], hook_url: str, now: datetime) -> dict[str, Any]:
    """The body of `create-by-file`. What the vendor would leave out by itself is said: finish when all have signed, tell the signers."""
    days = min(int(str(settings.get("expire_days") or 30)), _LONGEST_DAYS)
    expires = min(want.expires_at or now + timedelta(days=days), now + timedelta(days=_LONGEST_DAYS))
    config: dict[str, Any] = {
        "signFlowTitle": title_of(want)[:200],
        "signFlowExpireTime": (expires - datetime.fromtimestamp(0, tz=expires.tzinfo)) // timedelta(milliseconds=1),
        "autoStart": True,
        "autoFinish": True,
        "notifyUrl": notify_url(hook_url, want.contract),
    }
    if settings.get("notices"):
        config["noticeConfig"] = {"noticeTypes": str(settings["notices"])}
    positions = settings.get("positions")
    places = positions if isinstance(positions, Mapping) else {}
    return {
        "docs": [{"fileId": file, "fileName": file_name(title_of(want))}],
        "signFlowConfig": config,
        "signers": [
            _signer(party, order, file, want.contract, places.get(party.role))
            for order, party in enumerate(parties(want, settings), start=1)
        ],
    }


def _signer(party: Party, order: int, file: str, contract: str, place: object) -> dict[str, Any]:
    person = {"psnAccount": party.account, "psnInfo": {"psnName": party.person}}
    signer: dict[str, Any] = {
        "signerType": 1 if party.organisation else 0,
        "signConfig": {"signOrder": order},
        "signFields": [
            {
                "fileId": file,
                "customBizNum": f"{contract}#{party.role}",
                "signFieldType": 0,
                "normalSignFieldConfig": _field(place),
            }
        ],
    }
    if not party.organisation:
        return {**signer, "psnSignerInfo": person}
    organisation: dict[str, Any] = {"orgName": party.organisation, "transactorInfo": person}
    if party.number:
        organisation["orgInfo"] = {"orgIDCardNum": party.number, "orgIDCardType": "CRED_ORG_USCC"}
    return {**signer, "orgSignerInfo": organisation}


def _field(place: object) -> dict[str, Any]:
    if not isinstance(place, Mapping):
        return {"freeMode": True}
    position = {
        "positionPage": str(place.get("page", 1)),
        "positionX": _number(place.get("x")),
        "positionY": _number(place.get("y")),
    }
    return {"autoSign": False, "freeMode": False, "signFieldStyle": 1, "signFieldPosition": position}


def _number(value: object) -> int:
    return int(str(value or 0))


def numbers(custom: str) -> Sequence[str]:
    """The contract numbers in a `customBizNum`: comma-separated, each ours with `#role` behind it, or somebody else's."""
    return tuple(dict.fromkeys(part.strip().rpartition("#")[0] or part.strip() for part in custom.split(",") if part.strip()))


def roles(custom: str) -> str:
    """Who it is about, in our words; empty where the number is not one of ours."""
    found = (part.strip().rpartition("#") for part in custom.split(","))
    return ", ".join(dict.fromkeys(role for number, mark, role in found if number and mark))
