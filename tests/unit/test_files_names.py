"""What a file is called here."""

import pytest

from hub.files.limits import file_name


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\x\\b.csv", "b.csv"), ("/a/b\x00\n.csv", "b.csv"), ("..", ".."), ("a/", "statement")],
)
def test_a_name_is_never_a_path(given_name: str, kept: str) -> None:
    """Only its last part counts, and only what can be printed of it."""
    assert file_name(given_name) == kept
