"""The rows of a file between reading and keeping: all of them are read before one is kept, and few of them are in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from hub.core.event import Raw

_IN_MEMORY = 8 * 2**20
_TELL_EVERY = 2_000


class Spool:
    """Rows that were read, to be had again in groups and in order."""

    def __init__(self) -> None:
        # Without a name, readable by this process alone, and gone with it.
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by `spooled`
        self.count = 0

    def fill(self, rows: Iterator[Raw], told: Callable[[int], None]) -> None:
        """Take every row; `told` hears every so often how many there are by now."""
        encoder = msgspec.msgpack.Encoder()
        for row in rows:
            packed = encoder.encode(row)
            self._file.write(len(packed).to_bytes(4, "big"))
            self._file.write(packed)
            self.count += 1
            if self.count % _TELL_EVERY == 0:
                told(self.count)

    def groups(self, size: int) -> Iterator[list[Raw]]:
        decoder = msgspec.msgpack.Decoder(Raw)
        self._file.seek(0)
        group: list[Raw] = []
        while length := self._file.read(4):
            group.append(decoder.decode(self._file.read(int.from_bytes(length, "big"))))
            if len(group) == size:
                yield group
                group = []
        if group:
            yield group

    def close(self) -> None:
        self._file.close()


@contextmanager
def spooled(rows: Iterator[Raw], told: Callable[[int], None]) -> Iterator[Spool]:
    """Every row of `rows`, read to its end. What the reader raises is raised before anything can be kept."""
    spool = Spool()
    try:
        spool.fill(rows, told)
        yield spool
    finally:
        spool.close()
