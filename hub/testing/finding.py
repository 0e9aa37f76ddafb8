"""What a check says: which rule is not kept, where, and what to do next."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is missing or wrong. `rule` is a name of `hub.testing.rules`."""

    rule: str
    says: str
    next: str
    where: str = ""

    def __str__(self) -> str:
        place = f" [{self.where}]" if self.where else ""
        return f"{self.rule}{place}: {self.says}. Next: {self.next}"
