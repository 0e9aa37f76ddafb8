"""How large what comes in may be, and what a file is called here."""

from __future__ import annotations

FILE_BYTES = 64 * 2**20
NAME_LETTERS = 80  # what the ledger keeps of a file's name


def file_name(given: str) -> str:
    """The last part of the name, printable, its end kept where it is too long: that says what the file is. Never a path."""
    name = "".join(letter for letter in given.replace("\\", "/").rpartition("/")[2] if letter.isprintable())
    return (name if len(name) <= NAME_LETTERS else f"{name[: NAME_LETTERS - 21]}…{name[-20:]}") or "statement"
