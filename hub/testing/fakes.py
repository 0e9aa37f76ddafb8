"""Fakes for connector authors: an HTTP that answers from a script, a clock that stands still, a context made of a manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub.core.clock import Clock
from hub.core.connector import Answer, Context, Http
from hub.core.errors import RateLimited
from hub.core.manifest import Manifest, Setting

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""Noon in Shanghai on a Monday: when everything in a test happens, unless it says otherwise."""


class FixedClock:
    """A clock that goes only when it is told to. Sleeping moves it and takes no time."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A request that a connector made."""

    method: str
    url: str
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    content: bytes | None
    sent_unless_answered: bool

    def json(self) -> Any:
        return json.loads(self.content or b"null")


Scripted = Answer | Exception | Callable[[Sent], Answer]


def answer(
    value: object = None, *, status: int = 200, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """An answer with `value` as JSON, or with `body` as it is."""
    content = body if body is not None else b"" if value is None else json.dumps(value, ensure_ascii=False).encode()
    named = {"content-type": "application/json"} | {name.lower(): text for name, text in (headers or {}).items()}
    return Answer(status=status, headers=named, body=content)


class FakeHttp:
    """Answers from a script, in order; an error in it is raised, a function is asked. `always` answers once the script has ended.

    As the real client does, it raises `RateLimited` for a 429 or 503 that names a time to wait.
    """

    def __init__(self, *script: Scripted, always: Scripted | None = None) -> None:
        self._script = list(script)
        self._always = always
        self.sent: list[Sent] = []

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
        pairs = tuple(params.items() if isinstance(params, Mapping) else params or ())
        sent = Sent(
            method=method,
            url=url,
            params=pairs,
            headers=dict(headers or {}),
            content=content,
            sent_unless_answered=sent_unless_answered,
        )
        self.sent.append(sent)
        if not self._script and self._always is None:
            raise AssertionError(f"the script has no answer for {method} {url}; it was request {len(self.sent)}")
        scripted = self._script.pop(0) if self._script else self._always
        if isinstance(scripted, Exception):
            raise scripted
        given = scripted if isinstance(scripted, Answer) else scripted(sent) if scripted else answer()
        wait = given.headers.get("retry-after", "")
        if given.status in (429, 503) and wait.isdecimal():
            raise RateLimited(
                after=int(wait), happened="the vendor asks us to wait", next="it is tried again by itself", host=url
            )
        return given


class NoHttp:
    """An HTTP that nobody may use."""

    def request(self, method: str, url: str, **rest: object) -> Answer:
        raise AssertionError(f"{method} {url} was requested where no network is allowed")


class NoClock:
    """A clock that nobody may read."""

    def now(self) -> datetime:
        raise AssertionError("the clock was read where no clock is allowed")

    def sleep(self, seconds: float) -> None:
        raise AssertionError("something slept where no clock is allowed")


def settings_for(manifest: Manifest) -> dict[str, Any]:
    """Settings of a test connection: each setting's default, else its example, else a value of its type."""
    settings = {
        name: _value(setting) for name, setting in manifest.settings.items() if setting.required or setting.default is not None
    }
    return with_every_secret(settings, manifest)


def with_every_secret(settings: Mapping[str, Any], manifest: Manifest) -> dict[str, Any]:
    """The settings as a connection is given them: beside each secret all of its active values, the newest first."""
    every = {
        f"{name}_all": [settings[name]]
        for name, setting in manifest.settings.items()
        if setting.secret and settings.get(name) and f"{name}_all" not in settings
    }
    return {**settings, **every}


def _value(setting: Setting) -> object:
    if setting.default is not None:
        return setting.default
    empty: dict[str, object] = {"integer": 0, "boolean": False, "list": [], "table": {}}
    if setting.type == "choice":
        return setting.choices[0] if setting.choices else ""
    return empty.get(setting.type, setting.example)


def context_for(
    manifest: Manifest,
    *,
    settings: Mapping[str, Any] | None = None,
    http: Http | None = None,
    clock: Clock | None = None,
    tenant: str = "acme",
    zone: str = "Asia/Shanghai",
) -> Context:
    """A context as the hub would give it to a connection of this connector. `settings` are laid over those of the manifest.

    What the connector remembers is kept for this context only, until it has run out by the context's clock.
    """
    ticking = clock or FixedClock()
    kept: dict[str, tuple[str, datetime]] = {}

    def recall(name: str) -> str | None:
        value, until = kept.get(name, ("", ticking.now()))
        return value if until > ticking.now() else None

    def remember(name: str, value: str, seconds: float) -> None:
        kept[name] = (value, ticking.now() + timedelta(seconds=seconds))

    return Context(
        tenant=tenant,
        connection=manifest.name.replace("_", "-"),
        settings=with_every_secret({**settings_for(manifest), **(settings or {})}, manifest),
        http=http or NoHttp(),
        clock=ticking,
        hook_url=f"https://hub.example.com/hooks/{manifest.name.replace('_', '-')}",
        zone=zone,
        recall=recall,
        remember=remember,
    )
