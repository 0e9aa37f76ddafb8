"""Company names in Latin letters: by pinyin, as Hong Kong writes them, with trades in English. Tones and word ends are not told apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from string import ascii_lowercase

from reconciliation.payments.names import Name, parse
from reconciliation.payments.sounds import ALIKE
from reconciliation.payments.text import fold

_MORE = """
ao敖 ban半班 bao包鲍 beng泵蚌 bian卞边 biao表 bo亳玻舶 bu不卜埠部 can餐 cao曹 cen岑 cha查茶 chai柴 chan产 che车 chen谌郴陈 chi赤迟 chong重 chu储出楚滁褚 ci瓷 cui崔 dan郸 dang党 dao刀导岛道 deng邓
di底 dian店淀电 diao刁 dong动 dou窦 du杜 duan段端 duo多 e鄂 fa阀 fan樊范 fang房纺防 fei肥费 fen份 feng冯 fo佛 fu抚服符 gan感甘赣 gang冈 gao告郜 ge葛革 geng耿 gong供巩贡龚 gou苟 gu股顾 guan管莞
gui轨 guo郭 ha哈 han邯 hao郝 he何菏 hei黑 hou侯 hu呼狐 huai怀淮 huo霍 ji姬鸡 jia贾 jian件 jiang姜蒋 jiao教焦胶 jie揭解 jin紧靳 jing荆靖 jiu酒 ju具鞠 kong孔控空 kou口寇 kuang匡矿邝 la拉 lan缆
lao劳 leng冷 li厉李栗璃 lian链 liao廖料疗聊辽 lin蔺 ling令陵零 lou娄楼 lu卢泸芦 luan栾 ma麻 mao毛 mei媒眉 men门 miao缪苗 min闵 mo模莫 mou牟 mu母 nei内 ni倪 nie聂 nong农 pan潘 pang庞 pei裴配
peng彭 pi皮 pu濮莆蒲 qi器戚祁 qian钱 qin覃 qiu丘仇裘邱 qu屈曲瞿衢 ran冉燃 rao饶 ruan软阮 sa萨 sang桑 sha沙 shan汕陕 shao韶 she佘设 shen沈 shi十史饰 shu属熟输 shua刷 shui水 si四 song宋 su塑宿粟肃
sui遂隋 tai台 tan潭谈谭 tang汤 teng滕 ti体梯 tong仝佟 tou头投 tu徒涂 tuan团 wan玩 wang网 wei位尉尾渭潍韦 wen温 weng翁 wu乌巫芜邬 xi奚息锡 xia厦 xian冼咸线 xiang乡向橡襄项 xiao消肖萧 xie械谢鞋 xin辛
xing邢 xiu锈 xu胥 xue薛 xun讯询 ya压 yan严堰晏烟鄢闫 yao姚 ye液 yi沂 yin尹殷鄞阴饮 ying婴鹰 yong用 you尤油游 yu于俞喻榆虞郁 yuan袁 zang臧藏 zao枣造 zeng曾 zhai翟 zhan湛詹 zhang漳 zhao肇赵 zhe浙
zhen圳甄针 zhi制枝纸织 zhong仲 zhou周轴 zhu诸驻 zhuang妆庄装 zi咨淄自资 zou邹 zun遵 zuo作左
"""
_HONG_KONG = """
ao澳 chan陈 cheung昌长张祥 chi志池 chin千 ching正 chong创 chow周 chu珠朱 chun俊 chung中钟 fai辉 fat发 fo火 fok霍 fook福 fu富 fung丰冯 hang恒 hing兴 ho何豪浩澔 hoi海 hong康行 hop合 ka家嘉
kai佳启 kam金锦 kan简 kee记 kei基 keung强 kin建健 kit杰 ko高 kong江港 kwan关 kwok国郭 kwong光 lai黎 lam林 lap立 lau刘 lee李利 leung梁良 lik力 lo罗 loi来 luen联 luk陆 lung龙隆 mak麦
man万文 mei美 ming明 ng吴伍 ngai艺 ngan银 on安 pak百 ping平 po宝 pong邦 sai西 san山 sang生 shek石 shing成盛城 shui水 shun顺信 sing升星 siu小萧 sum心 sun新 sung宋 tai大太泰 tak德 tang邓
tat达 tin天田 tit铁 to杜 tong堂唐 tsang曾 tse谢 tsun进 tung东同 wah华 wai惠伟威 wan云 wang宏 wing永荣 wo和 wong王黄 wu胡 yat日 yau友 yee义怡 yik益 yip叶业 ying英 yiu耀 yu余 yue裕
yuen源远元 yuk玉 lok乐 nam南
"""
_TRADES = """
MACHINERY=机械 PRECISION=精密 ELECTRONIC=电子 TECH=科技 TRADING=贸易 TRADE=贸易 INTERNATIONAL=国际 INTL=国际 PROPERT=置业 INDUSTR=实业/工业
AUTOMOTIVE=汽车 AUTOPARTS=汽车零部件/汽配 AUTOMATION=自动化 PACKAG=包装 NEWMATERIAL=新材料 CHEMICAL=化工 FOOD=食品 TEXTILE=纺织 FURNITURE=家具 HARDWARE=五金
PLASTIC=塑胶/塑料 EQUIPMENT=设备 INSTRUMENT=仪器 VALVE=阀门 ENVIRONMENT=环保 ENERGY=能源 MEDICAL=医疗 LIGHTING=照明 LOGISTIC=物流 SUPPLYCHAIN=供应链 ELECTRICAL=电气/电器
METAL=金属 MOULD=模具 MOLD=模具 BEARING=轴承 BUILDING=建材/建筑 CARPET=地毡/地毯 COMMERC=商贸 EXPORT=进出口 DEVELOP=发展 PHARMA=医药/制药 CONSTRUCT=建设/建筑 PAPER=纸业
"""
_ENDS = re.compile(
    r"(?:COMPANYLIMITED|COMPANYLTD|COLTD|COLIMITED|LIMITED|LTD|INC|CORP|CORPORATION|HOLDINGS?|HOLD|GROUP|COMPANY|CO|CN|CHINA)+$"
)
_LEAST, _FIRST, _LONGEST = 5, 2, 6


def _table(text: str) -> dict[str, str]:
    return {
        char: group[: -len(chars)].upper()
        for group in text.split()
        for chars in [group.lstrip(ascii_lowercase)]
        for char in chars
    }


_WAYS = (_table(ALIKE) | _table(_MORE), _table(_HONG_KONG))
_ENGLISH = {word: chinese.split("/") for word, chinese in (pair.split("=") for pair in _TRADES.split())}


def letters_of(text: str) -> str:
    """The letters of a name that is written in Latin ones, without its legal form; empty for any other."""
    folded = fold(text)
    letters = "".join(char for char in folded if "A" <= char <= "Z")
    if len(letters) < _LEAST or any("\u3400" <= char <= "\u9fff" for char in folded):
        return ""
    return _ENDS.sub("", letters) or letters


class LatinIndex:
    """Chinese names by how their beginnings are written in Latin letters."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_letters: dict[str, dict[str, None]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        for letters in dict.fromkeys(_beginnings(parse(name))):
            self._by_letters.setdefault(letters, {})[name] = None

    def find(self, text: str) -> dict[str, float]:
        """Names that a Latin one begins with, and how much of its letters, with the trades that it translates, they account for."""
        letters = letters_of(text)
        found: dict[str, float] = {}
        for size in range(len(letters), _LEAST - 1, -1):
            for name in self._by_letters.get(letters[:size], ()):
                if name not in found:
                    found[name] = min((size + _translated(letters[size:], name)) / len(letters), 1.0)
        return found


def _beginnings(name: Name) -> Iterator[str]:
    """The first characters in letters, two to six of them: of the name with its place, and of the name without."""
    for way in _WAYS:
        for start in dict.fromkeys((name.bare, name.place + name.core, name.core)):
            letters = ""
            for at, char in enumerate(start[:_LONGEST], start=1):
                if char not in way:
                    break
                letters += way[char]
                if at >= _FIRST and len(letters) >= _LEAST:
                    yield letters
                    if "LV" in letters:
                        yield letters.replace("LV", "LU")


def _translated(letters: str, name: str) -> int:
    """How many of these letters are English words for what the name has in Chinese."""
    return sum(len(word) for word, chinese in _ENGLISH.items() if word in letters and any(each in name for each in chinese))
