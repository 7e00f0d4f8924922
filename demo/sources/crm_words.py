"""
How the hotline's CRM writes an appeal: note1 to note16, codes with strangers among them, local times.

Some rows cannot be read at all, as happens: the content is missing, blank, or not a text.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from demo.plan import Item
from demo.sources.sst_words import credit_code

KINDS = {
    "consultation": "10",
    "suggestion": "15",
    "complaint": "20",
    "report": "25",
    "help": "30",
    "praise": "35",
}
DOORS = ("DH", "DH", "DH", "ZW", "WZ", "WX", "AP", "YJ")
ANNEX = (
    "tzb fgw jyj kjj gxj gaj mzj sfj czj rsj zgj hbj zjj ylj cgj jtj swj nyj swu wgl wjw tyj yjj spj "
    "sjg tiy ybj rfb jrj zgh clh ctg gxs gjj sws qxj yzj gdy gwd ycj rmy jrz hg1 hg2 xfj tlz szy zyt"
)
UNITS = {unit: str(1001 + place) for place, unit in enumerate(ANNEX.split())}
"""The hotline numbers the units of annex 4 in its order."""
STATUS = {"open": "35", "withdrawn": "5"}
UNKNOWN_KIND, UNKNOWN_DOOR = "1", "XC"
ANONYMOUS = 31
"""One caller in so many does not want the unit to know who called."""


def row(item: Item, version: int, updated: datetime, glances: int) -> dict[str, Any]:
    """The work order as the list shows it."""
    filled, chance = item.filled, item.chance
    changed = item.changes[: version - 1]
    created = updated - timedelta(minutes=chance % 240)
    data: dict[str, Any] = {
        "record_number": item.id,
        "note1": filled.title,
        "note2": filled.content
        + ("<br>补充说明：来电人又补充了一张清单。" if "supplement" in changed else ""),
        "note3": UNKNOWN_KIND if chance % 29 == 0 else KINDS[item.text.kind],
        "note4": UNKNOWN_DOOR if chance % 37 == 0 else DOORS[chance % len(DOORS)],
        "note5": filled.person,
        "note6": f"{filled.mobile}/{filled.landline}" if chance % 3 else filled.mobile,
        "note7": _screened(item),
        "note8": filled.firm,
        "note9": "" if chance % 2 else credit_code(item),
        "note10": f"江苏省苏州市{filled.place}".replace("苏州市苏州", "苏州市"),
        "note11": filled.region if chance % 4 else "",
        "note12": f"{created.year}/{created.month}/{created.day} {created:%H:%M:%S}",
        "note13": _flags(item),
        "note14": STATUS["withdrawn" if "withdrawal" in changed else "open"],
        "note15": str(version),
        "note16": glances,
        "update_time": updated.strftime("%Y-%m-%d %H:%M:%S"),
    }
    return _spoilt(data, chance) if item.fate == "dead" else data


def _screened(item: Item) -> str:
    """The agent names the units in two calls of three; general questions and hard cases never."""
    codes = [UNITS[unit] for unit in item.text.units if unit in UNITS]
    return ",".join(codes) if item.chance % 3 else ""


def _flags(item: Item) -> str:
    return "01,02" if item.chance % ANONYMOUS == 0 else "03" if item.chance % 19 == 0 else ""


def _spoilt(data: dict[str, Any], chance: int) -> dict[str, Any]:
    spoilt: tuple[Any, ...] = (None, " 　", {"text": "内容在附件里"})
    return {**data, "note2": spoilt[chance % len(spoilt)]}
