"""What a ZIP or GZIP file holds: banks and wallets pack their files. The bytes decide what it is, never the name."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast

import msgspec

from hub.core.errors import Unreadable

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
# What office programs put into their own containers; a file that begins with one of these is a document, not a parcel.
_OFFICE = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/", b"customXml/", b"mimetype", b"META-INF/", b"content.xml")
_EMPTY = b"PK\x05\x06"
_METHODS = frozenset({0, 8, 9, 12, 14, 93, 95})
_IN_MEMORY = 8 * 2**20
_PART = 2**16
_UTF_8, _LOCKED = 0x800, 0x1
MAX_UNPACKED = 400 * 2**20
MAX_MEMBERS = 200
MAX_RATIO = 200  # text packs to a twentieth, a bomb to a thousandth; small files may pack to anything
_SMALL = 2**20


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an archive: its name and its bytes, as a file that can be read and sought in, or why it cannot be had."""

    name: str
    source: BinaryIO
    problem: Unreadable | None = None


def is_archive(head: bytes) -> bool:
    """Whether the file holds other files, by its first bytes. A spreadsheet does not, though it is a ZIP as well."""
    if head.startswith((_GZIP, _EMPTY)):
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


def check_archive(source: BinaryIO) -> None:
    """Return if the archive may be unpacked, going by what it says of itself. Raises `Unreadable` by name."""
    source.seek(0)
    if source.read(2) == _GZIP:
        return
    with _readable(), zipfile.ZipFile(source) as archive:
        _files(archive)


def members(name: str, source: BinaryIO) -> Iterator[Member]:
    """The files of an archive, one open at a time, in the order that they stand in; one that is damaged comes with its reason.

    Raises `Unreadable` where the archive as a whole cannot be unpacked, or must not be.
    """
    source.seek(0)
    if source.read(2) == _GZIP:
        source.seek(0)
        with _readable(), gzip.GzipFile(fileobj=source) as packed, _unpacked(cast("IO[bytes]", packed), MAX_UNPACKED) as whole:
            yield Member(name=name.removesuffix(".gz"), source=whole)
        return
    with _readable(), zipfile.ZipFile(source) as archive:
        files = _files(archive)
    left = MAX_UNPACKED
    with zipfile.ZipFile(source) as archive:
        for one in files:
            try:
                with _readable(), archive.open(one) as inner, _unpacked(inner, left, of=one) as whole:
                    left -= whole.seek(0, 2)
                    whole.seek(0)
                    yield Member(name=_named(one), source=whole)
            except Unreadable as problem:
                yield Member(name=_named(one), source=BytesIO(), problem=problem)


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files in it, without folders and what a Mac adds to each; refuses what must not be unpacked by what it says of itself."""
    files = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    if not files:
        raise _refused("there is no file in the archive", "put the bank's files into it", "empty archive")
    if len(files) > MAX_MEMBERS:
        raise _refused(f"there are {len(files)} files in the archive", f"pack at most {MAX_MEMBERS}", "too many members")
    if any(one.flag_bits & _LOCKED for one in files):
        raise _refused("the archive is locked with a password", "unpack it, or pack it without a password", "encrypted archive")
    if sum(one.file_size for one in files) > MAX_UNPACKED:
        raise _too_large()
    bomb = next((one for one in files if _is_bomb(one.file_size, one.compress_size)), None)
    if bomb is not None:
        raise _refused("a file in the archive unpacks to far more than its like", "send it unpacked", "ratio", _named(bomb))
    return files


def _named(one: zipfile.ZipInfo) -> str:
    """The member's name; those of Chinese programs are GBK without saying so, which a ZIP reads as code page 437."""
    if one.flag_bits & _UTF_8:
        return one.filename
    try:
        return one.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return one.filename


@contextmanager
def _unpacked(packed: IO[bytes], left: int, *, of: zipfile.ZipInfo | None = None) -> Iterator[BinaryIO]:
    """The bytes, counted while they come: what an archive says of itself is not believed."""
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as whole:
        size = 0
        while part := packed.read(_PART):
            size += len(part)
            if size > left or (of is not None and _is_bomb(size, of.compress_size)):
                raise _too_large()
            whole.write(part)
        whole.seek(0)
        yield cast("BinaryIO", whole)


@contextmanager
def _readable() -> Iterator[None]:
    """What the libraries raise for damage, in our words."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise _refused("the archive is cut off or damaged", "download it again, or unpack it", "archive") from error


def _is_bomb(size: int, packed: int) -> bool:
    return size > _SMALL and size > MAX_RATIO * max(packed, 1)


def _too_large() -> Unreadable:
    return _refused("the archive unpacks to more than anyone exports", "unpack it yourself", "too large")


def _refused(happened: str, next_: str, rule: str, file: str = "") -> Unreadable:
    return Unreadable(happened=happened, next=next_, rule=rule, file=file or None)
