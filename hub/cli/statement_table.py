"""A statement as a table for a terminal, in English or Chinese."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal

from hub.statements import Movement, Statement

_DAY, _AMOUNT, _NAME, _TEXT, _REFERENCE = 10, 18, 30, 40, 24

_ENGLISH = {
    "account": "account", "period": "period", "day": "booked", "amount": "amount", "name": "other side", "text": "text",
    "reference": "reference", "in": "in", "out": "out", "lines": "lines", "unread": "not readable", "opening": "opening",
    "closing": "closing", "balanced": "balance", "True": "adds up", "False": "DOES NOT ADD UP", "None": "no balances to go by",
    "unknown": "not named",
}  # fmt: skip
_CHINESE = {
    "account": "账号", "period": "期间", "day": "记账日", "amount": "金额", "name": "对方", "text": "摘要",
    "reference": "编号", "in": "收入", "out": "支出", "lines": "笔数", "unread": "无法读取", "opening": "期初余额",
    "closing": "期末余额", "balanced": "余额校验", "True": "相符", "False": "不相符", "None": "文件中没有余额",
    "unknown": "未注明",
}  # fmt: skip


class Table:
    """The lines around a statement's lines: what it is above them, what it adds up to below."""

    def __init__(self, *, chinese: bool, name: str) -> None:
        self._words: Mapping[str, str] = _CHINESE if chinese else _ENGLISH
        self._name = name

    def heading(self, told: Statement) -> Iterator[str]:
        w = self._words
        period = f"{told.from_day} – {told.to_day}" if told.from_day else "–"
        account = told.account or w["unknown"]
        yield f"{self._name}  ·  {told.format}  ·  {w['account']} {account}  ·  {told.currency}  ·  {w['period']} {period}"
        cells = [(w["day"], _DAY), (w["amount"], -_AMOUNT), (w["name"], _NAME), (w["text"], _TEXT), (w["reference"], _REFERENCE)]
        yield "  ".join(_fitted(word, width) for word, width in cells).rstrip()

    def totals(self, told: Statement, lines: int, unread: int) -> Iterator[str]:
        w = self._words
        yield _fitted("", _DAY) + "  " + "─" * _AMOUNT
        yield f"{w['in']} {told.credits:,}  ·  {w['out']} {told.debits:,}  ·  {w['lines']} {lines}" + (
            f"  ·  {w['unread']} {unread}" if unread else ""
        )
        yield f"{w['opening']} {_money(told.opening)}  ·  {w['closing']} {_money(told.closing)}  ·  {w['balanced']}: {w[str(told.balanced)]}"
        yield ""


def written_line(line: Movement) -> str:
    """One line of the table."""
    mark = "↺" if line.reversal else ""
    cells = [
        (line.booked_on.isoformat(), _DAY),
        (f"{mark}{line.amount:,}", -_AMOUNT),
        (line.party_name or line.party_account, _NAME),
        (line.memo, _TEXT),
        (line.bank_reference or line.reference, _REFERENCE),
    ]
    return "  ".join(_fitted(text, width) for text, width in cells).rstrip()


def _money(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:,}"


def _fitted(text: str, width: int) -> str:
    """The text in so many columns of a terminal, where a Chinese character takes two; a negative width puts it to the right."""
    room = abs(width)
    plain = "".join(character if character.isprintable() else " " for character in text)
    cut, used = "", 0
    for character in plain:
        used += _columns(character)
        if used > room:
            cut = cut[:-1] + "…" if cut else ""
            break
        cut += character
    blanks = " " * (room - sum(map(_columns, cut)))
    return blanks + cut if width < 0 else cut + blanks


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
