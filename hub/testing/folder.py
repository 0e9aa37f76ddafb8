"""A connector's folder as the suite sees it: manifest, class, cases and what its author tells the suite."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol

import msgspec

from hub.core.connector import Context, Delivery
from hub.core.errors import Misconfigured
from hub.core.manifest import Manifest, read_manifest

Covers = Literal["body", "time", "query"]


class Genuine(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as the vendor signs it, for the suite to forge, alter, age and replay.

    `signature` is where the signature stands (`header:X-…`, `query:…`; empty where it stands in the body), `covers` what it
    covers, `at` the time it was sent (`received_at` by default), `settings` those of its connection. `challenge` where it
    only registers an address and holds nothing to keep.
    """

    delivery: Delivery
    signature: str = ""
    covers: frozenset[Covers] = frozenset({"body", "time"})
    settings: Mapping[str, object] = {}
    at: datetime | None = None
    challenge: bool = False

    @property
    def now(self) -> datetime:
        return self.at or self.delivery.received_at


class World(Protocol):
    """The vendor, simulated, for the checks that need one. Only `context` is a must; what is missing is asked for by name."""

    def context(self) -> Context:
        """A fresh context of a connection to the simulated vendor."""
        ...


class Folder:
    """One connector's folder. Its code is imported when `build` is first called."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.name = self.path.name

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.path / "manifest.toml")

    @property
    def modules(self) -> list[Path]:
        """The modules that ship: tests, fixtures and the simulator are not among them."""
        return [
            path
            for path in sorted(self.path.rglob("*.py"))
            if not {"tests", "fixtures"} & set(path.relative_to(self.path).parts) and not path.stem.startswith("simulator")
        ]

    @property
    def connector_class(self) -> type:
        module, _, name = self.manifest.entry.partition(":")
        try:
            found = getattr(importlib.import_module(f"{self._package()}.{module}"), name)
        except (ImportError, AttributeError, SyntaxError) as error:
            raise Misconfigured(
                happened=f"{module}.py has no class {name} that can be imported: {error}",
                next=f"write class {name} in {module}.py, built with a Context",
                folder=self.name,
            ) from error
        assert isinstance(found, type)
        return found

    def build(self, context: Context) -> Any:
        return self.connector_class(context)

    def hook(self, name: str) -> Callable[..., Any] | None:
        """A function of the folder's `tests/certify.py`, if it has one."""
        module = self._hooks()
        found = getattr(module, name, None) if module else None
        return found if callable(found) else None

    def settings(self) -> dict[str, Any]:
        hook = self.hook("settings")
        return dict(hook()) if hook else {}

    def deliveries(self) -> list[Genuine]:
        hook = self.hook("deliveries")
        return list(hook()) if hook else []

    def world(self) -> AbstractContextManager[Any] | None:
        hook = self.hook("world")
        return hook() if hook else None

    def _hooks(self) -> ModuleType | None:
        path = self.path / "tests" / "certify.py"
        return _load(f"certify_{self.name}", path) if path.exists() else None

    def _package(self) -> str:
        """The package's import name; a folder outside of `connectors` is imported from where it lies."""
        house = importlib.import_module("connectors")
        if self.path.parent in (Path(entry).resolve() for entry in house.__path__):
            return f"connectors.{self.name}"
        if self.name not in sys.modules:
            start = self.path / "__init__.py"
            if not start.exists():
                raise Misconfigured(
                    happened="the folder is no package", next="add __init__.py with a docstring", folder=self.name
                )
            _load(self.name, start, inside=self.path)
        return self.name


def _load(name: str, path: Path, *, inside: Path | None = None) -> ModuleType:
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=[str(inside)] if inside else None)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
