"""Who reports directly for firms: approved units with their registered users, and two that may not (R7)."""

from __future__ import annotations

import csv
import io

APPROVED: dict[str, tuple[str, str]] = {
    "苏州市工商业联合会": ("高专员", "13800000101"),
    "市科技局": ("林专员", "13800000102"),
    "市商务局": ("何专员", "13800000103"),
    "市税务局": ("郭专员", "13800000104"),
    "市人社局": ("马专员", "13800000105"),
}
"""Unit → its L1 user and the number that is registered."""
REFUSED: tuple[tuple[str, str], ...] = (("某街道企业服务站", "罗站长"), ("市商务局", "梁专员"))
"""A unit that never asked, and a user whom an approved unit never registered."""


def forms() -> str:
    """The applications of annex 2 as a table."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["单位名称", "联系人", "联系电话", "L1用户姓名", "L1用户职务", "L1用户手机号码", "备注"])
    for unit, (user, phone) in APPROVED.items():
        writer.writerow([unit, user, "0512-60000000", user, "科员", phone, ""])
    return out.getvalue()
