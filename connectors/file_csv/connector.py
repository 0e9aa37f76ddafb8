"""Any table in a file. One raw a row; what it means is said by the connection's field map, not here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

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
    lost_digits,
    sheets,
    text_rows,
)

from .table import HEADER_WITHIN, check_columns, column_names, header_place, is_total

_DELIMITERS = (",", "\t", ";", "|")
_EXTRA = "extra cells"


class Connector:
    """Reads a table into records by column name."""

    def __init__(self, context: Context) -> None:
        settings = context.settings
        columns = settings.get("key_columns")
        self._key_columns = tuple(str(name) for name in columns) if isinstance(columns, list | tuple) else ()
        self._sheet = str(settings.get("sheet") or "")
        line = settings.get("header_row")
        self._header_row = line if isinstance(line, int) else 0
        self._stream = str(settings.get("stream") or "row")

    def recognises(self, name: str, head: bytes) -> bool:
        """True for a spreadsheet, and for text whose first lines make a table of two columns or more."""
        if is_spreadsheet(head):
            return True
        try:
            return self._table(head_text(head)) is not None
        except Unreadable:
            return False

    def read(self, name: str, body: bytes) -> Iterator[Raw]:
        """One raw a row. Raises `Unreadable` for a file that holds no table, or not the sheet or key column that is set."""
        check_table(body)
        rows, header = self._find(body)
        names = column_names(rows[header])
        check_columns(names, self._key_columns, rows[header].line)
        common = {"file": name[:200], "sha256": digest(body)}
        seen: Counter[str] = Counter()
        for row in rows[header + 1 :]:
            if not any(cell.strip() for cell in row.cells) or is_total(row) or column_names(row) == names:
                continue
            _refuse_lost_digits(names, row)
            record = _record(names, row)
            encoded = msgspec.json.encode(record, order="sorted")
            key = self._key(record, encoded, seen)
            yield Raw(stream=self._stream, key=key, body=encoded, headers=common | {"line": str(row.line)}, door="file")

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        """Nothing by itself: a connection's field map says what a row means. Raises `Unreadable` for a row wider than its header."""
        try:
            record = msgspec.json.decode(raw.body, type=dict[str, str | list[str]])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(happened=f"the stored row is no record: {error}", next="read the file again", rule="body") from error
        if _EXTRA in record:
            raise Unreadable(
                happened="the row has more cells than the header has names, so none of them can be trusted",
                next="look for a separator without quotes in the row, correct it and upload the file again",
                rule="extra cells",
                pointer=f"line {raw.headers['line']}" if "line" in raw.headers else "",
            )
        yield Ignored(rule="no field map")

    def _key(self, record: Mapping[str, object], encoded: bytes, seen: Counter[str]) -> str:
        """Whom the row is about and in which version; where nothing names it, its content and how often it has come in this file."""
        version = digest(encoded)[:16]
        if self._key_columns:
            return "/".join([*(str(record.get(name, ""))[:80] for name in self._key_columns), version])
        seen[version] += 1
        return f"{version}/{seen[version]}"

    def _find(self, body: bytes) -> tuple[Sequence[Row], int]:
        if not is_spreadsheet(body):
            text = decode_text(body)
            found = self._table(text)
            if found is None:
                raise _no_table()
            delimiter, header = found
            return tuple(text_rows(text, delimiter)), header
        for name, rows in sheets(body):
            place = header_place(rows, self._header_row) if self._sheet in ("", name) else None
            if place is not None:
                return rows, place
        raise _no_table(sheet=self._sheet or None)

    def _table(self, text: str) -> tuple[str, int] | None:
        """The delimiter under which the header is widest, and the header's place."""
        best: tuple[int, str, int] | None = None
        for delimiter in _DELIMITERS:
            if delimiter not in text:
                continue
            head = tuple(islice(text_rows(text, delimiter), max(HEADER_WITHIN, self._header_row)))
            place = header_place(head, self._header_row)
            if place is not None and (best is None or len(head[place].cells) > best[0]):
                best = (len(head[place].cells), delimiter, place)
        return None if best is None or best[0] < 2 else (best[1], best[2])


def _record(names: Sequence[str], row: Row) -> dict[str, object]:
    """The row by column name. Of a row wider than its header no cell has a name that can be trusted, not even for a field map."""
    cells = [cell.strip() for cell in row.cells]
    if any(cells[len(names) :]):
        return {_EXTRA: cells}
    return dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=False))


def _refuse_lost_digits(names: Sequence[str], row: Row) -> None:
    for name, cell in zip(names, row.cells, strict=False):
        if lost_digits(cell.strip()):
            raise Unreadable(
                happened="a long number was shortened by a spreadsheet program; its digits are gone",
                next="export the file again and upload it without opening it in between",
                rule="lost digits",
                pointer=f"line {row.line}, {name}",
                value=cell.strip(),
            )


def _no_table(*, sheet: str | None = None) -> Unreadable:
    return Unreadable(
        happened="no header row was found: a row of at least two different names",
        next="tell the connection's setting header_row in which line it stands, or sheet on which sheet",
        rule="no header",
        sheet=sheet,
    )
