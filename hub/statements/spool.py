"""Lines that are kept until all are read: in memory while they are few, in a temporary file once they are many."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType

import msgspec

from hub.statements.values import Movement, Unread

_IN_MEMORY = 4 * 2**20
_MOVEMENT, _UNREAD = b"m", b"u"


class Spool:
    """Keeps lines in the order they come and gives them back in any order. Eight bytes a line stay in memory."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._starts = array("Q", [0])

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._starts) - 1

    def add(self, line: Movement | Unread) -> int:
        """Keep a line; returns its place. All lines are added before any is read."""
        written = (_UNREAD if isinstance(line, Unread) else _MOVEMENT) + msgspec.msgpack.encode(line)
        self._file.write(written)
        self._starts.append(self._starts[-1] + len(written))
        return len(self) - 1

    def lines(self, places: Iterable[int] | None = None) -> Iterator[Movement | Unread]:
        """The lines at these places, in this order; all of them where none are named."""
        for place in range(len(self)) if places is None else places:
            start, end = self._starts[place], self._starts[place + 1]
            if self._file.tell() != start:
                self._file.seek(start)
            yield _decoded(self._file.read(end - start))


def _decoded(written: bytes) -> Movement | Unread:
    if written[:1] == _UNREAD:
        return msgspec.msgpack.decode(written[1:], type=Unread)
    return msgspec.msgpack.decode(written[1:], type=Movement)
