"""What is wrong, or worth a look, in a map: with its file, line, field and value."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from hub.core.errors import Misconfigured
from mappings.locate import Place
from mappings.values import shown


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An `error` keeps the map from being used; a `warning` does not."""

    severity: Literal["error", "warning"]
    code: str
    happened: str
    next: str
    line: int = 0
    field: str = ""
    value: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        field = f"{self.field}: " if self.field else ""
        return f"{where}{field}{self.happened}. Next: {self.next}"


class BadMap(Misconfigured):
    """A field map that cannot be used. `findings` are all that is wrong with it; the message is the first of them."""

    code = "bad-map"

    def __init__(self, findings: tuple[Finding, ...], *, file: str = "", what: str = "map") -> None:
        first = findings[0]
        more = len(findings) - 1
        super().__init__(
            happened=first.happened + (f", and {more} more" if more else ""),
            next=first.next,
            file=file or None,
            line=first.line or None,
            field=first.field or None,
            value=first.value or None,
            what=None if what == "map" else what,
        )
        self.findings = findings


class Findings:
    """Collects findings while a map is read."""

    def __init__(self, lines: dict[Place, int]) -> None:
        self.lines = lines
        self.found: list[Finding] = []

    def line(self, place: Place) -> int:
        """The line of the place, or of the nearest thing around it."""
        while place:
            if place in self.lines:
                return self.lines[place]
            place = place[:-1]
        return 0

    def error(self, place: Place, code: str, happened: str, next: str, value: Any = None) -> None:
        self._add("error", place, code, happened, next, value)

    def warning(self, place: Place, code: str, happened: str, next: str, value: Any = None) -> None:
        self._add("warning", place, code, happened, next, value)

    def _add(self, severity: Literal["error", "warning"], place: Place, code: str, happened: str, next: str, value: Any) -> None:
        self.found.append(
            Finding(
                severity=severity,
                code=code,
                happened=happened,
                next=next,
                line=self.line(place),
                field=field_of(place),
                value="" if value is None else shown(value),
            )
        )

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.found if finding.severity == "error")


def field_of(place: Place) -> str:
    """The place as a person says it: `lines.quantity` for the table `fields.lines.fields.quantity`."""
    keys = [key for number, key in enumerate(place) if key != "fields" or (number and number + 1 == len(place))]
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")
