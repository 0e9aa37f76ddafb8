"""From starting the process to the first accepted webhook, and what an idle hub holds in memory.

Bars: 3 s and 150 MB. Beside it a bare Python that imports the web framework and nothing of ours, so that the distance is
seen.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import here  # noqa: F401 - before anything of the project
import httpx
from posting import SECRET

from hub.core.signing import sign_standard

ROOT = Path(__file__).parents[2]
RUN = "from hub.cli import main; main()"
BARE = "import time, fastapi, uvicorn, sqlalchemy, httpx; print('up', flush=True); time.sleep(60)"
MOST_SECONDS, MOST_MEGABYTES, ROUNDS = 3.0, 150, 5
CONFIGURATION = (
    '[[connections]]\nid = "shop"\nconnector = "http_webhook"\n[connections.settings]\nsecret = { env = "SHOP_SECRET" }\n'
)


def megabytes(pid: int) -> float:
    """The resident memory of a process (`VmRSS` of proc(5))."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def accepted(url: str, number: int) -> bool:
    body, now = b'{"type":"ping"}', int(time.time())
    headers = {
        "webhook-id": f"n{number}",
        "webhook-timestamp": str(now),
        "webhook-signature": sign_standard(SECRET, f"n{number}", now, body),
    }
    try:
        return httpx.post(url, content=body, headers=headers, timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def one(environment: dict[str, str], number: int) -> tuple[float, float]:
    """Seconds to the first accepted webhook, megabytes after three idle seconds."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "serve", "--port", str(port)], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        while not accepted(f"http://127.0.0.1:{port}/hooks/shop", number):
            if time.perf_counter() - began > 60:
                raise SystemExit("the hub does not start")
            time.sleep(0.01)
        seconds = time.perf_counter() - began
        time.sleep(3)
        return seconds, megabytes(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def bare() -> float:
    process = subprocess.Popen([sys.executable, "-c", BARE], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        return megabytes(process.pid)
    finally:
        process.terminate()
        process.wait()


def main() -> int:
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "SHUNIU_HOME": home, "PYTHONPATH": str(ROOT), "SHOP_SECRET": SECRET}
        configuration = Path(home) / "shop.toml"
        configuration.write_text(CONFIGURATION)
        subprocess.run([sys.executable, "-c", RUN, "apply", str(configuration)], env=environment, check=True, capture_output=True)
        rounds = [one(environment, number) for number in range(ROUNDS)]
    seconds = sorted(seconds for seconds, _ in rounds)[ROUNDS // 2]
    memory = max(memory for _, memory in rounds)
    print(
        f"start to first accepted webhook   {seconds:6.2f} s   limit {MOST_SECONDS:.1f} s   (median of {ROUNDS}, load {os.getloadavg()[0]:.1f})"
    )
    print(f"memory of an idle embedded hub    {memory:6.0f} MB  limit {MOST_MEGABYTES} MB  (frameworks alone {bare():.0f} MB)")
    return int(seconds > MOST_SECONDS or memory > MOST_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
