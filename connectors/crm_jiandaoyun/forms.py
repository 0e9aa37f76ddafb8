"""Which form is what, and under which key each of our fields stands in it. Forms differ from customer to customer, so this is data.

A field's key is its alias where the form has one, else `_widget_…`; setting an alias changes the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from hub.sdk import Misconfigured, digest

QUOTE: Mapping[str, str] = {
    "number": "报价单号",
    "customer_name": "客户名称",
    "customer": "客户编码",
    "lines": "产品明细",
    "salesperson": "销售员",
    "payment_terms": "付款条件",
    "amount": "金额",
    "status": "状态",
    "contact_name": "联系人",
    "contact_phone": "联系电话",
}
LINE: Mapping[str, str] = {
    "sku": "产品编码",
    "name": "产品名称",
    "quantity": "数量",
    "unit_price": "单价",
    "need_by": "需求日期",
    "warehouse": "仓库",
}
CUSTOMER: Mapping[str, str] = {
    "number": "客户编码",
    "name": "客户名称",
    "tax_id": "税号",
    "aliases": "别名",
    "accounts": "银行账号",
    "owner": "负责人",
}
# What we write. They are no part of a record's content: a change of them alone is no news.
WRITTEN: Mapping[str, str] = {
    "stock_verdict": "库存结论",
    "contract_status": "合同状态",
    "payment_status": "回款状态",
    "marker": "枢纽标记",
}
READ: Mapping[str, Mapping[str, str]] = {"quote": QUOTE, "customer": CUSTOMER}


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One form: where it is, and the key of each of our fields. `marker` is empty where the form has no field for it."""

    purpose: str
    app: str
    entry: str
    read: Mapping[str, str]
    line: Mapping[str, str]
    written: Mapping[str, str]

    @property
    def marker(self) -> str:
        return self.written["marker"]

    def key(self, name: str) -> str:
        """The key of our field, or the name itself where it already is a key."""
        return self.read.get(name) or self.written.get(name) or name

    def content(self, record: Mapping[str, Any]) -> str:
        """A digest of what we read of a record. Two records with the same one mean the same to us."""
        lines = record.get(self.read["lines"]) if "lines" in self.read else None
        rows = lines if isinstance(lines, list) else []
        found = {
            **{name: _plain(record.get(key)) for name, key in self.read.items() if name != "lines"},
            "lines": [{name: _plain(row.get(key)) for name, key in self.line.items()} for row in rows if isinstance(row, dict)],
        }
        return f"hub:{digest(msgspec.json.encode(found, order='deterministic'))[:16]}"


def _plain(value: Any) -> Any:
    """The value so that it reads the same however it was written: `10`, `10.0` and absent against empty."""
    if value is None or value in ("", []):
        return None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        return f"{number.normalize():f}" if number.is_finite() and abs(number.adjusted()) < 100 else str(number)
    if isinstance(value, dict):
        return str(value.get("username") or value.get("name") or value.get("_id") or "")
    return [_plain(item) for item in value] if isinstance(value, list) else value


def form_of(settings: Mapping[str, object], purpose: str) -> Form | None:
    """The form of this purpose, or `None` where the connection names none. Raises `Misconfigured`."""
    place = _table(settings.get("forms")).get(purpose)
    if purpose not in READ or place is None:
        return None
    where, keys = _table(place), _table(_table(settings.get("fields")).get(purpose))
    if not (where.get("app") and where.get("entry")):
        raise Misconfigured(
            happened=f"the form for {purpose} has no app or no entry id",
            next="write forms as {quote = {app = …, entry = …}}",
            form=purpose,
        )
    return Form(
        purpose=purpose,
        app=str(where["app"]),
        entry=str(where["entry"]),
        read=_with(READ[purpose], keys),
        line=_with(LINE, _table(keys.get("line"))),
        written=_with(WRITTEN, keys),
    )


def purpose_of(settings: Mapping[str, object], entry: str) -> str:
    """What the form with this entry id is for us; empty where the connection does not name it."""
    forms = _table(settings.get("forms"))
    return next((purpose for purpose in READ if str(_table(forms.get(purpose)).get("entry") or "") == entry), "")


def purposes(settings: Mapping[str, object]) -> tuple[str, ...]:
    """The purposes that the connection names a form for."""
    forms = _table(settings.get("forms"))
    return tuple(purpose for purpose in READ if purpose in forms)


def _with(names: Mapping[str, str], keys: Mapping[str, object]) -> dict[str, str]:
    return {name: str(keys.get(name, key)) for name, key in names.items()}


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
