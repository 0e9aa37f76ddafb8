"""What a ZIP or GZIP file holds: banks and wallets pack their files. The bytes decide what it is, never the name."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast

import msgspec

from hub.core.errors import Unreadable

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
# What office programs put into their own containers; a file that begins with one of these is a document, not a parcel.
_OFFICE = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/", b"customXml/", b"mimetype", b"META-INF/", b"content.xml")
_METHODS = frozenset({0, 8, 9, 12, 14, 93, 95})
_IN_MEMORY = 8 * 2**20
_PART = 2**16
MAX_UNPACKED = 400 * 2**20
MAX_MEMBERS = 1000


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an archive: its name and its bytes, as a file that can be read and sought in."""

    name: str
    source: BinaryIO


def is_archive(head: bytes) -> bool:
    """Whether the file holds other files, by its first bytes. A spreadsheet does not, though it is a ZIP as well."""
    if head.startswith(_GZIP):
        return True
    method, length = int.from_bytes(head[8:10], "little"), int.from_bytes(head[26:28], "little")
    name = head[30 : 30 + length]
    whole = head.startswith(_ZIP) and method in _METHODS and 0 < length == len(name)
    return whole and not name.startswith(_OFFICE)


def beginnings(head: bytes) -> Iterator[bytes]:
    """The first bytes of the files that can be seen in an archive's first bytes."""
    if head.startswith(_GZIP):
        yield _inflated(zlib.decompressobj(31), head)
        return
    while head.startswith(_ZIP) and len(head) > 30:
        flags, method, size = (int.from_bytes(head[at:end], "little") for at, end in ((6, 8), (8, 10), (18, 22)))
        body = head[30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little") :]
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        if method == zipfile.ZIP_DEFLATED:
            yield _inflated(inflater, body)
        elif method == zipfile.ZIP_STORED:
            yield body[:size]
        # Where the size stands behind the data, the next file is looked for.
        following = body.find(_ZIP) if flags & 0x08 else size
        head = body[following:] if following >= 0 else b""


def _inflated(inflater: zlib._Decompress, packed: bytes) -> bytes:
    try:
        return inflater.decompress(packed, _PART)
    except zlib.error:
        return b""


def members(name: str, source: BinaryIO) -> Iterator[Member]:
    """The files of an archive, one open at a time, in the order that they stand in. Raises `Unreadable`."""
    source.seek(0)
    try:
        if source.read(2) == _GZIP:
            source.seek(0)
            with gzip.GzipFile(fileobj=source) as packed, _unpacked(cast("IO[bytes]", packed), left=MAX_UNPACKED) as whole:
                yield Member(name=name.removesuffix(".gz"), source=whole)
            return
        source.seek(0)
        with zipfile.ZipFile(source) as archive:
            yield from _of_zip(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        happened = "the archive is locked with a password" if "password" in str(error) else "the archive is cut off or damaged"
        raise Unreadable(happened=happened, next="unpack it, or download it again", rule="archive") from error


def _of_zip(archive: zipfile.ZipFile) -> Iterator[Member]:
    files = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    if len(files) > MAX_MEMBERS or sum(one.file_size for one in files) > MAX_UNPACKED:
        raise _too_large()
    left = MAX_UNPACKED
    for one in files:
        with archive.open(one) as packed, _unpacked(packed, left=left) as whole:
            left -= whole.seek(0, 2)
            whole.seek(0)
            yield Member(name=_named(one), source=whole)


def _named(one: zipfile.ZipInfo) -> str:
    """The member's name; those of Chinese programs are GBK without saying so, which a ZIP reads as code page 437."""
    if one.flag_bits & 0x800:
        return one.filename
    try:
        return one.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return one.filename


@contextmanager
def _unpacked(packed: IO[bytes], *, left: int) -> Iterator[BinaryIO]:
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as whole:
        while part := packed.read(_PART):
            left -= len(part)
            if left < 0:
                raise _too_large()
            whole.write(part)
        whole.seek(0)
        yield cast("BinaryIO", whole)


def _too_large() -> Unreadable:
    return Unreadable(happened="the archive unpacks to more than anyone exports", next="unpack it yourself", rule="too large")
