"""From a flow's text to a flow, or to everything that is wrong with it, each with its line."""

from __future__ import annotations

import re
from typing import Any

from hub.core.vocabulary import VOCABULARY
from hub.flows.flow import Flow, Row, Step
from hub.flows.plain import ENVELOPE
from mappings.building import Builder
from mappings.conditions import Condition
from mappings.findings import BadMap, Findings
from mappings.kinds import RECORD, TEXT, target_kind
from mappings.loading import read_toml
from mappings.locate import Place, lines_of
from mappings.paths import Path
from mappings.rules import Rule
from mappings.source_words import MAKERS
from mappings.steps import BadStep, Making
from mappings.steps.clock_texts import zone_named

WORDS = ("name", "version", "about", "zone", "when", "if", "with", "do", "tables")
ACTION_WORDS = ("step", "action", "connection", "about", "fields", "if", "each", "optional", "note")
EMIT_WORDS = ("step", "emit", "subject", "key", "fields", "if", "each", "note")
ROW_WORDS = ("table", "id", "optional")
_NAME = re.compile(r"[\w.-]{1,80}")
_WHAT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_CONNECTION = re.compile(r"(kind:)?[\w.-]{1,64}")
_ROW_NAME = re.compile(r"[^\W\d]\w{0,40}")


def load_flow(text: str, *, file: str = "") -> Flow:
    """The flow that the text writes. Raises `BadMap` (a `Misconfigured`) with everything that is wrong with it."""
    return _Loading(read_toml(text, file, "flow"), text, file).made()


class _Loading:
    def __init__(self, written: dict[str, Any], text: str, file: str) -> None:
        self.written = written
        self.file = file
        self.findings = Findings(lines_of(text))
        making = self._making()
        self.free = Builder(making, self.findings, MAKERS, frozen=False)
        self.typed = Builder(making, self.findings, MAKERS, frozen=True)

    def made(self) -> Flow:
        written, findings = self.written, self.findings
        self._words(written, WORDS, (), "a flow")
        name, version = self._head("name", _NAME), written.get("version", 1)
        if type(version) is not int or version < 1:
            findings.error(("version",), "version", "the version is a whole number from 1", "write version = 1", version)
        types = self._types()
        data = {"event", *(name for type_ in types for name in VOCABULARY[type_].__struct_fields__)}
        condition = self.free.condition(written["if"], ("if",)) if "if" in written else None
        self._known(condition.paths if condition else [], data, ("if",))
        rows = self._rows(data)
        steps = self._steps(data | {row.name for row in rows})
        if findings.errors:
            raise BadMap(findings.errors, file=self.file, what="flow")
        about = str(written.get("about", ""))
        return Flow(
            name=name, types=types, condition=condition, rows=rows, steps=steps, about=about, file=self.file, version=version
        )

    # --- the head ------------------------------------------------------------------------------------------------

    def _words(self, table: dict[str, Any], words: tuple[str, ...], place: Place, what: str) -> None:
        for word in table:
            if word not in words:
                self.findings.error((*place, word), "word", f"{word!r} is not a word of {what}", f"use one of {', '.join(words)}")

    def _head(self, word: str, form: re.Pattern[str]) -> str:
        value = self.written.get(word)
        if not isinstance(value, str) or not form.fullmatch(value):
            self.findings.error(
                (word,), "head", f"the flow has no {word}, or not a plain one", f'write {word} = "…" at its head', value
            )
            return ""
        return value

    def _types(self) -> tuple[str, ...]:
        value = self.written.get("when")
        types = tuple(value) if isinstance(value, list) else (value,)
        known = [type_ for type_ in types if isinstance(type_, str) and type_ in VOCABULARY]
        if len(known) != len(types) or not known:
            self.findings.error(
                ("when",), "when", "when is an event type, or a list of them", "use types of the vocabulary", value
            )
        return tuple(known)

    def _making(self) -> Making:
        zone, tables = self.written.get("zone", "Asia/Shanghai"), self.written.get("tables", {})
        try:
            zone_named(zone)
        except BadStep as error:
            self.findings.error(("zone",), "zone", str(error), "write a name of the IANA time zone database", zone)
            zone = "UTC"
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            self.findings.error(
                ("tables",), "tables", "tables are tables of single values", "write [tables.name] and lines below it"
            )
            tables = {}
        return Making(zone=zone, tables=tables)

    def _known(self, paths: list[Path], names: set[str], place: Place) -> None:
        """A path that starts at a name which is neither of the event nor of a row would never have a value."""
        for path in paths:
            first = path.segments[0] if path.segments else None
            inside = path.segments[1] if len(path.segments) > 1 else None
            if isinstance(first, str) and first not in names:
                self.findings.error(
                    place, "unknown-source", f"there is no {first!r} here", f"use one of {', '.join(sorted(names))}", path.text
                )
            elif first == "event" and isinstance(inside, str) and inside not in ENVELOPE and inside not in names:
                self.findings.error(
                    place, "unknown-source", f"the event has no {inside!r}", f"use its data or {', '.join(ENVELOPE)}", path.text
                )

    # --- rows ----------------------------------------------------------------------------------------------------

    def _rows(self, names: set[str]) -> tuple[Row, ...]:
        written = self.written.get("with", {})
        if not isinstance(written, dict):
            self.findings.error(
                ("with",), "with", "with holds tables", 'write [with.quote] with table = "quote" and id = "quote"'
            )
            return ()
        rows: list[Row] = []
        for name, table in written.items():
            row = self._row(name, table, ("with", name), names | {row.name for row in rows})
            if row is not None:
                rows.append(row)
        return tuple(rows)

    def _row(self, name: str, table: Any, place: Place, names: set[str]) -> Row | None:
        if (
            not isinstance(table, dict)
            or not isinstance(table.get("table"), str)
            or "id" not in table
            or not _ROW_NAME.fullmatch(name)
        ):
            said = "a row of the ledger has a plain name, a table and an id"
            self.findings.error(place, "with", said, 'write [with.quote] with table = "quote" and id = "quote"')
            return None
        self._words(table, ROW_WORDS, place, "a row")
        rule = self.free.rule("id", table["id"], (*place, "id"), TEXT)
        self._known(rule.reads(), names, (*place, "id"))
        return Row(name=name, table=table["table"], id=rule, required=not table.get("optional", False))

    # --- steps ---------------------------------------------------------------------------------------------------

    def _steps(self, names: set[str]) -> tuple[Step, ...]:
        written = self.written.get("do")
        if not isinstance(written, list) or not written or not all(isinstance(step, dict) for step in written):
            self.findings.error(("do",), "do", "the flow does nothing", "write [[do]] with an action or emit")
            return ()
        steps = [self._step(step, ("do", number), names) for number, step in enumerate(written)]
        seen: set[str] = set()
        for number, step in enumerate(steps):
            if step.name in seen:
                self.findings.error(("do", number), "do", f"two steps are named {step.name!r}", 'give each its own step = "…"')
            seen.add(step.name)
        return tuple(steps)

    def _step(self, written: dict[str, Any], place: Place, names: set[str]) -> Step:
        emits = "emit" in written
        if emits == ("action" in written):
            self.findings.error(
                place, "do", "a step has either action or emit", 'write action = "chat.send" or emit = "order.placed"'
            )
        self._words(
            written, EMIT_WORDS if emits else ACTION_WORDS, place, "a step that emits" if emits else "a step with an action"
        )
        each = self.free.path(written["each"], (*place, "each")) if "each" in written else None
        self._known([each] if each else [], names, (*place, "each"))
        seen = names | ({"item"} if each else set())
        optional = written.get("optional", [])
        if not isinstance(optional, list) or not all(isinstance(name, str) for name in optional):
            self.findings.error((*place, "optional"), "word", "optional is a list of fields", 'write optional = ["to"]', optional)
            optional = []
        step = Step(
            name=str(written.get("step") or place[-1]),
            what="" if emits else self._matched(written, "action", _WHAT, place, "a name such as chat.send"),
            emit=self._emitted(written, place) if emits else "",
            connection=""
            if emits
            else self._matched(written, "connection", _CONNECTION, place, "a connection's name, or kind:crm"),
            fields=self._fields(written, place, emits=emits),
            about=self._text(written, "about", place),
            subject=self._text(written, "subject", place),
            key=self._text(written, "key", place),
            condition=self._condition(written, place),
            each=each,
            optional=frozenset(optional),
        )
        for rule in (*step.fields.rules, *filter(None, (step.about, step.subject, step.key))):
            self._known(rule.reads(), seen, (*place, "fields", rule.name) if rule in step.fields.rules else (*place, rule.name))
        self._known(step.condition.paths if step.condition else [], seen, (*place, "if"))
        return step

    def _fields(self, written: dict[str, Any], place: Place, *, emits: bool) -> Any:
        if emits:
            kind = target_kind(str(written.get("emit"))) if written.get("emit") in VOCABULARY else None
            return self.typed.fields(written.get("fields"), (*place, "fields"), kind or RECORD)
        return self.free.fields(written.get("fields"), (*place, "fields"))

    def _emitted(self, written: dict[str, Any], place: Place) -> str:
        type_ = written["emit"]
        if type_ not in VOCABULARY:
            self.findings.error((*place, "emit"), "emit", f"{type_!r} is not an event type", "use a type of the vocabulary")
            return ""
        if type_ in self._types():
            # A flow that emits what starts it would never come to an end.
            self.findings.error((*place, "emit"), "emit", "the flow emits the event that starts it", "emit another type")
        return str(type_)

    def _matched(self, written: dict[str, Any], word: str, form: re.Pattern[str], place: Place, example: str) -> str:
        value = written.get(word)
        if not isinstance(value, str) or not form.fullmatch(value):
            self.findings.error((*place, word), "do", f"{word} is {example}", f"write {word} = …", value)
            return ""
        return value

    def _text(self, written: dict[str, Any], word: str, place: Place) -> Rule | None:
        if word not in written:
            return None
        value = written[word]
        # `about = "quote:{quote}"` is a template, `subject = "quote"` a path: braces tell.
        rule = {"template": value} if isinstance(value, str) and "{" in value else value
        return self.free.rule(word, rule, (*place, word), TEXT, required=word != "key")

    def _condition(self, written: dict[str, Any], place: Place) -> Condition | None:
        return self.free.condition(written["if"], (*place, "if")) if "if" in written else None
