"""From a map's text to a map that can be used, or to everything that is wrong with it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hub.core.errors import Unreadable
from hub.core.vocabulary import VOCABULARY
from mappings import limits
from mappings.building import Builder
from mappings.conditions import Condition
from mappings.fieldmap import Example, FieldMap
from mappings.findings import BadMap, Finding, Findings
from mappings.kinds import DATETIME, RECORD, TEXT, target_kind
from mappings.locate import Place, lines_of
from mappings.paths import Path
from mappings.rules import Rule
from mappings.source_words import MAKERS
from mappings.steps import BadStep, Making
from mappings.steps.clock_texts import zone_named
from mappings.values import parse_json

WORDS = (
    "name",
    "version",
    "target",
    "about",
    "zone",
    "records",
    "unpack",
    "subject",
    "key",
    "occurred_at",
    "when",
    "tables",
    "lookups",
    "fields",
    "rules",
    "ignore",
    "examples",
)
_NAME = re.compile(r"[\w.-]{1,80}")
_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)| \(at end of document\)")


def load_map(text: str, *, file: str = "") -> FieldMap:
    """The map that the text writes. Raises `BadMap` with everything that is wrong with it, each with its line and field."""
    return _Loading(read_toml(text, file, "map"), text, file).made()


def read_toml(text: str, file: str, what: str) -> dict[str, Any]:
    """The text's tables, numbers exact. Raises `BadMap`."""
    if len(text) > limits.MAP_TEXT:
        raise BadMap(
            (Finding(severity="error", code="too-much", happened=f"the {what} is too long", next="make it smaller"),), file=file
        )
    try:
        return tomllib.loads(text, parse_float=_exactly)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        found = _AT_LINE.search(str(error))
        line = int(found[1]) if found and found[1] else len(text.splitlines())
        said = _AT_LINE.sub("", str(error)) or "it is nested too deeply"
        finding = Finding(
            severity="error",
            code="toml",
            happened=f"the {what} is not valid TOML: {said[:200]}",
            next="correct the line; names that are not plain ASCII stand in quotation marks",
            line=line,
        )
        raise BadMap((finding,), file=file) from None


def _exactly(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or len(text) > limits.NUMBER:
        raise ValueError(f"{text[:20]} is not an exact number")
    return number


class _Loading:
    def __init__(self, written: dict[str, Any], text: str, file: str) -> None:
        self.written = written
        self.text = text
        self.file = file
        self.findings = Findings(lines_of(text))
        self.is_event = written.get("target") in VOCABULARY
        self.builder = Builder(self._making(), self.findings, MAKERS, frozen=self.is_event)

    def made(self) -> FieldMap:
        written, findings = self.written, self.findings
        name, version = self._named()
        target, kind = self._text("target"), target_kind(str(written.get("target", "")))
        if target and kind is None:
            findings.error(
                ("target",), "target", f"{target!r} is neither an event type nor connection/what", _near(target), target
            )
        rules, place = self._rules()
        fields = self.builder.fields(rules, place, kind or RECORD)
        made = {
            "fields": fields,
            "when": self._when(),
            "records": self._path("records"),
            "unpack": self._paths("unpack"),
            "subject": self._envelope("subject"),
            "key": self._envelope("key"),
            "occurred_at": self._envelope("occurred_at"),
            "ignore": self._paths("ignore"),
            "examples": self._examples(),
        }
        if findings.errors:
            raise BadMap(findings.errors, file=self.file)
        making = self.builder.making
        about = str(written.get("about", ""))
        return FieldMap(
            name=name,
            version=version,
            target=target,
            about=about,
            file=self.file,
            text=self.text,
            zone=making.zone,
            lookups=making.lookups,
            **made,  # type: ignore[arg-type]
        )

    # --- the head ------------------------------------------------------------------------------------------------

    def _named(self) -> tuple[str, Any]:
        """Name and version; a word that the language does not have is told too."""
        findings = self.findings
        for word in self.written:
            if word not in WORDS:
                findings.error((word,), "word", f"{word!r} is not a word of a map", f"use one of {', '.join(WORDS)}")
        name, version = self._text("name"), self.written.get("version", 1)
        if name and not _NAME.fullmatch(name):
            findings.error(("name",), "name", "the name is not a plain word", "use letters, digits, - _ and .", name)
        if type(version) is not int or version < 1:
            findings.error(("version",), "version", "the version is a whole number from 1", "write version = 1", version)
        return name, version

    def _text(self, word: str) -> str:
        value = self.written.get(word)
        if not isinstance(value, str) or not value:
            self.findings.error((word,), "head", f"the map has no {word}", f'write {word} = "…" at its head', value)
            return ""
        return value

    def _making(self) -> Making:
        zone, tables, lookups = self.written.get("zone"), self.written.get("tables", {}), self.written.get("lookups", [])
        if zone is not None:
            try:
                zone_named(zone)
            except BadStep as error:
                self.findings.error(("zone",), "zone", str(error), "write a name of the IANA time zone database", zone)
                zone = None
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            self.findings.error(
                ("tables",), "tables", "tables are tables of single values", "write [tables.name] and lines below it"
            )
            tables = {}
        for name, table in tables.items():
            if any(isinstance(value, dict | list) for value in table.values()):
                self.findings.error(
                    ("tables", name), "tables", "a table's values are single values", "make them texts or numbers"
                )
        if not isinstance(lookups, list) or not all(isinstance(name, str) for name in lookups):
            self.findings.error(
                ("lookups",), "lookups", "lookups is a list of names of the hub's tables", 'write lookups = ["products"]'
            )
            lookups = []
        return Making(zone=zone, tables=tables, lookups=tuple(lookups))

    def _when(self) -> tuple[tuple[str, Condition], ...]:
        written = self.written.get("when", {})
        # A text is one rule named `when`; a table names each rule, and the name is what an ignored record is counted under.
        named: Mapping[str, Any] = {"when": written} if isinstance(written, str) else written
        if not isinstance(named, dict):
            self.findings.error(
                ("when",), "condition", "when is a condition, or a table of named ones", "write when = \"状态 == '已审批'\""
            )
            return ()
        places: dict[str, Place] = {name: ("when",) if isinstance(written, str) else ("when", name) for name in named}
        made = [(name, self.builder.condition(text, places[name])) for name, text in named.items()]
        return tuple((name, condition) for name, condition in made if condition is not None)

    def _path(self, word: str) -> Path | None:
        return self.builder.path(self.written[word], (word,)) if word in self.written else None

    def _paths(self, word: str) -> tuple[Path, ...]:
        written = self.written.get(word, [])
        if not isinstance(written, list):
            self.findings.error((word,), "path", f"{word} is a list of paths", f'write {word} = ["…"]', written)
            return ()
        paths = (self.builder.path(item, (word, number)) for number, item in enumerate(written))
        return tuple(path for path in paths if path is not None)

    def _envelope(self, word: str) -> Rule | None:
        if word not in self.written:
            return None
        if not self.is_event:
            self.findings.error((word,), "head", f"{word} belongs to a map whose target is an event type", f"drop {word}")
            return None
        kind = DATETIME if word == "occurred_at" else TEXT
        return self.builder.rule(word, self.written[word], (word,), kind, required=word == "subject")

    # --- the body ------------------------------------------------------------------------------------------------

    def _rules(self) -> tuple[Any, Place]:
        """`[fields]`, or `[[rules]]` with `to`, which is the same written as a list."""
        if "rules" not in self.written:
            return self.written.get("fields"), ("fields",)
        rules = self.written["rules"]
        if "fields" in self.written:
            self.findings.error(("rules",), "fields", "the map has both [fields] and [[rules]]", "write it one way")
        if not isinstance(rules, list) or not all(isinstance(rule, dict) and isinstance(rule.get("to"), str) for rule in rules):
            self.findings.error(("rules",), "fields", "each of [[rules]] names its target field", 'write to = "…"')
            return {"": {"const": ""}}, ("rules",)
        fields: dict[str, Any] = {}
        for number, rule in enumerate(rules):
            if rule["to"] in fields:
                self.findings.error(
                    ("rules", number), "fields", f"two rules fill {rule['to']!r}", "use `first` or `choose` in one rule"
                )
            fields[rule["to"]] = rule
            self._relocate(("rules", number), ("rules", rule["to"]))
        return fields, ("rules",)

    def _relocate(self, old: Place, new: Place) -> None:
        lines = self.findings.lines
        lines.update({(*new, *place[len(old) :]): line for place, line in list(lines.items()) if place[: len(old)] == old})

    def _examples(self) -> tuple[Example, ...]:
        written = self.written.get("examples", [])
        if not isinstance(written, list) or not all(isinstance(example, dict) for example in written):
            self.findings.error(("examples",), "example", "examples are tables", "write [[examples]]")
            return ()
        return tuple(filter(None, (self._example(example, ("examples", number)) for number, example in enumerate(written))))

    def _example(self, written: dict[str, Any], place: Place) -> Example | None:
        results = [word for word in ("out", "error", "ignored") if word in written]
        strange = set(written) - {"in", "out", "error", "ignored", "lookup", "about"}
        if "in" not in written or len(results) != 1 or strange:
            said = (
                f"{sorted(strange)[0]!r} is not a word of an example"
                if strange
                else "an example has in, and one of out, error, ignored"
            )
            self.findings.error(place, "example", said, "write in = { … } and out = { … }, or JSON in ''' … '''")
            return None
        try:
            record, out = (
                parse_json(value) if isinstance(value, str) else value for value in (written["in"], written.get("out"))
            )
        except Unreadable as error:
            self.findings.error(place, "example", error.happened, "correct the JSON")
            return None
        return Example(
            record=record,
            out=out,
            error=str(written.get("error", "")),
            ignored=str(written.get("ignored", "")),
            tables=written.get("lookup", {}),
            line=self.findings.line(place),
            about=str(written.get("about", "")),
        )


def _near(target: str) -> str:
    noun = target.partition(".")[0]
    alike = [name for name in VOCABULARY if name.startswith(noun + ".")] or sorted(VOCABULARY)[:5]
    return f"use an event type such as {', '.join(alike)}, or connection/what for a delivery"
