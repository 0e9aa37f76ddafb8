"""Company names: their parts, and how alike two of them are."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec
from rapidfuzz.distance import OSA

from reconciliation.payments.places import PLACES, SURNAMES, TRADES
from reconciliation.payments.sounds import sound_alike
from reconciliation.payments.text import fold, squeeze

_LEGAL = re.compile(
    r"(?:股份有限责任公司|股份有限公司|有限责任公司|有限合伙企业|有限公司|股份公司|集团公司|总公司|合伙企业|合作社|个体工商户|公司|集团|股份|"
    r"有限责任|有限责|有限公|有限|有限合伙)$"
)
_HOUSE = re.compile(
    r"(?:经营部|商行|工厂|总厂|厂|商店|门市部|经销部|工作室|中心|事务所|超市|酒店|学校|医院|研究院|研究所|银行|店|部|社|馆)$"
)
_BRANCH = re.compile(
    r"(?<=公司)(?P<branch>.{0,8}?(?:工会委员会|工会|分公司|分厂|分部|分店|办事处|营业部|事业部|财务部|结算中心|财务中心|项目部|工程部|销售部|采购部))$"
)
_BRACKET = re.compile(r"[(\[【〔（]([^)\]】〕）]*)[)\]】〕）]")
_NOTE = re.compile(r"户$|账户|代付|代|款|专用|备注|原名|原|曾用名|收|付|元|个人|对公")
_COMPANY = re.compile(r"公司|集团|有限|厂$|商行|经营部|合作社|中心|银行|店$|企业|工作室|院$|学校|局$|委员会|协会|支行|股份")
_CJK = re.compile(r"[\u3400-\u9fff]+")


class Name(msgspec.Struct, frozen=True, kw_only=True):
    """A company name taken apart. `bare` is without the legal form, `core` without the place too, `brand` without the trade."""

    full: str
    bare: str
    core: str
    brand: str
    place: str
    branch: str


@lru_cache(maxsize=65536)
def parse(text: str) -> Name:
    """The parts of a company name; notes in brackets and departments are kept apart."""
    folded = fold(text)
    for bracket in _BRACKET.finditer(folded):
        if _NOTE.search(bracket[1]):
            folded = folded.replace(bracket[0], "")
    full = squeeze(folded)
    branch = found["branch"] if (found := _BRANCH.search(full)) else ""
    whole = full[: len(full) - len(branch)] if branch else full
    bare = whole
    while len(shorter := _LEGAL.sub("", bare)) >= 2 and shorter != bare:
        bare = shorter
    place, core = _place(bare)
    brand = _strip_trade(core)
    return Name(full=whole, bare=bare, core=core, brand=brand, place=place, branch=branch)


def _place(bare: str) -> tuple[str, str]:
    """The place in a name, at its start or (once in brackets) within it, and the name without it."""
    for size in (4, 3, 2):
        head = bare[:size]
        if head in PLACES and len(bare) - size >= 2:
            rest = re.sub(r"^(?:省|市|区|县|特别行政区)", "", bare[size:])
            inner, core = _place(rest) if len(rest) > 4 and rest[:2] in PLACES else ("", rest)
            return head + inner, core
    for size in (3, 2):
        for start in range(2, len(bare) - size + 1):
            if bare[start : start + size] in PLACES:
                return bare[start : start + size], bare[:start] + re.sub(r"^(?:省|市)", "", bare[start + size :])
    return "", bare


def _strip_trade(core: str) -> str:
    brand = core
    changed = True
    while changed:
        changed = False
        brand_less = _HOUSE.sub("", brand)
        if len(brand_less) >= 2 and brand_less != brand:
            brand, changed = brand_less, True
        for trade in TRADES:
            if brand.endswith(trade) and len(brand) - len(trade) >= 2:
                brand, changed = brand[: -len(trade)], True
                break
    return brand


@lru_cache(maxsize=65536)
def is_person(text: str) -> bool:
    """Whether a name is a natural person's as far as its form tells: a surname and one to three more characters."""
    name = squeeze(text)
    if not 2 <= len(name) <= 4 or not _CJK.fullmatch(name) or _COMPANY.search(name):
        return False
    return name[:2] in SURNAMES or (name[0] in SURNAMES and len(name) <= 3)


# How much each rung says for "this payer is that customer", in bits, before the customers are compared with each other.
BEHALF, LATIN = "behalf", "latin"
SAME, BRANCH, FORM, CUT, NO_PLACE, CLOSE, SHORT, OTHER_PLACE, FAR = (
    "same", "branch", "form", "cut", "no_place", "close", "short", "other_place", "far",
)  # fmt: skip
BITS = {
    BEHALF: 9.0,
    SAME: 15.0,
    BRANCH: 10.0,
    FORM: 11.0,
    CUT: 10.0,
    NO_PLACE: 9.0,
    CLOSE: 7.5,
    LATIN: 6.5,
    SHORT: 5.0,
    OTHER_PLACE: 0.0,
    FAR: -4.0,
}


def compare(payer: Name, customer: Name) -> str:
    """The rung on which a payer's name stands against a customer's."""
    if payer.full == customer.full:
        return BRANCH if payer.branch != customer.branch and payer.branch and not _is_department(payer.branch) else SAME
    if payer.bare == customer.bare:
        return FORM
    if _is_cut(payer.full, customer):
        return CUT
    if payer.core == customer.core and len(payer.core) >= 3:
        return NO_PLACE if not (payer.place and customer.place) else OTHER_PLACE
    if payer.place and customer.place and not _places_agree(payer.place, customer.place):
        return OTHER_PLACE if payer.brand == customer.brand else _close(payer, customer, strict=True)
    return _close(payer, customer, strict=False)


def _is_department(branch: str) -> bool:
    return branch.endswith(("财务部", "结算中心", "财务中心", "采购部", "工会委员会", "工会"))


def _is_cut(name: str, customer: Name) -> bool:
    """Whether a name is the customer's, cut off where a field ended: past the brand at least."""
    start = customer.full.find(customer.brand) + len(customer.brand)
    return len(name) >= max(5, start + 1) and customer.full.startswith(name)


def _places_agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one) or one.endswith(other) or other.endswith(one)


def _close(payer: Name, customer: Name, *, strict: bool) -> str:
    """One slip in a long name is close. Another character is a slip only where it sounds the same: else it is another name."""
    slip = _slip(payer.bare, customer.bare)
    if slip == "lost" and min(len(payer.bare), len(customer.bare)) >= 4 and not strict:
        left = min(len(payer.brand), len(customer.brand))
        return CLOSE if len(payer.bare) >= 5 and left >= 2 else SHORT
    if slip == "lost" and strict and payer.brand == customer.brand and len(payer.place) != len(customer.place):
        return CLOSE
    if slip == "sound" and len(payer.bare) >= 4:
        return CLOSE
    if slip == "swap" and len(payer.bare) >= 6:
        return CLOSE
    if not strict and _is_short(payer, customer):
        return SHORT
    return OTHER_PLACE if payer.brand == customer.brand and len(payer.brand) >= 2 else FAR


def _slip(one: str, other: str) -> str:
    """What kind of single slip makes one name of the other: a character lost, two swapped, one written by ear; else nothing."""
    if OSA.distance(one, other, score_cutoff=1) != 1:
        return ""
    if len(one) != len(other):
        return "lost"
    changed = [(first, second) for first, second in zip(one, other, strict=True) if first != second]
    if len(changed) == 2:
        return "swap"
    return "sound" if sound_alike(*changed[0]) else ""


def _is_short(payer: Name, customer: Name) -> bool:
    """Whether one name is a short form of the other: its characters in order, starting with the brand's."""
    short, long = sorted((payer, customer), key=lambda name: len(name.core))
    if len(short.core) < 2 or not short.core or short.core[:2] != long.core[:2]:
        return False
    rest = iter(long.core)
    return all(char in rest for char in short.core)
