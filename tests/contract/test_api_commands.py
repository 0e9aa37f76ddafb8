"""Every command says what it is for, and refuses bad input with exit code 2 and a sentence."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.crypto import Seal

_CONTEXT = click.Context(main)
COMMANDS = main.list_commands(_CONTEXT)

# Input that cannot be right, for every command that takes any. `{broken}` is a file that is not what it should be.
BAD: dict[str, tuple[str, ...]] = {
    "accept": ("accept", "no_such_connector"),
    "apply: nothing": ("apply",),
    "apply: no file": ("apply", "missing.toml"),
    "apply: broken": ("apply", "{broken}"),
    "backup: a folder": ("backup", "."),
    "check": ("check", "no_such_connector"),
    "demo: no folder": ("demo", "missing"),
    "demo: no port": ("demo", "--port", "many"),
    "doctor: no file": ("doctor", "--config", "missing.toml"),
    "explain: of what": ("explain", "weather", "today"),
    "explain: unknown": ("explain", "receipt", "rcpt_nothing"),
    "export: broken": ("export", "--config", "{broken}"),
    "map: no file": ("map", "missing.toml"),
    "map: broken": ("map", "{broken}"),
    "migrate: broken": ("migrate", "--config", "{broken}"),
    "new: no name": ("new", "Not A Name"),
    "read: nothing": ("read",),
    "read: no file": ("read", "missing.csv"),
    "read: broken": ("read", "{broken}"),
    "read: no format": ("read", "--as", "papyrus", "{broken}"),
    "rebuild: broken": ("rebuild", "--config", "{broken}"),
    "reconcile: nothing": ("reconcile",),
    "reconcile: no order book": ("reconcile", "--statement", "{broken}"),
    "reconcile: broken": ("reconcile", "--statement", "{broken}", "--orders", "{broken}"),
    "reseal: broken": ("reseal", "--config", "{broken}"),
    "replay: nothing": ("replay",),
    "replay: unknown": ("replay", "raw_nothing"),
    "restore: broken": ("restore", "{broken}"),
    "serve: no role": ("serve", "--role", "king"),
    "serve: no port": ("serve", "--port", "99999"),
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """`run(word, …)` in an empty folder, with a home of its own."""
    monkeypatch.setenv("SHUNIU_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SHUNIU_SECRET_KEY", Seal.generate_key())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.toml").write_text('name = "cut', encoding="utf-8")

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, [word.replace("{broken}", "broken.toml") for word in words])

    yield run


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_is_for(run: object, name: str) -> None:
    """`--help` answers with a sentence, and names every option with what it does."""
    answer = run(name, "--help")  # type: ignore[operator]
    command = main.get_command(_CONTEXT, name)

    assert answer.exit_code == 0
    assert command is not None and command.help and command.help.split("\n")[0].rstrip().endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.opts[0] in answer.output


@pytest.mark.parametrize("words", BAD.values(), ids=BAD)
def test_bad_input_is_refused_in_a_sentence(run: object, words: tuple[str, ...]) -> None:
    """Exit code 2, what is wrong on standard error, and no stack trace."""
    answer = run(*words)  # type: ignore[operator]

    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    assert answer.exit_code == 2, answer.output
    assert answer.stderr.strip() and "Traceback" not in answer.output


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_that_is_none_is_refused(run: object, name: str) -> None:
    """A misspelt option is told, not overlooked."""
    answer = run(name, "--no-such-option")  # type: ignore[operator]

    assert answer.exit_code == 2 and "--no-such-option" in answer.stderr


def test_every_command_that_takes_input_is_tried_with_bad_input() -> None:
    """A new command is added here."""
    assert {case.partition(":")[0] for case in BAD} == set(COMMANDS)
