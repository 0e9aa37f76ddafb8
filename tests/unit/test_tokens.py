"""A token is fetched once, whoever asks, and renewed once when it is refused."""

from collections.abc import Callable
from threading import Barrier, Thread

from hub.core.clock import SystemClock
from hub.core.connector import Answer, Context
from hub.core.tokens import token


class NoHttp:
    def request(self, method: str, url: str, **_: object) -> Answer:
        raise AssertionError("a token needs no network of its own")


def connection(name: str) -> Context:
    kept: dict[str, str] = {}

    def remember(key: str, value: str, seconds: float) -> None:
        kept[key] = value

    return Context(
        tenant="acme", connection=name, settings={}, http=NoHttp(), clock=SystemClock(), recall=kept.get, remember=remember
    )


def counted() -> tuple[list[str], Callable[[], tuple[str, float]]]:
    made: list[str] = []

    def login() -> tuple[str, float]:
        made.append(f"token-{len(made) + 1}")
        return made[-1], 7200

    return made, login


def test_the_token_is_kept() -> None:
    """A second call uses the first one's token."""
    made, login = counted()
    context = connection("kept")

    assert [token(context, "access", login), token(context, "access", login)] == ["token-1", "token-1"]
    assert made == ["token-1"]


def test_a_refused_token_is_replaced_once() -> None:
    """Two callers that were refused the same token share one new one."""
    made, login = counted()
    context = connection("refused")
    old = token(context, "access", login)

    assert token(context, "access", login, refused=old) == "token-2"
    assert token(context, "access", login, refused=old) == "token-2"
    assert made == ["token-1", "token-2"]


def test_many_callers_make_one_login() -> None:
    """Eight threads that find no token at the same time log in once."""
    made, login = counted()
    context = connection("crowd")
    together, got = Barrier(8), []

    def ask() -> None:
        together.wait()
        got.append(token(context, "access", login))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == ["token-1"] * 8
    assert made == ["token-1"]


def test_a_token_is_given_up_before_it_ends() -> None:
    """It is kept for nine tenths of the life that the vendor names."""
    lives: list[float] = []
    context = Context(
        tenant="acme",
        connection="life",
        settings={},
        http=NoHttp(),
        clock=SystemClock(),
        remember=lambda name, value, seconds: lives.append(seconds),
    )

    token(context, "access", lambda: ("t", 7200))

    assert lives == [6480]
