"""Words with a colon, in the languages of the banks, and text without any order at all."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from .lookup import BIC, Details, compact, is_iban, plain

_CHINESE = re.compile("[\u4e00-\u9fff]")
# What a label introduces. Those under `""` only end what stands before them.
_LABELS = {
    "account": (
        "IBAN", "REK", r"Z RACH\.", r"NA RACH\.", "KONTO", "对方账号", "对方帐号", "付款人账号", "付款账号", "收款人账号", "收款账号",
        "Счет", "Счёт", r"Р/С",
    ),
    "bank": ("BIC", "对方开户行", "开户行", "付款行", "付款银行", "БИК"),
    "name": (
        "NAAM", "OD", "DLA", "AUFTRAGGEBER", "ABSENDER", "BY ORDER OF", "对方户名", "付款人名称", "付款人", "收款人名称", "收款人",
        "Плательщик", "Отправитель",
    ),
    "memo": (
        "OMSCHRIJVING", r"TYT\.", "TYTUŁ", "MITTEILUNGEN", "MITTEILUNG", "用途", "摘要", "附言", "备注",
        "Назначение платежа", "Назначение",
    ),
    "reference": ("KENMERK", r"BETALINGSKENM\.", "REFERENZEN", "业务编号", "合同号"),
    "": ("INCASSANT", "MACHTIGING", "ID DEBITEUR", "ID IPH", "TNR", "PAS", "ИНН", "КПП", "金额", "流水号"),
}  # fmt: skip
_ROLES = {re.sub(r"\\", "", label): role for role, labels in _LABELS.items() for label in labels}
_ALL = sorted((label for labels in _LABELS.values() for label in labels), key=len, reverse=True)
# Chinese is written without blanks: a label may stand right behind a value.
_LABEL = re.compile(
    r"((?:^|(?<=[\s;/,，；。、]))(?:"
    + "|".join(label for label in _ALL if not _CHINESE.match(label))
    + ")|"
    + "|".join(filter(_CHINESE.match, _ALL))
    + r")(?:\s{0,2}[:：]|(?<=BETALINGSKENM\.))"
)
_FULL = 60
_AROUND = " \t\n;/,，；。"
# The direct debits of an older ING layout: account, bank, name and the creditor's number stand in a row.
_IN_A_ROW = re.compile(
    r"\b(?P<iban>[A-Z]{2}\d{2}[A-Z0-9]{11,30}) (?P<bic>[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?) (?P<name>[^\n]{2,70}?) [A-Z]{2}\d{2}[A-Z0-9]{6,31}\b"
)
_OLD_ACCOUNT = re.compile(r"(\d{10}) (?=\S)")
# ABN AMRO before IBAN: an account with points, or GIRO and a number, and the name in a column of its own.
_DOMESTIC = re.compile(r"(?:GIRO {1,9}(\d{3,9})|(\d\d\.\d\d\.\d\d\.\d{3})) (?P<name>[^,\n]{2,35}?)(?=  |,|\n|$)")
_SWISS = re.compile(r"\s\d{6}(?=CH\d{5,19}\b)")
# A reference ends with its line or its column.
_COLUMN = re.compile(r"\n|\s{2}")


def running(lines: Sequence[str]) -> str:
    """One text: a filled line goes on in the next, a shorter one and one before a label end a word."""
    ends = [len(line) < _FULL or _LABEL.match(next_) is not None for line, next_ in pairwise([*lines, ""])]
    return "".join(line + "\n" if end else line for line, end in zip(lines, ends, strict=True))


def read_labels(text: str) -> Details:
    """What the labels name; an account and a name at the beginning or in a row; and else the text alone."""
    pieces = _LABEL.split(text)
    before = _beginning(text if len(pieces) == 1 else pieces[0])
    if len(pieces) == 1:
        return before
    found: dict[str, str] = defaultdict(str)
    for label, value in zip(pieces[1::2], pieces[2::2], strict=True):
        found.setdefault(_ROLES[label], value.strip(_AROUND))
    # Swiss banks write day and account behind the address, Polish ones the address behind two blanks.
    name, _, giro = _SWISS.sub("\n\n", found["name"]).partition("\n\n")
    account = compact(found["account"]) or compact(giro)
    return Details(
        name=plain(name.partition("  ")[0]) or before.name,
        account=account if any(map(str.isdigit, account)) else before.account,
        bank=compact(found["bank"]),
        memo=plain(found["memo"] or text),
        reference=plain(_COLUMN.split(found["reference"])[0]),
    )


def _beginning(text: str) -> Details:
    """Text without labels, by the account that it begins with or holds."""
    memo = plain(text)
    row = _IN_A_ROW.search(memo)
    if row:
        return Details(name=row["name"], account=row["iban"], bank=row["bic"], memo=memo)
    first, _, rest = memo.partition(" ")
    if is_iban(first):
        bank = rest.partition(" ")[0]
        return Details(account=first, bank=bank if BIC.fullmatch(bank) else "", memo=memo)
    domestic = _DOMESTIC.match(text)
    if domestic:
        return Details(account=domestic[1] or domestic[2], name=plain(domestic["name"]), memo=memo)
    old = _OLD_ACCOUNT.match(memo)
    return Details(account=old[1], memo=memo[old.end() :]) if old else Details(memo=memo)
