"""A new connector's folder, copied from the template: it runs, and `shuniu check` says what to put in."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from hub.core.errors import Conflict, Invalid

KINDS = ("bank", "wallet", "erp", "sign", "crm", "chat", "mail", "sms", "file", "http")
_NAME = re.compile(rf"(?P<kind>{'|'.join(KINDS)})_(?P<vendor>[a-z][a-z0-9]*(?:_[a-z0-9]+)*)")
_TEMPLATE = Path(__file__).with_name("template")
_SUFFIX = ".txt"


def new(name: str, where: Path) -> Path:
    """Make the folder `where/name` and return it. Raises `Invalid` for a name that is no `<kind>_<vendor>`, `Conflict` where it exists."""
    matched = _NAME.fullmatch(name)
    if matched is None:
        raise Invalid(
            happened="the name is not <kind>_<vendor> in lower case",
            next=f"begin it with one of {', '.join(KINDS)}, e.g. crm_example",
            name=name[:100],
        )
    folder = where / name
    if folder.exists():
        raise Conflict(happened="there is already something of that name", next=f"run shuniu check {name}", folder=name)
    words = {"name": name, "kind": matched["kind"], "title": matched["vendor"].replace("_", " ").capitalize()}
    made = where / f".{name}.new"
    shutil.rmtree(made, ignore_errors=True)
    for template in sorted(_TEMPLATE.rglob(f"*{_SUFFIX}")):
        target = made / template.relative_to(_TEMPLATE).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_filled(template.read_text(encoding="utf-8"), words), encoding="utf-8")
    made.rename(folder)  # all of it is there, or nothing
    return folder


def _filled(text: str, words: dict[str, str]) -> str:
    """The text with its words put in; every other brace stays."""
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    return text
