"""A probability that means what it says: learnt from decisions, never falling where evidence grows, and used only when it is better."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from math import exp, log

import msgspec

from reconciliation.payments.values import Match

ACCEPTED, REJECTED = 200, 50
_LADDERS = ("reference", "payer", "alone", "amount", "stage", "date", "refused")
_SCALE = 8.0  # bits that are one step of a feature
_ROUNDS, _RATE, _PULL = 200, 0.7, 0.002
_LAST = timedelta(days=30)
_HELD = (
    "fits_another",
    "either",
    "group",
    "two_things",
    "sum_too",
    "several",
    "unexplained",
    "conflict",
    "person",
    "payer_unknown",
)


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal that people decided: what spoke for it, and whether it was right."""

    on: date
    features: tuple[float, ...]
    right: bool


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Weights that are not below zero on what speaks for a proposal, and the steps from their sum to a probability."""

    weights: tuple[float, ...]
    bias: float
    steps: tuple[tuple[float, float], ...]
    version: str = ""

    def probability(self, match: Match) -> float:
        """The probability that the proposal is right; as proposed where nothing is proposed."""
        return self.of(features(match)) if match.shares else match.probability

    def of(self, given: Sequence[float]) -> float:
        """Between two steps the line that joins them, and flat beyond the first and the last."""
        total = _sum(self.weights, self.bias, given)
        places = [at for at, _ in self.steps]
        after = bisect_right(places, total)
        if after in (0, len(self.steps)):
            return self.steps[min(after, len(self.steps) - 1)][1]
        (low, below), (high, above) = self.steps[after - 1], self.steps[after]
        return below + (above - below) * (total - low) / (high - low)


def features(match: Match) -> tuple[float, ...]:
    """What speaks for a proposal, each never less the more does: the odds among the alternatives, and each ladder's bits.

    Last, whether the amount has no other reading: a rule that held it back for that counts against.
    """
    odds = log(min(max(match.probability, 1e-6), 1 - 1e-6) / (1 - min(max(match.probability, 1e-6), 1 - 1e-6))) / 4
    sums = dict.fromkeys(_LADDERS, 0.0)
    for reason in match.reasons:
        sums[reason.ladder] = sums.get(reason.ladder, 0.0) + reason.weight
    doubts = tuple(-1.0 if match.held is not None and match.held.code == code else 0.0 for code in _HELD)
    return (odds, *(max(-2.0, min(2.0, sums[ladder] / _SCALE)) for ladder in _LADDERS), *doubts)


def example(match: Match, *, on: date, right: bool) -> Example:
    """A decided proposal as something to learn from."""
    return Example(on=on, features=features(match), right=right)


def fitted(examples: Sequence[Example], *, version: str = "") -> Calibration | None:
    """A calibration of these decisions, weights from the earlier two thirds and steps from the last; none while there are too few."""
    right = sum(one.right for one in examples)
    if right < ACCEPTED or len(examples) - right < REJECTED:
        return None
    ordered = sorted(examples, key=lambda one: (one.on, one.features, one.right))
    cut = len(ordered) * 2 // 3
    weights, bias = _weights(ordered[:cut])
    return Calibration(weights=weights, bias=bias, steps=_steps(weights, bias, ordered[cut:]), version=version)


def promoted(current: Calibration | None, examples: Sequence[Example], *, version: str = "") -> Calibration | None:
    """The calibration to use from now on: a new one, fitted on all but the last month, only where it is better on that month.

    It is compared with the one in use, or with the scorer's own probability where there is none.
    """
    if not examples:
        return current
    since = max(one.on for one in examples) - _LAST
    past, last = [one for one in examples if one.on <= since], [one for one in examples if one.on > since]
    new = fitted(past, version=version)
    if new is None or not last:
        return current
    before = [current.of(one.features) if current else 1 / (1 + exp(-4 * one.features[0])) for one in last]
    return new if _surprise([new.of(one.features) for one in last], last) < _surprise(before, last) else current


def _sum(weights: Sequence[float], bias: float, given: Sequence[float]) -> float:
    return bias + sum(weight * value for weight, value in zip(weights, given, strict=True))


def _weights(examples: Sequence[Example]) -> tuple[tuple[float, ...], float]:
    """Logistic regression by steepest descent, no weight below zero; the same examples give the same weights."""
    size = len(examples[0].features)
    weights, bias = [1.0, *[0.0] * (size - 1)], 0.0
    said = [([(at, value) for at, value in enumerate(one.features) if value], one.right) for one in examples]
    for _ in range(_ROUNDS):
        slopes, tilt = [_PULL * weight for weight in weights], 0.0
        for given, right in said:
            error = (_logistic(bias + sum(weights[at] * value for at, value in given)) - right) / len(said)
            tilt += error
            for at, value in given:
                slopes[at] += error * value
        weights = [max(0.0, weight - _RATE * slope) for weight, slope in zip(weights, slopes, strict=True)]
        bias -= _RATE * tilt
    return tuple(weights), bias


def _steps(weights: Sequence[float], bias: float, examples: Sequence[Example]) -> tuple[tuple[float, float], ...]:
    """Pooled neighbours: how often proposals of about this sum were right, never falling; half a case of doubt on either side."""
    pools: list[tuple[float, float, float]] = []  # how many, their sums together, how many right
    alike: dict[float, list[bool]] = defaultdict(list)  # what cannot be told apart is one pool from the beginning
    for one in examples:
        alike[_sum(weights, bias, one.features)].append(one.right)
    for total in sorted(alike):
        pools.append((float(len(alike[total])), total * len(alike[total]), float(sum(alike[total]))))
        while len(pools) > 1 and pools[-2][2] * pools[-1][0] >= pools[-1][2] * pools[-2][0]:
            last = pools.pop()
            pools[-1] = (pools[-1][0] + last[0], pools[-1][1] + last[1], pools[-1][2] + last[2])
    steps: list[tuple[float, float]] = []
    for count, totals, right in pools:
        share = (right + 0.5) / (count + 1)
        steps.append((totals / count, max(share, steps[-1][1] if steps else 0.0)))
    return tuple(steps)


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-value)) if value > -30 else 0.0


def _surprise(told: Sequence[float], examples: Sequence[Example]) -> float:
    """How surprised who believes these probabilities is by what was decided, in nats a decision."""
    sure = [min(max(probability, 1e-6), 1 - 1e-6) for probability in told]
    return -sum(log(p if one.right else 1 - p) for p, one in zip(sure, examples, strict=True)) / len(examples)
