"""Checking a definition before it is saved: what cannot work is refused with the line, not found out at night."""

from __future__ import annotations

import tomllib
from typing import Literal, TypeVar

import msgspec

from hub.core.errors import Misconfigured
from hub.definitions import Definitions
from hub.flows import load_flow
from mappings import check_map, load_map
from reconciliation.inventory import PromisePolicy
from reconciliation.payments import Calibration, Policy


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
            if name not in POLICIES:
                raise Misconfigured(
                    happened="nobody asks for a policy of this name", next="name it " + " or ".join(POLICIES), policy=name
                )
            read_policy(text, POLICIES[name], name)


POLICIES: dict[str, type[Policy] | type[PromisePolicy] | type[Calibration]] = {
    "payments": Policy,
    "inventory": PromisePolicy,
    "calibration": Calibration,
}
"""The policies that are asked for, by name. The calibration is the hub's own to write, and anybody's to take back."""

P = TypeVar("P", bound=Policy | PromisePolicy | Calibration)


def read_policy(text: str, kind: type[P], name: str) -> P:
    """The policy that the text writes; what it does not name stays as it is by default."""
    try:
        return msgspec.convert(tomllib.loads(text, parse_float=str), kind, strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Misconfigured(happened=f"the policy cannot be read: {error}", next="correct the named value", policy=name) from None


class Policies:
    """The policies in force: those that a tenant has defined, else the hub's own."""

    def __init__(self, definitions: Definitions, *, payments: Policy, inventory: PromisePolicy) -> None:
        self._definitions = definitions
        self._payments = payments
        self._inventory = inventory

    def payments(self, tenant: str) -> Policy:
        """How receipts are posted. A tenant's own one carries its version."""
        return self._defined(tenant, "payments", Policy) or self._payments

    def inventory(self, tenant: str) -> PromisePolicy:
        """How stock is promised."""
        return self._defined(tenant, "inventory", PromisePolicy) or self._inventory

    def calibration(self, tenant: str) -> Calibration | None:
        """What a probability is worth by the tenant's own decisions; none while the scorer's own is as good."""
        return self._defined(tenant, "calibration", Calibration)

    def _defined(self, tenant: str, name: str, kind: type[P]) -> P | None:
        one = next((one for one in self._definitions.active(tenant, "policy") if one.name == name), None)
        if one is None:
            return None
        policy = self._definitions.compiled(one, lambda text, called: read_policy(text, kind, called))
        return msgspec.structs.replace(policy, version=f"{name}-{one.version}")
