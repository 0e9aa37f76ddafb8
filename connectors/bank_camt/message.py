"""Which message a file holds: its kind and version, and what refuses it before anything is read."""

from __future__ import annotations

import re

import msgspec
from lxml import etree

from hub.sdk import Unreadable

PARSER = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False, "recover": False}
NEXT = "export the file from the bank again, as CAMT, and upload it unchanged"

_LOOKS = re.compile(rb"camt\.05[234]\.|<(?:[\w.-]+:)?(?:Document|BkToCstmr\w*)[\s/>]")
_BYTE_ORDER = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[234])\.001\.(\d\d)")
_VERSIONS = range(1, 14)
_CONTAINERS = {"camt.052": "Rpt", "camt.053": "Stmt", "camt.054": "Ntfctn"}
_ROOTS = {"BkToCstmrAcctRpt": "camt.052", "BkToCstmrStmt": "camt.053", "BkToCstmrDbtCdtNtfctn": "camt.054"}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is `camt.053` and its like; `namespace` is as tags have it, `{…}` or empty; `version` may be untold."""

    kind: str
    version: str
    namespace: str

    @property
    def container(self) -> str:
        """The element that holds one account."""
        return _CONTAINERS[self.kind]

    @property
    def format(self) -> str:
        return f"{self.kind}.001.{self.version}" if self.version else self.kind


def looks_like_one(head: bytes) -> bool:
    """Whether a file's first bytes are XML that speaks of such a message, well-formed or not."""
    for mark in _BYTE_ORDER:
        head = head.removeprefix(mark)
    plain = head.replace(b"\x00", b"")  # UTF-16
    return plain.lstrip()[:1] == b"<" and bool(_LOOKS.search(plain))


def message_in(head: bytes) -> Message:
    """The message that a file's first bytes begin. Raises `Unreadable` with the line or tag."""
    if _DOCTYPE.search(head.replace(b"\x00", b"")):
        raise refused("doctype", "the file declares a document type or entities", pointer="line 1")
    parser = etree.XMLPullParser(events=("start",), **PARSER)
    starts: list[etree._Element] = []
    try:
        parser.feed(head)
    except etree.XMLSyntaxError as error:
        starts = _document(parser)
        if len(starts) < 2:
            raise broken(error) from error
    starts = starts or _document(parser)
    if not starts:
        raise refused("no message", "the file is not an ISO 20022 document", pointer="tag Document")
    if len(starts) < 2:
        raise refused("no message", "the document holds no message", pointer=f"tag Document, line {starts[0].sourceline or 1}")
    return _message(starts[0], starts[1])


def _document(parser: etree.XMLPullParser) -> list[etree._Element]:
    """The document's element and the first below it; banks may put an envelope around it."""
    starts = [element for _, element in parser.read_events() if isinstance(element.tag, str)]
    for place, element in enumerate(starts[:200]):
        if etree.QName(element).localname == "Document":
            return starts[place : place + 2]
    return []


def _message(document: etree._Element, root: etree._Element) -> Message:
    space, name = etree.QName(document).namespace or "", etree.QName(root).localname
    kind = _ROOTS.get(re.sub(r"V\d\d$", "", name))  # 001.01 ends the name in V01
    named = _NAMESPACE.fullmatch(space)
    pointer = f"tag {name}, line {root.sourceline or 1}"
    if kind is None or (space and etree.QName(root).namespace != space):
        raise refused("no message", f"the document is no account statement, report or notification: {name[:80]}", pointer=pointer)
    if space and not named:
        raise refused("version", f"the namespace is not one of camt.052, camt.053, camt.054: {space[:120]}", pointer=pointer)
    version = named[2] if named else ""
    if version and int(version) not in _VERSIONS:
        raise refused("version", f"version 001.{version} is not known here; 001.01 to 001.13 are", pointer=pointer)
    if named and named[1] != kind:
        raise refused("version", f"the namespace says {named[1]} and the message is {kind}", pointer=pointer)
    return Message(kind=kind, version=version, namespace=f"{{{space}}}" if space else "")


def broken(error: etree.XMLSyntaxError) -> Unreadable:
    line = error.lineno or 1
    return refused("xml", f"the file is not well-formed XML: {(error.msg or 'it ends too early')[:200]}", pointer=f"line {line}")


def refused(rule: str, happened: str, *, pointer: str, next: str = NEXT) -> Unreadable:
    return Unreadable(happened=happened, next=next, rule=rule, pointer=pointer)
