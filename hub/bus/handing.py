"""What becomes of events that were handed to a handler, decided without a broker."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence

import msgspec
import structlog

from hub.bus.envelope import Envelope
from hub.core.errors import Problem
from hub.core.outcome import Done, Later, Outcome, Park

log = structlog.get_logger("hub.bus")

TRIES = 5
PATIENCE = (1.0, 5.0, 30.0, 120.0)  # seconds before the second try, the third, …


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """An event that came from a queue, how often its handler has raised, and when (epoch seconds) it may be handed over."""

    envelope: Envelope
    tries: int = 0
    due: float = 0.0
    why: str = ""


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """Back onto this subscriber's queue after some seconds."""

    after: float
    tries: int
    why: str


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """Onto the parked queue."""

    tries: int
    why: str


Move = Again | Aside | None  # None: dealt with


class Handing:
    """Gives the events of one queue to its handler and says what becomes of each."""

    def __init__(
        self,
        queue: str,
        handler: Callable[[Sequence[Envelope]], Sequence[Outcome]],
        *,
        now: Callable[[], float],
        patience: Sequence[float] = PATIENCE,
    ) -> None:
        self._queue = queue
        self._handler = handler
        self._now = now
        self._patience = patience

    def hand(self, arrivals: Sequence[Arrival]) -> list[Move]:
        """One move for each arrival, in its place. Events that came back too early are not shown to the handler."""
        now = self._now()
        moves: list[Move] = [
            Again(after=arrival.due - now, tries=arrival.tries, why=arrival.why) if arrival.due > now else None
            for arrival in arrivals
        ]
        ready = [place for place, move in enumerate(moves) if move is None]
        if not ready:
            return moves
        try:
            outcomes = self._ask([arrivals[place] for place in ready])
            made = [_move(outcome, arrivals[place].tries) for place, outcome in zip(ready, outcomes, strict=True)]
        except Exception as error:
            self._told(error, len(ready))
            made = self._one_by_one([arrivals[place] for place in ready], error if len(ready) == 1 else None)
        for place, move in zip(ready, made, strict=True):
            moves[place] = move
        return moves

    def _ask(self, arrivals: Sequence[Arrival]) -> Sequence[Outcome]:
        outcomes = self._handler([arrival.envelope for arrival in arrivals])
        if len(outcomes) != len(arrivals):
            raise TypeError(f"a handler of {self._queue} gave {len(outcomes)} outcomes for {len(arrivals)} events")
        return outcomes

    def _one_by_one(self, arrivals: Sequence[Arrival], error: Exception | None) -> list[Move]:
        """Hand over each alone. What has the partition key of one that must wait comes back behind it, untried."""
        behind: dict[tuple[str, str], Again] = {}
        moves: list[Move] = []
        for arrival in arrivals:
            key = (arrival.envelope.tenant, arrival.envelope.key)
            first = behind.get(key)
            if first is not None:
                moves.append(Again(after=first.after, tries=arrival.tries, why=first.why))
                continue
            move = self._alone(arrival, error)
            if isinstance(move, Again):
                behind[key] = Again(after=move.after, tries=0, why=f"waits behind {arrival.envelope.id}")
            moves.append(move)
        return moves

    def _alone(self, arrival: Arrival, error: Exception | None) -> Move:
        """Hand over one event; `error` is what the handler has just said to it alone, so that it is not asked twice."""
        if error is None:
            try:
                return _move(self._ask([arrival])[0], arrival.tries)
            except Exception as raised:
                error = raised
        tries = arrival.tries + 1
        why = reason(error)
        log.warning("a handler raised", queue=self._queue, event_id=arrival.envelope.id, tries=tries, why=why)
        if tries >= TRIES:
            return Aside(tries=tries, why=why)
        return Again(after=self._patience[min(tries, len(self._patience)) - 1], tries=tries, why=why)

    def _told(self, error: Exception, count: int) -> None:
        log.debug("a batch raised", queue=self._queue, events=count, why=reason(error))


def _move(outcome: Outcome, tries: int) -> Move:
    match outcome:
        case Done():
            return None
        case Later(after=after, why=why):
            return Again(after=max(after, 0.0), tries=tries, why=why)
        case Park(why=why):
            return Aside(tries=tries, why=why)
    raise TypeError(f"{type(outcome).__name__} is not an outcome")


def reason(error: Exception) -> str:
    """What raised and where. Not the message: what a stranger's exception quotes may be a secret or a person."""
    if isinstance(error, Problem):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
