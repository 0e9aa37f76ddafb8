"""The day, step by step. Each step does what people and vendors would do, waits for what must come of it, and says it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from hub.core.signing import sign_standard
from hub.demo import samples
from hub.demo.plant import QUOTE_FORM, NotSo, Plant
from hub.demo.watch import Watch
from hub.ledger.rebuild import rebuild, state_hash
from hub.store import ledger_tables as l
from hub.store import tables as t

QUOTE = "Q-2611-001"
SECOND_QUOTE = "Q-2611-002"
AMOUNT = Decimal("14700.00")
DEPOSIT = Decimal("4410.00")
CUSTOMER = "苏州恒砺精密机械有限公司"
_CONFIGURATION = Path(__file__).parent / "configuration"


class Day(Watch):
    """One working day of the plant. From the bank's file to the salesperson it may take `within` seconds.

    `path` is a folder with `orders.csv` and `statement.csv` to use instead of our own.
    """

    def __init__(self, plant: Plant, path: Path | None = None, *, within: float = 1.0) -> None:
        super().__init__(plant)
        self.path = path
        self.within = within
        self.contract = f"HT-{QUOTE}"
        self.order = f"SO-{QUOTE}"

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """Title and play of each step."""
        return [
            ("报价核库存", self.quote_is_checked),
            ("审批与签约", self.contract_is_signed),
            ("订单与应收", self.order_is_opened),
            ("回款到账", self.money_arrives),
            ("其他系统", self.another_system),
            ("坏数据", self.bad_input),
            ("ERP 停机", self.erp_is_down),
            ("对账", self.books_agree),
        ]

    # --- 1 --------------------------------------------------------------------------------------------------------

    def quote_is_checked(self) -> str:
        plant = self.plant
        began = time.monotonic()
        self.record = plant.crm.user_creates(QUOTE_FORM, _quote(QUOTE, pumps=11, amount=AMOUNT), user="zhangsan")
        plant.until("the answer is in the quote", lambda: self._crm("库存结论"))
        seconds = time.monotonic() - began
        plant.until("the salesperson is told", lambda: self._messages("PUMP-100"))
        text = self._messages("PUMP-100")[0]
        day = _today() + timedelta(days=10)
        if "缺 2" not in self._crm("库存结论") or day.isoformat() not in text:
            raise NotSo(f"the shortage or its date is not named: {self._crm('库存结论')} / {text}")
        return f"{QUOTE} 问过 ERP：{self._crm('库存结论')}；{seconds:.2f} 秒写回简道云，企业微信已告知销售员"

    # --- 2 --------------------------------------------------------------------------------------------------------

    def contract_is_signed(self) -> str:
        plant = self.plant
        plant.crm.user_updates(QUOTE_FORM, self.record, {"状态": "已批准"})
        plant.until("the contract is at e签宝", lambda: plant.sign.flows)
        flow = next(iter(plant.sign.flows))
        plant.idle()
        plant.sign.callbacks.hold = True
        for party in plant.sign.parties(flow):
            plant.sign.open(flow, party)
            plant.sign.sign(flow, party)
        plant.sign.callbacks.release(backwards=True, copies=2)
        plant.sign.callbacks.settle()
        plant.until("the contract is signed", lambda: self._row(l.contracts, self.contract, "status") == "signed")
        sent = plant.sign.callbacks.sent
        if any(not 200 <= one["status"] < 300 for one in sent):
            raise NotSo("a genuine callback was not accepted")
        signed = self._events("contract.signed")
        if signed != 1:
            raise NotSo(f"contract.signed was recorded {signed} times")
        return f"合同 {self.contract} 按模板生成；双方签署；回调倒序、各到两次（共 {len(sent)} 次），只记一次已签署"

    # --- 3 --------------------------------------------------------------------------------------------------------

    def order_is_opened(self) -> str:
        plant = self.plant
        plant.until("the receivables are open", lambda: len(self._receivables(self.order)) == 2)
        parts = [(row["label"], row["amount_minor"]) for row in self._receivables(self.order)]
        if parts != [("30%", 441000), ("70%", 1029000)]:
            raise NotSo(f"the receivables are {parts}")
        plant.until("the ERP works on the order", lambda: self._in_erp(self.order) == "processing")
        plant.until("the CRM shows it", lambda: self._crm("合同状态") == "合同已签")
        return f"{self.order} 开立，应收 30% {DEPOSIT:,} 与 70% {AMOUNT - DEPOSIT:,}；ERP 单据已在执行；简道云显示 合同已签"

    # --- 4 --------------------------------------------------------------------------------------------------------

    def money_arrives(self) -> str:
        plant = self.plant
        book, statement, truth = self._files()
        self._upload("orders.csv", book, "orders")
        plant.idle()
        began = time.monotonic()
        job = self._upload("statement.csv", statement, "bank")
        plant.until("the CRM shows the deposit", lambda: "已回款" in (self._crm("回款状态") or ""), seconds=60)
        plant.until("the salesperson is told", lambda: self._messages("已回款"), seconds=5)
        seconds = time.monotonic() - began
        plant.until("every receipt is looked at", lambda: not self._lanes().get("new"), seconds=120)
        plant.idle()
        plant.until("the ERP knows of the deposit", lambda: "已回款" in self._noted_in_erp(self.order), seconds=10)
        lanes = self._lanes()
        wrong = self._wrong(truth)
        if wrong:
            raise NotSo(f"{len(wrong)} receipts were posted wrongly, the first is {wrong[0]}")
        if self.path is None and seconds > self.within:
            raise NotSo(f"the deposit took {seconds:.2f} s from the file to the CRM")
        told = f"流水 {job['rows'] - 1} 行：自动入账 {lanes.get('auto', 0)}，待复核 {lanes.get('review', 0)}，未找到 {lanes.get('open', 0)}"
        strangers = f"，陌生人 {sum(pays == () for pays in truth.values())} 笔无一入账" if truth else ""
        return f"{told}{strangers}；定金 {DEPOSIT:,} 结清首款，{seconds:.2f} 秒后简道云显示 {self._crm('回款状态')}，ERP 与销售员已知"

    # --- 5 --------------------------------------------------------------------------------------------------------

    def another_system(self) -> str:
        plant = self.plant
        made = plant.api.post(
            "/subscriptions", json={"url": plant.receiver.url, "types": ["order.placed"], "allow": ["127.0.0.0/8"]}
        ).json()
        answered = self._shop("shop-1", {"编号": "P-2611-01", "买家": CUSTOMER, "金额": "1,280.00"})
        plant.until("our event is delivered", lambda: self._delivered("P-2611-01"))
        headers, body = self._delivered("P-2611-01")[0]
        expected = sign_standard(made["secret"], headers["webhook-id"], int(headers["webhook-timestamp"]), body)
        if answered != 200 or expected not in headers["webhook-signature"].split():
            raise NotSo("the delivery is not signed as it must be")
        return "配件商城推来订单 P-2611-01（Standard Webhooks 验签）；订阅方收到 order.placed，签名核对无误"

    # --- 6 --------------------------------------------------------------------------------------------------------

    def bad_input(self) -> str:
        plant = self.plant
        before = self._count(t.raws)
        forged = {"X-Tsign-Open-TIMESTAMP": str(int(time.time() * 1000)), "X-Tsign-Open-SIGNATURE": "0" * 64}
        refused = httpx.post(
            f"{plant.url}/hooks/sign?contract=X", content=b'{"action":"SIGN_FLOW_COMPLETE"}', headers=forged, trust_env=False
        )
        if refused.status_code != 401 or self._count(t.raws) != before:
            raise NotSo(f"the forged callback was answered {refused.status_code}")
        self._shop("shop-2", {"编号": "P-2611-02", "买家": CUSTOMER, "金额": "壹仟元整1000.00"})
        plant.until("the order is parked", lambda: self._parked("shop"))
        reason = self._parked("shop")[0]["reason"]["happened"]
        mended = (_CONFIGURATION / "shop-orders.toml").read_text(encoding="utf-8")
        mended = mended.replace('amount = "data.金额"', 'amount = { from = "data.金额", extract = "[0-9][0-9,.]*" }')
        saved = plant.api.post("/maps", json={"name": "shop-orders", "text": mended})
        parked = self._parked("shop")[0]["id"]
        replayed = plant.api.post(f"/parked/{parked}/replay")
        if saved.status_code != 201 or replayed.status_code != 202:
            raise NotSo(f"mending failed: {saved.text} {replayed.text}")
        plant.until("the order is placed", lambda: self._row(l.orders, "P-2611-02", "amount_minor") == 100000)
        return f"伪造回调被拒（401，已隔离）；金额「壹仟元整1000.00」被搁置（{reason}），映射改为 v{saved.json()['version']} 后重放成功"

    # --- 7 --------------------------------------------------------------------------------------------------------

    def erp_is_down(self) -> str:
        plant = self.plant
        plant.erp.go_down()
        began = time.monotonic()
        answer = plant.api.post("/inventory/check", json={"lines": [{"sku": "PUMP-100", "quantity": "4"}]}).json()
        seconds = time.monotonic() - began
        if seconds > 1.0 or not answer["silent"] or answer["as_of"] is None:
            raise NotSo(f"the answer took {seconds:.2f} s and says {answer}")
        age = (datetime.now(UTC) - datetime.fromisoformat(answer["as_of"])).total_seconds()
        record = plant.crm.user_creates(QUOTE_FORM, _quote(SECOND_QUOTE, pumps=1, amount=Decimal("1200.00")), user="lisi")
        plant.until("the quote is answered without the ERP", lambda: plant.crm.forms[QUOTE_FORM][record].get("库存结论"))
        plant.crm.user_updates(QUOTE_FORM, record, {"状态": "已批准"})
        plant.until("the second contract is made", lambda: len(plant.sign.flows) == 2)
        flow = list(plant.sign.flows)[-1]
        for party in plant.sign.parties(flow):
            plant.sign.sign(flow, party)
        plant.until("the order waits for the ERP", lambda: self._waiting("order.create"))
        plant.erp.come_back()
        second = f"SO-{SECOND_QUOTE}"
        back = plant.until(
            "the waiting order goes out", lambda: [x for x in plant.erp.orders if x.get("reference") == second], seconds=30
        )
        return f"ERP 停机时 {seconds:.2f} 秒答复报价（数据 {age:.0f} 秒前）；恢复 {back:.1f} 秒后，等待的订单 {second} 自动送达"

    # --- 8 --------------------------------------------------------------------------------------------------------

    def books_agree(self) -> str:
        plant = self.plant
        plant.idle()
        plant.until("what was polled meanwhile is understood", lambda: not any(one["waiting"] for one in self._books()))
        books = self._books()
        with plant.store.look("main") as work:
            shares = sa.select(sa.func.coalesce(sa.func.sum(l.shares.c.amount_minor), 0))
            given = work.connection.execute(shares.where(l.shares.c.tenant == "main")).scalar_one()
            taken = sa.select(sa.func.coalesce(sa.func.sum(l.receipts.c.shared_minor), 0))
            of_receipts = work.connection.execute(taken.where(l.receipts.c.tenant == "main")).scalar_one()
            paid = sa.select(sa.func.coalesce(sa.func.sum(l.receivables.c.paid_minor), 0))
            of_receivables = work.connection.execute(paid.where(l.receivables.c.tenant == "main")).scalar_one()
        if not given == of_receipts == of_receivables:
            raise NotSo(f"shares {given}, receipts {of_receipts}, receivables {of_receivables}")
        with plant.store.work("main") as work:
            work.take_numbers(0)  # nobody records between the two
            before, after = state_hash(work), rebuild(work)
        if before != after:
            raise NotSo("the ledger rebuilt from the events is another one")
        received = sum(one["received"] for one in books)
        return f"{len(books)} 个连接共收 {received} 条，收 = 懂 + 略 + 重 + 搁；分配 {given / 100:,.2f} 两侧相等；账本重建后哈希一致 {after[:12]}"

    # --- the files of the fourth step ---------------------------------------------------------------------------

    def _files(self) -> tuple[bytes, bytes, dict[str, tuple[str, ...] | None]]:
        """The order book, the statement with the deposit in it, and what each of our own rows is for."""
        deposit = samples.Row(
            reference="261199999999", day=date(2026, 11, 20), payer=CUSTOMER, account="620000077", memo=f"{self.order} 定金", credit=DEPOSIT,
            pays=(self.order,),
        )  # fmt: skip
        if self.path is not None:
            self._upload("deposit.csv", samples.statement_csv([deposit]), "bank")
            return (self.path / "orders.csv").read_bytes(), (self.path / "statement.csv").read_bytes(), {}
        orders = samples.order_book()
        rows = [*samples.statement_rows(orders), deposit]
        truth = {row.reference: row.pays for row in rows if row.credit is not None}
        return samples.orders_csv(orders), samples.statement_csv(rows), truth


def _today() -> date:
    """The simulated ERP's day."""
    return datetime.now(UTC).date()


def _quote(number: str, *, pumps: int, amount: Decimal) -> dict[str, Any]:
    lines = [
        {
            "产品编码": "PUMP-100",
            "产品名称": "水泵",
            "数量": pumps,
            "单价": 1200,
            "需求日期": (_today() + timedelta(days=3)).isoformat(),
        }
    ]
    if number == QUOTE:
        lines.append(
            {
                "产品编码": "MOTOR-1",
                "产品名称": "电机",
                "数量": 5,
                "单价": 300,
                "需求日期": (_today() + timedelta(days=3)).isoformat(),
            }
        )
    return {
        "报价单号": number,
        "客户名称": CUSTOMER,
        "客户编码": "C-900",
        "产品明细": lines,
        "销售员": {"username": "zhangsan", "name": "张三"},
        "付款条件": "30/70",
        "金额": str(amount),
        "状态": "待核库存",
        "联系人": "赵六",
        "联系电话": "19900000066",
    }
