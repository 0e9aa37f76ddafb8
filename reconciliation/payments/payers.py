"""Who paid? A distribution over customers, with a part for nobody we know."""

from __future__ import annotations

import re
from collections.abc import Iterable
from heapq import nsmallest

import msgspec

from hub.core.vocabulary import Customer, Receipt
from reconciliation.payments.names import (
    BEHALF,
    BITS,
    CUT,
    FAR,
    FORM,
    LATIN,
    OTHER_PLACE,
    SAME,
    SHORT,
    Name,
    compare,
    is_person,
    parse,
)
from reconciliation.payments.ranking import NameIndex
from reconciliation.payments.romanised import letters_of
from reconciliation.payments.text import fold, squeeze
from reconciliation.payments.values import Payer

STRANGER_BITS = 3.0
_WRITTEN_OUT = 0.8  # of a name's letters, so much is the Chinese one's beginning or its trade
_COMPANY = re.compile(r"[\u3400-\u9fff()（）]{2,40}?(?:公司|厂|经营部|商行)")


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A customer who may have paid. `rung` is how the name stands, `times` how often this account paid for them before."""

    customer: str
    name: str
    probability: float
    rung: str
    account: bool
    times: int
    rivals: int = 0

    @property
    def is_firm(self) -> bool:
        """Whether this alone identifies the payer: the customer's own name, or an account that paid for nobody else."""
        named = self.rung in (SAME, FORM, CUT, "branch", "no_place", "close") and self.probability >= 0.9
        return named or (self.account and self.times >= 2 and self.probability >= 0.9)


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """The suspects, most likely first; `unknown` is the part of none of them."""

    suspects: tuple[Suspect, ...]
    unknown: float
    is_person: bool
    is_named: bool

    def of(self, customer: str) -> Suspect | None:
        return next((suspect for suspect in self.suspects if suspect.customer == customer), None)


class Payers:
    """Customers by name and what is remembered of payers, found through the pairs of characters in names."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, str]] = {}
        self._pairs: dict[str, dict[str, None]] = {}
        self._parsed: dict[str, Name] = {}
        self._ranked = NameIndex()
        self._accounts: dict[str, dict[str, int]] = {}
        self._rows: dict[tuple[str, str, str], int] = {}
        self._people: dict[str, dict[str, int]] = {}
        self._aliases: dict[str, dict[str, int]] = {}

    def know(self, customer: str, name: str) -> None:
        """Let a name stand for a customer."""
        parsed = parse(name)
        if not parsed.full:
            return
        self._names.setdefault(parsed.full, {}).setdefault(customer, name)
        if parsed.full not in self._parsed:
            self._parsed[parsed.full] = parsed
            self._ranked.add(name)
            for pair in _pairs(parsed.bare):
                self._pairs.setdefault(pair, {})[parsed.full] = None

    def enrol(self, customer: Customer) -> None:
        for name in (customer.name, *customer.aliases):
            self.know(customer.customer, name)
        for account in customer.accounts:
            self.learn(Payer(name="", account=account, customer=customer.customer, times=3))

    def learn(self, payer: Payer) -> None:
        """Remember how often this payer paid for this customer, in place of what was known of the same; no times forgets it."""
        person = payer.is_person or is_person(payer.name)
        account, name = _digits(payer.account or ""), squeeze(payer.name)
        change = max(payer.times, 0) - self._rows.get((name, account, payer.customer), 0)
        self._rows[name, account, payer.customer] = max(payer.times, 0)
        self._remember(self._accounts, account, payer.customer, change)
        self._remember(self._people if person else self._aliases, name, payer.customer, change)

    @staticmethod
    def _remember(memory: dict[str, dict[str, int]], key: str, customer: str, times: int) -> None:
        if key and times:
            seen = memory.setdefault(key, {})
            seen[customer] = seen.get(customer, 0) + times
            if seen[customer] <= 0:
                del seen[customer]

    def who(self, receipt: Receipt) -> Who:
        """The customers who may have sent a receipt, by name and by account together."""
        name = receipt.payer_name or ""
        person = is_person(name)
        rungs = {} if person else self._by_name(name)
        seen = self._accounts.get(_digits(receipt.payer_account or ""), {})
        known = self._people.get(squeeze(name), {}) if person else self._aliases.get(squeeze(name), {})
        bits: dict[str, tuple[float, str, str]] = {}
        if not any(rung == SAME for rung, _ in rungs.values()):
            for customer, full in self._on_behalf(receipt.memo).items():
                rungs.setdefault(customer, (BEHALF, full))
        for customer in sorted({*rungs, *seen, *known}):
            rung, full = rungs.get(customer, (FAR, ""))
            weight = BITS[rung] if customer in rungs else 0.0
            weight += _memory_bits(seen, customer) + (
                0.0 if customer in seen else _memory_bits(known, customer) * (0.6 if person else 0.9)
            )
            bits[customer] = (weight, rung, full)
        return self._shares(bits, seen, known, person=person, named=bool(squeeze(name)))

    def _shares(
        self, bits: dict[str, tuple[float, str, str]], seen: dict[str, int], known: dict[str, int], *, person: bool, named: bool
    ) -> Who:
        parts = {customer: 2.0 ** min(weight, 30.0) for customer, (weight, _, _) in bits.items()}
        total = sum(parts.values()) + 2.0**STRANGER_BITS
        suspects = [
            Suspect(
                customer=customer,
                name=bits[customer][2],
                probability=part / total,
                rung=bits[customer][1],
                account=customer in seen,
                times=max(seen.get(customer, 0), known.get(customer, 0)),
                rivals=len(bits) - 1,
            )
            for customer, part in parts.items()
            if part / total >= 0.001
        ]
        ordered = tuple(sorted(suspects, key=lambda suspect: (-suspect.probability, suspect.customer))[:8])
        return Who(suspects=ordered, unknown=2.0**STRANGER_BITS / total, is_person=person, is_named=named)

    def _by_name(self, text: str) -> dict[str, tuple[str, str]]:
        """Customer → rung and full name, for names that are the same or alike."""
        if not text.strip():
            return {}
        payer = parse(text)
        result: dict[str, tuple[str, str]] = {}
        for full in self._alike(payer):
            rung = compare(payer, self._parsed[full])
            if rung in (FAR, OTHER_PLACE):
                continue
            for customer, name in self._names[full].items():
                if customer not in result or BITS[rung] > BITS[result[customer][0]]:
                    result[customer] = (rung, name)
        return result or self._by_letters(text) or self._by_short_form(text, payer)

    def _by_letters(self, text: str) -> dict[str, tuple[str, str]]:
        """The customers whose Chinese names a name in Latin letters writes out, all but a few letters of it."""
        found = self._ranked.latin(text) if letters_of(text) else {}
        best = max(found.values(), default=0.0)
        if best < _WRITTEN_OUT:
            return {}
        names = sorted(name for name, share in found.items() if share == best)[:4]
        return {customer: (LATIN, name) for name in names for customer in sorted(self._names[parse(name).full])}

    def _on_behalf(self, memo: str) -> dict[str, str]:
        """Customers whose full name the memo writes out, as who pays for another does."""
        found: dict[str, str] = {}
        for text in _COMPANY.findall(fold(memo)):
            for start in range(len(text) - 5):
                for customer, name in self._names.get(squeeze(text[start:]), {}).items():
                    found.setdefault(customer, name)
        return found

    def _by_short_form(self, text: str, payer: Name) -> dict[str, tuple[str, str]]:
        """The one name that this is a short form of, where no other is nearly as alike. A full name is nobody's short form."""
        if payer.full != payer.bare or not 2 <= len(payer.full) <= 8:
            return {}
        best = self._ranked.rank(text, 2)
        if not best or best[0][1] < 0.9 or (len(best) > 1 and best[0][1] - best[1][1] < 0.25):
            return {}
        return {customer: (SHORT, name) for customer, name in self._names[parse(best[0][0]).full].items()}

    def _alike(self, payer: Name) -> Iterable[str]:
        """Known names that share rare pairs of characters with this one, most alike first."""
        if payer.full in self._parsed and not payer.branch:
            return [payer.full]
        pairs = sorted(_pairs(payer.bare), key=lambda pair: (len(self._pairs.get(pair, ())), pair))
        scores: dict[str, float] = {}
        for pair in pairs:
            postings = self._pairs.get(pair, {})
            if len(postings) > 200 and scores:
                break
            rarity = 1.0 / (1 + len(postings)) ** 0.5
            for full in postings:
                scores[full] = scores.get(full, 0.0) + rarity
        return [full for _, full in nsmallest(30, [(-score, full) for full, score in scores.items()])]


def added_up(payers: Iterable[Payer]) -> list[Payer]:
    """One memory for each name, account and customer, of a history that has one for each receipt."""
    known: dict[tuple[str, str, str], Payer] = {}
    for payer in payers:
        key = (squeeze(payer.name), _digits(payer.account or ""), payer.customer)
        before = known.get(key)
        last = max((each for each in (payer.last_seen, before.last_seen if before else None) if each), default=None)
        known[key] = msgspec.structs.replace(payer, times=payer.times + (before.times if before else 0), last_seen=last)
    return [known[key] for key in sorted(known)]


def _memory_bits(seen: dict[str, int], customer: str) -> float:
    """What earlier payments say: one may have been a slip, three for nobody else are as good as a name; others count against."""
    mine, all_ = seen.get(customer, 0), sum(seen.values())
    if mine == 0:
        return -2.0 if all_ >= 2 else 0.0
    return min(6.0 + 2.0 * mine, 12.0) * mine / all_ - (2.0 if mine < all_ else 0.0)


def _pairs(name: str) -> list[str]:
    return sorted({name[at : at + 2] for at in range(len(name) - 1)}) or [name]


def _digits(account: str) -> str:
    return "".join(char for char in account if char.isalnum()).upper()
