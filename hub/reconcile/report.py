"""The report: one page that opens anywhere, asks no server, runs no script and is the same for the same files."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from importlib.resources import files

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from hub import __version__
from hub.console import format as formats
from hub.reconcile import words
from hub.reconcile.page import Receipt, receipt_of
from hub.reconcile.run import LANES, Answer, Result
from hub.reconcile.words import Both

_STYLE = ("tokens.css", "dark.css")
_LARGEST = 10


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """A lane with what is in it. `sums` are one a currency, `share` is of the receipts' number."""

    name: str
    title: Both
    says: Both
    receipts: Sequence[Receipt]
    sums: Sequence[str]
    share: str


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What stopped some receipts, and how many."""

    code: str
    says: Both
    count: int


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Differences that are booked as one thing."""

    says: Both
    count: int
    amount: str


def report(result: Result) -> str:
    """The page as HTML: everything in it is escaped, its style is inside, and its policy lets nothing else in."""
    history = result.history
    currencies = {one.credit.receipt.currency for one in result.answers}
    mixed = len(currencies) > 1
    receipts = _receipts(result, mixed=mixed)
    by_id = dict(zip((id(one) for one in result.answers), receipts, strict=True))
    lanes = [_lane(name, result, [by_id[id(one)] for one in result.of(name)]) for name in LANES]
    waiting = [one for one in result.answers if one.match.lane != "auto"]
    waiting.sort(key=lambda one: -one.credit.receipt.amount)
    page = _environment().get_template("report.html")
    return page.render(
        result=result,
        lanes=lanes,
        causes=_causes(result.answers),
        kept=_kept(result.answers),
        largest=[by_id[id(one)] for one in waiting[:_LARGEST]],
        total=_sums(result.answers),
        unit=None if mixed else next(iter(currencies), "CNY"),
        unread=_unread(result),
        read=[(Both("订单表", "order book"), result.book.columns), (Both("历史", "history"), history.columns if history else {})],
        title=", ".join(result.bank.files),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("hub.reconcile"), PackageLoader("hub.console")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    static = files("hub.console") / "static"
    tokens, dark = (_small((static / name).read_text(encoding="utf-8")) for name in _STYLE)
    own = _small((files("hub.reconcile") / "templates" / "report.css").read_text(encoding="utf-8"))
    environment.globals |= {
        "tokens": Markup(tokens),  # noqa: S704 - our own files
        "dark": Markup(dark),  # noqa: S704
        "style": Markup(own),  # noqa: S704
        "both": _both,
        "figure": formats.figure,
        "money": formats.money,
        "count": formats.count,
        "words": words,
        "Both": Both,
        "version": __version__,
    }
    return environment


def _small(css: str) -> str:
    return re.sub(r"\s*\n\s*", "", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))


def _both(said: Both) -> Markup:
    """Both languages, one of which the page hides; once where they are the same."""
    if said.zh == said.en:
        return escape(said.zh)
    return Markup("<i lang=zh>{}</i><i lang=en>{}</i>").format(said.zh, said.en)


def _receipts(result: Result, *, mixed: bool) -> list[Receipt]:
    items = defaultdict(list)
    for item in result.book.items:
        items[item.order].append(item)
    return [receipt_of(place, answer, items, mixed=mixed) for place, answer in enumerate(result.answers, start=1)]


def _lane(name: str, result: Result, receipts: Sequence[Receipt]) -> Lane:
    share = formats.percent(Decimal(len(receipts)), Decimal(len(result.answers)))
    return Lane(
        name=name,
        title=words.LANES[name],
        says=words.LANES_SAY[name],
        receipts=receipts,
        sums=_sums(result.of(name)),
        share=share,
    )


def _sums(answers: Iterable[Answer]) -> list[str]:
    """The amounts, one a currency: they are never added up across currencies."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in answers:
        sums[one.credit.receipt.currency] += one.credit.receipt.amount
    return [formats.money(amount, currency) for currency, amount in sorted(sums.items())]


def _causes(answers: Iterable[Answer]) -> list[Cause]:
    """What stopped receipts, the most frequent first."""
    held = Counter((one.match.held.code, one.match.held.says, one.match.held.says_en) for one in answers if one.match.held)
    return [Cause(code=code, says=Both(zh, en), count=count) for (code, zh, en), count in held.most_common()]


def _kept(answers: Iterable[Answer]) -> list[Kept]:
    """What automatic matches are settled short by, for the books."""
    kept: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for one in answers:
        for share in one.match.shares if one.match.lane == "auto" else ():
            if share.difference:
                kept[share.booked_as or "difference", one.credit.receipt.currency].append(share.difference)
    return [
        Kept(
            says=words.BOOKED_AS.get(name, Both(name, name)),
            count=len(all_),
            amount=formats.money(sum(all_, Decimal(0)), currency),
        )
        for (name, currency), all_ in sorted(kept.items())
    ]


def _unread(result: Result) -> list[tuple[str, str, str, str]]:
    """File, place, what happened and what to do, of every line that was left out."""
    book, history = Both("订单表", "order book").zh, "历史"
    rows = [*result.bank.unread, *((book, one) for one in result.book.unread)]
    rows += [(history, one) for one in result.history.unread] if result.history else []
    return [(file, one.pointer, one.happened, one.next) for file, one in rows]
