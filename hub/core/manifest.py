"""A connector's `manifest.toml`: what it is, what it can do, what it needs. Read, never imported, to list what exists."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from hub.core.errors import Misconfigured

Ability = Literal["normalises", "pulls", "receives", "reads_files", "writes", "reports_stock", "probes"]


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of the connection's form. `choices` makes it a selection; a `secret` is sealed and never shown again."""

    about: str
    about_zh: str = ""
    example: str = ""
    secret: bool = False
    required: bool = True
    default: str | int | bool | None = None
    type: Literal["text", "integer", "boolean", "choice", "list", "table"] = "text"
    choices: tuple[str, ...] = ()
    is_host: bool = False
    """This setting is the address that the connection's secrets are bound to."""


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing the connector can write. `idempotent`: the vendor itself makes a repeat with the same key harmless."""

    about: str
    about_zh: str = ""
    idempotent: bool = False
    fields: Mapping[str, str] = {}


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most `calls` in `seconds`, as the vendor documents it."""

    calls: int
    seconds: float


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `manifest.toml` holds. `name` is the folder's name, `kind` the part before its first underscore."""

    name: str
    kind: Literal["bank", "wallet", "erp", "sign", "crm", "chat", "mail", "sms", "file", "http"]
    title: str
    title_zh: str
    summary: str
    summary_zh: str
    vendor_api: str
    does: tuple[Ability, ...]
    owners: tuple[str, ...]
    streams: tuple[str, ...] = ()
    emits: tuple[str, ...] = ()
    settings: Mapping[str, Setting] = {}
    writes: Mapping[str, Written] = {}
    limits: tuple[Limit, ...] = ()
    poll_every: float = 60.0
    """Seconds between two pulls of a stream."""
    entry: str = "connector:Connector"
    """Module and class, relative to the folder's package."""


def read_manifest(path: Path) -> Manifest:
    """The manifest at `path`; raises `Misconfigured` with the field that is wrong."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        manifest = msgspec.convert(values, Manifest)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Misconfigured(
            happened=f"the manifest cannot be read: {error}",
            next="correct the named field",
            file=path.name,
            folder=path.parent.name,
        ) from error
    if manifest.name != path.parent.name or manifest.kind != manifest.name.partition("_")[0]:
        raise Misconfigured(
            happened="name, kind and folder do not agree",
            next="name the folder <kind>_<vendor> and repeat it in the manifest",
            folder=path.parent.name,
            name=manifest.name,
        )
    return manifest
