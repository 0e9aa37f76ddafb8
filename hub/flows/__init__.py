"""Flows: when something happens, check, do, notify. Data, not code; the language is in README.md. The engine is pure."""

from hub.flows.flow import Action, Emit, Flow, StepRun
from hub.flows.loading import load_flow

__all__ = ["Action", "Emit", "Flow", "StepRun", "load_flow"]
