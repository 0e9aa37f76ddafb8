"""What a memo says about the kind of money, beside the numbers in it."""

from __future__ import annotations

import re

from reconciliation.payments.text import fold

DEPOSIT, BALANCE, REFUND, NOT_A_SALE, ADVANCE, WALLET, REVERSAL, SEVERAL, WITHHELD = (
    "deposit",
    "balance",
    "refund",
    "not_a_sale",
    "advance",
    "wallet",
    "reversal",
    "several",
    "withheld",
)

_WORDS = {
    DEPOSIT: re.compile(r"定金|订金|预付|首付|头款|首款|首期|首笔|DEPOSIT|DOWN ?PAYMENT|PREPAY"),
    BALANCE: re.compile(r"尾款|余款|剩余|质保金|BALANCE"),
    REFUND: re.compile(r"退款|退货|退回|多付|多收|返还|退还|REFUND|RETURN"),
    REVERSAL: re.compile(r"冲正|冲销|撤销|退汇|REVERSAL"),
    NOT_A_SALE: re.compile(
        r"利息|结息|保证金|押金|工资|报销|退税|补贴|补助|奖励|电费|水费|社保|公积金|理财|赎回|贷款|借款|还款|投资款|股东|注资|备用金|代发|保险|理赔|租金|房租|赞助|罚款|赔偿|INTEREST"
    ),
    ADVANCE: re.compile(r"预存|预收|充值"),
    SEVERAL: re.compile(
        r"等(?=$|[\d,，、.。;；()（）]|款|货款|订单|合同|单|多|几)|(?<!第)[两二三四五六七八九多几2-9][单笔张批份]|合并|合计|共计|一并|季度|[一二三四1-4]季|对账|汇总"
    ),
    WITHHELD: re.compile(r"代扣|扣税|扣缴|预扣|已扣|WITHH"),
}
_WALLET = re.compile(r"支付宝|财付通|微信支付|银联商务|拉卡拉|通联支付|网银在线|汇付|快钱|易宝|收钱吧|京东支付|美团")


def words(memo: str, payer: str) -> frozenset[str]:
    """The kinds of money that a memo and a payer's name speak of."""
    text, name = fold(memo), fold(payer)
    found = {kind for kind, pattern in _WORDS.items() if pattern.search(text)}
    if _WORDS[NOT_A_SALE].search(name):
        found.add(NOT_A_SALE)
    if _WALLET.search(name):
        found.add(WALLET)
    if ADVANCE in found:
        found.discard(DEPOSIT)
    return frozenset(found)
