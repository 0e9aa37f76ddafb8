"""Labelled desks of kinds that no collected month has: built from a seed, written in the form of the labelled month.

A desk mixes what every month is made of with families that go wrong in practice: two deposits in one receipt, groups less
a fee or a credit note, sums that happen to fit, foreign currency, discounts by the terms, tax withheld, overpayments,
numbers of closed orders, digits that only look like a number, affiliates with near names, one person for several companies.
`decidable` is whether what is written on the receipt, the book and the history settle it.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

START = date(2026, 3, 1)
_PLACES = [
    "苏州",
    "无锡市",
    "宁波",
    "佛山市",
    "东莞",
    "青岛",
    "武汉市",
    "成都",
    "杭州",
    "广东",
    "浙江",
    "江苏",
    "合肥",
    "厦门",
    "长沙市",
    "天津",
]
_BRANDS = "恒锐达宏联拓科凯腾瑞丰润泰启明森诺远卓华鼎铭信博海川佳骏晟禾新程立群格致安捷朗越弘毅景云天翼东方正德盛合力同兴"
_TRADES = [
    "精密机械",
    "电子科技",
    "五金制品",
    "包装材料",
    "自动化设备",
    "新材料",
    "建材",
    "贸易",
    "纺织",
    "汽车零部件",
    "环保设备",
    "塑胶",
    "电气",
    "仪器仪表",
    "家具",
    "食品",
]
_FORMS = ["有限公司"] * 6 + ["股份有限公司", "有限责任公司", "集团有限公司", "厂"]
_MEMOS = ["货款", "", "往来款", "材料款", "转账", "采购款", "支付货款", "设备款", "网银转账"]
_PEOPLE = [
    "王海涛",
    "李秀英",
    "张建国",
    "陈丽华",
    "刘志强",
    "赵雪梅",
    "周文斌",
    "吴晓东",
    "郑美玲",
    "孙立群",
    "黄德胜",
    "徐亚楠",
    "何国庆",
    "马春燕",
]
_WALLETS = ["支付宝（中国）网络技术有限公司", "财付通支付科技有限公司", "拉卡拉支付股份有限公司", "银联商务支付股份有限公司"]
_NUMBERINGS: Sequence[tuple[Callable[[int, date], str], Callable[[int, date], str]]] = (
    (lambda n, day: f"SO{day:%y%m}-{n:04d}", lambda n, day: f"CT-{day:%Y}-{n:05d}"),
    (lambda n, day: f"{day:%y%m%d}{n:04d}", lambda n, day: f"HB{day:%Y}{n:06d}"),
    (lambda n, day: f"DD{day:%Y%m%d}{n:04d}", lambda n, day: f"XSHT{day:%y}-{n:05d}"),
    (lambda n, day: f"PO-{n + 410000}", lambda n, day: f"C{n:06d}/{day:%y}"),
    (lambda n, day: f"SL{day:%Y}/{n:05d}", lambda n, day: f"YX-{day:%y%m}-{n:04d}"),
)
_FEES = [100, 200, 500, 550, 1000, 1050, 1500, 2000, 2500, 5000]


@dataclass
class Order:
    """An order of the book; amounts in minor units."""

    number: str
    contract: str
    customer: int
    amount: int
    open: int
    ordered: date
    due: date
    terms: str = "100"
    currency: str = "CNY"

    @property
    def first(self) -> int:
        """The first instalment by the terms, rounded half up."""
        return (self.amount * int(self.terms.split("/")[0]) + 50) // 100

    @property
    def is_split(self) -> bool:
        return self.terms in ("30/70", "50/50", "30/60/10") and self.open == self.amount


@dataclass
class Row:
    """A credit with its truth. `alone` marks a truth that only holds while no other order of the customer asks for the amount."""

    day: date
    payer: str
    account: str
    memo: str
    minor: int
    family: str
    accept: list[list[tuple[str, int]]]
    amounts: bool
    decidable: bool
    alone: Order | None = None


@dataclass
class Month:
    """A book, a history and the receipts of one month, while they are made."""

    seed: int
    orders: list[Order] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    history: list[tuple[date, str, str, int]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    free: dict[int, list[Order]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"unseen desk {self.seed}")
        self.order_number, self.contract_number = _NUMBERINGS[self.seed % len(_NUMBERINGS)]
        for _ in range(200):
            self.customer()
        for customer in range(len(self.names)):
            articles = [self.rng.randint(20, 4000) * self.rng.choice((100, 500, 1000)) for _ in range(3)]
            for _ in range(min(int(self.rng.expovariate(1 / 7)) + 2, 26)):
                self.order(customer, self.price(articles))
            if self.rng.random() < 0.4:
                for _ in range(self.rng.randint(2, 6)):
                    self.history.append((self.day(-200), self.names[customer], self.accounts[customer], customer))

    def customer(self, name: str | None = None) -> int:
        rng = self.rng
        while name is None or name in self.names:
            brand = "".join(rng.sample(_BRANDS, rng.choice((2, 2, 3))))
            place = rng.choice(_PLACES) if rng.random() < 0.85 else ""
            name = place + brand + rng.choice(_TRADES) + rng.choice(_FORMS)
        self.names.append(name)
        self.accounts.append(self.account())
        return len(self.names) - 1

    def account(self) -> str:
        return "".join(self.rng.choice("0123456789") for _ in range(self.rng.choice((15, 17, 19)))) or "0"

    def price(self, articles: Sequence[int]) -> int:
        """Price by quantity, a round sum, or any amount to the cent."""
        kind = self.rng.random()
        if kind < 0.5:
            return self.rng.choice(articles) * self.rng.choice((1, 2, 3, 5, 10, 12, 20, 24, 50))
        return self.rng.randint(2, 60) * 500_000 if kind < 0.6 else self.rng.randint(80_000, 30_000_000)

    def day(self, since: int = 0) -> date:
        return START + timedelta(days=self.rng.randint(since, since + 29))

    def order(self, customer: int, amount: int, *, terms: str | None = None, currency: str = "CNY", free: bool = True) -> Order:
        ordered = START - timedelta(days=self.rng.randint(3, 100))
        number = len(self.orders) + 37
        chosen = terms or self.rng.choice(["100"] * 5 + ["30/70", "30/70", "50/50", "30/60/10"])
        due = ordered + timedelta(days=self.rng.choice((15, 30, 60, 90)))
        one = Order(
            self.order_number(number, ordered), self.contract_number(number, ordered), customer, amount, amount, ordered, due
        )
        one.terms, one.currency = chosen, currency
        self.orders.append(one)
        if free:
            self.free.setdefault(customer, []).append(one)
        return one

    def take(self, count: int = 1, *, want: Callable[[Order], bool] = lambda order: True, of: int | None = None) -> list[Order]:
        """Some orders of one customer that nothing has paid yet."""
        customers = [of] if of is not None else self.rng.sample(sorted(self.free), len(self.free))
        for customer in customers:
            fitting = [order for order in self.free.get(customer, []) if want(order)]
            if len(fitting) >= count:
                chosen = self.rng.sample(fitting, count)
                self.free[customer] = [order for order in self.free[customer] if order not in chosen]
                return chosen
        made = [self.order(self.customer() if of is None else of, self.rng.randint(80_000, 9_000_000), terms="30/70", free=False)]
        made += [
            self.order(made[0].customer, self.rng.randint(80_000, 9_000_000), terms="30/70", free=False) for _ in range(count - 1)
        ]
        return made

    def pay(
        self,
        family: str,
        customer: int | str,
        minor: int,
        memo: str | None,
        accept: Iterable[Iterable[tuple[Order, int]]],
        *,
        decidable: bool = True,
        amounts: bool = True,
        alone: Order | None = None,
        account: str | None = None,
        day: date | None = None,
    ) -> Row:
        """A receipt from a customer, or from somebody else by name."""
        name = customer if isinstance(customer, str) else self.names[customer]
        shown = account if account is not None else "" if isinstance(customer, str) else self.accounts[customer]
        right = [[(order.number, given) for order, given in each] for each in accept]
        row = Row(
            day or self.day(),
            name,
            shown if self.rng.random() < 0.85 else "",
            self.rng.choice(_MEMOS) if memo is None else memo,
            minor,
            family,
            right,
            amounts,
            decidable,
            alone,
        )
        self.rows.append(row)
        return row

    def named(self, *orders: Order, word: str = "货款") -> str:
        """A memo that names these orders, in one of the usual ways."""
        numbers = [order.number if self.rng.random() < 0.7 else order.contract for order in orders]
        joint = self.rng.choice("、,+ /") if not any("/" in number for number in numbers) else "、"
        listed = joint.join(numbers)
        return self.rng.choice([f"{word}{listed}", f"{listed} {word}", f"付{listed}{word}", f"{word}：{listed}"])

    def finish(self) -> None:
        """A truth that rests on the amount alone holds only where nothing else of the customer, or of one named alike, asks for it."""
        for row in self.rows:
            if row.alone is not None:
                brand = _brand(self.names[row.alone.customer])
                rivals = [
                    [(order.number, row.minor)]
                    for order in self.orders
                    if order is not row.alone
                    and order.currency == "CNY"
                    and row.minor in (order.open, order.first if order.is_split else 0)
                    and (order.customer == row.alone.customer or _brand(self.names[order.customer]) == brand)
                ]
                row.accept += rivals
                row.decidable = row.decidable and not rivals


def _brand(name: str) -> str:
    place = next((place for place in sorted(_PLACES, key=len, reverse=True) if name.startswith(place)), "")
    rest = name[len(place) :]
    trade = next((trade for trade in _TRADES if trade in rest), "")
    return rest.split(trade)[0] if trade else rest


def write(folder: Path, seed: int, families: Sequence[tuple[Callable[[Month], None], int]]) -> None:
    """One desk as four files, the same for the same seed."""
    month = Month(seed)
    plan = [family for family, weight in families for _ in range(weight)]
    month.rng.shuffle(plan)
    for family in plan:
        family(month)
    month.finish()
    folder.mkdir(parents=True, exist_ok=True)
    _write_orders(folder / "orders.csv", month)
    month.rows.sort(key=lambda row: row.day)
    _write_statement(folder / "statement.csv", month)
    with (folder / "history.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["date", "payer_name", "payer_account", "amount", "memo", "customer_id", "order_no"])
        for day, name, account, customer in month.history:
            out.writerow([day, name, account, "1000.00", "货款", f"K{customer:04d}", ""])
    with (folder / "truth.jsonl").open("w", encoding="utf-8") as file:
        for place, row in enumerate(month.rows):
            told = [[{"order_no": number, "amount": _money(minor)} for number, minor in each] for each in row.accept]
            label = {
                "id": f"TX{seed:03d}{place:06d}",
                "family": row.family,
                "accept": told,
                "amounts": row.amounts,
                "decidable": row.decidable,
            }
            file.write(json.dumps(label, ensure_ascii=False) + "\n")


def _write_orders(path: Path, month: Month) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        head = "order_no contract_no invoice_no customer_id customer_name amount open_amount currency order_date due_date payment_terms"
        out.writerow(head.split())
        for one in sorted(month.orders, key=lambda order: order.number):
            name = month.names[one.customer]
            amounts = [_money(one.amount), _money(one.open), one.currency]
            out.writerow([one.number, one.contract, "", f"K{one.customer:04d}", name, *amounts, one.ordered, one.due, one.terms])


def _write_statement(path: Path, month: Month) -> None:
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(["账号:", "6222", "户名:", "某某制造有限公司", "", "", "", "", "", ""])
    out.writerow(
        ["交易日期", "交易时间", "借方金额", "贷方金额", "账户余额", "对方户名", "对方账号", "摘要", "附言", "交易流水号"]
    )
    for place, row in enumerate(month.rows):
        reference = f"TX{month.seed:03d}{place:06d}"
        out.writerow(
            [row.day, "09:00:00", "", f"{Decimal(row.minor) / 100:,.2f}", "", row.payer, row.account, "转账", row.memo, reference]
        )
    path.write_bytes(text.getvalue().encode("gb18030"))


def _money(minor: int) -> str:
    return f"{Decimal(minor) / 100:.2f}"
