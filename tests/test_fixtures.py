"""What `conftest.py` promises to every test."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)])
def test_other_machines_are_out_of_reach(address: tuple[str, int]) -> None:
    """A connection to another machine raises before a packet is sent, and not as an error that code may be waiting for."""
    with pytest.raises(Exception, match="tried to connect") as caught:
        socket.create_connection(address, timeout=1)

    assert not isinstance(caught.value, OSError)


def test_other_names_are_unknown() -> None:
    """Only localhost is looked up."""
    with pytest.raises(socket.gaierror):
        socket.create_connection(("vendor.example.com", 443), timeout=1)

    assert socket.getaddrinfo("localhost", 80)


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_database_is_empty(database_url: str, time: str) -> None:
    """What one test writes, the next does not find."""
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        assert sa.inspect(connection).get_table_names() == []
        connection.execute(sa.text("CREATE TABLE left_behind (id INTEGER)"))
    engine.dispose()


def test_a_broker_is_at_hand(rabbitmq_url: str, bus_prefix: str) -> None:
    """The broker's address leads to a virtual host, and the prefix is fit for a queue's name."""
    assert urlsplit(rabbitmq_url).path not in ("", "/")
    assert bus_prefix.isalnum()


@pytest.mark.parametrize(("ci", "ends"), [("true", pytest.ExitCode.TESTS_FAILED), ("", pytest.ExitCode.OK)])
def test_nothing_is_skipped_in_ci(ci: str, ends: pytest.ExitCode, tmp_path: Path) -> None:
    """A skipped test fails the run in CI, whoever skipped it, and no other run."""
    (tmp_path / "test_skips.py").write_text(
        "import pytest\n\n\ndef test_skips():\n    pytest.skip('no service')\n\n\ndef test_runs():\n    pass\n"
    )
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", tmp_path],
        cwd=tmp_path,
        env={**os.environ, "CI": ci},
        capture_output=True,
        check=False,
    )

    assert ended.returncode == ends, ended.stdout.decode()
