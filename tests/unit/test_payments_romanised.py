"""Names in Latin letters: pinyin, Hong Kong's way, trades in English."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from hub.core.vocabulary import Receipt
from reconciliation.payments import Desk, OpenItem
from reconciliation.payments.ranking import NameIndex
from reconciliation.payments.romanised import letters_of

NAMES = [
    "苏州恒锐达精密机械有限公司",
    "宁波金海粮油贸易有限公司",
    "永安国际有限公司",
    "苏州市绿叶贸易有限公司",
    "大昌集团有限公司",
]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SUZHOU HENGRUIDA PRECISION MACHINERY CO., LTD.", "苏州恒锐达精密机械有限公司"),
        ("Hengruida Machinery Company Limited", "苏州恒锐达精密机械有限公司"),
        ("ＮＩＮＧＢＯ　ＪＩＮＨＡＩ　ＴＲＡＤＩＮＧ", "宁波金海粮油贸易有限公司"),
        ("Suzhou Lvye Trading Co Ltd", "苏州市绿叶贸易有限公司"),
        ("SUZHOU LUYE TRADING", "苏州市绿叶贸易有限公司"),
        ("WING ON CO", "永安国际有限公司"),
        ("TAI CHEUNG HOLDINGS", "大昌集团有限公司"),
    ],
)
def test_a_name_in_latin_letters_finds_its_company(text: str, name: str) -> None:
    """The best of five, however it is written and whether it is asked before or after the name is known."""
    index = NameIndex(NAMES)
    index.rank("WING ON")
    late = NameIndex()
    late.rank(text)
    for each in NAMES:
        late.add(each)

    assert index.rank(text)[0][0] == name
    assert late.rank(text) == index.rank(text)


@pytest.mark.parametrize("text", ["", "苏州恒锐达", "AB", "1234567", "恒锐达 HRD MACHINERY"])
def test_a_name_with_characters_is_no_latin_name(text: str) -> None:
    assert letters_of(text) == ""


def test_a_payer_in_latin_letters_is_proposed_and_not_booked() -> None:
    """Many characters are written alike, so that the name alone never books; with the number of the order it does."""
    items = [
        OpenItem(
            receivable=f"R{n}",
            order=f"SO2602-{n:04d}",
            amount=Decimal(1234500 + 7919 * n) / 100,
            open=Decimal(1234500 + 7919 * n) / 100,
            customer=f"C{n}",
            customer_name=name,
        )
        for n, name in enumerate(NAMES)
    ]
    desk = Desk(items)
    name = "SUZHOU HENGRUIDA PRECISION MACHINERY CO., LTD."
    ask = [
        Receipt(receipt="P", booked_on=date(2026, 3, 5), amount=Decimal("12345.00"), payer_name=name, memo=memo)
        for memo in ("TRANSFER", "INV SO2602-0000")
    ]

    silent, named = (desk.propose(one) for one in ask)

    assert ([share.receivable for share in silent.shares], silent.lane) == (["R0"], "review")
    assert named.lane == "auto"
