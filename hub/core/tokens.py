"""Access tokens: fetched once, kept for most of their life, and fetched once more when the vendor no longer takes them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from hub.core.connector import Context

_KEPT_FOR = 0.9  # of the life that the vendor names, so that a token does not end between our check and their check

# One lock a token and process. Callers are few (connections of this process), so the locks are kept.
_locks: dict[tuple[str, str, str], Lock] = {}
_making = Lock()


def token(context: Context, name: str, login: Callable[[], tuple[str, float]], *, refused: str | None = None) -> str:
    """The token `name` of this connection; `login` is called where none is kept, and by one caller at a time.

    `login` gives the token and its life in seconds. After the vendor has refused a token, call again with it as
    `refused`: it is replaced, unless another caller has done so meanwhile. Call so once a request, not in a loop:
    vendors block those who log in again and again.
    """
    kept = context.recall(name)
    if kept is not None and kept != refused:
        return kept
    with _lock(context, name):
        kept = context.recall(name)
        if kept is not None and kept != refused:
            return kept
        fresh, seconds = login()
        context.remember(name, fresh, seconds * _KEPT_FOR)
        return fresh


def _lock(context: Context, name: str) -> Lock:
    with _making:
        return _locks.setdefault((context.tenant, context.connection, name), Lock())
