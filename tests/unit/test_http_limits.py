"""Laws of the limits and of masking."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import RateLimited, Unreachable
from hub.core.manifest import Limit
from hub.redact import MASK, is_secret_name, masked_headers, masked_url
from hub.throttle import Breaker, Throttle

START = datetime(2026, 1, 2, tzinfo=UTC)


class Ticking:
    """A clock that moves only when somebody sleeps or a test says so."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@given(
    st.lists(st.floats(min_value=0, max_value=3), max_size=60),
    st.integers(min_value=1, max_value=5),
    st.sampled_from([0.5, 1.0, 10.0]),
)
def test_no_window_ever_holds_more_calls_than_the_limit(pauses: list[float], calls: int, seconds: float) -> None:
    """However the calls come, any stretch of the limit's length has at most that many; and what is put off fits when it is due."""
    clock = Ticking()
    throttle = Throttle((Limit(calls=calls, seconds=seconds),), clock, connection="c")
    gone: list[datetime] = []

    for pause in pauses:
        clock.sleep(pause)
        try:
            throttle.enter()
        except RateLimited as limited:
            clock.sleep(limited.after)
            throttle.enter()
        gone.append(clock.now())

    for first, last in zip(gone, gone[calls:], strict=False):
        assert last - first >= timedelta(seconds=seconds) - timedelta(microseconds=2)


def test_every_limit_holds_and_the_longest_wait_counts() -> None:
    """A connection may have a limit a second and one an hour."""
    clock = Ticking()
    throttle = Throttle((Limit(calls=2, seconds=1), Limit(calls=3, seconds=3600)), clock, connection="c")

    for _ in range(3):
        throttle.enter()
    with pytest.raises(RateLimited) as limited:
        throttle.enter()

    assert limited.value.after > 3590


def test_threads_share_one_limit() -> None:
    """Calls at the same moment from many threads do not slip through together."""
    throttle = Throttle((Limit(calls=5, seconds=60),), Ticking(), connection="c")
    refused: list[RateLimited] = []

    def call() -> None:
        try:
            throttle.enter()
        except RateLimited as limited:
            refused.append(limited)

    threads = [threading.Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 15


@given(st.lists(st.sampled_from(["ok", "bad", "none", "wait"]), max_size=80))
def test_the_breaker_is_open_only_after_failures_in_a_row(told: list[str]) -> None:
    """Whatever happens: it opens after three failures without a success between, and a success always closes it."""
    clock = Ticking()
    breaker = Breaker(clock, connection="c", failures=3, rest=10)
    failed = 0

    for what in told:
        if what == "wait":
            clock.sleep(10)
            continue
        try:
            breaker.enter()
        except Unreachable:
            assert breaker.state == "open"
            assert failed >= 3
            continue
        breaker.leave({"ok": True, "bad": False, "none": None}[what])
        failed = {"ok": 0, "bad": failed + 1, "none": failed}[what]
        assert (breaker.state == "closed") == (failed < 3)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Cookie",
        "Set-Cookie",
        "X-Tsign-Open-Ca-Signature",
        "X-JDY-Signature",
        "access_token",
        "corpsecret",
        "key",
        "sig",
        "OSSAccessKeyId",
        "X-Amz-Security-Token",
        "password",
        "api_key",
        "suite_ticket",
    ],
)
def test_names_of_secrets_are_known(name: str) -> None:
    """The names that vendors give to what must not be shown."""
    assert is_secret_name(name)
    assert masked_headers({name: "x"}) == {name: MASK}


@pytest.mark.parametrize("name", ["page", "Content-Type", "sku", "keyword", "design", "X-Tsign-Open-App-Id", "Accept", "monkey"])
def test_other_names_are_left_readable(name: str) -> None:
    """What helps in finding a fault stays."""
    assert not is_secret_name(name)
    assert masked_headers({name: "x"}) == {name: "x"}


@given(
    st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=8, max_size=20),
    st.sampled_from(
        [
            "https://u:{}@vendor.example/x",
            "https://vendor.example/x?key={}",
            "https://vendor.example/x?a=1&access_token={}#top",
            "https://vendor.example/hook/{}/send?page=1",
            "https://vendor.example/x?page={}",
        ]
    ),
)
def test_a_known_secret_is_in_no_masked_address(secret: str, shape: str) -> None:
    """By its name, and wherever it stands by its value."""
    assert secret not in masked_url(shape.format(secret), [secret])
    if "key=" in shape or "token=" in shape or "u:" in shape:
        assert secret not in masked_url(shape.format(secret))
