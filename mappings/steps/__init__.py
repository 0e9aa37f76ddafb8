"""The named transforms of a field map. Each is a pure function of one value, made once when the map is loaded."""

from __future__ import annotations

from mappings.steps.base import BadStep, Making, Step
from mappings.steps.lists import LIST_STEPS
from mappings.steps.numbers import NUMBER_STEPS
from mappings.steps.tables import TABLE_STEPS
from mappings.steps.texts import TEXT_STEPS
from mappings.steps.types import AS_OPTIONS, TYPE_STEPS, implied

STEPS = {**TEXT_STEPS, **TYPE_STEPS, **NUMBER_STEPS, **TABLE_STEPS, **LIST_STEPS}
"""Every step by the word that a map uses for it."""

OPTIONS = {"as": AS_OPTIONS, "enum": ("else",), "lookup": ("else",)}
"""The words that stand beside a step and belong to it."""

__all__ = ["AS_OPTIONS", "OPTIONS", "STEPS", "BadStep", "Making", "Step", "implied"]
