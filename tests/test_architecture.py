"""The house is built as its rules say; what import-linter cannot express is checked here."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PACKAGES = ("hub", "connectors", "mappings", "reconciliation", "webhooks")
LINES_OF_A_MODULE = 300
LINES_OF_A_FUNCTION = 40

# What is longer than the rule, and why that reads better than a split.
LONG_MODULES = {
    "hub/core/vocabulary.py": "a list of facts, read by looking one up",
    "hub/store/tables.py": "a list of tables, read by looking one up",
}
LONG_FUNCTIONS: dict[str, str] = {}

CONNECTORS_MAY_IMPORT = {"msgspec", "cryptography", "lxml", "python_calamine"}
DRAWERS = re.compile(r"(^|_)(utils?|helpers?|managers?|processors?)($|_)|(Util|Helper|Manager|Processor)s?$")


def sources(*folders: str) -> list[Path]:
    """The modules that ship, of these folders or of all five packages; a migration is a record of the past, and no module."""
    return [
        path
        for folder in folders or PACKAGES
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not {"tests", "fixtures", "migrations"} & set(path.relative_to(ROOT).parts)
    ]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, by its absolute name."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            near = package[: len(package) - node.level + 1]
            yield ".".join([*near, node.module] if node.module else near)
        elif isinstance(node, ast.ImportFrom) and node.module == "hub":
            yield from (f"hub.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines the body has, without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def third_party(modules: Iterator[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - set(PACKAGES)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / entry for entry in listed.split("\0") if entry and (ROOT / entry).is_file()]


def test_every_part_of_the_hub_has_its_place_among_the_layers() -> None:
    """A new module in `hub` is added to the layers of the import contract, or it is not checked."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"][0]
    placed = {part.strip(" ()") for layer in contract["layers"] for part in re.split(r"[|:]", layer)}
    parts = {f"hub.{path.stem}" for path in (ROOT / "hub").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}

    assert sorted(parts - {"hub.__init__", "hub.__main__"} - placed) == []


def test_the_core_needs_nothing_but_msgspec() -> None:
    """`hub.core` imports the standard library, msgspec and itself."""
    for path in sources("hub/core"):
        modules = set(imported(path))
        assert third_party(iter(modules)) <= {"msgspec"}, name(path)
        assert {m for m in modules if m.startswith(PACKAGES)} <= {m for m in modules if m.startswith("hub.core")}, name(path)


def test_a_connector_imports_the_sdk_and_itself() -> None:
    """Of ours a connector imports `hub.sdk` and its own folder, of others only what the guide lists."""
    for path in sources("connectors"):
        folder = path.relative_to(ROOT).parts[1]
        modules = set(imported(path))
        ours = {m for m in modules if m.partition(".")[0] in PACKAGES and not m.startswith(f"connectors.{folder}")}
        assert ours <= {"hub.sdk"}, name(path)
        assert third_party(iter(modules)) <= CONNECTORS_MAY_IMPORT, name(path)


def test_a_simulator_is_not_made_of_what_it_tests() -> None:
    """A simulator imports the standard library only: a mistake shared with the client would hide itself."""
    for path in sources("connectors"):
        if path.name.startswith("simulator"):
            assert third_party(imported(path)) == set(), name(path)
            assert not {m for m in imported(path) if re.search(r"\.(client|connector|normalise)$", m)}, name(path)


def test_what_is_imported_is_declared() -> None:
    """Every package that the modules import is a dependency of the project by its own name."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {Requirement(word).name for word in [*about["dependencies"], *about["optional-dependencies"]["postgres"]]}
    owners = packages_distributions()

    for path in sources():
        for module in third_party(imported(path)):
            assert declared & {owner.lower().replace("_", "-") for owner in owners.get(module, [])}, (
                f"{name(path)} imports {module}"
            )


def test_nothing_imports_a_connector_by_name() -> None:
    """Connectors are found by their manifests."""
    for path in sources("hub", "mappings", "reconciliation", "webhooks"):
        assert not {m for m in imported(path) if m.startswith("connectors.")}, name(path)


def test_modules_are_short() -> None:
    """A module has at most 300 lines, or a reason; a reason that is no longer needed is taken out."""
    long = {name(path) for path in sources() if len(path.read_text(encoding="utf-8").splitlines()) > LINES_OF_A_MODULE}

    assert sorted(long ^ set(LONG_MODULES)) == []


def test_functions_are_short() -> None:
    """Under its docstring a function has at most 40 lines, or a reason; a reason that is no longer needed is taken out."""
    long = {
        f"{name(path)}:{node.name}"
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of(node) > LINES_OF_A_FUNCTION
    }

    assert sorted(long ^ set(LONG_FUNCTIONS)) == []


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    """No module or class is called utils, helper, manager or processor: each says what it decides."""
    for path in sources():
        names = [path.stem, *(node.name for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef))]
        assert not [n for n in names if DRAWERS.search(n)], name(path)


def test_every_package_says_what_it_is() -> None:
    """Every folder with modules has an `__init__.py`, and every module begins with a docstring."""
    for path in sources():
        assert (path.parent / "__init__.py").exists(), name(path.parent)
        assert ast.get_docstring(tree(path)) or path.stat().st_size == 0, name(path)


def test_test_files_can_be_told_apart() -> None:
    """Test folders are no packages, and no two test files share a name."""
    tests = [
        path
        for folder in ("tests", "connectors")
        for path in (ROOT / folder).rglob("*.py")
        if "tests" in path.relative_to(ROOT).parts
    ]
    counted = Counter(path.name for path in tests if path.name.startswith("test_"))

    assert not [name(path) for path in tests if path.name == "__init__.py"]
    assert not [found for found, times in counted.items() if times > 1]


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a path of one machine", r"(?<![\w.~-])/(?:wo" + r"rk|fa" + r"rm|home/\w+|ro" + r"ot/)/?"),
        ("a download host", r"python" + r"hosted|regis" + r"try\.npm|\b(?:deb|security)\.deb" + r"ian\.|//py" + r"pi\."),
    ],
)
def test_nothing_tracked_names(what: str, pattern: str) -> None:
    """No tracked file carries what is true on one machine only."""
    found = [
        f"{name(path)}:{number}"
        for path in tracked()
        if path.suffix not in {".png", ".xls", ".xlsx", ".bin", ".sqlite"}
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if re.search(pattern, line)
    ]

    assert found == [], what
