"""A file from its first to its last field: to which message each belongs, and when a line or a statement is whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.sdk import Read, Unread, Unreadable

from .envelope import Begin, End, Field, Part
from .statement import Page


class Reading:
    """Follows the fields of one file. `account` and `currency` stand in for messages that name none."""

    def __init__(self, *, account: str, currency: str) -> None:
        self._account, self._currency = account, currency
        self._page: Page | None = None
        self._continued: Page | None = None
        self._line: Field | None = None
        self._texts: list[str] = []
        self._others: list[str] = []
        self._statements = 0
        self._fragments: list[Unread] = []
        self._refusal: Unreadable | None = None

    def results(self, parts: Iterable[Part]) -> Iterator[Read]:
        """Every line and statement. Raises `Unreadable` where no message of the file is a statement."""
        for part in parts:
            match part:
                case Begin():
                    self._page = Page(part, account=self._account, currency=self._currency)
                case Field():
                    self._field(part)
                case End():
                    yield from self._end(part)
        yield from self._flush(self._continued)
        if not self._statements:
            raise self._refusal or _no_message()

    def _field(self, field: Field) -> None:
        page = self._page
        assert page is not None
        if field.tag in ("86", "NS"):
            if self._line is not None:  # before a line and behind the closing balance it speaks of the statement
                (self._texts if field.tag == "86" else self._others).extend(field.lines)
            return
        self._close_line(page)
        if field.tag == "61":
            self._line = field
        elif field.tag.startswith(("60", "62")):
            page.balance(field)
            if self._continued is not None and self._continued.goes_on(page):
                self._continued.resume(page)
                self._page, self._continued = self._continued, None
        elif field.tag.startswith("90"):
            page.total(field)
        else:
            page.head(field)

    def _close_line(self, page: Page, *, cut: bool = False) -> None:
        if self._line is not None:
            if cut:
                page.cut_entry(self._line, self._texts)
            else:
                page.entry(self._line, self._texts, self._others)
        self._line, self._texts, self._others = None, [], []

    def _end(self, end: End) -> Iterator[Read]:
        page, self._page = self._page, None
        assert page is not None
        # A line is whole once something stands behind it.
        self._close_line(page, cut=end.last and not end.marked)
        page.end(marked=end.marked, last=end.last)
        continued, self._continued = self._continued, None
        yield from self._flush(continued)
        if page.closes_as == "62M":
            self._continued = page
        else:
            yield from self._flush(page)

    def _flush(self, page: Page | None) -> Iterator[Read]:
        """What a page gives that is over. What is no statement is told beside the first statement of the file, or refuses it."""
        if page is None:
            return
        problem = page.fragment()
        if problem is None:
            self._statements += 1
            yield from page.results()
        else:
            page.discard()
            self._refusal = self._refusal or problem
            text = f":20:{page.reference} :25:{page.account} :28C:{page.number}"
            self._fragments.append(Unread.because(problem, text=text, pointer=problem.pointer, account=page.account))
        if self._statements:
            yield from self._fragments
            self._fragments.clear()


def _no_message() -> Unreadable:
    return Unreadable(
        happened="the file holds no field of an account statement, such as :20: or :61:",
        next="choose MT940 or MT942 (SWIFT, MultiCash, STA) when exporting",
        rule="no message",
        pointer="line 1",
    )
