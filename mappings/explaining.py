"""A map in words, for its page and its documentation."""

from __future__ import annotations

from mappings.fieldmap import FieldMap
from mappings.fields import Fields
from mappings.lists import Each, Nested
from mappings.rules import Rule
from mappings.values import MISSING, shown


def explain(field_map: FieldMap) -> str:
    """The map as Markdown: what it is for, which records it takes, and one row for each target field."""
    lines = [f"# {field_map.name}", ""]
    if field_map.about:
        lines += [field_map.about, ""]
    kind = "event" if field_map.fact else "delivery"
    lines += [f"Version {field_map.version}. Each record becomes the {kind} `{field_map.target}`.", ""]
    if field_map.records:
        lines += [f"The records are those at `{field_map.records.text}`.", ""]
    for name, condition in field_map.when:
        lines += [f"A record is ignored by the rule `{name}` unless `{condition.text}`.", ""]
    lines += ["| field | from | then | if missing |", "| --- | --- | --- | --- |"]
    lines += [row for rule in field_map.envelope for row in _rows(rule, "event's ")]
    lines += [row for rule in field_map.fields.rules for row in _rows(rule, "")]
    if field_map.ignore:
        lines += ["", "Not read, on purpose: " + "、".join(f"`{path.text}`" for path in field_map.ignore) + "."]
    return "\n".join(lines) + "\n"


def _rows(rule: Rule, prefix: str) -> list[str]:
    steps = [step.says for step in rule.steps if step.name != "list"]
    if rule.condition is not None:
        steps.insert(0, f"only if {rule.condition.text}")
    lacking = "it cannot be read" if rule.required else "left out" if rule.default is MISSING else shown(rule.default)
    name = f"{prefix}{rule.name}"
    cells = [f"`{name}`", rule.source.says(), "; ".join(steps), lacking]
    rows = ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"]
    inner = (
        rule.source.inner if isinstance(rule.source, Each) else rule.source.fields if isinstance(rule.source, Nested) else None
    )
    if isinstance(inner, Fields):
        mark = "[]" if isinstance(rule.source, Each) else ""
        rows += [row for nested in inner.rules for row in _rows(nested, f"{name}{mark}.")]
    return rows
