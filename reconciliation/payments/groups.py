"""Sums: which of a customer's items add up to an amount, and how likely such a sum is by accident."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import msgspec


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Each sum that was found as (place, value) pairs, at most `stop` of them; `complete` is false where the search gave up."""

    found: tuple[tuple[tuple[int, int], ...], ...]
    complete: bool


def sums(values: Sequence[Sequence[int]], target: int, *, above: int = 0, most: int = 8, effort: int = 6000, stop: int = 3) -> Sums:
    """Sets of two to `most` places, one of its values each, that add up to the target or up to `above` more.

    Branch and bound on the largest first. The search ends at the `stop`th set, because one alternative is enough not to
    trust any, or after `effort` steps.
    """
    high = target + above
    order = sorted((place for place, each in enumerate(values) if each and min(each) < high), key=lambda place: (-max(values[place]), place))
    sizes = [values[place] for place in order]
    rest = [0] * (len(sizes) + 1)
    for at in range(len(sizes) - 1, -1, -1):
        rest[at] = rest[at + 1] + max(sizes[at])
    found: list[tuple[tuple[int, int], ...]] = []
    steps = 0
    stack: list[tuple[int, int, tuple[tuple[int, int], ...]]] = [(0, high, ())]
    while stack and len(found) < stop:
        at, left, chosen = stack.pop()
        if left <= above and len(chosen) >= 2:
            found.append(tuple(chosen))
            continue
        if at == len(sizes) or rest[at] < left - above or len(chosen) == most:
            continue
        steps += 1
        if steps > effort:
            return Sums(found=tuple(found), complete=False)
        stack.append((at + 1, left, chosen))
        stack.extend((at + 1, left - value, (*chosen, (order[at], value))) for value in sizes[at] if value <= left)
    return Sums(found=tuple(found), complete=not stack or len(found) < stop)


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
