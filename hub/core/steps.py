"""Named places where the program may be stopped between two writes.

A crash test sets a listener that kills the process there; the program itself only says where it is.
The names are listed in `STEPS`, and a test fails when one of them is never reached.
"""

from __future__ import annotations

from collections.abc import Callable

STEPS = (
    "intake.before_commit",
    "intake.committed",
    "normalise.before_commit",
    "normalise.committed",
    "relay.published",
    "relay.forgotten",
    "handle.before_commit",
    "handle.committed",
    "handle.acknowledged",
    "act.started",
    "act.called",
    "act.recorded",
)

_listener: Callable[[str], None] | None = None


def listen(listener: Callable[[str], None] | None) -> None:
    """Call `listener` with the name of every step that is reached; `None` stops it."""
    global _listener
    _listener = listener


def reached(step: str) -> None:
    """Say that the program is at `step`."""
    if _listener is not None:
        _listener(step)
