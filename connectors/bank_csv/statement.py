"""A file's table as statements and rows: one statement for each account and currency, then one raw a row, oldest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice, pairwise

import msgspec

from hub.sdk import Raw, Row, Unreadable, derive, digest, minor_units

from . import cells as read
from .entry import Entry, parse_entry
from .profiles import Header
from .rows import Preamble, booked_rows, read_preamble

PARSER = "bank_csv/1"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A row that books something: its cells by name, and what they say, or why they cannot be read."""

    row: Row
    cells: Mapping[str, str]
    extra: tuple[str, ...]
    account: str
    currency: str
    entry: Entry | None


def raws(rows: Sequence[Row], header: Header, *, name: str, file_digest: str, account: str, currency: str) -> Iterator[Raw]:
    """The statements and rows below `header`, the rows oldest first. `account` and `currency` stand in where the file does not tell them."""
    preamble = read_preamble(rows[: header.index])
    fallback = preamble.account or read.account_number(account)
    money = preamble.currency or currency
    lines = [
        _line(row, header, account=fallback, currency=money, known=bool(preamble.account)) for row in booked_rows(rows, header)
    ]
    _refuse_without_direction(lines, header)
    keys = _keys(lines, header.profile.name)
    common = {"file": name[:200], "sha256": file_digest, "parser": PARSER, "profile": header.profile.name}
    groups: dict[tuple[str, str], list[int]] = {}
    for place, line in enumerate(lines):
        groups.setdefault((line.account, line.currency), []).append(place)
    for whose, places in (groups or {(fallback, money): []}).items():
        mine, theirs = [lines[place] for place in places], [keys[place] for place in places]
        yield _statement(whose, mine, theirs, preamble=preamble, profile=header.profile.name, headers=common)
    undone = _undone(lines)
    for place in _told_in_order(_in_time_order(lines), undone):
        line = lines[place]
        headers = common | {"line": str(line.row.line)}
        if place in undone:
            headers["undoes"] = keys[undone[place]]
        yield Raw(stream="row", key=keys[place], body=_body(line, header.profile.name), headers=headers, door="file")


def _told_in_order(order: Sequence[int], undone: Mapping[int, int]) -> Iterator[int]:
    """Oldest first, and what is taken back before the line that takes it back: a reversal of what nobody knows would be lost."""
    waiting: dict[int, list[int]] = {}
    told: set[int] = set()
    for place in order:
        if place in undone and undone[place] not in told:
            waiting.setdefault(undone[place], []).append(place)
            continue
        for one in (place, *waiting.pop(place, ())):
            told.add(one)
            yield one


# --- the lines ---------------------------------------------------------------------------------------------------


def _line(row: Row, header: Header, *, account: str, currency: str, known: bool) -> Line:
    width = len(header.names)
    padded = [*row.cells, *[""] * (width - len(row.cells))]
    cells = {name: read.tidy(cell) for name, cell in zip(header.names, padded, strict=False) if name}
    extra = tuple(text for cell in row.cells[width:] if (text := read.tidy(cell)))
    entry: Entry | None = None
    try:
        entry = None if extra else parse_entry(cells, header.profile, currency=currency, line=str(row.line))
    except Unreadable as problem:
        if problem.rule == "lost digits":
            raise  # the file was saved by a spreadsheet program: every row of it is in doubt
    own = entry.account if entry else ""
    # An account column speaks for its row; the side that is ours (BOC) only where nothing above the header named the account.
    whose = own if own and ("account" in header.columns or not known) else account
    return Line(row=row, cells=cells, extra=extra, account=whose, currency=entry.currency if entry else currency, entry=entry)


def _refuse_without_direction(lines: Sequence[Line], header: Header) -> None:
    """Refuse a file of an unknown bank whose one amount column shows no sign: it could be money in or out, and a guess moves money."""
    if header.profile.signed or any(role in header.columns for role in ("debit", "credit", "direction")):
        return
    entries = [line.entry for line in lines if line.entry]
    if entries and not any(entry.amount < 0 for entry in entries) and not Balances.of(entries).balanced:
        raise Unreadable(
            happened="the amounts have no sign and no column says which way the money went",
            next="tell the connection's setting `columns` which column is the direction (借贷标志), or which the money in and which out",
            rule="no direction",
            pointer=f"line {lines[0].row.line}",
        )


# --- the raws ----------------------------------------------------------------------------------------------------


def _body(line: Line, profile: str) -> bytes:
    """The row in canonical JSON. File and line are headers: the same row in another file is the same row."""
    told: dict[str, object] = {"account": line.account, "cells": line.cells, "currency": line.currency, "profile": profile}
    if line.extra:
        told["extra"] = line.extra
    return msgspec.json.encode(told, order="sorted")


def _keys(lines: Sequence[Line], profile: str) -> list[str]:
    """One key a row. The bank's number where there is one, else a fingerprint and its occurrence in the day, counted in time's order."""
    counted: Counter[str] = Counter()
    keys = [""] * len(lines)
    for place in _in_time_order(lines):
        keys[place] = _key(lines[place], counted)
    bodies: dict[str, set[bytes]] = {}
    for line, key in zip(lines, keys, strict=True):
        bodies.setdefault(key, set()).add(_body(line, profile))
    # A bank's number that is not unique: what shares a key and differs gets told apart by all it says, wherever it stands in the file.
    clashing = {key for key, different in bodies.items() if len(different) > 1}
    return [
        f"{key}/{digest(_body(line, profile))[:12]}" if key in clashing else key for line, key in zip(lines, keys, strict=True)
    ]


def _key(line: Line, counted: Counter[str]) -> str:
    account = line.account or "unknown"
    if line.entry is None:
        return f"{account}/unread/{digest(msgspec.json.encode([line.cells, line.extra], order='sorted'))[:24]}"
    if line.entry.serial:
        return f"{account}/{line.entry.serial[:80]}/{line.entry.fingerprint(with_text=False)}"
    print_ = line.entry.fingerprint(with_text=True)
    counted[f"{account}/{print_}"] += 1
    return f"{account}/{line.entry.booked_on.isoformat()}/{print_}/{counted[f'{account}/{print_}']}"


def _in_time_order(lines: Sequence[Line]) -> list[int]:
    """The places of the lines, oldest first, if the file runs backwards."""
    forwards = list(range(len(lines)))
    entries = [line.entry for line in lines if line.entry]
    if len(entries) < 2:
        return forwards
    first, last = entries[0], entries[-1]
    backwards = (
        (first.booked_on, first.at) > (last.booked_on, last.at) if first.at and last.at else first.booked_on > last.booked_on
    )
    if (first.booked_on, first.at) == (last.booked_on, last.at):
        backwards = Balances.of(entries).order == "descending"
    return forwards[::-1] if backwards else forwards


def _undone(lines: Sequence[Line]) -> dict[int, int]:
    """For a reversal of money in, the place of the receipt it takes back, where exactly one row of the file can be meant."""
    receipts: dict[object, list[int]] = {}
    for place, line in enumerate(lines):
        if line.entry and line.entry.amount > 0 and not line.entry.undoes:
            receipts.setdefault(_side(line, line.entry, line.entry.amount), []).append(place)
    found: dict[int, int] = {}
    taken: set[int] = set()
    for place, line in enumerate(lines):
        entry = line.entry
        if entry is None or not entry.undoes or entry.amount >= 0:
            continue
        same = (other for other in receipts.get(_side(line, entry, -entry.amount), ()) if other not in taken)
        meant = list(islice((other for other in same if _day(lines[other]) <= entry.booked_on), 2))
        if len(meant) == 1:
            taken.add(meant[0])
            found[place] = meant[0]
    return found


def _side(line: Line, entry: Entry, amount: Decimal) -> object:
    return line.account, entry.currency, amount, entry.party_account, read.folded(entry.party_name)


def _day(line: Line) -> date:
    return line.entry.booked_on if line.entry else date.max


def _each_once(lines: Sequence[Line], keys: Sequence[str], profile: str) -> list[Line]:
    """The lines without those that the file prints twice: same key, same cells."""
    return list({(key, _body(line, profile)): line for line, key in zip(reversed(lines), reversed(keys), strict=True)}.values())[
        ::-1
    ]


# --- the statement -----------------------------------------------------------------------------------------------


class Balances(msgspec.Struct, frozen=True, kw_only=True):
    """What the running balances say: opening, closing, and whether every row leads from one to the next."""

    opening: Decimal | None = None
    closing: Decimal | None = None
    balanced: bool | None = None
    order: str = ""

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Balances:
        """Oldest first or newest first as the days tell, or, all on one day, whichever has fewer breaks.

        `balanced` is none where there are no balances to go by.
        """
        if not entries or any(entry.balance is None for entry in entries):
            return cls()
        first_day, last_day = entries[0].booked_on, entries[-1].booked_on
        told = {"ascending": first_day <= last_day, "descending": first_day >= last_day}
        breaks = {order: _breaks(entries[:: -1 if order == "descending" else 1]) for order, possible in told.items() if possible}
        order = min(breaks, key=lambda name: breaks[name])
        first, last = (entries[0], entries[-1]) if order == "ascending" else (entries[-1], entries[0])
        opening = first.balance - first.amount if first.balance is not None else None
        return cls(opening=opening, closing=last.balance, balanced=breaks[order] == 0, order=order)


def _breaks(entries: Sequence[Entry]) -> int:
    """How many rows do not lead from the balance before to their own."""
    return sum(
        1 for before, after in pairwise(entries) if before.balance is None or after.balance != before.balance + after.amount
    )


def _statement(
    whose: tuple[str, str],
    lines: Sequence[Line],
    keys: Sequence[str],
    *,
    preamble: Preamble,
    profile: str,
    headers: Mapping[str, str],
) -> Raw:
    account, currency = whose
    lines = _each_once(lines, keys, profile)
    entries = [line.entry for line in lines if line.entry]
    balances = Balances.of(entries)
    days = [entry.booked_on for entry in entries]
    period = preamble.period or ((min(days), max(days)) if days else None)
    balanced = balances.balanced
    if len(entries) < len(lines):
        balanced = False if balanced is False else None  # a row whose amount is not known leaves the sum open
    none = Decimal(0).scaleb(-minor_units(currency))
    told = {
        "account": account,
        "balanced": balanced,
        "closing": balances.closing,
        "credits": sum((entry.amount for entry in entries if entry.amount > 0), none),
        "currency": currency,
        "debits": -sum((entry.amount for entry in entries if entry.amount < 0), none),
        "from": period[0] if period else None,
        "opening": balances.opening,
        "profile": profile,
        "rows": len(lines),
        "to": period[1] if period else None,
    }
    body = msgspec.json.encode(told, order="sorted")
    # The same rows under another name, in another order or file type are the same statement.
    key = derive("stm", account, currency, str(period), *sorted(set(keys)))
    return Raw(stream="statement", key=key, body=body, headers=headers, door="file")
