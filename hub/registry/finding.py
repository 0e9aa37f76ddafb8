"""Which connectors exist: found by their manifests, which are read and never imported for that."""

from __future__ import annotations

import importlib
from importlib import metadata
from pathlib import Path

import msgspec

from hub.core.manifest import Manifest, read_manifest

_ENTRY_POINTS = "hub.connectors"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A connector that exists: its manifest and the package its code is in."""

    manifest: Manifest
    package: str
    folder: Path


def find_connectors(folder: Path | None = None) -> dict[str, Found]:
    """All connectors: those of the package `connectors`, then those that other packages announce, by name."""
    package = importlib.import_module("connectors")
    root = folder or Path(str(package.__file__)).parent
    found = {
        path.parent.name: Found(manifest=read_manifest(path), package=f"connectors.{path.parent.name}", folder=path.parent)
        for path in sorted(root.glob("*/manifest.toml"))
    }
    for point in metadata.entry_points(group=_ENTRY_POINTS):
        module = importlib.import_module(point.value)
        path = Path(str(module.__file__)).parent / "manifest.toml"
        found.setdefault(path.parent.name, Found(manifest=read_manifest(path), package=point.value, folder=path.parent))
    return found
