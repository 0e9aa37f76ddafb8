"""The rules of the quality scale: which tier each belongs to, what it asks for, and for whom it is meant."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from hub.core.errors import Misconfigured
from hub.core.manifest import Ability

Tier = Literal["bronze", "silver", "gold", "platinum"]
TIERS: tuple[Tier, ...] = ("bronze", "silver", "gold", "platinum")
State = Literal["done", "todo", "exempt"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. `only` names the abilities it concerns: a connector with none of them is exempt by nature.

    A rule that is not `checked` by the suite counts as done only where `quality.toml` says how it is known.
    """

    name: str
    tier: Tier
    says: str
    only: frozenset[Ability] = frozenset()
    checked: bool = True


def _rule(tier: Tier, name: str, says: str, *only: Ability, checked: bool = True) -> Rule:
    return Rule(name=name, tier=tier, says=says, only=frozenset(only), checked=checked)


_CALLS: tuple[Ability, ...] = ("pulls", "writes", "probes", "reports_stock")

RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        _rule("bronze", "manifest_valid", "The manifest can be read, and everything in it is said in English and Chinese."),
        _rule("bronze", "abilities_match", "The class can do what the manifest says, and nothing that it does not say."),
        _rule("bronze", "imports", "Of ours it imports hub.sdk and its own folder, and nothing that goes around the hub."),
        _rule("bronze", "cases", "At least three cases, one empty and one broken, and each gives what it should."),
        _rule("bronze", "same_bytes", "Normalising twice gives the same bytes, with the network and the clock shut off."),
        _rule("bronze", "ids", "Ids are stable and distinct."),
        _rule("bronze", "no_float", "No float in the modules, nor in any fact."),
        _rule("bronze", "settings_described", "Every setting is described in both languages."),
        _rule("bronze", "nobody_real", "No secret and no real person in a fixture."),
        _rule("bronze", "readme", "The README has its headings, and something below each."),
        _rule(
            "silver",
            "probe_tells_apart",
            "A probe tells a refused login from an unreachable host from a vendor fault.",
            "probes",
        ),
        _rule("silver", "retry_after", "The time that a vendor asks us to wait is handed on.", *_CALLS),
        _rule("silver", "timeouts", "Every request goes through the hub's client, which has time-outs."),
        _rule("silver", "paging", "Stopping after any page loses and doubles nothing.", "pulls"),
        _rule("silver", "refuses_forged", "Forged, altered, stale and replayed deliveries are refused.", "receives"),
        _rule("silver", "token_renewed_once", "An expired token is renewed once.", *_CALLS),
        _rule(
            "silver",
            "outage_logged",
            "An outage is one line when it starts and one when it ends: the hub's, not the connector's.",
        ),
        _rule("silver", "owner", "It has an owner."),
        _rule("silver", "coverage", "95 % of the branches are covered by its tests.", checked=False),
        _rule("gold", "case_sources", "Each case says where it came from."),
        _rule("gold", "replay_creates_nothing", "Replaying everything creates nothing."),
        _rule("gold", "fields_read", "Every vendor field is read, or listed as ignored with a reason.", checked=False),
        _rule(
            "gold", "errors_say_what_to_do", "Every error says what happened and what to do, in both languages.", checked=False
        ),
        _rule("gold", "diagnostics_hold_no_secret", "Diagnostics contain no secret.", checked=False),
        _rule("gold", "backfill", "Backfill over two years is tested.", "pulls", checked=False),
        _rule("gold", "docs_current", "Generated docs are current.", checked=False),
        _rule("platinum", "random_bytes", "Random and cut-off bytes only ever raise Unreadable."),
        _rule("platinum", "write_twice", "Writing twice has one effect.", "writes", checked=False),
        _rule("platinum", "two_versions", "Two vendor versions are covered.", checked=False),
        _rule("platinum", "throughput", "Throughput is recorded and does not slip.", checked=False),
        _rule("platinum", "strict_types", "Strict types without a single ignore."),
        _rule("platinum", "sandbox", "A nightly run against the vendor's sandbox.", checked=False),
    )
}


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `quality.toml` says of one rule."""

    state: State
    why: str = ""


def read_claims(folder: Path) -> Mapping[str, Claim]:
    """The claims of `quality.toml`; none where the file is missing. Raises `Misconfigured`."""
    path = folder / "quality.toml"
    if not path.exists():
        return {}
    try:
        claims = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), dict[str, Claim])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Misconfigured(
            happened=f"quality.toml cannot be read: {error}", next="correct the named rule", folder=folder.name
        ) from error
    for name, claim in claims.items():
        rule = RULES.get(name)
        if rule is None:
            raise Misconfigured(happened=f"there is no rule {name!r}", next=f"use one of {', '.join(RULES)}", folder=folder.name)
        if len(claim.why) < 10 and (claim.state != "done" or not rule.checked):
            raise Misconfigured(
                happened=f"quality.toml gives no reason for {name}",
                next="say in a sentence why, or how it is known",
                folder=folder.name,
            )
    return claims
