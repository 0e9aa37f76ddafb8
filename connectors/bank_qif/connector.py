"""QIF files of banks and of bookkeeping programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec

from hub.sdk import Context, Event, Ignored, Raw, Read, digest, normalised, statement_raws

from .reading import Silent, statements
from .records import BOOKED, MAX_BYTES, Section, decoded, is_qif, sections

_PARSER = "bank_qif/1"


class Connector:
    """Reads a file into statements and lines, and says what each means."""

    def __init__(self, context: Context) -> None:
        settings = context.settings
        self._zone = context.zone
        self._encoding = str(settings.get("encoding") or "")
        self._silent = Silent(
            account=str(settings.get("account") or ""),
            currency=str(settings.get("currency") or "CNY").upper(),
            dates=str(settings.get("dates") or ""),
            decimals=str(settings.get("decimals") or ""),
        )

    def recognises(self, name: str, head: bytes) -> bool:
        """True where the file begins with one of QIF's headers."""
        return is_qif(head)

    def statements(self, name: str, source: BinaryIO) -> Iterator[Read]:
        """Lines, and after them the statement they belong to. Raises `Unreadable` for a file that is refused as a whole."""
        return statements(self._sections(source.read(MAX_BYTES + 1)), self._silent)

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        """A raw a line and one a statement; then one for each section that books nothing, by its name."""
        found, file_digest = self._sections(body), digest(body)
        yield from statement_raws(statements(found, self._silent), name=name, file_digest=file_digest, parser=_PARSER)
        for section in found:
            if section.kind.lower() not in BOOKED:
                headers = {"file": name[:200], "sha256": file_digest, "parser": _PARSER, "pointer": f"line {section.line}"}
                key = f"left out/{section.kind[:40]}/{file_digest[:24]}/{section.line}"
                told = {"kind": section.kind, "records": len(section.records)}
                yield Raw(stream="left_out", key=key, body=msgspec.json.encode(told), headers=headers, door="file")

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        """`statement.read` or a receipt; or the rule by which it is none."""
        if raw.stream == "left_out":
            return [Ignored(rule="section that books nothing on an account")]
        return normalised(raw, zone=self._zone)

    def _sections(self, body: bytes) -> list[Section]:
        return sections(decoded(body, self._encoding))
