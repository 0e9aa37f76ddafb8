"""Field maps: one system's record into another's, as data, with a trace of every field. The language is in README.md."""

from mappings.checking import Failure, check_map, run_examples
from mappings.events import events_from
from mappings.explaining import explain
from mappings.fieldmap import Example, FieldMap, Mapped
from mappings.findings import BadMap, Finding
from mappings.loading import load_map
from mappings.running import Tally, run_file
from mappings.trace import Traced
from mappings.values import parse_json

__all__ = [
    "BadMap",
    "Example",
    "Failure",
    "FieldMap",
    "Finding",
    "Mapped",
    "Tally",
    "Traced",
    "check_map",
    "events_from",
    "explain",
    "load_map",
    "parse_json",
    "run_examples",
    "run_file",
]
