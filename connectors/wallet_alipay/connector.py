"""Alipay's bills as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import BinaryIO

from hub.sdk import Bill, Context, Event, Grouping, Ignored, Raw, Read, bills, digest, meant, shows_bill, statement_raws

from .kinds import FUNDS, KINDS, PERSONAL, TRADES
from .lines import Owner, funds, personal, trades
from .notes import read_above

_READERS: Mapping[str, Callable[[Bill, Owner, Grouping], None]] = {
    TRADES.name: trades,
    FUNDS.name: funds,
    PERSONAL.name: personal,
}


class Connector:
    """Reads a bill into its lines and statements, and says what each means."""

    def __init__(self, context: Context) -> None:
        settings = context.settings
        self._account = str(settings.get("account") or "")
        self._receipts = str(settings.get("receipts") or TRADES.name)
        self._zone = context.zone

    def recognises(self, name: str, head: bytes) -> bool:
        """True where a bill's column names stand in the first bytes, or in those of a file packed in them."""
        return shows_bill(head, KINDS)

    def statements(self, name: str, source: BinaryIO) -> Iterator[Read]:
        """The lines of each bill, oldest first, and the statement they belong to. Raises `Unreadable` for what is no bill."""
        for bill in bills(name, source, KINDS):
            yield from self._told(bill)

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        """One raw a line and one a statement; each kind of bill has keys of its own, since two kinds tell of the same trade."""
        for bill in bills(name, BytesIO(body), KINDS):
            told, kind = self._told(bill), bill.kind.name
            yield from statement_raws(told, name=name, file_digest=digest(body), parser="wallet_alipay/1", message=kind)

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        """`statement.read`, a receipt, its reversal or a payout; or the rule by which a line is none."""
        return meant(raw, zone=self._zone, receipts_from=self._receipts)

    def _told(self, bill: Bill) -> Iterator[Read]:
        above = read_above(bill.above)
        owner = Owner(account=above.account or self._account, currency="CNY")
        with Grouping() as lines:
            _READERS[bill.kind.name](bill, owner, lines)
            yield from lines.told(f"alipay.{bill.kind.name}", whose=(owner.account, owner.currency), period=above.period)
