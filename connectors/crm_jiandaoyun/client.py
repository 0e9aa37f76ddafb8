"""简道云 API v5: POST and JSON only, a bearer key, values wrapped as `{"value": …}` on write and bare on read.

Help centre: 接口调用说明, 查询多条数据, 新建单条数据, 修改单条数据. A failure is HTTP 400 with `{code, msg}`; 8303 and HTTP 429 are limits.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from numbers import Real
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from hub.sdk import Answer, Context, LoginRefused, RateLimited, VendorFault, VendorRefused

from .forms import Form

T = TypeVar("T")
_RATE_LIMIT = "8303"
_PAUSE = 1
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_OURS = uuid.UUID("6f1c9f0e-6f0a-5c43-9a53-1d0a2f6a7b11")


class _Records(msgspec.Struct, frozen=True):
    data: list[msgspec.Raw]


class _Record(msgspec.Struct, frozen=True):
    data: dict[str, Any]


class _Refusal(msgspec.Struct, frozen=True):
    code: int | str = ""
    msg: str | None = None


class _Widget(msgspec.Struct, frozen=True):
    name: str
    label: str = ""


class _Widgets(msgspec.Struct, frozen=True):
    widgets: list[_Widget]


class Client:
    """The calls on one tenant's forms."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._host = str(context.settings["host"]).rstrip("/")
        codes = context.settings.get("login_codes")
        self._login_codes = {str(code) for code in codes} if isinstance(codes, list | tuple) else set()

    def page(self, form: Form, *, changed: tuple[str, str] | None, after: str, limit: int) -> list[bytes]:
        """Records as they came, ordered by id; those after this id, changed in this range of times."""
        body: dict[str, Any] = {**_place(form), "limit": limit}
        if after:
            body["data_id"] = after
        if changed:
            body["filter"] = _filter("updateTime", "range", list(changed), type="datetime")
        return [bytes(one) for one in self._read("/app/entry/data/list", body, _Records).data]

    def find(self, form: Form, number: str) -> Sequence[Mapping[str, Any]]:
        """The records whose number is this; two are enough to know that it is not one."""
        body = {**_place(form), "limit": 2, "filter": _filter(form.read["number"], "eq", [number])}
        return [exact(bytes(one)) for one in self._read("/app/entry/data/list", body, _Records).data]

    def get(self, form: Form, record: str) -> Mapping[str, Any]:
        answer = self._post("/app/entry/data/get", {**_place(form), "data_id": record})
        found = exact(answer).get("data")
        if not isinstance(found, dict) or not found:
            raise VendorRefused(
                happened="there is no such record", next="check the record's id", form=form.purpose, record=record
            )
        return found

    def update(self, form: Form, record: str, values: Mapping[str, object]) -> None:
        """Set the values. Setting them twice is the same as once, so a lost answer may be repeated."""
        self._post("/app/entry/data/update", {**_place(form), "data_id": record, "data": wrapped(values)})

    def create(self, form: Form, values: Mapping[str, object], *, once: str) -> str:
        """A new record's id. The vendor makes one record for a transaction id, however often it is asked."""
        body = {
            **_place(form),
            "data": wrapped(values),
            "is_start_workflow": False,
            "transaction_id": str(uuid.uuid5(_OURS, once)),
        }
        made = self._read("/app/entry/data/create", body, _Record).data.get("_id")
        if not isinstance(made, str):
            raise self._broken("/app/entry/data/create")
        return made

    def labels(self, form: Form) -> dict[str, str]:
        """The form's fields: label → key, for setting up a connection."""
        found = self._read("/app/entry/widget/list", _place(form), _Widgets)
        return {widget.label or widget.name: widget.name for widget in found.widgets}

    def forms(self, app: str) -> None:
        """One cheap call that needs the key."""
        self._post("/app/entry/list", {"app_id": app, "limit": 1, "skip": 0})

    # --- the wire ---

    def _read(self, path: str, body: Mapping[str, object], kind: type[T]) -> T:
        try:
            return msgspec.json.decode(self._post(path, body), type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._broken(path) from error

    def _post(self, path: str, body: Mapping[str, object]) -> bytes:
        headers = {
            "Authorization": f"Bearer {self._context.settings['api_key']}",
            "Content-Type": "application/json; charset=utf-8",
        }
        answer = self._context.http.request(
            "POST", f"{self._host}/api/v5{path}", headers=headers, content=_ENCODER.encode(body), sent_unless_answered=False
        )
        if answer.status != 200:
            raise self._refusal(answer, path)
        return answer.body

    def _refusal(self, answer: Answer, path: str) -> Exception:
        try:
            said = msgspec.json.decode(answer.body, type=_Refusal)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            said = _Refusal()
        code = str(said.code)
        about: dict[str, object] = {
            "connection": self._context.connection,
            "path": path,
            "status": answer.status,
            "code": code or None,
        }
        if answer.status == 429 or code == _RATE_LIMIT:
            return RateLimited(
                after=_PAUSE, happened="简道云 has had too many calls", next="the call is repeated by itself", **about
            )
        if answer.status in (401, 403) or code in self._login_codes:
            return LoginRefused(
                happened="简道云 does not accept the API key", next="compare it with 开放平台 → 密钥管理", **about
            )
        if answer.status >= 500 or not code:
            return VendorFault(happened="简道云 failed on its side", next="the call is repeated by itself", **about)
        return VendorRefused(happened=f"简道云 says no: {(said.msg or '')[:200]}", next="correct what it names", **about)

    def _broken(self, path: str) -> VendorFault:
        return VendorFault(
            happened="简道云's answer cannot be read",
            next="the call is repeated by itself",
            connection=self._context.connection,
            path=path,
        )

    def bare(self, value: object) -> object:
        """A value as the vendor reads it back: days are midnight of the tenant's zone, in UTC."""
        if isinstance(value, Real) and not isinstance(value, int):
            return Decimal(repr(value))
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(value, date):
            return self.bare(datetime.combine(value, time(), tzinfo=ZoneInfo(self._context.zone)))
        if isinstance(value, Mapping):
            return {name: self.bare(inner) for name, inner in value.items()}
        return [self.bare(inner) for inner in value] if isinstance(value, list | tuple) else value


def wrapped(values: Mapping[str, object]) -> dict[str, Any]:
    """Values as the vendor takes them; the rows of a subform are wrapped again inside."""
    return {key: {"value": [_row(one) for one in value] if isinstance(value, list) else value} for key, value in values.items()}


def _row(value: object) -> object:
    return wrapped(value) if isinstance(value, dict) else value


def exact(body: bytes) -> dict[str, Any]:
    """The JSON object with its numbers exact. Raises `VendorFault`."""
    try:
        found = _EXACT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        raise VendorFault(happened="简道云's answer cannot be read", next="the call is repeated by itself") from error
    if not isinstance(found, dict):
        raise VendorFault(happened="简道云's answer is not an object", next="the call is repeated by itself")
    return found


_EXACT = msgspec.json.Decoder(float_hook=Decimal)


def _place(form: Form) -> dict[str, Any]:
    return {"app_id": form.app, "entry_id": form.entry}


def _filter(field: str, method: str, value: list[str], **more: str) -> dict[str, Any]:
    return {"rel": "and", "cond": [{"field": field, "method": method, "value": value, **more}]}
