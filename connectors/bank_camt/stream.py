"""A message as a stream: what has been read is let go, so that a file of any length takes the memory of one entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from hub.sdk import Read

from .account import Account
from .message import PARSER, Message, broken, message_in, refused
from .shapes import DETAIL, ENTRY, STATEMENT, Told, compiled, told

HEAD = 65_536
_CHUNK = 65_536
_LONG = 2**20
_TOO_LONG = 16 * 2**20  # a tree takes ten times what its text does


class Document:
    """A file whose message is known. Raises `Unreadable` at once for what is none, and while reading where it breaks off."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._head = source.read(HEAD)
        self.message: Message = message_in(self._head)
        space = self.message.namespace
        self._entry, self._container = f"{space}Ntry", f"{space}{self.message.container}"
        self._shape, self._statement, self._detail = (compiled(shape, space) for shape in (ENTRY, STATEMENT, DETAIL))
        self._open: etree._Element | None = None
        self._details: list[Told] = []

    def lines(self) -> Iterator[Read]:
        """The lines of each account, and after them its statements."""
        account: Account | None = None
        accounts = 0
        for end, element in self._events():
            if not end:
                self._open = element
                continue
            above = element.getparent()
            if account is None:
                accounts += 1
                account = Account(self.message, told(self._around(element, above), self._statement), accounts)
            if element.tag == self._entry:
                yield from account.entry(told(element, self._shape), self._details, element.sourceline or 0)
                self._details = []
            else:
                yield from account.closed(told(element, self._statement))
                account = None
            self._open = None
            if above is not None:
                above.remove(element)
        if not accounts:
            happened = f"the message holds no {self.message.container}: no account is told"
            raise refused("no statement", happened, pointer=f"tag {self.message.container}")

    def _around(self, element: etree._Element, above: etree._Element | None) -> etree._Element:
        """What tells whose entry it is."""
        return element if element.tag == self._container or above is None else above

    def _events(self) -> Iterator[tuple[bool, etree._Element]]:
        """Each entry and account, when it begins and when it is complete. No entities, no network, no text without end."""
        parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=(self._entry, self._container),
            remove_blank_text=True,
            remove_comments=True,
            remove_pis=True,
            collect_ids=False,
            **PARSER,
        )
        chunk, waited = self._head, 0
        try:
            while chunk:
                parser.feed(chunk)
                waited += len(chunk)
                for event, element in parser.read_events():
                    waited = 0
                    yield event == "end", element
                if waited > _LONG and self._took_details():
                    waited = 0
                if waited > _TOO_LONG:
                    raise refused("too large", "16 MB went by without an entry", pointer=f"after tag {self.message.container}")
                chunk = self._source.read(_CHUNK)
            parser.close()
        except etree.XMLSyntaxError as error:
            raise broken(error) from error

    def _took_details(self) -> bool:
        """Read the details that an entry has so far, and let them go; the last one may not be complete."""
        if self._open is None:
            return False
        whole = list(self._open.iterdescendants(f"{self.message.namespace}TxDtls"))[:-1]
        for element in whole:
            self._details.append(told(element, self._detail))
            element.getparent().remove(element)
        return bool(whole)
