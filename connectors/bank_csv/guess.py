"""What the columns of an unknown layout may be, told as the setting that would read it: from their names and from their cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import pairwise

import msgspec

from hub.sdk import Row, Unreadable
from hub.sdk import cells as read

_WORDS: Mapping[str, str] = {
    "value_date": "起息|value",
    "date": "日期|时间|交易日|记账日|日$|date|datum|day|posted|booked",
    "debit": "借方|支出|付款|付出|转出|取出|支取|流出|debit|withdraw|paidout|moneyout|out$",
    "credit": "贷方|收入|收款|转入|存入|流入|进账|credit|deposit|paidin|moneyin|in$",
    "direction": "借贷|借/贷|收支|收/支|方向|来往|标志|direction|dr/cr|cr/dr|type|sign",
    "balance": "余额|结余|balance|saldo",
    "amount": "金额|发生额|数额|amount|betrag|sum|value",
    "currency": "币种|币别|货币|currency|ccy",
    "party_account": "对方.*[账帐][号户]|对手.*[账帐]号|往来.*[账帐]号|counterparty.*account|iban|payeeaccount",
    "party_name": "户名|对方|对手|往来|单位|名称|付款人|客户|payer|payee|counterparty|party|name|merchant",
    "memo": "摘要|用途|附言|备注|说明|描述|memo|description|details|narrative|purpose|remark|text",
    "serial": "流水|编号|序号|交易号|日志|serial|transactionid|reference|ref$|id$|number",
}  # fmt: skip
_MONEY = ("debit", "credit", "amount", "balance")
_ASKS = "tell the connection's setting `columns` which column is what"
_ENOUGH = Decimal("0.8")


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column below a likely header: its name and its cells, and how many of those that say something are what."""

    name: str
    cells: tuple[str, ...]
    days: Decimal
    amounts: Decimal
    directions: Decimal

    @classmethod
    def of(cls, name: str, cells: Sequence[str]) -> Column:
        said = [text for cell in cells if not read.is_empty(text := read.tidy(cell))]
        return cls(
            name=name,
            cells=tuple(cells),
            days=_share(said, _is_day),
            amounts=_share(said, _is_amount),
            directions=_share(said, _is_direction),
        )


def guessed(heads: Iterable[Sequence[Row]]) -> Unreadable:
    """The refusal of a table whose header nobody knows: with the columns that were seen, and the setting that may read it."""
    best: tuple[int, Row | None, dict[str, str]] = (-1, None, {})
    for rows in heads:
        for index, row in enumerate(rows[:40]):
            told = _columns(row, rows[index + 1 :]) if _names(row) >= 2 else {}
            weight = 10 * len(told) + _names(row)
            if weight > best[0]:
                best = (weight, row, told)
    _, header, told = best
    seen = " · ".join(cell.strip() for cell in header.cells if cell.strip())[:300] if header else ""
    enough = "date" in told and any(role in told for role in ("credit", "debit", "amount"))
    return Unreadable(
        happened="none of the first 40 rows has the column names of a known layout",
        next=f"{_ASKS}. A guess, to be checked: {_setting(told)}" if enough else f"{_ASKS}, e.g. {{date, credit, debit}}",
        rule="no header",
        pointer=f"line {header.line}" if header else "line 1",
        columns=seen or None,
    )


def _names(row: Row) -> int:
    """How much a row looks like a header: cells with words and without digits."""
    return sum(1 for cell in row.cells if cell.strip() and not any(character.isdecimal() for character in cell))


def _setting(told: Mapping[str, str]) -> str:
    quoted = (f"{role} = {_quoted(name)}" for role, name in told.items())
    return f"columns = {{ {', '.join(quoted)} }}"


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _columns(header: Row, below: Sequence[Row]) -> dict[str, str]:
    """What each column may be: its name says it and its cells do not speak against it; what has no telling name, by its cells."""
    columns = [
        Column.of(read.tidy(name), [row.cells[place] if place < len(row.cells) else "" for row in below])
        for place, name in enumerate(header.cells)
        if read.tidy(name)
    ]
    told: dict[str, Column] = {}
    for role, words in _WORDS.items():
        for column in columns:
            if role not in told and column not in told.values() and _fits(column, role, words):
                told[role] = column
    _by_cells(told, [column for column in columns if column not in told.values()])
    if "amount" in told and ("debit" in told or "credit" in told):
        del told["amount"]
    if "amount" not in told:
        told.pop("direction", None)
    return {role: column.name for role, column in told.items()}


def _fits(column: Column, role: str, words: str) -> bool:
    if not re.search(words, read.header_name(column.name)):
        return False
    if role in ("date", "value_date"):
        return column.days >= _ENOUGH
    if role in _MONEY:
        return column.amounts >= _ENOUGH
    if role == "direction":
        return column.directions >= _ENOUGH
    return column.days < _ENOUGH


def _by_cells(told: dict[str, Column], left: list[Column]) -> None:
    """Day, direction and money by their cells where no name told them; a column of money that adds up is the balance."""
    if "date" not in told:
        _take(told, left, "date", lambda column: column.days >= _ENOUGH)
    money = [column for column in left if column.amounts >= _ENOUGH and any("." in cell or "," in cell for cell in column.cells)]
    if not {"amount", "debit", "credit"} & set(told):
        _take_money(told, left, money)
    if "amount" in told and "direction" not in told:
        _take(told, left, "direction", lambda column: column.directions >= _ENOUGH)


def _take(told: dict[str, Column], left: list[Column], role: str, fits: Callable[[Column], bool]) -> None:
    for column in left:
        if fits(column):
            told[role] = column
            left.remove(column)
            return


def _take_money(told: dict[str, Column], left: list[Column], money: list[Column]) -> None:
    """One column of money is the amount. Of two that take turns one is money in, the other money out: the balance tells which."""
    balances = told["balance"].cells if "balance" in told else ()
    for first, second in pairwise(money):
        if not any(_value(a) and _value(b) for a, b in zip(first.cells, second.cells, strict=True)):
            into, out = (second, first) if _leads(second, first, balances) else (first, second)
            told["credit"], told["debit"] = into, out
            return
    if money:
        told["amount"] = money[0]
        left.remove(money[0])


def _leads(into: Column, out: Column, balances: Sequence[str]) -> bool:
    """Whether the balance moves by the one minus the other, from row to row in either direction."""
    steps = [_value(a) - _value(b) for a, b in zip(into.cells, out.cells, strict=True)]
    held = [_value(cell) for cell in balances]
    moves = list(pairwise(held))
    onwards = sum(after - before == step for (before, after), step in zip(moves, steps[1:], strict=False))
    back = sum(before - after == step for (before, after), step in zip(moves, steps, strict=False))
    return 2 * max(onwards, back) > len(moves) > 0


def _value(cell: str) -> Decimal:
    with suppress(read.BadCell):
        return read.amount(read.tidy(cell), places=3) or Decimal(0)
    return Decimal(0)


def _share(said: Sequence[str], is_so: Callable[[str], bool]) -> Decimal:
    return Decimal(sum(map(is_so, said))) / len(said) if said else Decimal(0)


def _is_day(text: str) -> bool:
    return _reads(read.day, text)


def _is_amount(text: str) -> bool:
    return _reads(lambda cell: read.amount(cell, places=3), text) and len(text) < 20


def _is_direction(text: str) -> bool:
    return _reads(read.direction, text)


def _reads(parser: Callable[[str], object], text: str) -> bool:
    try:
        parser(text)
    except read.BadCell:
        return False
    return True
