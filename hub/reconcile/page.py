"""One receipt as the report shows it: where the money goes, then why, then what else it could be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate

import msgspec
from markupsafe import Markup, escape

from hub.console import format as formats
from hub.core.vocabulary import Reason, RunnerUp, ShareOf
from hub.reconcile import words
from hub.reconcile.run import Answer
from hub.reconcile.words import Both
from reconciliation.payments import Match, OpenItem

_WIDE = 100  # what the waterfall's drawing is wide


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What an order gets, as written figures. `before` is what it has open, `after` what this receipt leaves of it."""

    order: str
    customer: str
    due: str
    before: str
    now: str
    after: str
    difference: str = ""
    booked_as: Both | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A reason with its weight, and where its bar stands in the waterfall."""

    ladder: Both
    says: Both
    weight: str
    x: float
    wide: float
    against: bool


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """A possibility that lost."""

    orders: str
    customer: str
    amount: str
    probability: str
    wide: float
    lost: Both


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one receipt that the page prints, formatted."""

    place: int
    id: str
    lane: str
    day: str
    payer: str
    account: str
    memo: Markup
    amount: str
    orders: str
    probability: str
    part: float
    where: str
    reason: Both | None
    code: str
    next: Both | None
    shares: Sequence[Share]
    left: str
    steps: Sequence[Step]
    zero: float
    total: str
    others: Sequence[Other]
    rest: float
    short: Both | None


def receipt_of(place: int, answer: Answer, items: Mapping[str, Sequence[OpenItem]], *, mixed: bool) -> Receipt:
    """The receipt at its place in the statement, with its decision. `items` are the open items by order; `mixed` currencies are named."""
    told, match = answer.credit.receipt, answer.match
    steps, zero, total = _waterfall(match)
    held, given = match.held, sum((share.amount for share in match.shares), Decimal(0))
    others = [_other(one, items, told.currency) for one in match.runners_up]
    return Receipt(
        place=place,
        id=answer.credit.id,
        lane=match.lane,
        day=told.booked_on.isoformat(),
        payer=visible(told.payer_name or ""),
        account=visible(told.payer_account or ""),
        memo=_marked(told.memo, match.reasons),
        amount=formats.money(told.amount, told.currency) if mixed else formats.figure(told.amount, told.currency),
        orders=_orders(match.shares),
        probability=_percent(match.probability) if match.shares else "",
        part=round(match.probability * 100, 1) if match.shares else 0.0,
        where=f"{answer.credit.file} {answer.credit.pointer}".strip(),
        reason=Both(held.says, held.says_en) if held else None,
        code=held.code if held else "",
        next=words.NEXT.get(held.code, words.NEXT_ELSE) if held else None,
        shares=_shares(match, items, told.currency),
        left=formats.figure(told.amount - given, told.currency) if match.shares and given != told.amount else "",
        steps=steps,
        zero=zero,
        total=total,
        others=others,
        rest=round(max(0.0, 100 - (match.probability * 100 if match.shares else 0) - sum(one.wide for one in others)), 1),
        short=_short(match, told.currency),
    )


def _percent(part: float) -> str:
    return formats.percent(Decimal(repr(part)), Decimal(1))


def _orders(shares: Sequence[ShareOf]) -> str:
    orders = list(dict.fromkeys(share.order for share in shares))
    return f"{orders[0]} + {len(orders) - 1}" if len(orders) > 1 else "".join(orders)


def _shares(match: Match, items: Mapping[str, Sequence[OpenItem]], currency: str) -> list[Share]:
    shares = []
    for share in match.shares:
        item = next((one for one in items.get(share.order, ()) if one.receivable == share.receivable), None)
        before = item.open if item else None
        booked = share.booked_as or "difference"
        shares.append(
            Share(
                order=share.order,
                customer=(item.customer_name or item.customer or "") if item else "",
                due=item.due_on.isoformat() if item and item.due_on else "—",
                before=formats.figure(before, currency),
                now=formats.figure(share.amount, currency),
                after=formats.figure(None if before is None else before - share.amount - share.difference, currency),
                difference=formats.figure(share.difference, currency) if share.difference else "",
                booked_as=words.BOOKED_AS.get(booked, Both(booked, booked)) if share.difference else None,
            )
        )
    return shares


def _short(match: Match, currency: str) -> Both | None:
    """By how much the orders are settled short, or over."""
    difference = sum((share.difference for share in match.shares), Decimal(0))
    if not difference:
        return None
    written = formats.figure(abs(difference), currency)
    return Both(f"少 {written}", f"{written} short") if difference > 0 else Both(f"多 {written}", f"{written} over")


def _waterfall(match: Match) -> tuple[list[Step], float, str]:
    """The reasons as bars, each beginning where the one before ends; the place of zero; the sum of the weights."""
    ends = list(accumulate((one.weight for one in match.reasons), initial=0.0))
    low, high = min(ends), max(ends)
    scale = _WIDE / ((high - low) or 1.0)
    english = match.reasons_en or [one.says for one in match.reasons]
    steps = []
    for one, says_en, begin, end in zip(match.reasons, english, ends, ends[1:], strict=False):
        steps.append(
            Step(
                ladder=words.LADDERS.get(one.ladder, Both(one.ladder, one.ladder)),
                says=Both(one.says, says_en),
                weight=_signed(one.weight),
                x=round((min(begin, end) - low) * scale, 1),
                wide=round(abs(end - begin) * scale, 1),
                against=one.weight < 0,
            )
        )
    return steps, round(-low * scale, 1), _signed(ends[-1])


def _signed(weight: float) -> str:
    return f"{'−' if weight < 0 else '+'}{abs(weight):.1f}"


def _other(other: RunnerUp, items: Mapping[str, Sequence[OpenItem]], currency: str) -> Other:
    first = items.get(other.shares[0].order, ()) if other.shares else ()
    return Other(
        orders=_orders(other.shares),
        customer=(first[0].customer_name or first[0].customer or "") if first else "",
        amount=formats.figure(sum((share.amount for share in other.shares), Decimal(0)), currency),
        probability=_percent(other.probability),
        wide=round(other.probability * 100, 1),
        lost=Both(other.lost_because, other.lost_because_en or other.lost_because),
    )


def _marked(memo: str, reasons: Sequence[Reason]) -> Markup:
    """The memo with the spans that reasons rest on marked; spans that overlap are one."""
    spans = sorted({one.span for one in reasons if one.span and 0 <= one.span[0] < one.span[1] <= len(memo)})
    parts, at = [], 0
    for start, end in spans:
        if end > at:
            begin = max(start, at)
            parts += [escape(visible(memo[at:begin])), Markup("<mark>{}</mark>").format(visible(memo[begin:end]))]
            at = end
    return Markup("").join([*parts, escape(visible(memo[at:]))])


def visible(text: str) -> str:
    """The text without control characters, and without those that turn the reading direction and make a page lie."""
    return text if text.isprintable() else "".join(char for char in text if char.isprintable() or char.isspace())
