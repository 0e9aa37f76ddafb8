"""The overview's words, formats and sums."""

import re
import string
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub.console
from hub.console import format as formats
from hub.console.overview import by_lane
from hub.console.words import FACTS, WORDS
from hub.core.vocabulary import VOCABULARY

FOLDER = Path(hub.console.__file__).parent
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


def gaps(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}


def test_neither_language_lacks_a_word() -> None:
    """Every word is there twice, with the same gaps to fill, and is used."""
    zh, en = WORDS["zh"], WORDS["en"]
    pages = "".join(file.read_text(encoding="utf-8") for file in (FOLDER / "templates").iterdir())
    begun = set(re.findall(r't\(["\'](\w+_)["\'] ~', pages))

    assert set(zh) == set(en)
    for word in zh:
        assert gaps(zh[word]) == gaps(en[word])
        assert re.search(rf"""["']{word}["']""", pages) or any(word.startswith(start) for start in begun), word


def test_every_fact_has_a_name() -> None:
    """A new type of fact is named for people too."""
    assert set(FACTS) == set(VOCABULARY)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("128400", "CNY", "¥128,400.00"),
        ("-12000", "CNY", "−¥12,000.00"),
        ("9862.5", "USD", "US$9,862.50"),
        ("1500", "JPY", "JP¥1,500"),
        ("1.5", "CHF", "CHF 1.50"),
        (None, "CNY", "—"),
    ],
)
def test_money_is_written_out(amount: str | None, currency: str, shown: str) -> None:
    """With its sign, its separators and its currency's places."""
    assert formats.money(None if amount is None else Decimal(amount), currency) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        ("0", "0", "—"),
        ("0", "9", "0.0%"),
        ("1", "100000", "<0.1%"),
        ("99999", "100000", ">99.9%"),
        ("1", "3", "33.3%"),
        ("3", "3", "100.0%"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(part: str, whole: str, shown: str) -> None:
    """Almost all says so."""
    assert formats.percent(Decimal(part), Decimal(whole)) == shown


def test_times_are_the_companys() -> None:
    """Today's as a clock, others with their day; a bank's day is never shifted."""
    yesterday = datetime(2026, 11, 19, 15, 59, 59, tzinfo=UTC)

    assert formats.moment(NOW, NOW, SHANGHAI, "zh") == "14:00:00"
    assert formats.moment(yesterday, NOW, SHANGHAI, "zh") == "11-19 23:59"
    assert formats.moment(yesterday, NOW, SHANGHAI, "en") == "19 Nov 23:59"
    assert formats.today(NOW, SHANGHAI, "zh") == "11 月 20 日 周五" and formats.today(NOW, SHANGHAI, "en") == "Fri 20 Nov"
    assert formats.day(date(2026, 11, 20), "zh") == "2026-11-20" and formats.day(date(2026, 11, 20), "en") == "20 Nov 2026"
    assert formats.day(None, "zh") == formats.moment(None, NOW, SHANGHAI, "en") == "—"


rows = st.lists(
    st.fixed_dictionaries(
        {
            "lane": st.sampled_from(["auto", "review", "open", "new"]),
            "state": st.sampled_from(["new", "proposed", "matched", "rejected", "reversed"]),
            "currency": st.sampled_from(["CNY", "USD", "JPY"]),
            "count": st.integers(1, 10**6),
            "amount": st.decimals(0, 10**12, places=2),
        }
    )
)


@given(rows)
def test_no_receipt_is_lost_between_the_lanes(found: list[dict[str, object]]) -> None:
    """The lanes of a currency add up to it, and their bars lie side by side within the whole."""
    told = by_lane(found)

    assert sum(money.count for money in told) == sum(int(str(row["count"])) for row in found)
    for money in told:
        assert sum(lane.amount for lane in money.lanes) == money.amount
        assert sum(lane.count for lane in money.lanes) == money.count
        assert all(0 <= lane.begins <= 1000 and lane.width <= 1002 for lane in money.lanes)
        assert [lane.begins for lane in money.lanes] == sorted(lane.begins for lane in money.lanes)


def test_colours_and_sizes_stand_in_one_place() -> None:
    """The sheet uses names; only the tokens hold a colour or a size of type. All of it is small, and uses nothing new."""
    sheets = {
        name: (FOLDER / "static" / name).read_text(encoding="utf-8")
        for name in ("tokens.css", "dark.css", "console.css", "docs.css")
    }

    for name in ("console.css", "docs.css"):
        assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsl", sheets[name]), name
        assert not re.findall(r"font-size: [^v]", sheets[name]), name
    used = set(re.findall(r"var\((--[\w-]+)\)", "".join(sheets.values())))
    assert used <= set(re.findall(r"^\s*(--[\w-]+):", sheets["tokens.css"], re.M))
    assert set(re.findall(r"(--[\w-]+):", sheets["dark.css"])) <= set(re.findall(r"(--[\w-]+):", sheets["tokens.css"]))
    assert sum(len(sheet.encode()) for sheet in sheets.values()) < 40_000
    assert not re.findall(r":has\(|light-dark|color-mix|subgrid", "".join(sheets.values()))


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("sheet", ["tokens.css", "dark.css"])
def test_text_can_be_read(sheet: str) -> None:
    """Every text on every ground it is used on has a contrast of 4.5 (WCAG 2.2, 1.4.3)."""
    colours = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", (FOLDER / "static" / sheet).read_text(encoding="utf-8")))
    pairs = [(text, ground) for text in ("--text", "--text-2", "--text-3") for ground in ("--bg", "--surface", "--sunken")]
    pairs += [("--accent", "--surface"), ("--on-accent", "--accent"), ("--text", "--wait-soft"), ("--bad", "--surface")]
    pairs += [(f"--{state}", f"--{state}-soft") for state in ("ok", "wait", "bad", "mute")]

    for text, ground in pairs:
        light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
