"""Receipts against receivables: which items does this money pay, and how sure is that."""

from reconciliation.payments.calibration import Calibration, Example, example, fitted, promoted
from reconciliation.payments.desk import Desk
from reconciliation.payments.hindsight import Hindsight, Week, Wrong, rescored
from reconciliation.payments.memory import Decision, Memory, decision, remembered
from reconciliation.payments.names import is_person
from reconciliation.payments.orders import instalments
from reconciliation.payments.payers import added_up
from reconciliation.payments.payouts import Bill, BillLine
from reconciliation.payments.policy import Policy
from reconciliation.payments.values import Held, Match, OpenItem, Payer, Refusal, Settled, proposed, result_line

__all__ = [
    "Bill",
    "BillLine",
    "Calibration",
    "Decision",
    "Desk",
    "Example",
    "Held",
    "Hindsight",
    "Match",
    "Memory",
    "OpenItem",
    "Payer",
    "Policy",
    "Refusal",
    "Settled",
    "Week",
    "Wrong",
    "added_up",
    "decision",
    "example",
    "fitted",
    "instalments",
    "is_person",
    "promoted",
    "proposed",
    "remembered",
    "rescored",
    "result_line",
]
