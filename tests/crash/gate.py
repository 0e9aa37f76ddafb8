"""What the processes of a crash run tell each other: a few numbers in memory that all of them share."""

from __future__ import annotations

import mmap

PAUSE, GO, FINISH = 0, 1, 2
_MODE, _GRANTED, _ANSWERED, _FINISHED, _REFUSING = range(5)


class Gate:
    """Opened before the processes are forked. One process writes each number, any may read it."""

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, 4096)).cast("q")

    # The parent steers the load.

    def go(self, deliveries: int) -> None:
        """Let the load send, and so many deliveries at once."""
        self._cells[_GRANTED] += deliveries
        self._cells[_MODE] = GO

    def pause(self) -> None:
        self._cells[_MODE] = PAUSE

    def finish(self) -> None:
        """Let the load bring what it has begun to its end, and stop."""
        self._cells[_MODE] = FINISH

    @property
    def mode(self) -> int:
        return self._cells[_MODE]

    @property
    def granted(self) -> int:
        return self._cells[_GRANTED]

    # The load tells how far it is.

    def answered(self) -> None:
        self._cells[_ANSWERED] += 1

    @property
    def count(self) -> int:
        return self._cells[_ANSWERED]

    def finished(self) -> None:
        self._cells[_FINISHED] = 1

    @property
    def is_finished(self) -> bool:
        return bool(self._cells[_FINISHED])

    # The parent cuts the wires of the proxies, one bit each.

    def refuse(self, wire: int, refusing: bool) -> None:
        bits = self._cells[_REFUSING] & ~(1 << wire)
        self._cells[_REFUSING] = bits | (refusing << wire)

    def refuses(self, wire: int) -> bool:
        return bool(self._cells[_REFUSING] >> wire & 1)
