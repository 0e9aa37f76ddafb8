"""The desk: one receipt, or many together, against everything that is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from hub.core.errors import Invalid
from hub.core.money import to_minor
from hub.core.vocabulary import Customer, Receipt, RunnerUp
from reconciliation.payments import words as w
from reconciliation.payments.book import Book, customer_key
from reconciliation.payments.calibration import Calibration, features
from reconciliation.payments.candidates import SUM, WHOLE, Reading, options
from reconciliation.payments.cases import Case
from reconciliation.payments.lanes import CURRENCY, DOUBT, NOTHING, QUEUE, TWICE, held
from reconciliation.payments.laying import Laying
from reconciliation.payments.numbers import EXACT, named
from reconciliation.payments.payers import Payers
from reconciliation.payments.payouts import Bill, by_bill
from reconciliation.payments.policy import Policy
from reconciliation.payments.refusals import Refusals
from reconciliation.payments.scoring import Scored, none_bits, score
from reconciliation.payments.together import Choice, decide
from reconciliation.payments.values import Match, OpenItem, Payer, Refusal, Settled
from reconciliation.payments.words import words

_KEPT = 12


class Desk:
    """The open items and what is known of payers. The same items, payers and policy give the same proposals, in any order of telling."""

    def __init__(
        self,
        items: Iterable[OpenItem] = (),
        payers: Iterable[Payer] = (),
        customers: Iterable[Customer] = (),
        settled: Iterable[Settled] = (),
        refusals: Iterable[Refusal] = (),
        *,
        policy: Policy | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self.policy = policy or Policy()
        self.calibration = calibration
        self._book = Book()
        self._payers = Payers()
        self._refusals = Refusals()
        for customer in customers:
            self.enrol(customer)
        for item in items:
            self.add(item)
        for payer in payers:
            self.learn(payer)
        for each in settled:
            self._book.settle(each)
        for refusal in refusals:
            self.refuse(refusal)

    def add(self, item: OpenItem) -> None:
        """Let an item be open."""
        entry = self._book.add(item)
        if item.customer_name:
            self._payers.know(entry.customer, item.customer_name)

    def change(self, receivable: str, open: Decimal) -> None:
        """Let an item have another open amount; nothing open removes it."""
        item = self._book.item(receivable)
        if item is None:
            return
        if open <= 0:
            self.remove(receivable)
        else:
            self._book.add(msgspec.structs.replace(item, open=open))

    def remove(self, receivable: str, *, paid: bool = True) -> None:
        """Let an item be gone. An order that is all paid is remembered, so that a second receipt for it is known as such."""
        item = self._book.remove(receivable)
        if item is not None and paid and not self._book.is_open(item.order):
            self._book.settle(
                Settled(
                    receivable=item.receivable,
                    order=item.order,
                    amount=item.amount,
                    currency=item.currency,
                    customer=customer_key(item),
                    contract=item.contract,
                    invoice=item.invoice,
                )
            )

    def enrol(self, customer: Customer) -> None:
        """Know a customer by its names and accounts."""
        self._payers.enrol(customer)

    def learn(self, payer: Payer) -> None:
        """Remember how often a payer paid for a customer, in place of what was known of the same; told twice, it changes nothing.

        `times` of zero forgets. A history with a row for each receipt is added up first, by `added_up`.
        """
        self._payers.learn(payer)

    def refuse(self, refusal: Refusal) -> None:
        """Remember what a person refused."""
        self._refusals.add(refusal)

    def forgive(self, refusal: Refusal) -> None:
        """Forget what a person refused."""
        self._refusals.remove(refusal)

    def settle(self, settled: Settled) -> None:
        """Remember an item that was paid before the desk knew it."""
        self._book.settle(settled)

    def propose(self, receipt: Receipt) -> Match:
        """The most likely items of one receipt, with the reasons, or none."""
        return self.propose_all([receipt])[0]

    def propose_payout(self, receipt: Receipt, bill: Bill) -> Match:
        """What a wallet's or an acquirer's payout pays, by its bill."""
        return by_bill(receipt, bill, self._book, self.policy)

    def propose_all(self, receipts: Sequence[Receipt]) -> list[Match]:
        """Decide several receipts together: no item is given away twice, and the better evidence wins."""
        readings = [self._read(receipt) for receipt in receipts]
        choices = [self._weigh(reading) for reading in readings]
        decide(choices, self.policy)
        taken = self._taken(choices)
        again = _said_before(readings, choices)
        matches = [
            self._match(reading, choice, taken, is_again=place in again)
            for place, (reading, choice) in enumerate(zip(readings, choices, strict=True))
        ]
        return self._laid(choices, matches)

    def _read(self, receipt: Receipt) -> Reading:
        memo = receipt.memo
        return Reading(
            receipt=receipt,
            minor=_minor(receipt),
            named=named(memo, self._book),
            who=self._payers.who(receipt),
            words=words(memo, receipt.payer_name or ""),
            refusals=self._refusals.of(receipt),
        )

    def _weigh(self, reading: Reading) -> Choice:
        found = options(reading, self._book, self.policy) if reading.minor > 0 else []
        exact = {
            option.entries[0].customer
            for option in found
            if option.stands == WHOLE or (option.stands == SUM and option.chance < self.policy.chance)
        }
        scored = [score(option, reading, self._book, has_exact=option.entries[0].customer in exact) for option in found]
        scored.sort(key=lambda one: (-one.bits, one.option.key, one.option.stands))
        best_of_each = {one.option.key: one for one in reversed(scored)}
        scored = [one for one in scored if best_of_each[one.option.key] is one]
        receipt = reading.receipt
        return Choice(
            id=receipt.receipt,
            when=(receipt.booked_on, receipt.row or 0, receipt.receipt),
            minor=reading.minor,
            same=(receipt.payer_name, reading.minor, receipt.memo),
            scored=scored[:_KEPT],
            none=none_bits(reading),
        )

    def _taken(self, choices: Sequence[Choice]) -> frozenset[str]:
        """The orders that one of these receipts pays and, by the policy's margin, nothing else, so that no other means them."""
        return frozenset(
            entry.key
            for choice in choices
            if choice.picked is not None and not choice.contested
            if (1 - choice.shares[choice.picked]) * self.policy.margin <= choice.shares[choice.picked]
            for entry in choice.scored[choice.picked].option.entries
        )

    def _match(self, reading: Reading, choice: Choice, taken: frozenset[str], *, is_again: bool) -> Match:
        none = choice.none_share
        top = choice.picked
        if is_again or top is None or choice.shares[top] < self.policy.review:
            return self._open(reading, choice, none, is_again=is_again)
        best = choice.scored[top]
        others = [place for place in range(len(choice.scored)) if place != top]
        second = max([none, *(choice.shares[place] for place in others)])
        case = Case(reading, best.option, choice.shares[top], second, self._book, self.policy, taken)
        why = QUEUE if choice.contested else held(case)
        notes = sorted(best.notes, key=lambda note: -abs(note.bits))
        match = Match(
            receipt=reading.receipt.receipt,
            lane="review" if why else "auto",
            probability=choice.shares[top],
            reasons=tuple(note.reason for note in notes),
            reasons_en=tuple(note.says_en for note in notes),
            runners_up=self._runners_up(choice, best, others),
            held=why,
            customer=best.option.entries[0].customer,
            policy=self.policy.version,
            decided_by=choice.how,
        )
        return self._calibrated(match) if self.calibration else match

    def _calibrated(self, match: Match) -> Match:
        """With the probability that decisions taught; what a rule holds stays held."""
        assert self.calibration is not None
        probability = self.calibration.of(features(match))
        why = match.held
        if why in (None, DOUBT):
            why = DOUBT if probability < self.policy.auto else None
        return msgspec.structs.replace(match, probability=probability, held=why, lane="review" if why else "auto")

    def _open(self, reading: Reading, choice: Choice, none: float, *, is_again: bool) -> Match:
        best = choice.scored[0] if choice.scored else None
        notes = sorted(best.notes, key=lambda note: -abs(note.bits)) if best else []
        return Match(
            receipt=reading.receipt.receipt,
            lane="open",
            probability=none,
            reasons=tuple(note.reason for note in notes if note.bits < 0),
            reasons_en=tuple(note.says_en for note in notes if note.bits < 0),
            runners_up=self._runners_up(choice, best, list(range(len(choice.scored)))),
            held=TWICE
            if is_again
            else CURRENCY
            if reading.entries_named(self._book) and not reading.entries_named(self._book, reading.receipt.currency)
            else NOTHING,
            policy=self.policy.version,
            decided_by=choice.how,
        )

    @staticmethod
    def _laid(choices: Sequence[Choice], matches: list[Match]) -> list[Match]:
        """The matches with what each instalment gets: first of those that are booked, then of those that people look at."""
        laying = Laying()
        for place in sorted(range(len(matches)), key=lambda place: (matches[place].lane != "auto", choices[place].when)):
            picked = choices[place].picked
            if picked is not None and matches[place].lane != "open":
                shares = laying.shares(choices[place].scored[picked].option)
                matches[place] = msgspec.structs.replace(matches[place], shares=shares)
        return matches

    @staticmethod
    def _runners_up(choice: Choice, best: Scored | None, places: Sequence[int]) -> tuple[RunnerUp, ...]:
        ranked = sorted(places, key=lambda place: (-choice.shares[place], place))[:2]
        result = []
        for place in ranked:
            scored = choice.scored[place]
            worst = min(scored.notes, key=lambda note: note.bits)
            is_equal = best is not None and abs(scored.bits - best.bits) < 0.5
            why, why_en = ("与首选同样可能", "as likely as the first") if is_equal else (worst.reason.says, worst.says_en)
            shares, probability = Laying().shares(scored.option), choice.shares[place]
            result.append(RunnerUp(shares=shares, probability=probability, lost_because=why, lost_because_en=why_en))
        return tuple(result)


def _said_before(readings: Sequence[Reading], choices: Sequence[Choice]) -> frozenset[int]:
    """The receipts that say what an earlier one of them says: the same deposit of the same named order a second time."""
    first: dict[object, int] = {}
    again = set()
    for place in sorted(range(len(choices)), key=lambda place: choices[place].when):
        if w.DEPOSIT in readings[place].words and any(one.level == EXACT for one in readings[place].named):
            if choices[place].same in first:
                again.add(place)
            first.setdefault(choices[place].same, place)
    return frozenset(again)


def _minor(receipt: Receipt) -> int:
    """The amount in minor units; nothing, for an amount that no bank can move, so that one bad row does not stop a month."""
    try:
        return to_minor(receipt.amount, receipt.currency)
    except Invalid:
        return 0
