"""What is installed elsewhere is the program, whole, and nothing besides."""

import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"hub", "connectors", "mappings", "reconciliation", "webhooks"}
OF_THE_CHECKOUT = r"tests/|(.*/)?conftest\.py|connectors/[^/]+/(tests|fixtures)/"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True, capture_output=True
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def files(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def about(wheel: Path, files: list[str]) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return Parser().parsestr(archive.read(next(f for f in files if f.endswith(".dist-info/METADATA"))).decode())


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment in which the wheel is installed; its dependencies are lent by the one that runs the tests."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", "--no-compile", wheel],
        check=True,
        capture_output=True,
    )
    packages = next((folder / "env" / "lib").glob("python*/site-packages"))
    # Added behind the wheel's own packages, and without the .pth of the checkout: only dependencies are found there.
    (packages / "lent.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder


def run(elsewhere: Path, *words: str, seconds: int = 150) -> subprocess.CompletedProcess[str]:
    """Run the installed command from a folder that has nothing to do with the checkout."""
    home = elsewhere / "home"
    home.mkdir(exist_ok=True)
    return subprocess.run(
        [elsewhere / "env" / "bin" / "shuniu", *words],
        cwd=home,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def test_a_wheel_holds_the_five_packages(files: list[str]) -> None:
    """Nothing is at the top of the wheel but our packages and the metadata."""
    assert {name.partition("/")[0] for name in files if ".dist-info/" not in name} == PACKAGES


def test_a_wheel_holds_every_module_and_manifest(files: list[str]) -> None:
    """Every module, manifest, migration, template and sample of the checkout is in the wheel."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    there = {name for name in tracked if name and not re.match(OF_THE_CHECKOUT, name) and (ROOT / name).exists()}

    assert sorted(there - set(files)) == []


def test_a_wheel_holds_no_test(files: list[str]) -> None:
    """Tests and their fixtures stay in the checkout."""
    assert [name for name in files if re.match(OF_THE_CHECKOUT, name)] == []


def test_a_wheel_states_its_licence(files: list[str], about: Message) -> None:
    """The licence is named in the metadata and its text is included."""
    assert about["License-Expression"] == "Apache-2.0"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files)


def test_a_wheel_tells_what_it_needs(about: Message) -> None:
    """PostgreSQL's driver comes with the extra only."""
    needs = about.get_all("Requires-Dist", [])

    assert [word for word in needs if word.startswith("psycopg") and "extra ==" not in word] == []
    assert about.get_all("Provides-Extra") == ["postgres"]


def test_an_installed_hub_knows_its_version(elsewhere: Path, about: Message) -> None:
    """`shuniu --version` answers from any folder."""
    answer = run(elsewhere, "--version")

    assert answer.returncode == 0, answer.stderr
    assert about["Version"] in answer.stdout


@pytest.mark.slow
def test_an_installed_hub_plays_the_demo(elsewhere: Path) -> None:
    """The demo's day is played by a hub that was installed from the wheel, in a folder of its own."""
    answer = run(elsewhere, "demo", "--once", "--within", "60")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert str(ROOT) not in answer.stdout + answer.stderr
