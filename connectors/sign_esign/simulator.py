"""e签宝 v3 on loopback: checks signatures as documented, keeps templates, files and flows, and sends signed callbacks.

Requests: 请求签名鉴权方式说明. Callbacks: 签署回调通知接收说明, with the long retry ladder, its waits divided by `hurry`.
Standard library only; written from the documents, not from the client.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .simulator_callbacks import Callbacks
from .simulator_server import Server

_CLOSED = {2: "已完成", 3: "已撤销", 5: "已过期", 7: "已拒签"}


class Simulator:
    """The vendor. `sign`, `refuse`, `expire` and `open` play the people; `flows`, `files` and `calls` are what it was asked."""

    def __init__(
        self,
        *,
        app_id: str = "7438900001",
        app_secret: str = "app-secret",  # noqa: S107 - a simulator's own
        port: int = 0,
        hurry: float = 1000.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.app_id, self.app_secret = app_id, app_secret
        self._now = now
        self._server = Server(self.answer, port)
        self._lock = threading.RLock()
        self.templates: dict[str, dict[str, bool]] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.flows: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.files_ready_after = 0
        self._failures: list[tuple[int, dict[str, str]]] = []
        self._count = 0
        self.callbacks = Callbacks(app_id, app_secret, hurry=hurry, now=now)

    # --- its life ---

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self.callbacks.stop()
        self._server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def go_down(self) -> None:
        """Nothing listens any more."""
        self._server.stop()

    def come_back(self) -> None:
        self._server.start()

    def fail_next(self, *, status: int = 500, times: int = 1, headers: dict[str, str] | None = None) -> None:
        """Answer the next calls with this status; 0 hangs up without an answer, after doing what was asked."""
        self._failures += [(status, headers or {})] * times

    def stop_failing(self) -> None:
        self._failures.clear()

    # --- the people ---

    def add_template(self, template: str, components: dict[str, bool]) -> None:
        """A template whose components are `key: required`."""
        self.templates[template] = components

    def open(self, flow: str, party: str) -> None:
        """A signer opens the contract."""
        self._tell_of(flow, party, "OPERATOR_READ", {})

    def sign(self, flow: str, party: str) -> None:
        """A signer signs; when all have, the flow ends if it was made with autoFinish."""
        with self._lock:
            self._running(flow)["signed"].add(party)
            self._tell_of(flow, party, "SIGN_MISSON_COMPLETE", {"signResult": 2, "resultDescription": "签署完成"})
            if self.flows[flow]["signed"] == set(self.parties(flow)) and self._config(flow).get("autoFinish"):
                self._end(flow, 2)

    def refuse(self, flow: str, party: str, reason: str = "不同意") -> None:
        """A signer refuses, which ends the flow."""
        with self._lock:
            self._running(flow)
            self._tell_of(flow, party, "SIGN_MISSON_COMPLETE", {"signResult": 4, "resultDescription": reason})
            self._end(flow, 7)

    def expire(self, flow: str) -> None:
        """The day is over that the flow could be signed until."""
        with self._lock:
            self._running(flow)
            self._end(flow, 5)

    def parties(self, flow: str) -> list[str]:
        """The roles, as the customBizNum of each signer's field names them."""
        return [signer["signFields"][0]["customBizNum"].rpartition("#")[2] for signer in self.flows[flow]["body"]["signers"]]

    # --- flows ---

    def _config(self, flow: str) -> dict[str, Any]:
        config: dict[str, Any] = self.flows[flow]["body"]["signFlowConfig"]
        return config

    def _running(self, flow: str) -> dict[str, Any]:
        if self.flows[flow]["status"] != 1:
            raise ValueError(f"flow {flow} is not being signed")
        return self.flows[flow]

    def _end(self, flow: str, status: int) -> None:
        made = self.flows[flow]
        made["status"] = status
        finished = self._millis()
        body = {
            "action": "SIGN_FLOW_COMPLETE",
            "timestamp": finished,
            "signFlowId": flow,
            "signFlowTitle": self._config(flow)["signFlowTitle"],
            "signFlowStatus": str(status),
            "statusDescription": _CLOSED[status],
            "signFlowCreateTime": made["created"],
            "signFlowStartTime": made["created"],
            "signFlowFinishTime": finished,
        }
        self.callbacks.tell(self._config(flow).get("notifyUrl"), body)

    def _tell_of(self, flow: str, party: str, action: str, more: dict[str, Any]) -> None:
        signers = self.flows[flow]["body"]["signers"]
        order = self.parties(flow).index(party)
        account = (signers[order].get("psnSignerInfo") or signers[order]["orgSignerInfo"]["transactorInfo"])["psnAccount"]
        now = self._millis()
        body: dict[str, Any] = {
            "action": action,
            "timestamp": now,
            "signFlowId": flow,
            "customBizNum": signers[order]["signFields"][0]["customBizNum"],
            "signOrder": order + 1,
            "operateTime": now,
            "operator": {"psnId": f"psn-{flow}-{order + 1}", "psnAccount": {"accountMobile": account, "accountEmail": ""}},
            **more,
        }
        if "orgSignerInfo" in signers[order]:
            body["organization"] = {"orgId": f"org-{order + 1}", "orgName": signers[order]["orgSignerInfo"]["orgName"]}
        self.callbacks.tell(self._config(flow).get("notifyUrl"), body)

    def _millis(self) -> int:
        return int(self._now() * 1000)

    def _next(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count:08d}"

    # --- the API ---

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, dict[str, str]]:
        """What the vendor answers: status, envelope, headers."""
        with self._lock:
            split = urlsplit(target)
            self.calls.append((method, split.path))
            if split.path.startswith("/storage/"):
                return 200, b"%PDF-1.7 " + split.path.rpartition("/")[2].encode(), {"Content-Type": "application/pdf"}
            refused = self._refused(method, split.path, split.query, headers, body)
            if refused:
                return 401, {"success": False, "code": 401, "message": refused}, {}
            if self._failures and self._failures[0][0] != 0:
                status, more = self._failures.pop(0)
                return status, {"code": status, "message": "失败"}, more
            try:
                code, data = self._do(method, split.path, json.loads(body) if body else {})
            except (KeyError, IndexError, TypeError, ValueError) as error:
                code, data = 1435002, f"参数错误: {error}"
            lost = bool(self._failures) and self._failures.pop(0)[0] == 0
            envelope = (
                {"code": 0, "message": "成功", "data": data} if code == 0 else {"code": code, "message": data, "data": None}
            )
            return (0 if lost else 200), envelope, {}

    def _refused(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> str:
        if headers.get("x-tsign-open-auth-mode") != "Signature":
            return "TOKEN_CANT_BE_NULL"
        if headers.get("x-tsign-open-app-id") != self.app_id:
            return "应用不存在"
        stamp = headers.get("x-tsign-open-ca-timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) / 1000 - self._now()) > 900:
            return "INVALID_TIMESTAMP"
        md5 = headers.get("content-md5", "")
        if body and md5 != base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode():
            return "INVALID_CONTENT_MD5"
        pairs = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(query, keep_blank_values=True)))
        lines = [method, headers.get("accept", ""), md5, headers.get("content-type", ""), headers.get("date", "")]
        message = "\n".join([*lines, f"{path}?{pairs}" if pairs else path])
        expected = base64.b64encode(hmac.digest(self.app_secret.encode(), message.encode(), "sha256")).decode()
        return "" if hmac.compare_digest(expected, headers.get("x-tsign-open-ca-signature", "")) else "INVALID_SIGNATURE"

    def _do(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        parts = path.strip("/").split("/")
        match (method, parts[1:]):
            case "GET", ["doc-templates", template] if template in self.templates:
                components = [{"componentId": f"c-{key}", "componentKey": key} for key in self.templates[template]]
                return 0, {"docTemplateId": template, "components": components}
            case "POST", ["files", "create-by-doc-template"]:
                return self._fill(body)
            case "GET", ["files", file] if file in self.files:
                self.files[file]["asked"] += 1
                ready = self.files[file]["asked"] > self.files_ready_after
                return 0, {"fileId": file, "fileStatus": 5 if ready else 1}
            case "POST", ["sign-flow", "create-by-file"]:
                return self._create(body)
            case _, ["sign-flow", flow, what] if flow in self.flows:
                return self._of_flow(method, flow, what, body)
        return 1435203, "资源不存在"

    def _fill(self, body: dict[str, Any]) -> tuple[int, Any]:
        components = self.templates.get(body["docTemplateId"])
        if components is None:
            return 1435203, "模板不存在"
        if len(body["fileName"]) > 100 or set(body["fileName"]) & set('/\\:*"<>|?'):
            return 1435002, "文件名不合法"
        given = {component["componentKey"]: component["componentValue"] for component in body["components"]}
        missing = [key for key, required in components.items() if required and not given.get(key)]
        if body.get("requiredCheck") and missing:
            return 1435002, f"必填控件未填写: {missing[0]}"
        file = self._next("file")
        self.files[file] = {"values": given, "name": body["fileName"], "asked": 0}
        return 0, {"fileId": file, "fileDownloadUrl": f"{self.url}/storage/{file}"}

    def _create(self, body: dict[str, Any]) -> tuple[int, Any]:
        for doc in body["docs"]:
            if self.files[doc["fileId"]]["asked"] <= self.files_ready_after:
                return 1437513, "文件未就绪"
        if not 1 <= len(body["signers"]) <= 10 or not body["signFlowConfig"]["signFlowTitle"]:
            return 1435002, "签署方数量不合法"
        if body["signFlowConfig"].get("signFlowExpireTime", 0) > self._millis() + 90 * 86_400_000 + 60_000:
            return 1435002, "签署截止时间超过90天"
        flow = self._next("flow")
        started = body["signFlowConfig"].get("autoStart", True)
        self.flows[flow] = {"body": body, "status": 1 if started else 0, "signed": set(), "created": self._millis()}
        return 0, {"signFlowId": flow}

    def _of_flow(self, method: str, flow: str, what: str, body: dict[str, Any]) -> tuple[int, Any]:
        made = self.flows[flow]
        match method, what:
            case "GET", "detail":
                signers = [
                    {"signOrder": order, "signStatus": 2 if party in made["signed"] else 1}
                    for order, party in enumerate(self.parties(flow), start=1)
                ]
                title = self._config(flow)["signFlowTitle"]
                return 0, {"signFlowStatus": made["status"], "signFlowTitle": title, "rescissionStatus": None, "signers": signers}
            case "GET", "status":
                return 0, {"signFlowStatus": made["status"], "rescissionStatus": None}
            case "POST", "revoke" if made["status"] == 1:
                made["reason"] = body.get("revokeReason")
                self._end(flow, 3)
                return 0, None
            case "POST", "sign-url":
                return 0, {"url": f"{self.url}/sign/{flow}", "shortUrl": f"{self.url}/s/{flow}"}
            case _, "file-download-url" if made["status"] == 2:
                files = [{**doc, "downloadUrl": f"{self.url}/storage/{doc['fileId']}"} for doc in made["body"]["docs"]]
                return 0, {"files": files, "attachments": []}
        return (1437518, "流程未完成") if what == "file-download-url" else (1437001, "流程状态不允许该操作")
