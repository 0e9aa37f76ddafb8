"""What can be seen without running the connector's code: manifest, owner, README; and whether the class fits the manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hub.core.connector import Connector, Probes, Pulls, ReadsFiles, Receives, ReportsStock, Writes
from hub.core.errors import Problem
from hub.core.manifest import Ability
from hub.core.vocabulary import VOCABULARY
from hub.testing.finding import Finding
from hub.testing.folder import Folder

HEADINGS = ("What you need", "Set up", "What arrives", "Limits", "When it breaks")
_HAN = re.compile("[\u4e00-\u9fff]")

_ABILITIES: Mapping[Ability, type] = {
    "normalises": Connector,
    "pulls": Pulls,
    "receives": Receives,
    "reads_files": ReadsFiles,
    "writes": Writes,
    "reports_stock": ReportsStock,
    "probes": Probes,
}


def valid(folder: Folder) -> Iterator[Finding]:
    try:
        manifest = folder.manifest
    except (Problem, OSError) as problem:
        yield Finding(rule="manifest_valid", says=str(problem), next="correct manifest.toml", where="manifest.toml")
        return
    if not manifest.title or not manifest.title_zh:
        yield _manifest("title is not said in both languages", "write title and title_zh; a name may be the same in both")
    said = {"summary": (manifest.summary, manifest.summary_zh)}
    said |= {f"writes.{name}.about": (one.about, one.about_zh) for name, one in manifest.writes.items()}
    for name, (english, chinese) in said.items():
        if not english or not _HAN.search(chinese):
            yield _manifest(f"{name} is not said in both languages", f"write {name} in English and {name}_zh in Chinese")
    for type_ in manifest.emits:
        if type_ not in VOCABULARY:
            yield _manifest(f"it emits {type_!r}, which is not in the vocabulary", "use a type of hub.core.vocabulary")
    if {"pulls", "receives", "reads_files"} & set(manifest.does) and not manifest.streams:
        yield _manifest("it brings raws and names no stream", "list the streams")
    if bool(manifest.writes) != ("writes" in manifest.does):
        yield _manifest(
            "`does` and `writes` do not agree", "describe each thing it writes under [writes.<what>], or drop the ability"
        )
    if (manifest.does and set(manifest.does) & {"pulls", "writes", "probes", "reports_stock"}) and not any(
        setting.is_host for setting in manifest.settings.values()
    ):
        yield _manifest("no setting is the host that secrets are bound to", "mark the address with is_host = true")


def abilities_match(folder: Folder) -> Iterator[Finding]:
    """Each ability is a protocol; the class offers exactly those that the manifest names."""
    try:
        declared, made = set(folder.manifest.does), folder.connector_class
    except Problem as problem:
        yield Finding(rule="abilities_match", says=problem.happened, next=problem.next, where="connector.py")
        return
    for ability, protocol in _ABILITIES.items():
        methods = [name for name in vars(protocol) if not name.startswith("_")]
        offers = all(callable(getattr(made, name, None)) for name in methods)
        if ability in declared and not offers:
            yield Finding(
                rule="abilities_match",
                says=f"the manifest says {ability}, and the class lacks {' or '.join(methods)}",
                next=f"write it, or take {ability!r} out of `does`",
                where="connector.py",
            )
        if offers and ability not in declared:
            yield Finding(
                rule="abilities_match",
                says=f"the class has {' and '.join(methods)}, and the manifest does not say {ability}",
                next=f"add {ability!r} to `does`",
                where="manifest.toml",
            )


def settings_described(folder: Folder) -> Iterator[Finding]:
    for name, setting in folder.manifest.settings.items():
        if len(setting.about) < 5 or not _HAN.search(setting.about_zh):
            yield Finding(
                rule="settings_described",
                says=f"the setting {name} is not described in both languages",
                next=f"write about and about_zh under [settings.{name}]",
                where="manifest.toml",
            )
        if setting.type == "choice" and not setting.choices:
            yield Finding(
                rule="settings_described",
                says=f"the setting {name} is a choice of nothing",
                next="list its choices",
                where="manifest.toml",
            )


def has_owner(folder: Folder) -> Iterator[Finding]:
    if not [owner for owner in folder.manifest.owners if owner.strip("@ ")]:
        yield Finding(rule="owner", says="nobody looks after it", next="name somebody in `owners`", where="manifest.toml")


def readme(folder: Folder) -> Iterator[Finding]:
    path = folder.path / "README.md"
    if not path.exists():
        yield Finding(
            rule="readme", says="there is no README.md", next="write one with " + " · ".join(HEADINGS), where="README.md"
        )
        return
    parts = re.split(r"^#{1,6}\s+(.+?)\s*$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {title.strip().lower(): text.strip() for title, text in zip(parts[1::2], parts[2::2], strict=True)}
    for heading in HEADINGS:
        if not found.get(heading.lower()):
            problem = "is empty" if heading.lower() in found else "is missing"
            yield Finding(rule="readme", says=f"the heading {heading!r} {problem}", next="write it", where="README.md")


def _manifest(says: str, next_: str) -> Finding:
    return Finding(rule="manifest_valid", says=says, next=next_, where="manifest.toml")
