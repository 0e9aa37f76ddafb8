"""What people decide makes the probabilities mean what they say, once there is enough of it and only where it is better."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hub.core import vocabulary as v
from hub.core.event import Event, decided
from hub.definitions import Definitions
from hub.ledger.record import record
from hub.parts.learning import Learning, examples, written
from hub.parts.texts import Policies, check_text
from hub.testing.fakes import NOON
from reconciliation.inventory import PromisePolicy
from reconciliation.payments import Calibration, Policy

SHARES = (v.ShareOf(receivable="R", order="SO", amount=Decimal("10.00")),)
OTHER = (v.ShareOf(receivable="R2", order="SO2", amount=Decimal("10.00")),)


def fact(type_: str, data: v.Fact, once: str, day: int = 0) -> Event:
    at = NOON - timedelta(days=150 - day)
    return decided(
        type_, tenant="main", by="desk", subject=once.replace("M", "B"), data=data, occurred_at=at, once=f"{type_}{once}"
    )


def decision(number: int, probability: float, *, right: bool, day: int, by: str = "ann", how: str = "reject") -> list[Event]:
    """A proposal and what a person said to it."""
    match, receipt = f"M{number}", f"B{number}"
    came = v.Receipt(receipt=receipt, amount=Decimal("10.00"), booked_on=date(2026, 1, 5), payer_name="P")
    reason = v.Reason(ladder="payer", level="near", weight=8 * probability, says="像")
    offered = v.MatchProposed(
        match=match,
        receipt=receipt,
        lane="review",
        probability=probability,
        shares=SHARES,
        reasons=(reason,),
        held_code="several",
    )
    told = [fact("receipt.received", came, match, day), fact("match.proposed", offered, match, day)]
    if right or how == "accept":
        shares = SHARES if right else OTHER
        told.append(fact("match.accepted", v.MatchAccepted(match=match, receipt=receipt, shares=shares, by=by), match, day))
    elif how == "undo":
        told.append(fact("match.accepted", v.MatchAccepted(match=match, receipt=receipt, shares=SHARES, by="engine"), match, day))
        told.append(fact("match.undone", v.MatchUndone(match=match, receipt=receipt, by=by), match, day))
    else:
        told.append(fact("match.rejected", v.MatchRejected(match=match, receipt=receipt, by=by), match, day))
    return told


def test_only_what_people_said_of_the_engines_proposals_is_an_example() -> None:
    """As proposed is right; otherwise, rejected and taken back are wrong; the engine's own word and a person's offer count for nothing."""
    told = [
        *decision(1, 0.9, right=True, day=1),
        *decision(2, 0.9, right=False, day=1),
        *decision(3, 0.9, right=False, day=1, how="accept"),
        *decision(4, 0.9, right=False, day=1, how="undo"),
        *decision(5, 0.9, right=True, day=1, by="engine"),
    ]
    assert [one.right for one in examples(told)] == [True, False, False, False]


def test_a_calibration_is_promoted_after_enough_decisions_and_can_be_taken_back(kernel: Any) -> None:
    """Over-sure probabilities are brought to what people found; the text that is saved is read back as it was."""
    definitions = Definitions(kernel.store)
    policies = Policies(definitions, payments=Policy(), inventory=PromisePolicy())
    learning = Learning(kernel.store, definitions, policies)
    draw = random.Random(7)

    with kernel.store.work("main") as work:
        for name in ("R", "R2"):
            data = v.ReceivableOpened(receivable=name, order="SO", customer="C", amount=Decimal("99999.00"))
            record(work, [fact("receivable.opened", data, name)])
    with kernel.store.work("main") as work:
        for number in range(100):
            record(work, decision(number, 0.9, right=draw.random() < 0.6, day=number))
    assert not learning.learn("main") and policies.calibration("main") is None

    with kernel.store.work("main") as work:
        for number in range(100, 900):
            sure = draw.choice([0.6, 0.8, 0.95])
            record(work, decision(number, sure, right=draw.random() < sure - 0.3, day=number % 150))
    assert learning.learn("main")
    learnt = policies.calibration("main")
    assert isinstance(learnt, Calibration) and learnt.version == "calibration-1"
    assert not learning.learn("main")  # the same decisions again teach nothing new

    given = {one.features: one.right for one in examples(decision(1, 0.95, right=True, day=1))}
    assert all(0.45 < learnt.of(features) < 0.85 for features in given)
    check_text("policy", "calibration", written(learnt))
