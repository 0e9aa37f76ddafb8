"""Cases on disk: what arrives in a folder of its own, and beside it what it means."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from hub.core.connector import Context, ReadsFiles
from hub.core.errors import Misconfigured, Problem, Unreadable
from hub.core.event import Event, Ignored, Raw
from hub.core.manifest import Manifest
from hub.testing.fakes import NOON, NoClock, NoHttp, context_for
from hub.testing.folder import Folder

EXPECTED, ERROR = "events.json", "error.txt"


class Meta(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`raw.meta.toml`. `name` is the file's name, for a file. `published` are values from the vendor's own documentation, nobody's."""

    stream: str = ""
    key: str = ""
    name: str = ""
    headers: Mapping[str, str] = {}
    settings: Mapping[str, Any] = {}
    about: str = ""
    source: str = ""
    published: tuple[str, ...] = ()
    received_at: datetime = NOON


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One case: its folder, the bytes that arrive, and what is known about them."""

    folder: Path
    file: Path
    meta: Meta

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def body(self) -> bytes:
        return self.file.read_bytes()

    @property
    def expected(self) -> str | None:
        """What is written beside it, or `None` where nothing is yet."""
        for name in (EXPECTED, ERROR):
            if (self.folder / name).exists():
                return (self.folder / name).read_text(encoding="utf-8")
        return None


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """What a case turned out to mean: the text for `events.json`, or for `error.txt` where all of it was refused."""

    file: str
    text: str
    events: tuple[Event, ...] = ()
    raws: tuple[Raw, ...] = ()
    parked: int = 0


def load_cases(folder: Folder) -> list[Case]:
    """Every case of a connector, by name. Raises `Misconfigured` for one that is not whole."""
    place = folder.path / "fixtures"
    return [_load(path) for path in sorted(place.iterdir()) if path.is_dir()] if place.is_dir() else []


def _load(folder: Path) -> Case:
    files = [path for path in sorted(folder.glob("raw.*")) if path.name != "raw.meta.toml"]
    if len(files) != 1:
        raise Misconfigured(
            happened=f"the case has {len(files)} files raw.*",
            next="put exactly one raw.json, raw.csv, raw.xml, … into it",
            case=folder.name,
        )
    path = folder / "raw.meta.toml"
    try:
        meta = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}, Meta)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Misconfigured(
            happened=f"raw.meta.toml cannot be read: {error}", next="correct the named field", case=folder.name
        ) from error
    return Case(folder=folder, file=files[0], meta=meta)


def meaning(folder: Folder, case: Case, *, received_at: datetime | None = None) -> Meaning:
    """What the case means now. No network and no clock are given to the connector."""
    manifest = folder.manifest
    entries: list[dict[str, Any]] = []
    events: list[Event] = []
    raws: list[Raw] = []
    seen: set[str] = set()
    try:
        connector = folder.build(context_of(folder, case, manifest))
        for raw in raws_of(connector, case, manifest, received_at=received_at):
            if raw.id in seen:
                entries.append({"duplicate": raw.key})  # intake drops it before anyone reads it
                continue
            raws.append(raw)
            seen.add(raw.id)
            for found in _understood(connector, raw, whole=bool(case.meta.stream) or not _is_file(connector, case)):
                entries.append(entry(found))
                events.extend([found] if isinstance(found, Event) else [])
    except Problem as problem:
        return Meaning(file=ERROR, text=f"{type(problem).__name__}\n{problem}\n", raws=tuple(raws))
    parked = sum(1 for one in entries if "parked" in one)
    return Meaning(file=EXPECTED, text=written(entries), events=tuple(events), raws=tuple(raws), parked=parked)


def context_of(folder: Folder, case: Case, manifest: Manifest) -> Context:
    settings = {**folder.settings(), **case.meta.settings}
    built = context_for(manifest, settings=settings, http=NoHttp())
    return msgspec.structs.replace(built, clock=NoClock())


def raws_of(connector: Any, case: Case, manifest: Manifest, *, received_at: datetime | None = None) -> Iterator[Raw]:
    """The raws of a case, stamped: the rows of a file, or the one raw that it is."""
    if not case.meta.stream and _is_file(connector, case):
        found = connector.read(case.meta.name or case.file.name, case.body)
    else:
        stream = case.meta.stream or (manifest.streams[0] if len(manifest.streams) == 1 else "")
        if not stream:
            raise Misconfigured(
                happened="the manifest has several streams and the case does not say which one it is of",
                next="write stream = … into raw.meta.toml",
                case=case.name,
            )
        found = iter([Raw(stream=stream, key=case.meta.key or case.name, body=case.body, headers=case.meta.headers)])
    for raw in found:
        yield raw.stamped(
            tenant="acme",
            connection=manifest.name.replace("_", "-"),
            door=raw.door,
            received_at=(received_at or case.meta.received_at).astimezone(UTC),
        )


def _is_file(connector: Any, case: Case) -> bool:
    return isinstance(connector, ReadsFiles) and not case.meta.stream


def _understood(connector: Any, raw: Raw, *, whole: bool) -> list[Event | Ignored | Unreadable]:
    """What one raw means. One bad row of a file is parked and the others go on; a raw that is the whole case is refused."""
    try:
        return list(connector.normalise(raw))
    except Unreadable as problem:
        if whole:
            raise
        return [problem]


# --- how it is written down --------------------------------------------------------------------------------------


def entry(found: Event | Ignored | Unreadable) -> dict[str, Any]:
    """One outcome as plain values: decimals and times as text."""
    if isinstance(found, Ignored):
        return {"ignored": found.rule}
    if isinstance(found, Unreadable):
        return {"parked": {"rule": found.rule, "pointer": found.pointer, "happened": found.happened}}
    return {
        "type": found.type,
        "subject": found.subject,
        "id": found.id,
        "time": found.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "key": found.key,
        "data": plain(found.data),
    }


def plain(value: Any) -> Any:
    """The value in the words of JSON. A field that has its default is left out by what it says, not by which object says it."""
    if isinstance(value, msgspec.Struct):
        named = ((field, getattr(value, field.name)) for field in msgspec.structs.fields(value))
        return {
            field.encode_name: plain(one) for field, one in named if field.default is msgspec.NODEFAULT or one != field.default
        }
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return msgspec.to_builtins(value)


def written(entries: list[dict[str, Any]]) -> str:
    """The text of `events.json`: keys sorted, characters as they are, one way to write it."""
    return json.dumps(entries, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
