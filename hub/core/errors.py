"""What can go wrong, said so that somebody can act on it.

Every error carries three things: what `happened`, to what (`about`, named values), and what to do `next`.
None of them may hold a secret: `about` values end up in logs, in problem documents (RFC 9457) and on pages.
"""

from __future__ import annotations

from typing import ClassVar


class Problem(Exception):
    """An error that a person or another system is told about.

    `code` names the kind for machines, `status` is the HTTP answer when the problem leaves through the API.
    """

    code: ClassVar[str] = "problem"
    status: ClassVar[int] = 500

    def __init__(self, *, happened: str, next: str, **about: object) -> None:
        super().__init__(happened)
        self.happened = happened
        self.next = next
        self.about = {name: str(value) for name, value in about.items() if value is not None}

    def __str__(self) -> str:
        subject = ", ".join(f"{name} {value}" for name, value in self.about.items())
        where = f" ({subject})" if subject else ""
        return f"{self.happened}{where}. Next: {self.next}"

    def as_dict(self) -> dict[str, object]:
        """The problem as plain values, for storing and showing."""
        return {"code": self.code, "happened": self.happened, "next": self.next, "about": self.about}


# --- a delivery that is not let in -------------------------------------------------------------------------------


class Refused(Problem):
    """A delivery that cannot be trusted or read. It is answered with `status` and never processed."""

    code = "refused"
    status = 401


class SignatureRefused(Refused):
    """The signature is missing, malformed or does not match."""

    code = "signature-refused"


class NoSecretSet(SignatureRefused):
    """The connection has no secret to check a signature with: the delivery is kept apart and never processed."""

    code = "no-secret-set"


class Stale(Refused):
    """The signed time is outside the tolerance, in either direction."""

    code = "stale"


class Malformed(Refused):
    """The delivery is not what it says it is: wrong charset, broken JSON, a security header sent twice."""

    code = "malformed"
    status = 400


class TooLarge(Refused):
    """The body, its nesting or what it would unpack to is over the limit."""

    code = "too-large"
    status = 413


class TooMany(Refused):
    """More deliveries than this connection may send in the window."""

    code = "too-many"
    status = 429

    def __init__(self, *, after: float, happened: str, next: str, **about: object) -> None:
        super().__init__(happened=happened, next=next, **about)
        self.after = after


# --- what arrived cannot be understood ---------------------------------------------------------------------------


class Unreadable(Problem):
    """A raw that a normaliser or a field map cannot turn into facts; the raw is parked with this as its reason.

    `rule` names the rule that failed and `pointer` the place in the raw (a JSON pointer, a column, a line).
    """

    code = "unreadable"
    status = 422

    def __init__(self, *, happened: str, next: str, rule: str, pointer: str = "", **about: object) -> None:
        super().__init__(happened=happened, next=next, rule=rule, pointer=pointer or None, **about)
        self.rule = rule
        self.pointer = pointer


# --- a vendor that does not do what we asked ---------------------------------------------------------------------


class VendorProblem(Problem):
    """A call to another system that did not succeed."""

    code = "vendor"
    status = 502


class Unreachable(VendorProblem):
    """The host did not answer: name, route, connection or TLS. The request was not received; it may be sent again."""

    code = "unreachable"


class LoginRefused(VendorProblem):
    """The host answered and does not accept our credentials. Sending again will not help."""

    code = "login-refused"


class RateLimited(VendorProblem):
    """The vendor asks us to wait `after` seconds."""

    code = "rate-limited"

    def __init__(self, *, after: float, happened: str, next: str, **about: object) -> None:
        super().__init__(happened=happened, next=next, **about)
        self.after = after


class VendorFault(VendorProblem):
    """The vendor failed on its own side (5xx, a broken answer). Nothing was done; it may be sent again."""

    code = "vendor-fault"


class VendorRefused(VendorProblem):
    """The vendor understood the request and says no. Sending it again gives the same answer."""

    code = "vendor-refused"


class OutcomeUnknown(VendorProblem):
    """The request may have been carried out, the answer was lost. It must not be repeated blindly."""

    code = "outcome-unknown"


class EgressRefused(VendorProblem):
    """The address is not one that this connection may call."""

    code = "egress-refused"


# --- what a person or a program asked of us ----------------------------------------------------------------------


class Misconfigured(Problem):
    """A setting, a manifest, a map or a flow that cannot work as it is written."""

    code = "misconfigured"
    status = 422


class Invalid(Problem):
    """A request whose values cannot be accepted."""

    code = "invalid"
    status = 422


class NotFound(Problem):
    """There is no such thing, or not for this tenant."""

    code = "not-found"
    status = 404


class Conflict(Problem):
    """The request contradicts what is already so."""

    code = "conflict"
    status = 409


class Outdated(Problem):
    """Somebody decided in the meantime: the version sent is not the current one."""

    code = "outdated"
    status = 412


class Forbidden(Problem):
    """The caller may not do this."""

    code = "forbidden"
    status = 403


class Unavailable(Problem):
    """We cannot answer now: a store or broker is away. The request may be sent again after a while."""

    code = "unavailable"
    status = 503
