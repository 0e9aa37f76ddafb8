"""The ladders: every rung of evidence with its weight in bits and its sentence in both languages."""

from __future__ import annotations

from typing import NamedTuple

from hub.core.vocabulary import Reason


class Rung(NamedTuple):
    bits: float
    says: str
    says_en: str


class Note(NamedTuple):
    """One rung that was met: its weight here, the values its sentence needs, and where in the memo it stands."""

    ladder: str
    level: str
    bits: float
    values: dict[str, object]
    span: tuple[int, int] | None = None

    @property
    def reason(self) -> Reason:
        rung = LADDERS[self.ladder][self.level]
        return Reason(
            ladder=self.ladder, level=self.level, weight=round(self.bits, 2), says=rung.says.format(**self.values), span=self.span
        )

    @property
    def says_en(self) -> str:
        return LADDERS[self.ladder][self.level].says_en.format(**self.values)


LADDERS: dict[str, dict[str, Rung]] = {
    "reference": {
        "exact": Rung(-0.6, "附言写明单号 {number}", "the memo names {number}"),
        "bare": Rung(-1.2, "附言写明单号的数字 {number}", "the memo has the digits of {number}"),
        "slip": Rung(-4.0, "附言中的 {text} 与 {number} 只差一位", "{text} in the memo is one slip from {number}"),
        "end": Rung(-4.0, "附言中的 {text} 是 {number} 的一段", "{text} in the memo is a piece of {number}"),
        "partly": Rung(0.0, "附言写明其中 {count} 个单号", "the memo names {count} of these"),
        "other": Rung(-5.5, "附言写的是另一单号 {number}", "the memo names another order, {number}"),
        "again": Rung(-9.0, "附言写的 {number} 已经结清", "the memo names {number}, which is settled"),
        "strange": Rung(-5.0, "附言中的单号 {text} 不在账上", "the memo names {text}, which is not in the book"),
        "missing": Rung(0.0, "附言没有单号", "the memo names no order"),
    },
    "payer": {
        "behalf": Rung(0.0, "附言写明代 {customer} 付款", "the memo says that it is paid for {customer}"),
        "same": Rung(0.0, "付款户名与客户 {customer} 一致", "the payer's name is that of {customer}"),
        "alike": Rung(0.0, "付款户名与客户 {customer} 相近", "the payer's name is like that of {customer}"),
        "account": Rung(0.0, "该账号曾为 {customer} 付款 {times} 次", "this account paid for {customer} {times} times before"),
        "remembered": Rung(0.0, "该付款人曾为 {customer} 付款 {times} 次", "this payer paid for {customer} {times} times before"),
        "other": Rung(-4.5, "付款人是另一家客户 {payer}", "the payer is another customer, {payer}"),
        "person": Rung(-2.5, "付款人是个人 {payer}，没有付款记录", "the payer is a person, {payer}, not known from before"),
        "stranger": Rung(-3.5, "不认识付款人 {payer}", "the payer {payer} is not known"),
        "missing": Rung(0.0, "没有付款户名", "the payer is not named"),
    },
    "refused": {
        "before": Rung(-9.0, "有人说过这个付款人付的不是它", "a person said that this payer's money is not for it"),
    },
    "alone": {
        "amount": Rung(-7.0, "只有金额相符，付款人和单号都没有依据", "only the amount fits, neither payer nor number"),
    },
    "amount": {
        "whole": Rung(-0.3, "金额与未收 {due} 完全一致", "the amount is exactly the open {due}"),
        "part": Rung(-3.0, "金额等于付款条件的 {label}", "the amount is the terms' {label}"),
        "later_part": Rung(-6.0, "金额等于付款条件的 {label}", "the amount is the terms' {label}"),
        "part_fee": Rung(-7.0, "比付款条件的 {label} 少 {kept}", "{kept} short of the terms' {label}"),
        "fee": Rung(-3.5, "比未收少 {kept}，像是手续费", "{kept} short, like a bank's fee"),
        "rounding": Rung(-4.0, "比未收少 {kept}，像是抹零", "{kept} short, like an amount rounded off"),
        "early": Rung(-1.5, "比未收少 {kept}，是付款条件给的提前付款折扣", "{kept} short, the terms' discount for paying early"),
        "discount": Rung(-5.0, "比未收少 {kept}，像是折扣或代扣", "{kept} short, like a discount or tax withheld"),
        "odd": Rung(-6.0, "比未收少 {kept}，原因不明", "{kept} short, for no known reason"),
        "over_near": Rung(-6.0, "比未收多 {over}", "{over} more than is open"),
        "some": Rung(-3.3, "只付了一部分，未收 {due}", "only a part of the open {due}"),
        "some_else": Rung(-9.0, "只付了一部分，而另一单的金额正好相符", "only a part, and another item has exactly this amount"),
        "over": Rung(-8.0, "比未收多 {over}", "{over} more than is open"),
        "part_less": Rung(
            -6.0, "比付款条件的 {label} 少 {kept}，像是折扣或代扣", "{kept} short of the terms' {label}, like a discount"
        ),
        "sum_less": Rung(-5.0, "{count} 项合计少 {kept}，像是折扣或代扣", "{count} items less {kept}, like a discount"),
        "foreign": Rung(-2.0, "按汇率约合未收 {due} {currency}", "about the open {due} {currency} at the day's rate"),
        "sum": Rung(-2.0, "{count} 项合计正好等于金额", "{count} items add up to the amount"),
        "sum_parts": Rung(-5.0, "{count} 项的首期款合计等于金额", "the first instalments of {count} items add up to the amount"),
        "sum_fee": Rung(-5.0, "{count} 项合计少 {kept}", "{count} items less {kept}"),
    },
    "stage": {
        "deposit": Rung(3.5, "附言写明是定金或预付款", "the memo says deposit"),
        "not_deposit": Rung(-4.0, "附言写明是定金，金额却是全部", "the memo says deposit, the amount is the whole"),
        "no_word": Rung(-1.5, "附言没有写定金", "the memo does not say deposit"),
        "balance": Rung(2.0, "附言写明是尾款", "the memo says balance"),
    },
    "date": {
        "early": Rung(-2.0, "早于下单日", "before the order was placed"),
        "near": Rung(0.4, "在到期日前后", "around the due date"),
        "far": Rung(-0.8, "离到期日 {days} 天", "{days} days from the due date"),
        "next": Rung(-2.5, "前一期尚未付清", "an earlier instalment is still open"),
    },
}
