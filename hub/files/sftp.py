"""A folder on an SFTP server, by the system's OpenSSH client in a process of its own.

The server's host key is the one that was entered and no other; keys of this machine's user, its agent and its configuration
are not looked at. The options are those of ssh_config(5), the listing is what sftp(1) prints for `ls -ln`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import httpcore
import msgspec

from hub.core.errors import LoginRefused, Misconfigured, Problem, TooLarge, Unreachable, VendorFault
from hub.egress import Egress, addresses_of, resolve
from hub.files.limits import FILE_BYTES

_ALIAS = "pinned"
_SECONDS = 300
_MOST_LISTED = 2**22
_MOST_SAID = 2**14
_OPTIONS = (
    *(
        "StrictHostKeyChecking=yes",
        "GlobalKnownHostsFile=/dev/null",
        f"HostKeyAlias={_ALIAS}",
        "UpdateHostKeys=no",
        "CheckHostIP=no",
    ),
    *("IdentitiesOnly=yes", "IdentityAgent=none", "NumberOfPasswordPrompts=1", "ConnectTimeout=15", "ServerAliveInterval=15"),
    *(
        "ServerAliveCountMax=3",
        "ForwardAgent=no",
        "ForwardX11=no",
        "ClearAllForwardings=yes",
        "ControlMaster=no",
        "ControlPath=none",
    ),
    *("ProxyCommand=none", "ProxyJump=none", "CanonicalizeHostname=no", "LogLevel=ERROR"),
)
_LISTED = re.compile(r"-\S{9}\S?\s+\S+\s+\S+\s+\S+\s+(\d+)\s+(\w{3}\s+\d{1,2}\s+[\d:]{4,5}) (.+)")
_HOST_KEY = re.compile(r"(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*")


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """Where the folder is and how it is entered. `secret` is the password, or what opens the key."""

    host: str
    port: int
    user: str
    folder: str
    host_key: str
    key: str = ""
    secret: str = ""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A plain file in the folder: its name, its size in bytes, and the time of its change as the client prints it."""

    name: str
    size: int
    changed: str


def read_remote(address: str, *, host_key: str, key: str, secret: str) -> Remote:
    """The folder at `sftp://user@host:port/folder`. Raises `Misconfigured` naming the setting."""
    try:
        parts = urlsplit(address)
        port = parts.port or 22
    except ValueError as error:
        raise _wrong("sftp", f"the address cannot be read: {error}", "write it as sftp://user@host/folder") from error
    host, user, folder = parts.hostname or "", unquote(parts.username or ""), unquote(parts.path) or "."
    if parts.scheme != "sftp" or not re.fullmatch(r"[A-Za-z0-9.:-]+", host) or not re.fullmatch(r"[\w.@+-]+", user):
        raise _wrong("sftp", "the address has no user, no host or another scheme", "write it as sftp://user@host/folder")
    if host.startswith("-") or user.startswith("-") or not folder.isprintable() or parts.password:
        raise _wrong(
            "sftp",
            "the address holds what it may not",
            "write it as sftp://user@host/folder; the password is a setting of its own",
        )
    if not _HOST_KEY.fullmatch(host_key.strip()):
        raise _wrong(
            "sftp_host_key",
            "the server's host key is missing or is none",
            "ask the bank for it, and write it as ssh-ed25519 AAAA…",
        )
    if not key and not secret:
        raise _wrong("sftp_key", "there is neither a key nor a password", "enter one of them")
    return Remote(host=host, port=port, user=user, folder=folder, host_key=host_key.strip(), key=key, secret=secret)


class Sftp:
    """The client. `egress` says which addresses may be called, `program` where it is."""

    def __init__(self, remote: Remote, egress: Egress, *, program: str | None = None) -> None:
        self._remote = remote
        self._egress = egress
        self._program = program or shutil.which("sftp") or ""

    def files(self) -> list[Listed]:
        """The plain files in the folder whose names can be asked for. Raises `LoginRefused`, `Unreachable`, `VendorFault`."""
        told = self._run(lambda _: ["ls -ln"])
        found = [match for line in told.splitlines() if (match := _LISTED.fullmatch(line))]
        return [
            Listed(name=match[3], size=int(match[1]), changed=" ".join(match[2].split()))
            for match in found
            # The client writes what cannot be printed with a backslash: such a name cannot be asked for.
            if "\\" not in match[3] and "/" not in match[3] and match[3].isprintable()
        ]

    def fetch(self, name: str) -> bytes:
        """The file's bytes. Raises `TooLarge` and what `files` raises."""
        body = b""

        def take(place: Path) -> None:
            nonlocal body
            with (place / "file").open("rb") as source:
                body = source.read(FILE_BYTES + 1)

        self._run(lambda place: [f"get {_quoted(f'./{name}')} {_quoted(str(place / 'file'))}"], then=take)
        if len(body) > FILE_BYTES:
            raise _too_large()
        return body

    # --- inside ---------------------------------------------------------------------------------------------------

    def _run(self, commands: Callable[[Path], Sequence[str]], *, then: Callable[[Path], None] = lambda _: None) -> str:
        if not self._program:
            raise Misconfigured(
                happened="there is no sftp on this machine",
                next="install OpenSSH's client (on Debian: openssh-client)",
                program="sftp",
            )
        address = self._address()
        with tempfile.TemporaryDirectory(prefix="shuniu-sftp-") as folder:
            place = Path(folder)
            batch = "\n".join([f"cd {_quoted(self._remote.folder)}", *commands(place), "bye"]) + "\n"
            with (place / "told").open("w+b") as told, (place / "said").open("w+b") as said:
                self._wait(self._words(place, address), place, batch, told, said)
                then(place)
                told.seek(0)
                return told.read(_MOST_LISTED).decode(errors="backslashreplace")

    def _wait(self, words: Sequence[str], place: Path, batch: str, told: BinaryIO, said: BinaryIO) -> None:
        """Let the client do it. No file that it writes grows far beyond the limit of one, whatever the server sends."""
        limited = ["/bin/sh", "-c", f'ulimit -f {FILE_BYTES // 512 + 64} && exec "$@"', "sftp", *words]
        try:
            ended = subprocess.run(  # noqa: S603 - the program is OpenSSH's, its arguments are options and a checked address
                limited, input=batch.encode(), stdout=told, stderr=said, timeout=_SECONDS, check=False,
                env=self._environment(place), cwd=place, start_new_session=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise Unreachable(
                happened="the server did not finish in time", next="try again later", host=self._remote.host
            ) from error
        if ended.returncode == -signal.SIGXFSZ:
            raise _too_large()
        if ended.returncode:
            said.seek(0)
            raise _problem(self._remote, said.read(_MOST_SAID).decode(errors="replace"))

    def _address(self) -> str:
        """The very address that was checked: the name is not looked up a second time."""
        try:
            found = addresses_of(self._remote.host, self._remote.port, resolve)
        except httpcore.ConnectError as error:
            raise Unreachable(happened=str(error), next="correct the host", host=self._remote.host) from error
        self._egress.check(self._remote.host, found)
        return found[0]

    def _words(self, place: Path, address: str) -> list[str]:
        remote = self._remote
        _write(place / "known_hosts", f"{_ALIAS} {remote.host_key}\n")
        options = [*_OPTIONS, f"UserKnownHostsFile={place / 'known_hosts'}", f"Port={remote.port}", f"User={remote.user}"]
        if remote.key:
            _write(place / "key", remote.key.replace("\r\n", "\n").strip() + "\n")
            options += [f"IdentityFile={place / 'key'}", "PreferredAuthentications=publickey"]
        else:
            options += ["IdentityFile=none", "PreferredAuthentications=password,keyboard-interactive"]
        # `-b` alone would ask for no password; what is said first counts.
        options.append(f"BatchMode={'no' if remote.secret else 'yes'}")
        words = [word for option in options for word in ("-o", option)]
        return [self._program, "-F", "/dev/null", *words, "-b", "-", f"[{address}]" if ":" in address else address]

    def _environment(self, place: Path) -> dict[str, str]:
        # Names come as they are only where the locale has their characters.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(place), "LC_ALL": "C.UTF-8"}
        if self._remote.secret:
            _write(place / "secret", self._remote.secret + "\n")
            _write(place / "ask", f"#!/bin/sh\nexec cat '{place / 'secret'}'\n", mode=0o700)
            environment |= {"SSH_ASKPASS": str(place / "ask"), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": "none"}
        return environment


def _write(path: Path, text: str, *, mode: int = 0o600) -> None:
    path.touch(mode=mode)
    path.write_text(text, encoding="utf-8")


def _quoted(text: str) -> str:
    """One word of sftp's own language; inside quotes it takes stars and brackets for themselves."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _problem(remote: Remote, told: str) -> Problem:
    """What the client's words mean, by those that OpenSSH has used for twenty years."""
    said = told.lower()
    where = {"host": remote.host, "port": remote.port}
    if "host key verification failed" in said or "host identification has changed" in said or "no matching host key" in said:
        return LoginRefused(
            happened="the server's host key is not the one that was entered",
            next="ask the bank whether it changed; until then nothing is fetched",
            **where,
        )
    if (
        "permission denied (" in said
        or "too many authentication failures" in said
        or "error in libcrypto" in said
        or "load key" in said
    ):
        return LoginRefused(
            happened="the server does not accept the user, key or password", next="compare them with the bank's", **where
        )
    gone = ("connection refused", "timed out", "no route", "unreachable", "connection closed", "connection reset", "broken pipe")
    if any(word in said for word in gone):
        return Unreachable(happened="the server does not answer", next="compare host and port with the bank's", **where)
    last = (told.strip().splitlines() or ["no word"])[-1]
    return VendorFault(
        happened=f"the server refused: {last[:200]}", next="look whether the folder is there and may be read", **where
    )


def _too_large() -> TooLarge:
    return TooLarge(happened="the file is larger than any statement", next=f"send at most {FILE_BYTES >> 20} MiB")


def _wrong(setting: str, happened: str, next_: str) -> Misconfigured:
    return Misconfigured(happened=happened, next=next_, setting=setting)
