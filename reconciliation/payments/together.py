"""Receipts that compete for the same items, decided together: each item is given away once, and the better evidence wins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from reconciliation.payments.policy import Policy
from reconciliation.payments.scoring import Scored, probabilities

_ROUNDS = 6
_STEPS = 20_000


class Choice:
    """One receipt's options while the receipts are weighed against each other."""

    def __init__(
        self, *, id: str, when: tuple[date, int, str], minor: int, same: object, scored: Sequence[Scored], none: float
    ) -> None:
        self.id = id
        self.when = when
        self.minor = minor
        self.same = same
        self.scored = scored
        self.none = none
        self.alone, self.none_share = probabilities(scored, none)
        self.shares = list(self.alone)
        self.picked: int | None = max(range(len(scored)), key=lambda place: self.shares[place], default=None)
        if self.picked is not None and self.none_share > self.shares[self.picked]:
            self.picked = None
        self.contested = False
        self.how = "alone"


def decide(choices: Sequence[Choice], policy: Policy) -> None:
    """Settle every group of competing receipts; the result is left in the choices."""
    for component in _components(choices):
        if len(component) > 1:
            _discount(component)
            _pick(component, policy)


def _components(choices: Sequence[Choice]) -> Iterator[list[Choice]]:
    """Receipts that are connected through items that each of them may well pay."""
    parent = list(range(len(choices)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first: dict[str, int] = {}
    for place, choice in enumerate(choices):
        for scored, share in zip(choice.scored, choice.alone, strict=True):
            if share < 0.0005:
                continue
            for entry in scored.option.entries:
                parent[root(place)] = root(first.setdefault(entry.key, place))
    groups: dict[int, list[Choice]] = {}
    for place, choice in enumerate(choices):
        groups.setdefault(root(place), []).append(choice)
    for group in groups.values():
        yield sorted(group, key=lambda choice: choice.when)


def _discount(component: Sequence[Choice]) -> None:
    """Make an option less likely where others probably take its items: shares given the others' shares, a few rounds.

    Of two receipts that are the same in everything, the earlier one is not discounted by the later.
    """
    for _ in range(_ROUNDS):
        taken: dict[str, list[tuple[Choice, int, float]]] = {}
        for choice in component:
            for scored, share in zip(choice.scored, choice.shares, strict=True):
                for entry, amount in zip(scored.option.entries, scored.option.takes, strict=True):
                    if share > 0.0005:
                        taken.setdefault(entry.key, []).append((choice, amount, share))
        updates = [_given(choice, taken) for choice in component]
        for choice, (shares, none) in zip(component, updates, strict=True):
            choice.shares, choice.none_share = shares, none


def _given(choice: Choice, taken: dict[str, list[tuple[Choice, int, float]]]) -> tuple[list[float], float]:
    parts = []
    for scored, share in zip(choice.scored, choice.alone, strict=True):
        free = 1.0
        for entry, amount in zip(scored.option.entries, scored.option.takes, strict=True):
            for other, its_amount, its_share in taken.get(entry.key, ()):
                is_later_twin = other.same == choice.same and other.when > choice.when
                if other is not choice and not is_later_twin and abs(its_amount + amount) > abs(entry.open):
                    free *= max(1.0 - its_share, 0.0001)
        parts.append(share * free)
    total = sum(parts) + _own_none(choice)
    return [part / total for part in parts], _own_none(choice) / total


def _own_none(choice: Choice) -> float:
    return max(1.0 - sum(choice.alone), 1e-12)


def _pick(component: Sequence[Choice], policy: Policy) -> None:
    """Give items away so that the whole is most likely: exactly where few compete, else the surest first."""
    picks = _exact(component) if len(component) <= policy.component else None
    how = "exactly" if picks is not None else "greedily"
    if picks is None:
        picks = _greedy(component)
    _first_come(component, picks)
    for choice, pick in zip(component, picks, strict=True):
        best = max(range(len(choice.scored)), key=lambda place: (choice.shares[place], -place), default=None)
        choice.contested = pick is not None and best is not None and best != pick and choice.shares[best] > choice.shares[pick]
        choice.picked = pick
        choice.how = how


def _first_come(component: Sequence[Choice], picks: list[int | None]) -> None:
    """Of receipts that are the same in everything the earliest gets what one of them gets, however many accounts were told."""
    first: dict[object, int] = {}
    for at, choice in enumerate(component):
        earlier = first.setdefault(choice.same, at)
        pick = picks[at]
        if earlier == at or picks[earlier] is not None or pick is None:
            continue
        key = choice.scored[pick].option.key
        place = next((place for place, one in enumerate(component[earlier].scored) if one.option.key == key), None)
        if place is not None:
            picks[earlier], picks[at] = place, None


def _fits(scored: Scored, left: dict[str, int]) -> bool:
    return all(
        left.get(entry.key, abs(entry.open)) >= abs(amount)
        for entry, amount in zip(scored.option.entries, scored.option.takes, strict=True)
    )


def _take(scored: Scored, left: dict[str, int], sign: int) -> None:
    for entry, amount in zip(scored.option.entries, scored.option.takes, strict=True):
        left[entry.key] = left.get(entry.key, abs(entry.open)) - sign * abs(amount)


def _greedy(component: Sequence[Choice]) -> list[int | None]:
    left: dict[str, int] = {}
    picks: list[int | None] = [None] * len(component)
    ranked = sorted(
        (
            (-choice.shares[place], at, place)
            for at, choice in enumerate(component)
            for place in range(len(choice.scored))
            if choice.shares[place] > choice.none_share
        )
    )
    for _, at, place in ranked:
        scored = component[at].scored[place]
        if picks[at] is None and _fits(scored, left):
            _take(scored, left, 1)
            picks[at] = place
    return picks


def _exact(component: Sequence[Choice]) -> list[int | None] | None:
    """The assignment with the greatest total weight, or none where the search is too long."""
    gains = []
    for choice in component:
        likely = [place for place in range(len(choice.scored)) if choice.alone[place] > 0.0005][:6]
        gains.append([(choice.scored[place].bits - choice.none, place) for place in likely])
    ceiling = [0.0] * (len(component) + 1)
    for at in range(len(component) - 1, -1, -1):
        ceiling[at] = ceiling[at + 1] + max([0.0, *(gain for gain, _ in gains[at])])
    best: tuple[float, list[int | None]] = (-1.0, [None] * len(component))
    left: dict[str, int] = {}
    current: list[int | None] = [None] * len(component)
    steps = 0

    def search(at: int, total: float) -> None:
        nonlocal best, steps
        steps += 1
        if steps > _STEPS or total + ceiling[at] <= best[0] + 1e-9:
            return
        if at == len(component):
            best = (total, list(current))
            return
        for gain, place in gains[at]:
            scored = component[at].scored[place]
            if _fits(scored, left):
                _take(scored, left, 1)
                current[at] = place
                search(at + 1, total + gain)
                current[at] = None
                _take(scored, left, -1)
        search(at + 1, total)

    search(0, 0.0)
    return best[1] if steps <= _STEPS else None
