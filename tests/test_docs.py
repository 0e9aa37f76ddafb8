"""What the documents say can be done, can be done; what can be done is in the documents."""

import re
import subprocess
from pathlib import Path

import click
import pytest
from pydantic import SecretStr

ROOT = Path(__file__).parents[1]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
# Settings of the tests themselves; they are no part of the hub.
OF_THE_TESTS = {"SHUNIU_TEST_DATABASE_URL", "SHUNIU_TEST_BUS_URL"}
# Names in examples of things that somebody else will make.
EXAMPLES = ("bank_icbc", ".env")


def documents() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).exists()]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code(path: Path) -> list[str]:
    """Everything that is set as code: spans, and lines of blocks."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text(path), flags=re.M | re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text(path), flags=re.M | re.S))
    return [*spans, *(line.strip() for block in blocks for line in block.splitlines())]


def anchors(path: Path) -> set[str]:
    """The names that a document's headings can be linked by."""
    headings = re.findall(r"^#+ (.+)$", text(path), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", text(ROOT / "Makefile"), flags=re.M))


@pytest.mark.parametrize("path", documents(), ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link of a document is a file or folder of the project, and every anchor a heading."""
    for link in re.findall(r"\]\(([^)\s]+)\)", text(path)):
        if "://" not in link:
            file, _, anchor = link.partition("#")
            target = path.parent / file if file else path
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", documents(), ids=name)
def test_make_makes_what_is_written(path: Path) -> None:
    """Every `make …` in a document is a target of the Makefile."""
    asked = {word for line in code(path) for word in re.findall(r"(?:^|\s)make ([a-z]+)\b", line)}

    assert asked <= targets()


@pytest.mark.parametrize("path", documents(), ids=name)
def test_paths_exist(path: Path) -> None:
    """Every path of the project that a document names is there, from the top or from the document's folder."""
    folders = "hub|connectors|mappings|reconciliation|webhooks|tests|locks|deploy|docs"
    for span in code(path):
        if re.fullmatch(rf"(?:{folders})/[\w./-]*", span) and not any(example in span for example in EXAMPLES):
            near = [path.parent / span, *path.parent.glob(f"*/{span}")]  # the guide speaks of every connector's folder
            assert (ROOT / span).exists() or any(place.exists() for place in near), span


def test_every_target_says_what_it_makes() -> None:
    """`make help` lists each target that people call."""
    told = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    called = {word for word in targets() if word != "static"}

    assert called == {line.split()[0] for line in told.splitlines()}


def test_the_two_readmes_are_one() -> None:
    """The README says the same in English and Chinese: the same headings, blocks, table rows, code and links."""
    for what, pattern in {
        "headings": r"^#+ ",
        "table rows": r"^\|",
        "blocks": r"^```",
        "first cells": r"^\| (`[^|]+|\[`[^|]+) \|",
        "addresses": r"\]\((?!README)([^)]+)\)",
    }.items():
        english, chinese = (re.findall(pattern, text(path), flags=re.M) for path in (ENGLISH, CHINESE))
        if what == "first cells":
            english, chinese = ([re.findall(r"`([^`]+)`", cell) for cell in cells] for cells in (english, chinese))
        assert english == chinese or (what == "addresses" and set(english) == set(chinese)), what


@pytest.mark.parametrize("path", [ENGLISH, CHINESE], ids=name)
def test_every_connector_is_listed(path: Path) -> None:
    """The README lists each connector that has a manifest, and no other."""
    there = {manifest.parent.name for manifest in (ROOT / "connectors").glob("*/manifest.toml")}

    assert set(re.findall(r"\]\(connectors/(\w+)\)", text(path))) == there


# Settings


def rows_of_settings() -> list[str]:
    """The table of `docs/settings.md`, from the settings themselves."""
    from hub.settings import Settings

    def default(value: object) -> str:
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        return f"`{plain}`" if plain not in ("", ()) else ""

    return [
        f"| `SHUNIU_{key.upper()}` | {default(field.default)} | {field.description} |"
        for key, field in Settings.model_fields.items()
    ]


def test_every_setting_is_described() -> None:
    """`docs/settings.md` holds the settings' names, defaults and descriptions as the program has them."""
    page = text(ROOT / "docs/settings.md").splitlines()

    assert [line for line in page if line.startswith("| `SHUNIU_")] == rows_of_settings(), "\n".join(rows_of_settings())


def test_every_setting_named_exists() -> None:
    """No document, unit or compose file sets what the program does not read."""
    known = set(re.findall(r"SHUNIU_\w+", "\n".join(rows_of_settings()))) | {"SHUNIU_CONFIG"} | OF_THE_TESTS
    files = [*documents(), *(path for path in (ROOT / "deploy").rglob("*") if path.is_file())]

    for path in files:
        assert set(re.findall(r"SHUNIU_[A-Z][A-Z_]*[A-Z]", text(path))) <= known, name(path)


# Commands


def commands() -> dict[str, click.Command]:
    from hub.cli import main

    assert isinstance(main, click.Group)
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in main.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


@pytest.mark.parametrize("path", documents(), ids=name)
def test_commands_exist(path: Path) -> None:
    """Every `shuniu …` in a document is a command, and its options are the command's."""
    known = commands()
    for line in code(path):
        for word, rest in re.findall(r"(?:^|\s)shuniu ([a-z]+)\b([^|#]*)", line):
            assert word in known, line
            options = {option for param in known[word].params for option in param.opts}
            assert set(re.findall(r"(?<=\s)--[a-z-]+", rest)) <= options, line


@pytest.mark.parametrize("path", [ENGLISH, CHINESE], ids=name)
def test_every_command_is_listed(path: Path) -> None:
    """The README names each command."""
    named = {word for line in code(path) for word in re.findall(r"^shuniu ([a-z]+)", line)}

    assert set(commands()) == named
