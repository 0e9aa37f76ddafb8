"""What Alipay's bills hold: every row, fees and refunds, totals that agree or not, and payouts."""

from __future__ import annotations

import io
import os
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.wallet_alipay.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Event, Ignored, Movement, Read, Statement, Unread, Unreadable
from hub.testing import context_for

FOLDER = Path(__file__).parents[1]
SHARED = Path(__file__).parents[3].parent / "shared" / "data"
MANIFEST = read_manifest(FOLDER / "manifest.toml")
TRADES = (FOLDER / "fixtures" / "trades_net_of_the_fee" / "raw.csv").read_bytes()
FUNDS = (FOLDER / "fixtures" / "receipts_from_the_fund_flow" / "raw.csv").read_bytes()
PACKED = (FOLDER / "fixtures" / "fund_flow_in_an_archive" / "raw.bin").read_bytes()


def connector(**settings: object) -> Connector:
    return Connector(context_for(MANIFEST, settings=settings))


def read(body: bytes, **settings: object) -> list[Read]:
    return list(connector(**settings).statements("bill.csv", io.BytesIO(body)))


def lines(found: list[Read]) -> list[Movement]:
    return [one for one in found if isinstance(one, Movement)]


def facts(body: bytes, **settings: object) -> list[Event | Ignored]:
    made = connector(**settings)
    return [found for raw in made.read("bill.csv", body) for found in made.normalise(raw)]


def changed(body: bytes, old: str, new: str) -> bytes:
    text = body.decode("gb18030")
    assert old in text
    return text.replace(old, new).encode("gb18030")


def test_a_persons_bill_that_somebody_else_collected_is_read_whole() -> None:
    """Every row of the file is a line: GB18030, cells padded with blanks, a comma at the end of each row."""
    path = SHARED / "statements/cn-double-entry-generator/alipay/example-alipay-records.csv"
    if not path.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("the bill is not beside the repository")
    body = path.read_bytes()
    written = [row for row in body.decode("gb18030").splitlines() if row[:2] == "20"]

    found = read(body)

    assert connector().recognises(path.name, body[:4096])
    assert len(lines(found)) == len(written) and not [one for one in found if isinstance(one, Unread)]
    statement = next(one for one in found if isinstance(one, Statement))
    assert (statement.account, statement.credits) == ("xx@gmail.com", Decimal("222228.50"))


def test_a_payment_is_net_of_its_fee_and_a_refund_names_it() -> None:
    """What the payer paid is the amount and the charges together, in both directions; a platform's prefix is off the order."""
    paid, prefixed, refund = lines(read(TRADES))

    assert (paid.amount, paid.charges, paid.amount + paid.charges) == (Decimal("1988.00"), Decimal("12.00"), Decimal("2000.00"))
    assert (prefixed.reference, prefixed.memo) == ("SO-2603-0012", "轴承 T200PSO-2603-0012")
    assert (refund.amount + refund.charges, refund.reversal, refund.end_to_end_id) == (Decimal("-99.00"), True, "RF-0012")
    assert [one.type for one in facts(TRADES) if isinstance(one, Event)][2] == "receipt.reversed"


def test_the_bill_is_found_behind_its_summary() -> None:
    """In the archive the summary may come first; the bill is chosen by its columns, also where only the beginning is seen."""
    padded = io.BytesIO()
    with zipfile.ZipFile(padded, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("summary.csv", "类型,笔数\n交易,1\n".encode("gb18030"))
        archive.writestr("detail.csv", FUNDS)

    assert connector().recognises("x.zip", PACKED[:65536]) and connector().recognises("x.zip", padded.getvalue()[:1500])
    assert not connector().recognises("x.zip", PACKED[:200])
    assert read(PACKED) == read(FUNDS) == read(padded.getvalue())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("支出合计：2笔，共-1500.00元", "支出合计：3笔，共-1500.00元", "支出笔数"),
        ("支出合计：2笔，共-1500.00元", "支出合计：2笔,共1,500.01元", "支出合计"),
        ("收入合计：1笔，共1000.00元", "收入合计：1笔，共999.00元", "收入合计"),
    ],
)
def test_totals_that_are_not_those_of_the_rows_are_told(old: str, new: str, says: str) -> None:
    """Counts and sums of both directions are compared; the untouched bill has nothing to tell."""
    wrong = [one for one in read(changed(FUNDS, old, new)) if isinstance(one, Unread)]

    assert [one.rule for one in wrong] == ["totals"] and says in wrong[0].happened
    assert not [one for one in read(FUNDS) if isinstance(one, Unread)]


def test_a_bookings_balance_is_checked() -> None:
    """A fund bill's rows lead from one balance to the next, or the statement says that they do not."""
    balanced = [
        one.balanced for body in (FUNDS, changed(FUNDS, "1494.00\t,支付宝", "1493.00\t,支付宝")) for one in read(body)[-1:]
    ]  # type: ignore[union-attr]

    assert balanced == [True, False]


@pytest.mark.parametrize(
    ("bill", "old", "new", "rule"),
    [
        (TRADES, "2000.00\t,2000.00", "2000.00\t,2..00", "amount"),
        (TRADES, "2000.00\t,2000.00", "2000.00\t,", "amount"),
        (TRADES, "2026-03-02 09:00:00", "2026-13-02 09:00:00", "day"),
        (TRADES, "AL-2026030222-01", "2.02E+27", "lost digits"),
        (FUNDS, " \t,-6.00", "6.00\t,-6.00", "two amounts"),
        (FUNDS, " \t,-6.00", " \t, ", "amount"),
        (FUNDS, "收费\t, \t", "收费\t, \t,x,y", "extra cells"),
    ],
)
def test_a_row_that_cannot_be_read_is_parked_and_the_others_go_on(bill: bytes, old: str, new: str, rule: str) -> None:
    """The refusal names rule and line; the totals, which hold that row too, are not compared."""
    found = read(changed(bill, old, new))

    assert [one.rule for one in found if isinstance(one, Unread)] == [rule]
    assert len(lines(found)) == len(lines(read(bill))) - 1
    assert len([one for one in found if isinstance(one, Statement)]) == 1


def test_a_persons_row_without_an_amount_is_parked_and_a_bill_without_a_period_is_read() -> None:
    """Nothing is booked where nothing is written; the account stands in from the settings."""
    header = "交易时间,交易分类,交易对方,对方账号,商品说明,收/支,金额,收/付款方式,交易状态,交易订单号,商家订单号,备注,"
    rows = [
        "2026-03-02 10:00:00,转账,某人,/,x,收入,,余额,交易成功,1,,,",
        "2026-03-03 10:00,转账,某人,/,x,收入,2.00,余额,交易成功,2,,,",
    ]
    body = "\n".join(["起始时间：[soon] 终止时间：[later]", header, *rows])

    found = read(body.encode(), account="2088000000000010")

    assert [type(one) for one in found] == [Unread, Movement, Statement]
    assert {one.account for one in found} == {"2088000000000010"}


def test_either_bill_alone_tells_of_an_orders_money() -> None:
    """Both bills name the same trade: the one that is not meant is left out, whichever is read first."""
    for receipts, bill, other in (("trade", TRADES, FUNDS), ("funds", FUNDS, TRADES)):
        told = [one for one in facts(bill, receipts=receipts) if isinstance(one, Event) and one.type == "receipt.received"]
        left = facts(other, receipts=receipts)

        assert told
        assert f"told by the {receipts} bill" in {one.rule for one in left if isinstance(one, Ignored)}
        assert not [one for one in left if isinstance(one, Event) and one.type.startswith("receipt")]


def test_a_payout_is_what_arrives_at_the_bank() -> None:
    """A withdrawal is told with its day and the wallet's account, the sixteen digits without the four behind them."""
    payout = next(one for one in facts(FUNDS) if isinstance(one, Event) and one.type == "payout.sent")

    assert (payout.data.amount, payout.data.account) == (Decimal("1494.00"), "2088000000000010")  # type: ignore[attr-defined]
    assert payout.time.isoformat() == "2026-03-01T18:00:00+00:00"


@given(st.integers(0, len(TRADES)), st.binary(max_size=60), st.sampled_from([TRADES, FUNDS, PACKED]))
def test_broken_bytes_only_raise_unreadable(cut: int, noise: bytes, bill: bytes) -> None:
    """A bill that is cut off, with anything in place of what follows, is read or refused by name."""
    body = bill[:cut] + noise
    made = connector()

    made.recognises("x", body[:4096])
    try:
        for raw in made.read("x", body):
            list(made.normalise(raw))
    except Unreadable as refused:
        assert refused.rule and refused.next
