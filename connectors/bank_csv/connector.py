"""Bank exports of Chinese banks as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import BinaryIO

from hub.sdk import Context, Event, Ignored, Raw, Read, Unreadable, digest, normalised, statement_raws

from .guess import guessed
from .profiles import chosen
from .rows import read_preamble
from .statement import statements
from .table import heads, known_at_the_beginning, tables

_GUESSED_FROM = 240


class Connector:
    """Reads a file into statements and their lines, and says what each means."""

    def __init__(self, context: Context) -> None:
        settings = context.settings
        columns = settings.get("columns")
        self._among = chosen(str(settings.get("profile") or ""), columns if isinstance(columns, Mapping) else {})
        self._account = str(settings.get("account") or "")
        self._currency = str(settings.get("currency") or "CNY")
        self._zone = context.zone

    def recognises(self, name: str, head: bytes) -> bool:
        """True where a known header row stands in the first bytes. In those of a larger spreadsheet it cannot be seen: its kind is enough."""
        try:
            return known_at_the_beginning(head, self._among)
        except Unreadable as problem:
            return problem.rule in ("spreadsheet", "password")

    def statements(self, name: str, source: BinaryIO) -> Iterator[Read]:
        """The lines, oldest first, and each statement after its own. Raises `Unreadable` for a file that is refused as a whole."""
        found = False
        for table in tables(source, self._among):
            found = True
            preamble = read_preamble(table.above)
            yield from statements(table.below, table.header, preamble, account=self._account, currency=self._currency)
        if not found:
            raise guessed(heads(source, _GUESSED_FROM))

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        """One raw a line and one a statement. Raises `Unreadable` for a file that is refused as a whole."""
        found = self.statements(name, BytesIO(body))
        yield from statement_raws(found, name=name, file_digest=digest(body), parser="bank_csv/2")

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        """`statement.read` for a statement; for a line a receipt, a reversal, or the rule by which it is left out."""
        return normalised(raw, zone=self._zone)
