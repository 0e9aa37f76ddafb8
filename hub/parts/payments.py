"""Receipts find their orders: proposals for what comes in, decisions by the policy or by people, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from hub.core import vocabulary as v
from hub.core.event import Event, following
from hub.core.ids import derive
from hub.core.money import from_minor
from hub.core.outcome import DONE, Outcome
from hub.ledger.record import record
from hub.parts.book import Book
from hub.parts.settling import tell_settled
from hub.store import ledger_tables as l
from hub.store.work import Work
from hub.subscribers import Subscriber
from reconciliation.payments import Calibration, Match, Policy, is_person, proposed

NAME = "payments"
ENGINE = "engine"
_AGAIN = 500  # receipts that are looked at again when something new is to be paid


class Payments:
    """The receipts' desk of every tenant."""

    def __init__(
        self, policy_of: Callable[[str], Policy], calibration_of: Callable[[str], Calibration | None] = lambda _: None
    ) -> None:
        self._policy_of = policy_of
        self._calibration_of = calibration_of
        self._book = Book()

    def subscriber(self) -> Subscriber:
        # One shard: receipts compete for the same items, and the earlier one comes first.
        return Subscriber(name=NAME, patterns=("receipt.received", "receivable.opened"), handle=self.handle)

    def handle(self, facts: Sequence[Event], work: Work) -> list[Outcome]:
        """Propose for the receipts of a batch together, and post what the policy lets through.

        Where something new is to be paid, receipts that found nothing sure before are looked at again with it.
        """
        causes = {fact.data.receipt: fact for fact in facts if isinstance(fact.data, v.Receipt)}
        opened = next((fact for fact in reversed(facts) if fact.type == "receivable.opened"), None)
        rows = self._undecided(work, list(causes), again=opened is not None)
        try:
            desk = self._book.desk(
                work, self._policy_of(work.tenant), self._calibration_of(work.tenant)
            )  # also where no receipt waits: the next finds it current
            if not rows:
                return [DONE] * len(facts)
            matches = desk.propose_all([receipt_of(row) for row in rows])
            told: list[Event] = []
            for row, match in zip(rows, matches, strict=True):
                cause = causes.get(row["id"]) or opened
                assert cause is not None
                if row["id"] in causes or self._is_news(work, row, match):
                    told += self._tell(cause, row, match)
            new = record(work, told)
            tell_settled(work, [fact for fact in new if fact.type == "match.accepted"])
        except BaseException:
            self._book.forget(work.tenant)
            raise
        return [DONE] * len(facts)

    @staticmethod
    def _undecided(work: Work, receipts: Sequence[str], *, again: bool) -> list[Any]:
        """The new receipts among these, and with `again` the latest ones that wait for a decision, in the bank's order."""
        r = l.receipts.c
        rows: dict[str, Any] = {}
        for start in range(0, len(receipts), 400):
            query = sa.select(l.receipts).where(
                r.tenant == work.tenant, r.state == "new", r.id.in_(receipts[start : start + 400])
            )
            rows |= {row["id"]: row for row in work.connection.execute(query).mappings()}
        if again:
            offered = sa.select(l.matches.c.id).where(  # a person's own division waits for a person
                l.matches.c.tenant == r.tenant,
                l.matches.c.id == r.match,
                l.matches.c.state == "proposed",
                l.matches.c.by.is_not(None),
            )
            query = sa.select(l.receipts).where(
                r.tenant == work.tenant, r.state == "proposed", r.lane != "auto", ~sa.exists(offered)
            )
            for row in work.connection.execute(query.order_by(r.booked_on.desc(), r.id).limit(_AGAIN)).mappings():
                rows[row["id"]] = row
        return sorted(rows.values(), key=lambda row: (row["booked_on"], row["row"] or 0, row["id"]))

    @staticmethod
    def _is_news(work: Work, row: Any, match: Match) -> bool:
        """Whether a second look at a receipt comes to something else than the first."""
        query = sa.select(l.matches.c.lane, l.matches.c.shares).where(
            l.matches.c.tenant == work.tenant, l.matches.c.id == row["match"]
        )
        before = work.connection.execute(query).first()
        return before is None or before.lane != match.lane or before.shares != msgspec.to_builtins(match.shares)

    @staticmethod
    def _tell(fact: Event, row: Any, match: Match) -> list[Event]:
        id_ = derive("match", fact.tenant, match.receipt, fact.id)
        key = f"receipt:{match.receipt}"
        told = [following(fact, "match.proposed", by=NAME, subject=match.receipt, data=proposed(match, id=id_), key=key)]
        if match.lane == "auto":
            data = v.MatchAccepted(
                match=id_,
                receipt=match.receipt,
                currency=row["currency"],
                shares=match.shares,
                by=ENGINE,
                customer=match.customer,
                **_confirmed(row),
            )
            told.append(following(fact, "match.accepted", by=NAME, subject=match.receipt, data=data, key=key))
        return told


def _confirmed(row: Any) -> dict[str, Any]:
    """The payer that an automatic match confirms. For whom a person pays is confirmed by people, never by the engine to itself."""
    if is_person(row["payer_name"] or ""):
        return {}
    return {"payer_name": row["payer_name"], "payer_account": row["payer_account"]}


def receipt_of(row: Any) -> v.Receipt:
    """The receipt that a ledger row holds."""
    names = [name for name in v.Receipt.__struct_fields__ if name in row and name not in ("receipt", "amount")]
    amount = from_minor(row["amount_minor"], row["currency"])
    return v.Receipt(receipt=row["id"], amount=amount, **{name: row[name] for name in names})
