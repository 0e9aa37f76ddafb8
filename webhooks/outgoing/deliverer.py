"""One attempt to deliver, and what its answer means. The queue, its repeats and the clock belong to the action queue."""

from __future__ import annotations

from collections.abc import Mapping

from hub.core.clock import Clock
from hub.core.connector import Answer, Http
from hub.core.errors import Invalid, RateLimited, VendorFault, VendorRefused
from hub.throttle import retry_after
from webhooks.outgoing.message import headers_for
from webhooks.outgoing.subscription import Subscription

DELIVER = "webhook.deliver"
SLOW_DOWN = 60.0
SHORTEST_WAIT = 5.0
"""Being told to wait is no failed attempt, so a receiver that says "0 seconds" for ever must not be asked without a pause."""


class Gone(VendorRefused):
    """The receiver answered 410: it wants no more deliveries, ever. Disable the subscription."""

    code = "gone"


class Deliverer:
    """`hub.core.connector.Writes` for one subscription."""

    def __init__(self, subscription: Subscription, http: Http, clock: Clock) -> None:
        self._subscription, self._http, self._clock = subscription, http, clock

    def write(self, what: str, fields: Mapping[str, object], *, idempotency_key: str) -> str:
        """Deliver `fields["body"]` under the id `fields["id"]` once, and return that id when the receiver has taken it.

        The receiver tells a repeat by the id, so a lost answer may be tried again. Raises `Gone`, `RateLimited`, or for any
        other answer but 2xx `VendorFault`: the specification has everything repeated, since what is wrong may be mended.
        """
        id_, body = fields.get("id"), fields.get("body")
        if what != DELIVER or not isinstance(id_, str) or not isinstance(body, str):
            raise Invalid(happened="this is not a delivery", next=f"ask for {DELIVER} with id and body", what=what)
        content = body.encode()
        headers = headers_for(self._subscription.secrets, id_, self._clock.now(), content)
        try:
            answer = self._http.request(
                "POST", self._subscription.url, headers=headers, content=content, sent_unless_answered=False
            )
        except RateLimited as limited:
            raise self._patience(limited.after) from limited
        self._judge(answer)
        return id_

    def _judge(self, answer: Answer) -> None:
        status = answer.status
        if 200 <= status < 300:
            return
        about = {"subscription": self._subscription.id, "status": status}
        if status == 410:
            raise Gone(happened="the receiver is gone for good", next="enable the subscription when it is back", **about)
        wait = retry_after(answer.headers.get("retry-after"), self._clock.now())
        if status == 429 or (wait is not None and status >= 500):
            raise self._patience(SLOW_DOWN if wait is None else wait)
        if 300 <= status < 400:
            raise VendorFault(happened="the receiver answers with another address", next="subscribe with that address", **about)
        raise VendorFault(
            happened="the receiver did not take the delivery", next="look at the receiver; it is tried again", **about
        )

    def _patience(self, after: float) -> RateLimited:
        return RateLimited(
            after=max(after, SHORTEST_WAIT),
            happened="the receiver asks for patience",
            next="nothing; the delivery is tried again then",
            subscription=self._subscription.id,
        )
