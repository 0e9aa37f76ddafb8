"""What people decide about receipts: accept, divide, reject, take back, and the second pair of eyes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from hub.core import vocabulary as v
from hub.core.errors import Conflict, Invalid, NotFound, Outdated
from hub.core.event import Event, decided
from hub.core.ids import derive
from hub.core.money import from_minor, to_minor
from hub.ledger.record import record
from hub.parts.settling import tell_settled
from hub.store import ledger_tables as l
from hub.store.work import Work
from reconciliation.payments import Policy


class Decisions:
    """The decisions of every tenant's people, one at a time for a tenant."""

    def __init__(self, policy_of: Callable[[str], Policy]) -> None:
        self._policy_of = policy_of

    def accept(
        self, work: Work, receipt: str, *, by: str, shares: Sequence[v.ShareOf] | None = None, if_version: int | None = None
    ) -> None:
        """Give the receipt to the shares proposed, or to the ones named.

        Above the policy's `second_person`, what one person divides another accepts. The engine counts as a person: its own
        proposal needs one of them.
        """
        row, match = self._open(work, receipt, if_version)
        offered = msgspec.convert(match["shares"] if match else [], tuple[v.ShareOf, ...], strict=False)
        shares = offered if shares is None else tuple(shares)
        if not shares:
            raise Invalid(
                happened="nothing is proposed for this receipt", next="name the receivables and the amounts", receipt=receipt
            )
        self._check(work, row, shares)
        customer = self._customer(work, shares)
        if self._needs_another(work.tenant, row, match, by=by, is_own=shares != offered):
            self._offer(work, row, shares, by=by, customer=customer)
            return
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
        tell_settled(work, record(work, [fact]))

    def reject(self, work: Work, receipt: str, *, by: str, reason: str, if_version: int | None = None) -> None:
        """Say that the proposal is wrong."""
        row, match = self._open(work, receipt, if_version)
        if match is None:
            raise Conflict(
                happened="nothing is proposed for this receipt", next="leave it open, or name the receivables", receipt=receipt
            )
        shares = msgspec.convert(match["shares"], tuple[v.ShareOf, ...], strict=False)
        customer = self._customer(work, shares) if shares else None
        data = v.MatchRejected(match=match["id"], receipt=receipt, by=by, reason=reason, shares=shares, customer=customer)
        record(work, [self._decided(work, "match.rejected", receipt, data, by=by, once=f"reject|{receipt}|{row['version']}")])

    def undo(self, work: Work, receipt: str, *, by: str, reason: str | None = None, if_version: int | None = None) -> None:
        """Take a decision back: shares, settled amounts and what was learnt."""
        row = self._row(work, receipt, if_version)
        if row["state"] != "matched":
            raise Conflict(happened="the receipt is not given to anything", next="there is nothing to undo", receipt=receipt)
        data = v.MatchUndone(match=row["match"], receipt=receipt, by=by, reason=reason)
        record(work, [self._decided(work, "match.undone", receipt, data, by=by, once=f"undo|{receipt}|{row['version']}")])

    # --- inside ---------------------------------------------------------------------------------------------------

    def _needs_another(self, tenant: str, row: Any, match: Any, *, by: str, is_own: bool) -> bool:
        """Whether this is a division of a large receipt that a second person must see; raises where it is the first one's again."""
        limit = self._policy_of(tenant).second_person
        if limit is None or from_minor(row["amount_minor"], row["currency"]) <= limit:
            return False
        if not is_own and match is not None and match["state"] == "proposed" and match["by"] == by:
            raise Conflict(
                happened="a receipt of this size needs a second person",
                next="ask a colleague to accept what you have proposed",
                receipt=row["id"],
            )
        return is_own

    def _offer(self, work: Work, row: Any, shares: Sequence[v.ShareOf], *, by: str, customer: str | None) -> None:
        """Propose a person's own division to a second one."""
        once = f"offer|{row['id']}|{row['version']}"
        data = v.MatchProposed(
            match=derive("match", work.tenant, once),
            receipt=row["id"],
            lane="review",
            probability=1.0,
            shares=tuple(shares),
            held_by="a second person accepts it",
            customer=customer,
            policy=self._policy_of(work.tenant).version,
            by=by,
        )
        record(work, [self._decided(work, "match.proposed", row["id"], data, by=by, once=once)])

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
