"""Configuration as code: connections, maps, flows and policies in TOML files, applied and written out.

A secret is never in the file: it is named, as `{ env = "VARIABLE" }` or `{ file = "path" }`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hub.bootstrap import Hub
from hub.core.errors import Misconfigured, NotFound
from hub.parts.texts import check_text


class ConnectionText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A connection as it is written."""

    id: str
    connector: str
    title: str = ""
    settings: dict[str, Any] = {}
    allow: tuple[str, ...] = ()
    field_map: str | None = None
    paused: bool = False


class NamedText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A map, flow or policy: its text, or the file it is in (relative to this one)."""

    name: str
    text: str | None = None
    file: str | None = None


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one file holds."""

    connections: tuple[ConnectionText, ...] = ()
    maps: tuple[NamedText, ...] = ()
    flows: tuple[NamedText, ...] = ()
    policies: tuple[NamedText, ...] = ()


def read_configuration(path: Path) -> Configuration:
    """The configuration in a file; raises `Misconfigured`."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Configuration)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Misconfigured(
            happened=f"the file cannot be read: {error}", next="correct the named place", file=path.name
        ) from error


def apply_configuration(hub: Hub, path: Path, *, by: str = "apply") -> Iterator[str]:
    """Put a file in force and tell what was done. Everything is checked before anything is changed."""
    configuration = read_configuration(path)
    tenant = hub.settings.tenant
    texts = [
        (kind, named.name, _text(named, path))
        for kind, named_texts in (("map", configuration.maps), ("flow", configuration.flows), ("policy", configuration.policies))
        for named in named_texts
    ]
    for kind, name, text in texts:
        check_text(kind, name, text)  # type: ignore[arg-type]
    settings = [(one, _opened(one, path)) for one in configuration.connections]
    for one, _ in settings:
        hub.registry.found(one.connector)
    for kind, name, text in texts:
        saved = hub.definitions.save(tenant, kind, name, text, by=by)  # type: ignore[arg-type]
        yield f"{kind} {name} v{saved.version}"
    for one, values in settings:
        hub.registry.save(
            tenant, one.id, connector=one.connector, settings=values, title=one.title, allow=one.allow, field_map=one.field_map
        )
        hub.registry.pause(tenant, one.id, paused=one.paused)
        yield f"connection {one.id} ({one.connector})"


def export_configuration(hub: Hub) -> dict[str, Any]:
    """What is in force, in the form that `apply` reads. Secrets are named by the variable that will have to hold them."""
    tenant = hub.settings.tenant
    connections = []
    for one in hub.registry.connections(tenant):
        secrets = {name: {"env": f"{one.id}_{name}".upper().replace("-", "_")} for name in one.secrets}
        told: dict[str, Any] = {
            "id": one.id,
            "connector": one.connector,
            "title": one.title,
            "settings": dict(one.settings) | secrets,
        }
        if one.allow:
            told["allow"] = list(one.allow)
        if one.field_map:
            told["field_map"] = one.field_map
        if one.paused:
            told["paused"] = True
        connections.append(told)
    told = {"connections": connections}
    for plural, kind in (("maps", "map"), ("flows", "flow"), ("policies", "policy")):
        told[plural] = [{"name": one.name, "text": one.text} for one in hub.definitions.active(tenant, kind)]  # type: ignore[arg-type]
    return {name: values for name, values in told.items() if values}


def _text(named: NamedText, path: Path) -> str:
    if (named.text is None) == (named.file is None):
        raise Misconfigured(happened="give either text or file", next="remove one of them", name=named.name, file=path.name)
    if named.text is not None:
        return named.text
    file = path.parent / str(named.file)
    if not file.is_file():
        raise NotFound(happened="the file it names is not there", next="correct the path", name=named.name, file=file.name)
    return file.read_text(encoding="utf-8")


def _opened(one: ConnectionText, path: Path) -> dict[str, Any]:
    return {name: _value(name, value, one, path) for name, value in one.settings.items()}


def _value(name: str, value: Any, one: ConnectionText, path: Path) -> Any:
    """A setting's value; a secret is fetched from where it is said to be."""
    if not isinstance(value, Mapping) or set(value) not in ({"env"}, {"file"}):
        return value
    if "env" in value:
        found = os.environ.get(str(value["env"]))
        if found is None:
            raise Misconfigured(
                happened=f"the variable {value['env']} is not set", next="set it and apply again", connection=one.id, setting=name
            )
        return found
    file = path.parent / str(value["file"])
    if not file.is_file():
        raise Misconfigured(happened="the secret's file is not there", next="correct the path", connection=one.id, setting=name)
    return file.read_text(encoding="utf-8").strip()
