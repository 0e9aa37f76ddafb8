"""Several events in one message: a broker's price is by the message, and a fact is small.

A bundle is a JSON array of events (CloudEvents 1.0.2, JSON event format, section 4 "JSON batch format"), all of one routing
key. Whoever is behind gets larger bundles; an event that is alone travels alone, at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from hub.bus.envelope import Envelope
from hub.bus.topics import routing_key
from hub.core.errors import Unreadable

MOST = 64
"""Events in a bundle. A batch is worked on as a whole, so more would only make it wait for its last."""
MOST_BYTES = 256 * 1024

_array = msgspec.json.Decoder(list[msgspec.Raw])


def bundled(events: Iterable[Envelope]) -> list[tuple[str, list[bytes]]]:
    """Routing keys and the events that travel under them together, to be published in this order.

    Events of one partition key stay in theirs, though their types may travel under different routing keys: an event never
    joins a bundle that leaves before one in which its key already is.
    """
    bundles: list[tuple[str, list[bytes]]] = []
    open_: dict[str, int] = {}
    sizes: list[int] = []
    last_of_key: dict[tuple[str, str], int] = {}
    for event in events:
        words, key = routing_key(event.type, event.tenant, event.key), (event.tenant, event.key)
        place = open_.get(words, -1)
        fits = place >= last_of_key.get(key, 0) and len(bundles[place][1]) < MOST and sizes[place] < MOST_BYTES
        if place < 0 or not fits:
            place = open_[words] = len(bundles)
            bundles.append((words, []))
            sizes.append(0)
        bundles[place][1].append(event.body)
        sizes[place] += len(event.body)
        last_of_key[key] = place
    return bundles


def joined(bodies: Sequence[bytes]) -> bytes:
    """One message's body; a single event is its own."""
    return bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"


def parted(body: bytes) -> Sequence[bytes]:
    """The events in a message's body; raises `Unreadable` where a bundle is broken."""
    if body[:1] != b"[":
        return (body,)
    try:
        return [bytes(one) for one in _array.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(
            happened=f"a bundle of events cannot be read: {type(error).__name__}",
            next="replay its events from the store",
            rule="event bundle",
        ) from error
