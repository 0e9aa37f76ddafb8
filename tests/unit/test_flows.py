"""Flows decide from an event and the ledger's rows, and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub.flows
from hub.core.errors import Unreadable
from hub.core.event import Event, decided
from hub.core.vocabulary import Fact, MatchProposed, Order, PromisedLine, QuoteApproved, QuoteChecked, TaskDue
from hub.flows import Action, Emit, load_flow
from mappings import BadMap

README = (Path(hub.flows.__file__).parent / "README.md").read_text(encoding="utf-8")
ANSWERED = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)[0]
NOON = datetime(2026, 3, 5, 4, tzinfo=UTC)


def happened(type_: str, data: Fact, subject: str = "Q-1") -> Event:
    return decided(type_, tenant="t", by="test", subject=subject, data=data, occurred_at=NOON, once=subject)


def checked(verdict: str = "short", **changes: Any) -> Event:
    lines = (
        PromisedLine(sku="A-1", quantity=Decimal(5), available=Decimal(5), short=Decimal(0)),
        PromisedLine(sku="B-2", quantity=Decimal(1200), available=Decimal(0), short=Decimal("1200.00")),
    )
    facts = {
        "quote": "Q-1",
        "verdict": verdict,
        "lines": lines,
        "promise_date": date(2026, 4, 1),
        "salesperson": "S-9",
        **changes,
    }
    return happened("quote.checked", QuoteChecked(**facts))


class Books:
    """A ledger of dictionaries that remembers what it was asked for."""

    def __init__(self, **rows: Mapping[str, Any]) -> None:
        self.rows = rows
        self.asked: list[tuple[str, str]] = []

    def __call__(self, table: str, id_: str) -> Mapping[str, Any] | None:
        self.asked.append((table, id_))
        return self.rows.get(table)


QUOTE = {"id": "Q-1", "salesperson": "wangfang", "amount": Decimal("118000.50")}


def test_the_flow_on_the_page_tells_writes_back_and_reminds() -> None:
    """The page's example asks for a message, a write-back and a task, with Chinese texts made of the event and the ledger."""
    event = checked()

    tell, write, remind = load_flow(ANSWERED).run(event, Books(quote=QUOTE))

    assert isinstance(tell, Action) and isinstance(write, Action) and isinstance(remind, Emit)
    assert (tell.what, tell.connection, tell.about) == ("chat.send", "chat", "quote:Q-1")
    assert tell.fields == {"to": "wangfang", "text": "报价 Q-1 缺料：B-2 缺 1,200。可于 4月1日 交齐。"}
    assert (write.connection, write.fields) == ("kind:crm", {"form": "quote", "verdict": "缺料"})
    assert remind == Emit(
        type="task.due", subject="Q-1-B-2", data=TaskDue(task="Q-1-B-2", title="采购 B-2 1,200 件", due_at=NOON)
    )


def test_only_its_event_and_its_condition_start_a_flow() -> None:
    """Another type, or a condition that does not hold, starts nothing and asks the ledger nothing."""
    flow, books = load_flow(ANSWERED), Books(quote=QUOTE)

    assert flow.matches(checked())
    assert not flow.matches(checked("available"))
    assert not flow.matches(happened("quote.approved", QuoteApproved(quote="Q-1")))
    assert flow.run(checked("available"), books) == []
    assert flow.run(happened("quote.approved", QuoteApproved(quote="Q-1")), books) == []
    assert books.asked == []


def test_a_step_is_left_out_by_its_own_condition() -> None:
    """A quote without a salesperson gets no message, and the other steps go on."""
    steps = load_flow(ANSWERED).run(checked(), Books(quote={**QUOTE, "salesperson": None}))

    assert [type(step).__name__ for step in steps] == ["Action", "Emit"]


def test_a_row_that_is_not_there_stops_the_flow_unless_optional() -> None:
    """Without the quote's row nothing is done and the error names it; an optional row is null."""
    with pytest.raises(Unreadable, match="no quote “Q-1” in the ledger") as caught:
        load_flow(ANSWERED).run(checked(), Books())

    assert caught.value.rule == "quote-answered/with.quote"


def test_a_row_can_be_named_by_the_row_before_it() -> None:
    """The id of a row may come from an earlier row, and a bare name stays the event's own."""
    flow = load_flow(
        'name = "f"\nwhen = "quote.checked"\n[with.quote]\ntable = "quote"\nid = "quote"\n[with.customer]\ntable = "customer"\nid = "quote.customer"\n'
        '[with.again]\ntable = "quote"\nid = "quote"\n[[do]]\naction = "a.b"\nconnection = "c"\nabout = "{quote} {customer.name}"\nfields = { name = "customer.name" }'
    )
    books = Books(quote={"id": "Q-1", "customer": "C-1"}, customer={"id": "C-1", "name": "甲"})

    (step,) = flow.run(checked(), books)

    assert books.asked == [("quote", "Q-1"), ("customer", "C-1"), ("quote", "Q-1")]
    assert isinstance(step, Action)
    assert (step.about, step.fields) == ("Q-1 甲", {"name": "甲"})


def test_a_field_without_a_value_stops_the_flow_unless_optional() -> None:
    """A message without a recipient is not sent: the error names flow, step, field and source."""
    flow = load_flow(
        'name = "f"\nwhen = "quote.checked"\n[[do]]\nstep = "tell"\naction = "chat.send"\nconnection = "chat"\nfields = { to = "salesperson", text = { const = "x" } }'
    )

    with pytest.raises(Unreadable, match="salesperson") as caught:
        flow.run(checked(salesperson=None), Books())

    assert caught.value.rule == "f/tell.to"


def test_the_same_event_gives_the_same_keys_and_another_event_others() -> None:
    """Keys are derived from flow, event and step: a repeat asks for nothing new, and no two steps share one."""
    flow = load_flow(ANSWERED)

    def keys(event: Event) -> list[str]:
        return [step.idempotency_key for step in flow.run(event, Books(quote=QUOTE)) if isinstance(step, Action)]

    other = msgspec.structs.replace(checked(), id="evt_other")
    renamed = load_flow(ANSWERED.replace('name = "quote-answered"', 'name = "another"'))
    assert keys(checked()) == keys(checked())
    assert len({*keys(checked()), *keys(other), renamed.run(checked(), Books(quote=QUOTE))[0].idempotency_key}) == 5  # type: ignore[union-attr]


def test_a_repeated_step_has_a_key_for_each_item() -> None:
    """`each` asks once for every item, each with a key of its own."""
    flow = load_flow(
        'name = "f"\nwhen = "quote.checked"\n[[do]]\naction = "task.create"\nconnection = "crm"\neach = "lines[*]"\nabout = "product:{item.sku}"\nfields = { sku = "item.sku", quote = "quote" }'
    )

    first, second = flow.run(checked(), Books())

    assert isinstance(first, Action) and isinstance(second, Action)
    assert (first.about, second.about) == ("product:A-1", "product:B-2")
    assert first.idempotency_key != second.idempotency_key


def test_an_emitted_fact_is_typed_and_complete() -> None:
    """A fact that follows is checked against the vocabulary when the flow is loaded, and built typed."""
    flow = load_flow(
        """
name = "approved"
when = "quote.approved"
[with.quote]
table = "quote"
id = "quote"
[[do]]
emit = "order.placed"
subject = { template = "SO-{event.quote}" }
[do.fields]
order = { template = "SO-{event.quote}" }
amount = "quote.amount"
quote = "event.quote"
[do.fields.lines]
each = "quote.lines"
fields = { sku = "sku", quantity = "quantity" }
"""
    )

    (emit,) = flow.run(
        happened("quote.approved", QuoteApproved(quote="Q-1")), Books(quote={**QUOTE, "lines": [{"sku": "A", "quantity": "2"}]})
    )

    assert isinstance(emit, Emit) and isinstance(emit.data, Order)
    assert (emit.subject, emit.data.amount, emit.data.lines[0].quantity) == ("SO-Q-1", Decimal("118000.50"), Decimal(2))


def test_the_trace_tells_every_step_and_every_field() -> None:
    """Steps that are not taken say why, and taken ones tell the way of their fields; the decisions are the same."""
    flow, books = load_flow(ANSWERED), Books(quote={**QUOTE, "salesperson": None})

    runs = flow.traced(checked(), books)

    assert [(run.step, bool(run.decision)) for run in runs] == [("tell", False), ("1", True), ("remind", False), ("remind", True)]
    assert runs[0].skipped == "quote.salesperson != null is not so"
    assert [entry.field for entry in runs[1].trace] == ["form", "verdict"]
    assert [run.decision for run in runs if run.decision] == flow.run(checked(), books)


def test_defaults_of_a_fact_and_probabilities_can_be_compared() -> None:
    """A condition sees fields that have their default, and a probability as it is written."""
    event = happened("match.proposed", MatchProposed(match="m", receipt="r", lane="auto", probability=0.95), "m")
    flow = load_flow(
        'name = "f"\nwhen = ["match.proposed", "quote.checked"]\nif = "probability >= 0.95 && held_by == null"\n[[do]]\naction = "a.b"\nconnection = "c"\nfields = { x = { template = "{probability:percent}" } }'
    )

    assert flow.matches(event)
    assert flow.run(event, Books())[0].fields == {"x": "95%"}  # type: ignore[union-attr]


def test_a_condition_that_cannot_be_decided_is_told_when_the_flow_runs() -> None:
    """`matches` does not raise; `run` says why, so that the event is parked with a reason."""
    flow = load_flow(
        'name = "f"\nwhen = "quote.checked"\nif = "promise_date > 3"\n[[do]]\naction = "a.b"\nconnection = "c"\nfields = { x = "quote" }'
    )

    assert flow.matches(checked())
    with pytest.raises(Unreadable, match="cannot be decided"):
        flow.run(checked(), Books())


HEAD = 'name = "f"\nwhen = "quote.checked"\n'
STEP = '[[do]]\naction = "chat.send"\nconnection = "chat"\n'


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "head", 0),
        ("name = f", "toml", 1),
        (HEAD, "do", 0),
        ('name = "f"\nwhen = "quote.check"\n' + STEP + 'fields = { a = "quote" }', "when", 2),
        (HEAD + "if = \"verdikt == 'x'\"\n" + STEP + 'fields = { a = "quote" }', "unknown-source", 3),
        (HEAD + 'if = "lines.all(x, true)"\n' + STEP + 'fields = { a = "quote" }', "condition", 3),
        (HEAD + STEP + 'fields = { a = "qoute" }', "unknown-source", 6),
        (HEAD + STEP + 'fields = { a = "event.qoute" }', "unknown-source", 6),
        (HEAD + STEP + 'fields = { a = "item.sku" }', "unknown-source", 6),
        (HEAD + STEP + 'about = "quote:{qoute}"\nfields = { a = "quote" }', "unknown-source", 6),
        (HEAD + STEP, "fields", 3),
        (HEAD + '[[do]]\naction = "chat.send"\nfields = { a = "quote" }', "do", 3),
        (HEAD + '[[do]]\naction = "rm -rf"\nconnection = "chat"\nfields = { a = "quote" }', "do", 4),
        (HEAD + '[[do]]\naction = "chat.send"\nconnection = "http://x"\nfields = { a = "quote" }', "do", 5),
        (HEAD + '[[do]]\nfields = { a = "quote" }', "do", 3),
        (HEAD + STEP + 'emit = "task.due"\nfields = { a = "quote" }', "do", 3),
        (HEAD + '[[do]]\nemit = "task.dew"\nfields = { a = "quote" }', "emit", 4),
        (HEAD + '[[do]]\nemit = "quote.checked"\nfields = { a = "quote" }', "emit", 4),
        (HEAD + '[[do]]\nemit = "task.due"\nfields = { task = "quote", title = "quote" }', "missing-target", 5),
        (
            HEAD
            + '[[do]]\nemit = "task.due"\nfields = { task = "quote", title = "quote", due_at = "event.time", colour = "quote" }',
            "unknown-target",
            5,
        ),
        (HEAD + STEP + 'fields = { a = "quote" }\ncolour = 1', "word", 7),
        (HEAD + "colour = 1\n" + STEP + 'fields = { a = "quote" }', "word", 3),
        (HEAD + '[with.quote]\ntable = "quote"\n' + STEP + 'fields = { a = "quote" }', "with", 3),
        (HEAD + '[with.quote]\ntable = "quote"\nid = "nothing"\n' + STEP + 'fields = { a = "quote" }', "unknown-source", 5),
        (HEAD + (STEP + 'step = "same"\nfields = { a = "quote" }\n') * 2, "do", 8),
        (HEAD + STEP + 'each = "rows"\nfields = { a = "quote" }', "unknown-source", 6),
    ],
)
def test_a_flow_that_cannot_work_is_refused_with_its_line(text: str, code: str, line: int) -> None:
    """Unknown events, sources, targets and words are found when the flow is loaded, each with its line."""
    with pytest.raises(BadMap) as caught:
        load_flow(text, file="f.toml")

    finding = next(finding for finding in caught.value.findings if finding.code == code)
    assert not line or finding.line == line
    assert caught.value.about["file"] == "f.toml"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=4) | st.lists(st.integers(), max_size=2),
        lambda inner: st.dictionaries(st.sampled_from(["id", "salesperson", "amount", "lines"]), inner),
        max_leaves=5,
    )
)
def test_whatever_the_ledger_holds_a_flow_decides_or_says_why_not(row: Any) -> None:
    """Rows of any shape make decisions or `Unreadable`, and nothing else."""
    try:
        steps = load_flow(ANSWERED).run(checked(), Books(quote=row if isinstance(row, dict) else {"id": row, "salesperson": row}))
    except Unreadable:
        return
    assert all(isinstance(step, Action | Emit) for step in steps)
