"""What an archive gives: its members as files, a look into its first bytes, and refusals by name."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import archives
from hub.archives import beginnings, check_archive, is_archive, members
from hub.core.errors import Unreadable

FILES = {"a.csv": b"one,two\n" * 50, "folder/b.csv": b"", "c.csv": b"\x00\x01"}


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return whole.getvalue()


def streamed(files: dict[str, bytes]) -> bytes:
    """An archive written to something that cannot be sought in, whose sizes stand behind the data."""

    class Wire(io.RawIOBase):
        def __init__(self) -> None:
            self.sent = b""

        def writable(self) -> bool:
            return True

        def write(self, part) -> int:
            self.sent += bytes(part)
            return len(part)

    wire = Wire()
    with zipfile.ZipFile(wire, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return wire.sent


def unpacked(body: bytes) -> dict[str, bytes]:
    return {one.name: one.source.read() for one in members("x.zip", io.BytesIO(body)) if one.problem is None}


def zipped(*files: tuple[str, bytes]) -> bytes:
    return packed(dict(files))


@pytest.mark.parametrize(
    "body", [packed(FILES), packed(FILES, zipfile.ZIP_STORED), streamed(FILES)], ids=["zip", "stored", "wire"]
)
def test_an_archive_gives_its_files(body: bytes) -> None:
    """Whole, in order, and their beginnings from the first bytes alone."""
    assert is_archive(body)
    assert unpacked(body) == FILES
    assert next(beginnings(body[:200])).startswith(b"one,two")
    assert b"\x00\x01" in list(beginnings(body))


def test_a_gzip_is_an_archive_of_one() -> None:
    """Its file is called as it is, without the ending."""
    body = gzip.compress(FILES["a.csv"])

    assert is_archive(body) and list(beginnings(body)) == [FILES["a.csv"]]
    assert {one.name: one.source.read() for one in members("a.csv.gz", io.BytesIO(body))} == {"a.csv": FILES["a.csv"]}


def test_a_spreadsheet_is_no_archive() -> None:
    """Though it is a ZIP; nor is what only begins like one."""
    assert not is_archive(packed({"[Content_Types].xml": b"", "xl/workbook.xml": b""}))
    assert not is_archive(packed({"mimetype": b""}))
    assert not is_archive(b"PK\x03\x04" + b"not a workbook" * 50)


def test_a_name_in_chinese_is_read_though_the_archive_does_not_say_in_which_code() -> None:
    """Chinese programs write GBK where a ZIP means code page 437."""
    body = packed({"XXXX.csv": b"1"}).replace(b"XXXX.csv", "明细".encode("gbk") + b".csv")

    assert list(unpacked(body)) == ["明细.csv"]


@pytest.mark.parametrize("spoiled", ["cut off", "locked", "gzip cut off"])
def test_what_cannot_be_unpacked_is_refused(spoiled: str) -> None:
    """Damage and passwords have their own words."""
    body = {"cut off": packed(FILES)[:-30], "gzip cut off": gzip.compress(b"x" * 5000)[:-6]}.get(spoiled, packed(FILES))
    if spoiled == "locked":
        body = body.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01").replace(
            b"\x14\x00\x00\x00\x08", b"\x14\x00\x01\x00\x08"
        )

    with pytest.raises(Unreadable) as refused:
        unpacked(body)

    assert refused.value.rule == ("encrypted archive" if spoiled == "locked" else "archive")


def test_what_would_unpack_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the archive says of itself, and by what comes out of it."""
    monkeypatch.setattr(archives, "MAX_UNPACKED", 1000)
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)

    large = (packed({"a": b"x" * 2000}), "too large"), (gzip.compress(b"x" * 2000), "too large")
    for body, rule in (*large, (packed(dict.fromkeys("abc", b"")), "too many members")):
        with pytest.raises(Unreadable) as refused:
            unpacked(body)
        assert refused.value.rule == rule


@pytest.mark.parametrize(
    ("made", "rule"),
    [
        (zipped, "empty archive"),
        (lambda: zipped(("a/", b"")), "empty archive"),
        (lambda: zipped(*((f"{n}.csv", b"x") for n in range(archives.MAX_MEMBERS + 1))), "too many members"),
        (lambda: zipped(("a.csv", bytes(2**22))), "ratio"),
    ],
    ids=["empty", "folders", "many", "bomb"],
)
def test_an_archive_is_refused_by_name_before_it_is_unpacked(made: Callable[[], bytes], rule: str) -> None:
    """By what it says of itself."""
    body = made()
    with pytest.raises(Unreadable) as refused:
        check_archive(io.BytesIO(body))

    assert is_archive(body) and refused.value.rule == rule


def test_what_an_archive_says_of_itself_is_not_believed() -> None:
    """A file that unpacks to more than it says is stopped while it does, and the file beside it comes."""
    body = bytearray(zipped(("a.csv", bytes(2**22)), ("b.csv", b"good")))
    directory = body.index(b"PK\x01\x02")
    body[directory + 24 : directory + 28] = struct.pack("<I", 10)

    found = [(one.name, one.source.read(), one.problem is None) for one in members("x.zip", io.BytesIO(bytes(body)))]

    assert found == [("a.csv", b"", False), ("b.csv", b"good", True)]


def test_one_damaged_file_stops_no_other() -> None:
    """It comes with its reason, and what is beside it as it was packed; what a Mac adds is no file."""
    body = bytearray(zipped(("bad.csv", b"damaged"), ("__MACOSX/._a.csv", b"x"), ("good.csv", b"good")))
    local = body.index(b"bad.csv") + len("bad.csv")
    body[local : local + 4] = b"\xff" * 4

    found = list(members("x.zip", io.BytesIO(bytes(body))))

    assert [(one.name, one.problem and one.problem.rule) for one in found] == [("bad.csv", "archive"), ("good.csv", None)]


@given(st.sampled_from([packed(FILES), streamed(FILES), gzip.compress(FILES["a.csv"])]), st.floats(0, 1), st.binary(max_size=20))
def test_broken_bytes_only_raise_unreadable(body: bytes, where: float, noise: bytes) -> None:
    """An archive cut off anywhere, with anything behind."""
    broken = body[: int(where * len(body))] + noise

    list(beginnings(broken))
    if is_archive(broken):
        try:
            unpacked(broken)
        except Unreadable as refused:
            assert refused.next
