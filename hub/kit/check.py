"""What a connector's folder still lacks, in the order in which it is best done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hub.core.errors import Misconfigured, NotFound
from hub.testing.certification import certify, judge
from hub.testing.finding import Finding
from hub.testing.folder import Folder
from hub.testing.rules import RULES, Tier, read_claims

# A case comes before the code that reads it; what a reviewer looks at comes last.
_FIRST = ("manifest_valid", "settings_described", "nobody_real", "abilities_match", "imports", "cases")


def check(folder: Path, *, up_to: Tier = "silver") -> list[Finding]:
    """Everything that is missing up to a tier, the next thing first. Raises `NotFound` where there is no such folder."""
    if not (folder / "manifest.toml").exists():
        raise NotFound(
            happened="there is no manifest.toml in that folder",
            next="make the folder with shuniu new <kind>_<vendor>",
            folder=folder.name,
        )
    order = {name: place for place, name in enumerate(_FIRST)}
    findings = certify(folder, up_to=up_to).findings
    return sorted(findings, key=lambda finding: order.get(finding.rule, len(order)))


def next_missing(folder: Path, *, up_to: Tier = "silver") -> Finding | None:
    """The one next thing to do, `None` when the tier is reached. Looks no further than it must."""
    return next(_in_order(folder, up_to), None)


def _in_order(folder: Path, up_to: Tier) -> Iterator[Finding]:
    connector = Folder(folder)
    try:
        claims = read_claims(connector.path)
    except Misconfigured as problem:
        yield Finding(rule="manifest_valid", says=problem.happened, next=problem.next, where="quality.toml")
        return
    tiers: tuple[Tier, ...] = ("bronze", "silver", "gold", "platinum")
    wanted = [rule for rule in RULES.values() if rule.tier in tiers[: tiers.index(up_to) + 1]]
    first = [RULES[name] for name in _FIRST]
    for rule in [*first, *(rule for rule in wanted if rule not in first)]:
        yield from judge(connector, rule, claims).findings
