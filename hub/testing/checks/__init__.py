"""The checks of the certification suite; each takes a folder and yields what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hub.testing.checks import cases, code, deliveries, manifest, vendor
from hub.testing.finding import Finding
from hub.testing.folder import Folder

Check = Callable[[Folder], Iterator[Finding]]

CHECKS: Mapping[str, Check] = {
    "manifest_valid": manifest.valid,
    "abilities_match": manifest.abilities_match,
    "settings_described": manifest.settings_described,
    "owner": manifest.has_owner,
    "readme": manifest.readme,
    "imports": code.imports,
    "no_float": code.no_float,
    "timeouts": code.only_the_hubs_client,
    "outage_logged": code.leaves_logging_to_the_hub,
    "strict_types": code.strict_types,
    "cases": cases.give_what_they_should,
    "same_bytes": cases.same_bytes,
    "ids": cases.ids,
    "nobody_real": cases.nobody_real,
    "case_sources": cases.say_their_source,
    "replay_creates_nothing": cases.replay_creates_nothing,
    "random_bytes": cases.random_bytes,
    "refuses_forged": deliveries.refuses_forged,
    "probe_tells_apart": vendor.probe_tells_apart,
    "retry_after": vendor.retry_after,
    "paging": vendor.paging,
    "token_renewed_once": vendor.token_renewed_once,
}

__all__ = ["CHECKS", "Check"]
