"""From OFX's aggregates to statements and the lines on them, as the file comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import TypeVar

import msgspec

from hub.sdk import Movement, Read, Statement, Unread, Unreadable

from .line import Silent, movements
from .markup import Aggregate, closing
from .values import amount, moment

T = TypeVar("T")
_STATEMENTS = ("STMTRS", "CCSTMTRS", "INVSTMTRS")
_ACCOUNTS = ("BANKACCTFROM", "CCACCTFROM", "INVACCTFROM")


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """What books no money that we follow, by the name that OFX has for it: a trade in securities, a loan's statement."""

    kind: str
    account: str
    fitid: str
    line: int


class _Sums(msgspec.Struct, kw_only=True):
    """What the lines of one currency add up to. Lines in another currency than the account's wait for a statement of their own."""

    lines: int = 0
    unread: int = 0
    credits: Decimal = Decimal(0)
    debits: Decimal = Decimal(0)
    waiting: list[Movement] = []

    def add(self, one: Movement | Unread) -> None:
        self.lines += 1
        if isinstance(one, Unread):
            self.unread += 1
        elif one.amount > 0:
            self.credits += one.amount
        else:
            self.debits -= one.amount


class Reader:
    """Reads one file. What it left out is in `left_out` once it has come to the end."""

    def __init__(self, silent: Silent) -> None:
        self.left_out: list[LeftOut] = []
        self._silent = silent
        self._count = 0
        self._read = 0
        self._begin()

    def read(self, text: str) -> Iterator[Read]:
        """Lines, then the statement they belong to. An account that the bank could not tell comes last, as unread.

        Raises `Unreadable` where the file is cut off or broken, and where the bank tells nothing but an error.
        """
        errors: list[Unread] = []
        for found, around in closing(text):
            inside = next((one for one in reversed(around) if one.name in _STATEMENTS), None)
            if found.name == "STATUS" and found.text("SEVERITY").upper() == "ERROR":
                errors.append(self._error(found, whole=bool(around) and around[-1].name == "SONRS"))
            elif found.name in _STATEMENTS:
                yield from self._statement(found)
            elif inside is not None and found.name == "STMTTRN":
                yield from self._line(found, inside)
            elif inside is not None and around[-1].name == "INVTRANLIST" and found.name != "INVBANKTRAN":
                self._leave_out(found, inside)
            elif found.name.endswith("STMTRS"):
                self._leave_out(found, found)
        if errors and not self._read:
            raise _refused(errors[0])
        yield from errors

    # --- inside ---------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Nothing of a statement is known yet."""
        self._sums: dict[str, _Sums] = {}
        self._booked: dict[str, Decimal] = {}

    def _of(self, currency: str) -> _Sums:
        return self._sums.setdefault(currency, _Sums(waiting=[]))

    def _line(self, found: Aggregate, inside: Aggregate) -> Iterator[Read]:
        self._count += 1
        account, currency = self._account(inside), self._currency(inside)
        self._of(currency)  # the account's own currency comes first, whatever its first line is in
        pointer = f"STMTTRN {self._count}, line {found.line}"
        silent = msgspec.structs.replace(self._silent, account=account, currency=currency)
        try:
            read = movements(found, silent, self._booked, pointer)
        except Unreadable as problem:
            text = "; ".join(f"{name} {value}" for name, values in found.fields.items() for value in values)
            unread = Unread.because(problem, text=text, pointer=pointer, account=account)
            self._of(currency).add(unread)
            yield unread
            return
        for one in read:
            self._of(one.currency).add(one)
            if one.currency == currency:
                yield one
            else:
                self._of(one.currency).waiting.append(one)

    def _statement(self, found: Aggregate) -> Iterator[Read]:
        account, currency = self._account(found), self._currency(found)
        list_ = found.part("BANKTRANLIST", "INVTRANLIST")
        troubles: list[Unread] = []

        def told(read: Callable[[], T | None], text: str) -> T | None:
            try:
                return read()
            except Unreadable as problem:
                troubles.append(Unread.because(problem, text=text, pointer=problem.pointer, account=account))
                return None

        first, last = (told(lambda name=name: self._day(list_, name), name) for name in ("DTSTART", "DTEND"))  # type: ignore[misc]
        closing_ = told(lambda: _balance(found, currency), "LEDGERBAL")
        main = self._of(currency)
        for one in troubles:
            main.unread += 1
            yield one
        for of, sums in self._sums.items():
            yield from sums.waiting
            yield Statement(
                format="ofx",
                account=account,
                currency=of,
                closing=closing_ if of == currency else None,
                from_day=first,
                to_day=last,
                lines=sums.lines,
                unread=sums.unread,
                credits=sums.credits,
                debits=sums.debits,
            )
        self._read += 1
        self._begin()

    def _day(self, list_: Aggregate | None, name: str) -> date | None:
        text = list_.text(name) if list_ is not None else ""
        return moment(text, zone=self._silent.zone, field=name)[0] if text and list_ is not None else None

    def _account(self, inside: Aggregate) -> str:
        from_ = inside.part(*_ACCOUNTS)
        account = (from_.text("ACCTID") if from_ is not None else "").replace(" ", "") or self._silent.account
        if not account:
            raise _missing("ACCTID: whose account it is", "account", inside)
        return account

    def _currency(self, inside: Aggregate) -> str:
        currency = inside.text("CURDEF").upper() or self._silent.currency
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise _missing("CURDEF: which currency it is in", "currency", inside)
        return currency

    def _leave_out(self, found: Aggregate, inside: Aggregate) -> None:
        account = inside.part(*_ACCOUNTS, "LOANACCTFROM")
        number = found.part("INVTRAN") or next((deeper for part in found.parts if (deeper := part.part("INVTRAN"))), found)
        self.left_out.append(
            LeftOut(
                kind=found.name,
                account=account.words("ACCTID") if account is not None else "",
                fitid=number.words("FITID"),
                line=found.line,
            )
        )

    def _error(self, status: Aggregate, *, whole: bool) -> Unread:
        """What the bank itself reports as failed, with its own code and words. Raises it where it is about the whole file."""
        code, message = status.words("CODE") or "none", status.words("MESSAGE") or "no message"
        error = Unread(
            text=f"CODE {code}; SEVERITY ERROR; MESSAGE {message}"[:4000],
            pointer=f"line {status.line}, STATUS",
            rule="bank error",
            happened=f"the bank answered with error {code}: {message}"[:500],
            next="ask for the file again; if it stays, ask the bank what this error means",
        )
        if whole:
            raise _refused(error)
        return error


def _balance(found: Aggregate, currency: str) -> Decimal | None:
    ledger = found.part("LEDGERBAL")
    return amount(ledger.text("BALAMT"), currency=currency, field="BALAMT", rule="balance") if ledger is not None else None


def _refused(error: Unread) -> Unreadable:
    return Unreadable(happened=error.happened, next=error.next, rule=error.rule, pointer=error.pointer)


def _missing(what: str, setting: str, inside: Aggregate) -> Unreadable:
    return Unreadable(
        happened=f"the statement does not say {what}",
        next=f"set the connection's setting `{setting}`, which stands in for it",
        rule=f"no {setting}",
        pointer=f"line {inside.line}, {inside.name}",
    )
