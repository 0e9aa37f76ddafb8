"""Which connectors exist: found by their manifests, which are read and never imported for that."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import msgspec

from hub.core.manifest import Manifest, Setting, read_manifest

_ENTRY_POINTS = "hub.connectors"


# What the hub itself can do for any connection that reads files: fetch them from the bank's server.
_FETCHED: Mapping[str, Setting] = {
    "sftp": Setting(
        about="Folder on an SFTP server that files are fetched from",
        about_zh="从 SFTP 服务器的这个目录取文件",
        example="sftp://yunfan@sftp.bank.example.com/out",
        required=False,
        is_host=True,
    ),
    "sftp_host_key": Setting(
        about="The server's own public key, as the bank tells it; no other server is talked to",
        about_zh="服务器公钥（由银行提供），只连接公钥一致的服务器",
        example="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample",
        required=False,
    ),
    "sftp_key": Setting(
        about="Our private key for the SFTP server, in OpenSSH or PEM form",
        about_zh="登录 SFTP 服务器的私钥（OpenSSH 或 PEM 格式）",
        required=False,
        secret=True,
    ),
    "sftp_password": Setting(
        about="The password for the SFTP server; with a key, what opens the key",
        about_zh="SFTP 登录密码；填写了私钥时为私钥口令",
        required=False,
        secret=True,
    ),
}


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
        path.parent.name: Found(manifest=_read(path), package=f"connectors.{path.parent.name}", folder=path.parent)
        for path in sorted(root.glob("*/manifest.toml"))
    }
    for point in metadata.entry_points(group=_ENTRY_POINTS):
        module = importlib.import_module(point.value)
        path = Path(str(module.__file__)).parent / "manifest.toml"
        found.setdefault(path.parent.name, Found(manifest=_read(path), package=point.value, folder=path.parent))
    return found


def _read(path: Path) -> Manifest:
    """The manifest, with the settings that the hub brings along for whoever reads files."""
    manifest = read_manifest(path)
    if "reads_files" not in manifest.does:
        return manifest
    return msgspec.structs.replace(manifest, settings={**manifest.settings, **_FETCHED})
