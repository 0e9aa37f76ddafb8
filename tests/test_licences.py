"""What the hub is built on may be used by anybody, and says so in its own metadata."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]

PERMISSIVE = {
    *("0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Unlicense"),
    # Copyleft for its own files only; what imports them keeps its licence.
    "MPL-2.0",
}
# Older metadata has words of its own.
SAME_AS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
# Not permissive, and allowed with a reason.
EXCEPTIONS = dict.fromkeys(
    ("psycopg", "psycopg-binary"),
    "LGPL-3.0: PostgreSQL's driver, used unmodified by import and only where the extra `postgres` was asked for",
)


def locked(file: str) -> list[Requirement]:
    """The packages of a lock file that this platform takes."""
    lines = (ROOT / "locks" / file).read_text(encoding="utf-8").splitlines()
    found = [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"[a-z0-9]", line)]
    return [one for one in found if one.marker is None or one.marker.evaluate()]


def licences(package: str) -> set[str]:
    """Every licence that a package names for itself."""
    about = metadata.metadata(package)
    told = about.get("License-Expression")
    words = (
        [told]
        if told
        else [line.rpartition(" :: ")[2] for line in about.get_all("Classifier", []) if line.startswith("License :: ")]
    )
    words = words or [about.get("License", "").partition("\n")[0]]
    return {
        SAME_AS.get(part, part)
        for word in words
        for part in ([word] if word in SAME_AS else re.split(r" (?:OR|AND|WITH) ", word))
    }


@pytest.mark.parametrize("package", [one.name for one in locked("runtime.txt")])
def test_a_runtime_dependency_is_permissive(package: str) -> None:
    """Whatever a plain installation brings along is under a permissive licence, all of it."""
    found = licences(package)

    assert found, f"{package} names no licence"
    assert found <= PERMISSIVE, package


def test_the_exceptions_are_outside_the_plain_installation() -> None:
    """What is not permissive comes only with an extra that somebody asks for, and is a dependency still."""
    plain = {one.name for one in locked("runtime.txt")}
    everything = {one.name for one in locked("test.txt")}

    assert not plain & set(EXCEPTIONS)
    assert set(EXCEPTIONS) <= everything


@pytest.mark.parametrize("file", ["runtime.txt", "distributed.txt", "test.txt", "bench.txt"])
def test_a_lock_pins_and_hashes_everything(file: str) -> None:
    """Every locked package has one version and its hashes, and no lock file says where to download it."""
    text = (ROOT / "locks" / file).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text)

    assert "//" not in text
    for block in blocks[1:]:
        assert re.match(r"[a-z0-9.-]+==\S+", block), block
        assert "--hash=sha256:" in block, block


@pytest.mark.parametrize("file", ["runtime.txt", "distributed.txt"])
def test_the_locks_agree(file: str) -> None:
    """Tests run against the versions that an installation gets."""
    installed = {one.name: one.specifier for one in locked(file)}
    tested = {one.name: one.specifier for one in locked("test.txt")}

    assert {name: tested.get(name) for name in installed} == installed


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """A dependency added to the project is locked in the same change: `make lock`."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [
        *about["project"]["dependencies"],
        *about["project"]["optional-dependencies"]["postgres"],
        *about["dependency-groups"]["test"],
    ]
    pinned = {one.name: str(one.specifier).removeprefix("==") for one in locked("test.txt")}

    for one in map(Requirement, asked):
        if one.marker is None or one.marker.evaluate():
            assert one.name in pinned, f"{one.name} is not locked"
            assert one.specifier.contains(pinned[one.name]), f"{one} is locked at {pinned[one.name]}"
