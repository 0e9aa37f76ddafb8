"""Puts the project on the path, so that a bench also runs where it is not installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
