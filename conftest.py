"""Every test has its services or a reason, a database and a broker of its own, and no network but loopback.

`--size embedded` or `--size distributed` runs one of the two sizes; both is the default. A test that asks for `size`,
`database_url` or `bus_url` runs once a size. At a desk a service that does not answer skips its tests with the reason;
with CI=true nothing may be skipped.
"""

import ipaddress
import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, settings

IN_CI = os.environ.get("CI") == "true"
POSTGRESQL = os.environ.get("SHUNIU_TEST_DATABASE_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
RABBITMQ = os.environ.get("SHUNIU_TEST_BUS_URL", "amqp://guest:guest@127.0.0.1:5672//")
SIZES = ("embedded", "distributed")

settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if IN_CI else "desk")


# Sizes


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--size", choices=("both", *SIZES), default="both", help="run the tests of one size of the hub only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of the other size, and those that need its services by themselves."""
    wanted = config.getoption("--size")
    if wanted == "both":
        return
    left_out = [item for item in items if _size_of(item) not in (None, wanted)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _size_of(item: pytest.Item) -> str | None:
    if isinstance(item, pytest.Function):
        if hasattr(item, "callspec") and "size" in item.callspec.params:
            return str(item.callspec.params["size"])
        if {"postgresql_url", "rabbitmq_url"} & set(item.fixturenames):
            return "distributed"
    return None


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    """One of the two sizes that the hub runs at."""
    return str(request.param)


@pytest.fixture
def database_url(size: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of this test alone: a SQLite file, or a PostgreSQL database."""
    if size == "embedded":
        return f"sqlite:///{tmp_path}/hub.sqlite"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def bus_url(size: str, request: pytest.FixtureRequest) -> str | None:
    """The broker's address, or None where the hub carries its events through its own database."""
    return None if size == "embedded" else str(request.getfixturevalue("rabbitmq_url"))


# Services


@pytest.fixture(scope="session")
def require() -> Callable[[bool, str], None]:
    """`require(answers, reason)`: without what it needs, a test is skipped at a desk and fails in CI."""
    return _require


def _require(answers: object, reason: str) -> None:
    if not answers:
        (pytest.fail if IN_CI else pytest.skip)(reason)


@cache
def _why_silent(url: str) -> str | None:
    """Why nothing answers there, or None where something does."""
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 5432), timeout=3).close()
    except OSError as error:
        return f"{place.hostname}:{place.port} does not answer ({error}); tests/services/start starts it"
    return None


@pytest.fixture(scope="session")
def _postgresql_database(worker_id: str) -> Iterator[str]:
    """A PostgreSQL database of this test process, dropped at its end."""
    import psycopg  # noqa: PLC0415 - only those who test with PostgreSQL load its driver

    silent = _why_silent(POSTGRESQL)
    _require(silent is None, f"needs PostgreSQL: {silent}")
    server = POSTGRESQL.replace("+psycopg", "", 1)
    name = f"shuniu_{worker_id}_{uuid.uuid4().hex[:8]}"

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type, unused-ignore]
    place = urlsplit(POSTGRESQL)
    yield place._replace(path=f"/{name}").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type, unused-ignore]


@pytest.fixture
def postgresql_url(_postgresql_database: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database, as SQLAlchemy reads it."""
    import psycopg  # noqa: PLC0415

    yield _postgresql_database
    with psycopg.connect(_postgresql_database.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        # Whoever is still connected would hold the tables, and the test after this one would wait for them.
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(others)
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


@pytest.fixture(scope="session")
def _rabbitmq_host(worker_id: str) -> Iterator[str]:
    """A virtual host of this test process where the broker can be administered from here, else the one that was named."""
    silent = _why_silent(RABBITMQ)
    _require(silent is None, f"needs RabbitMQ: {silent}")
    place = urlsplit(RABBITMQ)
    name = f"shuniu-{worker_id}-{uuid.uuid4().hex[:8]}"
    if place.hostname not in ("127.0.0.1", "localhost") or not _rabbitmqctl("add_vhost", name):
        yield RABBITMQ
        return

    _rabbitmqctl("set_permissions", "-p", name, place.username or "guest", ".*", ".*", ".*")
    yield place._replace(path=f"/{quote(name)}").geturl()
    _rabbitmqctl("delete_vhost", name)


def _rabbitmqctl(*words: str) -> bool:
    program = shutil.which("rabbitmqctl", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return program is not None and subprocess.run([program, "-q", *words], capture_output=True, check=False).returncode == 0


@pytest.fixture
def rabbitmq_url(_rabbitmq_host: str) -> str:
    """The address of a broker that this test process has to itself; a test's queues are told apart by `bus_prefix`."""
    return _rabbitmq_host


@pytest.fixture
def bus_prefix() -> str:
    """A beginning for the names of exchanges and queues that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}"


# Nothing but loopback


class NotLoopback(Exception):
    """A test tried to talk to another machine."""


def _is_here(address: object) -> bool:
    host = address[0] if isinstance(address, tuple) else "localhost"  # anything else is a path on this machine
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return host in ("localhost", "")


@pytest.fixture(autouse=True, scope="session")
def _only_loopback() -> Iterator[None]:
    """Connections to other machines raise, and other names than localhost are unknown."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def refuse(address: object) -> None:
        if not _is_here(address):
            raise NotLoopback(f"a test tried to connect to {address}; start a simulator on 127.0.0.1 instead")

    def guarded_connect(self: socket.socket, address: object) -> None:
        refuse(address)
        connect(self, address)  # type: ignore[arg-type]

    def guarded_connect_ex(self: socket.socket, address: object) -> int:
        refuse(address)
        return connect_ex(self, address)  # type: ignore[arg-type]

    def guarded_look_up(host: object, *rest: object, **named: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _is_a_number(str(name)) and name not in ("", "localhost", socket.gethostname()):
            raise socket.gaierror(socket.EAI_NONAME, f"{name} is not looked up in tests")
        return look_up(host, *rest, **named)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


def _is_a_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


# Nothing skipped in CI


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run in CI that skipped something has failed, whatever the rest says."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if IN_CI and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
