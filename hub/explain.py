"""Decisions in sentences, for people who ask why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from hub import tracing
from hub.core.errors import NotFound
from hub.core.money import from_minor
from hub.store import ledger_tables as l
from hub.store.work import Work

_LANES = {
    "zh": {"auto": "自动入账", "review": "待复核", "open": "未找到", None: "尚未处理"},
    "en": {"auto": "posted by itself", "review": "waits for review", "open": "nothing fits", None: "not looked at yet"},
}
_WORDS = {
    "zh": {
        "receipt": "收款 {id}：{amount} {currency}，{booked_on}，付款人 {payer_name}，摘要「{memo}」",
        "lane": "结果：{lane}（把握 {probability:.1%}，策略 {policy}）",
        "held": "没有自动入账，因为：{held_by}",
        "share": "  入账 {amount} → {receivable}",
        "reason": "  {weight:+.1f}  {says}",
        "lost": "  落选 {probability:.1%}：{shares}，因为{lost_because}",
        "raw": "原始数据 {id}：连接 {connection}，{received_at}，{bytes} 字节",
        "event": "  #{seq} {type} {subject}",
        "action": "  动作 {what} → {connection}：{state}（{attempts} 次）",
    },
    "en": {
        "receipt": "Receipt {id}: {amount} {currency} on {booked_on} from {payer_name}, memo “{memo}”",
        "lane": "Result: {lane} (probability {probability:.1%}, policy {policy})",
        "held": "Not by itself, because: {held_by}",
        "share": "  {amount} → {receivable}",
        "reason": "  {weight:+.1f}  {says}",
        "lost": "  lost {probability:.1%}: {shares}, because {lost_because}",
        "raw": "Raw {id}: connection {connection}, {received_at}, {bytes} bytes",
        "event": "  #{seq} {type} {subject}",
        "action": "  action {what} → {connection}: {state} ({attempts} attempts)",
    },
}


def sentences(work: Work, what: str, id_: str, lang: str) -> Iterator[str]:
    """What can be said of it; raises `NotFound`."""
    words = _WORDS[lang]
    match what:
        case "receipt":
            yield from _receipt(work, id_, words, _LANES[lang])
        case "match":
            yield from _receipt(work, str(_row(work, l.matches, id_)["receipt"]), words, _LANES[lang])
        case "event":
            yield from _event(work, id_, words)
        case _:
            yield from _subject(work, what, id_, words)


def _receipt(work: Work, id_: str, words: dict[str, str], lanes: dict[Any, str]) -> Iterator[str]:
    row = _row(work, l.receipts, id_)
    yield words["receipt"].format(**row | {"amount": from_minor(row["amount_minor"], row["currency"])})
    if row["match"] is None:
        yield lanes[None]
        return
    match = _row(work, l.matches, row["match"])
    yield words["lane"].format(**match | {"lane": lanes[match["lane"]]})
    if match["held_by"]:
        yield words["held"].format(**match)
    for share in match["shares"]:
        yield words["share"].format(**share)
    for reason in match["reasons"]:
        yield words["reason"].format(**reason)
    for other in match["runners_up"]:
        shares = " + ".join(share["receivable"] for share in other["shares"])
        yield words["lost"].format(**other | {"shares": shares})


def _event(work: Work, id_: str, words: dict[str, str]) -> Iterator[str]:
    told = tracing.trace(work, id_)
    if told["raw"]:
        yield words["raw"].format(**told["raw"])
    for event in told["events"]:
        yield words["event"].format(seq=event.seq, type=event.type, subject=event.subject)
    for action in told["actions"]:
        yield words["action"].format(**action)


def _subject(work: Work, what: str, id_: str, words: dict[str, str]) -> Iterator[str]:
    facts = tracing.events(work, type_=None, subject=id_, after=0, limit=200)
    facts = [fact for fact in facts if fact.type.startswith(what)]
    if not facts:
        raise NotFound(happened=f"nothing is known of this {what}", next="check its number", id=id_)
    yield from _event(work, facts[0].id, words)


def _row(work: Work, table: sa.Table, id_: str) -> dict[str, Any]:
    row = work.connection.execute(sa.select(table).where(table.c.tenant == work.tenant, table.c.id == id_)).mappings().first()
    if row is None:
        raise NotFound(happened="there is no such thing", next="check the id", id=id_)
    return dict(row)
