"""What is known of a configured connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hub.core.connector import Connector
from hub.core.manifest import Manifest


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One configured account. `secrets` names the settings that are set and sealed; their values never leave the registry."""

    tenant: str
    id: str
    connector: str
    title: str
    settings: Mapping[str, Any]
    secrets: tuple[str, ...]
    allow: tuple[str, ...] = ()
    field_map: str | None = None
    paused: bool = False
    state: str = "new"
    state_reason: Mapping[str, Any] | None = None
    version: int = 1


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A connection with its connector built."""

    connection: Connection
    manifest: Manifest
    connector: Connector


def connection_of(row: Any) -> Connection:
    """The connection in a row of its table."""
    return Connection(
        tenant=row["tenant"],
        id=row["id"],
        connector=row["connector"],
        title=row["title"],
        settings=row["settings"],
        secrets=tuple(sorted(row["sealed"])),
        allow=tuple(row["allow"]),
        field_map=row["field_map"],
        paused=row["paused"],
        state=row["state"],
        state_reason=row["state_reason"],
        version=row["version"],
    )
