"""Sealed secrets open where they belong, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import Misconfigured
from hub.crypto import Seal, SealBroken

OLD, NEW, OTHER = Seal.generate_key(), Seal.generate_key(), Seal.generate_key()
HERE = "acme/chat-main/qyapi.weixin.qq.com"


@given(plain=st.text(), bound_to=st.text())
def test_what_is_sealed_opens_again(plain: str, bound_to: str) -> None:
    """Any text sealed for any binding opens for that binding."""
    seal = Seal(OLD)

    sealed = seal.seal(plain, bound_to=bound_to)

    assert seal.open(sealed, bound_to=bound_to) == plain


@given(plain=st.text(min_size=1), here=st.text(), there=st.text())
def test_a_moved_value_does_not_open(plain: str, here: str, there: str) -> None:
    """A value sealed for one connection does not open for another one, whatever the names are."""
    seal = Seal(OLD)

    sealed = seal.seal(plain, bound_to=here)

    if here != there:
        with pytest.raises(SealBroken):
            seal.open(sealed, bound_to=there)


def test_the_binding_is_not_a_prefix() -> None:
    """Text cannot slide between the binding and the value."""
    seal = Seal(OLD)

    sealed = seal.seal("bc", bound_to="a")

    with pytest.raises(SealBroken):
        seal.open(sealed, bound_to="ab")


def test_an_old_key_opens_and_rotation_leaves_it_behind() -> None:
    """After rotation the value opens with the new key alone."""
    sealed = Seal(OLD).seal("s3cret", bound_to=HERE)

    rotated = Seal(f"{NEW}, {OLD}").rotate(sealed, bound_to=HERE)

    assert Seal(f"{NEW},{OLD}").open(sealed, bound_to=HERE) == "s3cret"
    assert Seal(NEW).open(rotated, bound_to=HERE) == "s3cret"
    with pytest.raises(SealBroken):
        Seal(NEW).open(sealed, bound_to=HERE)


def test_the_first_key_seals() -> None:
    """What two keys seal opens with the first one alone."""
    sealed = Seal(f"{NEW},{OLD}").seal("x", bound_to=HERE)

    assert Seal(NEW).open(sealed, bound_to=HERE) == "x"


@pytest.mark.parametrize("broken", ["", "x", "gAAAAA==", "密", "A" * 10_000])
def test_what_is_not_sealed_is_refused(broken: str) -> None:
    """Anything else is refused with a sentence, not a traceback of the library."""
    with pytest.raises(SealBroken):
        Seal(OLD).open(broken, bound_to=HERE)


def test_an_altered_value_is_refused() -> None:
    """One changed character is enough."""
    sealed = Seal(OLD).seal("s3cret", bound_to=HERE)
    altered = sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:]

    with pytest.raises(SealBroken):
        Seal(OLD).open(altered, bound_to=HERE)


@pytest.mark.parametrize(
    "keys", ["", " , ", "short", f"{NEW},密钥", "A" * 44 + "!"], ids=["none", "commas", "short", "words", "long"]
)
def test_a_key_that_cannot_work_is_named_not_shown(keys: str) -> None:
    """A broken key is refused, and the error does not repeat it."""
    with pytest.raises(Misconfigured) as caught:
        Seal(keys)

    assert keys.strip(" ,") == "" or keys not in str(caught.value)


def test_errors_hold_no_material() -> None:
    """Neither the sealed text nor the keys nor the plain text are in the error or its cause."""
    sealed = Seal(OLD).seal("s3cret", bound_to=HERE)

    with pytest.raises(SealBroken) as caught:
        Seal(OTHER).open(sealed, bound_to=HERE)

    told = f"{caught.value} {caught.value.as_dict()} {caught.value.__cause__}"
    assert not any(secret in told for secret in (sealed, OLD, OTHER, "s3cret"))
