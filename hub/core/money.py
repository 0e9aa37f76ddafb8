"""Money: an exact decimal and a currency."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import msgspec

from hub.core.errors import Invalid

# ISO 4217 minor units that are not 2. Source: ISO 4217 list one.
_MINOR_UNITS = {
    **dict.fromkeys(
        ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


def minor_units(currency: str) -> int:
    """How many decimal places amounts in this currency have (CNY 2, JPY 0, BHD 3)."""
    return _MINOR_UNITS.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """The amount as a whole number of minor units; an amount finer than that is refused, never rounded."""
    try:
        scaled = amount.scaleb(minor_units(currency))
        whole = int(scaled)
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise Invalid(happened="the amount is not a finite number", next="send a decimal", amount=amount) from error
    if whole != scaled:
        raise Invalid(
            happened="the amount is finer than the currency's smallest unit",
            next=f"send at most {minor_units(currency)} decimal places",
            amount=amount,
            currency=currency,
        )
    return whole


def from_minor(minor: int, currency: str) -> Decimal:
    """The inverse of `to_minor`, with the currency's decimal places written out."""
    return Decimal(minor).scaleb(-minor_units(currency))


class Money(msgspec.Struct, frozen=True, kw_only=True, order=False):
    """An amount of one currency. Adding two currencies is a mistake and raises."""

    amount: Decimal
    currency: str = "CNY"

    @property
    def minor(self) -> int:
        return to_minor(self.amount, self.currency)

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise Invalid(
                happened=f"cannot add {other.currency} to {self.currency}",
                next="convert one of them with a rate first",
            )
        return Money(amount=self.amount + other.amount, currency=self.currency)

    def __neg__(self) -> Money:
        return Money(amount=-self.amount, currency=self.currency)

    def __sub__(self, other: Money) -> Money:
        return self + -other

    def __str__(self) -> str:
        return f"{self.amount:,.{minor_units(self.currency)}f} {self.currency}"
