"""One booked line of an export: its cells by column name, and what they say once they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import TypeVar

import msgspec

from hub.sdk import Unreadable, digest, lost_digits, minor_units

from . import cells as read
from .profiles import Profile

T = TypeVar("T")

# 冲帐标志: `*` is a reversal, `X` a supplementary booking (CMB).
_REVERSAL = frozenset({"*", "是", "y", "yes", "1", "true", "冲正", "冲账", "冲帐", "抹账", "抹帐", "红字"})
_DIGITS = re.compile(r"\d[\d*]{5,}")


_MEND = "correct the row at the bank or in a copy of the file, or tell the right column in the connection's settings"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line that could be read. `amount` is signed: positive came in, negative went out.

    `undoes` says that the line takes back an earlier one of the *other* sign: a reversal of money in has a negative amount.
    """

    booked_on: date
    at: time | None
    value_on: date | None
    amount: Decimal
    currency: str
    balance: Decimal | None
    account: str
    party_name: str
    party_account: str
    party_bank: str
    memo: str
    serial: str
    reference: str
    undoes: bool

    def fingerprint(self, *, with_text: bool) -> str:
        """What tells this line from another when the bank's own number does not: day, amount, and with it the other side and the text."""
        parts = [self.booked_on.isoformat(), str(self.amount), self.currency]
        if with_text:
            parts += [self.party_account, read.folded(self.party_name), read.folded(self.memo)]
            parts += [self.at.isoformat() if self.at else "", self.reference]
        return digest("\x1f".join(parts).encode())[:16]


class Cells:
    """A line's cells under the columns of its layout. Every refusal names the rule, the line and the column."""

    def __init__(self, cells: Mapping[str, str], profile: Profile, *, line: str) -> None:
        self.profile = profile
        self._names = tuple(cells)
        self._cells = cells
        self._columns = profile.find(self._names)
        self._line = line

    def has(self, role: str) -> bool:
        return role in self._columns

    def text(self, role: str) -> str:
        """The cell as written, without padding; empty for dashes and for a column that is not there."""
        for place in self._columns.get(role, ())[:1]:
            written = self._cells[self._names[place]]
            return "" if read.is_empty(written) else written
        return ""

    def texts(self, role: str) -> list[str]:
        """All cells of the role that say something, each once."""
        written = [self._cells[self._names[place]] for place in self._columns.get(role, ())]
        return list(dict.fromkeys(text for text in written if not read.is_empty(text)))

    def number(self, role: str) -> str:
        """A number that names something; banks print zeros where there is none."""
        written = read.account_number(self.text(role))
        return written if written.strip("0") else ""

    def refuse(self, role: str, rule: str, happened: str, *, value: str | None = None, next: str = _MEND) -> Unreadable:
        places = self._columns.get(role, ())
        column = self._names[places[0]] if places else role
        return Unreadable(
            happened=happened,
            next=next,
            rule=rule,
            pointer=f"line {self._line}, {column}" if self._line else column,
            value=value,
        )

    def parse(self, role: str, rule: str, parser: Callable[[str], T]) -> T:
        written = self.text(role)
        try:
            return parser(written)
        except read.BadCell as bad:
            raise self.refuse(role, rule, f"the cell is not {bad}", value=written[:80]) from bad


def parse_entry(cells: Mapping[str, str], profile: Profile, *, currency: str, line: str = "") -> Entry:
    """What the line says. Raises `Unreadable` with the rule that failed and the column."""
    row = Cells(cells, profile, line=line)
    _refuse_lost_digits(row)
    money = row.parse("currency", "currency", read.currency) or currency
    booked_on, at = _when(row)
    amount, undoes = _signed(row, minor_units(money))
    incoming = amount > 0 or (amount < 0 and undoes)
    name, account, bank, note = _other_side(row, incoming=incoming)
    return Entry(
        booked_on=booked_on,
        at=at,
        value_on=_value_day(row),
        amount=amount,
        currency=money,
        balance=_balance(row, minor_units(money)),
        account=read.account_number(row.text("account") or row.text("payee_account" if incoming else "payer_account")),
        party_name=name,
        party_account=read.account_number(account),
        party_bank=bank,
        memo=" ".join([*row.texts("memo"), *note]),
        serial=row.number("serial"),
        reference=row.number("reference"),
        undoes=undoes,
    )


def _when(row: Cells) -> tuple[date, time | None]:
    """The day and time of the transaction. The day stands in the date column; the time beside it or in its own."""
    found, rest = row.parse("date", "day", lambda text: read.day(text, day_first=row.profile.day_first))
    try:
        at = read.clock_time(rest)
    except read.BadCell as bad:
        raise row.refuse("date", "day", f"behind the day stands not {bad}", value=rest[:80]) from bad
    return found, at or row.parse("time", "time", read.clock_time)


def _value_day(row: Cells) -> date | None:
    if not row.text("value_date"):
        return None
    return row.parse("value_date", "value day", lambda text: read.day(text, day_first=row.profile.day_first))[0]


def _balance(row: Cells, places: int) -> Decimal | None:
    """The running balance; a masked or broken one costs the balance check, not the row."""
    try:
        return read.amount(row.text("balance"), places=places)
    except read.BadCell:
        return None


def _signed(row: Cells, places: int) -> tuple[Decimal, bool]:
    """The signed amount, and whether the line takes back an earlier one. Zero where the bank books nothing."""
    flagged = row.text("reversal").lower() in _REVERSAL
    if row.has("debit") or row.has("credit"):
        out = row.parse("debit", "amount", lambda text: read.amount(text, places=places)) or Decimal(0)
        into = row.parse("credit", "amount", lambda text: read.amount(text, places=places)) or Decimal(0)
        if out and into:
            raise row.refuse("credit", "two amounts", "the row has money in and money out at once", value=f"{into} / {out}")
        if not (row.text("debit") or row.text("credit")):
            raise row.refuse("credit" if row.has("credit") else "debit", "amount", "the row has no amount")
        # A negative amount in its own column is a booking in red: it takes one of that column back.
        return into - out, flagged or into < 0 or out < 0
    amount = row.parse("amount", "amount", lambda text: read.amount(text, places=places))
    if amount is None:
        raise row.refuse("amount", "amount", "the row has no amount")
    if row.profile.positive == "out":
        amount = -amount
    if not row.has("direction"):
        return amount, flagged
    return _with_direction(row, amount, flagged=flagged)


def _with_direction(row: Cells, amount: Decimal, *, flagged: bool) -> tuple[Decimal, bool]:
    """The amount under a 借贷 or 来往 flag. Where the amount has a sign of its own, flag and sign must agree."""
    way = row.parse("direction", "direction", read.direction)
    if row.profile.signed:
        if amount and (amount > 0) != (way == "in"):
            raise row.refuse("direction", "direction", "the sign of the amount contradicts the direction", value=str(amount))
        return amount, flagged
    return (amount if way == "in" else -amount), flagged or amount < 0


def _other_side(row: Cells, *, incoming: bool) -> tuple[str, str, str, list[str]]:
    """Name, account and bank of the other side, and a note for the memo.

    At BOC the other side is the payer or the payee, as the direction says. The nominal payer is the customer where an agent pays;
    the agent is then kept in the memo.
    """
    if row.has("party_glued"):
        glued = row.text("party_glued")
        digits = _DIGITS.search(glued)
        return (glued[: digits.start()].strip(), digits[0], "", []) if digits else (glued, "", "", [])
    if not row.has("payer_name"):
        return row.text("party_name"), row.text("party_account"), row.text("party_bank"), []
    side = "payer" if incoming else "payee"
    name, account, bank = row.text(f"{side}_name"), row.text(f"{side}_account"), row.text(f"{side}_bank")
    nominal = row.text("nominal_name")
    if incoming and nominal and read.folded(nominal) != read.folded(name):
        return nominal, row.text("nominal_account"), bank, [f"付款人:{name}"] if name else []
    return name, account, bank, []


def _refuse_lost_digits(row: Cells) -> None:
    for role in ("account", "party_account", "payer_account", "payee_account", "serial", "reference"):
        written = row.text(role)
        if lost_digits(written):
            happened = "a long number was shortened by a spreadsheet program; its digits are gone"
            again = "export the file from the bank again, and upload it without opening it in between"
            raise row.refuse(role, "lost digits", happened, value=written, next=again)
