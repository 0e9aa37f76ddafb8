"""What a handler says about an event. Outcomes are values; exceptions are for what nobody foresaw."""

from __future__ import annotations

import msgspec


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The event is dealt with."""


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """Try again after this many seconds; events of the same partition key wait behind it."""

    after: float
    why: str


class Park(msgspec.Struct, frozen=True, kw_only=True):
    """Keep it, stop retrying, show a person. Events of the same partition key wait; the others go on."""

    why: str


Outcome = Done | Later | Park
DONE = Done()
