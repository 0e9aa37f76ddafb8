"""No network, no clock and no chance, for as long as a block lasts."""

from __future__ import annotations

import os
import random
import secrets
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock


class Touched(AssertionError):
    """Something that ought to be pure reached for the world outside."""


@contextmanager
def sealed() -> Iterator[None]:
    """Inside, opening a socket, asking for a name, the time or a random number raises `Touched`.

    `datetime.now` cannot be replaced from outside; the suite looks for it in the source.
    """
    places: list[tuple[Any, str]] = [
        (socket.socket, "connect"),
        (socket.socket, "connect_ex"),
        (socket, "create_connection"),
        (socket, "getaddrinfo"),
        (time, "time"),
        (time, "time_ns"),
        (time, "sleep"),
        (random, "random"),
        (random, "randint"),
        (random, "choice"),
        (secrets, "token_bytes"),
        (secrets, "token_hex"),
        (secrets, "token_urlsafe"),
        (uuid, "uuid1"),
        (uuid, "uuid4"),
        (os, "urandom"),
    ]
    patches = [mock.patch.object(owner, name, _refusing(f"{getattr(owner, '__name__', owner)}.{name}")) for owner, name in places]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()


def _refusing(name: str) -> Callable[..., Any]:
    def refuse(*_: object, **__: object) -> Any:
        raise Touched(f"{name} was called where everything must come from the raw")

    return refuse
