"""Past weeks scored again under other thresholds, before these go live: what would have been booked unseen, and what of it was wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from hub.core.vocabulary import Customer, Receipt, ShareOf
from reconciliation.payments.desk import Desk
from reconciliation.payments.policy import Policy
from reconciliation.payments.values import Match, OpenItem, Payer, Refusal, Settled


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk knew when receipts came, the receipts, and what was decided of them; no shares is "pays nothing of ours"."""

    items: Sequence[OpenItem]
    receipts: Sequence[Receipt]
    decided: Mapping[str, Sequence[ShareOf]]
    payers: Sequence[Payer] = ()
    customers: Sequence[Customer] = ()
    settled: Sequence[Settled] = ()
    refusals: Sequence[Refusal] = ()


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt that would have been booked otherwise than people decided."""

    receipt: str
    booked: tuple[ShareOf, ...]
    decided: tuple[ShareOf, ...]
    probability: float


class Hindsight(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy would have done. `autos` counts decided receipts only; `unjudged` are those that nobody has decided yet."""

    policy: str
    receipts: int
    autos: int
    unjudged: int
    wrong: tuple[Wrong, ...]

    @property
    def precision(self) -> float:
        return 1 - len(self.wrong) / self.autos if self.autos else 1.0


def rescored(weeks: Iterable[Week], policy: Policy) -> Hindsight:
    """What `policy` would have booked unseen in these weeks. Nothing is changed by asking; the same question has the same answer."""
    receipts = autos = unjudged = 0
    wrong: list[Wrong] = []
    for week in weeks:
        desk = Desk(week.items, week.payers, week.customers, week.settled, week.refusals, policy=policy)
        receipts += len(week.receipts)
        for match in desk.propose_all(week.receipts):
            decided = week.decided.get(match.receipt)
            if match.lane == "auto" and decided is None:
                unjudged += 1
            elif match.lane == "auto" and decided is not None:
                autos += 1
                wrong += [] if _same(match, decided) else [_wrong(match, decided)]
    return Hindsight(policy=policy.version, receipts=receipts, autos=autos, unjudged=unjudged, wrong=tuple(wrong))


def _same(match: Match, decided: Sequence[ShareOf]) -> bool:
    return _by_order(match.shares) == _by_order(decided)


def _by_order(shares: Iterable[ShareOf]) -> dict[str, Decimal]:
    """What each order gets; which instalments it is laid on, and what a difference was called, is no other decision."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for share in shares:
        total[share.order] += share.amount
    return dict(total)


def _wrong(match: Match, decided: Sequence[ShareOf]) -> Wrong:
    return Wrong(receipt=match.receipt, booked=match.shares, decided=tuple(decided), probability=match.probability)
