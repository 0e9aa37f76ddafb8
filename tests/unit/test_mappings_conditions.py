"""Conditions compare named single values, exactly, and can do nothing else."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.conditions import BadCondition, Condition
from mappings.paths import Scope
from mappings.values import Bad


def holds(text: str, record: dict[str, Any]) -> bool:
    return Condition(text).holds(record, Scope(record))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("数量 > 0", True),
        ("数量 > 0 && 状态 == '已审批'", True),
        ("客户.编码 in ['C-1', 'C-2']", True),
        ("`客户 名称` != '甲'", True),
        ("折扣 == 0.1", True),
        ("没有 == null", True),
        ("没有.这个 == null", True),
        ("没有 != null && 没有 > 3", False),
        ("数量 == 3.0", True),
        ("!(数量 >= 3) || 加急", True),
        ("加急 ? 数量 < 4 : 数量 < 2", True),
        ("状态.startsWith('已') && 状态.endsWith('批') && 状态.contains('审')", True),
        ("数量 > -1", True),
        ("交期 < '2024-06-01'", True),
        ("状态 == '3'", False),
        ("状态 == 'a\\'b' || true", True),
    ],
)
def test_conditions_that_are_part_of_the_language(text: str, expected: bool) -> None:
    """Comparisons, logic, lists of words and the three text functions work on Chinese names."""
    record = {
        "数量": 3,
        "状态": "已审批",
        "客户": {"编码": "C-2"},
        "客户 名称": "乙",
        "折扣": Decimal("0.10"),
        "加急": True,
        "交期": "2024-05-01",
    }

    assert holds(text, record) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "a ==",
        "a = 1",
        "[1, 2].all(x, x > 0)",
        "a.map(x, x)",
        "a.exists(x, true)",
        "has(a.b)",
        "size(a) > 1",
        "int(a) > 1",
        "timestamp(a) > timestamp(b)",
        "a.matches('(a+)+$')",
        "__import__('os').system('true')",
        "a.__class__.__mro__[1] == null",
        "a[0] == 1",
        "{'a': 1}.a == 1",
        "a + b > 1",
        "a - 1 > 0",
        "a * 2 > 1",
        "a / 2 > 1",
        "a % 2 == 0",
        "'''a''' == a",
        "b'a' == a",
        "0x10 == a",
        "1e400 == a",
        "12345678901234567890 == a",
        "0.1234567890123456789 == a",
        "a; b",
        "a == 1 // comment",
        "lambda: 1",
        "a.b.c(1)",
        "行[*].数量 > 0",
        "(" * 13 + "true" + ")" * 13,
        "(a",
        "a)",
        "a == [1, 2]",
        "true && " * 400 + "true",
        "!" * 2_000 + "true",
        "a == 'x",
        'a == "x\ny"',
        "``",
        "a\0b",
    ],
    ids=lambda text: text[:24] or "empty",
)
def test_everything_else_is_refused_when_the_map_is_loaded(text: str) -> None:
    """Macros, functions, arithmetic, indexing, inexact numbers, nesting and length beyond the limits never get as far as a record."""
    with pytest.raises(BadCondition):
        Condition(text)


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("a > 0", {"a": "3"}),
        ("a > 0", {}),
        ("a", {"a": "yes"}),
        ("a == 1", {"a": [1]}),
        ("a == 1", {"a": {"b": 1}}),
        ("a == 1", {"a": 2**53 + 1}),
        ("a > 1", {"a": Decimal("0.1000000000000000055511151231257827")}),
        ("a > 1", {"a": Decimal("NaN")}),
        ("a > 1", {"a": 1.5}),
        ("a && b", {"a": 1, "b": True}),
    ],
)
def test_a_value_that_cannot_be_compared_is_told(text: str, record: dict[str, Any]) -> None:
    """A text beside a number, a list, a float or a number beyond exactness raises, with the names and values."""
    with pytest.raises(Bad):
        holds(text, record)


EXACT = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)


@given(EXACT, EXACT)
def test_decimals_are_compared_exactly(left: Decimal, right: Decimal) -> None:
    """A comparison in a condition agrees with the decimals' own, though CEL only has doubles."""
    record = {"a": left, "b": right}

    assert holds("a < b", record) is (left < right)
    assert holds("a == b", record) is (left == right)
    assert holds("a >= b", record) is (left >= right)


@given(st.text(max_size=60))
def test_random_text_is_a_condition_or_is_refused(text: str) -> None:
    """No text makes the reader of conditions raise anything but `BadCondition`."""
    try:
        condition = Condition(text)
    except BadCondition:
        return
    with contextlib.suppress(Bad):
        assert condition.holds({}, Scope({})) in (True, False)


@given(
    st.lists(
        st.sampled_from(
            [
                "a",
                "数量",
                "&&",
                "||",
                "!",
                "(",
                ")",
                "==",
                "<",
                "'x'",
                "1",
                "2.5",
                "null",
                "true",
                "in",
                "[",
                "]",
                ",",
                "?",
                ":",
                "-",
                ".startsWith('x')",
            ]
        ),
        max_size=14,
    )
)
def test_random_tokens_are_a_condition_or_are_refused(tokens: list[str]) -> None:
    """Nor does any sequence of the language's own words."""
    record = {"a": 1, "数量": Decimal("2.5")}
    try:
        condition = Condition(" ".join(tokens))
        condition.holds(record, Scope(record))
    except (BadCondition, Bad):
        pass
