"""The language's own page: every example on it is run, and no word of the language is missing from it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import mappings
from mappings import load_map, run_examples
from mappings.building import COMMON, COMPANIONS
from mappings.loading import WORDS
from mappings.steps import OPTIONS, STEPS
from mappings.templates import FORMATS

README = (Path(mappings.__file__).parent / "README.md").read_text(encoding="utf-8")
BLOCKS = [block for block in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "[[examples]]" in block]


def whole(block: str) -> str:
    """The block as a map: the page leaves out the head where it does not matter."""
    return block if "\ntarget =" in block else f'name = "readme"\ntarget = "readme/example"\n{block}'


@pytest.mark.parametrize("block", BLOCKS, ids=[f"block{number}" for number in range(len(BLOCKS))])
def test_every_example_on_the_page_does_what_it_says(block: str) -> None:
    """Each block loads and its examples give what stands beside them."""
    field_map = load_map(whole(block), file="README.md")

    assert field_map.examples
    assert [str(failure) for failure in run_examples(field_map)] == []


def words_in(value: Any) -> set[str]:
    match value:
        case dict():
            return set(value) | {word for inner in value.values() for word in words_in(inner)}
        case list():
            return {word for inner in value for word in words_in(inner)}
    return set()


def test_every_word_of_the_language_has_an_example() -> None:
    """A step, source or head word without an example on the page fails here."""
    used = {word for block in BLOCKS for word in words_in(tomllib.loads(whole(block)))}
    language = {
        *STEPS,
        *COMPANIONS,
        *COMMON,
        *WORDS,
        *(word for words in (*COMPANIONS.values(), *OPTIONS.values()) for word in words),
    }

    assert language - used - {"key", "occurred_at"} == set()


def test_every_format_of_a_template_has_an_example() -> None:
    """The page shows each format in a template that is run."""
    assert {name for name in FORMATS if name and f":{name}" not in README} == set()


def test_the_public_names_are_on_the_page() -> None:
    """What the package exports to call is described on its page."""
    for name in (
        "load_map",
        "apply",
        "problems",
        "events_from",
        "check_map",
        "run_examples",
        "explain",
        "run_file",
        "parse_json",
    ):
        assert f"{name}(" in README
