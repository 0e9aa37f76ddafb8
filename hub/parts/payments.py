"""Receipts find their orders: proposals for what comes in, decisions by the policy or by people, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from hub.core import vocabulary as v
from hub.core.errors import Conflict, Invalid, NotFound, Outdated
from hub.core.event import Event, decided, following
from hub.core.ids import derive
from hub.core.money import from_minor, to_minor
from hub.core.outcome import DONE, Outcome
from hub.ledger.record import record
from hub.parts.book import Book
from hub.store import ledger_tables as l
from hub.store.work import Work
from hub.subscribers import Subscriber
from reconciliation.payments import Match, Policy, proposed

NAME = "payments"
ENGINE = "engine"
_AGAIN = 500  # receipts that are looked at again when something new is to be paid


class Payments:
    """The receipts' desk of every tenant."""

    def __init__(self, policy_of: Callable[[str], Policy]) -> None:
        self._policy_of = policy_of
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
            desk = self._book.desk(work, self._policy_of(work.tenant))  # also where no receipt waits: the next finds it current
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
            self._settled(work, [fact for fact in new if fact.type == "match.accepted"])
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
            query = sa.select(l.receipts).where(r.tenant == work.tenant, r.state == "proposed", r.lane != "auto")
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

    # --- decisions of people --------------------------------------------------------------------------------------

    def accept(
        self, work: Work, receipt: str, *, by: str, shares: Sequence[v.ShareOf] | None = None, if_version: int | None = None
    ) -> None:
        """Give the receipt to the shares proposed, or to the ones named."""
        row, match = self._open(work, receipt, if_version)
        if shares is None:
            shares = msgspec.convert(match["shares"] if match else [], tuple[v.ShareOf, ...], strict=False)
        if not shares:
            raise Invalid(
                happened="nothing is proposed for this receipt", next="name the receivables and the amounts", receipt=receipt
            )
        self._check(work, row, shares)
        customer = self._customer(work, shares)
        id_ = match["id"] if match else derive("match", work.tenant, receipt, str(row["version"]))
        data = v.MatchAccepted(
            match=id_,
            receipt=receipt,
            currency=row["currency"],
            shares=tuple(shares),
            by=by,
            customer=customer,
            payer_name=row["payer_name"],
            payer_account=row["payer_account"],
        )
        fact = self._decided(work, "match.accepted", receipt, data, by=by, once=f"accept|{receipt}|{row['version']}")
        self._settled(work, record(work, [fact]))

    def reject(self, work: Work, receipt: str, *, by: str, reason: str, if_version: int | None = None) -> None:
        """Say that the proposal is wrong."""
        row, match = self._open(work, receipt, if_version)
        if match is None:
            raise Conflict(
                happened="nothing is proposed for this receipt", next="leave it open, or name the receivables", receipt=receipt
            )
        shares = msgspec.convert(match["shares"], tuple[v.ShareOf, ...], strict=False)
        data = v.MatchRejected(match=match["id"], receipt=receipt, by=by, reason=reason, shares=shares)
        record(work, [self._decided(work, "match.rejected", receipt, data, by=by, once=f"reject|{receipt}|{row['version']}")])

    def undo(self, work: Work, receipt: str, *, by: str, reason: str | None = None, if_version: int | None = None) -> None:
        """Take a decision back: shares, settled amounts and what was learnt."""
        row = self._row(work, receipt, if_version)
        if row["state"] != "matched":
            raise Conflict(happened="the receipt is not given to anything", next="there is nothing to undo", receipt=receipt)
        data = v.MatchUndone(match=row["match"], receipt=receipt, by=by, reason=reason)
        record(work, [self._decided(work, "match.undone", receipt, data, by=by, once=f"undo|{receipt}|{row['version']}")])

    # --- inside ---------------------------------------------------------------------------------------------------

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
                payer_name=row["payer_name"],
                payer_account=row["payer_account"],
            )
            told.append(following(fact, "match.accepted", by=NAME, subject=match.receipt, data=data, key=key))
        return told

    def _settled(self, work: Work, accepted: Sequence[Event]) -> None:
        """Say which receivables these matches settled, and whether the whole order is paid with them."""
        shares = [(fact, share) for fact in accepted if isinstance(fact.data, v.MatchAccepted) for share in fact.data.shares]
        orders = sorted({share.order for _, share in shares})
        rows: dict[str, Any] = {}
        for start in range(0, len(orders), 400):
            query = sa.select(l.receivables).where(
                l.receivables.c.tenant == work.tenant, l.receivables.c.order.in_(orders[start : start + 400])
            )
            rows |= {row["id"]: row for row in work.connection.execute(query).mappings()}
        still_open = {row["order"] for row in rows.values() if row["state"] == "open"}
        people = self._salespeople(work, orders)
        told = []
        for fact, share in shares:
            row = rows[share.receivable]
            if row["state"] == "settled":
                told.append(
                    self._settlement(fact, share, row, people.get(share.order), order_settled=share.order not in still_open)
                )
        record(work, told)

    @staticmethod
    def _settlement(fact: Event, share: v.ShareOf, row: Any, order: Any, *, order_settled: bool) -> Event:
        data = v.ReceivableSettled(
            receivable=share.receivable,
            order=share.order,
            amount=from_minor(row["amount_minor"], row["currency"]),
            currency=row["currency"],
            customer=row["customer"],
            customer_name=row["customer_name"],
            receipt=fact.subject,
            label=row["label"],
            salesperson=order["salesperson"] if order else None,
            quote=order["quote"] if order else None,
            order_settled=order_settled,
        )
        return following(fact, "receivable.settled", by=NAME, subject=share.receivable, data=data, key=f"order:{share.order}")

    @staticmethod
    def _salespeople(work: Work, orders: Sequence[str]) -> dict[str, Any]:
        columns = (l.orders.c.id, l.orders.c.salesperson, l.orders.c.quote)
        found: dict[str, Any] = {}
        for start in range(0, len(orders), 400):
            query = sa.select(*columns).where(l.orders.c.tenant == work.tenant, l.orders.c.id.in_(orders[start : start + 400]))
            found |= {row["id"]: row for row in work.connection.execute(query).mappings()}
        return found

    @staticmethod
    def _row(work: Work, receipt: str, if_version: int | None) -> Any:
        work.take_numbers(0)  # two people who decide at once come one after the other
        query = sa.select(l.receipts).where(l.receipts.c.tenant == work.tenant, l.receipts.c.id == receipt)
        row = work.connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(happened="there is no such receipt", next="list the receipts", receipt=receipt)
        if if_version is not None and row["version"] != if_version:
            raise Outdated(happened="somebody decided in the meantime", next="look at the receipt again", receipt=receipt)
        return row

    def _open(self, work: Work, receipt: str, if_version: int | None) -> tuple[Any, Any]:
        row = self._row(work, receipt, if_version)
        if row["state"] in ("matched", "reversed"):
            raise Conflict(happened=f"the receipt is {row['state']}", next="undo that first", receipt=receipt)
        query = sa.select(l.matches).where(l.matches.c.tenant == work.tenant, l.matches.c.id == row["match"])
        return row, work.connection.execute(query).mappings().first() if row["match"] else None

    @staticmethod
    def _check(work: Work, row: Any, shares: Sequence[v.ShareOf]) -> None:
        """Refuse in words what the database would refuse in its own."""
        total = sum(to_minor(share.amount, row["currency"]) for share in shares)
        if any(share.amount <= 0 for share in shares) or total > row["amount_minor"] - row["shared_minor"]:
            raise Invalid(
                happened="the shares are more than the receipt, or one is not above zero",
                next=f"share at most {from_minor(row['amount_minor'] - row['shared_minor'], row['currency'])}",
                receipt=row["id"],
            )
        wanted = {share.receivable for share in shares}
        query = sa.select(l.receivables).where(l.receivables.c.tenant == work.tenant, l.receivables.c.id.in_(list(wanted)))
        found = {one["id"]: one for one in work.connection.execute(query).mappings()}
        for share in shares:
            one = found.get(share.receivable)
            if one is None:
                raise NotFound(happened="there is no such receivable", next="search the order", receivable=share.receivable)
            left = one["amount_minor"] - one["paid_minor"] - one["difference_minor"]
            given = sum(to_minor(x.amount + x.difference, row["currency"]) for x in shares if x.receivable == share.receivable)
            if one["currency"] != row["currency"] or given > left:
                raise Invalid(
                    happened=f"the receivable has {from_minor(left, one['currency'])} {one['currency']} open",
                    next="share no more than that",
                    receivable=share.receivable,
                )

    @staticmethod
    def _customer(work: Work, shares: Sequence[v.ShareOf]) -> str | None:
        query = sa.select(l.receivables.c.customer).where(
            l.receivables.c.tenant == work.tenant, l.receivables.c.id == shares[0].receivable
        )
        customer: str | None = work.connection.execute(query).scalar()
        return customer

    @staticmethod
    def _decided(work: Work, type_: str, receipt: str, data: v.Fact, *, by: str, once: str) -> Event:
        now: datetime = work.clock.now()
        return decided(
            type_, tenant=work.tenant, by=by, subject=receipt, data=data, occurred_at=now, once=once, key=f"receipt:{receipt}"
        )


def receipt_of(row: Any) -> v.Receipt:
    """The receipt that a ledger row holds."""
    names = [name for name in v.Receipt.__struct_fields__ if name in row and name not in ("receipt", "amount")]
    amount = from_minor(row["amount_minor"], row["currency"])
    return v.Receipt(receipt=row["id"], amount=amount, **{name: row[name] for name in names})
