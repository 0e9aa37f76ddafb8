"""简道云 API v5 on loopback: forms with records, the documented limits and refusals, and signed pushes of what people change.

A change through the API is not pushed, as documented. Standard library only; written from the help centre's pages, not from
the client.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from http import client as wire
from typing import Any
from urllib.parse import urlencode, urlsplit

from .simulator_server import Server

Record = dict[str, Any]
PREFIX = "/api/v5/app/"


class Refusal(Exception):
    """HTTP 400 with a code and words."""

    def __init__(self, code: int, msg: str) -> None:
        super().__init__(msg)
        self.code = code


class Simulator:
    """The vendor. `user_creates`, `user_updates` and `user_removes` play the people; `forms` holds the records."""

    def __init__(
        self,
        *,
        api_key: str = "api-key",
        push_secret: str = "jdy-secret",  # noqa: S107 - a simulator's own
        port: int = 0,
        per_second: int = 50,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.api_key, self.push_secret, self.per_second = api_key, push_secret, per_second
        self.api_user = {"_id": "u-api", "name": "集成账号", "username": "hub-api"}
        self._now = now
        self._server = Server(self._answer, port)
        self._lock = threading.RLock()
        self._starts: deque[float] = deque()
        self._failures: list[tuple[int, Any, dict[str, str]]] = []
        self._transactions: dict[str, str] = {}
        self._count = 0
        self.forms: dict[tuple[str, str], dict[str, Record]] = {}
        self.widgets: dict[tuple[str, str], list[dict[str, str]]] = {}
        self.pushes_to: dict[tuple[str, str], str] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.pushed: list[dict[str, Any]] = []
        """One entry a push: url, headers, body, and status (0 where nobody answered)."""

    # --- its life ---

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def go_down(self) -> None:
        """Nothing listens any more."""
        self._server.stop()

    def come_back(self) -> None:
        self._server.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def fail_next(self, *, status: int = 500, times: int = 1, body: Any = None, headers: dict[str, str] | None = None) -> None:
        """Answer the next calls with this status; 0 hangs up without an answer, after doing what was asked."""
        self._failures += [(status, {"code": status, "msg": "失败"} if body is None else body, headers or {})] * times

    def stop_failing(self) -> None:
        self._failures.clear()

    # --- the people ---

    def add_form(self, app: str, entry: str, fields: list[str], *, push_to: str = "") -> None:
        """A form with these field keys; pushes of its records go to this address."""
        self.forms[app, entry] = {}
        self.widgets[app, entry] = [{"name": key, "label": key, "type": "text"} for key in fields]
        if push_to:
            self.pushes_to[app, entry] = push_to

    def user_creates(self, form: tuple[str, str], values: Record, *, user: str = "lisi") -> str:
        """Somebody saves a new record; its id."""
        with self._lock:
            record = self._made(form, values, {"_id": f"u-{user}", "name": user, "username": user})
            body = self._push_body("data_create", record)
        self._push(form, body)
        return str(record["_id"])

    def user_updates(
        self, form: tuple[str, str], record: str, values: Record, *, user: str = "lisi", pushed: bool = True
    ) -> None:
        """Somebody changes a record; in bulk (`pushed=False`) nobody is told."""
        with self._lock:
            self._changed(form, record, values, {"_id": f"u-{user}", "name": user, "username": user})
            body = self._push_body("data_update", self.forms[form][record])
        if pushed:
            self._push(form, body)

    def user_removes(self, form: tuple[str, str], record: str) -> None:
        """Somebody deletes a record."""
        with self._lock:
            body = self._push_body("data_remove", self.forms[form].pop(record))
        self._push(form, body)

    def push_again(self, place: int = -1) -> int:
        """Send a push once more as it was, and say how it was answered."""
        earlier = self.pushed[place]
        return self._send(earlier["url"], earlier["headers"], earlier["body"])

    # --- records ---

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _made(self, form: tuple[str, str], values: Record, user: dict[str, str]) -> Record:
        self._count += 1
        at = self._stamp()
        record = {"_id": f"{self._count:024x}", "appId": form[0], "entryId": form[1], "creator": user, "updater": user}
        self.forms[form][str(record["_id"])] = {**record, "createTime": at, "updateTime": at, **values}
        return self.forms[form][str(record["_id"])]

    def _changed(self, form: tuple[str, str], record: str, values: Record, user: dict[str, str]) -> None:
        known = self.forms[form].get(record)
        if known is None:
            raise Refusal(4001, "数据不存在")
        self.forms[form][record] = {**known, **values, "updater": user, "updateTime": self._stamp()}

    # --- pushes ---

    def signature(self, nonce: str, body: bytes, stamp: str) -> str:
        """Hex SHA-1 of `nonce:payload:secret:timestamp`."""
        text = b":".join([nonce.encode(), body, self.push_secret.encode(), stamp.encode()])
        return hashlib.sha1(text, usedforsecurity=False).hexdigest()

    def _push_body(self, op: str, record: Record) -> bytes:
        body = {"op": op, "opTime": int(self._now() * 1000), "data": record}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    def _push(self, form: tuple[str, str], body: bytes) -> None:
        place = self.pushes_to.get(form)
        if not place:
            return
        nonce, stamp = secrets.token_hex(3), str(int(self._now()))
        url = f"{place}{'&' if '?' in place else '?'}{urlencode({'nonce': nonce, 'timestamp': stamp})}"
        headers = {
            "Content-Type": "application/json",
            "X-JDY-Signature": self.signature(nonce, body, stamp),
            "X-JDY-DeliverId": secrets.token_hex(12),
        }
        status = self._send(url, headers, body)
        self.pushed.append({"url": url, "headers": headers, "body": body, "status": status})

    def _send(self, url: str, headers: dict[str, str], body: bytes) -> int:
        split = urlsplit(url)
        kind = wire.HTTPSConnection if split.scheme == "https" else wire.HTTPConnection
        connection = kind(split.hostname or "", split.port, timeout=5)
        try:
            connection.request("POST", f"{split.path}?{split.query}", body, headers)
            return connection.getresponse().status
        except (OSError, wire.HTTPException):
            return 0
        finally:
            connection.close()

    # --- the API ---

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, dict[str, str]]:
        with self._lock:
            if headers.get("authorization") != f"Bearer {self.api_key}":
                return 401, {"code": 8301, "msg": "密钥无效"}, {}
            if self._too_many():
                return 400, {"code": 8303, "msg": "请求频率超限"}, {}
            if self._failures and self._failures[0][0] != 0:
                return self._failures.pop(0)
            try:
                asked = json.loads(body)
                self.calls.append((path, asked))
                found = self._do(path, asked)
            except Refusal as refusal:
                return 400, {"code": refusal.code, "msg": str(refusal)}, {}
            except (KeyError, TypeError, ValueError) as error:
                return 400, {"code": 17018, "msg": f"参数错误: {error}"}, {}
            lost = bool(self._failures) and self._failures.pop(0)[0] == 0
            return (0 if lost else 200), found, {}

    def _too_many(self) -> bool:
        now = self._now()
        while self._starts and self._starts[0] <= now - 1:
            self._starts.popleft()
        if len(self._starts) >= self.per_second:
            return True
        self._starts.append(now)
        return False

    def _do(self, path: str, asked: dict[str, Any]) -> Any:
        what = path.removeprefix(PREFIX)
        if what == "entry/list":
            return {"forms": [{"entry_id": entry, "name": entry} for app, entry in self.forms if app == asked["app_id"]]}
        form = asked["app_id"], asked["entry_id"]
        records = self.forms.get(form)
        if records is None:
            raise Refusal(3005, "表单不存在")
        match what:
            case "entry/widget/list":
                return {"widgets": self.widgets[form], "sysWidgets": []}
            case "entry/data/get":
                return {"data": records.get(asked["data_id"])}
            case "entry/data/list":
                return {"data": self._list(records, asked)}
            case "entry/data/create":
                return {"data": self._create(form, asked)}
            case "entry/data/update":
                self._changed(form, asked["data_id"], _bare(asked["data"]), self.api_user)
                return {"data": self.forms[form][asked["data_id"]]}
        raise Refusal(1004, "接口不存在")

    def _list(self, records: dict[str, Record], asked: dict[str, Any]) -> list[Record]:
        limit = asked.get("limit", 10)
        if not 1 <= limit <= 100:
            raise Refusal(17018, "limit 超出范围")
        after, conditions = asked.get("data_id") or "", (asked.get("filter") or {}).get("cond", [])
        found = [r for key, r in sorted(records.items()) if key > after and all(_holds(r, c) for c in conditions)]
        return found[:limit]

    def _create(self, form: tuple[str, str], asked: dict[str, Any]) -> Record:
        once = asked.get("transaction_id")
        if once and once in self._transactions:
            return self.forms[form][self._transactions[once]]
        record = self._made(form, _bare(asked["data"]), self.api_user)
        if once:
            self._transactions[once] = str(record["_id"])
        return record


def _bare(data: dict[str, Any]) -> Record:
    """Values are wrapped on write; what is not is refused."""
    values = {key: wrapped["value"] for key, wrapped in data.items()}
    return {key: [_inner(row) for row in value] if isinstance(value, list) else value for key, value in values.items()}


def _inner(row: Any) -> Any:
    return _bare(row) if isinstance(row, dict) else row


def _holds(record: Record, condition: dict[str, Any]) -> bool:
    value, given = record.get(condition["field"]), condition["value"]
    match condition["method"]:
        case "range":
            return value is not None and given[0] <= value <= given[1]
        case "eq":
            return value in given
    raise Refusal(17018, "不支持的筛选方式")
