"""What a delivery may weigh: bytes, headers, nesting, what it unpacks to, and the characters it is written in.

Everything here is decided before a parser sees the body, in time that grows with the body's length and no faster.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

import msgspec

from hub.core.errors import Malformed, TooLarge
from hub.core.signing.places import twice


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits of one hook. `per_second` 0 lets any number in; `burst` is how many may come at once after a pause."""

    body_bytes: int = 1024 * 1024
    """Of the body as it came, and again of what it unpacks to."""
    ratio: int = 100
    """What a compressed body may unpack to, as a multiple of its length, once that is over `ratio_from` bytes."""
    ratio_from: int = 64 * 1024
    depth: int = 64
    headers: int = 100
    header_bytes: int = 32 * 1024
    query_bytes: int = 8 * 1024
    charsets: tuple[str, ...] = ("utf-8",)
    per_second: float = 0.0
    burst: int = 100
    seconds_to_send: float = 15.0
    seconds_to_store: float = 10.0


class HeadersTooLarge(TooLarge):
    """More headers, or longer ones, than any vendor sends (RFC 6585)."""

    status = 431


class Unsupported(Malformed):
    """A coding or a charset that this hook does not take."""

    code = "unsupported"
    status = 415


class TooSlow(Malformed):
    """The request did not arrive in time."""

    code = "too-slow"
    status = 408


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The request's headers as text, and the few that say how to read the body."""

    headers: tuple[tuple[str, str], ...]
    content_type: str
    coding: str
    length: int | None


_TOLD_ONCE = frozenset({"content-type", "content-encoding", "content-length", "host"})


def read_head(raw: Iterable[tuple[bytes, bytes]], limits: Limits) -> Head:
    """The headers, decoded as the wire has them (ISO 8859-1). Refuses too many, too long, and a doubled one that matters here."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
    if len(headers) > limits.headers:
        raise HeadersTooLarge(happened=f"the request has more than {limits.headers} headers", next="send fewer headers")
    told: dict[str, str] = {}
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
        if name in _TOLD_ONCE:
            if name in told:
                raise twice(f"the header {name}")
            told[name] = value
    if size > limits.header_bytes:
        raise HeadersTooLarge(happened=f"the headers have more than {limits.header_bytes} bytes", next="send shorter headers")
    length = told.get("content-length", "")
    return Head(
        headers=tuple(headers),
        content_type=told.get("content-type", "").lower(),
        coding=told.get("content-encoding", "").strip().lower(),
        length=int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None,
    )


def too_large(limits: Limits) -> TooLarge:
    return TooLarge(happened=f"the body is over {limits.body_bytes} bytes", next="send less at once, or raise the hook's limit")


# --- unpacking ---------------------------------------------------------------------------------------------------


def unpack(body: bytes, coding: str, limits: Limits) -> bytes:
    """The body without its content coding. A body that would grow beyond the limits is refused without unpacking the rest of it."""
    if coding == "identity":
        return body
    if coding == "gzip":
        return _inflated(body, 16 + zlib.MAX_WBITS, limits)
    if coding == "deflate":
        # RFC 9110 means the zlib format; some senders leave its two-byte head out.
        wrapped = len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
        return _inflated(body, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS, limits)
    raise Unsupported(
        happened="the body is packed in a way this hook does not take", next="send it unpacked, or as gzip", coding=coding[:40]
    )


def _inflated(body: bytes, bits: int, limits: Limits) -> bytes:
    most = min(limits.body_bytes, max(limits.ratio_from, len(body) * limits.ratio))
    unpacker = zlib.decompressobj(bits)
    try:
        unpacked = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise Malformed(happened="the packed body cannot be unpacked", next="send it again, or unpacked") from error
    if len(unpacked) > most:
        raise TooLarge(
            happened=f"the body would unpack to more than {most} bytes",
            next="send less at once, or unpacked",
            packed=len(body),
        )
    if not unpacker.eof or unpacker.unused_data:
        raise Malformed(happened="the packed body is cut off, or something follows it", next="send it again, or unpacked")
    return unpacked


# --- characters --------------------------------------------------------------------------------------------------

_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s";]*)')
_SAME = {"utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8", "utf-8-sig": "utf-8"}
_TEXT = ("application/json", "application/x-www-form-urlencoded", "application/cloudevents", "text/json", "text/plain")


def check_charset(body: bytes, content_type: str, limits: Limits) -> None:
    """Refuses a charset that the hook does not take, and a body that is not in the charset it is in.

    Where none is declared, JSON and forms are UTF-8 (RFC 8259); anything else is the connector's to judge.
    """
    declared = _CHARSET.search(content_type)
    charset = _SAME.get(declared[1], declared[1]) if declared else ""
    if charset and charset not in limits.charsets:
        raise Unsupported(
            happened="the hook does not take this charset", next="send UTF-8, or allow the charset", charset=charset[:40]
        )
    if not charset:
        if not (content_type.startswith(_TEXT) or "+json" in content_type or looks_like_json(body)):
            return
        charset = "utf-8"
    if body.isascii() and charset == "utf-8":
        return
    try:
        body.decode(charset)
    except (UnicodeDecodeError, LookupError) as error:
        raise Malformed(happened=f"the body is not {charset}", next="send it in the charset it declares") from error


# --- nesting -----------------------------------------------------------------------------------------------------

# A string is taken to its end, closed or not, so that the search never starts inside one: it stays linear on any input.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*+[\[{]")
_ALIKE = bytes.maketrans(b"[{]}", b"(())")
_NO_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")
_RUN = re.compile(rb"\(+|\)+")


def looks_like_json(body: bytes) -> bool:
    return _JSON.match(body) is not None


def check_depth(body: bytes, limits: Limits) -> None:
    """Refuses JSON nested deeper than the limit, by counting brackets; whether it is JSON at all is for the parser to say."""
    if body.count(b"{") + body.count(b"[") <= limits.depth or not looks_like_json(body):
        return
    if _deeper(_STRING.sub(b"", body).translate(_ALIKE, _NO_BRACKET), limits.depth):
        raise TooLarge(
            happened=f"the body is nested deeper than {limits.depth}", next="send flatter JSON, or raise the hook's limit"
        )


def _deeper(brackets: bytes, most: int) -> bool:
    """Whether the brackets nest deeper than `most`.

    Innermost pairs are taken away, a level at a time, while there are many of them; the few long runs left are added up. So
    a megabyte of brackets costs a few milliseconds however it is arranged.
    """
    while brackets.count(b"()") * 32 > len(brackets):
        brackets = brackets.replace(b"()", b"")
        most -= 1
        if most < 0:
            return True
    depth = 0
    for run in _RUN.finditer(brackets):
        length = run.end() - run.start()
        depth += length if brackets[run.start()] == 0x28 else -length
        if depth > most:
            return True
    return False
