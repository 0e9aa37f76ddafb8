"""The application and robot interfaces of 企业微信: every answer is HTTP 200 with an `errcode` that must be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

import msgspec

from hub.sdk import (
    Answer,
    Context,
    LoginRefused,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    VendorFault,
    VendorRefused,
    token,
)

_TOKEN_REFUSED = frozenset({40001, 40014, 42001})
# What an errcode means for us: the class, and what to do. A code that is not here may pass: it is tried again later.
_REFUSED: Mapping[int, tuple[type[LoginRefused] | type[VendorRefused], str, str]] = {
    40001: (
        LoginRefused,
        "the secret or its token is not accepted",
        "copy the application's secret from the admin console again",
    ),
    40014: (LoginRefused, "the token is not accepted", "copy the application's secret from the admin console again"),
    42001: (LoginRefused, "the token has ended and a new one is refused too", "compare the clock of this machine and the secret"),
    60020: (
        LoginRefused,
        "our address is not in the application's list of trusted addresses",
        "add the hub's public address under 企业可信IP; it counts after about a minute",
    ),
    93000: (
        LoginRefused,
        "the robot's key is not valid or the robot was removed from its group",
        "add the robot again and set its new key",
    ),
    81013: (
        VendorRefused,
        "none of the recipients can be reached",
        "check the userids, and that they are in the application's visible range",
    ),
}
# Seconds to wait. 45009: the penalty lasts as long as the window, a minute at least. 45033: too many calls at once.
_WAIT: Mapping[int, int] = {45009: 65, 45033: 5}


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor says of a call. The `invalid…` lists name recipients separated by `|` although `errcode` is 0."""

    errcode: int
    errmsg: str = ""
    access_token: str = ""
    expires_in: int = 0
    msgid: str = ""
    response_code: str = ""
    invaliduser: str = ""
    invalidparty: str = ""
    invalidtag: str = ""
    unlicenseduser: str = ""


class Client:
    """Calls for one connection. A refused token is renewed once; every other refusal is raised as what it means."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._base = str(context.settings.get("base_url") or "https://qyapi.weixin.qq.com").rstrip("/")

    def login(self) -> tuple[str, float]:
        """A new token and its life in seconds."""
        params = {"corpid": self._needed("corp_id"), "corpsecret": self._needed("secret")}
        answer = self._context.http.request("GET", f"{self._base}/cgi-bin/gettoken", params=params, sent_unless_answered=False)
        sent = self._read(answer)
        if 40000 <= sent.errcode < 43000:
            # The interface does nothing else than log in: whatever it finds wrong with our values is a refused login.
            raise LoginRefused(
                happened="the company id or the application's secret is not accepted",
                next="copy both from the admin console again; do not try often, the vendor blocks the address for an hour",
                connection=self._context.connection,
                errcode=sent.errcode,
            )
        self._check(sent)
        if not sent.access_token or sent.expires_in <= 0:
            raise self._fault("the answer to the login holds no token")
        return sent.access_token, sent.expires_in

    def probe(self) -> None:
        """Log in anew and keep the token; where only a robot is set up, see that the host answers."""
        settings = self._context.settings
        if settings.get("robot_key") and not settings.get("secret"):
            url = f"{self._base}/cgi-bin/gettoken"
            self._read(self._context.http.request("GET", url, sent_unless_answered=False))
            return
        kept = self._context.recall("access_token")
        token(self._context, "access_token", self.login, refused=kept)

    def post(self, path: str, body: Mapping[str, object]) -> Sent:
        """Call an interface of the application."""
        access = token(self._context, "access_token", self.login)
        sent = self._post(path, ("access_token", access), body)
        if sent.errcode in _TOKEN_REFUSED:
            access = token(self._context, "access_token", self.login, refused=access)
            sent = self._post(path, ("access_token", access), body)
        self._check(sent)
        return sent

    def robot(self, body: Mapping[str, object]) -> Sent:
        """Send through the group robot."""
        sent = self._post("/cgi-bin/webhook/send", ("key", self._needed("robot_key")), body, repeatable=False)
        self._check(sent)
        return sent

    def _post(self, path: str, secret: tuple[str, str], body: Mapping[str, object], *, repeatable: bool = True) -> Sent:
        answer = self._context.http.request(
            "POST",
            f"{self._base}{path}",
            params=[secret],
            headers={"content-type": "application/json; charset=utf-8"},
            content=msgspec.json.encode(body),
        )
        if answer.status in (502, 504) and not repeatable:
            raise OutcomeUnknown(
                happened=f"a gateway answered {answer.status}; the message may have been sent",
                next="look into the group before sending it again",
                connection=self._context.connection,
            )
        return self._read(answer)

    def _read(self, answer: Answer) -> Sent:
        if answer.status == 429:
            self._wait(65, errcode=None)
        if answer.status != 200:
            raise self._fault(f"the answer has status {answer.status}")
        try:
            return msgspec.json.decode(answer.body, type=Sent)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._fault("the answer is not the JSON that is documented") from None

    def _check(self, sent: Sent) -> None:
        if sent.errcode == 0:
            return
        if (wait := _WAIT.get(sent.errcode)) is not None:
            self._wait(wait, errcode=sent.errcode)
        kind, happened, next_ = _REFUSED.get(sent.errcode, (None, "", ""))
        if kind is None:
            raise self._fault(f"the vendor answers with code {sent.errcode}")
        raise kind(happened=happened, next=next_, connection=self._context.connection, errcode=sent.errcode)

    def _wait(self, seconds: int, *, errcode: int | None) -> NoReturn:
        raise RateLimited(
            after=seconds,
            happened="too many calls for the vendor",
            next=f"the call is repeated by itself after {seconds} s",
            connection=self._context.connection,
            errcode=errcode,
        )

    def _fault(self, happened: str) -> VendorFault:
        # Not the vendor's `errmsg`: it repeats addresses and parts of what was sent.
        return VendorFault(happened=happened, next="the call is repeated later", connection=self._context.connection)

    def _needed(self, name: str) -> str:
        value = self._context.settings.get(name)
        if not value:
            raise Misconfigured(
                happened=f"the setting {name} is empty",
                next="fill it in; the connector's README says where it is found",
                connection=self._context.connection,
            )
        return str(value)


def unreached(sent: Sent, to: Sequence[str]) -> list[str]:
    """Who did not get a message that was sent: userids as we wrote them (the vendor answers in lower case), parties, tags."""
    written = {userid.lower(): userid for userid in to}
    users = [*_split(sent.invaliduser), *_split(sent.unlicenseduser)]
    names = [written.get(userid.lower(), userid) for userid in users]
    names += [f"party {party}" for party in _split(sent.invalidparty)]
    names += [f"tag {tag}" for tag in _split(sent.invalidtag)]
    return list(dict.fromkeys(names))


def _split(listed: str) -> list[str]:
    return [name for name in listed.split("|") if name]
