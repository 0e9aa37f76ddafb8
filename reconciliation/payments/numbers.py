"""The document numbers that a memo names, found by the shapes of the tenant's own numbers and repaired where they suffered."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from rapidfuzz.distance import OSA

from reconciliation.payments.book import TAIL, Book
from reconciliation.payments.text import compact, fold

EXACT, BARE, SLIP, END, AGAIN, STRANGE = "exact", "bare", "slip", "end", "again", "strange"

_CHAIN = re.compile(r"(?P<lead>[A-Z]{0,8})[\s\-_.:#]{0,2}(?P<digits>\d+(?:[\s\-_.\u2013\u2014]{1,2}\d+)*)")
_ZERO = re.compile(r"(?<=[\d-])O+(?=\d)")
_ONE = re.compile(r"(?<=\d)[IL](?=\d)")
_RUN = re.compile(r"\d+")
_PHONE = re.compile(r"1[3-9]\d{9}")
_DAY = re.compile(r"20[0-4]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_IS_MONEY = re.compile(r"^\s*(?:元|万|块|圆|%|‰|RMB|CNY|USD|美元)|^\.\d{2}(?!\d)")
_NOT_OURS = re.compile(
    r"(?:¥|￥|RMB|人民币|金额|邮编|邮政编码|回单|凭证|票据号|税号|流水|流水号|电话|手机|TEL|账号|帐号|卡号|身份证|统一社会信用代码)[:\s]*$"
)
_RANGE = re.compile(r"^\s*(?P<joint>[-~～至到、/,，])\s*(?P<next>\d{1,5})(?!\d)")
_ALNUM = re.compile(r"[A-Z0-9][A-Z0-9\-_./]{3,}[A-Z0-9]")


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A number that a text names, how well it fits one of ours, and where it stands. `number` is compact; several may fit an end."""

    level: str
    numbers: tuple[str, ...]
    text: str
    span: tuple[int, int]


def named(memo: str, book: Book) -> tuple[Named, ...]:
    """Every number of ours that the memo names, and what looks like one of ours but is not known."""
    text = _ONE.sub("1", _ZERO.sub(lambda found: "0" * len(found[0]), fold(memo)))
    found: list[Named] = []
    for chain in _CHAIN.finditer(text):
        is_money = not chain["lead"] and _IS_MONEY.search(text[chain.end() :])
        if not is_money and not _NOT_OURS.search(text[: chain.start()]):
            found.extend(_in_chain(text, chain, book))
    sure = [one.span for one in found if one.level in (EXACT, AGAIN)]
    other = [one.span for one in found if one.level not in (EXACT, AGAIN)]
    for token in _ALNUM.finditer(text):
        number = compact(token[0])
        if _overlaps(token.span(), sure):
            continue
        if number in book.by_number:
            found.append(Named(level=EXACT, numbers=(number,), text=token[0], span=token.span()))
        elif not _overlaps(token.span(), other) and book.looks_like_ours(number) and not _NOT_OURS.search(text[: token.start()]):
            found.append(Named(level=STRANGE, numbers=(), text=token[0], span=token.span()))
    return _clean(found)


def _overlaps(span: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in others)


def _clean(found: list[Named]) -> tuple[Named, ...]:
    """Each number once, at its best; a weak reading that lies within a better one is dropped."""
    rank = {EXACT: 0, AGAIN: 0, BARE: 1, SLIP: 2, END: 3, STRANGE: 4}
    best: list[Named] = []
    for one in sorted(found, key=lambda one: (rank[one.level], one.span)):
        overlaps = any(
            other.span[0] < one.span[1] and one.span[0] < other.span[1] and other.level != STRANGE and other.span != one.span
            for other in best
        )
        if not overlaps and not any(other.numbers == one.numbers and other.numbers for other in best):
            best.append(one)
    return tuple(sorted(best, key=lambda one: one.span))


def _in_chain(text: str, chain: re.Match[str], book: Book) -> Iterator[Named]:
    """The numbers in digits that stand together, possibly cut by separators, possibly after letters."""
    offset = chain.start("digits")
    runs = [(run.start() + offset, run.end() + offset) for run in _RUN.finditer(chain["digits"])]
    place = 0
    while place < len(runs):
        for size in range(min(4, len(runs) - place), 0, -1):
            start, end = runs[place][0], runs[place + size - 1][1]
            digits = "".join(text[first:last] for first, last in runs[place : place + size])
            lead = chain["lead"] if place == 0 else ""
            one = _known(digits, lead, book)
            if one is not None:
                begin = chain.start("lead") if lead and one[0] != BARE else start
                yield Named(level=one[0], numbers=one[1], text=text[begin:end], span=(begin, end))
                yield from _listed(text, end, one[1][0], book)
                break
        else:
            size = 1
            yield from _guessed(text, chain, runs[place:], "" if place else chain["lead"], book)
        place += size


def _known(digits: str, lead: str, book: Book) -> tuple[str, tuple[str, ...]] | None:
    """The number that these digits are, with its letters or without."""
    for length in range(len(lead) + 1):
        number = lead[length:] + digits
        if (lead[length:] or length == len(lead) == 0) and number in book.by_number:
            return EXACT, (number,)
        if lead[length:] and number in book.settled:
            return AGAIN, (number,)
    known = [number for number in book.with_digits(digits) if len(digits) >= TAIL]
    open_ones = tuple(number for number in known if number in book.by_number)
    if open_ones:
        return BARE, open_ones
    return (AGAIN, tuple(known)) if known else None


def _listed(text: str, end: int, number: str, book: Book) -> Iterator[Named]:
    """What follows a number in short: `1001/1003` and `1001-1003` name 1003 by its last digits."""
    previous = number
    while found := _RANGE.match(text[end:]):
        digits = found["next"]
        last = number[: len(number) - len(digits)] + digits
        between = _between(previous, last, len(digits)) if found["joint"] in "-~～至到" else []
        span = (end + found.start("next"), end + found.end("next"))
        for each in (*between, last):
            if each in book.by_number:
                yield Named(level=EXACT, numbers=(each,), text=text[slice(*span)], span=span)
        previous, end = last, span[1]


def _between(first: str, last: str, size: int) -> list[str]:
    low, high = int(first[-size:]), int(last[-size:])
    return [f"{first[:-size]}{each:0{size}d}" for each in range(low + 1, high)] if 0 < high - low <= 20 else []


def _guessed(text: str, chain: re.Match[str], runs: list[tuple[int, int]], lead: str, book: Book) -> Iterator[Named]:
    """A number with one slip, a number's end, or a number of our shape that nobody knows."""
    for size in range(min(4, len(runs)), 0, -1):
        start, end = runs[0][0], runs[size - 1][1]
        digits = "".join(text[first:last] for first, last in runs[:size])
        if not lead and (_PHONE.fullmatch(digits) or _DAY.fullmatch(digits) or len(digits) in (15, 18)):
            continue
        near = _slipped(digits, lead, book)
        if near:
            begin = chain.start("lead") if lead else start
            yield Named(level=SLIP, numbers=near, text=text[begin:end], span=(begin, end))
            return
        ends = tuple(number for number in book.with_tail(digits) if number in book.by_number) if len(digits) >= TAIL else ()
        if not ends and lead and end == len(text.rstrip()):
            ends = book.starting(lead, digits)
            lead = "" if ends else lead
        if ends and not lead:
            yield Named(level=END, numbers=ends, text=text[start:end], span=(start, end))
            return
        if lead and book.looks_like_ours(lead + digits):
            yield Named(level=STRANGE, numbers=(), text=text[chain.start("lead") : end], span=(chain.start("lead"), end))
            return


def _slipped(digits: str, lead: str, book: Book) -> tuple[str, ...]:
    """Open numbers that differ by one wrong, lost, doubled or swapped digit."""
    result: dict[str, None] = {}
    for prefix, length in sorted(book.shapes):
        if abs(length - len(digits)) > 1 or length < TAIL + 2 or (lead and prefix and prefix != lead):
            continue
        for number in book.near(digits, length):
            if (
                number in book.by_number
                and len(number) == len(prefix) + length
                and OSA.distance(digits, number[len(prefix) :], score_cutoff=1) <= 1
            ):
                result[number] = None
    return tuple(sorted(result))
