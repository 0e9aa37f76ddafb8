"""MT940 and MT942 files: one raw a line, one a statement."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from hub.sdk import Context, Event, Ignored, Raw, Read, Unreadable, digest, normalised, statement_raws

from .encoding import encoding_of, text_lines
from .envelope import parts
from .reading import Reading

_PARSER = "bank_mt940/1"
# A field that only a statement has, at the beginning of a line or right behind the envelope's `{4:`.
_FIELD = re.compile(rb"(?:^|[\r\n]|\{4:)[\x00-\x20]{0,8}:(?:20|25P?|28C?|34F|60[FM]|61|62[FM]|6[45]|86|90[CD]):")


class Connector:
    """Reads account statements in the SWIFT format, whatever bank wrote them."""

    def __init__(self, context: Context) -> None:
        settings = context.settings
        self._account = str(settings.get("account") or "")
        self._currency = str(settings.get("currency") or "")
        self._encoding = str(settings.get("encoding") or "")
        self._zone = context.zone

    def recognises(self, name: str, head: bytes) -> bool:
        """True where a line begins with a field that only an account statement has."""
        return _FIELD.search(head.replace(b"\x00", b"")) is not None

    def statements(self, name: str, source: BinaryIO) -> Iterator[Read]:
        """The lines of each statement, and after them the statement. Raises `Unreadable` for a file that holds none."""
        encoding = self._encoding or encoding_of(source)
        lines = text_lines(source, encoding)
        try:
            yield from Reading(account=self._account, currency=self._currency).results(parts(lines))
        finally:
            lines.close()

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        """One raw a line, and one a statement after its lines."""
        if not body.strip():
            raise Unreadable(happened="the file is empty", next="export the period again", rule="empty file")
        return statement_raws(self.statements(name, io.BytesIO(body)), name=name, file_digest=digest(body), parser=_PARSER)

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        """`statement.read` for a statement; for a line a receipt, a reversal, or the rule by which it is left out."""
        return normalised(raw, zone=self._zone)
