"""The eleven columns of annex 3, by the names that clerks give them, and where a sheet's header stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.tables.grid import Cell, Grid
from connectors.tables.values import text_of

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "ordinal": ("序号", "编号", "no", "no."),
    "time": (
        "诉求时间", "反映时间", "受理时间", "登记时间", "提出时间", "来电时间", "诉求日期", "反映日期",
        "受理日期", "时间", "日期",
    ),
    "content": (
        "诉求内容", "反映内容", "问题内容", "诉求事项", "反映问题", "主要内容", "内容", "诉求", "问题",
    ),
    "enterprise": ("企业名称", "单位名称", "公司名称", "诉求企业", "反映企业", "企业", "公司"),
    "contact": ("企业联系人", "联系人", "反映人", "企业联系人姓名", "联系人姓名"),
    "contact_phone": (
        "企业联系电话", "联系电话", "企业联系人电话", "联系人电话", "联系方式", "手机", "手机号码", "电话",
        "企业电话",
    ),
    "unit": ("办理部门", "承办部门", "承办单位", "办理单位", "责任部门", "处办部门", "处理部门"),
    "result": ("办理结果", "处理结果", "办理情况", "处理情况", "答复内容", "办结情况", "处办结果"),
    "handler": ("办理部门联系人", "承办人", "经办人", "办理人", "部门联系人", "承办部门联系人"),
    "handler_phone": (
        "办理部门联系电话", "承办人电话", "经办人电话", "部门联系电话", "办理人电话", "承办部门联系电话",
    ),
    "satisfaction": ("满意度", "满意情况", "满意度评价", "企业满意度", "是否满意", "评价"),
}  # fmt: skip
"""Field → names, the notice's own first."""
REQUIRED = ("time", "content", "enterprise")
LOOK_WITHIN = 30
"""Rows in which a header is looked for."""
LEAST_KNOWN = 3
"""So many known names make a row a header."""
_SPACE = re.compile(r"[\s:：*＊()（）]+")
_NAMES = {alias: field for field, aliases in COLUMNS.items() for alias in aliases}


@dataclass(frozen=True, slots=True)
class Header:
    """Where it stands, and which column is what."""

    first: int
    last: int
    """The last of its rows: one, or two under a merged heading."""
    columns: Mapping[str, int]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(COLUMNS[name][0] for name in REQUIRED if name not in self.columns)


def find_header(grid: Grid) -> Header | None:
    """The first row that names at least three of the columns, alone or with the row below it."""
    for number in range(min(LOOK_WITHIN, len(grid.rows))):
        alone = _columns(_named(grid.rows[number]))
        if len(alone) < LEAST_KNOWN:
            continue
        below = grid.rows[number + 1] if number + 1 < len(grid.rows) else ()
        both = _columns(_under(_named(_spread(grid, number)), _named(below)))
        if len(both) > len(alone) and not _is_data(below, both):
            return Header(number, number + 1, both)
        return Header(number, number, alone)
    return None


def is_header(row: Sequence[Cell]) -> bool:
    """Whether it is the header again, as on each printed page."""
    return len(_columns(_named(row))) >= LEAST_KNOWN


def _columns(names: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        field = _NAMES.get(name)
        if field is not None:
            found.setdefault(field, place)
    return found


def _named(row: Sequence[Cell]) -> list[str]:
    return [_SPACE.sub("", unicodedata.normalize("NFKC", text_of(cell))).lower() for cell in row]


def _spread(grid: Grid, number: int) -> list[Cell]:
    """The row with each merged heading above all the columns that it covers."""
    row = list(grid.rows[number])
    for top, left, bottom, right in grid.merges:
        if top <= number <= bottom and left < len(row):
            for place in range(left, min(right + 1, len(row))):
                row[place] = grid.rows[top][left] if left < len(grid.rows[top]) else ""
    return row


def _under(above: Sequence[str], below: Sequence[str]) -> list[str]:
    """`企业联系人` over `姓名 | 电话`: one name of both where that is a known one."""
    joined = []
    for place in range(max(len(above), len(below))):
        top = above[place] if place < len(above) else ""
        bottom = below[place] if place < len(below) else ""
        tries = (top + bottom, f"{top}{bottom.replace('姓名', '')}", bottom, top)
        joined.append(next((name for name in tries if name in _NAMES), top or bottom))
    return joined


def _is_data(row: Sequence[Cell], columns: Mapping[str, int]) -> bool:
    """A first row of data under a plain header, which names nothing."""
    return not any(name in _NAMES or name in ("姓名", "电话", "部门") for name in _named(row))
