"""A flow, loaded: what it decides for an event. It reads nothing but the event and what `load` gives it, and does nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from hub.core.errors import Unreadable
from hub.core.event import Event
from hub.core.ids import derive
from hub.core.vocabulary import Fact
from hub.flows.plain import envelope, plain
from mappings import Traced
from mappings.conditions import Condition
from mappings.fields import Fields
from mappings.paths import Path, Scope, reader
from mappings.rules import Rule
from mappings.sources import checked_items
from mappings.values import MISSING, Bad, shown

Load = Callable[[str, str], Mapping[str, Any] | None]
"""A row of the ledger by table and id, `None` where there is none."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """Something to ask of a connection. `connection` is its name, or `kind:crm` for the connection of that kind.

    `about` is what it concerns (`quote:Q-1`). The key is derived from flow, event and step: the same event asks once.
    """

    what: str
    connection: str
    fields: Mapping[str, Any]
    about: str | None
    idempotency_key: str


class Emit(msgspec.Struct, frozen=True, kw_only=True):
    """A fact to record as following from the event."""

    type: str
    subject: str
    data: Fact
    key: str | None = None


class StepRun(msgspec.Struct, frozen=True, kw_only=True):
    """What one step did for an event: its decision, or why it made none, and the way of every field."""

    step: str
    decision: Action | Emit | None = None
    skipped: str = ""
    trace: tuple[Traced, ...] = ()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger that the flow wants beside the event, under `name`."""

    name: str
    table: str
    id: Rule
    required: bool


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do: an action where `what` is given, else a fact of the type `emit`."""

    name: str
    what: str
    emit: str
    connection: str
    fields: Fields
    about: Rule | None = None
    subject: Rule | None = None
    key: Rule | None = None
    condition: Condition | None = None
    each: Path | None = None
    optional: frozenset[str] = frozenset()


class Flow:
    """When an event of `types` comes and the condition holds, its steps say what follows. Made by `load_flow`; immutable."""

    def __init__(
        self,
        *,
        name: str,
        types: tuple[str, ...],
        condition: Condition | None,
        rows: tuple[Row, ...],
        steps: tuple[Step, ...],
        about: str = "",
        file: str = "",
        version: int = 1,
    ) -> None:
        self.name = name
        self.types = types
        self.condition = condition
        self.rows = rows
        self.steps = steps
        self.about = about
        self.file = file
        self.version = version

    def __repr__(self) -> str:
        return f"<Flow {self.name} when {' or '.join(self.types)}>"

    def matches(self, event: Event) -> bool:
        """Whether the event starts this flow. One whose condition cannot be decided does: `run` then says why it cannot."""
        if event.type not in self.types:
            return False
        if self.condition is None:
            return True
        record = self._alone(event)
        try:
            return self.condition.holds(record, Scope(record))
        except Bad:
            return True

    def run(self, event: Event, load: Load) -> list[Action | Emit]:
        """What follows from the event, in the order of the steps. Raises `Unreadable` where a step cannot be filled."""
        return [step.decision for step in self._run(event, load, trace=False) if step.decision is not None]

    def traced(self, event: Event, load: Load) -> list[StepRun]:
        """As `run`, with every step, also those not taken, and the way of every field."""
        return list(self._run(event, load, trace=True))

    # --- inside --------------------------------------------------------------------------------------------------

    def _run(self, event: Event, load: Load, *, trace: bool) -> Iterator[StepRun]:
        alone = self._alone(event)
        try:
            starts = self.condition is None or self.condition.holds(alone, Scope(alone))
        except Bad as bad:
            raise self._unreadable(bad.within("if", ""), event) from None
        if event.type not in self.types or not starts:
            return
        record = self._with_rows(alone, event, load)
        for step in self.steps:
            try:
                yield from self._step(step, record, alone, event, trace=trace)
            except Bad as bad:
                raise self._unreadable(bad.within(step.name, ""), event) from None

    @staticmethod
    def _alone(event: Event) -> dict[str, Any]:
        fields = plain(event.data)
        return {**fields, "event": {**fields, **envelope(event)}}

    def _with_rows(self, alone: dict[str, Any], event: Event, load: Load) -> dict[str, Any]:
        record = dict(alone)
        for row in self.rows:
            try:
                seen = _seen(row.id, record, alone)  # a row may be named by one before it
                id_ = row.id.checked(seen, Scope(seen))
                found = None if id_ is MISSING else load(row.table, id_)
                if found is None and row.required:
                    missing = shown(None if id_ is MISSING else id_)
                    raise Bad(
                        f"there is no {row.table} {missing} in the ledger",
                        "replay the event once it is there, or say optional = true",
                    )
            except Bad as bad:
                raise self._unreadable(bad.within(f"with.{row.name}", ""), event) from None
            record[row.name] = None if found is None else plain(dict(found))
        return record

    def _step(self, step: Step, record: dict[str, Any], alone: dict[str, Any], event: Event, *, trace: bool) -> Iterator[StepRun]:
        if step.each is None:
            yield self._once(step, record, alone, event, "", trace=trace)
            return
        items = reader(step.each)(record, Scope(record))
        for number, item in enumerate(() if items is MISSING else checked_items(items)):
            seen = {**record, "item": item}
            try:
                yield self._once(step, seen, {**alone, "item": item}, event, str(number), trace=trace)
            except Bad as bad:
                raise bad.within(f"[{number}]", "") from None

    def _once(
        self, step: Step, record: dict[str, Any], alone: dict[str, Any], event: Event, number: str, *, trace: bool
    ) -> StepRun:
        scope = Scope(record)
        if step.condition is not None and not step.condition.holds(record, scope):
            return StepRun(step=step.name, skipped=f"{step.condition.text} is not so")
        notes: list[Traced] = []
        values = step.fields.traced(record, scope, notes, "") if trace else step.fields.fill(record, scope)
        if step.emit:
            return StepRun(step=step.name, decision=_emit(step, values, record, alone), trace=tuple(notes))
        for rule in step.fields.rules:
            if rule.name not in values and rule.name not in step.optional and rule.condition is None:
                raise _lacking(rule, record, scope)
        decision = Action(
            what=step.what,
            connection=step.connection,
            fields=values,
            about=_text(step.about, record, alone),
            idempotency_key=derive("flow", self.name, event.id, step.name, number),
        )
        return StepRun(step=step.name, decision=decision, trace=tuple(notes))

    def _unreadable(self, bad: Bad, event: Event) -> Unreadable:
        return Unreadable(
            happened=bad.happened,
            next=bad.next,
            rule=f"{self.name}/{bad.inner}",
            pointer=bad.pointer or "",
            file=self.file or None,
            event=event.id,
            type=event.type,
            subject=event.subject,
            value=None if bad.value is None else shown(bad.value),
        )


def _emit(step: Step, values: dict[str, Any], record: dict[str, Any], alone: dict[str, Any]) -> Emit:
    made = step.fields.make
    assert made is not None and issubclass(made, Fact)
    subject = _text(step.subject, record, alone)
    return Emit(
        type=step.emit,
        subject=subject if subject is not None else str(values[made.__struct_fields__[0]]),
        data=made(**values),
        key=_text(step.key, record, alone),
    )


def _text(rule: Rule | None, record: dict[str, Any], alone: dict[str, Any]) -> str | None:
    if rule is None:
        return None
    seen = _seen(rule, record, alone)
    value = rule.checked(seen, Scope(seen))
    return None if value is MISSING else str(value)


def _seen(rule: Rule, record: dict[str, Any], alone: dict[str, Any]) -> dict[str, Any]:
    """What names a thing: `quote` is the event's own number, also where a row of that name hides it; `quote.customer` is the row's."""
    bare = {path.segments[0] for path in rule.reads() if len(path.segments) == 1 and path.segments[0] in alone}
    return {**record, **{name: alone[name] for name in alone if name in bare}}


def _lacking(rule: Rule, record: dict[str, Any], scope: Scope) -> Bad:
    _, words = rule.source.told(record, scope, [], rule.name)
    happened = f"the field has no value: {words}"
    return Bad(happened, "give it a default, an `if`, or list it under `optional`").within(rule.name, rule.pointer)
