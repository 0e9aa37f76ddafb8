"""The tables of the simulated Tryton: rows, dotted fields, searches. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

Row = dict[str, Any]

# Where a dotted field leads.
RELATIONS: Mapping[str, str] = {
    "product": "product.product",
    "template": "product.template",
    "default_uom": "product.uom",
    "unit": "product.uom",
    "account_category": "product.category",
    "party": "party.party",
    "tax_identifier": "party.identifier",
    "identifiers": "party.identifier",
    "currency": "currency.currency",
    "payment_term": "account.invoice.payment_term",
    "warehouse": "stock.location",
    "from_location": "stock.location",
    "to_location": "stock.location",
}


class Quantity(Decimal):
    """A number that goes over the wire as a plain one, as Tryton writes its quantities."""


class UserError(Exception):
    """What Tryton tells the person in front of it."""


class Outdated(Exception):
    """Somebody changed the record since it was read."""


class NoSuch(Exception):
    """A model or a field that is not there."""


class Tables:
    """Rows by model and id; `now` gives the stamps."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.rows: dict[str, dict[int, Row]] = {model: {} for model in {*RELATIONS.values(), *_OTHERS}}
        self.computed: Callable[[str, Row, str, Mapping[str, Any]], Any] = lambda model, row, name, context: _missing(name)

    def add(self, model: str, **values: Any) -> int:
        """A new row's id. `write_date` stays null until the first change."""
        number = max(self.rows[model], default=0) + 1
        self.rows[model][number] = {"id": number, "create_date": self.now(), "write_date": None, "active": True, **values}
        return number

    def change(self, model: str, number: int, **values: Any) -> None:
        self.rows[model][number].update(values, write_date=self.now())

    def get(self, model: str, number: int) -> Row:
        if number not in self.rows[model]:
            raise UserError(f'You are trying to access records "{number}" that do not exist or are not accessible.')
        return self.rows[model][number]

    def search(
        self, model: str, domain: Sequence[Any], context: Mapping[str, Any], order: Sequence[Sequence[str]] | None = None
    ) -> list[Row]:
        """Matching rows; only active ones unless the context or the domain asks for others."""
        found = [row for row in self.rows[model].values() if self._fits(model, row, domain)]
        if context.get("active_test", True):
            found = [row for row in found if row["active"]]
        for name, direction in reversed(order or [["id", "ASC"]]):
            found.sort(key=lambda row: _sortable(row.get(name)), reverse=direction.upper().startswith("DESC"))
        return found

    def read(self, model: str, row: Row, fields: Iterable[str], context: Mapping[str, Any]) -> Row:
        """The fields asked for and the id; a dotted one comes nested under its first part and a dot."""
        out: Row = {"id": row["id"]}
        for field in fields:
            name, dot, rest = field.partition(".")
            if not dot:
                out[name] = self._value(model, row, name, context)
                continue
            target = self._value(model, row, name, context)
            if target is None:
                out[f"{name}."] = None
            else:
                inner = self.read(RELATIONS[name], self.get(RELATIONS[name], target), [rest], context)
                out[f"{name}."] = _joined(out.get(f"{name}."), inner)
        return out

    def _value(self, model: str, row: Row, name: str, context: Mapping[str, Any]) -> Any:
        if name == "_timestamp":
            return str((row["write_date"] or row["create_date"]).timestamp())
        return row[name] if name in row else self.computed(model, row, name, context)

    def _fits(self, model: str, row: Row, domain: Sequence[Any]) -> bool:
        if not domain:
            return True
        if domain[0] in ("OR", "AND"):
            each = [self._fits(model, row, [clause]) for clause in domain[1:]]
            return any(each) if domain[0] == "OR" else all(each)
        if isinstance(domain[0], str):
            return self._clause(model, row, domain[0], domain[1], domain[2])
        return all(self._fits(model, row, clause) for clause in domain)

    def _clause(self, model: str, row: Row, field: str, operator: str, wanted: Any) -> bool:
        name, dot, rest = field.partition(".")
        value = self._value(model, row, name, {})
        if dot:
            targets = value if isinstance(value, list) else [value]
            related = [self.rows[RELATIONS[name]][number] for number in targets if number is not None]
            return any(self._clause(RELATIONS[name], other, rest, operator, wanted) for other in related)
        return _OPERATORS[operator](value, wanted)


_OTHERS = ("sale.sale", "sale.line", "stock.move", "party.address")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, wanted: bool(value == wanted),
    "!=": lambda value, wanted: bool(value != wanted),
    "in": lambda value, wanted: value in wanted,
    "not in": lambda value, wanted: value not in wanted,
    ">": lambda value, wanted: value is not None and value > wanted,
    ">=": lambda value, wanted: value is not None and value >= wanted,
    "<": lambda value, wanted: value is not None and value < wanted,
    "<=": lambda value, wanted: value is not None and value <= wanted,
}


def _missing(name: str) -> Any:
    raise NoSuch(name)


def _joined(before: Any, more: Row) -> Row:
    merged = dict(before or {})
    for name, value in more.items():
        merged[name] = _joined(merged.get(name), value) if name.endswith(".") and isinstance(value, dict) else value
    return merged


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


# --- the wire ----------------------------------------------------------------------------------------------------


def load(body: bytes) -> Any:
    """A request's JSON with Tryton's objects read."""
    return json.loads(body, parse_float=Quantity, object_hook=_object)


def dump(value: Any) -> str:
    """JSON as Tryton writes it; the standard library cannot write exact numbers, so this does."""
    if isinstance(value, Quantity):
        return str(value) if "." in str(value) else f"{value}.0"
    if isinstance(value, Decimal):
        return dump({"__class__": "Decimal", "decimal": str(value)})
    if isinstance(value, datetime | date):
        return dump(_parts(value))
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(name)}:{dump(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value)


def _parts(value: date) -> dict[str, Any]:
    day = {"year": value.year, "month": value.month, "day": value.day}
    if not isinstance(value, datetime):
        return {"__class__": "date", **day}
    time = {name: getattr(value, name) for name in ("hour", "minute", "second", "microsecond")}
    return {"__class__": "datetime", **day, **time}


def _object(of: dict[str, Any]) -> Any:
    kind = of.pop("__class__", None)
    if kind == "Decimal":
        return Decimal(of["decimal"])
    if kind == "date":
        return date(**of)
    if kind == "datetime":
        return datetime(**of, tzinfo=UTC)
    return of
