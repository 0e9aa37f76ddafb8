"""Receipts against receivables: which items does this money pay, and how sure is that."""

from reconciliation.payments.desk import Desk
from reconciliation.payments.orders import instalments
from reconciliation.payments.payers import added_up
from reconciliation.payments.policy import Policy
from reconciliation.payments.values import Held, Match, OpenItem, Payer, Settled, proposed, result_line

__all__ = [
    "Desk",
    "Held",
    "Match",
    "OpenItem",
    "Payer",
    "Policy",
    "Settled",
    "added_up",
    "instalments",
    "proposed",
    "result_line",
]
