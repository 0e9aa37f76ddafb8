"""Demand against supply: what can be promised, by when, from where, without breaking what was promised before."""

from reconciliation.inventory.promise import promise
from reconciliation.inventory.quote import QuoteCheck, check_quote
from reconciliation.inventory.values import Hold, Promise, PromisePolicy, Want

__all__ = ["Hold", "Promise", "PromisePolicy", "QuoteCheck", "Want", "check_quote", "promise"]
