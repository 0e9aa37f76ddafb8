"""Other systems' subscriptions to our events, delivered as Standard Webhooks."""

from webhooks.outgoing.deliverer import Deliverer, Gone
from webhooks.outgoing.message import headers_for, message_for
from webhooks.outgoing.schedule import ATTEMPTS, Standing, next_attempt, standing_after
from webhooks.outgoing.subscription import Subscription, check_subscription, wanted

__all__ = [
    "ATTEMPTS",
    "Deliverer",
    "Gone",
    "Standing",
    "Subscription",
    "check_subscription",
    "headers_for",
    "message_for",
    "next_attempt",
    "standing_after",
    "wanted",
]
