"""Files are fetched from a real SFTP server on loopback: with a key or its pass phrase, a pinned host key, each file once."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.core.connector import Context
from hub.core.errors import EgressRefused, LoginRefused, Misconfigured, Problem, TooLarge, Unreachable, VendorFault
from hub.core.event import Raw
from hub.egress import PUBLIC, Egress
from hub.files import Files, RemoteFolders
from hub.files.sftp import Sftp, read_remote
from hub.poller import Poller
from hub.registry import find_connectors
from hub.registry.checked import divided
from hub.store import tables as t
from hub.testing.fakes import NoHttp

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
HERE = Egress(allow=("127.0.0.0/8",))


def key_pair(place: Path, *, phrase: str = "") -> str:
    """A key in a file; returns its public half."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-C", "", "-f", str(place)]
    subprocess.run(words, check=True, capture_output=True)
    return " ".join(place.with_name(f"{place.name}.pub").read_text(encoding="ascii").split()[:2])


class Server:
    """OpenSSH's own server on a port of loopback, with two keys that it lets in, and a folder."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "out"
        self.folder.mkdir()
        self.host_key = key_pair(place / "host")
        allowed = [key_pair(place / "plain"), key_pair(place / "locked", phrase="open sesame")]
        (place / "allowed").write_text("\n".join(allowed) + "\n", encoding="ascii")
        self.key, self.locked_key = ((place / name).read_text(encoding="ascii") for name in ("plain", "locked"))
        self.other_key = key_pair(place / "other") and (place / "other").read_text(encoding="ascii")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        settings = {
            "ListenAddress": "127.0.0.1",
            "Port": self.port,
            "HostKey": place / "host",
            "AuthorizedKeysFile": place / "allowed",
            "PidFile": "none",
            "UsePAM": "no",
            "StrictModes": "no",
            "PasswordAuthentication": "no",
            "PermitRootLogin": "yes",
            "Subsystem": "sftp internal-sftp",
        }
        (place / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="ascii")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # a server of root's insists on it
        self.process = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(place / "config")], stderr=subprocess.DEVNULL)
        self._wait()

    def _wait(self) -> None:
        for _ in range(300):
            if socket.socket().connect_ex(("127.0.0.1", self.port)) == 0:
                return
            time.sleep(0.02)
        raise AssertionError("the server did not start")

    def address(self, folder: str | None = None) -> str:
        return f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}{self.folder if folder is None else folder}"

    def client(
        self, *, egress: Egress = HERE, folder: str | None = None, host_key: str = "", key: str = "", secret: str = ""
    ) -> Sftp:
        remote = read_remote(self.address(folder), host_key=host_key or self.host_key, key=key or self.key, secret=secret)
        return Sftp(remote, egress)

    def drop(self, name: str, body: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(body)
        return path

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)


@pytest.fixture(scope="module")
def running(require: Callable[[bool, str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    require(SSHD and shutil.which("sftp"), "needs OpenSSH's server and client; tests/services/start installs them")
    made = Server(tmp_path_factory.mktemp("sftp"))
    yield made
    made.stop()


@pytest.fixture
def server(running: Server) -> Server:
    """The server, its folder empty."""
    shutil.rmtree(running.folder)
    running.folder.mkdir()
    return running


def test_files_are_listed_and_fetched(server: Server) -> None:
    """Whatever they are called; folders, links, hidden files and names that nobody can type are none."""
    names = ["a.csv", "三月 流水.csv", "[a] *?.csv", 'quo"te.csv', "  two  blanks.csv", "-n.csv"]
    for name in names:
        server.drop(name, name.encode())
    server.drop(".hidden", b"x")
    server.drop("back\\slash.csv", b"x")
    (server.folder / "done").mkdir()
    (server.folder / "link.csv").symlink_to("a.csv")
    client = server.client()

    listed = client.files()

    assert sorted(one.name for one in listed) == sorted(names)
    assert {one.name: (one.size, client.fetch(one.name)) for one in listed} == {
        name: (len(name.encode()), name.encode()) for name in names
    }


def test_a_key_may_be_locked(server: Server) -> None:
    """The password opens it; a wrong one is a refused login, and so is another key."""
    server.drop("a.csv", b"x")

    assert len(server.client(key=server.locked_key, secret="open sesame").files()) == 1
    for key, secret in ((server.locked_key, "wrong"), (server.other_key, ""), ("no key at all", "")):
        with pytest.raises(LoginRefused):
            server.client(key=key, secret=secret).files()


def test_another_server_is_not_talked_to(server: Server, tmp_path: Path) -> None:
    """Whoever has another host key than the one entered is not even asked for the list."""
    with pytest.raises(LoginRefused, match="host key"):
        server.client(host_key=key_pair(tmp_path / "another")).files()


def test_only_an_allowed_address_is_called(server: Server) -> None:
    """Loopback is none, unless the connection may call it."""
    with pytest.raises(EgressRefused):
        server.client(egress=PUBLIC).files()


def test_a_server_that_is_away_is_told_apart_from_a_folder_that_is(server: Server) -> None:
    """The one may come back by itself."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = read_remote(f"sftp://x@127.0.0.1:{taken.getsockname()[1]}/", host_key=server.host_key, key=server.key, secret="")

        with pytest.raises(Unreachable):
            Sftp(away, HERE).files()
    with pytest.raises(VendorFault, match="refused"):
        server.client(folder="/no such folder").files()


def test_a_file_over_the_limit_is_refused_by_name(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where it grew after it was listed."""
    monkeypatch.setattr("hub.files.sftp.FILE_BYTES", 10)
    server.drop("huge.csv", b"x" * 11)

    server.drop("endless.csv", bytes(2**20))

    for name in ("huge.csv", "endless.csv"):
        with pytest.raises(TooLarge, match="larger than any statement"):
            server.client().fetch(name)


def test_nothing_of_the_login_stays_behind(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and passwords are in a folder of their own for as long as the client runs, and in none of its arguments."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    started: list[list[str]] = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda words, **more: started.append(words) or run(words, **more))

    server.client(key=server.locked_key, secret="open sesame").files()

    assert list(tmp_path.iterdir()) == []
    assert not [word for words in started for word in words if "sesame" in word or "PRIVATE KEY" in word]


@pytest.mark.parametrize(
    ("address", "host_key", "key", "setting"),
    [
        ("https://x@example.com/", "ssh-ed25519 AAAA", "k", "sftp"),
        ("sftp://example.com/", "ssh-ed25519 AAAA", "k", "sftp"),
        ("sftp://x:word@example.com/", "ssh-ed25519 AAAA", "k", "sftp"),
        ("sftp://-oProxyCommand=x@example.com/", "ssh-ed25519 AAAA", "k", "sftp"),
        ("sftp://x@-oProxyCommand=x/", "ssh-ed25519 AAAA", "k", "sftp"),
        ("sftp://x@example.com:99999/", "ssh-ed25519 AAAA", "k", "sftp"),
        ("sftp://x@example.com/a%0Arm%20b", "ssh-ed25519 AAAA", "k", "sftp"),
        ("sftp://x@example.com/", "", "k", "sftp_host_key"),
        ("sftp://x@example.com/", "ssh-ed25519 AAAA\n* ssh-ed25519 BBBB", "k", "sftp_host_key"),
        ("sftp://x@example.com/", "ssh-ed25519 AAAA", "", "sftp_key"),
    ],
)
def test_a_wrong_setting_is_named(address: str, host_key: str, key: str, setting: str) -> None:
    """Nothing of it reaches a command line."""
    with pytest.raises(Misconfigured) as refused:
        read_remote(address, host_key=host_key, key=key, secret="")

    assert refused.value.about["setting"] == setting


def test_a_machine_without_the_client_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what to install."""
    monkeypatch.setenv("PATH", "")
    remote = read_remote("sftp://x@127.0.0.1/", host_key="ssh-ed25519 AAAA", key="k", secret="")

    with pytest.raises(Misconfigured, match="no sftp"):
        Sftp(remote, HERE).files()


def test_every_connection_that_reads_files_can_fetch_them() -> None:
    """The settings come with the hub; key and password are secrets, and bound to the server."""
    found = find_connectors()

    manifest = found["bank_ofx"].manifest
    plain, secret = divided(manifest, {"sftp": "sftp://x@example.com/out", "sftp_key": "k", "sftp_password": "w"}, connection="c")

    assert "sftp" not in found["chat_wecom"].manifest.settings
    assert (set(plain), set(secret)) == ({"sftp"}, {"sftp_key", "sftp_password"})
    assert manifest.settings["sftp"].is_host


# What is new in a folder


class Lines:
    """Reads files of lines under a first line `rows`."""

    def normalise(self, raw: Raw) -> list[Any]:
        return []

    def recognises(self, name: str, head: bytes) -> bool:
        return head.startswith(b"rows\n")

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        return (Raw(stream="rows", key=line.decode(), body=line) for line in body.splitlines()[1:])


class Fetching:
    """The part that looks into folders, over the kernel's store and a connection to the server."""

    def __init__(self, kernel: Any, register: Any, settings: Mapping[str, Any]) -> None:
        self.kernel, self.register = kernel, register
        register.add(Lines())
        one = msgspec.structs.replace(register.connections("main")[0], settings={"sftp": settings["sftp"]})
        self.settings = dict(settings)
        self.told: list[Problem | None] = []
        register.connections = lambda tenant=None: [one]
        register._opened["main", one.id] = msgspec.structs.replace(register.open("main", one.id), connection=one)
        register.context = lambda tenant, id_: Context(
            tenant=tenant, connection=id_, settings=self.settings, http=NoHttp(), clock=kernel.clock
        )
        register.egress = lambda connection: HERE
        self.files = Files(kernel.store, register)
        self.folders = RemoteFolders(
            kernel.store, register, self.files, went=lambda work, id_, problem: self.told.append(problem)
        )

    def look(self) -> int:
        came = self.folders.run_once()
        while self.files.run_once():
            pass
        self.kernel.clock.advance(61)
        return came

    def names(self) -> list[str]:
        return sorted(row["name"] for row in self.kernel.rows(t.files))

    def problem(self) -> Any:
        (row,) = self.kernel.rows(t.cursors)
        return row["problem"]


@pytest.fixture
def fetching(kernel: Any, register: Any, server: Server) -> Fetching:
    settings = {"sftp": server.address(), "sftp_host_key": server.host_key, "sftp_key": server.key}
    return Fetching(kernel, register, settings)


def test_each_file_is_fetched_once(fetching: Fetching, server: Server) -> None:
    """When two looks saw the same; what changed since is fetched again; nothing of the server's is moved."""
    server.drop("a.txt", b"rows\n1\n2")
    seen = [fetching.look() for _ in range(4)]
    server.drop("b.txt", b"rows\n3")
    seen += [fetching.look() for _ in range(3)]
    server.drop("a.txt", b"rows\n1\n2\n4")
    for _ in range(3):
        fetching.look()

    assert seen == [0, 1, 0, 0, 0, 1, 0]
    assert fetching.names() == ["a.txt", "a.txt", "b.txt"]
    assert len(fetching.kernel.rows(t.raws)) == 4
    assert sorted(path.name for path in server.folder.iterdir()) == ["a.txt", "b.txt"]
    assert set(fetching.told) == {None}


def test_a_folder_is_looked_into_once_a_minute(fetching: Fetching, server: Server) -> None:
    """Or at once where somebody asked for it."""
    fetching.folders.run_once()
    first = fetching.kernel.rows(t.cursors)[0]["pulled_at"]
    fetching.kernel.clock.advance(30)
    fetching.folders.run_once()

    assert fetching.kernel.rows(t.cursors)[0]["pulled_at"] == first
    fetching.kernel.clock.advance(31)
    fetching.folders.run_once()
    second = fetching.kernel.rows(t.cursors)[0]["pulled_at"]
    Poller(fetching.kernel.store, fetching.register, went=None).want("main", "shop")
    fetching.kernel.clock.advance(1)
    fetching.folders.run_once()

    assert first < second < fetching.kernel.rows(t.cursors)[0]["pulled_at"]


def test_a_refused_file_is_named_and_stops_no_other(fetching: Fetching, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reason stands at the connection's stream; it is not fetched over and over."""
    monkeypatch.setattr("hub.files.remote.FILE_BYTES", 100)
    server.drop("a.txt", b"rows\n1")
    server.drop("huge.txt", b"rows\n" + b"x" * 100)
    server.drop("photo.jpg", b"\xff\xd8")

    came = [fetching.look(), fetching.look()]
    reasons = fetching.problem()["about"]
    came.append(fetching.look())

    assert came == [0, 3, 0]
    assert set(reasons) == {"huge.txt", "photo.jpg"} and "larger" in reasons["huge.txt"]
    assert fetching.names() == ["a.txt"]


def test_a_name_that_cannot_be_asked_for_stops_no_other(fetching: Fetching, server: Server) -> None:
    """A list of lines shows a name with a line break as another: it is not there, which is told, and asked for again."""
    server.drop("new\nline.txt", b"rows\n1")
    server.drop("a.txt", b"rows\n2")

    came = [fetching.look() for _ in range(3)]

    assert came == [0, 1, 0]
    assert (set(fetching.problem()["about"]), fetching.names()) == ({"new"}, ["a.txt"])


def test_a_server_that_goes_away_is_told_and_nothing_is_forgotten(fetching: Fetching, server: Server) -> None:
    """The connection fails and recovers; what was fetched before is not fetched again."""
    server.drop("a.txt", b"rows\n1")
    fetching.look()
    fetching.look()
    right = fetching.settings["sftp_key"]
    fetching.settings["sftp_key"] = server.other_key
    fetching.look()
    failed = fetching.problem()
    fetching.settings["sftp_key"] = right

    assert fetching.look() == 0
    assert failed["code"] == "login-refused" and fetching.problem() is None
    assert [problem is None for problem in fetching.told] == [True, True, False, True]
