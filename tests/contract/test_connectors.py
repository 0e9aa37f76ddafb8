"""Every connector keeps the bronze and silver rules of the quality scale, and what it claims beyond them."""

from __future__ import annotations

from pathlib import Path

import pytest

import connectors
from hub.testing import RULES, Folder, connector_folders
from hub.testing.certification import judge
from hub.testing.rules import Rule, read_claims

ROOT = Path(str(connectors.__file__)).parent
FOLDERS = connector_folders(ROOT)
MUST = [rule for rule in RULES.values() if rule.tier in ("bronze", "silver")]
MAY = [rule for rule in RULES.values() if rule.tier in ("gold", "platinum")]


@pytest.mark.parametrize("rule", MUST, ids=lambda rule: rule.name)
@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: path.name)
def test_a_connector_keeps_the_bronze_and_silver_rules(path: Path, rule: Rule) -> None:
    """Each rule is kept, or the folder says in a sentence why it does not apply."""
    folder = Folder(path)

    verdict = judge(folder, rule, read_claims(folder.path))

    assert verdict.state != "todo", "\n".join([rule.says, verdict.why, *map(str, verdict.findings)])


@pytest.mark.parametrize("rule", MAY, ids=lambda rule: rule.name)
@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: path.name)
def test_a_connector_keeps_what_it_claims(path: Path, rule: Rule) -> None:
    """A gold or platinum rule that quality.toml calls done is kept."""
    folder = Folder(path)
    claims = read_claims(folder.path)
    claimed = rule.name in claims and claims[rule.name].state == "done"

    verdict = judge(folder, rule, claims)

    assert not (claimed and verdict.findings), "\n".join([rule.says, *map(str, verdict.findings)])


def test_every_folder_is_a_connector() -> None:
    """No folder beside the connectors lacks its manifest: it would be found by nobody."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(("_", "."))}

    assert folders == {path.name for path in FOLDERS}
