"""What the free text of a line (:86:) says. Its dialect is told by its content, never by the bank's name."""

from __future__ import annotations

from collections.abc import Sequence

from .labels import read_labels, running
from .lookup import Details
from .slashes import read_slashes
from .subfields import read_subfields


def read_details(lines: Sequence[str], *, incoming: bool) -> Details:
    """The other side, the payer's text and the references. Never fails: what no dialect explains is the text as it stands."""
    written = [line for line in lines if line.strip()]
    for dialect in (read_subfields, read_slashes):
        found = dialect("".join(written), incoming)
        if found is not None:
            return found
    return read_labels(running(written))
