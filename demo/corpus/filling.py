"""What is put into the braces of a text: invented firms, generic people, made-up numbers, real places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from demo.corpus import Text

PLACES: dict[str, tuple[str, ...]] = {
    "320505": ("虎丘区狮山路", "虎丘区枫桥街道", "虎丘区浒墅关镇", "苏州高新区塔园路"),
    "320506": ("吴中区木渎镇", "吴中区东吴南路", "吴中区甪直镇", "吴中区胥口镇"),
    "320507": ("相城区黄埭镇", "相城区元和街道", "相城区渭塘镇", "相城区望亭镇"),
    "320508": ("姑苏区人民路", "姑苏区干将东路", "姑苏区平江街道", "姑苏区金阊新城"),
    "320509": ("吴江区盛泽镇", "吴江区松陵街道", "吴江区震泽镇", "吴江区汾湖大道"),
    "320571": ("苏州工业园区星湖街", "苏州工业园区娄葑街道", "苏州工业园区胜浦路", "苏州工业园区唯亭街道"),
    "320581": ("常熟市古里镇", "常熟市虞山街道", "常熟市支塘镇", "常熟市海虞镇"),
    "320582": ("张家港市金港街道", "张家港市杨舍镇", "张家港市锦丰镇", "张家港市塘桥镇"),
    "320583": ("昆山市张浦镇", "昆山市玉山镇", "昆山市千灯镇", "昆山市花桥镇"),
    "320585": ("太仓市浮桥镇", "太仓市城厢镇", "太仓市沙溪镇", "太仓市浏河镇"),
}
"""Region code → places in it that appeals speak of."""
PLAYFUL = (
    "会飞的石榴", "午睡的鲸鱼", "三只萤火虫", "月亮邮差", "慢吞吞的松鼠", "蓝色风铃草", "七号云朵",
    "弹钢琴的水獭", "半颗糖", "纸船与灯塔", "早起的刺猬", "橘子星球", "不打烊的月光", "绿豆蜻蜓",
    "雨天小火车", "爱唱歌的茶壶",
)  # fmt: skip
"""No real firm is called so; that is the point."""
TRADES = (
    "精密机械", "电子", "纺织", "生物医药", "包装", "新材料", "模具", "食品", "物流", "软件", "五金制品",
    "建筑劳务", "冷链", "自动化设备", "餐饮管理", "半导体",
)  # fmt: skip
SURNAMES = "王李张刘陈杨赵周吴徐孙朱"
FORMS = ("先生", "女士", "经理", "会计", "厂长")
OPENINGS = ("", "", "", "您好，", "领导您好：", "请问一下，", "反映一个情况：", "贵单位：")
CLOSINGS = (
    "",
    "",
    "",
    "谢谢。",
    "盼复。",
    "请尽快答复，联系电话见上。",
    "麻烦了！",
    "已经是第二次反映。",
    "如需材料可随时提供。",
)
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with nothing left open."""

    title: str
    content: str
    region: str
    place: str
    firm: str
    person: str
    mobile: str
    landline: str


def fill(text: Text, chance: Random, region: str = "") -> Filled:
    """The text as one firm wrote it. The same `chance` gives the same."""
    region = text.region or region or chance.choice(list(PLACES))
    place = f"{chance.choice(PLACES[region])}{chance.randint(1, 988)}号"
    firm = _firm(chance)
    values = {
        "firm": firm,
        "other": _firm(chance),
        "place": place,
        "wan": str(chance.choice((3, 8, 12, 26, 35, 48, 60, 120, 280)) + chance.randint(0, 9)),
        "n": str(chance.randint(3, 68)),
        "days": str(chance.randint(9, 95)),
        "month": str(chance.randint(1, 8)),
        "date": f"{chance.randint(1, 8)}月{chance.randint(1, 28)}日",
    }
    body = _SLOT.sub(lambda slot: values[slot.group(1)], text.content)
    return Filled(
        title=_SLOT.sub(lambda slot: values[slot.group(1)], text.title),
        content=f"{chance.choice(OPENINGS)}{body}{chance.choice(CLOSINGS)}",
        region=region,
        place=place,
        firm=firm,
        person=chance.choice(SURNAMES) + chance.choice(FORMS),
        mobile=f"1380000{chance.randint(0, 9999):04d}",
        landline=f"0512-6000{chance.randint(0, 9999):04d}",
    )


def _firm(chance: Random) -> str:
    return f"苏州{chance.choice(PLAYFUL)}{chance.choice(TRADES)}有限公司"
