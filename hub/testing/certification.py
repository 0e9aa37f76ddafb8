"""The one certification suite: what a connector's folder keeps of the quality scale, and the tier that follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from hub.core.errors import Misconfigured, Problem
from hub.testing.checks import CHECKS
from hub.testing.finding import Finding
from hub.testing.folder import Folder
from hub.testing.rules import RULES, TIERS, Claim, Rule, State, Tier, read_claims


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How one rule stands: kept (`done`), not yet (`todo`) or not meant for this connector (`exempt`), and why."""

    rule: Rule
    state: State
    why: str = ""
    findings: tuple[Finding, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A connector's verdicts, in the order of the rules."""

    name: str
    verdicts: tuple[Verdict, ...]

    @property
    def tier(self) -> Tier | None:
        """The highest tier of which, and of all below it, every rule is kept or exempt; `None` below bronze."""
        reached: Tier | None = None
        for tier in TIERS:
            states = {verdict.state for verdict in self.verdicts if verdict.rule.tier == tier}
            if not states or "todo" in states:
                return reached
            reached = tier
        return reached

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for verdict in self.verdicts for finding in verdict.findings)


def certify(path: Path, *, up_to: Tier = "platinum") -> Report:
    """Every rule up to a tier, checked. Raises nothing: what is wrong with the folder is a finding."""
    folder = Folder(path)
    try:
        claims = read_claims(folder.path)
    except Misconfigured as problem:
        broken = Finding(rule="manifest_valid", says=problem.happened, next=problem.next, where="quality.toml")
        return Report(name=folder.name, verdicts=(Verdict(rule=RULES["manifest_valid"], state="todo", findings=(broken,)),))
    wanted = TIERS[: TIERS.index(up_to) + 1]
    return Report(name=folder.name, verdicts=tuple(judge(folder, rule, claims) for rule in RULES.values() if rule.tier in wanted))


def judge(folder: Folder, rule: Rule, claims: Mapping[str, Claim]) -> Verdict:
    """How one rule stands. A check that finds something outweighs a claim that it is done; a claim of todo stands."""
    claim = claims.get(rule.name)
    if not _concerns(folder, rule):
        return Verdict(rule=rule, state="exempt", why=f"It is for a connector that {' or '.join(sorted(rule.only))}.")
    if claim and claim.state == "exempt":
        return Verdict(rule=rule, state="exempt", why=claim.why)
    findings = tuple(run(folder, rule)) if rule.checked else ()
    if claim and claim.state == "todo":
        return Verdict(rule=rule, state="todo", why=claim.why, findings=findings)
    if rule.checked:
        return Verdict(rule=rule, state="todo" if findings else "done", why=claim.why if claim else "", findings=findings)
    if claim is None:
        missing = Finding(
            rule=rule.name,
            says=f"nothing in quality.toml says whether it is kept: {rule.says}",
            next="say it is done and how that is known, or todo, or exempt and why",
            where="quality.toml",
        )
        return Verdict(rule=rule, state="todo", findings=(missing,))
    return Verdict(rule=rule, state="done", why=claim.why)


def run(folder: Folder, rule: Rule) -> Iterator[Finding]:
    """What the rule's check finds. A check that cannot be carried through is a finding as well."""
    try:
        yield from CHECKS[rule.name](folder)
    except Problem as problem:
        yield Finding(rule=rule.name, says=problem.happened, next=problem.next, where=" ".join(problem.about.values()))
    except Exception as error:  # an author's defect must not hide the other findings
        yield Finding(
            rule=rule.name, says=f"the check stumbled: {type(error).__name__}: {error}", next="look at what it reached for"
        )


def _concerns(folder: Folder, rule: Rule) -> bool:
    if not rule.only:
        return True
    try:
        return bool(rule.only & set(folder.manifest.does))
    except (Problem, OSError):
        return True


def connector_folders(root: Path) -> list[Path]:
    """The folders below `root` that have a manifest, by name."""
    return [path.parent for path in sorted(root.glob("*/manifest.toml"))]
