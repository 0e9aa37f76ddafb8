"""A probability that was learnt from decisions means what it says, and never falls where evidence grows."""

from __future__ import annotations

import importlib
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from reconciliation.payments import Calibration, Desk, Example, Policy, example, fitted, promoted

BENCH = Path(__file__).resolve().parents[1] / "bench"
Decided = list[tuple[Example, float]]


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Decided, Decided]]:
    """Proposals of built desks with what is right of them: five months to learn from, and two that nothing was learnt from."""
    sys.path.insert(0, str(BENCH))
    try:
        yield (
            _decided(tmp_path_factory.mktemp("past"), range(200, 205)),
            _decided(tmp_path_factory.mktemp("new"), range(300, 302)),
        )
    finally:
        sys.path.remove(str(BENCH))


def _decided(folder: Path, seeds: range) -> Decided:
    bench, families = importlib.import_module("bench_reconciliation"), importlib.import_module("unseen_families")
    found: Decided = []
    for month, one in enumerate(families.build(folder, seeds)):
        labels, receipts = bench.truth(one), bench.receipts(one)
        for receipt, match in zip(receipts, Desk(bench.orders(one), bench.payers(one)).propose_all(receipts), strict=True):
            if match.shares:
                label, told = labels[receipt.receipt], bench.result_line(receipt.receipt, match)["allocations"]
                right = any(bench._same(told, good, bool(label["amounts"])) for good in label["accept"])
                found.append((example(match, on=receipt.booked_on + timedelta(days=31 * month), right=right), match.probability))
    return found


def error(told: Sequence[tuple[float, bool]], above: float = 0.0) -> float:
    """How far ten bins of probabilities are from how often they were right."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for probability, right in told:
        if probability >= above:
            bins[min(int(probability * 10), 9)].append((probability, right))
    total = sum(len(each) for each in bins.values())
    return sum(abs(sum(p for p, _ in each) - sum(right for _, right in each)) for each in bins.values()) / total


def test_a_learnt_probability_means_what_it_says(decided: tuple[Decided, Decided]) -> None:
    """On months that it never saw: within two hundredths over all, within one above nine tenths."""
    past, new = decided
    learnt = fitted([one for one, _ in past])
    assert learnt is not None

    told = [(learnt.of(one.features), one.right) for one, _ in new]

    assert error(told) <= 0.02
    assert error(told, above=0.9) <= 0.01
    assert error(told) < error([(probability, one.right) for one, probability in new])


def test_it_is_promoted_only_where_it_is_better(decided: tuple[Decided, Decided]) -> None:
    """Better than the scorer's own on the last month: promoted. Not better than the one in use: that one stays."""
    past = [one for one, _ in decided[0]]
    first = promoted(None, past, version="a")
    assert first is not None and first.version == "a"

    spoilt = [one for one in past if one.on <= max(each.on for each in past) - timedelta(days=30)]
    upside_down = [msgspec.structs.replace(one, right=not one.right) for one in spoilt]
    last = [one for one in past if one not in spoilt]

    assert promoted(first, [*upside_down, *last], version="b") is first
    assert promoted(first, [], version="c") is first


def test_the_same_decisions_teach_the_same(decided: tuple[Decided, Decided]) -> None:
    """Whatever the order in which they are told."""
    past = [one for one, _ in decided[0]][:900]

    assert fitted(past) == fitted(past[::-1])


def test_more_evidence_is_never_less_likely(decided: tuple[Decided, Decided]) -> None:
    """Every feature alone, from little to much."""
    learnt = fitted([one for one, _ in decided[0]])
    assert learnt is not None
    assert all(weight >= 0 for weight in learnt.weights)

    for at in range(len(learnt.weights)):
        told = [
            learnt.of([value if place == at else 0.1 for place in range(len(learnt.weights))]) for value in (-3, -1, 0, 0.5, 1, 4)
        ]
        assert told == sorted(told)


@pytest.mark.parametrize(("right", "wrong"), [(199, 80), (400, 49)])
def test_few_decisions_teach_nothing(right: int, wrong: int) -> None:
    """Two hundred accepted and fifty rejected are the least."""
    some = [Example(on=date(2026, 1, 1), features=(float(n % 7), 0.0), right=n < right) for n in range(right + wrong)]

    assert fitted(some) is None


def test_a_rule_holds_whatever_was_learnt(tmp_path: Path) -> None:
    """A calibration that is sure of everything books nothing that a rule holds back; one that is sure of nothing books nothing."""
    sys.path.insert(0, str(BENCH))
    try:
        bench, families = importlib.import_module("bench_reconciliation"), importlib.import_module("unseen_families")
    finally:
        sys.path.remove(str(BENCH))
    folder = families.build(tmp_path, range(1))[0]
    book, sent = bench.orders(folder)[:400], bench.receipts(folder)[:200]
    size = len(example(Desk(book).propose_all(sent)[0], on=date(2026, 1, 1), right=True).features)
    sure, unsure = (Calibration(weights=(0.0,) * size, bias=0.0, steps=((0.0, each),)) for each in (1.0, 0.5))

    plain = Desk(book, policy=Policy(auto=0.0)).propose_all(sent)
    rash = Desk(book, policy=Policy(), calibration=sure).propose_all(sent)
    shy = Desk(book, policy=Policy(), calibration=unsure).propose_all(sent)

    assert [match.lane for match in rash] == [match.lane for match in plain]
    assert all(match.lane != "auto" for match in shy)
