"""A ZIP of bank files, as its members. What it would unpack to is looked at first, and counted while it unpacks."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

import msgspec

from hub.core.errors import Problem, Unreadable
from hub.files.limits import FILE_BYTES, file_name

MOST_MEMBERS = 200
MOST_UNPACKED = 4 * FILE_BYTES
# Text packs to a twentieth, a bomb to a thousandth. Small files may pack to anything.
MOST_RATIO = 200
_SMALL = 2**20
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
# Spreadsheets are ZIPs with one of these in them.
_OF_A_DOCUMENT = frozenset(("[Content_Types].xml", "mimetype", "META-INF/manifest.xml", "Index/Document.iwa"))
_UTF_8, _LOCKED = 0x800, 0x1
_PIECE = 2**16


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A file out of an archive: its bytes, or why it cannot be had."""

    name: str
    body: bytes = b""
    problem: Problem | None = None


def is_archive(body: bytes) -> bool:
    """Whether this is a ZIP of files rather than a spreadsheet, which is a ZIP too."""
    if not body.startswith(_ZIP):
        return False
    try:
        names = {member.filename for member in zipfile.ZipFile(io.BytesIO(body)).infolist()}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError):
        return False  # cut off or damaged: whoever reads spreadsheets says so
    return not names & _OF_A_DOCUMENT


def check_archive(body: bytes) -> None:
    """Return if the archive may be unpacked, going by what it says of itself. Raises `Unreadable` by name."""
    members = _members(zipfile.ZipFile(io.BytesIO(body)))
    if not members:
        raise _refused("there is no file in the archive", "put the bank's files into it", "empty archive")
    if len(members) > MOST_MEMBERS:
        raise _refused(f"there are {len(members)} files in the archive", f"pack at most {MOST_MEMBERS}", "too many members")
    if any(member.flag_bits & _LOCKED for member in members):
        raise _refused("the archive is locked with a password", "unpack it, or pack it without a password", "encrypted archive")
    if sum(member.file_size for member in members) > MOST_UNPACKED:
        raise _refused("the archive unpacks to more than bank files are", f"pack at most {MOST_UNPACKED >> 20} MiB", "too large")
    for member in members:
        if _is_bomb(member.file_size, member.compress_size):
            raise _refused(
                "a file in the archive unpacks to far more than its like", "send it unpacked", "ratio", file_name(member.filename)
            )


def unpacked(body: bytes) -> Iterator[Packed]:
    """The archive's files, one at a time; a file that cannot be had comes with its reason. Raises `Unreadable` as `check_archive`."""
    check_archive(body)
    archive = zipfile.ZipFile(io.BytesIO(body))
    left = MOST_UNPACKED
    for member in _members(archive):
        name = file_name(_name(member))
        try:
            content = _content(archive, member, name, most=min(FILE_BYTES, left))
        except Unreadable as problem:
            yield Packed(name=name, problem=problem)
            continue
        left -= len(content)
        yield Packed(name=name, body=content)


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files in it, without folders and what a Mac adds to each file."""
    return [one for one in archive.infolist() if not one.filename.endswith("/") and not one.filename.startswith("__MACOSX/")]


def _name(member: zipfile.ZipInfo) -> str:
    """The member's name. Chinese Windows writes names in its code page and no flag for that, which reads as DOS characters."""
    if member.flag_bits & _UTF_8:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, *, most: int) -> bytes:
    pieces, size = [], 0
    try:
        with archive.open(member) as source:
            while piece := source.read(_PIECE):
                pieces.append(piece)
                size += len(piece)
                if size > most or _is_bomb(size, member.compress_size):
                    raise _refused(
                        "the file unpacks to more than it says, or than any statement is", "send it unpacked", "too large", name
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise _refused(f"the file in the archive is damaged: {error}", "pack it again", "damaged member", name) from error
    body = b"".join(pieces)
    if not body:
        raise _refused("the file is empty", "export it again", "empty file", name)
    if is_archive(body):
        raise _refused("there is an archive in the archive", "send the inner one by itself", "archive in an archive", name)
    return body


def _is_bomb(size: int, packed: int) -> bool:
    return size > _SMALL and size > MOST_RATIO * max(packed, 1)


def _refused(happened: str, next_: str, rule: str, file: str = "") -> Unreadable:
    return Unreadable(happened=happened, next=next_, rule=rule, file=file or None)
