"""Where a value stands in a delivery, and how the signed message is put together from such values.

A place is written `kind:name`:

- `header:X-Signature`: a header, whatever its case; sent twice it is refused;
- `query:nonce`: a query parameter, decoded once;
- `body:/event/event_time`: a JSON pointer (RFC 6901) into the body, or into one form field of it (`json_in`);
- `pair:t`: an element of a signature header written `t=…,v1=…`;
- `text:…`: a constant of the connection, such as a client id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import msgspec

from hub.core.connector import Delivery
from hub.core.errors import Malformed

KINDS = ("header", "query", "body", "pair", "text")
_PART = re.compile(r"\{([a-z_]+)\}")
_BOUNDARY = re.compile(r'boundary="?([0-9A-Za-z\'()+_,./:=? -]{1,70})"?', re.IGNORECASE)
_FIELD = re.compile(rb'[;\s]name="([^"]*)"', re.IGNORECASE)
_HUBSPOT_DECODES = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def twice(what: str) -> Malformed:
    """The refusal of a value that security rests on and that came more than once."""
    return Malformed(happened=f"{what} came twice", next="ask the sender, or the proxy in between, to send it once")


@lru_cache(maxsize=512)
def split_place(place: str) -> tuple[str, str]:
    """A place's kind and name; `ValueError` where it is not written as a place."""
    kind, colon, name = place.partition(":")
    if not colon or kind not in KINDS or not name:
        raise ValueError(f"{place!r} is not a place; write one of {', '.join(KINDS)}, a colon and a name")
    return kind, name.lower() if kind == "header" else name


@lru_cache(maxsize=512)
def split_message(template: str) -> tuple[tuple[bool, str], ...]:
    """The template as (is a part, name or literal text) in order."""
    pieces = _PART.split(template)
    return tuple((index % 2 == 1, text) for index, text in enumerate(pieces) if text)


def only_header(delivery: Delivery, name: str) -> str | None:
    """The header's value; `Malformed` where it came twice. `name` is in lower case."""
    found: str | None = None
    for header, value in delivery.headers:
        if header == name:
            if found is not None:
                raise twice(f"the header {name}")
            found = value
    return found


def only_parameter(delivery: Delivery, name: str) -> str | None:
    values = [value for parameter, value in delivery.query if parameter == name]
    if len(values) > 1:
        raise twice(f"the query parameter {name}")
    return values[0] if values else None


def form_field(delivery: Delivery, name: str) -> bytes | None:
    """One field of a form body, url-encoded or multipart, exactly as decoded; `Malformed` where it came twice."""
    content_type = only_header(delivery, "content-type") or ""
    if "multipart/form-data" in content_type.lower():
        values = _multipart_fields(delivery.body, content_type, name.encode())
    else:
        values = _urlencoded_fields(delivery.body, name)
    if len(values) > 1:
        raise twice(f"the form field {name}")
    return values[0] if values else None


def _urlencoded_fields(body: bytes, name: str) -> list[bytes]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as error:
        raise Malformed(happened="the form cannot be read", next="ask the sender for a url-encoded form in UTF-8") from error
    return [value.encode() for field, value in pairs if field == name]


def _multipart_fields(body: bytes, content_type: str, name: bytes) -> list[bytes]:
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return []
    values = []
    for part in body.split(b"--" + boundary[1].rstrip().encode()):
        head, blank, content = part.partition(b"\r\n\r\n")
        field = _FIELD.search(head)
        if blank and field is not None and field[1] == name:
            values.append(content.removesuffix(b"\r\n"))
    return values


class Sources:
    """The values of one delivery, looked up by place."""

    __slots__ = ("_document", "_headers", "_json_in", "delivery", "pairs")

    def __init__(self, delivery: Delivery, json_in: str = "") -> None:
        self.delivery = delivery
        self.pairs: Mapping[str, str] = {}
        self._headers = dict(delivery.headers)
        self._json_in = json_in
        self._document: Any = msgspec.UNSET

    def value(self, place: str) -> str | None:
        """The value at `place`, or `None` where there is none."""
        kind, name = split_place(place)
        if kind == "header":
            # Where no name occurs twice, as nearly always, the dictionary is as good as a look at all of them.
            alone = len(self._headers) == len(self.delivery.headers)
            return self._headers.get(name) if alone else only_header(self.delivery, name)
        if kind == "query":
            return only_parameter(self.delivery, name)
        if kind == "body":
            return self._at(name)
        return self.pairs.get(name) if kind == "pair" else name

    def bytes_of(self, place: str) -> bytes | None:
        """The value as the bytes that were sent: headers are ISO 8859-1 on the wire, everything else UTF-8."""
        value = self.value(place)
        if value is None:
            return None
        return wire_bytes(value) if split_place(place)[0] in ("header", "pair") else value.encode("utf-8", "surrogatepass")

    def _at(self, pointer: str) -> str | None:
        if self._document is msgspec.UNSET:
            self._document = self._decoded()
        found = self._document
        for step in pointer.split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, bool) or not isinstance(found, str | int):
            return None
        return str(found)

    def _decoded(self) -> Any:
        text = form_field(self.delivery, self._json_in) if self._json_in else self.delivery.body
        try:
            return msgspec.json.decode(text or b"null")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(happened="the body is not JSON", next="ask the sender for JSON in UTF-8") from error


def wire_bytes(text: str) -> bytes:
    """A header's value as it was on the wire."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


# --- parts of a message that are more than one value -------------------------------------------------------------


def _query_string(delivery: Delivery) -> str:
    return delivery.query_string or urlencode(delivery.query)


def _url(delivery: Delivery) -> bytes:
    """The public address with its query as it was sent."""
    query = _query_string(delivery)
    return (f"{delivery.url}?{query}" if query else delivery.url).encode("utf-8", "surrogatepass")


def _hubspot_url(delivery: Delivery) -> bytes:
    """The public address with the documented list of percent-encoded characters decoded, exactly once (HubSpot v3)."""
    return _HUBSPOT_DECODES.sub(lambda found: unquote(found[0]), _url(delivery).decode("utf-8", "surrogatepass")).encode(
        "utf-8", "surrogatepass"
    )


def query_values(delivery: Delivery, *, decoded: bool) -> bytes:
    """The values of the query's parameters, ordered by name, one after the other."""
    if decoded:
        pairs = list(delivery.query)
    else:
        split = (pair.partition("=") for pair in _query_string(delivery).split("&"))
        pairs = [(unquote(name), value) for name, _, value in split]
    return "".join(value for _, value in sorted(pairs, key=lambda pair: pair[0])).encode("utf-8", "surrogatepass")


WHOLE: Mapping[str, Callable[[Delivery], bytes]] = {
    "body": lambda delivery: delivery.body,
    "method": lambda delivery: wire_bytes(delivery.method),
    "url": _url,
    "hubspot_url": _hubspot_url,
    "query_values_sorted": lambda delivery: query_values(delivery, decoded=True),
}
