"""The connector kit: a new folder from a template, the next missing thing in it, and what its cases give."""

from hub.kit.accept import Difference, accept
from hub.kit.check import check, next_missing
from hub.kit.new import new

__all__ = ["Difference", "accept", "check", "new", "next_missing"]
