"""From a webhook to a subscriber that is done with the fact, through HTTP, the field map, the ledger, the outbox and the bus.

The hub's own subscribers to every event (flows, webhooks out) run beside the bench's. Embedded is one process; distributed
is one process that takes in and one that works, over PostgreSQL and RabbitMQ, on the cores that this process shares with them.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec
from posting import percentile, post, requests
from served import POSTGRESQL, RABBITMQ, Served, answers, database, serve_hub

RATES = {"embedded": 1500.0, "distributed": 2000.0}
SENDERS = 128
MOST_P99 = 250.0  # ms, at 300 a second
MOST_IDLE = 50.0  # ms


class Size(msgspec.Struct):
    """A running hub: where webhooks go, and who knows what became of them."""

    door: Served
    worker: Served


class Found(msgspec.Struct):
    """What one round showed."""

    rate: float = 0.0
    p99: float = 0.0
    idle: float = 0.0


@contextmanager
def running(size: str) -> Iterator[Size]:
    """The hub at this size, warm."""
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="shuniu-bench-"))
        url = stack.enter_context(database("sqlite" if size == "embedded" else "postgresql"))
        if size == "embedded":
            worker = door = stack.enter_context(Served(serve_hub, "all", url, "", "", home))
        else:
            prefix = f"bench-{uuid.uuid4().hex[:8]}."
            worker = stack.enter_context(Served(serve_hub, "worker", url, RABBITMQ, prefix, home))
            door = stack.enter_context(Served(serve_hub, "api", url, RABBITMQ, prefix, home))
        hub = Size(door, worker)
        play(hub, 300)
        yield hub


def play(hub: Size, count: int, *, per_second: float = 0.0) -> tuple[float, list[float]]:
    """Send so many leads; the seconds from the first request to the last subscriber done, and each one's own."""
    mark = uuid.uuid4().hex[:10]
    names = [f"{mark}-{number}" for number in range(count)]
    messages = requests(names)
    before = hub.worker.ask("count")
    posted = post(hub.door.port, messages, connections=SENDERS, per_second=per_second)
    patience = time.monotonic() + 120
    while hub.worker.ask("count") < before + count:
        if time.monotonic() > patience:
            raise RuntimeError(f"{before + count - hub.worker.ask('count')} of {count} leads did not arrive")
        time.sleep(0.02)
    done: dict[str, float] = hub.worker.ask("done")
    ways = [done[name] - sent for name, sent in zip(names, posted.sent, strict=True)]
    return max(done[name] for name in names) - posted.sent[0], ways


def measure(size: str, *, rounds: int = 5, count: int = 5000) -> list[Found]:
    """Some rounds of each of the three: all at once, a steady rate, one by one."""
    found = []
    with running(size) as hub:
        for _ in range(rounds):
            seconds, _ = play(hub, count)
            _, steady = play(hub, 900, per_second=300)
            _, alone = play(hub, 20, per_second=10)
            found.append(Found(count / seconds, percentile(steady, 99), statistics.median(alone) * 1000))
    return found


def main() -> int:
    """Print the figures beside their limits; 1 where one is not met."""
    missed = 0
    for size, bar in RATES.items():
        if size == "distributed" and not (answers(POSTGRESQL) and answers(RABBITMQ)):
            print("flow, distributed: PostgreSQL or RabbitMQ does not answer, not measured")
            continue
        found = measure(size)
        rate = statistics.median(one.rate for one in found)
        p99 = statistics.median(one.p99 for one in found)
        idle = statistics.median(one.idle for one in found)
        print(f"flow, {size}: webhook → fact → subscriber done {rate:>6,.0f} /s (limit {bar:,.0f})")
        print(f"flow, {size}: p99 at 300 a second {p99:>15.0f} ms (limit {MOST_P99:.0f} ms)")
        print(f"flow, {size}: where nothing else happens {idle:>8.1f} ms (limit {MOST_IDLE:.0f} ms)")
        missed |= rate < bar or p99 > MOST_P99 or idle > MOST_IDLE
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
