"""Sums: which of a customer's items add up to an amount, and how likely such a sum is by accident."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import comb

import msgspec

_HALVES = 22


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Each sum that was found as (place, value) pairs, at most `stop` of them; `complete` is false where the search gave up."""

    found: tuple[tuple[tuple[int, int], ...], ...]
    complete: bool


def sums(values: Sequence[int], target: int, *, most: int = 8, effort: int = 6000, stop: int = 3) -> Sums:
    """Sets of two to `most` places that add up to the target exactly.

    Branch and bound on the largest first. The search ends at the `stop`th set, because one alternative is enough not to
    trust any, or after `effort` steps.
    """
    order = sorted((place for place, value in enumerate(values) if 0 < value < target), key=lambda place: (-values[place], place))
    sizes = [values[place] for place in order]
    rest = [0] * (len(sizes) + 1)
    for at in range(len(sizes) - 1, -1, -1):
        rest[at] = rest[at + 1] + sizes[at]
    found: list[tuple[tuple[int, int], ...]] = []
    steps = 0
    stack: list[tuple[int, int, tuple[int, ...]]] = [(0, target, ())]
    while stack and len(found) < stop:
        at, left, chosen = stack.pop()
        if left == 0:
            found.append(tuple((order[place], sizes[place]) for place in chosen))
            continue
        if at == len(sizes) or rest[at] < left or len(chosen) == most:
            continue
        steps += 1
        if steps > effort:
            return Sums(found=tuple(found), complete=False)
        stack.append((at + 1, left, chosen))
        if sizes[at] <= left:
            stack.append((at + 1, left - sizes[at], (*chosen, at)))
    return Sums(found=tuple(found), complete=not stack)


def small_sums(
    values: Sequence[Sequence[int]], target: int, *, above: int = 0, most: int = 3, stop: int = 3
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Two places, or three with `most` of them, one of its values each, that add up to the target or up to `above` more; the first `stop` of them."""
    flat = sorted((value, place) for place, each in enumerate(values) for value in each if 0 < value < target + above)
    only = [value for value, _ in flat]
    found: list[tuple[tuple[int, int], ...]] = []
    for first, (small, place) in enumerate(flat):
        if 2 * small > target + above:
            break
        for second in range(bisect_left(only, target - small, first + 1), bisect_right(only, target + above - small, first + 1)):
            if flat[second][1] != place:
                found.append(((place, small), (flat[second][1], only[second])))
        for second in range(first + 1, len(flat) if most > 2 else 0):
            middle, other = flat[second]
            left = target - small - middle
            if left + above < middle:
                break
            for third in range(bisect_left(only, left, second + 1), bisect_right(only, left + above, second + 1)):
                if len({place, other, flat[third][1]}) == 3:
                    found.append(((place, small), (other, middle), (flat[third][1], only[third])))
        if len(found) >= stop:
            break
    return tuple(found[:stop])


def exact_sums(values: Sequence[int], target: int, *, most: int = 8, effort: int = 6000, stop: int = 3) -> Sums:
    """As `sums` with one value each and nothing above. Up to 22 values all sets are looked at, by halves; beyond, only small ones."""
    fitting = [place for place, value in enumerate(values) if 0 < value < target]
    if not 10 < len(fitting) <= _HALVES:
        few = len(fitting) <= _HALVES
        return sums(values, target, most=most if few else min(most, 4), effort=effort if few else effort // 4, stop=stop)
    middle = len(fitting) // 2
    other = _all_sums(values, fitting[middle:], target, most)
    found: list[tuple[tuple[int, int], ...]] = []
    for total, chosen in sorted(
        (total, chosen) for total, each in _all_sums(values, fitting[:middle], target, most).items() for chosen in each
    ):
        for rest in other.get(target - total, ()):
            if 2 <= len(chosen) + len(rest) <= most:
                found.append(tuple((place, values[place]) for place in (*chosen, *rest)))
                if len(found) == stop:
                    return Sums(found=tuple(found), complete=False)
    return Sums(found=tuple(found), complete=True)


def _all_sums(values: Sequence[int], places: Sequence[int], target: int, most: int) -> dict[int, list[tuple[int, ...]]]:
    """Every sum of some of these places, with the places; three ways to the same sum are enough to know that it is not unique."""
    reached: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    for place in places:
        value = values[place]
        reached += [
            (total + value, (*chosen, place)) for total, chosen in reached if total + value <= target and len(chosen) < most
        ]
    result: dict[int, list[tuple[int, ...]]] = {}
    for total, chosen in reached:
        each = result.setdefault(total, [])
        if len(each) < 3:
            each.append(chosen)
    return result


def accidents(count: int, size: int, target: int) -> float:
    """How many sets of up to `size` of `count` values would meet the target by accident.

    A round target is met easily: what its trailing zeros leave is all that tells it from others.
    """
    grain = 1
    while target and target % (grain * 10) == 0:
        grain *= 10
    cells = max(10.0, target / grain)
    return sum(comb(count, each) for each in range(2, size + 1)) / cells


def coincidence(minor: int) -> float:
    """The chance that an unrelated amount is just this one: large for round amounts, small for crooked ones."""
    significant = len(str(minor).rstrip("0")) if minor else 1
    return {1: 0.02, 2: 0.01, 3: 0.004, 4: 0.001, 5: 0.0003}.get(significant, 0.0001)
