"""Checking a definition before it is saved: what cannot work is refused with the line, not found out at night."""

from __future__ import annotations

import tomllib
from typing import Literal

import msgspec

from hub.core.errors import Misconfigured
from hub.flows import load_flow
from mappings import check_map, load_map
from reconciliation.payments import Policy


def check_text(kind: Literal["map", "flow", "policy"], name: str, text: str) -> None:
    """Return if the text can be put in force; raises `Misconfigured`."""
    file = f"{name}.toml"
    match kind:
        case "map":
            field_map = load_map(text, file=file)
            wrong = [finding for finding in check_map(field_map) if finding.severity == "error"]
            if wrong:
                raise Misconfigured(happened=wrong[0].happened, next=wrong[0].next, map=name, line=wrong[0].line or None)
        case "flow":
            load_flow(text, file=file)
        case "policy":
            load_policy(text, name)


def load_policy(text: str, name: str) -> Policy:
    """The receipts' policy that the text writes."""
    try:
        return msgspec.convert(tomllib.loads(text, parse_float=str), Policy, strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Misconfigured(happened=f"the policy cannot be read: {error}", next="correct the named value", policy=name) from None
