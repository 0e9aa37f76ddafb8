"""e签宝 API v3: signed requests in, values out.

The signature is base64(HMAC-SHA256(AppSecret, six lines)): method, Accept, Content-MD5, Content-Type, Date (empty, as we
send none) and the path with its query, sorted and not percent-encoded. A body is serialised once; those bytes are hashed,
signed by their hash, and sent. Vendor pages: 请求签名鉴权方式说明, 签署流程.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from hub.sdk import Answer, Context, LoginRefused, OutcomeUnknown, RateLimited, VendorFault, VendorRefused

ACCEPT = "*/*"
JSON = "application/json; charset=UTF-8"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FILE_NOT_READY = 1437513
_READY = {"2", "5"}


class Answered(msgspec.Struct, frozen=True):
    """The envelope. `code` 0 is success; the gateway's own refusals have the same shape with HTTP 401."""

    code: int | str = -1
    message: str | None = None
    data: Any = None


class Component(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A place of a template that can be filled."""

    component_id: str = ""
    component_key: str = ""


class SignedFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file of a finished flow; the address is short-lived."""

    file_id: str = ""
    file_name: str = ""
    download_url: str = ""


def string_to_sign(method: str, content_md5: str, content_type: str, path: str, query: Sequence[tuple[str, str]] = ()) -> str:
    """The six lines; the Date line stays, empty."""
    pairs = "&".join(f"{name}={value}" for name, value in sorted(query))
    return "\n".join([method, ACCEPT, content_md5, content_type, "", f"{path}?{pairs}" if pairs else path])


def signature(secret: str, message: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), message.encode(), "sha256")).decode()


def content_md5(body: bytes) -> str:
    """Base64 of the raw MD5; empty without a body. The vendor's choice of hash, not ours."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode() if body else ""


_Lost = type[VendorFault] | type[OutcomeUnknown]
T = TypeVar("T")


class Client:
    """The calls that a contract's life needs. Every one of them raises the problems of `Writes`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        settings = context.settings
        self._host = str(settings["host"]).rstrip("/")
        self._app_id = str(settings["app_id"])
        self._secret = str(settings["app_secret"])
        self._type_of_reads = JSON if settings.get("sign_content_type_of_reads", True) else ""

    # --- templates and files ---

    def template(self, template: str) -> tuple[Component, ...]:
        """What can be filled in a template."""
        return self._convert(self._get(f"/v3/doc-templates/{template}"), "components", tuple[Component, ...])

    def fill(self, template: str, name: str, values: Mapping[str, object]) -> str:
        """A new file from the template: its id. Filling twice leaves an unused file and harms nothing, so a lost answer may be repeated."""
        components = [{"componentKey": key, "componentValue": str(value)} for key, value in values.items()]
        body = {"docTemplateId": template, "fileName": name, "components": components, "requiredCheck": True}
        data = self._call("POST", "/v3/files/create-by-doc-template", body, harmless=True)
        return self._convert(data, "fileId", str)

    def file_is_ready(self, file: str) -> bool:
        """Whether the file can be put into a flow: `fileStatus` 2 or 5."""
        return str(self._get(f"/v3/files/{file}").get("fileStatus")) in _READY

    # --- flows ---

    def create(self, body: Mapping[str, object]) -> str:
        """A flow from files, started: its id. The vendor has no idempotency key, so a lost answer is unknown."""
        return self._convert(self._call("POST", "/v3/sign-flow/create-by-file", body), "signFlowId", str, unknown=True)

    def revoke(self, flow: str, reason: str) -> None:
        self._call("POST", f"/v3/sign-flow/{flow}/revoke", {"revokeReason": reason})

    def detail(self, flow: str) -> dict[str, Any]:
        return self._get(f"/v3/sign-flow/{flow}/detail")

    def status(self, flow: str) -> dict[str, Any]:
        return self._get(f"/v3/sign-flow/{flow}/status")

    def signing_link(self, flow: str, account: str, organisation: str = "") -> str:
        """Where this person signs."""
        body: dict[str, object] = {"operator": {"psnAccount": account}, "needLogin": False}
        if organisation:
            body["organization"] = {"orgName": organisation}
        data = self._call("POST", f"/v3/sign-flow/{flow}/sign-url", body, harmless=True)
        return self._convert(data, "shortUrl" if data.get("shortUrl") else "url", str)

    def files(self, flow: str) -> tuple[SignedFile, ...]:
        """The signed files of a finished flow."""
        data = self._call("POST", f"/v3/sign-flow/{flow}/file-download-url", {"urlAvailableDate": 600}, harmless=True)
        return self._convert(data, "files", tuple[SignedFile, ...])

    def download(self, file: SignedFile) -> bytes:
        """The file's bytes. The address belongs to a storage host, so nothing of our login goes with the request."""
        answer = self._context.http.request("GET", file.download_url, sent_unless_answered=False)
        if answer.status != 200:
            raise VendorFault(
                happened=f"the file's address answers {answer.status}",
                next="ask for a new address",
                connection=self._context.connection,
            )
        return answer.body

    # --- the wire ---

    def _get(self, path: str) -> dict[str, Any]:
        return self._call("GET", path, None, harmless=True)

    def _call(self, method: str, path: str, body: Mapping[str, object] | None, *, harmless: bool = False) -> dict[str, Any]:
        content = msgspec.json.encode(body) if body is not None else b""
        kind = JSON if content else self._type_of_reads
        path = quote(path, safe="/-_.~")
        md5 = content_md5(content)
        headers = {
            "X-Tsign-Open-App-Id": self._app_id,
            "X-Tsign-Open-Auth-Mode": "Signature",
            "X-Tsign-Open-Ca-Timestamp": str((self._context.clock.now() - _EPOCH) // timedelta(milliseconds=1)),
            "X-Tsign-Open-Ca-Signature": signature(self._secret, string_to_sign(method, md5, kind, path)),
            "Accept": ACCEPT,
        }
        headers |= {name: value for name, value in (("Content-MD5", md5), ("Content-Type", kind)) if value}
        answer = self._context.http.request(
            method, self._host + path, headers=headers, content=content or None, sent_unless_answered=not harmless
        )
        return self._data(answer, path, VendorFault if harmless else OutcomeUnknown)

    def _data(self, answer: Answer, path: str, lost: _Lost) -> dict[str, Any]:
        """The envelope's `data`. What cannot be read is the vendor's fault for a read, and unknown for a write."""
        try:
            envelope = msgspec.json.decode(answer.body, type=Answered)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            envelope = None
        code = str(envelope.code) if envelope is not None else ""
        about: dict[str, object] = {
            "connection": self._context.connection,
            "path": path,
            "status": answer.status,
            "code": code or None,
        }
        if answer.status == 401 or code == "401":
            next_step = "check AppId, AppSecret, the clock and the list of allowed addresses in the vendor's console"
            raise LoginRefused(happened="e签宝 does not accept the request's signature", next=next_step, **about)
        if answer.status == 429:
            raise RateLimited(after=10, happened="e签宝 has had too many calls", next="the call is repeated by itself", **about)
        if answer.status >= 500 or envelope is None:
            raise lost(
                happened="e签宝 gave no answer that can be read",
                next="look at the flow in the vendor's console before repeating it",
                **about,
            )
        if code != "0":
            if code == str(_FILE_NOT_READY):
                raise VendorFault(happened="the file is not ready yet", next="the call is repeated by itself", **about)
            raise VendorRefused(
                happened=f"e签宝 says no: {(envelope.message or '')[:200]}", next="correct what it names", **about
            )
        return envelope.data if isinstance(envelope.data, dict) else {}

    def _convert(self, data: Mapping[str, Any], name: str, kind: type[T], *, unknown: bool = False) -> T:
        try:
            return msgspec.convert(data[name], kind)
        except (KeyError, msgspec.ValidationError) as error:
            lost = OutcomeUnknown if unknown else VendorFault
            raise lost(
                happened=f"e签宝's answer has no readable {name}", next="try later", connection=self._context.connection
            ) from error
