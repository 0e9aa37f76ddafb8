"""Where a table begins, what a row's key is, and what kinds of file are read."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.file_csv.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Ignored, Raw, Unreadable
from hub.testing import context_for

ROOT = Path(__file__).parents[3]
MANIFEST = read_manifest(Path(__file__).parents[1] / "manifest.toml")


def read(body: bytes, **settings: object) -> list[Raw]:
    return list(Connector(context_for(MANIFEST, settings=settings)).read("book.csv", body))


def records(raws: list[Raw]) -> list[dict[str, object]]:
    return [json.loads(raw.body) for raw in raws]


def as_csv(rows: list[list[str]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def test_an_order_book_of_four_thousand_rows_is_read() -> None:
    """As many records as an independent reading finds, each with its own key, every cell the same."""
    path = ROOT.parent / "shared" / "data" / "reconciliation" / "dev" / "orders.csv"
    if not path.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("the order book is not beside the repository")
    plain = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))

    raws = read(path.read_bytes(), key_columns=["order_no"])

    assert records(raws) == plain
    assert len({raw.key for raw in raws}) == len(raws) == 4000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_encoding_and_the_delimiter_do_not_matter(encoding: str, delimiter: str) -> None:
    """The same table is the same raws, and it is recognised."""
    rows = [["订单台账"], ["订单号", "客户", "金额"], ["SO-1", "甲公司", "1.00"], ["SO-2", "乙公司", "2.00"]]
    body = as_csv(rows, encoding, delimiter)

    assert [(raw.key, raw.body) for raw in read(body)] == [(raw.key, raw.body) for raw in read(as_csv(rows))]
    assert Connector(context_for(MANIFEST)).recognises("x", body)


def test_a_spreadsheet_is_read_by_its_sheets_name() -> None:
    """The named sheet is read; without a name the first that holds a table."""
    book = openpyxl.Workbook()
    book.active.append(["just a note"])
    for name, number in (("订单", 1), ("旧订单", 2)):
        sheet = book.create_sheet(name)
        sheet.append(["order_no", "amount"])
        sheet.append([f"SO-{number}", number + 0.5])
    file = io.BytesIO()
    book.save(file)

    assert records(read(file.getvalue())) == [{"order_no": "SO-1", "amount": "1.5"}]
    assert records(read(file.getvalue(), sheet="旧订单")) == [{"order_no": "SO-2", "amount": "2.5"}]
    with pytest.raises(Unreadable, match="header"):
        read(file.getvalue(), sheet="没有")


def test_a_row_that_changed_is_a_new_version_under_the_same_name() -> None:
    """The key begins with the key columns and ends with the content: the same row is a duplicate, a changed one is not a conflict."""
    first, second = (read(as_csv([["no", "amount"], ["SO-1", amount]]), key_columns=["no"])[0] for amount in ("1.00", "2.00"))
    again = read(as_csv([["", ""], ["amount", "no"], ["1.00", "SO-1"]]), key_columns=["no"])[0]

    assert first.key != second.key
    assert {first.key.partition("/")[0], second.key.partition("/")[0]} == {"SO-1"}
    assert (again.key, again.body) == (first.key, first.body)


def test_columns_without_a_name_or_with_the_same_are_told_apart() -> None:
    """No cell hides another."""
    (row,) = records(read(as_csv([["a", "", "a"], ["1", "2", "3"]]), header_row=1))

    assert row == {"a": "1", "column 2": "2", "a#2": "3"}


def test_the_header_can_be_told() -> None:
    """A header of numbers is found where the setting says."""
    rows = [["x", "y"], ["2025", "2026"], ["1", "2"]]

    assert records(read(as_csv(rows), header_row=2)) == [{"2025": "1", "2026": "2"}]
    with pytest.raises(Unreadable, match="header"):
        read(as_csv(rows), header_row=30)


@pytest.mark.parametrize("body", [b"", b"one line", b"<table>", b"1,2\n3,4\n", b"\x81\xff" * 40])
def test_what_is_no_table_is_refused(body: bytes) -> None:
    """Refused with a reason, and not recognised."""
    made = Connector(context_for(MANIFEST))

    assert not made.recognises("x.csv", body)
    with pytest.raises(Unreadable):
        list(made.read("x.csv", body))


@given(st.lists(st.lists(st.text('ab,;"\n\t甲1', max_size=6), min_size=2, max_size=2), max_size=8))
def test_no_row_is_lost_or_changed(cells: list[list[str]]) -> None:
    """Whatever the cells hold, every row that is not blank arrives, with its text, under a key of its own."""
    rows = [[" ".join(cell.split()) for cell in row] for row in cells]

    raws = read(as_csv([["first name", "second name"], *rows]), header_row=1)

    assert [list(record.values()) for record in records(raws)] == [row for row in rows if any(row)]
    assert len({raw.key for raw in raws}) == len(raws)


def test_a_row_says_nothing_without_a_map() -> None:
    """A field map says what a row means; alone it is ignored by name."""
    made = Connector(context_for(MANIFEST))

    found = [one for raw in read(as_csv([["no", "amount"], ["SO-1", "1.00"]])) for one in made.normalise(raw)]

    assert found == [Ignored(rule="no field map")]
