"""What the cases show: they give what they should, always the same, with ids that are stable and distinct, and nobody in them is real."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from hub.core.errors import Problem, Unreadable
from hub.testing.cases import ERROR, EXPECTED, Case, Meaning, context_of, load_cases, meaning, raws_of
from hub.testing.fakes import NOON
from hub.testing.finding import Finding
from hub.testing.folder import Folder
from hub.testing.sealed import sealed


def give_what_they_should(folder: Folder) -> Iterator[Finding]:
    """At least three cases, one that yields no event and one that is refused or parks something; each equals what is written beside it."""
    try:
        cases = load_cases(folder)
    except Problem as problem:
        yield Finding(rule="cases", says=problem.happened, next=problem.next, where=f"fixtures/{problem.about.get('case', '')}")
        return
    if len(cases) < 3:
        says = f"there are {len(cases)} cases"
        yield Finding(
            rule="cases", says=says, next="put an anonymised answer into fixtures/<what it shows>/raw.json", where="fixtures"
        )
    found = []
    for case in cases:
        try:
            found.append(meaning(folder, case))
        except Exception as error:  # an author's defect is a finding, not the end of the suite
            yield _about(
                case, f"the connector stumbled: {type(error).__name__}: {error}", "only Unreadable may leave a normaliser"
            )
            continue
        yield from _as_written(folder, case, found[-1])
    if cases and not any(one.file == EXPECTED and not one.events and not one.parked for one in found):
        yield Finding(
            rule="cases", says="no case is empty", next="add one that holds no fact, e.g. a day without rows", where="fixtures"
        )
    if cases and not any(one.file == ERROR or one.parked for one in found):
        yield Finding(
            rule="cases", says="no case is broken", next="add one that cannot be read, with its error.txt", where="fixtures"
        )


def _as_written(folder: Folder, case: Case, now: Meaning) -> Iterator[Finding]:
    expected = case.expected
    if expected is None or not (case.folder / now.file).exists():
        yield _about(case, f"{now.file} is missing", f"run shuniu accept {folder.name} {case.name}, and read what it writes")
    elif expected != now.text:
        yield _about(
            case, "it gives something else than is written:\n" + difference(expected, now.text), "mend the code, or accept it"
        )


def difference(expected: str, now: str) -> str:
    """What changed, in the form of a unified diff of at most 60 lines."""
    lines = difflib.unified_diff(expected.splitlines(), now.splitlines(), "written", "now", lineterm="", n=2)
    return "\n".join(line for line, _ in zip(lines, range(60), strict=False))


def same_bytes(folder: Folder) -> Iterator[Finding]:
    """Twice, from two instances of the connector, with everything outside shut off."""
    for case in _loaded(folder):
        try:
            meaning(folder, case)  # what is loaded lazily is loaded outside
            with sealed():
                first, second = meaning(folder, case), meaning(folder, case)
        except Exception as error:
            yield _about(
                case, f"it needs more than the raw: {error}", "derive ids, take times from the raw, ask nobody", "same_bytes"
            )
            continue
        if first.text != second.text or _bodies(first) != _bodies(second):
            yield _about(
                case,
                "it gives other bytes the second time",
                "leave out the order of sets, ids at random and the time",
                "same_bytes",
            )
        yield from (_about(case, f"{where} is a float", "use Decimal", "same_bytes") for where in _floats(first))


def _bodies(found: Meaning) -> list[tuple[str, str, bytes]]:
    return [(raw.stream, raw.key, raw.body) for raw in found.raws]


def _floats(found: Meaning) -> Iterator[str]:
    def walk(value: Any, where: str) -> Iterator[str]:
        if isinstance(value, float):
            yield where
        elif isinstance(value, dict):
            for name, one in value.items():
                yield from walk(one, f"{where}.{name}")
        elif isinstance(value, list | tuple):
            for place, one in enumerate(value):
                yield from walk(one, f"{where}.{place}")

    for event in found.events:
        yield from walk(msgspec.to_builtins(event.data), event.type)


def ids(folder: Folder) -> Iterator[Finding]:
    """No two events of a case share an id unless they are the same fact; no two raws of a case share key and differ."""
    for case, found in _meant(folder):
        facts = {event.id: event for event in found.events}
        twice = [id_ for id_, times in Counter(event.id for event in found.events).items() if times > 1]
        for id_ in twice:
            different = [event for event in found.events if event.id == id_ and event.data != facts[id_].data]
            if different:
                says = f"two different facts are called {different[0].type} {different[0].subject}"
                yield _about(case, says, "give each a subject of its own", "ids")
        bodies: dict[str, bytes] = {}
        for raw in found.raws:
            if bodies.setdefault(raw.key, raw.body) != raw.body:
                yield _about(case, f"two different raws have the key {raw.key}", "put what tells them apart into the key", "ids")


def replay_creates_nothing(folder: Folder) -> Iterator[Finding]:
    """What arrives again on another day means the same facts, with the same ids."""
    later_on = NOON + timedelta(days=400)
    for (case, first), (_, later) in zip(_meant(folder), _meant(folder, received_at=later_on), strict=True):
        if [event.id for event in first.events] != [event.id for event in later.events] or _bodies(first) != _bodies(later):
            yield _about(
                case, "on another day it makes new facts", "derive ids from the raw's key alone", "replay_creates_nothing"
            )


def say_their_source(folder: Folder) -> Iterator[Finding]:
    for case in _loaded(folder):
        if len(case.meta.source) < 5:
            yield _about(case, "it does not say where it came from", "write source = … into raw.meta.toml", "case_sources")


def random_bytes(folder: Folder) -> Iterator[Finding]:
    """Every case cut off and with bytes changed, the same ones each time; and nonsense."""
    for case in _loaded(folder):
        for broken in _broken(case.body):
            try:
                _read_all(folder, case, broken)
            except Unreadable:
                continue
            except Exception as error:
                says = f"broken bytes raise {type(error).__name__}: {error} (they begin {broken[:40]!r}, {len(broken)} long)"
                yield _about(case, says, "raise Unreadable with the rule and the place", "random_bytes")
                break


def _broken(body: bytes) -> Iterator[bytes]:
    chance = Random(20260302)  # noqa: S311 - the same damage each time
    yield from (b"", b"\x00", b"\xff" * 64, b"[" * 5000, b'{"a":' * 2000, b"null", b'"text"', b"12", b"[]", b"{}")
    for _ in range(20):
        yield body[: chance.randrange(len(body) + 1)]
    for _ in range(30):
        changed = bytearray(body)
        for _ in range(chance.randint(1, 4)):
            if changed:
                changed[chance.randrange(len(changed))] = chance.randrange(256)
        yield bytes(changed)


def _read_all(folder: Folder, case: Case, body: bytes) -> None:
    manifest = folder.manifest
    connector: Any = folder.build(context_of(folder, case, manifest))
    if hasattr(connector, "read") and not case.meta.stream:
        connector.recognises(case.file.name, body[:4096])
        for raw in connector.read(case.file.name, body):
            try:
                list(connector.normalise(raw))
            except Unreadable:
                continue
        return
    for raw in raws_of(connector, case, manifest):
        list(connector.normalise(msgspec.structs.replace(raw, body=body)))


# --- nobody in a fixture is real ---------------------------------------------------------------------------------

_MOBILE = re.compile(rb"(?<!\d)1[3-9]\d{9}(?!\d)")
_IDENTITY = re.compile(rb"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)")
_CARD = re.compile(rb"(?<!\d)\d{16,19}(?!\d)")
_MAIL = re.compile(rb"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
_SECRET = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bxox[baprs]-[0-9A-Za-z-]{10,}|\bgh[pousr]_[0-9A-Za-z]{30,}"
)
_MADE_UP_MAIL = (b"example.com", b"example.org", b"example.net", b".example", b".test", b".invalid")


def nobody_real(folder: Folder) -> Iterator[Finding]:
    for case in _loaded(folder):
        for path in sorted(case.folder.iterdir()):
            body = path.read_bytes() if path.name not in (EXPECTED, ERROR) else b""
            for value in case.meta.published:
                body = body.replace(value.encode(), b"")
            for what, next_ in _suspicious(body):
                yield Finding(rule="nobody_real", says=what, next=next_, where=path.relative_to(folder.path).as_posix())


def _suspicious(body: bytes) -> Iterator[tuple[str, str]]:
    """What looks like somebody's. Names cannot be told apart from made-up ones: the reviewer reads them."""
    for found in _MOBILE.findall(body):
        if not found.startswith(b"1990000"):
            yield f"{found.decode()} may be a mobile number", "use one that begins with 1990000"
    identities = set(_IDENTITY.findall(body))
    for found in identities:
        if not found.startswith(b"110101190001"):
            yield f"{found.decode()} may be an identity-card number", "use one that begins with 110101190001"
    for found in set(_CARD.findall(body)) - identities:
        if _luhn(found) and not found.startswith(b"6200000"):
            yield f"{found.decode()} may be a bank card", "change its last digit, or use one that begins with 6200000"
    for domain in _MAIL.findall(body):
        if not domain.lower().endswith(_MADE_UP_MAIL):
            yield f"an address at {domain.decode()} may be somebody's", "use example.com"
    if _SECRET.search(body):
        yield "there is something that looks like a key or token", "put a made-up one in its place"


def _luhn(digits: bytes) -> bool:
    """The check digit of ISO/IEC 7812: what passes may be somebody's card."""
    if len(set(digits)) == 1:
        return False  # nobody's
    total = 0
    for place, digit in enumerate(reversed(digits.decode())):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _loaded(folder: Folder) -> list[Case]:
    try:
        return load_cases(folder)
    except Problem:  # told by `cases`
        return []


def _meant(folder: Folder, *, received_at: datetime | None = None) -> Iterator[tuple[Case, Meaning]]:
    """Every case with what it means; one that stumbles is left out, since `cases` tells of it."""
    for case in _loaded(folder):
        found: Meaning | None = None
        with suppress(Exception):
            found = meaning(folder, case, received_at=received_at)
        if found is not None:
            yield case, found


def _about(case: Case, says: str, next_: str, rule: str = "cases") -> Finding:
    return Finding(rule=rule, says=says, next=next_, where=f"fixtures/{case.name}")
