"""Other ways to read an amount: sums of whatever a customer has open, all of each order or its next instalment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from reconciliation.payments.book import Entry
from reconciliation.payments.groups import small_sums

_HALF = 7
_MOST = 5


def readings(
    values: Sequence[Sequence[int]], target: int, *, least: int = 1, most: int = _MOST, stop: int = 2
) -> list[dict[int, int]]:
    """Sets of `least` to `most` places with one of its values each that add up to the target; the first `stop` of them.

    Up to fourteen places all sets are looked at, by halves; beyond, sets of up to three.
    """
    fitting = [place for place, each in enumerate(values) if any(0 < value <= target for value in each)]
    if len(fitting) > 2 * _HALF:
        found = [{place: target} for place in fitting if target in values[place] and least <= 1]
        small = small_sums([values[place] for place in fitting], target, most=most, stop=stop)
        found += [{fitting[at]: value for at, value in chosen} for chosen in small if len(chosen) <= most]
        return found[:stop]
    middle = len(fitting) // 2
    other = _totals(values, fitting[middle:], target, most)
    found = []
    for total, ways in sorted(_totals(values, fitting[:middle], target, most).items()):
        for first in ways:
            for rest in other.get(target - total, ()):
                if least <= len(first) + len(rest) <= most:
                    found.append(dict(first + rest))
                    if len(found) == stop:
                        return found
    return found


def _totals(
    values: Sequence[Sequence[int]], places: Iterable[int], target: int, most: int
) -> dict[int, list[tuple[tuple[int, int], ...]]]:
    """Every sum of some of these places, with up to three ways to reach it."""
    reached: list[tuple[int, tuple[tuple[int, int], ...]]] = [(0, ())]
    for place in places:
        reached += [
            (total + value, (*chosen, (place, value)))
            for total, chosen in reached
            if len(chosen) < most
            for value in dict.fromkeys(values[place])
            if 0 < total + value <= target
        ]
    result: dict[int, list[tuple[tuple[int, int], ...]]] = {}
    for total, chosen in reached:
        ways = result.setdefault(total, [])
        if len(ways) < 3:
            ways.append(chosen)
    return result


def payable(entry: Entry) -> tuple[int, ...]:
    """What one may pay of an order at once: all that is open, or its next instalment."""
    return (entry.open, *(minor for minor, _, _ in entry.parts[:1]))


def all_of(entry: Entry) -> tuple[int, ...]:
    """All that is open of an order, and nothing less."""
    return (entry.open,)


def next_of(entry: Entry) -> tuple[int, ...]:
    """The next instalment of an order that has several."""
    return tuple(minor for minor, _, _ in entry.parts[:1])


def fits_otherwise(
    own: Sequence[Entry],
    minor: int,
    but: tuple[tuple[str, int], ...],
    least: int = 1,
    size: int = _MOST,
    worth: Callable[[Entry], tuple[int, ...]] = payable,
) -> bool:
    """Whether something else than this set of orders and amounts comes to the amount."""
    found = readings([worth(entry) for entry in own], minor, least=least, most=size, stop=2)
    return any(tuple(sorted((own[place].key, value) for place, value in chosen.items())) != but for chosen in found)


def fits_beside(one: Entry, own: Sequence[Entry], minor: int) -> bool:
    """Whether the amount is an order, all of it or its next instalment, with one or two others, or is just another's instalment."""
    others = [entry for entry in own if entry is not one]
    if any(minor in payable(entry) for entry in others):
        return True
    values = [payable(entry) for entry in others]
    return any(value < minor and bool(readings(values, minor - value, most=2, stop=1)) for value in payable(one))
