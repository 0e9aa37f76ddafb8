"""Text as banks write it, brought to one form: full and half width, traditional characters, blanks, case."""

from __future__ import annotations

import re
import unicodedata

# Traditional characters that occur in names and trades of companies, each before its simplified form.
_PAIRS = """
東东 國国 華华 實实 業业 機机 電电 無无 錫锡 廣广 滬沪 寧宁 蘇苏 無无 雲云 貴贵 瓊琼 遼辽 龍龙 贛赣 閩闽 臺台 灣湾 門门 陽阳 陰阴 漢汉 濟济 濰潍
煙烟 鄭郑 許许 衛卫 開开 慶庆 徑径 縣县 鎮镇 鄉乡 莊庄 區区 島岛 橋桥 溝沟 渦涡 滄沧 楊杨 劉刘 張张 陳陈 趙赵 吳吴 孫孙 馬马 羅罗 謝谢 韓韩 馮冯 鄧邓 蕭萧
賈贾 鄒邹 陸陆 賀贺 顧顾 龔龚 萬万 錢钱 湯汤 賴赖 譚谭 閆闫 齊齐 鐘钟 鍾钟 盧卢 蔣蒋 閻阎 葉叶 餘余 範范 薩萨 樂乐 歐欧 聶聂 關关 魯鲁 嚴严 應应 團团 責责
貿贸 易易 進进 設设 備备 備备 製制 造造 藥药 醫医 療疗 儀仪 錶表 銅铜 鐵铁 鋼钢 鋁铝 鋅锌 銀银 金金 鎢钨 鈦钛 鎳镍 錳锰 鉛铅 鑄铸 鍛锻 銑铣 鑽钻 鏈链 鎖锁 釘钉 針针 鋒锋
軸轴 輪轮 車车 輛辆 輸输 運运 載载 軟软 轉转 較较 輕轻 輝辉 軍军 軌轨 飛飞 機机 艦舰 線线 纜缆 絲丝 紡纺 織织 綢绸 緞缎 繡绣 紙纸 紅红 綠绿 維维 網网 絡络 經经 緯纬 綜综 統统
級级 約约 組组 細细 終终 結结 給给 絕绝 緣缘 編编 練练 縱纵 總总 績绩 繼继 續续 纖纤 繩绳 純纯 納纳 紀纪 紹绍 綱纲 締缔 紳绅 興兴 與与 舉举 譽誉 學学 覺觉 觀观 視视
規规 親亲 覽览 詠咏 誠诚 計计 訂订 訊讯 記记 訓训 討讨 設设 訪访 評评 證证 詞词 試试 詩诗 話话 該该 詳详 誼谊 調调 談谈 請请 諾诺 謀谋 謙谦 講讲 識识 譯译 議议 護护 讀读 變变
讓让 財财 貨货 販贩 貫贯 貯贮 貴贵 買买 費费 資资 賓宾 賜赐 賞赏 質质 賢贤 賽赛 贊赞 贏赢 賬账 賦赋 購购 貝贝 負负 貢贡 頂顶 項项 順顺 須须 頌颂 預预 領领 頓顿 頭头 題题 顏颜
願愿 類类 顯显 頁页 額额 頻频 風风 颺扬 飄飘 飯饭 飲饮 飾饰 飼饲 飽饱 餅饼 養养 館馆 饋馈 饒饶 馳驰 駿骏 駕驾 駐驻 騎骑 騰腾 驗验 驅驱 驛驿 髮发 發发 鬆松 魚鱼 鮮鲜 鯨鲸 鳥鸟
鳳凤 鳴鸣 鴻鸿 鵬鹏 鷹鹰 鶴鹤 麗丽 麥麦 麵面 黃黄 點点 齒齿 龜龟 優优 億亿 儲储 償偿 傳传 傑杰 傘伞 偉伟 側侧 偽伪 備备 債债 價价 儉俭 個个 們们 倉仓 兩两 冊册 凍冻 淨净 涼凉
減减 準准 劃划 則则 剛刚 創创 劑剂 劍剑 勁劲 動动 務务 勝胜 勞劳 勢势 勵励 勳勋 匯汇 協协 單单 卻却 廠厂 歷历 曆历 厭厌 廳厅 參参 雙双 吶呐 員员 呂吕 問问 啟启 啓启 喬乔 嘆叹 嘉嘉
園园 圓圆 圖图 國国 圍围 報报 場场 塊块 堅坚 塵尘 墊垫 壇坛 壓压 壘垒 壩坝 壯壮 聲声 壺壶 處处 複复 復复 夠够 夢梦 奪夺 奮奋 奧奥 婦妇 媽妈 嬌娇 學学 孫孙 寶宝 寬宽 審审 寫写 將将
專专 尋寻 對对 導导 層层 屬属 岡冈 峽峡 崗岗 嶺岭 嶄崭 幣币 帥帅 師师 帳帐 帶带 幟帜 幫帮 幹干 乾干 幾几 庫库 廢废 廬庐 彌弥 彈弹 強强 彙汇 彥彦 後后 徵征 徹彻 恆恒 悅悦 惠惠
愛爱 態态 慣惯 憲宪 懷怀 憶忆 應应 戰战 戲戏 戶户 拋抛 挾挟 捨舍 掃扫 掛挂 採采 揚扬 換换 揮挥 損损 搖摇 搶抢 擁拥 擇择 擊击 擋挡 據据 擬拟 擴扩 擺摆 攝摄 攤摊 攪搅 敗败 敘叙 數数
斷断 於于 時时 晉晋 晝昼 暢畅 曉晓 會会 朧胧 條条 來来 極极 構构 槍枪 樓楼 標标 樞枢 樣样 樸朴 樹树 橫横 檔档 檢检 櫃柜 欄栏 權权 歡欢 歲岁 殘残 殼壳 毀毁 氣气 氫氢 漁渔 溫温 滿满
滾滚 漲涨 澤泽 濤涛 濕湿 濱滨 瀋沈 瀏浏 灑洒 災灾 爐炉 爍烁 熱热 燈灯 燒烧 營营 燦灿 燭烛 爭争 爺爷 牆墙 獎奖 獨独 獅狮 獲获 獻献 現现 環环 瑪玛 瑤瑶 瑩莹 璽玺 產产 畢毕 畫画 異异
療疗 發发 皚皑 盜盗 盡尽 監监 盤盘 眾众 睏困 矯矫 碼码 磚砖 礎础 礦矿 禮礼 祿禄 禪禅 禦御 種种 稱称 穀谷 積积 穩稳 窩窝 窮穷 竅窍 競竞 筆笔 築筑 節节 範范 簡简 簽签 籃篮 籌筹 糧粮
緊紧 罷罢 羨羡 習习 翹翘 聖圣 聯联 聰聪 職职 聽听 肅肃 脫脱 腦脑 腫肿 膚肤 膠胶 膽胆 臉脸 臨临 藝艺 藍蓝 蘭兰 蘊蕴 蓮莲 薦荐 薔蔷 蕪芜 蝦虾 蟲虫 螞蚂 蠟蜡 補补 裝装 裡里 裏里 襯衬
製制 複复 覆覆 豐丰 艷艳 豬猪 貓猫 跡迹 踐践 躍跃 軀躯 辦办 農农 迴回 這这 連连 週周 遊游 過过 達达 違违 遙遥 遞递 遠远 適适 選选 遺遗 邁迈 還还 邊边 邏逻 郵邮 鄰邻 釀酿 醬酱 釋释
鈔钞 鈴铃 鋪铺 錄录 錦锦 鎂镁 鏡镜 鑒鉴 鑑鉴 鑫鑫 長长 閃闪 閉闭 間间 閱阅 閣阁 闊阔 隊队 階阶 際际 隨随 險险 隱隐 隸隶 難难 離离 雜杂 靈灵 霧雾 靜静 韻韵 響响 頤颐 驕骄 體体 髒脏
魯鲁 鹽盐 鷺鹭 麼么 黨党 齡龄 龐庞 鈕钮 鈣钙 鉀钾 錨锚 鍋锅 鍵键 鑰钥 鬥斗 兒儿 徠徕 豈岂 榮荣 畝亩 舊旧 蒼苍 賺赚 鎧铠 閒闲 頗颇 鯤鲲 誌志 廈厦 廚厨 窯窑 絨绒 綿绵 緻致 鋰锂 燁烨 煒炜
"""
_SIMPLE = str.maketrans({pair[0]: pair[1] for pair in _PAIRS.split() if pair[0] != pair[1]})
_BLANK = re.compile(r"\s+")
_NOT_NAME = re.compile(r"[^\w\u3400-\u9fff]+")


class _Folding(dict[int, str]):
    """What each character becomes, worked out when it is first met: texts are folded all the time, and of few characters."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        plain = unicodedata.normalize("NFKC", char).upper()
        found = (plain if len(plain) == 1 else char).translate(_SIMPLE)
        if len(self) < 65_536:  # whoever sends every character there is does not fill the memory with them
            self[code] = found
        return found


_FOLDED = _Folding()


def fold(text: str) -> str:
    """The text in one width, one case and simplified characters, with every character still at its own place."""
    return text.translate(_FOLDED)


def squeeze(text: str) -> str:
    """Folded, and without anything but letters, digits and characters: what two writings of one name share."""
    return _NOT_NAME.sub("", _BLANK.sub("", fold(text)))


def compact(number: str) -> str:
    """A document number without its separators: `XS20260101-00001` and `xs 20260101 00001` are the same."""
    return "".join(filter(str.isalnum, fold(number)))
