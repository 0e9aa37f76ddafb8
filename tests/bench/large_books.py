"""How long large books take: the labelled month many times over."""

from __future__ import annotations

import random
import re
import resource
import time
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from hub.core.vocabulary import Receipt
from reconciliation.payments import Desk, OpenItem, Payer


def grown(book: Sequence[OpenItem], month: Sequence[Receipt], times: int) -> tuple[list[OpenItem], list[Receipt]]:
    """The month so many times over: other customers, numbers, names and amounts, of the same kinds."""
    signs = "宏达鑫源华盛天泽佳美金海恒瑞宝丰泰康"
    items, sent = [], []
    for each in range(times):
        sign = signs[each % 18] + signs[each // 18 % 18]
        number = re.compile(r"((?:XS|HT)\S*-)(\d{5})")

        def renumber(text: str, each: int = each, number: re.Pattern[str] = number) -> str:
            return number.sub(lambda found: f"{found[1]}{int(found[2]) + each * 4000:06d}", text)

        def rename(name: str | None, sign: str = sign) -> str | None:
            return name[:3] + sign + name[3:] if name and len(name) > 6 else name

        def regrow(amount: Decimal, each: int = each) -> Decimal:
            return (amount * (100 + each) / 100).quantize(Decimal("0.01"))

        for item in book:
            order, contract = renumber(item.order), renumber(item.contract or "") or None
            invoice = f"{int(item.invoice) + each * 10**8:010d}" if item.invoice else None
            names = {
                "customer": f"{item.customer}-{each}",
                "customer_name": rename(item.customer_name),
                "order": order,
                "receivable": order,
            }
            sums = {"amount": regrow(item.amount), "open": min(regrow(item.open), regrow(item.amount))}
            items.append(msgspec.structs.replace(item, contract=contract, invoice=invoice, **names, **sums))
        for receipt in month:
            name, account = rename(receipt.payer_name), f"{receipt.payer_account}{each}" if receipt.payer_account else None
            sent.append(
                msgspec.structs.replace(
                    receipt,
                    receipt=f"{receipt.receipt}-{each}",
                    payer_name=name,
                    payer_account=account,
                    amount=regrow(receipt.amount),
                    memo=renumber(receipt.memo),
                )
            )
    random.Random(1).shuffle(sent)
    return items, sent


def scale(book: Sequence[OpenItem], month: Sequence[Receipt], known: Sequence[Payer]) -> dict[str, float]:
    """Twenty thousand receipts against as many orders, and one receipt against a hundred thousand, in processor time of one core."""
    items, sent = grown(book, month, 9)
    items, sent = items[:20_000], sent[:20_000]
    start = time.process_time()
    Desk(items, known).propose_all(sent)
    seconds, peak = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    items, sent = grown(book, month, 25)
    desk = Desk(items, known)
    taken = []
    for receipt in sent[:2000]:
        start = time.process_time()
        desk.propose(receipt)
        taken.append(time.process_time() - start)
    taken.sort()
    return {"seconds": seconds, "megabytes": peak, "p50_ms": taken[1000] * 1e3, "p99_ms": taken[1980] * 1e3}
