"""Bank files without a configured connection: every connector that reads them, with the settings that it has by default."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from hub.core.clock import SystemClock
from hub.core.connector import Answer, Connector, Context, ReadsFiles
from hub.core.errors import EgressRefused, NotFound, Unreadable
from hub.core.event import Raw
from hub.core.manifest import Manifest
from hub.registry.finding import Found, find_connectors

_HEAD = 64 * 1024
_KIND = "bank"


class ReadsBankFiles(Connector, ReadsFiles, Protocol):
    """A connector that reads bank files and says what is in them."""


class BankReader(msgspec.Struct, frozen=True, kw_only=True):
    """A connector for bank files, ready to read one."""

    manifest: Manifest
    connector: ReadsBankFiles

    def raws(self, name: str, body: bytes) -> Iterator[Raw]:
        """The raws of a file, as belonging to a connection with the connector's own name. Raises `Unreadable`."""
        for raw in self.connector.read(name, body):
            yield msgspec.structs.replace(raw, tenant="", connection=self.manifest.name)


def bank_readers(settings: Mapping[str, object] | None = None) -> list[BankReader]:
    """A reader of each connector that reads bank files, by name. `settings` are handed to those that know them."""
    found = [one for _, one in sorted(find_connectors().items()) if _reads(one.manifest)]
    return [BankReader(manifest=one.manifest, connector=_built(one, settings or {})) for one in found]


def bank_reader(name: str, body: bytes, among: Sequence[BankReader], *, format: str | None = None) -> BankReader:
    """The reader of this file: the first that recognises it, or the one of that name. Raises `Unreadable`, `NotFound`."""
    if format is not None:
        chosen = next((one for one in among if one.manifest.name == format), None)
        if chosen is None:
            names = ", ".join(one.manifest.name for one in among)
            raise NotFound(happened="there is no such format", next=f"choose one of {names}", format=format)
        return chosen
    for one in among:
        if one.connector.recognises(name, body[:_HEAD]):
            return one
    raise Unreadable(
        happened="no connector recognises this file as a bank's",
        next="check that it is the bank's own export, unchanged; these are read: "
        + "; ".join(f"{one.manifest.title} ({one.manifest.name})" for one in among),
        rule="recognise",
        file=name,
    )


def _reads(manifest: Manifest) -> bool:
    needs = [name for name, setting in manifest.settings.items() if setting.required and setting.default is None]
    return manifest.kind == _KIND and "reads_files" in manifest.does and not needs


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
