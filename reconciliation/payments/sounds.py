"""Characters of company names that sound alike: what a name written down by ear confuses, each group after its syllable. Tones are not told apart."""

from __future__ import annotations

from string import ascii_lowercase

ALIKE = """
ai艾爱埃 an安岸鞍 ao奥澳傲 ba八巴吧 bai白百佰柏 bang邦帮榜 bao宝保堡葆 bei北贝倍备 ben本奔 bi碧必毕璧弼 biao标彪 bin宾滨彬斌 bing冰兵秉炳 bo波博伯铂勃 cai才财材采彩 cai蔡菜 cang苍仓沧 can灿璨 chang昌长常畅昶场 chao超朝潮
cheng成城诚承程澄 chi驰池弛 chong崇冲充 chuan川传船 chuang创 chun春纯淳 ci慈词 cong聪丛 da达大答 dai戴代岱 dan丹单旦 de德得 deng登灯等 di迪帝蒂笛地 ding鼎顶定丁 dong东冬栋董 du都督度渡 dun敦顿 en恩 er尔耳二
fa发法 fan凡帆繁梵 fang方芳坊舫 fei飞菲妃非霏 feng丰风峰锋枫封沣凤奉 fu福富夫付馥傅辅甫孚阜赋 gang刚钢港纲 gao高皋 ge格阁歌 geng耕庚 gong公工功宫弓恭 gu谷古鼓固 guan冠观官关馆 guang光广 gui贵桂归硅 guo国果 hai海
han翰汉瀚韩函涵寒 hang航杭行 hao豪浩昊皓灏好 he和合禾河荷赫贺鹤核 heng恒衡亨横 hong宏鸿洪红弘泓虹 hou厚 hu湖胡护沪虎 hua华花化画桦骅 huan环欢寰焕 huang皇黄煌凰 hui辉晖徽惠汇慧会卉回 huo火伙 ji基吉集机技积极济纪季际冀继 jia佳嘉家加甲
jian坚健建简剑间 jiang江将疆匠 jiao交娇骄 jie杰捷洁节 jin金今锦津进晋近劲 jing京晶精经景静敬竞菁境 jiu久九玖 ju巨聚居矩 jun军君俊骏钧均峻 kai凯开楷恺 kang康 ke科可克柯客 kun坤昆 lan兰蓝岚澜 lang朗郎廊 le乐勒 lei雷蕾磊
li力立利丽莉励黎理里礼历 lian联连莲廉 liang良亮梁粮 lin林临琳霖麟 ling灵铃凌玲菱岭领 liu流刘柳留六 long龙隆珑 lu鲁路陆露禄璐 lun伦轮纶 luo罗洛络骆 lv绿律吕铝 ma马玛码 mai麦迈脉 man满曼漫 mao茂贸帽 mei美梅煤枚 meng蒙猛梦孟 mi米密
mian绵棉 min民敏闽 ming名明铭鸣茗 mu木牧穆慕沐 na纳娜 nan南楠男 neng能 ning宁凝 niu牛纽钮 nuo诺 ou欧鸥 pai派 pan攀盘 peng鹏朋澎 ping品平萍屏苹 pu普浦朴 qi七奇琪旗齐启祺起企气汽骐 qian千迁乾谦前潜 qiang强 qiao桥乔侨
qin秦勤琴芹沁 qing青清庆晴轻卿 qiu球秋求 quan全泉权 qun群 ren仁人任 ri日 rong荣容融蓉溶榕 ru如儒 rui瑞锐睿蕊 run润 ruo若 sai赛 san三叁 sen森 shan山善珊杉闪 shang尚上商 shao绍邵少 shen申深神绅 sheng生升胜盛晟声圣昇
shi诗师施狮 shi时石实食拾 shi世事士市视仕式适 shu舒书殊 shu树术束 shuang双爽 shun顺舜 si思丝斯司 song松颂 su苏素速 sui穗岁随 sun孙 tai泰太 tang唐堂糖 tao桃陶涛 te特 teng腾藤 tian天添田 tie铁 tong通同童彤铜桐
tu图途 tuo拓 wan万湾 wang旺望王汪 wei威微薇维唯为伟玮卫味魏未 wen文闻雯稳 wo沃握 wu吴无梧 wu五伍武舞 wu物务悟 xi希西喜熙溪曦羲析席 xia夏霞 xian先仙鲜贤显县献现 xiang湘香祥翔想相象 xiao晓小笑孝 xie协谐 xin欣新心鑫馨信昕芯薪
xing星兴行幸杏 xiong雄熊 xiu修秀绣 xu旭徐许绪序 xuan轩宣选炫 xue学雪 ya雅亚 yan炎岩延研颜言盐 yan雁燕艳 yang扬阳洋杨 yao耀药曜 ye业叶烨 yi一亿易益义依怡逸艺宜毅医伊仪亦奕懿翼 yin银音茵引印 ying英盈赢营迎颖映应 yong永勇涌
you优友有佑 yu宇羽雨语余鱼渔玉裕育誉煜昱豫御域 yuan元源园圆原缘远苑媛 yue悦月越跃岳 yun云运韵 ze泽 zhan展 zhang张章彰 zhao昭召照兆 zhen真珍臻贞 zhen振震镇 zheng正政郑征 zhi志智至致治知之芝 zhong中忠众钟 zhou州洲舟 zhu珠朱竹株
zhu祝筑 zhuo卓 zi子紫 zong宗综 zu祖 zun尊
"""
_SOUND: dict[str, int] = {}
for _number, _group in enumerate(ALIKE.split()):
    for _char in _group.lstrip(ascii_lowercase):
        _SOUND.setdefault(_char, _number)


def sound_alike(one: str, other: str) -> bool:
    """Whether two characters are taken for each other by ear."""
    return one == other or (one in _SOUND and _SOUND[one] == _SOUND.get(other))
