"""What the cases of a connector give now, beside what is written; and writing it once a person has seen it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from hub.core.errors import NotFound
from hub.testing.cases import ERROR, EXPECTED, Case, load_cases, meaning
from hub.testing.checks.cases import difference
from hub.testing.folder import Folder


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One case whose expectation is missing or not met. `diff` is for reading, `text` is what would be written to `file`."""

    case: str
    file: Path
    diff: str
    text: str

    def write(self) -> None:
        """Write the expectation, and take away the one it replaces (a case is either read or refused)."""
        self.file.write_text(self.text, encoding="utf-8")
        other = self.file.with_name(ERROR if self.file.name == EXPECTED else EXPECTED)
        other.unlink(missing_ok=True)


def accept(folder: Path, case: str | None = None) -> list[Difference]:
    """Every case, or the named one, that gives something else than is written. Nothing is written until `Difference.write`."""
    connector = Folder(folder)
    cases = load_cases(connector)
    wanted = [one for one in cases if case in (None, one.name)]
    if case is not None and not wanted:
        names = ", ".join(one.name for one in cases) or "there are none yet"
        raise NotFound(happened="there is no such case", next=f"choose one of: {names}", connector=connector.name, case=case)
    return [found for one in wanted if (found := _compared(connector, one)) is not None]


def _compared(connector: Folder, case: Case) -> Difference | None:
    now = meaning(connector, case)
    file = case.folder / now.file
    before = case.expected or ""
    if file.exists() and before == now.text:
        return None
    return Difference(case=case.name, file=file, diff=difference(before, now.text), text=now.text)
