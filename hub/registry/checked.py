"""A connection's settings, checked against its connector's manifest; what is secret goes its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from hub.core.errors import Invalid, Misconfigured
from hub.core.manifest import Manifest, Setting


def bound_to(manifest: Manifest, tenant: str, connection: str, settings: Mapping[str, Any]) -> str:
    """What a secret is sealed for: this tenant, this connection and the hosts it calls."""
    hosts = sorted(
        _host(str(settings.get(name) or setting.default or "")) for name, setting in manifest.settings.items() if setting.is_host
    )
    return "/".join([tenant, connection, *hosts])


def divided(manifest: Manifest, settings: Mapping[str, Any], *, connection: str) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The plain settings, and the secret ones as lists (several values during a rotation)."""
    plain: dict[str, Any] = {}
    secret: dict[str, list[str]] = {}
    for name, value in settings.items():
        setting = manifest.settings.get(name)
        if setting is None:
            raise Invalid(
                happened=f"{manifest.name} has no setting {name!r}",
                next="use one of " + ", ".join(sorted(manifest.settings)),
                connection=connection,
            )
        if setting.secret:
            secret[name] = [str(one) for one in value] if isinstance(value, list) else [str(value)]
        else:
            plain[name] = _checked(name, setting, value, connection=connection)
    return plain, secret


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "text": str,
    "integer": int,
    "boolean": bool,
    "choice": str,
    "list": list,
    "table": dict,
}


def _checked(name: str, setting: Setting, value: Any, *, connection: str) -> Any:
    if not isinstance(value, _TYPES[setting.type]) or (setting.type == "integer" and isinstance(value, bool)):
        raise Invalid(
            happened=f"{name} is not a {setting.type}", next=f"give something like {setting.example!r}", connection=connection
        )
    if setting.choices and value not in setting.choices:
        raise Invalid(
            happened=f"{name} cannot be {value!r}", next="choose one of " + ", ".join(setting.choices), connection=connection
        )
    if setting.is_host and not _host(str(value)):
        raise Invalid(happened=f"{name} is not an address", next="give it with https:// in front", connection=connection)
    return value


def check_complete(manifest: Manifest, plain: Mapping[str, Any], sealed: Mapping[str, Any], *, connection: str) -> None:
    missing = [
        name
        for name, setting in manifest.settings.items()
        if setting.required and setting.default is None and name not in plain and name not in sealed
    ]
    if missing:
        raise Misconfigured(
            happened="settings are missing: " + ", ".join(missing),
            next="; ".join(f"{name}: {manifest.settings[name].about}" for name in missing),
            connection=connection,
        )


def _host(address: str) -> str:
    return (urlsplit(address).netloc or "").lower()
