"""Names ranked by likeness: short forms, ticker names and cut names find their full name among thousands."""

from __future__ import annotations

from collections.abc import Iterable
from math import log

from reconciliation.payments.names import parse
from reconciliation.payments.romanised import LatinIndex, letters_of
from reconciliation.payments.text import squeeze

_COMMON = 400
_LITERAL = 2
_SHORT_PROVINCES = """
京=北京 津=天津 沪=上海 渝=重庆 冀=河北 晋=山西 辽=辽宁 吉=吉林 黑=黑龙江 苏=江苏/苏州 浙=浙江 皖=安徽 闽=福建 赣=江西 鲁=山东 豫=河南 鄂=湖北 湘=湖南 粤=广东 桂=广西 琼=海南 川=四川 蜀=四川
黔=贵州 滇=云南 藏=西藏 陕=陕西 秦=陕西 甘=甘肃 陇=甘肃 青=青海 宁=宁夏/南京/宁波 新=新疆 蒙=内蒙古 港=香港 深=深圳 穗=广州 哈=哈尔滨 杭=杭州 厦=厦门
"""
_PROVINCES = dict(pair.split("=") for pair in _SHORT_PROVINCES.split())


class NameIndex:
    """Full names by their characters and pairs of characters; a name is added in the time it takes to read it."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._grams: dict[str, dict[str, None]] = {}
        self._names: dict[str, str] = {}
        self._latin: LatinIndex | None = None
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        full = squeeze(name)
        if full and name not in self._names:
            self._names[name] = full
            for gram in _grams(full):
                self._grams.setdefault(gram, {})[name] = None
            if self._latin is not None:
                self._latin.add(name)

    def latin(self, text: str) -> dict[str, float]:
        """Chinese names that one in Latin letters may stand for, and how much of it each accounts for."""
        if self._latin is None:  # most tenants never see one
            self._latin = LatinIndex(self._names)
        return self._latin.find(text)

    def rank(self, text: str, limit: int = 10) -> list[tuple[str, float]]:
        """The most alike names with how alike they are, best first; equal ones in the order of the alphabet.

        From 1 on the text is the name with characters left out, in the name's order.
        """
        queries = _readings(text)
        scores: dict[str, float] = {}
        weights = {gram: self._rarity(gram) for query in queries for gram in _grams(query) if gram in self._grams}
        for gram, weight in sorted(weights.items(), key=lambda entry: (-entry[1], entry[0])):
            postings = self._grams[gram]
            if len(postings) > _COMMON and len(scores) >= limit:
                continue
            for name in postings:
                scores[name] = scores.get(name, 0.0) + weight * weight
        best = sorted(scores.items(), key=lambda entry: (-entry[1] / self._length(entry[0]), entry[0]))[:120]
        totals = [sum(self._rarity(gram) ** 2 for gram in _grams(query)) or 1.0 for query in queries]
        ranked = [
            (name, max(self._alike(query, name, score / total) for query, total in zip(queries, totals, strict=True)))
            for name, score in best
        ]
        if letters_of(text):
            ranked = _merged(ranked, self.latin(text))
        ordered = sorted(ranked, key=lambda entry: (-entry[1], entry[0]))
        return _with_literal(queries[0], ordered, limit, self._names) if len(queries) > 1 else ordered[:limit]

    def _rarity(self, gram: str) -> float:
        return log(1 + len(self._names) / (1 + len(self._grams.get(gram, ())))) * (1.6 if len(gram) == 2 else 1.0)

    def _length(self, name: str) -> float:
        return float((4 + len(self._names[name])) ** 0.3)

    def _alike(self, query: str, name: str, share: float) -> float:
        """Shared grams, weighed up where the text is within the name, at its start, or all of it."""
        full, core = self._names[name], parse(name).core
        share = min(share, 1.0) + (1.0 if _is_within(query, full) else 0.0)
        share += 0.25 if query and core.startswith(query[:2]) else 0.0
        share += 0.5 if query in (core, full) else 0.0
        return share / (1 + 0.012 * len(core))


def _merged(ranked: list[tuple[str, float]], latin: dict[str, float]) -> list[tuple[str, float]]:
    """The ranked names with those that the letters stand for, as alike as all of the letters in order would be."""
    scores = dict(ranked)
    for name, share in latin.items():
        scores[name] = max(scores.get(name, 0.0), 1.5 * share)
    return list(scores.items())


def _with_literal(query: str, ordered: list[tuple[str, float]], limit: int, names: dict[str, str]) -> list[tuple[str, float]]:
    """The best, of which the last few are names that have the text's own characters, however the first one may be read."""
    best, rest = ordered[:limit], ordered[limit:]
    literal = [entry for entry in rest if _is_within(query, names[entry[0]])][:_LITERAL]
    kept = [entry for entry in best if _is_within(query, names[entry[0]])]
    if not literal or len(kept) >= _LITERAL:
        return best
    return [*best[: limit - len(literal)], *literal]


def _readings(text: str) -> list[str]:
    """A short name as it stands, and with a province's one character written out."""
    query = _bare(text)
    return [
        query,
        *(province + query[1:] for province in _PROVINCES.get(query[:1], "").split("/") if province and len(query) > 1),
    ]


def _bare(text: str) -> str:
    """A short name without what stock exchanges and people add to it."""
    query = squeeze(text)
    while query.startswith(("ST", "XD", "XR", "DR")) and len(query) > 3:
        query = query[2:]
    if len(query) > 2 and query[-1] in "AB" and not query[-2].isascii():
        query = query[:-1]
    return query


def _grams(name: str) -> list[str]:
    return list(dict.fromkeys([*name, *(name[at : at + 2] for at in range(len(name) - 1))]))


def _is_within(query: str, full: str) -> bool:
    rest = iter(full)
    return bool(query) and all(char in rest for char in query)
