"""What WeChat Pay's bills hold: every row, fees and refunds, totals that agree or not, and payouts."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.wallet_wechat.connector import Connector
from hub.core.manifest import read_manifest
from hub.sdk import Event, Ignored, Movement, Read, Statement, Unread, Unreadable
from hub.testing import context_for

FOLDER = Path(__file__).parents[1]
SHARED = Path(__file__).parents[3].parent / "shared" / "data"
MANIFEST = read_manifest(FOLDER / "manifest.toml")
TRADES = (FOLDER / "fixtures" / "trades_net_of_the_fee" / "raw.csv").read_bytes()
FUNDS = (FOLDER / "fixtures" / "fund_flow_until_the_payout" / "raw.csv").read_bytes()


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
    assert old in body.decode()
    return body.decode().replace(old, new).encode()


def test_a_persons_bill_that_somebody_else_collected_is_read_whole() -> None:
    """Every row of the file is a line; what was withdrawn left with its fee, and unknown types stop nothing."""
    path = SHARED / "statements/cn-double-entry-generator/wechat/example-wechat-records.csv"
    if not path.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("the bill is not beside the repository")
    body = path.read_bytes()
    written = [row for row in body.decode("utf-8-sig").splitlines() if row[:2] == "20"]

    found = read(body)

    assert connector().recognises(path.name, body[:4096])
    assert len(lines(found)) == len(written) and not [one for one in found if isinstance(one, Unread)]
    withdrawn = [one for one in lines(found) if one.code == "payout"]
    assert [(one.amount, one.charges) for one in withdrawn] == [
        (Decimal("-100.10"), Decimal("0.10")),
        (Decimal("-10.10"), Decimal("0.10")),
        (Decimal("-1001.10"), Decimal("1.00")),
    ]


def test_a_payment_is_net_of_its_fee_and_a_refund_names_it() -> None:
    """What the payer paid is the amount and the charges together, in both directions; a comma in the goods' name parts nothing."""
    paid, _, refund = lines(read(TRADES))

    assert (paid.amount, paid.charges, paid.amount + paid.charges) == (Decimal("994.00"), Decimal("6.00"), Decimal("1000.00"))
    assert (paid.reference, paid.memo) == ("SO-2603-0001", '阀门,6寸 "加厚"')
    assert (refund.amount + refund.charges, refund.reversal, refund.undoes) == (Decimal("-350.50"), True, "WX-4200-0302-02")
    assert [one.type for one in facts(TRADES) if isinstance(one, Event)][2] == "receipt.reversed"


@pytest.mark.parametrize("packed", ["plain", "gzip", "zip"])
def test_a_packed_bill_is_the_same_bill(packed: str) -> None:
    """GZIP, as the bill interface sends it, and ZIP, beside something else, are recognised and hold the same lines."""
    body = TRADES
    if packed == "gzip":
        body = gzip.compress(TRADES)
    if packed == "zip":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("note.txt", "nothing to see")
            archive.writestr("bill.csv", TRADES)
        body = file.getvalue()

    assert connector().recognises("x", body[:65536])
    assert read(body) == read(TRADES)


@pytest.mark.parametrize(
    ("bill", "old", "new", "says"),
    [
        (TRADES, "`3,`1350.50", "`4,`1350.50", "总交易单数"),
        (TRADES, "`6.00000,`1350.50,`350.50", "`6.10000,`1350.50,`350.50", "手续费总金额"),
        (TRADES, "`3,`1350.50,`350.50", "`3,`1350.50,`350.00", "退款总金额"),
        (FUNDS, "`3.0,`1500.00", "`3.0,`1500.01", "支出金额"),
        (FUNDS, "`4.0,`1.0,", "`4.0,`2.0,", "收入笔数"),
    ],
)
def test_totals_that_are_not_those_of_the_rows_are_told(bill: bytes, old: str, new: str, says: str) -> None:
    """Every total is compared; the untouched bill has nothing to tell."""
    wrong = [one for one in read(changed(bill, old, new)) if isinstance(one, Unread)]

    assert [one.rule for one in wrong] == ["totals"] and says in wrong[0].happened
    assert not [one for one in read(bill) if isinstance(one, Unread)]


def test_a_total_that_cannot_be_read_is_told() -> None:
    """A broken total is parked with its line."""
    wrong = [one for one in read(changed(FUNDS, "`3.0,`1500.00", "`3.0,`15..00")) if isinstance(one, Unread)]

    assert [(one.rule, one.pointer) for one in wrong] == [("amount", "line 7, 支出金额")]


def test_a_bill_that_is_cut_off_before_its_totals_still_tells_its_rows() -> None:
    """Without totals there is nothing to compare."""
    for end in ("总交易单数", "\r\n`3,`1350.50"):
        body = TRADES.decode().partition(end)[0].encode()

        assert len(lines(read(body))) == 3


@pytest.mark.parametrize(
    ("bill", "old", "new", "rule"),
    [
        (TRADES, "`CNY,`1000.00", "`CNY,`1..00", "amount"),
        (TRADES, "`CNY,`1000.00", "`CNY,`", "amount"),
        (TRADES, "`350.50,`0.00,`ORIGINAL", "`0.00,`0.00,`ORIGINAL", "amount"),
        (TRADES, "`2026-03-02 09:01:02", "`2026-02-30 09:01:02", "day"),
        (TRADES, "`CNY,`1000.00", "`shells,`1000.00", "currency"),
        (TRADES, "`WX-4200-0302-01", "`4.20E+27", "lost digits"),
        (FUNDS, "`收入,`1000.00", "`他入,`1000.00", "direction"),
        (FUNDS, "`TX-20260303", "`TX-20260303,`one,`two", "extra cells"),
    ],
)
def test_a_row_that_cannot_be_read_is_parked_and_the_others_go_on(bill: bytes, old: str, new: str, rule: str) -> None:
    """The refusal names rule and line; the totals, which hold that row too, are not compared."""
    body = changed(bill, old, new)
    if rule == "amount" and new.endswith("`"):
        body = changed(body, "`0.60%,`1000.00,", "`0.60%,`,")

    found = read(body)

    assert [one.rule for one in found if isinstance(one, Unread)] == [rule]
    assert len(lines(found)) == len(lines(read(bill))) - 1
    assert len([one for one in found if isinstance(one, Statement)]) == 1


def test_an_old_bill_without_the_settled_amount_is_read_by_the_orders_amount() -> None:
    """Columns are mapped by name, whichever are there."""
    header, row = TRADES.decode("utf-8-sig").splitlines()[:2]
    left = [place for place, name in enumerate(header.split(",")) if name not in ("应结订单金额", "代金券金额")]
    cells = [*row.replace("阀门,6寸", "阀门").split(",")]
    body = "\n".join(",".join(one[place] for place in left) for one in (header.split(","), cells))

    assert [one.amount for one in lines(read(body.encode()))] == [Decimal("994.00")]


def test_either_bill_alone_tells_of_an_orders_money() -> None:
    """Both bills name the same trade: the one that is not meant is left out, whichever is read first."""
    for receipts, bill, other in (("trade", TRADES, FUNDS), ("funds", FUNDS, TRADES)):
        told = [one for one in facts(bill, receipts=receipts) if isinstance(one, Event) and one.type == "receipt.received"]
        left = facts(other, receipts=receipts)

        assert told
        assert f"told by the {receipts} bill" in {one.rule for one in left if isinstance(one, Ignored)}
        assert not [one for one in left if isinstance(one, Event) and one.type.startswith("receipt")]


def test_a_payout_is_what_arrives_at_the_bank() -> None:
    """A withdrawal is told with the number that the bank may repeat, its day and the wallet's account; its fee stays behind."""
    payout = next(one for one in facts(FUNDS, account="1900000109") if isinstance(one, Event) and one.type == "payout.sent")

    assert (payout.data.amount, payout.data.reference, payout.data.account) == (  # type: ignore[attr-defined]
        Decimal("1394.00"),
        "TX-20260303",
        "1900000109",
    )
    assert payout.time.isoformat() == "2026-03-02T17:00:00+00:00"


def test_a_persons_row_without_an_amount_is_parked() -> None:
    """Nothing is booked where nothing is written."""
    header = "交易时间,交易类型,交易对方,商品,收/支,金额(元),支付方式,当前状态,交易单号,商户单号,备注"
    body = f"起始时间：[soon] 终止时间：[later]\n{header}\n2026-03-02 10:00:00,转账,某人,/,收入,/,/,已收钱,1,/,/\n"

    found = read(body.encode())

    assert [type(one) for one in found] == [Unread, Statement]


@given(st.integers(0, len(TRADES)), st.binary(max_size=60), st.sampled_from([TRADES, FUNDS, gzip.compress(TRADES, mtime=0)]))
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
