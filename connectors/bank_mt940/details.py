"""What the free text of a line (:86:) says. Its dialect is told by its content, never by the bank's name."""

from __future__ import annotations

from collections.abc import Sequence

from .labels import read_labels
from .lookup import Details
from .slashes import read_slashes
from .subfields import read_subfields

_FULL = 60


def read_details(lines: Sequence[str], *, incoming: bool) -> Details:
    """The other side, the payer's text and the references. Never fails: what no dialect explains is the text as it stands."""
    whole = _unwrapped(lines)
    for dialect in (read_subfields, read_slashes):
        found = dialect("".join(whole), incoming)
        if found is not None:
            return found
    return read_labels(_running(whole))


def _unwrapped(lines: Sequence[str]) -> list[str]:
    """Lines that were filled to the same width, with the blank at their end that a program in between has cut off."""
    written = [line for line in lines if line.strip()]
    width = max((len(line) for line in written[:-1]), default=0)
    if width < _FULL:
        return written
    return [line.ljust(width) if width - len(line) <= 2 else line for line in written[:-1]] + written[-1:]


def _running(lines: Sequence[str]) -> str:
    """One text: a filled line goes on in the next, a shorter one ended a word."""
    return "".join(line if len(line) >= _FULL else line + "\n" for line in lines)
