"""One booked line of an export: what its cells say, column by column."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import TypeVar

from hub.sdk import Movement, Row, Unreadable, lost_digits, minor_units
from hub.sdk import cells as read

from .profiles import Header

T = TypeVar("T")

# 冲帐标志: `*` is a reversal, `X` a supplementary booking (CMB).
_REVERSAL = frozenset({"*", "是", "y", "yes", "1", "true", "冲正", "冲账", "冲帐", "抹账", "抹帐", "红字"})
_DIGITS = re.compile(r"\d[\d*]{5,}")
_MEND = "correct the row at the bank or in a copy of the file, or tell the right column in the connection's settings"
_NUMBERS = ("account", "party_account", "payer_account", "payee_account", "serial", "reference")


class Cells:
    """A line's cells, tidied, under the columns of its layout. Every refusal names the rule, the line and the column."""

    def __init__(self, row: Row, header: Header) -> None:
        self.profile = header.profile
        self.pointer = f"line {row.line}"
        self._header = header
        self._cells = row.cells

    def has(self, role: str) -> bool:
        return role in self._header.columns

    def text(self, role: str) -> str:
        """The cell as written, without padding; empty for dashes and for a column that is not there."""
        places = self._header.columns.get(role)
        return self._at(places[0]) if places else ""

    def _at(self, place: int) -> str:
        written = self._cells[place] if place < len(self._cells) else ""
        return "" if read.is_empty(written) else written

    def texts(self, role: str) -> list[str]:
        """All cells of the role that say something, each once."""
        written = (self._at(place) for place in self._header.columns.get(role, ()))
        return list(dict.fromkeys(text for text in written if text))

    def number(self, role: str) -> str:
        """A number that names something; banks print zeros where there is none."""
        written = read.account_number(self.text(role))
        return written if written.strip("0") else ""

    def beyond(self) -> str:
        """What stands behind the header's last name."""
        return next((cell for cell in self._cells[len(self._header.names) :] if cell), "")

    def may_have_lost_digits(self) -> bool:
        """Whether any cell begins as a number does that a spreadsheet program has shortened."""
        return any(cell[:1].isdecimal() and ("E" in cell or "e" in cell) for cell in self._cells)

    def refuse(self, role: str, rule: str, happened: str, *, value: str | None = None, next: str = _MEND) -> Unreadable:
        places = self._header.columns.get(role, ())
        column = self._header.names[places[0]] if places else role
        return Unreadable(happened=happened, next=next, rule=rule, pointer=f"{self.pointer}, {column}", value=value)

    def parse(self, role: str, rule: str, parser: Callable[[str], T]) -> T:
        written = self.text(role)
        try:
            return parser(written)
        except read.BadCell as bad:
            raise self.refuse(role, rule, f"the cell is not {bad}", value=written[:80]) from bad

    def day(self, role: str, rule: str) -> tuple[date, str]:
        first, until = self.profile.day_first, self._header.until
        return self.parse(role, rule, lambda text: read.day(text, day_first=first, until=until))


def parse_entry(row: Row, header: Header, *, currency: str) -> Movement:
    """What the line says. Raises `Unreadable` with the rule that failed, the line and the column."""
    cells = Cells(row, header)
    _refuse_strangers(cells)
    money = cells.parse("currency", "currency", read.currency) or currency
    booked_on, at = _when(cells)
    neither = cells.text("direction") in cells.profile.neither
    amount, reversal = _signed(cells, minor_units(money), neither=neither)
    incoming = amount > 0 or (amount < 0 and reversal)
    name, account, bank, note = _other_side(cells, incoming=incoming)
    return Movement(
        booked_on=booked_on,
        at=at,
        value_on=cells.day("value_date", "value day")[0] if cells.text("value_date") else None,
        amount=0 * amount if neither else amount,
        currency=money,
        original_amount=amount if neither else None,
        original_currency=money if neither else "",
        balance=_balance(cells, minor_units(money)),
        account=read.account_number(cells.text("account") or cells.text("payee_account" if incoming else "payer_account")),
        party_name=name,
        party_account=read.account_number(account),
        party_bank=bank,
        memo=" ".join([*cells.texts("memo"), *note]),
        bank_reference=cells.number("serial"),
        reference=cells.number("reference"),
        reversal=reversal,
        pointer=cells.pointer,
    )


def owner(row: Row, header: Header) -> tuple[str, str]:
    """The account and currency that the row itself names, empty where it names none; they are told of a row that is otherwise broken too."""
    cells = Cells(row, header)
    try:
        return read.account_number(cells.text("account")), read.currency(cells.text("currency")) or ""
    except read.BadCell:
        return read.account_number(cells.text("account")), ""


def _when(cells: Cells) -> tuple[date, time | None]:
    """The day and time of the transaction. The day stands in the date column; the time beside it or in its own."""
    found, rest = cells.day("date", "day")
    try:
        at = read.clock_time(rest)
    except read.BadCell as bad:
        raise cells.refuse("date", "day", f"behind the day stands not {bad}", value=rest[:80]) from bad
    return found, at or cells.parse("time", "time", read.clock_time)


def _balance(cells: Cells, places: int) -> Decimal | None:
    """The running balance; a masked or broken one costs the balance check, not the row."""
    try:
        return read.amount(cells.text("balance"), places=places)
    except read.BadCell:
        return None


def _signed(cells: Cells, places: int, *, neither: bool) -> tuple[Decimal, bool]:
    """The signed amount, and whether the line takes back an earlier one. Zero where the bank books nothing."""
    flagged = cells.text("reversal").lower() in _REVERSAL
    if cells.has("debit") or cells.has("credit"):
        out = cells.parse("debit", "amount", lambda text: read.amount(text, places=places)) or Decimal(0)
        into = cells.parse("credit", "amount", lambda text: read.amount(text, places=places)) or Decimal(0)
        if out and into:
            raise cells.refuse("credit", "two amounts", "the row has money in and money out at once", value=f"{into} / {out}")
        if not (cells.text("debit") or cells.text("credit")):
            raise cells.refuse("credit" if cells.has("credit") else "debit", "amount", "the row has no amount")
        # A negative amount in its own column is a booking in red: it takes one of that column back.
        return into - out, flagged or into < 0 or out < 0
    amount = cells.parse("amount", "amount", lambda text: read.amount(text, places=places))
    if amount is None:
        raise cells.refuse("amount", "amount", "the row has no amount")
    if cells.profile.positive == "out":
        amount = -amount
    if neither or not cells.has("direction"):
        return amount, flagged
    return _with_direction(cells, amount, flagged=flagged)


def _with_direction(cells: Cells, amount: Decimal, *, flagged: bool) -> tuple[Decimal, bool]:
    """The amount under a 借贷 or 来往 flag. Where the amount has a sign of its own, flag and sign must agree."""
    way = cells.parse("direction", "direction", read.direction)
    if cells.profile.signed:
        if amount and (amount > 0) != (way == "in"):
            raise cells.refuse("direction", "direction", "the sign of the amount contradicts the direction", value=str(amount))
        return amount, flagged
    return (amount if way == "in" else -amount), flagged or amount < 0


def _other_side(cells: Cells, *, incoming: bool) -> tuple[str, str, str, list[str]]:
    """Name, account and bank of the other side, and a note for the memo.

    At BOC the other side is the payer or the payee, as the direction says. The nominal payer is the customer where an agent pays;
    the agent is then kept in the memo.
    """
    if cells.has("party_glued"):
        glued = cells.text("party_glued")
        digits = _DIGITS.search(glued)
        return (glued[: digits.start()].strip(), digits[0], "", []) if digits else (glued, "", "", [])
    if not cells.has("payer_name"):
        return cells.text("party_name"), cells.text("party_account"), cells.text("party_bank"), []
    side = "payer" if incoming else "payee"
    name, account, bank = cells.text(f"{side}_name"), cells.text(f"{side}_account"), cells.text(f"{side}_bank")
    nominal = cells.text("nominal_name")
    if incoming and nominal and read.folded(nominal) != read.folded(name):
        return nominal, cells.text("nominal_account"), bank, [f"付款人:{name}"] if name else []
    return name, account, bank, []


def _refuse_strangers(cells: Cells) -> None:
    """Refuse a row with more cells than names, and numbers that a spreadsheet program has shortened."""
    if extra := cells.beyond():
        raise Unreadable(
            happened="the row has more cells than the header has names, so none of them can be trusted",
            next="look for a comma without quotes in the row, correct it in a copy of the file and upload that",
            rule="extra cells",
            pointer=cells.pointer,
            value=extra[:80],
        )
    if not cells.may_have_lost_digits():
        return
    for role in _NUMBERS:
        written = cells.text(role)
        if lost_digits(written):
            happened = "a long number was shortened by a spreadsheet program; its digits are gone"
            again = "export the file from the bank again, and upload it without opening it in between"
            raise cells.refuse(role, "lost digits", happened, value=written, next=again)
