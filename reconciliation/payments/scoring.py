"""The weight of each option, rung by rung, and its probability among all options and "none of these"."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import NamedTuple

from hub.core.money import from_minor
from reconciliation.payments import words as w
from reconciliation.payments.book import Book, Entry
from reconciliation.payments.candidates import (
    FOREIGN,
    OVER,
    OVER_NEAR,
    PART,
    PART_FEE,
    PART_LESS,
    SOME,
    SUM,
    SUM_FEE,
    SUM_LESS,
    SUM_PARTS,
    WHOLE,
    Option,
    Reading,
)
from reconciliation.payments.groups import coincidence
from reconciliation.payments.ladders import LADDERS, Note
from reconciliation.payments.numbers import AGAIN, BARE, EXACT, SLIP, STRANGE, Named
from reconciliation.payments.shortfalls import DISCOUNT, EARLY, FEE, ODD, ROUNDING

# How rarely money is for nothing in the book, as powers of two: of receipts whose memo names an open item, of those from a
# known customer, and of the rest.
NONE_BITS, NONE_OF_CUSTOMER, NONE_NAMED = -2.5, -6.0, -7.0
_REFUND_UNNAMED = 9.0  # beside no number, a refund is not a customer's payment
_MORE_NONE = {w.REFUND: 7.0, w.REVERSAL: 8.0, w.NOT_A_SALE: 7.0, w.ADVANCE: 6.0, w.WALLET: 6.0}
_SILENT = frozenset(["missing", "other", "strange", "again", "stranger", "person"])
_CERTAIN = (EXACT, BARE, SLIP)


class Scored(NamedTuple):
    """An option with its total weight, and the notes that make it up."""

    option: Option
    bits: float
    notes: tuple[Note, ...]


def none_bits(reading: Reading) -> float:
    """The weight of "none of these": words of refunds and interest, strangers and unknown numbers add to it."""
    lost = any(one.level in (STRANGE, AGAIN) for one in reading.named)
    extra = max((extra for word, extra in _MORE_NONE.items() if word in reading.words), default=0.0) + (4.0 if lost else 0.0)
    if any(one.level in (EXACT, BARE) for one in reading.named):
        return NONE_NAMED + extra
    extra += _REFUND_UNNAMED if w.REFUND in reading.words else 0.0
    return (NONE_OF_CUSTOMER if any(suspect.probability >= 0.5 for suspect in reading.who.suspects) else NONE_BITS) + extra


def score(option: Option, reading: Reading, book: Book, *, has_exact: bool) -> Scored:
    """Add up what speaks for an option and against it. `has_exact` is whether another option fits the amount exactly."""
    size = max(len(book), 200)
    notes = [
        *_reference(option, reading, book, size),
        *_payer(option, reading, book, size),
        _amount(option, reading, book, size, has_exact),
    ]
    if all(note.level in _SILENT for note in notes if note.ladder != "amount"):
        notes.append(_note("alone", "amount", LADDERS["alone"]["amount"].bits))
    if refused := reading.refused(option):
        notes.append(_note("refused", "before", LADDERS["refused"]["before"].bits * refused))
    notes.extend(_stage(option, reading))
    notes.extend(_date(option, reading, book))
    return Scored(option, -log2(size) + sum(note.bits for note in notes), tuple(notes))


def probabilities(scored: Sequence[Scored], none: float) -> tuple[list[float], float]:
    """Each option's part of the whole, and that of none; an option's weight is capped so that doubt never rounds to nothing."""
    parts = [2.0 ** min(max(one.bits, -60.0), 40.0) for one in scored]
    total = sum(parts) + 2.0**none
    return [part / total for part in parts], 2.0**none / total


def _note(ladder: str, level: str, bits: float, at: tuple[int, int] | None = None, /, **values: object) -> Note:
    return Note(ladder, level, bits, values, at)


def _reference(option: Option, reading: Reading, book: Book, size: int) -> list[Note]:
    hits: dict[str, Named] = {}
    for one in reading.named:
        for entry in option.entries:
            if any(number in entry.numbers for number in one.numbers) and one.level not in (AGAIN, STRANGE):
                hits.setdefault(entry.key, one)
    others = [one for one in reading.named if one.level in _CERTAIN and not any(one is hit for hit in hits.values())]
    notes = [_hit(one, book, size, reading) for one in dict.fromkeys(hits.values())][:1]
    if hits and len(hits) < len(option.entries):
        notes.append(_note("reference", "partly", -4.0 * (len(option.entries) - len(hits)), count=len(hits)))
    if len({hit.span for hit in hits.values()}) > 1:
        notes.append(_note("reference", "partly", 4.0, count=len(hits)))
    notes.extend(
        _note(
            "reference",
            "other",
            LADDERS["reference"]["other"].bits * (0.6 if one.level == SLIP else 1.0),
            one.span,
            number=one.numbers[0],
        )
        for one in others[:2]
    )
    notes.extend(_lost(one) for one in reading.named if one.level in (AGAIN, STRANGE) and not hits)
    return notes or [_note("reference", "missing", 0.0)]


def _hit(one: Named, book: Book, size: int, reading: Reading) -> Note:
    named = sum(len({entry.order for entry in book.named(number)}) for number in one.numbers)
    bits = min(log2(size / max(named, 1)), 14.0) + LADDERS["reference"][one.level].bits
    shown = one.numbers[0] if len(one.numbers) == 1 else one.text
    return _note("reference", one.level, bits, one.span, number=shown, text=one.text)


def _lost(one: Named) -> Note:
    bits = LADDERS["reference"][one.level].bits
    return _note("reference", one.level, bits, one.span, number=(one.numbers or (one.text,))[0], text=one.text)


def _payer(option: Option, reading: Reading, book: Book, size: int) -> list[Note]:
    who, name = reading.who, reading.receipt.payer_name or reading.receipt.payer_account or ""
    customers = {entry.customer for entry in option.entries}
    worst: Note | None = None
    for customer in sorted(customers):
        note = _payer_of(customer, option.entries[0], reading, book, size, name)
        worst = note if worst is None or note.bits < worst.bits else worst
    if worst is None or not (who.is_named or who.suspects):
        return [_note("payer", "missing", 0.0)]
    spread = [_note("payer", "other", -4.0, payer=name)] if len(customers) > 1 else []
    return [worst, *spread]


def _payer_of(customer: str, entry: Entry, reading: Reading, book: Book, size: int, name: str) -> Note:
    suspect = reading.who.of(customer)
    if suspect is None or suspect.probability < 0.02:
        level = (
            "person" if reading.who.is_person else "other" if reading.who.suspects and reading.who.unknown < 0.5 else "stranger"
        )
        return _note("payer", level, LADDERS["payer"][level].bits, payer=name)
    own = len(book.by_customer.get(customer, ())) or 1
    bits = max(-4.0, min(log2(suspect.probability * size / own), 12.0))
    shown = entry.item.customer_name or suspect.name or customer
    if suspect.rung == "behalf":
        return _note("payer", "behalf", bits, customer=shown)
    if suspect.rung == "same":
        return _note("payer", "same", bits, customer=shown)
    if suspect.account or suspect.rung == "far":
        return _note("payer", "account" if suspect.account else "remembered", bits, customer=shown, times=suspect.times)
    return _note("payer", "alike", bits, customer=shown)


def _amount(option: Option, reading: Reading, book: Book, size: int, has_exact: bool) -> Note:
    entry = option.entries[0]
    money = {
        "due": from_minor(sum(each.open for each in option.entries), entry.currency),
        "kept": from_minor(max(option.kept, 0), entry.currency),
        "over": from_minor(max(-option.kept, 0), entry.currency),
    }
    chance = coincidence(reading.minor)
    if option.stands == WHOLE:
        same = len(book.by_amount.get((entry.currency, reading.minor), ())) / size
        return _note("amount", "whole", LADDERS["amount"]["whole"].bits - log2(max(same, chance)), **money)
    if option.stands == FOREIGN:
        return _note("amount", "foreign", LADDERS["amount"]["foreign"].bits + 5.0, currency=entry.currency, **money)
    if option.stands == PART:
        level = "part" if option.rivals == 0 else "later_part"
        same = len(book.by_part.get((entry.currency, reading.minor), ())) / size
        return _note("amount", level, LADDERS["amount"][level].bits - log2(max(same, chance)), label=option.label, **money)
    if option.stands in (FEE, ROUNDING, EARLY, DISCOUNT, ODD, OVER_NEAR, PART_FEE, PART_LESS):
        least = 0.001 if option.stands in (FEE, ROUNDING, EARLY) else 0.004
        return _note(
            "amount",
            option.stands,
            LADDERS["amount"][option.stands].bits - log2(max(2 * chance, least)),
            label=option.label,
            **money,
        )
    if option.stands in (SUM, SUM_PARTS, SUM_FEE, SUM_LESS):
        by_accident = max(chance, 0.0001) if option.named else max(option.chance, chance, 0.0001)
        # the items of a group are not each as likely as any other item of the customer: the group is one of its sums
        bits = LADDERS["amount"][option.stands].bits - log2(by_accident) + (0.0 if option.named else log2(option.pool) - 2.5)
        return _note("amount", option.stands, bits, count=len(option.entries), **money)
    level = "over" if option.stands == OVER else "some_else" if has_exact else "some"
    return _note("amount", level, LADDERS["amount"][level].bits, **money)


def _stage(option: Option, reading: Reading) -> list[Note]:
    first = option.entries[0].item
    is_first = (option.stands in (PART, PART_FEE, PART_LESS, SUM_PARTS) and option.rivals == 0) or (
        len(option.entries[0].items) == 1 and first.position == 1 and (first.percent or 100) < 100
    )
    ladder = LADDERS["stage"]
    if w.DEPOSIT in reading.words:
        if is_first:
            return [_note("stage", "deposit", ladder["deposit"].bits)]
        return [_note("stage", "not_deposit", ladder["not_deposit"].bits)] if option.stands not in (SOME, OVER) else []
    if w.BALANCE in reading.words and (first.position > 1 or option.entries[0].open < option.entries[0].amount):
        return [_note("stage", "balance", ladder["balance"].bits)]
    return [_note("stage", "no_word", ladder["no_word"].bits)] if option.stands == PART else []


def _date(option: Option, reading: Reading, book: Book) -> list[Note]:
    entry, on, ladder = option.entries[0], reading.receipt.booked_on, LADDERS["date"]
    if entry.item.position > 1:
        chosen = {each.key for each in option.entries}
        earlier = [
            each for each in book.named(entry.numbers[0]) if each.item.position < entry.item.position and each.key not in chosen
        ]
        if earlier:
            return [_note("date", "next", ladder["next"].bits)]
    due_on = entry.item.due_on if option.rivals == 0 and option.stands in (PART, PART_FEE) else entry.due_on
    if due_on is None:
        return []
    days = abs((on - due_on).days)
    level = "near" if days <= 30 else "far" if days > 120 else ""
    return [_note("date", level, ladder[level].bits, days=days)] if level else []
