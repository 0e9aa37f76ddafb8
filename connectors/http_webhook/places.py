"""Where a value stands in a delivery, as a setting writes it: `header:X-Event`, `query:event`, `body:/event/id` (RFC 6901)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.sdk import Delivery, Malformed, Misconfigured

_KINDS = ("header", "query", "body")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place that was checked when the connection was opened."""

    kind: str
    name: str

    @classmethod
    def read(cls, setting: str, written: str) -> Place | None:
        """The place that a setting names, `None` where it is empty. Raises `Misconfigured`."""
        if not written:
            return None
        kind, colon, name = written.partition(":")
        if (
            not colon
            or kind not in _KINDS
            or (kind == "body" and name and not name.startswith("/"))
            or (kind != "body" and not name)
        ):
            raise Misconfigured(
                happened=f"{setting} does not name a place",
                next="write header:, query: or body: and a name or JSON pointer, e.g. body:/event/id",
                value=written[:100],
            )
        return cls(kind=kind, name=name)

    def text(self, delivery: Delivery) -> str:
        """The text or whole number that stands there, empty where there is none. Raises `Malformed` for a header sent twice."""
        if self.kind == "body":
            return scalar(at(delivery.body, self.name))
        if self.kind == "query":
            return delivery.parameter(self.name) or ""
        if delivery.occurs_twice(self.name):
            raise Malformed(
                happened=f"the header {self.name} came twice", next="ask the sender, or the proxy in between, to send it once"
            )
        return delivery.header(self.name) or ""


def at(document: bytes | msgspec.Raw, pointer: str) -> msgspec.Raw | None:
    """The JSON value at the pointer with its very bytes, so that no number changes on the way; `None` where there is none."""
    value = msgspec.Raw(document)
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        try:
            if bytes(value).lstrip().startswith(b"["):
                value = msgspec.json.decode(value, type=list[msgspec.Raw])[int(key)]
            else:
                value = msgspec.json.decode(value, type=dict[str, msgspec.Raw])[key]
        except (msgspec.DecodeError, KeyError, IndexError, ValueError):
            return None
    return value


def scalar(value: msgspec.Raw | None) -> str:
    """A text or a whole number as text; empty for anything else."""
    if value is None:
        return ""
    try:
        return str(msgspec.json.decode(value, type=str | int))
    except (msgspec.DecodeError, RecursionError):
        return ""


def items(value: msgspec.Raw | None) -> Sequence[msgspec.Raw] | None:
    """The elements of a JSON list with their very bytes; `None` where it is no list."""
    try:
        return None if value is None else msgspec.json.decode(value, type=list[msgspec.Raw])
    except msgspec.DecodeError:
        return None
