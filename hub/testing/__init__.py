"""For authors of connectors: fakes, cases on disk and the certification suite. Public, like `hub.sdk`."""

from hub.testing.cases import Case, Meaning, load_cases, meaning
from hub.testing.certification import Report, Verdict, certify, connector_folders
from hub.testing.fakes import (
    NOON,
    FakeHttp,
    FixedClock,
    NoClock,
    NoHttp,
    Sent,
    answer,
    context_for,
    settings_for,
    with_every_secret,
)
from hub.testing.finding import Finding
from hub.testing.folder import Folder, Genuine, World
from hub.testing.rules import RULES, Rule
from hub.testing.sealed import Touched, sealed

__all__ = [
    "NOON",
    "RULES",
    "Case",
    "FakeHttp",
    "Finding",
    "FixedClock",
    "Folder",
    "Genuine",
    "Meaning",
    "NoClock",
    "NoHttp",
    "Report",
    "Rule",
    "Sent",
    "Touched",
    "Verdict",
    "World",
    "answer",
    "certify",
    "connector_folders",
    "context_for",
    "load_cases",
    "meaning",
    "sealed",
    "settings_for",
    "with_every_secret",
]
