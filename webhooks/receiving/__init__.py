"""The door that vendors' webhooks come in by: limits, verification, durable intake, and an answer in the vendor's form."""

from webhooks.receiving.door import Door, make_door
from webhooks.receiving.hook import Hook
from webhooks.receiving.limits import Limits
from webhooks.receiving.quarantine import Quarantine, Quarantined
from webhooks.receiving.shelf import keep_in

__all__ = ["Door", "Hook", "Limits", "Quarantine", "Quarantined", "keep_in", "make_door"]
