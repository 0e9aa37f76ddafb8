"""The parts of the desk by themselves: terms, text, names, numbers and sums."""

from __future__ import annotations

import csv
import os
from datetime import date
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import Invalid
from hub.core.vocabulary import Receipt
from reconciliation.payments import Desk, OpenItem, Policy, instalments
from reconciliation.payments.book import Book
from reconciliation.payments.groups import accidents, coincidence, exact_sums, small_sums
from reconciliation.payments.names import compare, is_person, parse
from reconciliation.payments.numbers import named
from reconciliation.payments.orders import percentages
from reconciliation.payments.ranking import NameIndex
from reconciliation.payments.shortfalls import kept_as
from reconciliation.payments.text import fold, squeeze
from reconciliation.payments.words import words


def test_an_order_is_split_by_its_terms() -> None:
    """Thirty and seventy percent, the last taking what rounding leaves."""
    assert instalments(Decimal("11835.99"), "CNY", "30/70") == [
        ("30%", Decimal(30), Decimal("3550.80")),
        ("70%", Decimal(70), Decimal("8285.19")),
    ]
    assert instalments(Decimal(1001), "JPY", "50/50") == [("50%", Decimal(50), Decimal(501)), ("50%", Decimal(50), Decimal(500))]


@pytest.mark.parametrize("terms", [None, "", "100", "30", "月结", "货到付款", "100%"])
def test_other_terms_are_one_payment(terms: str | None) -> None:
    """Words, days and a hundred percent do not split an order."""
    assert percentages(terms) == (Decimal(100),)


@pytest.mark.parametrize("terms", ["30/60", "50/60", "0/100"])
def test_terms_that_do_not_add_up_are_refused(terms: str) -> None:
    """Percentages must make a hundred, each of them something."""
    with pytest.raises(Invalid):
        instalments(Decimal(100), "CNY", terms)


@given(
    st.integers(min_value=0, max_value=10**12),
    st.sampled_from(["30/70", "30/60/10", "50/50", "33.3/33.3/33.4", "100"]),
    st.sampled_from(["CNY", "JPY", "KWD"]),
)
def test_instalments_add_up(minor: int, terms: str, currency: str) -> None:
    """No fen is lost or made."""
    amount = Decimal(minor).scaleb(-{"CNY": 2, "JPY": 0, "KWD": 3}[currency])

    parts = instalments(amount, currency, terms)

    assert sum(part for _, _, part in parts) == amount
    assert all(part >= 0 for _, _, part in parts)


@given(st.text(max_size=60))
def test_folding_keeps_every_character_in_place(text: str) -> None:
    """Spans found in folded text are spans of the text, and folding twice changes nothing."""
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


def test_names_are_one_in_any_writing() -> None:
    """Width, brackets, blanks and traditional characters do not make another name."""
    assert squeeze("華安電子（厦门）模具 有限公司") == squeeze("华安电子(厦门)模具有限公司")


@pytest.mark.parametrize(
    ("payer", "rung"),
    [
        ("苏州恒瑞达精密机械有限公司", "same"),
        ("苏州恒瑞达精密机械有限公司(基本户)", "same"),
        ("苏州恒瑞达精密机械有限公司财务部", "same"),
        ("苏州恒瑞达精密机械有限公司昆山分公司", "branch"),
        ("苏州恒瑞达精密机械", "form"),
        ("苏州恒瑞达精密机械有限责任公司", "form"),
        ("苏州恒瑞达精密机械有限公", "form"),
        ("苏州恒瑞达精密机", "cut"),
        ("恒瑞达精密机械有限公司", "no_place"),
        ("苏州恒瑞大精密机械有限公司", "close"),
        ("苏州恒达精密机械有限公司", "close"),
        ("成都恒瑞达精密机械有限公司", "other_place"),
        ("苏州恒瑞达", "short"),
        ("苏州恒瑞通精密机械有限公司", "far"),
        ("宁波金海粮油贸易有限公司", "far"),
    ],
)
def test_how_a_payers_name_stands_to_a_customers(payer: str, rung: str) -> None:
    """Each way in which a name differs has its own rung."""
    assert compare(parse(payer), parse("苏州恒瑞达精密机械有限公司")) == rung


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("王建国", True),
        ("欧阳娜娜", True),
        ("李雷", True),
        ("王府井公司", False),
        ("恒瑞达", False),
        ("", False),
        ("John", False),
    ],
)
def test_a_person_is_told_from_a_company(name: str, person: bool) -> None:
    """A surname and one or two more characters are a person."""
    assert is_person(name) is person


def _book(*orders: str) -> Book:
    book = Book()
    for number, order in enumerate(orders):
        book.add(OpenItem(receivable=f"R{number}", order=order, amount=Decimal(100 + number), open=Decimal(100 + number)))
    return book


@pytest.mark.parametrize(
    ("memo", "found"),
    [
        ("付SO-2026-0042款", [("exact", "SO20260042")]),
        ("so20260042", [("exact", "SO20260042")]),
        ("20260042", [("bare", "SO20260042")]),
        ("SO-2026-0042/0043", [("exact", "SO20260042"), ("exact", "SO20260043")]),
        ("SO-2026-0042至0044", [("exact", "SO20260042"), ("exact", "SO20260043"), ("exact", "SO20260044")]),
        ("SO-2026-9999", [("strange", "")]),
        ("流水20260042", []),
        ("13800138000", []),
        ("SO-2062-0042", [("slip", "SO20260042")]),
        ("", []),
    ],
)
def test_numbers_in_a_memo(memo: str, found: list[tuple[str, str]]) -> None:
    """Numbers are found by the shapes of the book's own, repaired, listed and told from others."""
    book = _book("SO-2026-0042", "SO-2026-0043", "SO-2026-0044", "SO-2025-0042")

    assert [(one.level, one.numbers[0] if one.numbers else "") for one in named(memo, book)] == found


@given(st.text(alphabet="XSOHT0123456789-/、 款合同号~至", max_size=60))
def test_any_memo_is_read(memo: str) -> None:
    """Whatever a memo holds, what is found in it is a number of the book, at its place."""
    book = _book("SO-2026-0042", "XS20260101-00001", "33000001")

    for one in named(memo, book):
        assert 0 <= one.span[0] < one.span[1] <= len(memo)
        assert all(number in book.by_number for number in one.numbers)


@given(st.lists(st.integers(min_value=1, max_value=60), max_size=14), st.integers(min_value=1, max_value=200))
def test_sums_are_all_found(values: list[int], target: int) -> None:
    """Every set that is found adds up, and none is found only where there is none."""
    right = [
        chosen
        for size in range(2, 9)
        for chosen in combinations(range(len(values)), size)
        if sum(values[place] for place in chosen) == target
    ]

    result = exact_sums(values, target)

    assert all(
        sum(value for _, value in chosen) == target and all(values[place] == value for place, value in chosen)
        for chosen in result.found
    )
    assert (
        len({tuple(sorted(place for place, _ in chosen)) for chosen in result.found}) == len(result.found) == min(len(right), 3)
    )


@given(
    st.lists(st.lists(st.integers(min_value=1, max_value=50), min_size=1, max_size=2), max_size=8),
    st.integers(min_value=1, max_value=120),
    st.integers(min_value=0, max_value=5),
)
def test_small_sums_use_each_item_once(values: list[list[int]], target: int, above: int) -> None:
    """Two or three items, each once, within the range."""
    for chosen in small_sums(values, target, above=above):
        assert target <= sum(value for _, value in chosen) <= target + above
        assert len({place for place, _ in chosen}) == len(chosen) in (2, 3)


def test_a_search_that_is_too_long_says_so() -> None:
    """Forty equal items are given up on, and the result is marked incomplete."""
    assert not exact_sums([1000] * 40, 999_999).complete or exact_sums([1000] * 40, 999_999).found == ()
    assert not exact_sums([1000] * 40, 4000).complete


def test_round_sums_fit_by_accident() -> None:
    """A round amount is met by many sums, a crooked one by few."""
    assert accidents(12, 4, 240_000_00) > 1 > accidents(12, 4, 242_824_43)
    assert coincidence(24_000_00) > coincidence(24_137_55)


@pytest.mark.parametrize(
    ("due", "paid", "kind"),
    [
        (1680000, 1679950, "fee"),
        (440492, 440400, "rounding"),
        (1000000, 980000, "discount"),
        (1000000, 999156, "odd"),
        (1000000, 700000, None),
        (1000, 500, None),
    ],
)
def test_what_a_shortfall_is(due: int, paid: int, kind: str | None) -> None:
    """A fee, an amount rounded off, a discount, something odd, or a part."""
    assert kept_as(due, paid, "CNY", Policy()) == kind


def test_words_of_a_memo() -> None:
    """A memo says deposit, refund, or that it is no sale; money put on account is not a deposit."""
    assert words("30%定金", "") == {"deposit"}
    assert words("預付款", "") == {"deposit"}
    assert words("预存货款", "") == {"advance"}
    assert words("", "支付宝（中国）网络技术有限公司") == {"wallet"}


def test_a_settled_number_is_still_known() -> None:
    """An item that is gone no longer matches, and its number is not taken for another's slip."""
    book = _book("SO-2026-0042", "SO-2026-0043")
    book.remove("R0")

    assert [one.level for one in named("SO-2026-0042", book)] in (["strange"], ["slip"])
    assert len(book) == 1


def test_a_short_form_finds_its_company() -> None:
    """Short names, ticker names and a province's one character rank their company first."""
    index = NameIndex(
        ["深圳市振业(集团)股份有限公司", "安徽新华传媒股份有限公司", "北京巴士传媒股份有限公司", "神州高铁技术股份有限公司"]
    )

    assert [index.rank(short)[0][0] for short in ("深振业A", "皖新传媒", "神州高铁")] == [
        "深圳市振业(集团)股份有限公司",
        "安徽新华传媒股份有限公司",
        "神州高铁技术股份有限公司",
    ]
    assert NameIndex().rank("深振业A") == []


def test_short_names_of_thousands_of_companies() -> None:
    """Of real short names at least 96 % rank their full name first."""
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "statements" / "company-names" / "cn_listed_short_full.csv"
    if not path.exists():
        assert os.environ.get("CI") != "true", "the list of company names is not beside the project"
        pytest.skip("the list of company names is not beside the project")
    with path.open(encoding="utf-8") as file:
        pairs = [(row["short_name"], row["full_name"]) for row in csv.DictReader(file)]
    index = NameIndex(full for _, full in pairs)

    ranked = [([name for name, _ in index.rank(short)], full) for short, full in pairs]

    assert sum(names[:1] == [full] for names, full in ranked) / len(pairs) >= 0.96
    assert sum(full in names for names, full in ranked) / len(pairs) >= 0.99


def test_built_ambiguous_groups_are_never_booked() -> None:
    """Five hundred sums that two sets of items meet: none is booked unseen."""
    random = Random(11)
    booked = built = 0
    while built < 500:
        amounts = [random.randint(5, 300) * random.choice([1, 7, 100]) for _ in range(random.randint(4, 12))]
        first = random.sample(range(len(amounts)), random.randint(2, len(amounts) - 1))
        target = sum(amounts[place] for place in first)
        amounts.append(target - amounts[first[0]] if len(first) == 2 else target - amounts[first[0]] - amounts[first[1]])
        items = [
            OpenItem(
                receivable=f"R{n}",
                order=f"SO-{n:06d}",
                amount=Decimal(amount),
                open=Decimal(amount),
                customer="C1",
                customer_name="苏州恒瑞达机械有限公司",
            )
            for n, amount in enumerate(amounts)
        ]
        if sum(1 for amount in amounts if amount == target) or not _is_ambiguous(amounts, target):
            continue
        built += 1
        receipt = Receipt(
            receipt="P", booked_on=date(2026, 3, 2), amount=Decimal(target), payer_name="苏州恒瑞达机械有限公司", memo="货款"
        )
        booked += Desk(items).propose(receipt).lane == "auto"

    assert booked == 0


def _is_ambiguous(amounts: list[int], target: int) -> bool:
    return len(exact_sums(amounts, target).found) > 1
