"""The kinds of receipts that the built desks are made of: what every month has, and what goes wrong in practice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from unseen_desks import _BRANDS, _FEES, _PEOPLE, _PLACES, _TRADES, _WALLETS, Month, Order, write


def _all(*orders: Order) -> list[list[tuple[Order, int]]]:
    return [[(order, order.open) for order in orders]]


def _split(order: Order) -> bool:
    return order.is_split


# --- what every month has ------------------------------------------------------------------------------------------


def names_its_order(m: Month) -> None:
    (one,) = m.take()
    m.pay("names_its_order", one.customer, one.open, m.named(one), _all(one))


def amount_only(m: Month) -> None:
    (one,) = m.take()
    m.pay("amount_only", one.customer, one.open, None, _all(one), alone=one)


def written_otherwise(m: Month) -> None:
    (one,) = m.take()
    name = m.names[one.customer]
    form = next((form for form in ("股份有限公司", "有限责任公司", "集团有限公司", "有限公司", "厂") if name.endswith(form)), "")
    short = name.removesuffix(form)
    name = m.rng.choice(
        [short, short + "公司", name[:-1], name.replace("市", ""), name.replace("有限公司", "有限责任公司"), f"{short}（货款户）"]
    )
    m.pay("written_otherwise", name, one.open, None, _all(one), alone=one, account="")


def deposit_named(m: Month) -> None:
    (one,) = m.take(want=_split)
    m.pay(
        "deposit_named",
        one.customer,
        one.first,
        m.named(one, word=m.rng.choice(["定金", "预付款", "首款"])),
        [[(one, one.first)]],
    )


def deposit_unnamed(m: Month) -> None:
    (one,) = m.take(want=_split)
    m.pay("deposit_unnamed", one.customer, one.first, "定金", [[(one, one.first)]], alone=one)


def rest_of_order(m: Month) -> None:
    (one,) = m.take(want=_split)
    one.open = one.amount - one.first
    m.pay("rest_of_order", one.customer, one.open, m.rng.choice(["尾款", m.named(one, word="尾款")]), _all(one), alone=one)


def bank_fee(m: Month) -> None:
    (one,) = m.take(want=lambda order: order.open > 500_000)
    fee = m.rng.choice(_FEES)
    m.pay("bank_fee", one.customer, one.open - fee, m.named(one), _all(one), amounts=False)


def names_several(m: Month) -> None:
    some = m.take(m.rng.randint(2, 4))
    m.pay("names_several", some[0].customer, sum(one.open for one in some), m.named(*some), _all(*some))


def third_party_names_it(m: Month) -> None:
    (one,) = m.take()
    payer = m.rng.choice([m.rng.choice(_PEOPLE), m.names[m.customer()], "上海某融供应链管理有限公司"])
    m.pay("third_party_names_it", payer, one.open, m.named(one), _all(one))


def known_person(m: Month) -> None:
    (one,) = m.take()
    person, account = m.rng.choice(_PEOPLE) + m.rng.choice("平华军"), m.account()
    m.history += [(m.day(-150), person, account, one.customer)] * 4
    m.pay("known_person", person, one.open, None, _all(one), alone=one, account=account).account = account


def part_named(m: Month) -> None:
    (one,) = m.take(want=lambda order: order.open > 800_000)
    minor = one.open * m.rng.randint(25, 75) // 100 // 10000 * 10000
    m.pay("part_named", one.customer, minor, m.named(one), [[(one, minor)]])


def nothing_of_ours(m: Month) -> None:
    kind = m.rng.randrange(7)
    customer = m.rng.randrange(150)
    minor = m.rng.randint(10_000, 9_000_000)
    if kind == 0:
        m.pay("nothing", "国家金库某市支库", minor, "增值税退税", [[]])
    elif kind == 1:
        m.pay("nothing", m.rng.choice(_WALLETS), minor, "商户结算款", [[]])
    elif kind == 2:
        m.pay("nothing", "南通市" + "".join(m.rng.sample(_BRANDS, 3)) + "钢材有限公司", minor, "退货款", [[]])
    elif kind == 3:
        m.pay("nothing", customer, minor, "预存货款", [[]])
    elif kind == 4:
        m.pay("nothing", "".join(m.rng.sample("钱孟秦江顾", 1)) + "建平", minor, "备用金归还", [[]])
    else:
        m.pay("nothing", "陕西" + "".join(m.rng.sample(_BRANDS, 4)) + "商贸有限公司", minor, None, [[]])


# --- what goes wrong -----------------------------------------------------------------------------------------------


def two_deposits(m: Month) -> None:
    """Two first instalments in one receipt; with the numbers anybody can tell."""
    some = m.take(2, want=_split)
    is_named = m.rng.random() < 0.6
    memo = m.named(*some, word="定金") if is_named else m.rng.choice(["定金", "预付款", "货款"])
    m.pay(
        "two_deposits",
        some[0].customer,
        sum(one.first for one in some),
        memo,
        [[(one, one.first) for one in some]],
        decidable=is_named,
    )


def deposit_and_whole(m: Month) -> None:
    """The deposit of one order and all of another."""
    one, other = m.take(2, want=_split)
    named = m.rng.random() < 0.5
    memo = m.named(one, other) if named else None
    m.pay(
        "deposit_and_whole",
        one.customer,
        one.first + other.open,
        memo,
        [[(one, one.first), (other, other.open)]],
        decidable=named,
    )


def group_less_fee(m: Month) -> None:
    some = m.take(m.rng.randint(2, 3))
    named = m.rng.random() < 0.6
    minor = sum(one.open for one in some) - m.rng.choice(_FEES)
    m.pay(
        "group_less_fee", some[0].customer, minor, m.named(*some) if named else None, _all(*some), amounts=False, decidable=named
    )


def group_less_credit(m: Month) -> None:
    """A group less a credit that is not in the book, or one order less it."""
    some = m.take(m.rng.randint(1, 3), want=lambda order: order.open > 1_000_000)
    credit = m.rng.randint(20, 4000) * 100
    memo = m.named(*some, word=m.rng.choice(["扣退货款后", "货款扣返利", "货款"])) if m.rng.random() < 0.7 else None
    m.pay(
        "group_less_credit",
        some[0].customer,
        sum(one.open for one in some) - credit,
        memo,
        _all(*some),
        amounts=False,
        decidable=False,
    )


def credit_in_book(m: Month) -> None:
    """A credit note of the customer is set off against what it pays."""
    some = m.take(m.rng.randint(1, 2), want=lambda order: order.open > 1_000_000)
    credit = m.order(some[0].customer, -m.rng.randint(10, 3000) * 100, terms="100", free=False)
    named = m.rng.random() < 0.6
    memo = m.named(*some, credit) if named else m.named(*some) if m.rng.random() < 0.5 else None
    minor = sum(one.open for one in some) + credit.open
    m.pay(
        "credit_in_book",
        some[0].customer,
        minor,
        memo,
        [*_all(*some), *_all(*some, credit)],
        amounts=False,
        decidable=named,
    )


def sum_that_fits(m: Month) -> None:
    """What is paid is one thing, and two other orders of the customer add up to the same."""
    kind = m.rng.randrange(4)
    one, other = m.take(2, want=_split)
    customer = one.customer
    if kind == 0:  # the same sum twice
        total = one.open + other.open
        part = m.rng.randint(total // 5, total * 4 // 5)
        more = [m.order(customer, part, free=False), m.order(customer, total - part, free=False)]
        m.pay("sum_that_fits", customer, total, None, [*_all(one, other), *_all(*more)], decidable=False)
    elif kind == 1:  # two deposits, and two orders that come to the same
        total = one.first + other.first
        part = m.rng.randint(total // 5, total * 4 // 5)
        m.order(customer, part, terms="100", free=False), m.order(customer, total - part, terms="100", free=False)
        m.pay("sum_that_fits", customer, total, "定金", [[(one, one.first), (other, other.first)]], decidable=False)
    elif kind == 2:  # one order, and two that come to the same; the memo says which
        part = m.rng.randint(one.open // 5, one.open * 4 // 5)
        m.order(customer, part, free=False), m.order(customer, one.open - part, free=False)
        m.pay("sum_that_fits", customer, one.open, m.named(one), _all(one))
    else:  # money on account, or for an order that is not in the book, that happens to be a sum
        memo = m.rng.choice(["预存款", m.order_number(8500 + len(m.rows) % 1400, m.day(-20))])
        m.pay("sum_that_fits", customer, one.open + other.open, memo, [[]])


def group_unnamed(m: Month) -> None:
    """Several orders, and only their sum tells. It settles nothing where another set fits as well."""
    some = m.take(m.rng.randint(2, 3))
    m.pay("group_unnamed", some[0].customer, sum(one.open for one in some), None, _all(*some), decidable=False)


def foreign(m: Month) -> None:
    """An order in dollars, paid in yuan at a rate of the day."""
    (one,) = m.take(want=lambda order: order.open > 1_000_000)
    one.currency = "USD"
    minor = int(one.open * m.rng.uniform(7.05, 7.25))
    m.pay("foreign", one.customer, minor, m.named(one), [[], *_all(one)], amounts=False, decidable=False)


def early_discount(m: Month) -> None:
    """Two per cent less within ten days, as the order's terms say."""
    (one,) = m.take(want=lambda order: order.open > 300_000)
    one.terms = "2/10 n/30"
    day = one.ordered = m.day()
    minor = (one.open * 98 + 50) // 100
    m.pay(
        "early_discount",
        one.customer,
        minor,
        m.named(one) if m.rng.random() < 0.6 else None,
        _all(one),
        amounts=False,
        alone=one,
        day=day + timedelta(days=m.rng.randint(2, 9)),
    )


def withheld(m: Month) -> None:
    (one,) = m.take(want=lambda order: order.open > 300_000)
    rate = m.rng.choice((3, 5, 6, 10))
    named = m.rng.random() < 0.6
    memo = m.named(one, word=m.rng.choice(["代扣税", "货款已扣税"])) if named else None
    m.pay("withheld", one.customer, one.open - (one.open * rate + 50) // 100, memo, _all(one), amounts=False, decidable=named)


def overpaid(m: Month) -> None:
    (one,) = m.take()
    extra = m.rng.randint(1, 300) * 1000
    memo = m.named(one) if m.rng.random() < 0.8 else None
    m.pay("overpaid", one.customer, one.open + extra, memo, _all(one), decidable=False)


def quarterly(m: Month) -> None:
    """A round sum on account of several orders."""
    some = m.take(m.rng.randint(2, 4))
    minor = sum(one.open for one in some) * m.rng.randint(40, 70) // 100 // 100_000 * 100_000 or 100_000
    memo = m.named(*some) if m.rng.random() < 0.6 else "季度货款"
    m.pay("quarterly", some[0].customer, minor, memo, _all(*some), amounts=False, decidable=False)


def closed_order(m: Month) -> None:
    """An order that is not in the book any more, sometimes of the amount of one that is."""
    number = m.order_number(8000 + len(m.rows), m.day(-160))
    (one,) = m.take()
    minor = one.open if m.rng.random() < 0.5 else m.rng.randint(100_000, 9_000_000)
    m.pay("closed_order", one.customer, minor, f"货款{number}", [[], *_all(one)] if minor == one.open else [[]], decidable=False)


def two_customers(m: Month) -> None:
    (one,), (other,) = m.take(), m.take()
    m.pay("two_customers", one.customer, one.open + other.open, m.named(one, other), _all(one, other))


def looks_like_a_number(m: Month) -> None:
    """Days, telephone numbers and tax ids beside nothing, or beside the real number; one ends like another order."""
    (one,), trap = m.take(), m.rng.choice(m.orders)
    tail = "".join(filter(str.isdigit, trap.number))[-5:]
    noise = m.rng.choice(
        [
            f"电话138{m.rng.randint(100, 999)}{tail}",
            f"2026030{m.rng.randint(1, 9)}",
            f"税号9132{m.rng.randint(10**8, 10**9)}{tail}",
            f"流水{m.rng.randint(10**9, 10**10)}{tail}",
            f"0512-6{m.rng.randint(10, 99)}{tail}",
            f"发票{m.rng.randint(10**7, 10**8)}",
        ]
    )
    is_named = m.rng.random() < 0.5
    memo = f"{m.named(one)} {noise}" if is_named else f"货款 {noise}"
    m.pay("looks_like_a_number", one.customer, one.open, memo, _all(one), alone=None if is_named else one)


def again_after_reversal(m: Month) -> None:
    """Paid, sent back, and paid again: what comes back of our own payments is nothing, the second payment is one."""
    (one,) = m.take()
    day = m.day()
    m.pay("sent_back", one.customer, one.open, f"退汇 {one.number}", [[]], day=day)
    m.pay("paid_again", one.customer, one.open, m.named(one), _all(one), day=day + timedelta(days=3))


def near_names(m: Month) -> None:
    """Two companies of one brand, and a payer who writes neither's place or trade."""
    brand = "".join(m.rng.sample(_BRANDS, 3))
    places, trades = m.rng.sample(_PLACES, 2), m.rng.sample(_TRADES, 2)
    same_trade = m.rng.random() < 0.5
    here = m.customer(f"{places[0]}{brand}{trades[0]}有限公司")
    there = m.customer(f"{places[1]}{brand}{trades[0] if same_trade else trades[1]}有限公司")
    minor = m.rng.randint(90_000, 9_000_000)
    one = m.order(here, minor, terms="100", free=False)
    m.order(there, minor if m.rng.random() < 0.4 else m.rng.randint(90_000, 9_000_000), terms="100", free=False)
    payer = f"{brand}{trades[0]}有限公司" if same_trade else f"{places[0]}{brand}有限公司"
    m.pay("near_names", payer, minor, None, _all(one), alone=one, account="")


def pays_for_several(m: Month) -> None:
    """A person, or a company of the group, who paid for two customers before."""
    (one,), (other,) = m.take(), m.take()
    person, account = m.rng.choice(_PEOPLE) + m.rng.choice("芳伟"), m.account()
    m.history += [(m.day(-150), person, account, one.customer)] * 4 + [(m.day(-150), person, account, other.customer)] * 3
    m.pay("pays_for_several", person, one.open, None, _all(one), decidable=False, account=account).account = account


def for_its_sister(m: Month) -> None:
    """A customer pays for an affiliate's order, without saying so, while owing something itself."""
    (one,) = m.take()
    brand = "".join(m.rng.sample(_BRANDS, 3))
    sister = m.customer(f"{m.rng.choice(_PLACES)}{brand}贸易有限公司")
    m.order(sister, m.rng.randint(90_000, 9_000_000), free=False)
    named = m.rng.random() < 0.5
    m.pay("for_its_sister", sister, one.open, m.named(one) if named else None, _all(one), decidable=named)


def wallet_payout(m: Month) -> None:
    """A payment provider's payout that is some order's amount."""
    (one,) = m.take()
    m.pay("wallet_payout", m.rng.choice(_WALLETS), one.open, m.rng.choice(["商户结算款", "微信支付商户提现", "T+1结算"]), [[]])


def cut_memo(m: Month) -> None:
    """The bank keeps twenty characters."""
    (one,) = m.take()
    memo = f"支付{'三月份' if m.rng.random() < 0.5 else ''}采购合同货款{one.number}"[: 20 if len(one.number) > 9 else 16]
    m.pay("cut_memo", one.customer, one.open, memo, _all(one), alone=one)


def round_again(m: Month) -> None:
    """Several orders of one customer at the same round amount."""
    (one,) = m.take()
    minor = m.rng.randint(1, 20) * 1_000_000
    some = [m.order(one.customer, minor, terms=m.rng.choice(["100", "50/50"]), free=False) for _ in range(3)]
    if m.rng.random() < 0.5:
        m.pay("round_again", one.customer, minor, m.named(some[1]), _all(some[1]))
    else:
        m.pay("round_again", one.customer, minor, None, [*_all(some[0]), *_all(some[1]), *_all(some[2])], decidable=False)


def refund_by_supplier(m: Month) -> None:
    """Somebody we buy from and sell to sends money back, the amount of an order of theirs."""
    (one,) = m.take()
    m.pay("refund_by_supplier", one.customer, one.open, m.rng.choice(["退款", "多付退回", "退货退款"]), [[]])


def wrong_history(m: Month) -> None:
    """A person once booked this payer for another customer."""
    (one,), (other,) = m.take(), m.take()
    m.history.append((m.day(-100), m.names[one.customer], m.accounts[one.customer], other.customer))
    m.pay("wrong_history", one.customer, one.open, None, _all(one), alone=one)


def deposit_less_fee(m: Month) -> None:
    (one,) = m.take(want=lambda order: order.is_split and order.first > 500_000)
    named = m.rng.random() < 0.6
    memo = m.named(one, word="定金") if named else "定金"
    minor = one.first - m.rng.choice(_FEES)
    m.pay("deposit_less_fee", one.customer, minor, memo, [[(one, one.first)], [(one, minor)]], amounts=False, decidable=False)


def names_one_pays_two(m: Month) -> None:
    """The memo has room for one number, the sum is two orders'."""
    one, other = m.take(2)
    m.pay("names_one_pays_two", one.customer, one.open + other.open, f"{m.named(one)}等", _all(one, other), decidable=False)


def another_amount(m: Month) -> None:
    """The memo names one order, the amount is all of another."""
    one, other = m.take(2)
    m.pay(
        "another_amount",
        one.customer,
        other.open,
        m.named(one),
        [*_all(other), [(one, min(one.open, other.open))]],
        decidable=False,
    )


def names_one_of_two_deposits(m: Month) -> None:
    """Two first instalments, and the memo has room for one number."""
    one, other = m.take(2, want=_split)
    memo = m.named(one, word="定金" if m.rng.random() < 0.5 else "货款")
    right = [[(one, one.first), (other, other.first)]]
    m.pay("names_one_of_two_deposits", one.customer, one.first + other.first, memo, right, decidable=False)


def round_book(m: Month) -> None:
    """A customer all of whose orders are round, so that much adds up to much."""
    customer = m.customer()
    some = [
        m.order(customer, m.rng.randint(1, 30) * 500_000, terms=m.rng.choice(["100", "50/50", "30/70"]), free=False)
        for _ in range(9)
    ]
    one, other = m.rng.sample(some, 2)
    kind = m.rng.randrange(4)
    if kind == 0:
        m.pay("round_book", customer, one.open + other.open, None, _all(one, other), decidable=False)
    elif kind == 1:
        right = [[(one, one.first), (other, other.first)]]
        m.pay("round_book", customer, one.first + other.first, m.rng.choice(["货款", "定金"]), right, decidable=False)
    elif kind == 2:
        m.pay("round_book", customer, one.open + other.first, None, [[(one, one.open), (other, other.first)]], decidable=False)
    else:
        m.pay("round_book", customer, one.open, m.named(one), _all(one))


def deposit_twice(m: Month) -> None:
    """Half is the deposit; paid again by mistake, it is not the rest."""
    (one,) = m.take(want=lambda order: order.terms == "50/50" and order.is_split)
    memo, day = m.named(one, word="定金"), m.day()
    m.pay("deposit_named", one.customer, one.first, memo, [[(one, one.first)]], day=day)
    m.pay("deposit_twice", one.customer, one.first, memo, [[]], day=day + timedelta(days=4), decidable=False)


def paid_twice(m: Month) -> None:
    """The same receipt again a few days later."""
    (one,) = m.take()
    memo, day = m.named(one), m.day()
    m.pay("names_its_order", one.customer, one.open, memo, _all(one), day=day)
    m.pay("paid_twice", one.customer, one.open, memo, [[]], day=day + timedelta(days=4))


def frame_contract(m: Month) -> None:
    """Three orders under one contract; the memo names the contract."""
    some = m.take(3)
    for one in some:
        one.contract = some[0].contract
    memo = f"{m.rng.choice(['合同', '付'])}{some[0].contract}款"
    if m.rng.random() < 0.5:
        m.pay("frame_contract", some[0].customer, some[1].open, memo, _all(some[1]), alone=some[1])
    else:
        m.pay("frame_contract", some[0].customer, sum(one.open for one in some), memo, _all(*some))


def digits_that_hit(m: Month) -> None:
    """A sum, a postal code or a serial in the memo that is another order's digits; a stranger sends it."""
    trap = m.rng.choice(m.orders)
    digits = "".join(filter(str.isdigit, trap.number))
    if len(digits) > 8:
        digits = digits[-6:]
    memo = m.rng.choice([f"货款{digits}元", f"邮编{digits}", f"工程款 {digits}", f"回单{digits}"])
    (one,) = m.take()
    if m.rng.random() < 0.5:
        m.pay("digits_that_hit", one.customer, one.open, memo, _all(one), alone=one)
    else:
        m.pay("digits_that_hit", "陕西" + "".join(m.rng.sample(_BRANDS, 4)) + "商贸有限公司", trap.open, memo, [[]])


def one_named_less_credit(m: Month) -> None:
    """Two orders less a credit, one of them named; or one order's part that is another's deposit."""
    one, other = m.take(2, want=_split)
    if m.rng.random() < 0.5 and one.open > other.first:
        right = [[(other, other.first)], [(one, other.first)]]
        m.pay("one_named", one.customer, other.first, m.named(one), right, decidable=False)
    else:
        minor = max(one.open + other.open - m.rng.randint(10, 500) * 1000, 1000)
        m.pay("one_named", one.customer, minor, m.named(one), _all(one, other), amounts=False, decidable=False)


def namesake(m: Month) -> None:
    """Somebody of the same name as a person who pays for a customer, from another account."""
    (one,) = m.take()
    person = m.rng.choice(_PEOPLE) + m.rng.choice("东明")
    m.history += [(m.day(-150), person, m.account(), one.customer)] * 5
    m.pay("namesake", person, one.open, None, [[], *_all(one)], decidable=False, account=m.account()).account = m.account()


def not_in_book(m: Month) -> None:
    """A customer pays what the book does not have."""
    m.pay("not_in_book", m.rng.randrange(180), m.rng.randint(300_000, 20_000_000), None, [[]])


def one_known_one_not(m: Month) -> None:
    """The memo names an open order and a closed one; the sum is both."""
    (one,) = m.take()
    number = m.order_number(7000 + len(m.rows), m.day(-160))
    minor = one.open + m.rng.randint(90_000, 5_000_000)
    m.pay("one_known_one_not", one.customer, minor, f"货款{one.number}、{number}", _all(one), decidable=False)


_LETTERS = dict(
    zip(
        "恒锐达宏联拓科凯腾瑞丰润泰启明森诺远卓华鼎铭信博海川佳骏晟禾新程立群格致安捷朗越弘毅景云天翼东方正德盛合力同兴",
        [
            "heng",
            "rui",
            "da",
            "hong",
            "lian",
            "tuo",
            "ke",
            "kai",
            "teng",
            "rui",
            "feng",
            "run",
            "tai",
            "qi",
            "ming",
            "sen",
            "nuo",
            "yuan",
            "zhuo",
            "hua",
            "ding",
            "ming",
            "xin",
            "bo",
            "hai",
            "chuan",
            "jia",
            "jun",
            "sheng",
            "he",
            "xin",
            "cheng",
            "li",
            "qun",
            "ge",
            "zhi",
            "an",
            "jie",
            "lang",
            "yue",
            "hong",
            "yi",
            "jing",
            "yun",
            "tian",
            "yi",
            "dong",
            "fang",
            "zheng",
            "de",
            "sheng",
            "he",
            "li",
            "tong",
            "xing",
        ],
        strict=True,
    )
)
_ENGLISH = {"精密机械": "Precision Machinery", "贸易": "Trading", "电子科技": "Electronic Technology", "家具": "Furniture"}


def in_latin_letters(m: Month) -> None:
    """A customer whose bank writes its name in English."""
    brand, trade = "".join(m.rng.sample(sorted(_LETTERS), 3)), m.rng.choice(sorted(_ENGLISH))
    customer = m.customer(f"苏州{brand}{trade}有限公司")
    one = m.order(customer, m.rng.randint(90_000, 9_000_000), terms="100", free=False)
    m.order(customer, m.rng.randint(90_000, 9_000_000), terms="100", free=False)
    name = f"Suzhou {''.join(_LETTERS[char] for char in brand).capitalize()} {_ENGLISH[trade]} Co., Ltd."
    named = m.rng.random() < 0.5
    payer = name.upper() if m.rng.random() < 0.5 else name
    m.pay("in_latin_letters", payer, one.open, one.number if named else "PAYMENT", _all(one), decidable=named, account="")


def several_differences(m: Month) -> None:
    """A discount or a withheld tax on a group, or on a deposit: two things at once, and no number."""
    one, other = m.take(2, want=_split)
    kept = m.rng.choice((1, 2, 3, 6))
    whole = one.first if m.rng.random() < 0.4 else one.open + other.open
    right = [[(one, one.first)]] if whole == one.first else _all(one, other)
    minor = whole - (whole * kept + 50) // 100
    m.pay("several_differences", one.customer, minor, m.rng.choice(["货款", "定金", ""]), right, amounts=False, decidable=False)


COMMON = (
    (names_its_order, 150),
    (amount_only, 150),
    (written_otherwise, 60),
    (deposit_named, 40),
    (deposit_unnamed, 20),
    (rest_of_order, 30),
    (bank_fee, 40),
    (names_several, 40),
    (third_party_names_it, 50),
    (known_person, 20),
    (part_named, 25),
    (nothing_of_ours, 60),
)
RARE = tuple(
    (family, 12)
    for family in (
        two_deposits,
        deposit_and_whole,
        group_less_fee,
        group_less_credit,
        credit_in_book,
        sum_that_fits,
        group_unnamed,
        foreign,
        early_discount,
        withheld,
        overpaid,
        quarterly,
        closed_order,
        two_customers,
        looks_like_a_number,
        again_after_reversal,
        near_names,
        pays_for_several,
        for_its_sister,
        wallet_payout,
        cut_memo,
        round_again,
        refund_by_supplier,
        wrong_history,
        deposit_less_fee,
        names_one_pays_two,
        another_amount,
        names_one_of_two_deposits,
        round_book,
        deposit_twice,
        paid_twice,
        frame_contract,
        digits_that_hit,
        one_named_less_credit,
        namesake,
        not_in_book,
        one_known_one_not,
        in_latin_letters,
        several_differences,
    )
)
FAMILIES: tuple[tuple[Callable[[Month], None], int], ...] = (*COMMON, *RARE)


def build(folder: Path, seeds: range) -> list[Path]:
    """A desk for each seed, in a folder of its own."""
    folders = [folder / f"desk{seed}" for seed in seeds]
    for one, seed in zip(folders, seeds, strict=True):
        write(one, seed, FAMILIES)
    return folders
