"""The e签宝 connection: takes its callbacks, creates and revokes contracts, asks how a flow stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hub.sdk import (
    STYLES,
    Accepted,
    Context,
    Delivery,
    Event,
    Ignored,
    Malformed,
    Raw,
    Reply,
    SignatureRefused,
    Unreadable,
    VendorFault,
    VendorRefused,
    Verified,
    digest,
)

from .client import Client, SignedFile
from .contract import file_name, flow, title_of, wanted
from .normalise import flattened
from .normalise import normalise as _normalise

_THANKS = Reply(body=b'{"code":"200","msg":"success"}', content_type="application/json; charset=utf-8")
_FILE_KEPT = 3600


class Connector:
    """`Receives`, `Writes` and `Probes` for one e签宝 application."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = Client(context)

    def normalise(self, raw: Raw) -> Iterable[Event | Ignored]:
        return _normalise(raw)

    # --- callbacks ---

    def receive(self, delivery: Delivery) -> Accepted:
        """Check the HMAC over time, query values and body. Whether the time is too old is a setting: retries span hours."""
        verified = self._verified(delivery)
        contract = delivery.parameter("contract") or ""
        headers = {"contract": contract} if contract else {}
        raw = Raw(stream="callback", key=_key(delivery.body, contract), body=delivery.body, headers=headers)
        return Accepted(raws=(raw,), reply=_THANKS, secret=verified.secret)

    def _verified(self, delivery: Delivery) -> Verified:
        settings = self._context.settings
        every = settings.get("app_secret_all")
        secrets = [str(secret) for secret in every] if isinstance(every, list | tuple) else [str(settings["app_secret"])]
        styles = ["esign", "esign-base64"] if settings.get("base64_callbacks") else ["esign"]
        refused: SignatureRefused | None = None
        for style in styles:
            verifier = msgspec.structs.replace(STYLES[style], tolerance=int(str(settings.get("callback_age") or 0)))
            try:
                return verifier.verify(delivery, secrets, self._context.clock.now())
            except SignatureRefused as problem:
                refused = refused or problem
        raise refused or SignatureRefused(happened="the callback is not signed", next="check the vendor's console")

    # --- what we ask for ---

    def write(self, what: str, fields: Mapping[str, object], *, idempotency_key: str) -> str:
        """Create or revoke. The vendor has no idempotency key; a create whose answer was lost is `OutcomeUnknown`."""
        if what == "contract.create":
            return self._create(fields, idempotency_key)
        if what == "contract.revoke":
            record = str(fields.get("record") or "")
            if not record:
                raise VendorRefused(happened="no flow is named", next="give the flow's id as record")
            self._client.revoke(record, str(fields.get("reason") or "撤销"))
            return record
        raise VendorRefused(happened=f"e签宝 has no {what}", next="use one of the writes in the manifest", what=what)

    def _create(self, fields: Mapping[str, object], once: str) -> str:
        context, want = self._context, wanted(fields)
        template = want.template or str(context.settings.get("template") or "")
        if not template:
            raise VendorRefused(happened="no template is named", next="set the connection's template", contract=want.contract)
        # Remembered, so that a repeat after "not ready yet" or a refused flow goes on with the file that is there.
        known = f"file:{digest(f'{once} {template} {fields!r}'.encode())}"
        file = context.recall(known)
        if file is None:
            file = self._client.fill(template, file_name(title_of(want)), want.values)
            context.remember(known, file, _FILE_KEPT)
        if not self._client.file_is_ready(file):
            raise VendorFault(
                happened="the filled file is not ready yet", next="the call is repeated by itself", contract=want.contract
            )
        body = flow(want, file, settings=context.settings, hook_url=context.hook_url, now=context.clock.now())
        return self._client.create(body)

    def refetch(self, record: str, *, contract: str) -> Raw:
        """How a flow stands now, as a raw: for contracts whose callbacks may have been missed. The vendor confirms no list of flows."""
        detail = self._client.detail(record)
        body = msgspec.json.encode({**detail, "signFlowId": record}, order="deterministic")
        return Raw(stream="flow", key=f"{record}:flow:{digest(body)[:16]}", body=body, headers={"contract": contract})

    def signed_files(self, record: str) -> tuple[tuple[SignedFile, bytes], ...]:
        """The signed files of a finished flow with their bytes."""
        return tuple((file, self._client.download(file)) for file in self._client.files(record))

    def signing_link(self, record: str, account: str, organisation: str = "") -> str:
        """Where the person with this account signs, for sending it by message."""
        return self._client.signing_link(record, account, organisation)

    def probe(self) -> None:
        """Read the template; without one ask for a flow that does not exist, which a good login is told and a bad one is not."""
        template = str(self._context.settings.get("template") or "")
        if template:
            self._client.template(template)
            return
        try:
            self._client.status("probe")
        except VendorRefused:
            return


def _key(body: bytes, contract: str) -> str:
    """The vendor's identity of what is told: retries and the console's second copy have the same one."""
    try:
        told = flattened(body)
    except Unreadable as error:
        raise Malformed(
            happened="the callback's body is not a JSON object", next="look at what stands between us and the vendor"
        ) from error
    operator = told.get("operator")
    person = operator.get("psnId") if isinstance(operator, dict) else None
    parts: list[Any] = [told.get(name) for name in ("signFlowId", "action", "timestamp", "signOrder")]
    key = ":".join(
        str(part)[:100] for part in (*parts, person, told.get("id") if told.get("action") is None else None) if part is not None
    )
    # The console's copy of a flow's callback carries no number of ours: it must not stand in for the copy that does.
    return key if contract or told.get("customBizNum") else f"{key}:unnumbered"
