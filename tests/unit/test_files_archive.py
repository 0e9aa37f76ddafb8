"""A ZIP of bank files: what is taken out of it, under which name, and what is refused before it can do harm."""

import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import Unreadable
from hub.files import archive as archives
from hub.files.archive import check_archive, is_archive, unpacked
from hub.files.limits import file_name


def zipped(*files: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files:
            archive.writestr(name, body)
    return made.getvalue()


def names(body: bytes) -> list[str]:
    return [one.name for one in unpacked(body)]


def why(body: bytes) -> list[str]:
    return [getattr(one.problem, "rule", "") for one in unpacked(body)]


def test_each_file_comes_out_as_it_went_in() -> None:
    """In their order, one at a time; folders and what a Mac adds are no files."""
    body = zipped(("a.csv", b"one"), ("march/", b""), ("march/b.ofx", b"two"), ("__MACOSX/._a.csv", b"x"))

    assert [(one.name, one.body, one.problem) for one in unpacked(body)] == [("a.csv", b"one", None), ("b.ofx", b"two", None)]


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\x\\b.csv", "b.csv"), ("/a/b\x00\n.csv", "b.csv"), ("..", ".."), ("a/", "statement")],
)
def test_a_name_is_never_a_path(given_name: str, kept: str) -> None:
    """Only its last part counts, and only what can be printed of it."""
    assert file_name(given_name) == kept


def test_a_name_from_a_chinese_windows_is_read() -> None:
    """It writes names in its code page and no flag that says so."""
    body = zipped(("xxxxxxxx.csv", b"one")).replace(b"xxxxxxxx", "三月流水".encode("gb18030"))

    assert names(body) == ["三月流水.csv"]


def test_a_spreadsheet_is_no_archive() -> None:
    """It is a ZIP as well, and whoever reads spreadsheets reads it; a damaged ZIP is theirs to refuse."""
    assert is_archive(zipped(("a.csv", b"x")))
    assert not is_archive(zipped(("[Content_Types].xml", b"x"), ("xl/workbook.xml", b"x")))
    assert not is_archive(zipped(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")))
    assert not is_archive(zipped(("a.csv", b"x"))[:-10])
    assert not is_archive(b"PK\x03\x04")


def locked() -> bytes:
    body = bytearray(zipped(("a.csv", b"x")))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = body.index(mark) + flags
        body[place : place + 2] = struct.pack("<H", 1)
    return bytes(body)


@pytest.mark.parametrize(
    ("made", "rule"),
    [
        (zipped, "empty archive"),
        (lambda: zipped(("a/", b"")), "empty archive"),
        (lambda: zipped(*((f"{n}.csv", b"x") for n in range(archives.MOST_MEMBERS + 1))), "too many members"),
        (lambda: zipped(("a.csv", bytes(2**22))), "ratio"),
        (locked, "encrypted archive"),
    ],
    ids=["empty", "folders", "many", "bomb", "locked"],
)
def test_an_archive_is_refused_by_name_before_it_is_unpacked(made: Callable[[], bytes], rule: str) -> None:
    """By what it says of itself."""
    with pytest.raises(Unreadable) as refused:
        check_archive(made())

    assert refused.value.rule == rule


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its files together have a limit, and each of them the limit of a file."""
    body = zipped(("a.csv", b"a" * 600), ("b.csv", b"b" * 600))

    monkeypatch.setattr(archives, "FILE_BYTES", 500)
    each = why(body)
    monkeypatch.setattr(archives, "MOST_UNPACKED", 1_000)
    with pytest.raises(Unreadable) as together:
        check_archive(body)

    assert each == ["too large"] * 2
    assert together.value.rule == "too large"


def test_what_an_archive_says_of_itself_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that unpacks to more than it says is stopped while it does, and the file beside it comes."""
    body = bytearray(zipped(("a.csv", bytes(2**22)), ("b.csv", b"good")))
    directory = body.index(b"PK\x01\x02")
    body[directory + 24 : directory + 28] = struct.pack("<I", 10)

    found = list(unpacked(bytes(body)))

    assert [one.body for one in found] == [b"", b"good"]
    assert found[0].problem is not None


def test_one_bad_file_stops_no_other() -> None:
    """An archive in the archive, an empty file and a damaged one are refused; the others come."""
    body = bytearray(
        zipped(("in.zip", zipped(("a.csv", b"x"))), ("empty.csv", b""), ("bad.csv", b"damaged"), ("good.csv", b"good"))
    )
    local = body.index(b"bad.csv") + len("bad.csv")
    body[local : local + 4] = b"\xff" * 4

    assert why(bytes(body)) == ["archive in an archive", "empty file", "damaged member", ""]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8), st.integers(0, 400))
def test_no_bytes_do_more_than_be_refused(changes: list[tuple[int, int]], cut: int) -> None:
    """A changed or cut archive is unpacked, refused, or left to those that read spreadsheets."""
    body = bytearray(zipped(("a.csv", b"one" * 50), ("b.ofx", b"two" * 50)))
    for place, byte in changes:
        body[place % len(body)] = byte
    content = bytes(body[: len(body) - cut % 7])

    if is_archive(content):
        try:
            for one in unpacked(content):
                assert one.problem is None or isinstance(one.problem, Unreadable)
        except Unreadable as refused:
            assert refused.rule
