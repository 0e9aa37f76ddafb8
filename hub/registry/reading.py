"""Bank files without a configured connection: every connector that reads them, with the settings that it has by default."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from hub.core.clock import SystemClock
from hub.core.connector import Answer, Connector, Context, ReadsFiles
from hub.core.errors import EgressRefused
from hub.core.manifest import Manifest
from hub.registry.finding import Found, find_connectors

_KINDS = ("bank", "wallet")


class ReadsBankFiles(Connector, ReadsFiles, Protocol):
    """A connector that reads bank files and says what is in them."""


class BankReader(msgspec.Struct, frozen=True, kw_only=True):
    """A connector for bank files, ready to read one."""

    manifest: Manifest
    connector: ReadsBankFiles


def bank_readers(settings: Mapping[str, object] | None = None) -> list[BankReader]:
    """A reader of each connector that reads bank files, by name. `settings` are handed to those that know them."""
    found = [one for _, one in sorted(find_connectors().items()) if _reads(one.manifest)]
    return [BankReader(manifest=one.manifest, connector=_built(one, settings or {})) for one in found]


def _reads(manifest: Manifest) -> bool:
    needs = [name for name, setting in manifest.settings.items() if setting.required and setting.default is None]
    return manifest.kind in _KINDS and "reads_files" in manifest.does and not needs


def _built(found: Found, settings: Mapping[str, object]) -> Any:
    manifest = found.manifest
    module, _, name = manifest.entry.partition(":")
    defaults = {key: setting.default for key, setting in manifest.settings.items() if setting.default is not None}
    known = {key: value for key, value in settings.items() if key in manifest.settings}
    context = Context(tenant="", connection=manifest.name, settings=defaults | known, http=_NoHttp(), clock=SystemClock())
    return getattr(importlib.import_module(f"{found.package}.{module}"), name)(context)


class _NoHttp:
    """A file is read without asking anybody."""

    def request(self, method: str, url: str, **_: Any) -> Answer:
        raise EgressRefused(happened="a file is read without calling anybody", next="tell the connector's owner", url=url)
