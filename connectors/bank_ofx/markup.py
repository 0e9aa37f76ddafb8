"""OFX's markup, version 1 (SGML, closing tags may be missing) and 2 (XML), as aggregates and the fields in them.

Version 1 leaves out the closing tag of a field, and nothing in the file says whether a tag with nothing behind it is an empty field
or opens an aggregate. Here it is a field where its name is one of a field, or where it is closed nowhere in the file.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

import msgspec

from hub.sdk import Unreadable

MAX_BYTES = 100 * 2**20
_DEEPEST = 32
_FIELDS = frozenset(
    (
        *("ACCTID", "ACCTTYPE", "BALAMT", "BANKID", "BRANCHID", "CHECKNUM", "CODE", "CORRECTACTION", "CORRECTFITID", "CURDEF"),
        *(
            "CURRATE",
            "CURSYM",
            "DTASOF",
            "DTAVAIL",
            "DTEND",
            "DTPOSTED",
            "DTSTART",
            "DTUSER",
            "EXTDNAME",
            "FITID",
            "LANGUAGE",
            "MEMO",
        ),
        *("MEMO2", "MESSAGE", "NAME", "PAYEEID", "REFNUM", "SEVERITY", "SIC", "SRVRTID", "TRNAMT", "TRNTYPE", "TRNUID"),
    )
)
# What is inside these is only true once they are closed; a file cut in the middle leaves one of them open.
_WHOLE = frozenset(
    (
        *(
            "OFX",
            "SONRS",
            "STATUS",
            "BANKMSGSRSV1",
            "CREDITCARDMSGSRSV1",
            "INVSTMTMSGSRSV1",
            "STMTTRNRS",
            "CCSTMTTRNRS",
            "INVSTMTTRNRS",
        ),
        *("STMTRS", "CCSTMTRS", "INVSTMTRS", "BANKTRANLIST", "INVTRANLIST", "INVBANKTRAN", "STMTTRN", "LEDGERBAL", "CURRENCY"),
        *("ORIGCURRENCY", "BANKACCTFROM", "CCACCTFROM", "INVACCTFROM", "BANKACCTTO", "CCACCTTO", "PAYEE"),
    )
)
_TAG = re.compile(r"<(?:(/?)([A-Za-z][A-Za-z0-9_.-]*)(?:\s[^<>]*?)?(/?)>|(!--|!\[CDATA\[|!DOCTYPE|!ENTITY|\?))", re.IGNORECASE)
_HEADER = re.compile(rb"\s*(?:OFXHEADER\s*:|(?:<\?xml[^<>]*\?>\s*)?<(?:\?OFX|OFX|!DOCTYPE\s+OFX)[\s>])", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " "}
_BLANKS = re.compile(r"\s+")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# Code pages by the numbers that the header gives them.
_PAGES = {
    "1252": "cp1252",
    "936": "gb18030",
    "54936": "gb18030",
    "950": "cp950",
    "932": "cp932",
    "949": "cp949",
    "1251": "cp1251",
}
_SEVERAL_BYTES = frozenset(("gb18030", "cp950", "cp932", "cp949"))


class Aggregate(msgspec.Struct, kw_only=True):
    """A tag with fields, and the aggregates in it; those of a list are handed out one by one and not kept."""

    name: str
    line: int
    fields: dict[str, list[str]] = {}
    parts: list[Aggregate] = []

    def text(self, name: str) -> str:
        """The field's text, empty where there is none. Raises `Unreadable` where it is said twice and differently."""
        said = list(dict.fromkeys(value for value in self.fields.get(name, ()) if value))
        if len(said) > 1:
            raise Unreadable(
                happened=f"{name} is said {len(said)} times in one {self.name}",
                next="ask the bank which one it means",
                rule="said twice",
                pointer=f"line {self.line}, {name}",
            )
        return said[0] if said else ""

    def words(self, name: str) -> str:
        """The field's text; what is said in several pieces is put together."""
        return " ".join(dict.fromkeys(value for value in self.fields.get(name, ()) if value))

    def part(self, *names: str) -> Aggregate | None:
        return next((part for part in self.parts if part.name in names), None)


def is_ofx(head: bytes) -> bool:
    """Whether a file that begins like this is OFX."""
    return _HEADER.match(head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")) is not None


def decoded(body: bytes) -> str:
    """The file's text, by its mark, its header or its XML declaration. Raises `Unreadable`."""
    if len(body) > MAX_BYTES:
        raise Unreadable(
            happened="the file is larger than any statement", next="export a shorter period", rule="too large", bytes=len(body)
        )
    if not is_ofx(body[:4096]):
        raise Unreadable(
            happened="the file does not begin as OFX does", next="send the bank's own .ofx or .qfx file, unchanged", rule="not OFX", pointer="line 1"
        )  # fmt: skip
    for encoding in _encodings(body):
        try:
            return body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    raise Unreadable(
        happened="the text is not in the character set that the header names",
        next="export the file again and do not open it in another program first",
        rule="encoding",
        pointer="header",
    )


def _encodings(body: bytes) -> tuple[str, ...]:
    """What to try. Many banks declare 1252 and write UTF-8, which text in a single-byte page practically never is by chance."""
    marked = next((name for mark, name in _MARKS if body.startswith(mark)), None)
    if marked:
        return (marked,)
    start = body[:4096]
    if b"\x00" in start:
        return ("utf-16-be" if start.startswith(b"\x00") else "utf-16-le",)
    head = start.partition(b"<OFX>")[0].decode("latin-1")
    if declared := re.search(r"<\?xml[^>]*encoding\s*=\s*[\"']([\w.:-]+)", head, re.IGNORECASE):
        return (declared[1],)
    encoding, page = (_of_header(head, name) for name in ("ENCODING", "CHARSET"))
    if encoding in ("UTF-8", "UTF8", "UNICODE"):
        return ("utf-8",)
    named = _PAGES.get(page.removeprefix("CP").removeprefix("WINDOWS-"), page.lower() if page not in ("", "NONE") else "cp1252")
    return (named,) if named in _SEVERAL_BYTES else ("utf-8", named)


def _of_header(head: str, name: str) -> str:
    found = re.search(rf"\b{name}\s*:\s*([\w.-]+)", head, re.IGNORECASE)
    return found[1].upper() if found else ""


# --- aggregates --------------------------------------------------------------------------------------------------


def closing(text: str) -> Iterator[tuple[Aggregate, list[Aggregate]]]:
    """Each aggregate when it closes, and those that are still open around it, the outermost first. Raises `Unreadable`."""
    aggregates = ({name.upper() for name in re.findall(r"</([A-Za-z][A-Za-z0-9_.-]*)", text)} | _WHOLE) - _FIELDS
    around: list[Aggregate] = []
    ended = False
    for tag in _tags(text):
        if tag.closes:
            if any(one.name == tag.name for one in around):
                yield _left(around, tag), around
                ended = ended or tag.name == "OFX"
        elif tag.name not in aggregates or (tag.value and tag.name not in _WHOLE):
            if around:
                around[-1].fields.setdefault(tag.name, []).append(tag.value)
        else:
            _enter(around, tag)
    if around or not ended:
        raise _cut_off(around[-1] if around else Aggregate(name="OFX", line=1))


def _enter(around: list[Aggregate], tag: _Tag) -> None:
    if len(around) >= _DEEPEST or any(one.name == tag.name == "STMTTRN" for one in around):
        raise Unreadable(
            happened=f"{tag.name} stands inside what cannot hold it",
            next="export the file again",
            rule="nesting",
            pointer=f"line {tag.line}",
        )
    around.append(Aggregate(name=tag.name, line=tag.line, fields={}, parts=[]))


def _left(around: list[Aggregate], tag: _Tag) -> Aggregate:
    """The aggregate that this tag closes, taken off those around. What was open in it and never closed was an empty field."""
    while (left := around.pop()).name != tag.name:
        if left.name in _WHOLE:
            raise _cut_off(left)
        for name, values in left.fields.items():
            around[-1].fields.setdefault(name, []).extend(values)
        around[-1].parts += left.parts
    if around and not around[-1].name.endswith("LIST"):
        around[-1].parts.append(left)
    return left


def _cut_off(left: Aggregate) -> Unreadable:
    return Unreadable(
        happened=f"the file ends before {left.name} does: a part of it is missing",
        next="download it again",
        rule="cut off",
        pointer=f"line {left.line}",
    )


# --- tags --------------------------------------------------------------------------------------------------------


class _Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag and the text up to the next one."""

    name: str
    closes: bool
    line: int
    value: str


def _tags(text: str) -> Iterator[_Tag]:
    place, counted, line = 0, 0, 1
    tag: tuple[str, bool, int] | None = None
    pieces: list[str] = []
    while match := _TAG.search(text, place):
        closes, name, empty, other = match.groups()
        pieces.append(_plain(text[place : match.start()]))
        line += text.count("\n", counted, match.start())
        counted = match.start()
        if other:
            place = _past(text, match, line, pieces)
            continue
        if tag is not None:
            yield _tag(tag, pieces)
        tag, pieces, place = (name.upper(), bool(closes), line), [], match.end()
        if empty:
            yield _tag(tag, pieces)
            tag = (tag[0], True, line)
    if tag is not None:
        yield _tag(tag, pieces)


def _tag(tag: tuple[str, bool, int], pieces: list[str]) -> _Tag:
    name, closes, line = tag
    return _Tag(name=name, closes=closes, line=line, value=_BLANKS.sub(" ", "".join(pieces)).strip())


def _past(text: str, match: re.Match[str], line: int, pieces: list[str]) -> int:
    """Where a comment, an instruction or literal text ends; literal text is added to the pieces. Raises `Unreadable`."""
    kind = match[4].upper()
    if kind in ("!DOCTYPE", "!ENTITY"):
        raise Unreadable(
            happened="the file declares entities of its own, which no bank needs",
            next="send the bank's own file",
            rule="doctype",
            pointer=f"line {line}",
        )
    end = {"!--": "-->", "![CDATA[": "]]>", "?": "?>"}[kind]
    found = text.find(end, match.end())
    if found < 0:
        raise _cut_off(Aggregate(name=f"<{kind}", line=line))
    if kind == "![CDATA[":
        pieces.append(text[match.end() : found])
    return found + len(end)


def _plain(text: str) -> str:
    """The text with its character references resolved; an ampersand that begins none stays, as banks write names."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    known = 32 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return chr(code) if known else " "
