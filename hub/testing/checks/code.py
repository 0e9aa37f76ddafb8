"""What the modules' source shows: imports, floats, the clock, other ways to the network, logging, type ignores."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from hub.testing.finding import Finding
from hub.testing.folder import Folder

THIRD_PARTY = frozenset({"msgspec", "cryptography", "lxml", "python_calamine"})
_HOUSE = frozenset({"hub", "connectors", "mappings", "reconciliation", "webhooks"})
# The hub does these for every connector: time-outs, redaction, the egress guard, one clock, one log.
_NETWORK = frozenset(
    {"socket", "ssl", "http", "urllib.request", "ftplib", "smtplib", "imaplib", "poplib", "telnetlib", "xmlrpc", "socketserver"}
)
_AROUND = frozenset(
    {"subprocess", "threading", "asyncio", "multiprocessing", "time", "sched", "os", "shutil", "tempfile", "pickle", "ctypes"}
)
_LOGGING = frozenset({"logging", "structlog", "warnings"})
_NOT_PURE = frozenset({"random", "secrets", "uuid", "locale", "getpass", "platform"})
_CLOCK = frozenset({"now", "utcnow", "today"})


def imports(folder: Folder) -> Iterator[Finding]:
    """Of ours `hub.sdk` and the folder itself; of others what the guide lists; nothing of the standard library that goes around the hub."""
    for path in folder.modules:
        for module, line in _imported(path, folder):
            next_ = _instead(module, path, folder)
            if next_:
                yield _at("imports", path, line, f"it imports {module}", next_)
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CLOCK:
                owner = ast.unparse(node.func.value)
                if owner in ("datetime", "date", "datetime.datetime", "datetime.date"):
                    says = f"it reads the clock with {owner}.{node.func.attr}()"
                    yield _at("imports", path, node.lineno, says, "use context.clock.now()")


def _instead(module: str, path: Path, folder: Folder) -> str | None:
    """What to do in place of importing this module; `None` where it is allowed."""
    top = module.partition(".")[0]
    if _one_of(module, frozenset({"hub.sdk", f"connectors.{folder.name}", folder.name})):
        return None
    if top in _HOUSE:
        return "import what you need from hub.sdk; ask for it if it is not there"
    if top not in sys.stdlib_module_names and top not in THIRD_PARTY:
        return f"use the standard library or one of {', '.join(sorted(THIRD_PARTY))}"
    if _one_of(module, _NETWORK | _AROUND):
        return "use context.http, context.clock and what hub.sdk offers"
    if path.stem.startswith("normalise") and _one_of(module, _NOT_PURE):
        return "keep a normaliser pure: derive ids, take times from the raw"
    return None


def no_float(folder: Folder) -> Iterator[Finding]:
    """No float where facts are made. A client may count seconds in floats: they are no fact."""
    for path in folder.modules:
        if path.stem.startswith("client"):
            continue
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                yield _at("no_float", path, node.lineno, f"it holds the float {node.value}", "write a Decimal, or a whole number")
            if isinstance(node, ast.Name) and node.id == "float":
                yield _at("no_float", path, node.lineno, "it uses float", "use Decimal for amounts and quantities")


def only_the_hubs_client(folder: Folder) -> Iterator[Finding]:
    """No way to the network but `context.http`, which has time-outs for every phase."""
    for path in folder.modules:
        for module, line in _imported(path, folder):
            if _one_of(module, _NETWORK | {"httpx", "requests", "urllib3", "aiohttp"}):
                yield _at("timeouts", path, line, f"it imports {module}", "make every request with context.http")


def leaves_logging_to_the_hub(folder: Folder) -> Iterator[Finding]:
    """The hub writes one line when an outage starts and one when it ends; a connector that logs as well would repeat itself."""
    for path in folder.modules:
        for module, line in _imported(path, folder):
            if _one_of(module, _LOGGING):
                yield _at("outage_logged", path, line, f"it imports {module}", "raise a Problem; the hub logs it once")
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                yield _at("outage_logged", path, node.lineno, "it prints", "raise a Problem; the hub logs it once")


def strict_types(folder: Folder) -> Iterator[Finding]:
    for path in folder.modules:
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"#\s*type:\s*ignore", text):
                yield _at("strict_types", path, line, "a type error is ignored", "say the type as it is")


def _imported(path: Path, folder: Folder) -> Iterator[tuple[str, int]]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            module = str(node.module)
            # `from urllib import request` is an import of urllib.request.
            nested = [f"{module}.{alias.name}" for alias in node.names if module in ("urllib", "hub")]
            yield from ((name, node.lineno) for name in nested or [module])
        elif isinstance(node, ast.ImportFrom) and node.level > len(path.relative_to(folder.path).parts):
            yield f"connectors.{node.module or ''}", node.lineno


def _one_of(module: str, names: frozenset[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=path.name)


def _at(rule: str, path: Path, line: int, says: str, next_: str) -> Finding:
    return Finding(rule=rule, says=says, next=next_, where=f"{path.name}:{line}")
