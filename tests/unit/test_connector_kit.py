"""The connector kit: a new folder runs at once, and is led to bronze one missing thing at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.core.errors import Conflict, Invalid, NotFound
from hub.kit import accept, check, new, next_missing
from hub.testing import certify


def described(folder: Path) -> None:
    """Put in what only its author can know."""
    path = folder / "manifest.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("owners = []", 'owners = ["@example"]'), encoding="utf-8")
    readme = folder / "README.md"
    readme.write_text(
        readme.read_text(encoding="utf-8").replace("\n## ", "\nWritten by its author.\n\n## ") + "\nAsk.\n", encoding="utf-8"
    )


def test_a_new_folder_becomes_bronze_by_doing_what_check_says(tmp_path: Path) -> None:
    """From the template: accept the cases, write the README, name an owner; then only the coverage is left for silver."""
    folder = new("crm_kit_example", tmp_path)

    first = next_missing(folder)
    assert first is not None and first.rule == "cases" and "shuniu accept" in first.next

    for difference in accept(folder):
        difference.write()
    second = next_missing(folder)
    assert second is not None and second.rule == "readme"

    described(folder)
    report = certify(folder, up_to="silver")
    assert report.tier == "bronze", [str(finding) for finding in report.findings]
    assert [v.rule.name for v in report.verdicts if v.state == "todo"] == ["coverage"]


def test_accept_shows_before_it_writes(tmp_path: Path) -> None:
    """Nothing is written until a person has seen it; afterwards there is nothing to show."""
    folder = new("crm_kit_accept", tmp_path)

    (difference,) = accept(folder, "a_new_customer")
    assert not difference.file.exists()
    assert '+    "type": "customer.created"' in difference.diff

    difference.write()
    assert accept(folder, "a_new_customer") == []
    assert difference.file.read_text(encoding="utf-8") == difference.text


def test_a_case_is_either_read_or_refused(tmp_path: Path) -> None:
    """When a case changes from refused to read, its error.txt goes."""
    folder = new("crm_kit_either", tmp_path)
    (before,) = accept(folder, "no_name_broken")
    before.write()
    case = folder / "fixtures" / "no_name_broken"
    assert (case / "error.txt").exists()

    (case / "raw.json").write_text('{"id": "C-2", "name": "甲公司"}', encoding="utf-8")
    (after,) = accept(folder, "no_name_broken")
    after.write()

    assert sorted(path.name for path in case.iterdir()) == ["events.json", "raw.json", "raw.meta.toml"]


def test_a_case_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A slip of the pen is answered with the names there are."""
    folder = new("crm_kit_cases", tmp_path)

    with pytest.raises(NotFound, match="a_new_customer"):
        accept(folder, "a_new_costumer")


@pytest.mark.parametrize(
    "name", ["", "icbc", "bank", "bank_", "Bank_icbc", "bank_ICBC", "erp-sap", "../erp_x", "erp_../x", "game_chess", "crm_a b"]
)
def test_a_name_that_is_no_kind_and_vendor_is_refused(name: str, tmp_path: Path) -> None:
    """Names are <kind>_<vendor>; nothing is written for another, least of all elsewhere."""
    with pytest.raises(Invalid):
        new(name, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """A folder that exists is left as it is."""
    folder = new("erp_kit_twice", tmp_path)
    (folder / "connector.py").write_text("mine", encoding="utf-8")

    with pytest.raises(Conflict):
        new("erp_kit_twice", tmp_path)

    assert (folder / "connector.py").read_text(encoding="utf-8") == "mine"


def test_check_says_where_to_begin_where_there_is_nothing(tmp_path: Path) -> None:
    """A folder without a manifest is no connector yet."""
    with pytest.raises(NotFound, match="shuniu new"):
        check(tmp_path / "crm_none")
