"""Makes a Tryton of its own for the tests: an environment, and a seeded database that every test run copies.

Tryton is under the GPL. It lives in an environment of its own and runs as a process of its own; nothing of the hub
imports it. What is made is kept in a cache folder and made again when the pins, the seed or the day change: the seed's
dates count from the day it was made, and open moves of yesterday are no longer part of a forecast.

usage: make_template.py [FOLDER]
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PINS = (
    "trytond==8.2.1",
    "trytond_stock==8.2.1",
    "trytond_sale==8.2.0",
    "trytond_purchase==8.2.0",
    "trytond_production==8.2.0",
    "proteus==8.2.0",
)
MODULES = ("sale", "purchase", "production")
PASSWORD = "hubadmin-pass"
CLOCK = {"TZ": "UTC"}  # so that Tryton's day is the tests' day, wherever this machine is
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


class Unavailable(Exception):
    """Tryton cannot be installed or prepared here; the message says at which step."""


def cache() -> Path:
    """Where the environment and the template are kept."""
    return Path(os.environ.get("SHUNIU_TEST_CACHE") or ROOT / ".ci-work" / "tryton").resolve()


def template(folder: Path | None = None) -> Path:
    """The folder that holds `python`, `hub.sqlite` and `ids.json`, made if they are not there. Several may ask at once."""
    folder = folder or cache()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _environment(folder)
        _database(folder)
    return folder


def configuration(folder: Path, port: int) -> str:
    """A trytond.conf for the databases in `folder`."""
    # One process and no background cleaning: a test run is short, and its database is thrown away.
    return f"[database]\nuri = sqlite://\npath = {folder}\n\n[web]\nlisten = 127.0.0.1:{port}\n\n[session]\nmax_attempt = 50\n"


def _environment(folder: Path) -> None:
    wanted = hashlib.sha256("\n".join((*PINS, sys.version)).encode()).hexdigest()
    mark = folder / "environment.mark"
    if mark.exists() and mark.read_text() == wanted:
        return
    shutil.rmtree(folder / "environment", ignore_errors=True)
    (folder / "database.mark").unlink(missing_ok=True)
    uv = shutil.which("uv")
    python = folder / "environment" / "bin" / "python"
    if uv:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder / "environment")])
        _run([uv, "pip", "install", "--quiet", "--python", str(python), *PINS])
    else:
        venv.create(folder / "environment", with_pip=True)
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINS])
    mark.write_text(wanted)


def _database(folder: Path) -> None:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    seed = (HERE / "seed.py").read_bytes()
    wanted = hashlib.sha256(seed + json.dumps([PINS, MODULES, today]).encode()).hexdigest()
    mark = folder / "database.mark"
    if mark.exists() and mark.read_text() == wanted:
        return
    mark.unlink(missing_ok=True)
    work = folder / "making"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    bin_ = folder / "environment" / "bin"
    conf, password = work / "trytond.conf", work / "password"
    conf.write_text(configuration(work, 0))
    password.write_text(PASSWORD)
    (work / "hub.sqlite").touch()  # a SQLite database must exist, empty, before it is initialised
    admin = [str(bin_ / "trytond-admin"), "-c", str(conf), "-d", "hub", "--all", "--activate-dependencies"]
    admin += ["--email", "admin@example.com", "-u", *MODULES]
    _run(admin, TRYTONPASSFILE=str(password))
    _run([str(bin_ / "python"), str(HERE / "seed.py"), "hub", str(conf), str(folder / "ids.json")])
    shutil.copyfile(work / "hub.sqlite", folder / "hub.sqlite")
    shutil.rmtree(work)
    mark.write_text(wanted)


def _run(command: list[str], **environment: str) -> None:
    try:
        done = subprocess.run(
            command, env=os.environ | CLOCK | environment, capture_output=True, text=True, timeout=600, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{Path(command[0]).name} did not run: {error}") from error
    if done.returncode:
        raise Unavailable(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr.strip()[-500:]}")


if __name__ == "__main__":
    print(template(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None))
