"""A fact as the plain record that a flow's rules read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from hub.core.event import Event


def plain(value: Any) -> Any:
    """Structs as records with all their fields, tuples as lists, floats as the decimals they are written as."""
    match value:
        case msgspec.Struct():
            return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        case dict():
            return {name: plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case float():
            # Probabilities and weights: a condition compares them as they are written, 0.95 as 0.95.
            return Decimal(repr(value))
        case _:
            return value


def envelope(event: Event) -> dict[str, Any]:
    """The event's own attributes, beside its data."""
    return {
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "time": event.time,
        "tenant": event.tenant,
        "source": event.source,
    }


ENVELOPE = ("id", "type", "subject", "time", "tenant", "source")
