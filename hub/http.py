"""The one way to call another system: time-outs, limits, careful repeats, redaction and the egress guard.

What went out and was not answered is told apart from what never left, because only the second may be repeated without
asking (RFC 9110 section 9.2.2).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Lock

import httpcore
import httpx
import msgspec
import tenacity

from hub.core.clock import Clock, SystemClock
from hub.core.connector import Answer
from hub.core.errors import Misconfigured, OutcomeUnknown, Problem, RateLimited, Unreachable, VendorFault
from hub.core.manifest import Limit
from hub.egress import PUBLIC, Egress, GuardedBackend, GuardedTransport, Resolve, next_hop, public_authorities, resolve
from hub.redact import masked_url
from hub.throttle import Breaker, State, Throttle, retry_after

_HEADERS = {"accept": "*/*", "accept-encoding": "gzip, deflate", "user-agent": "shuniu"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_SENT = (
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.PoolTimeout,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
)
_CANNOT_BE_FORMED = (
    httpcore.LocalProtocolError,
    httpcore.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,
)
_LOST = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpx.RequestError)


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for each phase; `total` is for the whole answer, so that a trickle ends as well."""

    connect: float = 5.0
    read: float = 30.0
    write: float = 30.0
    pool: float = 5.0
    total: float = 120.0


TIMEOUTS = Timeouts()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, for metrics: `status` where there was an answer, `code` where it ended in a problem."""

    connection: str
    method: str
    host: str
    seconds: float
    status: int | None = None
    code: str | None = None


class HttpClient:
    """`hub.core.connector.Http` for one connection. Thread-safe; make one a connection and process, and close it.

    `limits` are the manifest's. `redirects` is how many may be followed; each hop passes the guard again, and secrets do
    not follow to another origin. `secrets` are values that must not appear in an error even inside a path.
    """

    def __init__(
        self,
        *,
        connection: str,
        egress: Egress = PUBLIC,
        limits: Sequence[Limit] = (),
        clock: Clock | None = None,
        timeouts: Timeouts = TIMEOUTS,
        redirects: int = 0,
        max_bytes: int = 20 * 1024 * 1024,
        attempts: int = 3,
        secrets: Collection[str] = (),
        resolver: Resolve = resolve,
        context: ssl.SSLContext | None = None,
        observe: Callable[[Call], None] | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self._connection = connection
        self._clock = clock or SystemClock()
        self._timeouts = timeouts
        self._redirects = redirects
        self._max_bytes = max_bytes
        self._attempts = attempts
        self._secrets = tuple(secrets)
        self._observe = observe
        self._throttle = Throttle(limits, self._clock, connection=connection)
        self._breaker = breaker or Breaker(self._clock, connection=connection)
        # The transport alone: a client would keep cookies, read the environment and stumble over a broken `Location`.
        self._transport = GuardedTransport(GuardedBackend(egress, resolver=resolver), context or public_authorities())
        phases = httpx.Timeout(connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.pool)
        self._extensions = {"timeout": phases.as_dict()}

    @property
    def state(self) -> State:
        """Whether calls go out: `closed` they do, `open` they are paused, `half-open` the next one is a trial."""
        return self._breaker.state

    def close(self) -> None:
        self._transport.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        sent_unless_answered: bool = True,
    ) -> Answer:
        """Send and return the answer whatever its status; see `hub.core.connector.Http` for what is raised.

        A 429 or 503 with `Retry-After` is raised as `RateLimited`. What did not go out is tried up to `attempts` times;
        so is a lost answer where `sent_unless_answered` is false.
        """
        try:
            target = httpx.URL(url)
            if params:
                pairs = params.items() if isinstance(params, Mapping) else params
                target = target.copy_merge_params(httpx.QueryParams(tuple(pairs)))
            merged = httpx.Headers(_HEADERS)
            merged.update(headers)
            request = httpx.Request(method.upper(), target, headers=merged, content=content, extensions=self._extensions)
        except (*_CANNOT_BE_FORMED, ValueError) as error:
            raise self._problem(Misconfigured, url, "the request cannot be formed", "check the host and the settings") from error
        if request.url.scheme not in ("http", "https") or not request.url.host:
            raise self._problem(Misconfigured, url, "the address is not an http or https one", "correct the host in the settings")

        def may_repeat(error: BaseException) -> bool:
            return isinstance(error, Unreachable) or (isinstance(error, VendorFault) and not sent_unless_answered)

        self._breaker.enter()
        ok: bool | None = None
        try:
            answer: Answer = tenacity.Retrying(
                stop=tenacity.stop_after_attempt(self._attempts),
                wait=tenacity.wait_random_exponential(multiplier=0.2, max=2.0),
                retry=tenacity.retry_if_exception(may_repeat),
                sleep=self._clock.sleep,
                reraise=True,
            )(self._attempt, request, sent_unless_answered)
            ok = answer.status < 500
        except (Unreachable, VendorFault, OutcomeUnknown):
            ok = False
            raise
        finally:
            self._breaker.leave(ok)
        return answer

    def _attempt(self, request: httpx.Request, sent_unless_answered: bool) -> Answer:
        self._throttle.enter()
        began, status, code = time.perf_counter(), None, None
        try:
            answer = self._follow(request, sent_unless_answered)
            status = answer.status
            after = retry_after(answer.headers.get("retry-after"), self._clock.now()) if status in (429, 503) else None
            if after is not None:
                self._throttle.pause(after)
                raise RateLimited(
                    after=after,
                    happened=f"the vendor asks to wait {after:.0f} s",
                    next="the call is repeated by itself after that",
                    **self._about(request),
                )
            return answer
        except Problem as problem:
            code = problem.code
            raise
        finally:
            self._tell(request, time.perf_counter() - began, status, code)

    def _tell(self, request: httpx.Request, seconds: float, status: int | None, code: str | None) -> None:
        if self._observe is not None:
            host = request.url.host
            self._observe(
                Call(connection=self._connection, method=request.method, host=host, seconds=seconds, status=status, code=code)
            )

    def _follow(self, request: httpx.Request, sent_unless_answered: bool) -> Answer:
        answer = self._send(request, sent_unless_answered)
        for _ in range(self._redirects):
            if answer.status not in _REDIRECTS or (place := answer.headers.get("location")) is None:
                break
            hop = next_hop(request, answer.status, place)
            if hop is None:
                raise VendorFault(
                    happened="the vendor redirects to where we do not follow",
                    next="check the host in the settings",
                    **self._about(request),
                )
            request = hop
            answer = self._send(request, sent_unless_answered)
        return answer

    def _send(self, request: httpx.Request, sent_unless_answered: bool) -> Answer:
        lost = OutcomeUnknown if sent_unless_answered else VendorFault
        about = self._about(request)
        try:
            response = self._transport.handle_request(request)
            try:
                body = self._read(response, lost, about)
            finally:
                response.close()
        except _NOT_SENT as error:
            raise Unreachable(
                happened=f"the host did not answer: {type(error).__name__}",
                next="check the host, the route and the certificate",
                **about,
            ) from error
        except _CANNOT_BE_FORMED as error:
            raise Misconfigured(happened="the request cannot be formed", next="check the settings", **about) from error
        except _LOST as error:
            raise self._lost(lost, f"the answer was lost: {type(error).__name__}", about) from error
        return Answer(status=response.status_code, headers=dict(response.headers), body=body)

    def _read(self, response: httpx.Response, lost: type[Problem], about: Mapping[str, str]) -> bytes:
        until = time.monotonic() + self._timeouts.total
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._max_bytes:
                raise self._lost(lost, f"the answer is larger than {self._max_bytes} bytes", about)
            if time.monotonic() > until:
                raise self._lost(lost, f"the answer took longer than {self._timeouts.total:.0f} s", about)
        return bytes(body)

    @staticmethod
    def _lost(kind: type[Problem], happened: str, about: Mapping[str, str]) -> Problem:
        unknown = kind is OutcomeUnknown
        return kind(
            happened=happened,
            next="look at the vendor whether it was done, before repeating it" if unknown else "try later",
            **about,
        )

    def _problem(self, kind: type[Problem], url: str, happened: str, next: str) -> Problem:
        return kind(happened=happened, next=next, connection=self._connection, url=masked_url(url, self._secrets))

    def _about(self, request: httpx.Request) -> dict[str, str]:
        return {"connection": self._connection, "method": request.method, "url": masked_url(str(request.url), self._secrets)}


class HttpClients:
    """One `HttpClient` a connection and process, so that its limits, its breaker and its open connections are shared."""

    def __init__(self, *, clock: Clock | None = None, observe: Callable[[Call], None] | None = None) -> None:
        self._clock = clock or SystemClock()
        self._observe = observe
        self._clients: dict[tuple[str, str], tuple[tuple[Egress, tuple[Limit, ...], tuple[str, ...]], HttpClient]] = {}
        self._lock = Lock()

    def of(
        self,
        tenant: str,
        connection: str,
        *,
        egress: Egress = PUBLIC,
        limits: Sequence[Limit] = (),
        secrets: Collection[str] = (),
    ) -> HttpClient:
        """The connection's client; made anew when what it may call, its limits or its secrets have changed."""
        wanted = (egress, tuple(limits), tuple(sorted(secrets)))
        with self._lock:
            have = self._clients.get((tenant, connection))
            if have is not None and have[0] == wanted:
                return have[1]
            client = HttpClient(
                connection=connection, egress=egress, limits=limits, secrets=secrets, clock=self._clock, observe=self._observe
            )
            self._clients[tenant, connection] = wanted, client
            return client

    def states(self) -> dict[tuple[str, str], State]:
        with self._lock:
            return {key: client.state for key, (_, client) in self._clients.items()}

    def close(self) -> None:
        with self._lock:
            for _, client in self._clients.values():
                client.close()
            self._clients.clear()
