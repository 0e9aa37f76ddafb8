"""Against the simulated vendor: what went wrong is told apart, waits are handed on, pages lose nothing, a token is renewed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from hub.core.connector import Context, Cursor, Page
from hub.core.errors import LoginRefused, Problem, RateLimited, Unreachable, VendorFault
from hub.core.event import Raw
from hub.testing.finding import Finding
from hub.testing.folder import Folder

_PAGES = 3


class Lacking(Exception):
    """The folder's world does not offer what a check needs."""


def probe_tells_apart(folder: Folder) -> Iterator[Finding]:
    rule = "probe_tells_apart"
    cases: list[tuple[str, type[Problem]]] = [
        ("refuse_login", LoginRefused),
        ("break_down", VendorFault),
        ("go_down", Unreachable),
    ]
    try:
        for name, expected in cases:
            with _world(folder) as world:
                folder.build(world.context()).probe()
                _offered(world, name)()
                yield from _must_raise(rule, folder.build(world.context()).probe, expected, f"after {name}() the probe")
                _offered(world, "recover")()
                folder.build(world.context()).probe()
    except Lacking as lack:
        yield _lacking(rule, lack)
    except Problem as problem:
        yield Finding(
            rule=rule, says=f"a vendor that is well is probed and {_told(problem)}", next="make the probe's call succeed"
        )


def retry_after(folder: Folder) -> Iterator[Finding]:
    rule = "retry_after"
    try:
        with _world(folder) as world:
            promised = _offered(world, "slow_down")(7)
            wanted = 7 if promised is None else int(promised)
            connector = folder.build(world.context())
            try:
                _call(world)(connector)
            except RateLimited as problem:
                if problem.after < max(wanted, 1):
                    says = f"the vendor asks for {wanted} seconds and RateLimited says {problem.after}"
                    yield Finding(rule=rule, says=says, next="hand on what the vendor says")
                return
            except Problem as problem:
                yield Finding(
                    rule=rule, says=f"a vendor that asks us to wait: the call {_told(problem)}", next="raise RateLimited(after=…)"
                )
                return
            yield Finding(rule=rule, says="a vendor that asks us to wait is not heard", next="raise RateLimited(after=…)")
    except Lacking as lack:
        yield _lacking(rule, lack)


def token_renewed_once(folder: Folder) -> Iterator[Finding]:
    """The vendor forgets our token: one call, one login, and the call succeeds."""
    rule = "token_renewed_once"
    try:
        with _world(folder) as world:
            logins, call, context = _offered(world, "logins"), _call(world), world.context()
            connector = folder.build(context)
            call(connector)
            call(connector)
            before = int(logins())
            if before != 1:
                yield Finding(rule=rule, says=f"two calls logged in {before} times", next="keep the token with context.remember")
            _offered(world, "expire_tokens")()
            call(connector)
            if (more := int(logins()) - before) != 1:
                yield Finding(
                    rule=rule, says=f"an expired token was renewed {more} times", next="renew it once and repeat the call"
                )
            call(folder.build(context))
            if int(logins()) - before != 1:
                yield Finding(
                    rule=rule, says="another instance logs in again", next="look for the token with context.recall first"
                )
    except Lacking as lack:
        yield _lacking(rule, lack)
    except Problem as problem:
        yield Finding(
            rule=rule, says=f"with an expired token the call {_told(problem)}", next="renew the token once and repeat the call"
        )


def paging(folder: Folder) -> Iterator[Finding]:
    """Every stream read to its end; then stopped after each page and taken up again by another instance from the cursor kept."""
    rule = "paging"
    try:
        with _world(folder) as world:
            for stream in _pulled(folder, world):
                yield from _resumes(folder, world.context, stream)
    except Lacking as lack:
        yield _lacking(rule, lack)
    except Problem as problem:
        yield Finding(rule=rule, says=f"pulling {_told(problem)}", next="seed the world so that every stream can be read")


def _resumes(folder: Folder, context: Callable[[], Context], stream: str) -> Iterator[Finding]:
    pages = _pages(folder, context(), stream, None)
    whole = _by_key(pages)
    if len(pages) < _PAGES:
        says = f"the stream {stream} has {len(pages)} pages in the world of tests/certify.py"
        yield Finding(rule="paging", says=says, next="seed at least three pages, with small ones")
        return
    if not pages[-1].complete:
        yield Finding(rule="paging", says=f"the last page of {stream} is not complete", next="set complete=True on it")
    for stop in range(1, len(pages) + 1):
        cursor = msgspec.json.decode(msgspec.json.encode(pages[stop - 1].cursor), type=Cursor)
        rest = _by_key(_pages(folder, context(), stream, cursor))
        lost = whole.keys() - _by_key(pages[:stop]).keys() - rest.keys()
        if lost:
            says = f"{stream}: stopped after page {stop}, {len(lost)} raws never come, e.g. {sorted(lost)[0]}"
            yield Finding(rule="paging", says=says, next="begin at the cursor, and break ties on the id")
        doubled = [key for key, body in rest.items() if key not in whole or whole[key] != body]
        if doubled:
            says = f"{stream}: stopped after page {stop}, what is read again looks new, e.g. {doubled[0]}"
            yield Finding(rule="paging", says=says, next="make a raw's key and bytes the same however it is read")


def _pages(folder: Folder, context: Context, stream: str, cursor: Cursor | None) -> list[Page]:
    pages = []
    for page in folder.build(context).pull(stream, cursor):
        pages.append(page)
        if page.complete or len(pages) > 1000:
            break
    return pages


def _by_key(pages: list[Page]) -> dict[str, bytes]:
    raws: list[Raw] = [raw for page in pages for raw in page.raws]
    return {raw.key: raw.body for raw in raws}


def _pulled(folder: Folder, world: Any) -> list[str]:
    """The streams that are pulled: those of the manifest, or those that the world names where some only come by webhook."""
    named = getattr(world, "streams", None)
    return list(named) if named is not None else list(folder.manifest.streams)


# --- the world ---------------------------------------------------------------------------------------------------


def _world(folder: Folder) -> Any:
    world = folder.world()
    if world is None:
        raise Lacking("world()")
    return world


def _offered(world: Any, name: str) -> Callable[..., Any]:
    found = getattr(world, name, None)
    if not callable(found):
        raise Lacking(f"{name}() on its world")
    called: Callable[..., Any] = found
    return called


def _call(world: Any) -> Callable[[Any], object]:
    """One call that needs a login."""
    own = getattr(world, "call", None)
    if callable(own):
        called: Callable[[Any], object] = own
        return called
    return lambda connector: connector.probe()


def _lacking(rule: str, lack: Lacking) -> Finding:
    return Finding(
        rule=rule,
        says=f"tests/certify.py does not offer {lack}",
        next="offer it, as connectors/README.md describes, or say in quality.toml why the rule does not apply",
        where="tests/certify.py",
    )


def _must_raise(rule: str, call: Callable[[], object], expected: type[Problem], what: str) -> Iterator[Finding]:
    try:
        call()
    except expected:
        return
    except Exception as error:
        yield Finding(rule=rule, says=f"{what} {_told(error)}", next=f"raise {expected.__name__}")
        return
    yield Finding(rule=rule, says=f"{what} says that all is well", next=f"raise {expected.__name__}")


def _told(error: Exception) -> str:
    return f"raises {type(error).__name__}: {error}"
