"""The hub is killed at every named step, and nothing is lost, doubled or left lying: a tenth of what `make crash` does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_where_the_process_dies(size: str, request: pytest.FixtureRequest) -> None:
    """Killed ten or twenty times in each stage, and cut off from what it needs; every answered delivery is there once, with all it leads to."""
    if size == "distributed":
        request.getfixturevalue("postgresql_url")  # skipped with the reason where there is none
        request.getfixturevalue("rabbitmq_url")
    command = [sys.executable, "tests/crash", "--size", size, "--together", "--kills", "20" if size == "embedded" else "10"]
    ended = subprocess.run(command, cwd=ROOT, env=_with_root(), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def _with_root() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}
