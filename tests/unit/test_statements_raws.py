"""What a reversal takes back, whose line a line is, and what a receipt tells, the same for every format."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.event import Event, Ignored, Raw
from hub.statements import Movement, Remittance, Statement, Unread, normalised, statement_raws
from hub.testing.fakes import NOON

DAY = date(2026, 3, 2)


def line(amount: str, **told: Any) -> Movement:
    return Movement(**{"booked_on": DAY, "amount": Decimal(amount), "currency": "EUR", "account": "DE1", **told})


def raws(*reading: Movement | Unread | Statement, name: str = "a.xml", message: str = "") -> list[Raw]:
    return list(statement_raws(reading, name=name, file_digest="0", parser="test/1", message=message))


def meant(found: Iterable[Raw]) -> list[Event | Ignored]:
    stamped = (raw.stamped(tenant="t", connection="c", door="file", received_at=NOON) for raw in found)
    return [one for raw in stamped for one in normalised(raw, zone="Asia/Shanghai")]


RECEIPT = line("9.00", bank_reference="B1", end_to_end_id="E1", uetr="U1", party_name="A", party_account="X")


@pytest.mark.parametrize(
    "told",
    [
        {"undoes": "B1"},
        {"uetr": "U1"},
        {"party_name": " a ", "party_account": "X"},
        {"undoes": "unknown", "party_name": "A", "party_account": "X"},
    ],
)
def test_a_reversal_names_the_receipt_it_takes_back(told: dict[str, str]) -> None:
    """By the bank's reference, by the payment's id, or by other side and amount."""
    received, reversed_ = meant(raws(RECEIPT, line("-9.00", reversal=True, **told)))

    assert isinstance(received, Event) and isinstance(reversed_, Event)
    assert (reversed_.type, reversed_.subject) == ("receipt.reversed", received.subject)
    assert reversed_.data.unplaced is None


@pytest.mark.parametrize(
    ("before", "told", "says"),
    [
        ((), {}, "none"),
        ((RECEIPT,), {"party_name": "B"}, "none"),
        ((RECEIPT, line("9.00", party_name="A", party_account="X")), {"party_name": "A", "party_account": "X"}, "2"),
        ((RECEIPT, line("-9.00", reversal=True, uetr="U1")), {"uetr": "U1"}, "none"),
    ],
)
def test_a_reversal_that_fits_none_or_several_says_so(before: tuple[Movement, ...], told: dict[str, str], says: str) -> None:
    """Nobody guesses: it stands alone, with the reason."""
    *earlier, last = meant(raws(*before, line("-9.00", reversal=True, bank_reference="R9", **told)))

    assert isinstance(last, Event)
    assert last.data.unplaced.startswith(says)
    assert last.subject not in {one.subject for one in earlier if isinstance(one, Event)}


def test_lines_of_another_message_have_keys_of_their_own() -> None:
    """The same line told by a notification is not the line of the statement, nor is the statement the same."""
    told = (RECEIPT, Statement(format="f", account="DE1", currency="EUR"))

    plain, apart = raws(*told), raws(*told, message="camt.054")

    assert not {raw.key for raw in plain} & {raw.key for raw in apart}
    assert [raw.headers.get("message") for raw in (*plain, *apart)] == [None, None, "camt.054", "camt.054"]


def test_a_receipt_tells_what_the_payer_said() -> None:
    """Documents with amounts, the ultimate payer, charges and the original amount are in the fact."""
    told = {
        "remittances": (Remittance(reference="INV-1", amount=Decimal("9.50")),),
        "ultimate_party": "B",
        "charges": Decimal("0.50"),
        "original_amount": Decimal("10"),
        "original_currency": "USD",
    }

    (one,) = meant(raws(line("9.00", **told)))

    assert isinstance(one, Event)
    assert (one.data.remittances, one.data.ultimate_payer, one.data.charges) == (told["remittances"], "B", Decimal("0.50"))
    assert (one.data.original_amount, one.data.original_currency) == (Decimal(10), "USD")


@pytest.mark.parametrize(
    ("at", "when"),
    [
        (None, datetime(2026, 3, 1, 16, tzinfo=UTC)),
        (time(13), datetime(2026, 3, 2, 5, tzinfo=UTC)),
        (time(13, tzinfo=timezone(timedelta(hours=1))), datetime(2026, 3, 2, 12, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_tenants_unless_it_tells_its_offset(at: time | None, when: datetime) -> None:
    """A wall clock is read in the tenant's zone; a bank that tells its offset is believed."""
    (one,) = meant(raws(line("9.00", at=at)))

    assert isinstance(one, Event) and one.time == when


LINES = st.builds(
    lambda amount, reference, name: line(amount, bank_reference=reference, party_name=name),
    st.sampled_from(["1.00", "1.0", "-2.00"]),
    st.sampled_from(["", "R1", "R2"]),
    st.sampled_from(["", "A"]),
)


@given(st.lists(LINES, max_size=12))
def test_the_same_lines_are_the_same_raws_whatever_the_file(some: list[Movement]) -> None:
    """Name and place of a line are no part of it, and lines that are alike are told apart by how often they came."""
    moved = [msgspec.structs.replace(one, pointer=f"line {place}") for place, one in enumerate(some)]

    first, second = raws(*some), raws(*moved, name="b.xml")

    assert [(raw.key, raw.body) for raw in first] == [(raw.key, raw.body) for raw in second]
    assert len({raw.key for raw in first}) == len(some)
