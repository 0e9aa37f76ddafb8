"""OFX and QFX files of banks, cards and brokers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec

from hub.sdk import Context, Event, Ignored, Raw, Read, Unreadable, digest, normalised, statement_raws

from .line import Silent
from .markup import MAX_BYTES, decoded, is_ofx
from .reading import LeftOut, Reader

_PARSER = "bank_ofx/1"


class Connector:
    """Reads a file into statements and lines, and says what each means."""

    def __init__(self, context: Context) -> None:
        settings = context.settings
        self._zone = context.zone
        self._silent = Silent(
            account=str(settings.get("account") or "").replace(" ", ""),
            currency=str(settings.get("currency") or "").upper(),
            zone=context.zone,
            by_type=settings.get("direction") == "type",
        )

    def recognises(self, name: str, head: bytes) -> bool:
        """True where the file begins as OFX does, version 1 or 2."""
        return is_ofx(head)

    def statements(self, name: str, source: BinaryIO) -> Iterator[Read]:
        """Lines, and after them the statement they belong to. Raises `Unreadable` for a file that is refused as a whole."""
        return self._reader().read(decoded(source.read(MAX_BYTES + 1)))

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        """A raw a line and one a statement; then one for each thing that was left out, by its name."""
        reader, file_digest = self._reader(), digest(body)
        yield from statement_raws(reader.read(decoded(body)), name=name, file_digest=file_digest, parser=_PARSER)
        for number, one in enumerate(reader.left_out):
            headers = {"file": name[:200], "sha256": file_digest, "parser": _PARSER, "pointer": f"line {one.line}, {one.kind}"}
            body_ = msgspec.json.encode(msgspec.structs.replace(one, line=0), order="sorted")
            key = f"{one.account or 'unknown'}/{one.kind}/{one.fitid[:80] or f'{file_digest[:16]}/{number}'}"
            yield Raw(stream="left_out", key=key, body=body_, headers=headers, door="file")

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        """`statement.read`, a receipt or a reversal; or the rule by which it is none."""
        if raw.stream == "left_out":
            return [Ignored(rule=_rule(raw))]
        return normalised(raw, zone=self._zone)

    def _reader(self) -> Reader:
        return Reader(self._silent)


def _rule(raw: Raw) -> str:
    try:
        kind = msgspec.json.decode(raw.body, type=LeftOut).kind
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(happened=f"the stored line cannot be read: {error}", next="read the file again", rule="body") from error
    return "statement of a loan or another kind" if kind.endswith("STMTRS") else "trade in securities"
