"""Kill the hub at every named step, again and again, and count what was lost, doubled or left lying.

    python tests/crash [--kills N] [--size embedded|distributed|both] [--step NAME] [--together] [--seed N] [--keep]

`--kills` is for each stage of the path (intake, normalise, relay, handle, act); its steps share them. Each step has a
database of its own; with `--together` they take turns over one, which is quicker and says less. After the kills the hub is started once more and must come to rest within a minute. Then every delivery that was answered 2xx must be
there as one raw, one outcome, one event, one effect and one action; what may be repeated at the vendor is done, what may
not was called once at most. At the distributed size the database and the broker also go away under load (`outage.…`).
"""

from __future__ import annotations

import argparse
import random
import socket
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from count import Tally, tally
from forks import Child, Task, in_child
from gate import Gate
from life import Place, live_on, live_until, prepare
from load import Load
from outage import OUTAGES, Outages
from places import a_place
from vendor import Vendor

from hub.core.steps import STEPS

TOGETHER = "all in turns"

_AT_START = 5  # deliveries that wait when a life begins
_PATIENCE = 20.0  # seconds until a step must have been reached
_REST_WITHIN = 60.0
_MOST_ARRIVALS = {"intake": 6, "normalise": 4, "relay": 3, "handle": 4, "act": 10}


class Row(msgspec.Struct, kw_only=True):
    """What came of one step."""

    size: str
    step: str
    kills: int
    wanted: int
    tally: Tally
    rest: float
    seconds: float
    complaints: list[str]

    @property
    def good(self) -> bool:
        return self.kills >= self.wanted and self.tally.whole and not self.complaints


class Campaign:
    """The kills at one step, or at several in turns, over one database."""

    def __init__(self, size: str, step: str, kills: int, seed: int, folder: Path) -> None:
        self.size, self.step, self.wanted = size, step, kills
        self._seed = seed
        self._chance = random.Random(f"{seed} {size} {step}")
        self._folder = folder
        self._log = folder / "lives.log"
        self._complaints: list[str] = []
        self._gate = Gate()
        self._steps = STEPS if step == TOGETHER else (step,)

    def run(self) -> Row:
        began = time.monotonic()
        answered, called = self._folder / "answered.log", self._folder / "called.log"
        vendor, door = Vendor(called, self._seed), socket.create_server(("127.0.0.1", 0), backlog=64)
        load = Load(door.getsockname()[1], self._gate, answered, self._seed)
        others = [Child(vendor.serve_forever, log=self._log), Child(load.run, log=self._log)]
        try:
            with a_place(self.size, self._folder) as empty:
                place = msgspec.structs.replace(empty, vendor_port=vendor.port)
                in_child(lambda: prepare(place), log=self._log)
                if self.step in OUTAGES:
                    kills, last = self._outages(place, door)
                else:
                    kills = self._kill_all(place, door)
                    last = in_child(lambda: live_on(place, door, self._gate, _REST_WITHIN), log=self._log)
                self._judge(last)
                found = msgspec.convert(in_child(lambda: tally(place, answered, called)), Tally)
        finally:
            for other in others:
                other.kill()
            door.close()
            vendor.server_close()
        return Row(
            size=self.size, step=self.step, kills=kills, wanted=self.wanted, tally=found, rest=last["took"],
            seconds=time.monotonic() - began, complaints=self._complaints,
        )  # fmt: skip

    def _kill_all(self, place: Place, door: socket.socket) -> int:
        kills = 0
        for number in range(self.wanted):
            step = self._steps[number % len(self._steps)]
            arrivals = self._chance.randint(1, _MOST_ARRIVALS[step.partition(".")[0]])
            self._gate.go(_AT_START)
            life = Child(partial(live_until, place, door, step, arrivals, self._chance.randrange(1 << 30)), log=self._log)
            ended = life.wait(_PATIENCE)
            if ended == -9:
                kills += 1
            elif ended is None:
                life.kill()
                self._complaints.append(f"life {number}: {step} was not reached {arrivals} times in {_PATIENCE:.0f} s")
            else:
                self._complaints.append(f"life {number}: ended by itself with {ended}, see {self._log}")
            if len(self._complaints) > 3:
                break
        self._gate.finish()
        return kills

    def _outages(self, place: Place, door: socket.socket) -> tuple[int, dict[str, Any]]:
        """One life through all of them, that comes to rest by itself."""
        outages = Outages(place, self._gate)
        try:
            life = Task(lambda: live_on(outages.place, door, self._gate, _REST_WITHIN + 10 * self.wanted), log=self._log)
            happened = outages.happen(self.step, self.wanted, self._chance)
            self._gate.finish()
            back = time.monotonic()
            last = life.result(2 * _REST_WITHIN + 10 * self.wanted)
            return happened, last | {"took": time.monotonic() - back}
        finally:
            outages.end()

    def _judge(self, last: dict[str, Any]) -> None:
        if not last["idle"] or last["took"] > _REST_WITHIN:
            self._complaints.append(f"not at rest after {_REST_WITHIN:.0f} s")
        if not last["ended"]:
            self._complaints.append("did not stop in good order")
        if self._log.exists() and "Exception in thread" in self._log.read_text(errors="replace"):
            self._complaints.append(f"a thread died, see {self._log}")
        if last["left_on_the_bus"]:
            self._complaints.append(f"{last['left_on_the_bus']} messages left on the bus")


def _told(row: Row) -> str:
    found = row.tally
    numbers = (row.kills, found.deliveries, found.calls, found.unknown)
    faults = (len(found.lost), len(found.doubled), len(found.stuck), len(found.disordered))
    return (
        f"{row.size:12} {row.step:24}"
        + "".join(f"{number:9}" for number in (*numbers, *faults))
        + f"{row.rest:7.1f} s{row.seconds:8.1f} s  {'' if row.good else 'FAILED'}"
    )


def main() -> int:
    words = argparse.ArgumentParser(prog="python tests/crash", description=(__doc__ or "").split("\n")[0])
    words.add_argument("--kills", type=int, default=204, help="for each of the five stages (default: 204)")
    words.add_argument("--size", choices=("embedded", "distributed", "both"), default="both")
    words.add_argument("--step", choices=(*STEPS, *OUTAGES), help="only this one")
    words.add_argument("--seed", type=int, default=random.randrange(1 << 20))
    words.add_argument("--together", action="store_true", help="all steps in turns over one database")
    words.add_argument("--keep", action="store_true", help="keep each step's database and logs")
    asked = words.parse_args()
    sizes = ("embedded", "distributed") if asked.size == "both" else (asked.size,)
    print(f"seed {asked.seed}")
    names = ("kills", "answered", "called", "unknown", "lost", "doubled", "stuck", "disorder")
    print(f"{'size':12} {'step':24}" + "".join(f"{name:>9}" for name in names) + f"{'rest':>9}{'took':>10}", flush=True)
    good, kills = True, 0
    for size in sizes:
        for step in [asked.step] if asked.step else [*([TOGETHER] if asked.together else STEPS), *OUTAGES]:
            if step in OUTAGES and size == "embedded":
                continue  # its database is a file and its broker the same file
            row = _one(size, step, asked)
            good, kills = good and row.good, kills + (0 if step in OUTAGES else row.kills)
    print(f"{kills} kills, {'nothing lost, doubled or stuck' if good else 'FAILED'}")
    return 0 if good else 1


def _one(size: str, step: str, asked: argparse.Namespace) -> Row:
    folder = Path(tempfile.mkdtemp(prefix="shuniu-crash-"))
    row = Campaign(size, step, _kills(step, asked.kills), asked.seed, folder).run()
    print(_told(row), flush=True)
    if row.good and not asked.keep:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    else:
        for name in ("lost", "doubled", "stuck", "disordered"):
            print("".join(f"  {name}: {one}\n" for one in getattr(row.tally, name)[:5]), end="")
        print("".join(f"  {one}\n" for one in row.complaints) + f"  kept: {folder}")
    return row


def _kills(step: str, of_a_stage: int) -> int:
    """How many are this step's part."""
    if step in OUTAGES:
        return max(2, of_a_stage // 40)
    if step == TOGETHER:
        return of_a_stage * len({one.partition(".")[0] for one in STEPS})
    return -(-of_a_stage // sum(one.partition(".")[0] == step.partition(".")[0] for one in STEPS))


if __name__ == "__main__":
    sys.exit(main())
