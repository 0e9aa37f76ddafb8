"""Maps as a whole: what they refuse when loaded, what they give, their traces, their events."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import Misconfigured, Unreadable
from hub.core.event import Event, Ignored, Raw
from hub.core.vocabulary import VOCABULARY, Line, Order, Supply
from mappings import BadMap, check_map, events_from, explain, load_map, parse_json, run_examples, run_file
from mappings.locate import lines_of

ORDER = """
name = "jdy-order"
version = 3
target = "order.placed"
zone = "Asia/Shanghai"
records = "data[*]"
occurred_at = { from = "更新时间", as = "datetime", format = "epoch_ms" }
ignore = ["备注"]

[when]
only-approved = "状态 == '已审批'"

[fields]
order = "订单编号"
amount = { from = "金额", as = "decimal" }
ordered_on = { from = "下单日期", as = "date" }
currency = { const = "CNY" }
customer = { first = ["客户编码", "客户.编码"], default = "" }

[fields.lines]
each = "明细[*]"
where = "数量 > 0"
[fields.lines.fields]
sku = "产品"
quantity = { from = "数量", as = "decimal" }
"""


def record(**changes: Any) -> dict[str, Any]:
    return {
        "状态": "已审批",
        "订单编号": 12345678901234567890,
        "金额": "1,200.50",
        "下单日期": "2024-03-05T16:30:00Z",
        "更新时间": 1709600000123,
        "客户": {"编码": "C-7"},
        "明细": [{"产品": "A-1", "数量": 3}, {"产品": "B-2", "数量": 0}, {"产品": "C-3", "数量": Decimal("1.50")}],
        "备注": "急",
        **changes,
    }


def raw(body: object) -> Raw:
    text = body if isinstance(body, bytes) else json.dumps(body, default=float, ensure_ascii=False).encode()
    return Raw(stream="orders", key="d-1", body=text).stamped(
        tenant="t", connection="crm", door="webhook", received_at=datetime(2024, 3, 6, tzinfo=UTC)
    )


def drained(events: Any) -> list[Event | Ignored | Unreadable]:
    """All of it, errors included, as the pipeline reads it."""
    found: list[Event | Ignored | Unreadable] = []
    while True:
        try:
            found.append(next(events))
        except StopIteration:
            return found
        except Unreadable as error:
            found.append(error)


# --- what a map gives --------------------------------------------------------------------------------------------


def test_a_record_becomes_the_typed_fact() -> None:
    """An event target gives the fact of the vocabulary, exact and complete."""
    mapped = load_map(ORDER).apply(record())

    assert mapped.data == Order(
        order="12345678901234567890",
        amount=Decimal("1200.50"),
        ordered_on=date(2024, 3, 6),
        customer="C-7",
        lines=(Line(sku="A-1", quantity=Decimal(3)), Line(sku="C-3", quantity=Decimal("1.50"))),
    )
    assert mapped.subject == "12345678901234567890"
    assert mapped.occurred_at == datetime(2024, 3, 5, 0, 53, 20, 123000, tzinfo=UTC)
    assert msgspec.convert(msgspec.to_builtins(mapped.data), Order, strict=False) == mapped.data


def test_what_is_neither_read_nor_ignored_is_told() -> None:
    """`unread` names every such source once, nested ones by their path; what `when`, `where` and the head read counts as read."""
    mapped = load_map(ORDER).apply(
        record(新字段=1, 客户={"编码": "C", "电话": "1"}, 明细=[{"产品": "A", "数量": 1, "颜色": "红"}] * 2)
    )

    assert mapped.unread == ("客户.电话", "明细[*].颜色", "新字段")


def test_fields_without_a_value_are_told() -> None:
    """`missing` names the target fields whose rules found nothing, and a default is not nothing."""
    mapped = load_map(ORDER).apply(record(下单日期=None, 客户={}, 更新时间=None))

    assert mapped.missing == ("ordered_on",)
    assert mapped.data.customer == ""
    assert mapped.occurred_at is None


def test_a_record_that_the_condition_excludes_is_ignored_by_name() -> None:
    """A record for which a rule of `when` is false has no data, and names the rule."""
    mapped = load_map(ORDER).apply({"状态": "草稿"})

    assert (mapped.ignored, mapped.data, mapped.missing) == ("only-approved", None, ())


def test_the_trace_tells_the_way_of_every_field() -> None:
    """Each field's source, raw value, steps and value are told, nested ones by number, and the data is the same as without."""
    field_map = load_map(ORDER)
    plain, traced = field_map.apply(record()), field_map.apply(record(), trace=True)
    by_field = {entry.field: entry for entry in traced.trace}

    assert traced.data == plain.data
    assert by_field["amount"].source == "金额"
    assert by_field["amount"].raw == "1,200.50"
    assert by_field["amount"].steps == (("as decimal", Decimal("1200.50")),)
    assert by_field["customer"].source == "客户.编码"
    assert by_field["lines[2].quantity"].value == Decimal("1.50")
    assert by_field["currency"].source == "a constant"
    assert "lines[1].sku" not in by_field
    assert {"order", "lines", "occurred_at"} <= set(by_field)


JSON_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.decimals(allow_nan=False, allow_infinity=False, places=3)
)
JSON_VALUES = st.recursive(
    JSON_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=8
)


@given(st.fixed_dictionaries({}, optional={name: JSON_VALUES | st.just(value) for name, value in record().items()}))
@settings(max_examples=200)
def test_any_record_is_mapped_or_unreadable_the_same_with_and_without_a_trace(sent: dict[str, Any]) -> None:
    """The loops for plain fields and the traced way never differ, and nothing but `Unreadable` comes out."""
    field_map = load_map(ORDER)

    def outcome(*, trace: bool) -> object:
        try:
            mapped = field_map.apply(sent, trace=trace)
        except Unreadable as error:
            return (error.rule, error.happened)
        return (mapped.data, mapped.subject, mapped.key, mapped.occurred_at, mapped.unread, mapped.missing, mapped.ignored)

    assert outcome(trace=False) == outcome(trace=True)


@given(st.permutations(list(record())), st.permutations(range(6)))
@settings(max_examples=50)
def test_the_order_of_fields_does_not_matter(names: list[str], order: list[int]) -> None:
    """Neither the order of a record's fields nor the order of a map's rules changes the result."""
    sent = record()
    rules = [rule for rule in ORDER.split("[fields]\n")[1].split("\n\n", maxsplit=1)[0].splitlines() if rule]
    shuffled = [rules[index] for index in order if index < len(rules)]
    text = ORDER.replace("\n".join(rules), "\n".join(shuffled))

    assert load_map(text).apply({name: sent[name] for name in names}).data == load_map(ORDER).apply(sent).data


def test_a_delivery_keeps_the_order_of_the_map() -> None:
    """What is sent to a vendor has its fields in the order in which the map names them."""
    rules = [
        'a = "x"',
        "b = { const = 1 }",
        'c = { from = "x", as = "text" }',
        'd = { join = ["x", "x"] }',
        'e = "none"',
        'f = { from = "x", upper = true }',
    ]
    for shuffled in itertools.permutations(rules):
        data = load_map('name = "t"\ntarget = "t/t"\n[fields]\n' + "\n".join(shuffled)).apply({"x": "v"}).data
        assert list(data) == [rule[0] for rule in shuffled if rule[0] != "e"]


def test_a_fixed_tuple_of_the_vocabulary_is_filled_with_list() -> None:
    """Incoming stock, a day and a quantity each, is made by `each` and `list`, typed by the vocabulary."""
    field_map = load_map(
        """
name = "stock"
target = "stock.changed"
[fields]
sku = "物料"
as_of = { from = "时间", as = "datetime" }
[fields.supplies]
each = "仓库"
[fields.supplies.fields]
sku = "$.物料"
warehouse = "名称"
on_hand = "现存"
[fields.supplies.fields.incoming]
each = "在途"
value = { list = ["日期", "数量"] }
"""
    )

    mapped = field_map.apply(
        {
            "物料": "A",
            "时间": "2024-03-05T00:00:00Z",
            "仓库": [{"名称": "一", "现存": "5", "在途": [{"日期": "2024-04-01", "数量": 7}]}],
        }
    )

    assert mapped.data.supplies == (
        Supply(sku="A", warehouse="一", on_hand=Decimal(5), incoming=((date(2024, 4, 1), Decimal(7)),)),
    )


def test_a_lookup_of_the_hub_is_injected() -> None:
    """An external table is asked through the callable that is given, and what it does not know is told."""
    field_map = load_map(
        'name = "t"\ntarget = "t/t"\nlookups = ["products"]\n[fields]\nsku = { each = "行", value = { from = "料", lookup = "products" } }'
    )
    table = {("products", "M-1"): "A-1"}

    assert field_map.apply({"行": [{"料": "M-1"}]}, lookup=lambda name, key: table.get((name, key))).data == {"sku": ["A-1"]}
    with pytest.raises(Unreadable, match="products"):
        field_map.apply({"行": [{"料": "M-2"}]}, lookup=lambda name, key: None)
    with pytest.raises(Unreadable, match="not at hand"):
        field_map.apply({"行": [{"料": "M-2"}]})


# --- errors ------------------------------------------------------------------------------------------------------


def test_an_unreadable_value_names_file_line_field_value_and_place() -> None:
    """The error of a nested value says where it stands in the map and in the record, and what it is."""
    sent = record(明细=[{"产品": "A", "数量": 1}, {"产品": "", "数量": 2}])
    with pytest.raises(Unreadable) as caught:
        load_map(ORDER, file="order.toml").apply(sent)

    assert caught.value.rule == "jdy-order/lines[1].sku"
    assert caught.value.pointer == "/明细/1/产品"
    assert caught.value.about["file"] == "order.toml"
    assert ORDER.splitlines()[int(caught.value.about["line"]) - 1] == 'sku = "产品"'

    with pytest.raises(Unreadable) as caught:
        load_map(ORDER, file="order.toml").apply(record(金额="12,0"))
    assert caught.value.about["value"] == "“12,0”"
    assert caught.value.about["field"] == "amount"


def test_all_the_problems_of_a_record_can_be_asked_for() -> None:
    """`problems` does not stop at the first rule."""
    found = load_map(ORDER).problems(record(金额="x", 下单日期="y", 订单编号=None))

    assert [problem.about["field"] for problem in found] == ["order", "amount", "ordered_on"]


@pytest.mark.parametrize("sent", [{}, {"状态": None}, {"状态": 5}, {"状态": "已审批"}], ids=repr)
def test_an_empty_or_odd_record_is_ignored_or_unreadable(sent: dict[str, Any]) -> None:
    """Nothing but an outcome or `Unreadable` comes of a record without the fields."""
    with contextlib.suppress(Unreadable):
        assert load_map(ORDER).apply(sent).ignored


def test_a_list_beyond_the_limit_is_refused() -> None:
    """A list of more items than the limit is refused before it is walked."""
    with pytest.raises(Unreadable, match="20000"):
        load_map(ORDER).apply(record(明细=[{"产品": "A", "数量": 1}] * 20_001))


# --- what is refused when a map is loaded ------------------------------------------------------------------------

HEAD = 'name = "t"\ntarget = "order.placed"\n'
BODY = 'order = "o"\namount = "a"\n'


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "head", 0),
        ("name = ", "toml", 1),
        ("名称 = 1", "toml", 1),
        (HEAD, "fields", 0),
        (HEAD + '[fields]\norder = "o"', "missing-target", 3),
        (HEAD + "[fields]\n" + BODY + 'colour = "c"', "unknown-target", 6),
        (HEAD + "[fields]\n" + BODY + 'lines = { each = "l", fields = { sku = "s" } }', "missing-target", 6),
        (
            HEAD + "[fields]\n" + BODY + 'lines = { each = "l", fields = { sku = "s", quantity = "q", size = "z" } }',
            "unknown-target",
            6,
        ),
        (HEAD + "[fields]\n" + BODY + 'lines = "l[*]"', "type", 6),
        (HEAD + '[fields]\norder = "o"\namount = { from = "a", as = "date" }', "type", 5),
        (HEAD + '[fields]\norder = { from = "o", as = "decimal" }\namount = "a"', "type", 4),
        (HEAD + "[fields]\n" + BODY + 'ordered_on = { from = "d", as = "datetime", zone = "UTC" }', "lossy", 6),
        (
            'name = "t"\ntarget = "receipt.received"\n[fields]\nreceipt = "r"\nbooked_on = "b"\namount = "a"\nrow = { from = "n", as = "decimal" }',
            "lossy",
            7,
        ),
        (
            'name = "t"\ntarget = "match.proposed"\n[fields]\nmatch = "m"\nreceipt = "r"\nlane = "l"\nprobability = "p"',
            "lossy",
            7,
        ),
        (HEAD + "[fields]\n" + BODY + 'currency = { const = 5, as = "date" }', "step", 0),
        (HEAD + "[fields]\n" + BODY + "currency = 5", "not-a-rule", 6),
        (HEAD + "[fields]\n" + BODY + "currency = { }", "source", 6),
        (HEAD + "[fields]\n" + BODY + 'currency = { from = "a", const = "b" }', "source", 6),
        (HEAD + "[fields]\n" + BODY + 'currency = { from = "a", uper = true }', "word", 6),
        (HEAD + "[fields]\n" + BODY + 'currency = { from = "a", format = "yyyy" }', "word", 6),
        (HEAD + "[fields]\n" + BODY + 'currency = { from = "a", else = "b" }', "word", 6),
        (HEAD + "[fields]\n" + BODY + 'currency = { from = "a..b" }', "path", 6),
        (HEAD + "[fields]\n" + BODY + 'currency = { from = "a", extract = "(a)(b)" }', "step", 6),
        (HEAD + "[fields]\n" + BODY + 'currency = { from = "a", extract = "(?=a)" }', "step", 6),
        (HEAD + "[fields]\n" + BODY + 'currency = { from = "a", lookup = "none" }', "step", 6),
        (HEAD + "[fields]\n" + BODY + 'currency = { from = "a", joined = "," , strip = 1}', "step", 6),
        (HEAD + "[fields]\n" + BODY + 'currency = { template = "{a" }', "template", 6),
        (HEAD + "[fields]\n" + BODY + 'currency = { template = "{a:euro}" }', "template", 6),
        (HEAD + "[fields]\n" + BODY + 'due_on = { from = "a", as = "date", format = "%Y" }', "step", 6),
        (HEAD + "[fields]\n" + BODY + 'due_on = { from = "a", as = "date", format = "yyyy-mm-dd" }', "step", 6),
        (HEAD + "[fields]\n" + BODY + 'due_on = { from = "a", as = "date", zone = "Mars/Base" }', "step", 6),
        (HEAD + "[fields]\n" + BODY + 'due_on = { from = "a", default = "someday" }', "type", 6),
        (HEAD + "[fields]\n" + BODY + 'due_on = { const = "2024-02-30" }', "value", 6),
        (HEAD + '[fields]\norder = "o"\namount = { from = "a", unit = "x", as = "decimal" }', "step", 5),
        (HEAD + "[fields]\n" + BODY + 'invoice = { from = "a", if = "a.map(x, x)" }', "condition", 6),
        (HEAD + 'when = "exec(1)"\n[fields]\n' + BODY, "condition", 3),
        (HEAD + 'zone = "../etc/passwd"\n[fields]\n' + BODY, "zone", 3),
        (HEAD + "colour = 1\n[fields]\n" + BODY, "word", 3),
        ('name = "t"\ntarget = "order.place"\n[fields]\n' + BODY, "target", 2),
        ('name = "../t"\ntarget = "order.placed"\n[fields]\n' + BODY, "name", 1),
        (HEAD + "version = 0\n[fields]\n" + BODY, "version", 3),
        ('name = "t"\ntarget = "t/t"\nsubject = "s"\n[fields]\na = "a"', "head", 3),
        (HEAD + "[fields]\n" + BODY + "[[examples]]\nin = 'x'\nout = 'y'", "example", 6),
        (HEAD + "[fields]\n" + BODY + "[[examples]]\nin = {}", "example", 6),
        (HEAD + "[fields]\n" + BODY + "[tables.x]\ny = [1]", "tables", 6),
    ],
)
def test_a_map_that_cannot_work_is_refused_with_its_line(text: str, code: str, line: int) -> None:
    """Unknown targets, missing ones, lossy and impossible steps are found when the map is loaded, each with its line."""
    with pytest.raises(BadMap) as caught:
        load_map(text, file="x.toml")

    finding = next(finding for finding in caught.value.findings if finding.code in (code, "type" if code == "step" else code))
    assert not line or finding.line == line
    assert finding.next


def test_all_that_is_wrong_is_told_at_once() -> None:
    """A map with three mistakes tells all three."""
    with pytest.raises(BadMap) as caught:
        load_map(HEAD + '[fields]\norder = "o."\namount = { from = "a", as = "date" }\nx = "y"')

    assert {(finding.line, finding.field) for finding in caught.value.findings} == {(4, "order.from"), (5, "amount"), (6, "x")}
    assert "2 more" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 600_000,
        "[fields]\na = " + "[" * 5_000,
        HEAD + "[fields]\na = " + "{ first = [" * 12 + '"x"' + "] }" * 12,
        HEAD + "[fields]\n" + "".join(f'f{number} = "x"\n' for number in range(1_200)),
        HEAD + "[fields]\n" + BODY + 'invoice = { template = "' + "{a}" * 2_000 + '" }',
        HEAD + "[fields]\n" + BODY + "percent = { const = nan }",
        HEAD + "[fields]\n" + BODY + f"percent = {{ const = {'9' * 5_000} }}",
    ],
    ids=["long", "brackets", "deep", "many", "template", "nan", "digits"],
)
def test_a_map_beyond_the_limits_is_refused(text: str) -> None:
    """Maps that are too long, too deep or too many are refused, not worked on."""
    with pytest.raises(BadMap):
        load_map(text)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-5, 5)
        | st.sampled_from(["a", "a.b", "行[*]", "x > 1", "{a}", "yyyy", "decimal", "CNY"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "from",
                        "const",
                        "as",
                        "each",
                        "fields",
                        "value",
                        "first",
                        "template",
                        "parts",
                        "if",
                        "where",
                        "steps",
                        "choose",
                        "then",
                        "sum",
                        "of",
                        "enum",
                        "lookup",
                        "default",
                        "strip",
                        "pad",
                        "slice",
                        "extract",
                        "format",
                        "unit",
                        "join",
                        "list",
                        "add",
                        "round",
                        "wrap",
                        "pick",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
@settings(max_examples=300)
def test_any_rule_loads_or_is_refused(rule: Any) -> None:
    """No rule, however odd, makes the loader or the map raise anything but `BadMap` and `Unreadable`."""
    try:
        field_map = load_map(f'name = "t"\ntarget = "t/t"\n[fields]\na = {toml(rule)}')
        field_map.apply({"a": {"b": "1"}, "行": [{"a": 2}, {"a": "x"}]})
    except (BadMap, Unreadable):
        pass


def toml(value: Any) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{name} = {toml(inner)}" for name, inner in value.items()) + " }"
        case list():
            return "[" + ", ".join(toml(inner) for inner in value) + "]"
        case None:
            return '""'
        case bool():
            return str(value).lower()
    return json.dumps(value, ensure_ascii=False)


def test_every_fact_of_the_vocabulary_has_a_kind() -> None:
    """A map can be written for every event type: its required fields are what the loader asks for."""
    for target, fact in VOCABULARY.items():
        with pytest.raises(BadMap) as caught:
            load_map(f'name = "t"\ntarget = "{target}"\n[fields]\nnothing = "x"')
        asked = {finding.happened.split("'")[1] for finding in caught.value.findings if finding.code == "missing-target"}
        assert asked == {field.name for field in msgspec.structs.fields(fact) if field.required}


def test_lines_are_found_in_every_form_of_toml() -> None:
    """Keys in tables, lists of tables, inline tables, dotted and quoted keys and after texts of several lines have their line."""
    text = '# c\na = """\nx = 1\n"""\n[b]\n"键" = { c = 1,\n d = [1,\n 2] }\n[[e]]\nf = \'\'\'\n[g]\'\'\'\n[[e]]\nf.g = "#"\n[e.h]\ni = 1 # [j]\n'

    lines = lines_of(text)

    assert lines[("a",)] == 2
    assert lines[("b", "键", "d", 1)] == 8
    assert lines[("e", 0, "f")] == 10
    assert lines[("e", 1, "f", "g")] == 13
    assert lines[("e", 1, "h", "i")] == 15


# --- checking ----------------------------------------------------------------------------------------------------


def test_an_example_that_differs_is_told_with_the_field() -> None:
    """A failing example says which field is what instead of what."""
    text = 'name = "t"\ntarget = "t/t"\n[fields]\na = { from = "x", as = "decimal" }\n[[examples]]\nin = { x = "2.50" }\nout = { a = "2.5" }\n[[examples]]\nin = { x = "3" }\nout = { a = "4" }\n'

    assert [str(failure) for failure in run_examples(load_map(text))] == ["line 8: a is 3, not “4”"]


def test_a_check_tells_what_no_rule_reads_and_what_no_sample_fills() -> None:
    """Against a sample, unread sources, floats, rules that find nothing and unreadable values are told."""
    findings = check_map(load_map(ORDER), {**record(金额="x", 颜色="红", 重量=1.5), "下单日期": None})

    assert {finding.code for finding in findings} >= {"unread", "float", "unreadable", "never-filled"}
    assert {finding.value for finding in findings if finding.code == "unread"} == {"颜色", "重量"}
    assert check_map(load_map(ORDER))[0].code == "no-sample"


def test_a_map_explains_itself() -> None:
    """The explanation names every target field, its source and what happens without a value."""
    text = explain(load_map(ORDER))

    for words in (
        "`order.placed`",
        "only-approved",
        "| `amount` | 金额 | as decimal",
        "`lines[].sku`",
        "备注",
        "event's occurred_at",
    ):
        assert words in text


# --- events ------------------------------------------------------------------------------------------------------


def test_a_raw_of_several_records_gives_an_event_each_and_parks_only_the_bad_one() -> None:
    """One record that cannot be read raises with its place, and the records after it still come."""
    field_map = load_map(ORDER)
    sent = raw({"data": [record(订单编号="S-1"), record(订单编号="S-2", 金额="x"), {"状态": "草稿"}, record(订单编号="S-3")]})

    first, bad, ignored, last = drained(events_from(field_map, sent))

    assert isinstance(first, Event) and isinstance(last, Event)
    assert (first.subject, last.subject) == ("S-1", "S-3")
    assert first.key == "order:S-1"
    assert isinstance(bad, Unreadable) and bad.pointer == "/data/1/金额"
    assert ignored == Ignored(rule="only-approved")
    assert drained(events_from(field_map, sent))[0] == first


def test_the_same_subject_twice_in_a_raw_is_repeated_or_a_contradiction() -> None:
    """An equal second record is ignored by name; a different one would share the first one's id, and is refused."""
    same, other = record(订单编号="S-1"), record(订单编号="S-1", 金额="1")

    assert drained(events_from(load_map(ORDER), raw({"data": [same, same]})))[1] == Ignored(rule="repeated")
    contradiction = drained(events_from(load_map(ORDER), raw({"data": [same, other]})))[1]
    assert isinstance(contradiction, Unreadable) and contradiction.rule == "jdy-order/subject"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'"x"', b'{"data": 5}', b'{"data": [1]}', b"{}", b'{"data": {}}'], ids=repr
)
def test_a_body_without_records_is_unreadable_once(body: bytes) -> None:
    """What holds no records raises `Unreadable` once and then ends."""
    found = drained(events_from(load_map(ORDER), raw(body)))

    assert len(found) == 1 and isinstance(found[0], Unreadable)


def test_an_empty_list_of_records_gives_nothing() -> None:
    """A page without rows means no events and no error."""
    assert drained(events_from(load_map(ORDER), raw({"data": []}))) == []


def test_a_delivery_map_makes_no_events() -> None:
    """Asking a map without an event type for events says so."""
    with pytest.raises(Misconfigured):
        events_from(load_map('name = "t"\ntarget = "t/t"\n[fields]\na = "a"'), raw({}))


# --- files -------------------------------------------------------------------------------------------------------


def lines(found: Iterable[Any]) -> list[bytes]:
    return [json.dumps(item, default=float).encode() for item in found]


def test_a_file_is_mapped_line_by_line() -> None:
    """Good lines are written, ignored and unreadable ones are counted, blank ones skipped."""
    out = io.BytesIO()
    sent = [
        *lines([{"data": [record(订单编号="S-1")]}, {"data": [{"状态": "草稿"}]}]),
        b"",
        b"{broken",
        *lines([{"data": [record(金额="x")]}]),
    ]

    tally = run_file(load_map(ORDER), sent, out)

    assert (tally.mapped, tally.ignored, tally.unreadable) == (1, 1, 2)
    assert [number for number, _ in tally.problems] == [4, 5]
    assert parse_json(out.getvalue())["amount"] == "1200.50"


def test_a_traced_file_has_a_line_for_every_record() -> None:
    """With a trace, each line tells data, trace, unread and missing."""
    out = io.BytesIO()

    run_file(load_map(ORDER), lines([{"data": [record(新=1)]}]), out, trace=True)

    told = json.loads(out.getvalue())
    assert told["unread"] == ["新"]
    assert {entry["field"] for entry in told["trace"]} >= {"order", "lines[0].sku"}
