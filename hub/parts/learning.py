"""What a probability is worth, learnt from what people decided of the desk's proposals, and put in force where it is better."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import sqlalchemy as sa

from hub.core import vocabulary as v
from hub.core.event import Event
from hub.definitions import Definitions
from hub.ledger.record import row_event
from hub.parts.texts import Policies
from hub.store import ledger_tables as l
from hub.store import tables as t
from hub.store.sql import Store
from hub.store.work import Work
from reconciliation.payments import Calibration, Example, Held, Match, example, promoted

NAME = "calibration"
ENGINE = "engine"
_TYPES = ("match.proposed", "match.accepted", "match.rejected", "match.undone")
_SINCE = timedelta(days=365)


class Learning:
    """Looks at the decisions of the past year and saves a calibration, as a version that people can see and take back."""

    def __init__(self, store: Store, definitions: Definitions, policies: Policies) -> None:
        self._store = store
        self._definitions = definitions
        self._policies = policies

    def learn(self, tenant: str) -> bool:
        """Put a new calibration in force if the last month says that it is better; true if so."""
        with self._store.look(tenant) as work:
            found = examples(_facts(work))
        current = self._policies.calibration(tenant)
        new = promoted(current, found)
        if new is None or new == current:
            return False
        self._definitions.save(tenant, "policy", NAME, written(new), by=ENGINE)
        return True


def examples(facts: Iterable[Event]) -> list[Example]:
    """The desk's proposals that people decided: accepted as they were is right, accepted otherwise, rejected or undone is wrong."""
    offered: dict[str, v.MatchProposed] = {}
    judged: dict[str, Example] = {}
    for fact in facts:
        data = fact.data
        if isinstance(data, v.MatchProposed) and data.by is None and data.shares:
            offered[data.match] = data
        elif isinstance(data, v.MatchAccepted | v.MatchRejected | v.MatchUndone) and data.by != ENGINE and data.match in offered:
            proposal = offered[data.match]
            is_right = isinstance(data, v.MatchAccepted) and data.shares == proposal.shares
            judged[data.match] = example(_match(proposal), on=fact.time.date(), right=is_right)
    return list(judged.values())


def written(calibration: Calibration) -> str:
    """The calibration as the text of a policy."""
    steps = ",\n".join(f"  [{at!r}, {share!r}]" for at, share in calibration.steps)
    weights = ", ".join(repr(weight) for weight in calibration.weights)
    return f"bias = {calibration.bias!r}\nweights = [{weights}]\nsteps = [\n{steps},\n]\n"


def _match(proposal: v.MatchProposed) -> Match:
    """The proposal as the desk made it, as far as its features go."""
    held = Held(code=proposal.held_code, says="", says_en="") if proposal.held_code else None
    return Match(
        receipt=proposal.receipt,
        lane=proposal.lane,
        probability=proposal.probability,
        shares=proposal.shares,
        reasons=proposal.reasons,
        held=held,
    )


def _facts(work: Work) -> Iterable[Event]:
    """What is told of the receipts that people decided; most are the engine's alone, and need not be read."""
    since = work.clock.now() - _SINCE
    m = l.matches.c
    by_people = sa.select(m.receipt).where(m.tenant == work.tenant, m.by.is_not(None), m.by != ENGINE)
    query = sa.select(t.events).where(
        t.events.c.tenant == work.tenant,
        t.events.c.type.in_(_TYPES),
        t.events.c.recorded_at >= since,
        t.events.c.subject.in_(by_people),
    )
    rows = work.connection.execute(query.order_by(t.events.c.seq).execution_options(yield_per=1000)).mappings()
    return (row_event(row) for row in rows)
