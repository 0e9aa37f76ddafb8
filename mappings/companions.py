"""The words of a rule."""

from __future__ import annotations

COMPANIONS: dict[str, tuple[str, ...]] = {
    "from": (),
    "const": (),
    "first": (),
    "template": ("parts",),
    "join": ("with",),
    "each": ("where", "fields", "value"),
    "sum": ("of", "where"),
    "count": ("where",),
    "fields": ("from",),
    "choose": ("otherwise",),
    "list": (),
    "add": (),
    "subtract": (),
    "multiply": (),
}
"""Where a value can come from, and the words that belong to it."""
