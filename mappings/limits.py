"""How much a field map and a record may ask of us. A map is data that other people write, a record is data that strangers send."""

from __future__ import annotations

MAP_TEXT = 512_000
"""Characters of a map's file."""
FIELDS = 1_000
"""Rules of one map, nested ones counted."""
RULE_DEPTH = 8
"""Rules within rules."""
PATH_SEGMENTS = 16
EXPRESSION = 1_000
"""Characters of a condition."""
EXPRESSION_DEPTH = 12
EXPRESSION_TOKENS = 300
TEMPLATE = 4_000
PATTERN = 200
"""Characters of a regular expression; RE2 runs it in time proportional to the text."""
TEXT = 100_000
"""Characters of a text that a step works on."""
NUMBER = 64
"""Characters of a number: no amount, quantity or id is longer, and a longer one costs more than it is worth."""
EXPONENT = 60
"""Powers of ten either way."""
ITEMS = 20_000
"""Items of one list, and records of one raw."""
JSON_DEPTH = 64
JSON_BYTES = 16_000_000
SHOWN = 80
"""Characters of a value in an error or a trace."""
UNREAD = 200
"""Unread sources that are named; more are only counted as being more."""
