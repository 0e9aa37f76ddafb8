"""The field maps of connections: found by name, compiled once a version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.core.errors import Problem
from hub.core.event import Event, Ignored, Raw
from hub.definitions import Definition, Definitions
from mappings import FieldMap, events_from, load_map


class Mapping:
    """One or several maps applied to the same raw. A raw that every one of them ignores is ignored by the first one's rule."""

    def __init__(self, maps: Iterable[tuple[Definition, FieldMap]]) -> None:
        self._maps = tuple(maps)
        self.label = ", ".join(f"{one.name} v{one.version}" for one, _ in self._maps)

    def events(self, raw: Raw) -> Iterator[Event | Ignored | Problem]:
        for _, field_map in self._maps:
            found = events_from(field_map, raw)
            while True:
                try:
                    yield next(found)
                except StopIteration:
                    break
                except Problem as problem:
                    yield problem


class Maps:
    """The maps in force."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def of(self, tenant: str, names: str) -> Mapping:
        """The maps of these names (separated by commas); raises `NotFound` or `Misconfigured`."""
        found = [self._definitions.get(tenant, "map", name.strip()) for name in names.split(",")]
        return Mapping((one, self._definitions.compiled(one, _load)) for one in found)


def _load(text: str, name: str) -> FieldMap:
    return load_map(text, file=f"{name}.toml")
