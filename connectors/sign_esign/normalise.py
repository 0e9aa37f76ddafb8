"""What e签宝's callbacks and flow details mean.

Tables: 签署回调通知接收说明 (actions), 查询签署流程详情 (`signFlowStatus`). The status is a number in the details and a string in
callbacks; the fields may stand in the body or one level down under `data`. Callbacks come late and out of order:
`RANK` says which state is further, and the ledger does not go back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub.sdk import Contract, Event, Ignored, Raw, Unreadable, event

from .contract import numbers, roles

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_2100 = 4_102_444_800_000

# signFlowStatus → what the contract has come to. 0 is a draft, and no fact for anybody else.
STATUS: Mapping[str, str] = {
    "1": "contract.sent",
    "2": "contract.signed",
    "3": "contract.revoked",
    "5": "contract.expired",
    "7": "contract.declined",
}
# signResult of one signer. The spelling MISSON is the vendor's.
SIGNER: Mapping[str, str] = {"2": "contract.partly_signed", "4": "contract.declined"}
ACTIONS: Mapping[str, str] = {
    "SIGN_FLOW_INITIATED": "contract.sent",
    "SIGN_FLOW_INITIATE_RESULT": "contract.sent",
    "OPERATOR_READ": "contract.viewed",
    "COPIER_READ": "contract.viewed",
    "SIGN_FILE_RESCINDED": "contract.revoked",
}
IGNORED: Mapping[str, str] = {
    **dict.fromkeys(("DRAFT_MISSON_COMPLETE", "DRAFT_COMPLETE", "FILL_DOCTEMPLATE", "FILL_DOCTEMPLATE_FAIL"), "filling"),
    **dict.fromkeys(
        (
            "SIGN_FILE_RESCISSION_INITIATE",
            "SIGN_SEAL_EXAMINE_REJECTED",
            "OPERATOR_CORRECT_IDENTITY",
            "TRANSMISS_SIGN",
            "FILE_UNAVAILABLE",
            "FILE_ASYNC_VERIFY_RESULT",
            "EDIT_DOCTEMPLATE",
            "CREATE_SIGN_TEMPLATE",
        ),
        "informational",
    ),
    **dict.fromkeys(("AUTH_PASS", "AUTHORIZE_FINISH", "AUTHORIZE_CHANGE"), "identity"),
    **dict.fromkeys(("SIGN_FLOW_UPDATE", "SIGN_FLOW_FINISH"), "flow_of_v1"),
}
RANK: Mapping[str, int] = {
    "contract.sent": 1,
    "contract.viewed": 2,
    "contract.partly_signed": 3,
    "contract.signed": 4,
    "contract.declined": 4,
    "contract.expired": 4,
    "contract.revoked": 4,
}
_NEEDS_REASON = {"contract.declined", "contract.expired", "contract.revoked"}
# When it happened, by the first of these that is there; `timestamp` is when the vendor first tried to tell us.
_TIMES = ("operateTime", "signFlowFinishTime", "signFlowStartTime", "timestamp")


def normalise(raw: Raw) -> Iterable[Event | Ignored]:
    """The fact of one callback, or of one flow that was asked for."""
    told = flattened(raw.body)
    if raw.stream == "flow":
        yield from _of_status(raw, told, "flow detail")
        return
    action = told.get("action")
    if action is None and isinstance(told.get("type"), str):
        yield Ignored(rule="other_envelope")
    elif action in ("SIGN_MISSON_COMPLETE", "SIGN_MISSION_COMPLETE"):
        yield from _of_signer(raw, told)
    elif action == "SIGN_FLOW_COMPLETE":
        yield from _of_status(raw, told, "SIGN_FLOW_COMPLETE")
    elif isinstance(action, str) and action in ACTIONS:
        yield from _fact(raw, told, ACTIONS[action], status="rescinded" if action == "SIGN_FILE_RESCINDED" else None)
    elif isinstance(action, str):
        yield Ignored(rule=IGNORED.get(action, "unknown_action"))
    else:
        raise Unreadable(happened="the callback names no action", next="look at the raw", rule="action", pointer="/action")


def flattened(body: bytes) -> dict[str, Any]:
    """The callback's fields, whether they stand in the body or under `data`. Raises `Unreadable`."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(happened="the body is not JSON in UTF-8", next="look at the raw", rule="json") from error
    if not isinstance(found, dict):
        raise Unreadable(happened="the body is not an object", next="look at the raw", rule="json")
    inner = found.get("data")
    return {**found, **inner} if isinstance(inner, dict) else found


def _of_signer(raw: Raw, told: Mapping[str, Any]) -> Iterable[Event | Ignored]:
    kind = SIGNER.get(_text(told, "signResult"))
    if kind is None:
        raise Unreadable(
            happened="the signer's result is none that is known",
            next="add it to the table of signer results",
            rule="sign_result",
            pointer="/signResult",
        )
    return _fact(raw, told, kind)


def _of_status(raw: Raw, told: Mapping[str, Any], where: str) -> Iterable[Event | Ignored]:
    status = _text(told, "signFlowStatus")
    if status == "0":
        return (Ignored(rule="draft"),)
    if status not in STATUS:
        raise Unreadable(
            happened=f"{where} has a status that is not known",
            next="add it to the status table",
            rule="sign_flow_status",
            pointer="/signFlowStatus",
        )
    return _fact(raw, told, STATUS[status])


def _fact(raw: Raw, told: Mapping[str, Any], kind: str, *, status: str | None = None) -> Iterable[Event | Ignored]:
    custom = _text(told, "customBizNum")
    number = raw.headers.get("contract") or _only(numbers(custom))
    flow = _text(told, "signFlowId")
    if not flow:
        raise Unreadable(happened="the callback names no flow", next="look at the raw", rule="flow", pointer="/signFlowId")
    if not number:
        # Somebody made this flow in the vendor's console, or it is the console's copy of what we are told at our own address.
        return (Ignored(rule="no_contract_number"),)
    organisation = told.get("organization")
    fact = Contract(
        contract=number,
        title=_text(told, "signFlowTitle") or None,
        signer=roles(custom) or None,
        organisation=_text(organisation, "orgName") or None if isinstance(organisation, dict) else None,
        status=status or _text(told, "signFlowStatus") or _text(told, "action") or None,
        reason=_text(told, "resultDescription") or _text(told, "statusDescription") or None if kind in _NEEDS_REASON else None,
        record=flow,
    )
    return (event(raw, kind, subject=number, data=fact, occurred_at=_when(told)),)


def _only(found: Iterable[str]) -> str:
    several = list(found)
    if len(several) > 1:
        raise Unreadable(
            happened="the callback is about several contracts at once",
            next="give each signature field of a flow the same contract number",
            rule="one_contract",
            pointer="/customBizNum",
        )
    return several[0] if several else ""


def _text(told: Mapping[str, Any], name: str) -> str:
    """The value as text: the vendor writes the same field as a number here and as a string there."""
    value = told.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)[:500]


def _when(told: Mapping[str, Any]) -> datetime | None:
    name = next((name for name in _TIMES if told.get(name) is not None), None)
    if name is None:
        return None
    text = _text(told, name)
    if not (text.isascii() and text.isdigit() and len(text) <= 13 and int(text) < _YEAR_2100):
        raise Unreadable(
            happened="the time is not milliseconds since 1970", next="look at the raw", rule="time", pointer=f"/{name}"
        )
    return _EPOCH + timedelta(milliseconds=int(text))
