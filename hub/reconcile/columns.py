"""Which column of a table is what: found by its name, Chinese or English; what is needed and not found is asked for by name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from hub.cells import tidy
from hub.core.errors import Unreadable
from hub.tables import Row, check_table, decode_text, is_spreadsheet, sheets, text_rows

_WITHIN = 40
_DELIMITERS = (",", "\t", ";", "|")
_ASIDE = re.compile(r"[(\[【].*?[)\]】]|[\s_\-.:：#*/]+")


class Role(msgspec.Struct, frozen=True):
    """What a column can be: the names it goes by, and a pattern for names like them. Earlier roles choose first."""

    name: str
    names: tuple[str, ...]
    like: str


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The rows below a header, and where each role stands in them."""

    what: str
    header: Row
    rows: tuple[Row, ...]
    places: Mapping[str, int]

    def cell(self, row: Row, role: str) -> str:
        place = self.places.get(role, -1)
        return tidy(row.cells[place]) if 0 <= place < len(row.cells) else ""

    def title(self, role: str) -> str:
        return tidy(self.header.cells[self.places[role]])

    def filled(self) -> Iterator[Row]:
        """The rows that say something: neither blank, nor the header again, nor a sum below the table."""
        names = [tidy(cell) for cell in self.header.cells]
        for row in self.rows:
            written = [text for cell in row.cells if (text := tidy(cell))]
            if not written or [tidy(cell) for cell in row.cells] == names:
                continue
            if (
                re.match(r"(?:合|总|小)\s*计|(?:sub|grand )?total\b", written[0], re.IGNORECASE)
                and len(written) * 2 <= len(names) + 1
            ):
                continue
            yield row


def read_table(
    body: bytes, roles: Sequence[Role], *, what: str, option: str, named: Mapping[str, str], needed: Sequence[Sequence[str]]
) -> Table:
    """The table in a CSV, XLS or XLSX file.

    `named` tells columns by name, before any guess. Of each group in `needed` one role must be found; `option` is how the
    person names a column. Raises `Unreadable` with what was found and what to write.
    """
    check_table(body)
    _check_named(roles, named, option)
    best: Table | None = None
    for rows in _tables(body):
        for place, row in enumerate(rows[:_WITHIN]):
            places = _places(row, roles, named)
            if len(places) >= 2 and (best is None or len(places) > len(best.places)):
                best = Table(what=what, header=row, rows=tuple(rows[place + 1 :]), places=places)
    if best is None:
        raise _no_header(body, roles, what, option, needed)
    for role, name in named.items():
        if role not in best.places:
            raise Unreadable(
                happened=f"the {what} has no column {name!r}",
                next=f"name {role} as one of these columns: {_titles(best.header)}",
                rule="column",
                pointer=f"line {best.header.line}",
            )
    for group in needed:
        if not any(role in best.places for role in group):
            raise _missing(best, group, option)
    return best


def _tables(body: bytes) -> Iterator[Sequence[Row]]:
    if is_spreadsheet(body):
        yield from (rows for _, rows in sheets(body))
        return
    text = decode_text(body)
    head = text[:20_000]
    first, *others = sorted((one for one in _DELIMITERS if one in head), key=head.count, reverse=True) or [","]
    yield tuple(text_rows(text, first))
    for delimiter in others:  # amounts may hold more commas than there are columns
        with suppress(Unreadable):
            yield tuple(text_rows(text, delimiter))


def _key(name: str) -> str:
    """A column's name as it is compared: NFKC, lower case, without blanks, units and notes in brackets."""
    return _ASIDE.sub("", unicodedata.normalize("NFKC", tidy(name))).casefold()


def _places(row: Row, roles: Sequence[Role], named: Mapping[str, str]) -> dict[str, int]:
    """Where each role stands: as it was named, else under one of its names, else under the only name like them."""
    keys = [_key(cell) for cell in row.cells]
    places: dict[str, int] = {}
    for word, name in named.items():
        if _key(name) in keys:
            places[word] = keys.index(_key(name))
    for role in roles:
        if role.name not in named:
            known = [_key(name) for name in role.names]
            hits = sorted(
                (known.index(key), place) for place, key in enumerate(keys) if key in known and place not in places.values()
            )
            if hits:
                places[role.name] = hits[0][1]
    for role in roles:
        if role.name not in named and role.name not in places:
            like = [place for place, key in enumerate(keys) if place not in places.values() and key and re.search(role.like, key)]
            if len(like) == 1:
                places[role.name] = like[0]
    return places


def _titles(header: Row) -> str:
    return " · ".join(text for cell in header.cells if (text := tidy(cell)))[:400]


def _check_named(roles: Sequence[Role], named: Mapping[str, str], option: str) -> None:
    unknown = sorted(set(named) - {role.name for role in roles})
    if unknown:
        raise Unreadable(
            happened=f"there is no column word {unknown[0]!r}",
            next=f"use {option} with one of " + ", ".join(role.name for role in roles),
            rule="column",
        )


def _missing(table: Table, group: Sequence[str], option: str) -> Unreadable:
    found = ", ".join(f"{role} = {table.title(role)}" for role in table.places)
    return Unreadable(
        happened=f"the {table.what} lacks a column for {' or '.join(group)}; found were {found}",
        next=f"name it, for instance {option}{group[0]}=剩余, as one of these columns: {_titles(table.header)}",
        rule="column",
        pointer=f"line {table.header.line}",
    )


def _no_header(body: bytes, roles: Sequence[Role], what: str, option: str, needed: Sequence[Sequence[str]]) -> Unreadable:
    widest = max(
        (row for rows in _tables(body) for row in rows[:_WITHIN]), key=lambda row: sum(map(bool, row.cells)), default=None
    )
    words = " ".join(f"{option}{group[0]}=…" for group in needed)
    return Unreadable(
        happened=f"none of the first {_WITHIN} rows of the {what} has column names that are known",
        next=f"name the columns that are needed: {words}" + (f"; the widest row is: {_titles(widest)}" if widest else ""),
        rule="no header",
        pointer=f"line {widest.line}" if widest else "",
    )
