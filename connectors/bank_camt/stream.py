"""A message as a stream: what has been read is let go, so that a file of any length takes the memory of one entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from hub.sdk import Read

from .account import Account
from .message import PARSER, Message, broken, message_in, refused
from .shapes import DETAIL, ENTRY, STATEMENT, Shape, Told, compiled, told

HEAD = 65_536
_CHUNK = 65_536
_ONE_ELEMENT = 16 * 2**20  # a tree takes ten times what its text does


class Document:
    """A file whose message is known. Raises `Unreadable` at once for what is none, and while reading where it breaks off."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._head = source.read(HEAD)
        self.message: Message = message_in(self._head)

    def lines(self) -> Iterator[Read]:
        """The lines of each account, and after them its statements."""
        space, container = self.message.namespace, self.message.container
        detail, entry, statement = (compiled(shape, space) for shape in (DETAIL, ENTRY, STATEMENT))
        tags = [f"{space}{name}" for name in ("TxDtls", "Ntry", container)]
        details: list[Told] = []
        account: Account | None = None
        accounts = 0
        for element in self._elements(tags):
            above = element.getparent()
            if element.tag == tags[0]:
                details.append(told(element, detail))
            elif element.tag == tags[1]:
                if account is None:
                    accounts += 1
                    account = self._account(above, statement, accounts)
                yield from account.entry(told(element, entry), details, element.sourceline or 0)
                details = []
            else:
                whole = told(element, statement)
                if account is None:
                    accounts += 1
                    account = Account(self.message, whole, accounts)
                yield from account.closed(whole)
                account = None
            if above is not None:
                above.remove(element)
        if not accounts:
            raise refused("no statement", f"the message holds no {container}: no account is told", pointer=f"tag {container}")

    def _account(self, above: etree._Element | None, statement: Shape, place: int) -> Account:
        return Account(self.message, {} if above is None else told(above, statement), place)

    def _elements(self, tags: list[str]) -> Iterator[etree._Element]:
        """Each of these elements when it is complete. The parser takes no entities, no network and no text without end."""
        parser = etree.XMLPullParser(
            events=("end",), tag=tags, remove_blank_text=True, remove_comments=True, remove_pis=True, collect_ids=False, **PARSER
        )
        chunk, waited = self._head, 0
        try:
            while chunk:
                parser.feed(chunk)
                waited += len(chunk)
                for _, element in parser.read_events():
                    waited = 0
                    yield element
                if waited > _ONE_ELEMENT:
                    raise refused("too large", "16 MB went by without an entry", pointer=f"tag {tags[1].rpartition('}')[2]}")
                chunk = self._source.read(_CHUNK)
            parser.close()
        except etree.XMLSyntaxError as error:
            raise broken(error) from error
