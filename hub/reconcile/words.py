"""The report's words in both languages: what stopped a receipt says what to do, never only that it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Both(NamedTuple):
    """The same thing said in Chinese and in English."""

    zh: str
    en: str


LANES: Mapping[str, Both] = {
    "review": Both("待复核", "To review"),
    "open": Both("未找到", "Not found"),
    "auto": Both("自动入账", "Automatic"),
}
LANES_SAY: Mapping[str, Both] = {
    "review": Both("有建议，要人看过再入账", "there is a proposal, and a person decides"),
    "open": Both("没有把握够大的订单", "no order fits well enough to be proposed"),
    "auto": Both("证据充分，可以直接入账", "the evidence is enough to book these as they are"),
}
LADDERS: Mapping[str, Both] = {
    "reference": Both("单号", "number"),
    "payer": Both("付款人", "payer"),
    "alone": Both("旁证", "support"),
    "amount": Both("金额", "amount"),
    "stage": Both("阶段", "stage"),
    "date": Both("时间", "date"),
    "refused": Both("否定", "refusal"),
}
BOOKED_AS: Mapping[str, Both] = {
    "bank_fee": Both("手续费", "bank fee"),
    "rounding": Both("抹零", "rounding"),
    "discount": Both("折扣或代扣", "discount or tax withheld"),
    "difference": Both("差额", "difference"),
}
BALANCED: Mapping[bool | None, Both] = {
    True: Both("已核平", "balanced"),
    False: Both("核不平", "does not add up"),
    None: Both("文件没有余额", "no balances in the file"),
}

# What a person does about it, by what stopped the receipt.
NEXT: Mapping[str, Both] = {
    "second_receipt": Both("向付款人核实是否重复付款；是则退款或记预收款", "ask the payer whether it was paid twice; refund it or keep it on account"),
    "refund": Both("先看是哪一笔的退款或冲正，再冲回那一笔", "find what it takes back and reverse that first"),
    "not_a_sale": Both("按附言记到对应科目，不要记到订单", "book it to what the memo says, not to an order"),
    "wallet": Both("下载支付机构的账单，按账单逐笔核对", "download the provider's bill and match it line by line"),
    "advance": Both("记为预收款，等订单下达后再分配", "keep it on account until the order is placed"),
    "overpaid": Both("确认多付的部分是退款、预收款还是付了别的单", "find out whether the rest is a refund, on account, or for another order"),
    "conflict": Both("问付款人：付的是附言写的单，还是金额相符的单", "ask the payer: the order that the memo names, or the one with this amount"),
    "unknown_number": Both("查附言中的单号是否写错，或订单表是否缺这一单", "see whether the number is mistyped, or the order book lacks it"),
    "person": Both("确认此人为哪家客户付款；确认三次后会记住", "confirm for which customer this person pays; three confirmations are remembered"),
    "payer_unknown": Both("确认付款人是谁，再接受建议", "confirm who paid, then accept the proposal"),
    "fits_another": Both("两单都看一下，选金额正合的一单或建议的一单", "look at both orders and choose one"),
    "either": Both("问付款人是付全款还是分期款", "ask whether it is the whole or an instalment"),
    "deposit_paid": Both("查定金是否付了两次，或付的是另一单的定金", "see whether the deposit was paid twice, or is another order's"),
    "unexplained": Both("问付款人少付的原因，再决定结清还是留未收", "ask why it is short, then settle the order or leave the rest open"),
    "kept_by_stranger": Both("先确认付款人，再接受差额", "confirm the payer before the difference is accepted"),
    "group": Both("向付款人要付款明细，核对是哪几单", "ask the payer which orders it is for"),
    "two_things": Both("向付款人要付款明细，核对每单金额", "ask the payer for the amount of each order"),
    "instalment": Both("确认是这一单的分期款", "confirm that it is an instalment of this order"),
    "closed": Both("会计期间已关闭：由有权限的人入账", "the period is closed: somebody with the right books it"),
    "limit": Both("金额超过限额：看过后由人接受", "above the limit: look at it and accept it by hand"),
    "doubt": Both("对照附言和订单，合适就接受", "compare memo and order, and accept it where it fits"),
    "rival": Both("在建议和并列的可能之间选一个", "choose between the proposal and the other possibility"),
    "nothing_fits": Both("查是否订单表缺单、不是货款，或问付款人付的是什么", "see whether the book lacks an order or it is no sale; else ask the payer"),
    "refused": Both("这个付款人付这一单曾被否定：看当时的原因再决定", "this was refused before: look at why, then decide"),
    "several": Both("向付款人要付款明细，附言没有写全", "ask the payer for the list, the memo does not name all of them"),
    "sum_too": Both("向付款人要付款明细，几种组合金额都对", "ask the payer for the list, several sets come to the amount"),
    "twice": Both("与前一笔对照：是重复付款就退款或记预收款", "compare it with the one before; a double payment is refunded or kept on account"),
    "foreign": Both("按入账日汇率核对差额，再接受", "check the difference at the day's rate, then accept it"),
    "currency": Both("按入账日汇率人工核对外币订单", "match the order in the other currency by hand, at the day's rate"),
    "competition": Both("与付同一单的另一笔收款一起看", "look at it together with the other receipt for this order"),
    "taken_back": Both("不要入账；银行已退回", "do not book it: the bank took it back"),
    "returned": Both("冲回当初那笔付款", "reverse the payment that came back"),
    "shadow": Both("试运行：看过后由人接受", "shadow mode: look at it and accept it by hand"),
}  # fmt: skip
NEXT_ELSE = Both("看过证据后由人决定", "look at the evidence and decide")
