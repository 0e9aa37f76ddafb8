"""Which queue wants which event: topic patterns, and the slot of a partition key.

An event travels under `<type>.<slot>`, for example `receipt.received.s07`. There are always 16 slots; shard *n* of *N*
binds the slots whose number leaves *n* when divided by *N*. So one topic exchange serves queues cut into different
numbers of shards, and the broker needs no plug-in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from zlib import crc32

from hub.core.errors import Invalid

SLOTS = 16
_SLOT_NAMES = tuple(f".s{number:02d}" for number in range(SLOTS))


def routing_key(type: str, tenant: str, key: str) -> str:
    """The words that an event travels under; the slot depends on tenant and partition key alone, in every process."""
    return type + _SLOT_NAMES[crc32(f"{tenant}\0{key}".encode()) % SLOTS]


def homes(queue: str, shards: int) -> list[str]:
    """The names of a queue's parts."""
    if not 1 <= shards <= SLOTS:
        raise Invalid(happened=f"a queue cannot have {shards} shards", next=f"give a number from 1 to {SLOTS}", queue=queue)
    return [queue] if shards == 1 else [f"{queue}.{number}" for number in range(shards)]


def bindings(patterns: Iterable[str], shard: int, shards: int) -> list[str]:
    """The binding keys of one part of a queue."""
    slots = ["*"] if shards == 1 else [_SLOT_NAMES[slot][1:] for slot in range(shard, SLOTS, shards)]
    return [f"{pattern}.{slot}" for pattern in patterns for slot in slots]


def every_binding(patterns: Iterable[str]) -> list[str]:
    """The binding keys that a part could have with any number of shards."""
    return [f"{pattern}.{slot}" for pattern in patterns for slot in ("*", *(name[1:] for name in _SLOT_NAMES))]


def strangers(patterns: Sequence[str], shard: int, shards: int) -> list[str]:
    """The binding keys that this part may have had with another number of shards, and must not keep.

    A queue in one part has a name of its own (`homes`), and with it always had the same binding.
    """
    own = set(bindings(patterns, shard, shards))
    return [] if shards == 1 else [binding for binding in every_binding(patterns) if binding not in own]


def as_patterns(pattern: str | Sequence[str]) -> tuple[str, ...]:
    """The patterns as a tuple; raises `Invalid` for one that is not a topic pattern."""
    patterns = (pattern,) if isinstance(pattern, str) else tuple(pattern)
    for one in patterns:
        if not one or any(not word or (("*" in word or "#" in word) and len(word) > 1) for word in one.split(".")):
            raise Invalid(happened=f"{one!r} is not a topic pattern", next="write words, * or # between dots, such as receipt.*")
    if not patterns:
        raise Invalid(happened="a subscription has no pattern", next="name the types it wants, or # for all")
    return patterns


@lru_cache(maxsize=4096)
def matches(pattern: str, words: str) -> bool:
    """Whether a topic pattern covers a routing key, as AMQP 0-9-1 (section 3.1.3.3) defines it."""
    return _covers(tuple(pattern.split(".")), tuple(words.split(".")))


def _covers(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_covers(pattern[1:], words[skipped:]) for skipped in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _covers(pattern[1:], words[1:])
