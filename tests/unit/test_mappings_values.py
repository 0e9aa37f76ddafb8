"""Values stay what they were: JSON, numbers, days and texts are read exactly or not at all."""

from __future__ import annotations

import contextlib
import json
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import Unreadable
from mappings import load_map, parse_json
from mappings.paths import BadPath, Path, Scope, parse_path, quoted, reader
from mappings.values import MISSING


def one(rule: str, value: Any, *, head: str = "") -> Any:
    """The result of one rule for one value at `x`; `None` where it is missing."""
    field_map = load_map(f'name = "t"\ntarget = "t/t"\n{head}\n[fields]\ny = {rule}\n')
    return field_map.apply({"x": value}).data.get("y")


def refusal(rule: str, value: Any, *, head: str = "") -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        one(rule, value, head=head)
    return caught.value


# --- JSON --------------------------------------------------------------------------------------------------------


@given(st.integers(-(10**40), 10**40))
def test_integers_of_any_length_survive(number: int) -> None:
    """A 20-digit id is the same id after JSON and after the map, as a number and as a text."""
    record = parse_json(json.dumps({"x": number}))

    assert record["x"] == number
    assert one('{ from = "x", as = "text" }', record["x"]) == str(number)
    assert one('{ from = "x", as = "integer" }', record["x"]) == number


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**30), max_value=10**30))
def test_decimals_survive_with_every_digit(number: Decimal) -> None:
    """A decimal in JSON, as a number or as a text, comes out equal, with the zeros it was written with."""
    written = f"{number:f}"
    for body in (f'{{"x": {written}}}', f'{{"x": "{written}"}}'):
        result = one('{ from = "x", as = "decimal" }', parse_json(body)["x"])
        assert result == number
        assert f"{result:f}" == written


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\\ud800"}',
        b'{"a": "x\\u0000"}',
        b'{"\\u0000": 1}',
        b"{'a': 1}",
        '{"名": "值"}'.encode("gb18030"),
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"1" * 5_000,
        b"\xff\xfe",
    ],
    ids=lambda body: repr(body[:16]),
)
def test_what_is_not_exact_json_is_refused(body: bytes) -> None:
    """Broken, ambiguous, badly encoded and bottomless JSON raises `Unreadable`, and nothing else."""
    with pytest.raises(Unreadable):
        parse_json(body)


def test_json_with_a_byte_order_mark_and_brackets_in_texts_is_read() -> None:
    """A BOM is skipped, and brackets inside texts are not nesting."""
    assert parse_json(b'\xef\xbb\xbf{"a": "' + b"[" * 200 + b'"}') == {"a": "[" * 200}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 65 + b'"' + b'\\"' * 1_000_000,
        b"[" * 65 + b'"\\' * 700_000,
        b"{" + b"".join(b'"%d":1,' % number for number in range(150_000)) + b'"0":1}',
        b"[" + b"9" * 2_000_000 + b"]",
        b"[1." + b"9" * 2_000_000 + b"]",
        b"[" + b"1e9," * 300_000 + b"1]",
    ],
    ids=["quotes", "backslashes", "names", "digits", "fraction", "exponents"],
)
def test_no_arrangement_of_bytes_takes_long(body: bytes) -> None:
    """Two megabytes of the worst that JSON can be are read or refused in a moment."""
    start = time.perf_counter()

    with contextlib.suppress(Unreadable):
        parse_json(body)

    assert time.perf_counter() - start < 5


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_random_bytes_are_read_or_refused(body: bytes) -> None:
    """No bytes make `parse_json` raise anything but `Unreadable`."""
    with contextlib.suppress(Unreadable):
        parse_json(body)


# --- numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234,567.89", "1234567.89"),
        ("１，２３４．５０", "1234.50"),
        (" 12 ", "12"),
        ("¥ 3.00", "3.00"),
        ("-￥3", "-3"),
        ("(1,000.00)", "-1000.00"),
        ("−5", "-5"),
        ("5.", "5"),
        (".5", "0.5"),
        ("1 234.5", "1234.5"),
        ("12元", "12"),
        ("+7", "7"),
        ("1e3", "1E+3"),
    ],
)
def test_numbers_as_people_write_them(text: str, number: str) -> None:
    """Groups, full-width signs, currency signs and brackets are understood."""
    assert one('{ from = "x", as = "decimal" }', text) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    [
        "1,23",
        "12,34.5",
        "1,2345",
        "abc",
        "1.2.3",
        "--1",
        "NaN",
        "Infinity",
        "1_000",
        "1e99",
        "0x10",
        "9" * 65,
        "1,234,5",
        "½",
        True,
        [1],
        {"a": 1},
        1.5,
    ],
    ids=repr,
)
def test_what_is_no_exact_number_is_refused(value: Any) -> None:
    """Wrong groups, words, boundless numbers and floats are refused, with the value."""
    error = refusal('{ from = "x", as = "decimal" }', value)

    assert error.rule == "t/y"
    assert error.pointer == "/x"


@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12),
        min_size=1,
        max_size=30,
    )
)
def test_a_sum_is_exact_in_any_order(numbers: list[Decimal]) -> None:
    """The sum of a list does not depend on its order, and no digit of it is lost."""
    field_map = load_map('name = "t"\ntarget = "t/t"\n[fields]\ny = { sum = "x" }\n')
    expected = sum(int(number.scaleb(4)) for number in numbers)

    forwards = field_map.apply({"x": numbers}).data["y"]
    backwards = field_map.apply({"x": [str(number) for number in reversed(numbers)]}).data["y"]

    assert forwards == backwards == Decimal(expected).scaleb(-4)


def test_a_product_beyond_exactness_is_refused() -> None:
    """Arithmetic that would have to round raises instead."""
    long = "1." + "1" * 40
    error = refusal('{ multiply = ["x", "x", "x", "x"] }', long)

    assert "too many digits" in error.happened or "proportion" in error.happened


@pytest.mark.parametrize("value", ["3.5", Decimal("0.1"), "x", True, 1.0], ids=repr)
def test_a_whole_number_loses_nothing(value: Any) -> None:
    """What has a fraction is no integer, and is not made one."""
    assert refusal('{ from = "x", as = "integer" }', value).about["field"] == "y"


# --- days and instants -------------------------------------------------------------------------------------------


YEARS = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001 - a clock without a zone is meant


@given(YEARS, st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "UTC"]))
def test_an_instant_survives_its_way_through_a_zone(naive: datetime, zone: str) -> None:
    """An instant written on the clocks of a zone is read as the same instant, unless the zone has that hour twice."""
    instant = naive.replace(microsecond=0, tzinfo=UTC)
    local = instant.astimezone(ZoneInfo(zone))
    written = local.strftime("%Y-%m-%d %H:%M:%S")

    result = one(f'{{ from = "x", as = "datetime", format = "yyyy-MM-dd HH:mm:ss", zone = "{zone}" }}', written)

    assert result == instant or (local.fold == 1 and result == instant - timedelta(hours=1))


@given(st.dates(min_value=date(1900, 3, 1), max_value=date(2200, 1, 1)))
def test_a_day_survives_every_format(day: date) -> None:
    """A day comes back from ISO, from a pattern and from a spreadsheet's number."""
    assert one('{ from = "x", as = "date" }', day.isoformat()) == day
    assert one('{ from = "x", as = "date", format = "yyyy年M月d日" }', f"{day.year}年{day.month}月{day.day}日") == day
    assert one('{ from = "x", as = "date", format = "excel" }', (day - date(1899, 12, 30)).days) == day


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ('{ from = "x", as = "date" }', "2024-02-30"),
        ('{ from = "x", as = "date" }', "0000-00-00"),
        ('{ from = "x", as = "date" }', "2024/01/01"),
        ('{ from = "x", as = "date" }', "2024-01-01T20:00:00Z"),
        ('{ from = "x", as = "datetime" }', "2024-01-01 20:00:00"),
        ('{ from = "x", as = "datetime", zone = "Europe/Berlin" }', "2024-03-31T02:30:00"),
        ('{ from = "x", as = "date", format = "yyyy-MM-dd" }', "2024-1-1"),
        ('{ from = "x", as = "date", format = "yyyyMMdd" }', 20241301),
        ('{ from = "x", as = "datetime", format = "epoch_ms" }', -1),
        ('{ from = "x", as = "datetime", format = "epoch_s" }', 1709600000123),
        ('{ from = "x", as = "datetime", format = "epoch_s" }', "9" * 40),
        ('{ from = "x", as = "date", format = "excel" }', 0),
        ('{ from = "x", as = "datetime" }', "0001-01-01T00:00:00+23:00"),
        ('{ from = "x", as = "date", zone = "Asia/Shanghai" }', "9999-12-31T23:00:00Z"),
    ],
)
def test_what_is_no_day_is_refused(rule: str, value: Any) -> None:
    """Days that do not exist, times without a zone and hours the clocks skipped are refused."""
    assert refusal(rule, value).pointer == "/x"


# --- texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [True, ["a"], {"a": 1}, 1.5], ids=repr)
def test_a_text_is_made_of_texts_and_exact_numbers_only(value: Any) -> None:
    """A yes, a list, a record or a float is not silently written as a text."""
    refusal('{ from = "x", as = "text" }', value) if not isinstance(value, list) else refusal(
        '{ from = "x", upper = true }', [value]
    )


def test_a_greedy_pattern_takes_no_time() -> None:
    """A pattern that would take a backtracking engine for ever is answered at once."""
    start = time.perf_counter()

    assert one('{ from = "x", extract = "^(?:(?:a+)+)+$" }', "a" * 50_000 + "!") is None

    assert time.perf_counter() - start < 2


def test_a_text_that_grows_without_end_is_refused() -> None:
    """Replacing one sign by many stops at the limit."""
    assert "grows" in refusal('{ from = "x", replace = { "a" = "aaaaaaaaaa" } }', "a" * 50_000).happened


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "　", None])
@pytest.mark.parametrize(
    "rule",
    ['"x"', '{ from = "x", as = "text" }', '{ from = "x", pad = 5 }', '{ from = "x", as = "decimal" }', '{ template = "{x}" }'],
)
def test_a_blank_is_missing_whatever_the_step(rule: str, blank: str | None) -> None:
    """Null and texts of spaces, full-width ones too, are no value for any rule."""
    assert one(rule, blank) is None


# --- paths -------------------------------------------------------------------------------------------------------

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"'), min_size=1, max_size=8).filter(
    lambda name: not name.isspace() and name.strip() == name
)


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_any_name_can_be_written_as_a_path(names: list[str]) -> None:
    """A path of quoted names reads back as those names and finds the value under them."""
    record: Any = "found"
    for name in reversed(names):
        record = {name: record}
    path = parse_path(".".join(quoted(name) for name in names))

    assert path.segments == tuple(names)
    assert reader(path)(record, Scope(record)) == "found"


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a]b", "a.[0]", '"a', "a[0]b", "$.", "a b.", "[*", "a" + ".b" * 20]
)
def test_what_is_no_path_is_refused(text: str) -> None:
    """A path that is not written as one is refused, never guessed."""
    with pytest.raises(BadPath):
        parse_path(text)


@given(st.text(max_size=30))
def test_a_random_path_is_read_or_refused(text: str) -> None:
    """No text makes the path parser raise anything but `BadPath`, and what it reads finds nothing in an empty record."""
    try:
        path = parse_path(text)
    except BadPath:
        return
    assert isinstance(path, Path)
    if path.segments:
        assert reader(path)({}, Scope({})) is MISSING
