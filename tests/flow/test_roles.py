"""The hub as several processes: api, worker and poller over PostgreSQL and RabbitMQ, and all of it in one process."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from hub.core.signing import sign_standard
from hub.crypto import Seal

ROOT = Path(__file__).parents[2]
SECRET = "whsec_" + base64.b64encode(b"a secret of the parts shop, long").decode()
CONFIGURATION = """
[[connections]]
id = "shop"
connector = "http_webhook"
field_map = "shop"
[connections.settings]
secret = { env = "SHOP_SECRET" }

[[maps]]
name = "shop"
text = '''
name = "shop"
target = "order.placed"
[fields]
order = "no"
amount = "amount"
'''
"""


@pytest.fixture
def environment(size: str, database_url: str, bus_url: str | None, bus_prefix: str, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHUNIU_")}
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "SHUNIU_HOME": str(tmp_path / "home"),
        "SHUNIU_DATABASE_URL": database_url,
        "SHUNIU_BUS_URL": bus_url or "",
        "SHUNIU_BUS_PREFIX": f"{bus_prefix}.",
        "SHUNIU_SECRET_KEY": Seal.generate_key(),
        "SHUNIU_PORT": str(port),
        "SHOP_SECRET": SECRET,
    }


@pytest.fixture
def serve(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Start one role; all of them are ended by their own signal afterwards."""
    running: list[subprocess.Popen[bytes]] = []

    def start(role: str) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"{role}.log").open("wb")
        process = subprocess.Popen(command("serve", "--role", role), env=environment, cwd=tmp_path, stdout=log, stderr=log)
        running.append(process)
        return process

    yield start
    for process in running:
        process.send_signal(signal.SIGTERM)
    for process in running:
        process.wait(timeout=30)


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from hub.cli import main; main()", *words]


def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it does not come"
        time.sleep(0.05)


def post(url: str, number: str) -> int:
    body = json.dumps({"no": number, "amount": "12.50"}).encode()
    now = int(time.time())
    headers = {"webhook-id": f"id-{number}", "webhook-timestamp": str(now), "content-type": "application/json"}
    headers["webhook-signature"] = sign_standard(SECRET, f"id-{number}", now, body)
    try:
        return httpx.post(f"{url}/hooks/shop", content=body, headers=headers, trust_env=False, timeout=10).status_code
    except httpx.TransportError:
        return 0


def facts(url: str, type_: str) -> int:
    return len(httpx.get(f"{url}/api/v1/events", params={"type": type_}, trust_env=False, timeout=10).json()["items"])


@pytest.mark.timeout(150)
def test_a_delivery_goes_its_way_through_the_roles(
    size: str, environment: dict[str, str], serve: Callable[[str], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """A webhook taken by the api is understood by a worker; a worker that dies is replaced and nothing is lost."""
    (tmp_path / "shop.toml").write_text(CONFIGURATION, encoding="utf-8")
    subprocess.run(command("apply", "shop.toml"), env=environment, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    url = f"http://127.0.0.1:{environment['SHUNIU_PORT']}"

    started = [serve(role) for role in (("all",) if size == "embedded" else ("api", "worker", "poller"))]
    until(lambda: post(url, "A-1") == 200)
    until(lambda: facts(url, "receivable.opened") == 1)

    if size == "distributed":
        worker = started[1]
        worker.kill()
        worker.wait(timeout=10)
        assert [post(url, f"B-{number}") for number in range(5)] == [200] * 5
        serve("worker")
        until(lambda: facts(url, "receivable.opened") == 6, seconds=60)
    books = httpx.get(f"{url}/api/v1/books", trust_env=False, timeout=10).json()["items"]
    assert books[0]["balanced"] and books[0]["waiting"] == 0 and books[0]["parked"] == 0
    assert httpx.get(f"{url}/readyz", trust_env=False, timeout=10).status_code == 200
    assert "shuniu_raws" in httpx.get(f"{url}/metrics", trust_env=False, timeout=10).text
    assert SECRET not in "".join(path.read_text(errors="replace") for path in tmp_path.glob("*.log"))


@pytest.mark.timeout(60)
def test_the_hub_ends_when_it_is_asked_to(environment: dict[str, str], tmp_path: Path, size: str) -> None:
    """SIGTERM lets the process finish what is in hand and leave with 0."""
    process = subprocess.Popen(command("serve"), env=environment, cwd=tmp_path, stderr=subprocess.PIPE)
    url = f"http://127.0.0.1:{environment['SHUNIU_PORT']}"

    def alive() -> bool:
        try:
            return httpx.get(f"{url}/healthz", trust_env=False, timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    until(alive)
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=30) in (0, -signal.SIGTERM)
