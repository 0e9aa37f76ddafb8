"""CAMT files of any bank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

from hub.sdk import Context, Event, Ignored, Raw, Read, digest, normalised, statement_raws

from .message import looks_like_one
from .stream import Document

_PARSER = "bank_camt/1"
_MESSAGES = {"statement": "camt.053", "report": "camt.052", "notification": "camt.054"}


class Connector:
    """Reads account statements, reports and notifications; the lines of one of the three book money."""

    def __init__(self, context: Context) -> None:
        self._books = _MESSAGES[str(context.settings.get("books") or "statement")]
        self._zone = context.zone

    def recognises(self, name: str, head: bytes) -> bool:
        """True for XML that speaks of such a message; what is wrong with it is said when it is read."""
        return looks_like_one(head)

    def statements(self, name: str, source: BinaryIO) -> Iterator[Read]:
        """The booked lines and statements of whatever message it is. Raises `Unreadable`."""
        return Document(source).lines()

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        """Raws of the lines and statements. A report's and a notification's are never taken for those of a statement."""
        document = Document(BytesIO(body))
        kind = document.message.kind
        return statement_raws(
            document.lines(),
            name=name,
            file_digest=digest(body),
            parser=_PARSER,
            message="" if kind == _MESSAGES["statement"] else kind,
        )

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        """Facts; of a row whose message does not book here, the rule by which it is left out."""
        message = raw.headers.get("message") or _MESSAGES["statement"]
        if raw.stream == "row" and message != self._books:
            return (Ignored(rule=f"{message} does not book here"),)
        return normalised(raw, zone=self._zone)
