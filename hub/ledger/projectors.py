"""How each type of event changes the ledger. Plain functions of an event and the books; no clock, no I/O of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from hub.core.event import Event
from hub.ledger.books import Books, Place

Apply = Callable[[Event, Any, Books], None]
Touches = Callable[[Any], Iterable[Place]]


class Projector(NamedTuple):
    """`touches` names the rows that `apply` will read, so that a batch loads them together."""

    apply: Apply
    touches: Touches


PROJECTORS: dict[str, Projector] = {}


def projects(*types: str, touches: Touches = lambda data: ()) -> Callable[[Apply], Apply]:
    """Register a projector for these event types."""

    def register(apply: Apply) -> Apply:
        for type_ in types:
            PROJECTORS[type_] = Projector(apply, touches)
        return apply

    return register


def connection_of(event: Event) -> str:
    """The connection (or part of the hub) an event came from."""
    return event.source.rsplit("/", 1)[-1]


def union(old: Iterable[str] | None, new: Iterable[str]) -> list[str]:
    """Both, without repeats, in order."""
    return list(dict.fromkeys([*(old or ()), *new]))


def known(**values: object) -> dict[str, object]:
    """The values that are told: an event that says nothing of a field does not empty it."""
    return {name: value for name, value in values.items() if value is not None}
