"""The banks' layouts, read from `profiles.toml`, and how a header row finds its own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from hub.sdk import Misconfigured
from hub.sdk import cells as read

HEADER_WITHIN = 40
_MONEY = ("debit", "credit", "amount")


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, eq=False):
    """One layout. `signed`: the amount carries its own sign; `positive` says what a plus means.

    `unless` are column names that tell of something else, such as a wallet's bill. `yearless`: days are month and day, and
    the year stands in the title. `neither` are words in the column of the direction for what moves nothing.
    """

    name: str
    bank: str
    bank_name: str
    confirmed: Literal["files", "parts"]
    columns: Mapping[str, tuple[str, ...]]
    signature: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    signed: bool = False
    positive: Literal["in", "out"] = "in"
    day_first: bool = False
    yearless: bool = False
    neither: tuple[str, ...] = ()

    def fits(self, names: tuple[str, ...]) -> bool:
        """Whether a header row of these names is of this layout."""
        return _fits(self, names)

    def find(self, names: tuple[str, ...]) -> Mapping[str, tuple[int, ...]]:
        """Which columns hold what: the first name that is there, for the memo every one."""
        return _find(self, names)


# A file's rows all have the same names: what was found for one holds for all. Profiles are told apart by identity.


@lru_cache(maxsize=512)
def _fits(profile: Profile, names: tuple[str, ...]) -> bool:
    if any(read.header_name(name) in names for name in profile.unless):
        return False
    if profile.signature:
        return all(read.header_name(name) in names for name in profile.signature)
    found = _find(profile, names)
    return "date" in found and any(role in found for role in _MONEY)


@lru_cache(maxsize=512)
def _find(profile: Profile, names: tuple[str, ...]) -> Mapping[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for role, aliases in profile.columns.items():
        places = [names.index(wanted) for wanted in map(read.header_name, aliases) if wanted in names]
        # One column is not both the day and the time.
        places = [place for place in places if role != "time" or place not in found.get("date", ())]
        if places:
            found[role] = tuple(places) if role == "memo" else (places[0],)
    return found


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A header row that was found: its place in the table, its profile, its names (unique) and what they hold.

    `until` is the year and month that the title names, for a layout whose days have no year.
    """

    index: int
    profile: Profile
    names: tuple[str, ...]
    columns: Mapping[str, tuple[int, ...]]
    until: tuple[int, int] | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """The names of the columns that have one."""
        return tuple(name for name in self.names if name)


@cache
def profiles() -> tuple[Profile, ...]:
    """All layouts, the most particular first."""
    text = Path(__file__).with_name("profiles.toml").read_text(encoding="utf-8")
    found = msgspec.convert(tomllib.loads(text)["profile"], tuple[Profile, ...])
    return tuple(sorted(found, key=lambda profile: -len(profile.signature)))


def chosen(name: str, columns: Mapping[str, object]) -> tuple[Profile, ...]:
    """The layouts to try: a connection's own columns first, then the named one, or all. Raises `Misconfigured`."""
    own: tuple[Profile, ...] = ()
    if columns:
        named = {role: tuple(value) if isinstance(value, list) else (str(value),) for role, value in columns.items()}
        own = (
            Profile(
                name="own",
                bank="",
                bank_name="set for this connection",
                confirmed="files",
                columns=named,
                signed="direction" not in named,
            ),
        )
    wanted = tuple(profile for profile in profiles() if not name or profile.name == name)
    if not wanted:
        known = ", ".join(sorted({profile.name for profile in profiles()}))
        raise Misconfigured(
            happened="there is no such bank layout", next=f"choose one of {known}, or leave it empty", profile=name
        )
    return own + wanted


def unique_names(cells: Sequence[str]) -> tuple[str, ...]:
    """The header's names as compared, a second column of the same name numbered, so that no cell hides another."""
    seen: dict[str, int] = {}
    names = []
    for cell in cells:
        name = read.header_name(cell)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 or not name else f"{name}#{seen[name]}")
    return tuple(names)


def find_header(rows: Sequence[Sequence[str]], among: Sequence[Profile]) -> Header | None:
    """The header row among the first 40, with the profile of the longest signature that fits; `None` where no row is one."""
    for index, row in enumerate(rows[:HEADER_WITHIN]):
        names = unique_names(row)
        if sum(1 for name in names if name) < 3:
            continue
        for profile in among:
            if profile.fits(names):
                until = _month_of(rows[:index]) if profile.yearless else None
                columns = _with_account(profile.find(names), rows[index + 1 : HEADER_WITHIN])
                return Header(index=index, profile=profile, names=names, columns=columns, until=until)
    return None


def _with_account(columns: Mapping[str, tuple[int, ...]], below: Sequence[Sequence[str]]) -> Mapping[str, tuple[int, ...]]:
    """The columns, with a number that may be either side's as our account where every row has the same."""
    if "account" in columns or "account_if_same" not in columns:
        return columns
    place = columns["account_if_same"][0]
    seen = [row[place].strip() for row in below if place < len(row)]
    return {**columns, "account": (place,)} if len(seen) > 1 and len(set(seen)) == 1 else columns


def _month_of(title: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """The year and month that a bill's title names, such as 2024年01月."""
    found = re.search(r"(\d{4})\s*年\s*(\d{1,2})\s*月", " ".join(cell for row in title for cell in row))
    return (int(found[1]), int(found[2])) if found else None
