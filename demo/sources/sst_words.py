"""How the 苏商通-like system writes an appeal: JSON in good order, with ids too long for a float."""

from __future__ import annotations

import struct
import zlib
from datetime import datetime, timedelta
from typing import Any

from demo.plan import Item
from demo.reporters import APPROVED, REFUSED

KINDS = {
    "consultation": "1",
    "help": "2",
    "complaint": "3",
    "suggestion": "4",
    "report": "5",
    "praise": "6",
}
STATES = {"open": 1, "withdrawn": 8, "closed": 9}
SATISFACTION = ("非常满意", "满意", "满意", "基本满意")
HAS_FILE = 9
"""One appeal in nine comes with a photograph."""


def payload(item: Item, version: int, updated: datetime, *, files_at: str = "") -> dict[str, Any]:
    """The appeal in this version, as the list shows it and the push sends it."""
    filled, text = item.filled, item.text
    changed = item.changes[: version - 1]
    data: dict[str, Any] = {
        "appealId": int(item.id),
        "appealTitle": filled.title,
        "appealContent": filled.content + supplement(changed),
        "appealType": KINDS[text.kind],
        "areaCode": filled.region,
        "address": filled.place,
        "linkman": {"name": filled.person, "mobile": filled.mobile, "tel": filled.landline},
        "enterprise": {
            "name": filled.firm,
            "creditCode": credit_code(item),
            "keyEnterprise": "是" if item.chance % 17 == 0 else "否",
        },
        "createTime": int((updated - timedelta(minutes=item.chance % 90)).timestamp() * 1000),
        "gmtModified": updated.strftime("%Y-%m-%d %H:%M:%S"),
        "state": STATES["withdrawn" if "withdrawal" in changed else "closed" if text.result else "open"],
        "urgent": 1 if item.chance % 23 == 0 else 0,
        "version": version,
        "files": _files(item, files_at),
    }
    if item.source == "sst_direct":
        data["report"] = _report(item)
    if item.fate == "dead":
        del data["appealContent"]
    return data


def supplement(changed: tuple[str, ...]) -> str:
    """What stands below the text in a later version."""
    return "\n【补充】已按要求补传合同与照片，情况与之前所述一致。" if "supplement" in changed else ""


def _files(item: Item, files_at: str) -> list[dict[str, str]]:
    if not files_at or item.way == "both" or item.chance % HAS_FILE:
        return []
    return [
        {"fileName": "现场照片.png", "fileUrl": f"{files_at}/files/{item.id}.png", "fileType": "image/png"}
    ]


def _report(item: Item) -> dict[str, str]:
    approved = [(unit, user) for unit, (user, _) in APPROVED.items()]
    choice = REFUSED if item.fate == "unapproved" else approved
    unit, user = choice[item.chance % len(choice)]
    report = {"unit": unit, "user": user, "way": item.text.way or "其他"}
    if item.text.result:
        report |= {
            "result": item.text.result,
            "handler": "经办人",
            "handlerTel": "0512-60000000",
            "satisfaction": SATISFACTION[item.chance % len(SATISFACTION)],
        }
    return report


def credit_code(item: Item) -> str:
    """An invented code of the right form; its organisation part begins MA000, its check digit is right."""
    digits = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    head = f"91{item.filled.region}MA000{item.chance % 10000:04d}"
    total = sum(digits.index(sign) * pow(3, place, 31) for place, sign in enumerate(head))
    return head + digits[-total % 31]


def photograph(item: Item) -> bytes:
    """A PNG of one pixel; the colour tells the appeals apart."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0" + (item.chance & 0xFFFFFF).to_bytes(3, "big"))
    chunks = ((b"IHDR", header), (b"IDAT", pixel), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
