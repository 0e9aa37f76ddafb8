"""From a file to the lines and statements in it, whichever connector reads it; archives give what their members hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO

import msgspec

from hub.archives import is_archive, members
from hub.core.connector import ReadsStatements
from hub.core.errors import NotFound, Problem, Unreadable
from hub.registry.reading import BankReader, bank_readers
from hub.statements import Read
from hub.tables import check_source, recognised_by


class BankFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file, or a member of one, and the connector that reads it; `problem` where none does."""

    name: str
    source: BinaryIO
    reader: BankReader | None = None
    problem: Problem | None = None

    def statements(self) -> Iterator[Read]:
        """The lines, and after them the statement they belong to. Raises `Unreadable` for a file that is refused as a whole."""
        if self.reader is None or not isinstance(self.reader.connector, ReadsStatements):
            raise self.problem or _unknown(self.name, ())
        self.source.seek(0)
        yield from self.reader.connector.statements(self.name, self.source)


def statement_readers(format: str | None = None, *, columns: dict[str, str] | None = None) -> list[BankReader]:
    """Every connector that reads statements, or the one that is meant: its name, the part behind the kind, or one of its layouts.

    Raises `NotFound`.
    """
    every = [one for one in bank_readers({"columns": columns or {}}) if isinstance(one.connector, ReadsStatements)]
    if format is None:
        return every
    meant = [one for one in every if format in (one.manifest.name, one.manifest.name.partition("_")[2])]
    if meant:
        return meant
    for one in every:
        layout = one.manifest.settings.get("profile")
        if layout and format and format in layout.choices:
            return [reader for reader in bank_readers({"profile": format}) if reader.manifest.name == one.manifest.name]
    names = ", ".join(one.manifest.name.partition("_")[2] for one in every)
    raise NotFound(happened="there is no such format", next=f"choose one of {names}", format=format)


def bank_files(name: str, source: BinaryIO, among: Sequence[BankReader], *, told: bool = False) -> Iterator[BankFile]:
    """The file, or the members of an archive that are bank files, each with its reader: the first that recognises it.

    `told`: somebody said which reader it is, so that nothing is left to recognise.
    """
    reader = _recognising(name, source, among)
    if reader is None and is_archive(recognised_by(source)):
        yield from _packed(name, source, among, told=told)
    elif reader is not None or told:
        yield BankFile(name=name, source=source, reader=reader or among[0])
    else:
        yield BankFile(name=name, source=source, problem=_refusal(name, source, among))


def _packed(name: str, source: BinaryIO, among: Sequence[BankReader], *, told: bool) -> Iterator[BankFile]:
    """The members that are bank files. What else is in the archive (a summary, a note) is left where one is found."""
    known, others = 0, list[str]()
    for member in members(name, source):
        if member.problem is not None:
            known += 1
            yield BankFile(name=f"{name}/{member.name}", source=member.source, problem=member.problem)
            continue
        reader = among[0] if told else _recognising(member.name, member.source, among)
        if reader is None:
            others.append(member.name)
            continue
        known += 1
        yield BankFile(name=f"{name}/{member.name}", source=member.source, reader=reader)
    if not known:
        problem = Unreadable(
            happened="nothing in the archive is a bank's file",
            next="check that it is the bank's own export, unchanged",
            rule="recognise",
            members=", ".join(others[:5]) or None,
        )
        yield BankFile(name=name, source=source, problem=problem)


def _recognising(name: str, source: BinaryIO, among: Sequence[BankReader]) -> BankReader | None:
    head = recognised_by(source)
    return next((one for one in among if one.connector.recognises(name, head)), None)


def _refusal(name: str, source: BinaryIO, among: Sequence[BankReader]) -> Problem:
    """Why nobody reads the file: what it is instead, or a reader's guess at its columns, else only that it is unknown."""
    try:
        check_source(source)
    except Unreadable as problem:
        if problem.rule != "html" or b"<html" in recognised_by(source)[:4096].lower():
            return problem
        return _unknown(name, among)
    for one in among:
        with suppress(StopIteration):
            try:
                next(BankFile(name=name, source=source, reader=one).statements())
            except Unreadable as problem:
                if "columns = {" in problem.next:  # a guess; a reader that has none knows no more than anyone
                    return problem
    return _unknown(name, among)


def _unknown(name: str, among: Sequence[BankReader]) -> Unreadable:
    return Unreadable(
        happened="no connector recognises this file as a bank's",
        next="check that it is the bank's own export, unchanged, or say with --as which it is: "
        + ", ".join(one.manifest.name.partition("_")[2] for one in among),
        rule="recognise",
    )
