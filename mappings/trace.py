"""Where a field's value came from and what was done to it."""

from __future__ import annotations

from typing import Any

import msgspec

from mappings.values import MISSING


class Traced(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One target field: its source in the record, the value found there, each step with its result, the value it ended with.

    `note` says why there is none, or where it came from if not from the source. `field` names nested ones as `lines[0].sku`.
    """

    field: str
    source: str = ""
    raw: Any = None
    steps: tuple[tuple[str, Any], ...] = ()
    value: Any = None
    note: str = ""


def plain(value: Any) -> Any:
    """The value for a trace: absence is none, structs and nested values are as they are."""
    return None if value is MISSING else value
