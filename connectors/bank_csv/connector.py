"""Bank exports of Chinese banks as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hub.sdk import (
    Context,
    Event,
    Ignored,
    Raw,
    Row,
    Unreadable,
    check_table,
    decode_text,
    digest,
    head_text,
    is_spreadsheet,
    sheets,
    text_rows,
)

from . import normalise, statement
from .profiles import Header, Profile, chosen, find_header, profiles

_DELIMITERS = (",", "\t", ";", "|")


class Connector:
    """Reads a file into statements and rows, and says what each means."""

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
            if is_spreadsheet(head):
                return any(find_header([row.cells for row in rows], self._among) for _, rows in sheets(head))
            text = head_text(head)
            return any(find_header([row.cells for row in _rows(text, d)], self._among) for d in _DELIMITERS)
        except Unreadable as problem:
            return problem.rule in ("spreadsheet", "password")

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        """First each statement, then its rows. Raises `Unreadable` for a file that is refused as a whole."""
        check_table(body)
        file_digest = digest(body)
        tables = [
            (rows, header) for rows in self._tables(body) if (header := find_header([row.cells for row in rows], self._among))
        ]
        if not tables:
            raise self._unknown(body)
        for rows, header in tables:
            yield from statement.raws(
                rows, header, name=name, file_digest=file_digest, account=self._account, currency=self._currency
            )

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        """`statement.read` for a statement; for a row a receipt, a reversal, or the rule by which it is left out."""
        if raw.stream == "statement":
            return normalise.statement(raw)
        return normalise.row(raw, self._known(), self._zone)

    def _known(self) -> tuple[Profile, ...]:
        """Every layout: a row that was read under an earlier setting is still understood when it is replayed."""
        return self._among + tuple(profile for profile in profiles() if profile not in self._among)

    def _tables(self, body: bytes) -> Iterator[tuple[Row, ...]]:
        if is_spreadsheet(body):
            yield from (rows for _, rows in sheets(body))
            return
        text = decode_text(body)
        header: Header | None = None
        for delimiter in _DELIMITERS:
            if header is None and delimiter in text:
                head = [row.cells for row in _first(text_rows(text, delimiter))]
                if header := find_header(head, self._among):
                    yield tuple(text_rows(text, delimiter))

    def _unknown(self, body: bytes) -> Unreadable:
        widest = max(((row for rows in self._tables_as_they_are(body) for row in rows[:40])), key=_names, default=None)
        seen = " · ".join(cell.strip() for cell in widest.cells if cell.strip())[:300] if widest else ""
        return Unreadable(
            happened="none of the first 40 rows has the column names of a known layout",
            next="tell the connection's setting `columns` which column is the day, which the money in and out, e.g. {date, credit, debit}",
            rule="no header",
            pointer=f"line {widest.line}" if widest else "line 1",
            columns=seen or None,
        )

    def _tables_as_they_are(self, body: bytes) -> Iterator[tuple[Row, ...]]:
        if is_spreadsheet(body):
            yield from (rows for _, rows in sheets(body))
        else:
            yield tuple(_first(text_rows(decode_text(body), ",")))


def _names(row: Row) -> int:
    """How much a row looks like a header: cells with words and without digits."""
    return sum(1 for cell in row.cells if cell.strip() and not any(character.isdecimal() for character in cell))


def _first(rows: Iterator[Row]) -> Iterator[Row]:
    return (row for row, _ in zip(rows, range(40), strict=False))


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    return _first(text_rows(text, delimiter))
