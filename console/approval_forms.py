"""
Annex 2 as a table: one form per line, in UTF-8 or GB18030, as spreadsheets save it (CSV).

A line that cannot be taken is named with its number and takes no neighbour along. A table whose columns
are not understood is refused whole: a misspelt 有效期止 must not become an approval without an end.
What is said about a line never quotes it.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from pydantic import ValidationError

from router.directory import fold
from router.ledger.approvals import Application
from router.masking import mask_name

MOST_BYTES = 2_000_000
MOST_LINES = 5_000

HEADINGS = {
    "unit": "单位名称",
    "contact": "联系人",
    "contact_phone": "联系电话",
    "user": "L1用户姓名",
    "post": "L1用户职务",
    "phone": "L1用户手机号码",
    "remark": "备注",
    "valid_from": "有效期起",
    "valid_to": "有效期止",
}
"""Field → column, in the order of the form."""
REQUIRED = ("unit", "user", "phone")
_ALSO = {
    "unit": ("单位名称(盖章)", "单位"),
    "user": ("L1级用户姓名", "姓名"),
    "post": ("L1级用户职务", "职务"),
    "phone": ("L1级用户手机号码", "L1用户手机号", "手机号码", "手机号"),
    "remark": ("备注说明",),
}
_FIELDS = {fold(name): field for field, name in HEADINGS.items()} | {
    fold(name): field for field, names in _ALSO.items() for name in names
}
_PASSED_OVER = {"", fold("序号")}
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?: 0{1,2}:00(?::00)?)?|(\d{4})(\d\d)(\d\d)")


class Form(NamedTuple):
    """One line that can be taken."""

    line: int
    application: Application


class BadLine(NamedTuple):
    """One that cannot, and what is wrong with it."""

    line: int
    what: str


def read(content: bytes) -> list[Form | BadLine]:
    """Every line of the table but empty ones, in order. Raises ValueError when it is no such table at all."""
    rows = _rows(_text(content))
    heading = next(rows, None)
    if heading is None or isinstance(heading, BadLine):
        raise ValueError("表格是空的或无法读取 (the table is empty or cannot be read)")
    fields = _fields(heading[1])
    found = [row if isinstance(row, BadLine) else _form(*row, fields) for row in rows]
    if len(found) > MOST_LINES:
        raise ValueError(f"超过 {MOST_LINES} 行，请分开导入 (more than {MOST_LINES} lines; split the table)")
    return found


def _text(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise ValueError(f"超过 {MOST_BYTES // 1_000_000} MB，请分开导入 (too large; split the table)")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("既不是 UTF-8 也不是 GB18030，请另存为 CSV (neither encoding; save the table as CSV)")


def _rows(text: str) -> Iterator[tuple[int, list[str]] | BadLine]:
    """Number of the first line and cells of each row that holds anything."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip().lstrip("'").strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            # Where quotes do not match, nobody knows where the next row begins.
            what = "引号不成对或单元格过长，此行起未读 (quotes do not match; not read from here on)"
            yield BadLine(line, what)
            return
        if any(cells):
            yield line, cells


def _fields(heading: Sequence[str]) -> list[str | None]:
    """The field of each column; None for one that is passed over."""
    names = [fold(name) for name in heading]
    fields = [_FIELDS.get(name) for name in names]
    strange = [
        f"第 {place} 列（{mask_name(name[:20])}）"  # masked: a table without a heading begins with a person
        for place, (name, field) in enumerate(zip(names, fields, strict=True), start=1)
        if field is None and name not in _PASSED_OVER
    ]
    if strange:
        known = "、".join(HEADINGS.values())
        raise ValueError(f"不认识{'、'.join(strange[:5])}；可用的列：{known} (unknown columns)")
    missing = [HEADINGS[field] for field in REQUIRED if field not in fields]
    if missing:
        raise ValueError(f"缺少列：{'、'.join(missing)} (missing columns)")
    twice = {HEADINGS[field] for field in fields if field is not None and fields.count(field) > 1}
    if twice:
        raise ValueError(f"重复的列：{'、'.join(sorted(twice))} (columns that stand twice)")
    return fields


def _form(line: int, cells: Sequence[str], fields: Sequence[str | None]) -> Form | BadLine:
    if any(cells[len(fields) :]):
        return BadLine(line, "单元格多于列，可能少了引号 (more cells than columns)")
    said = {field: cell for field, cell in zip(fields, cells, strict=False) if field and cell}
    absent = [HEADINGS[field] for field in REQUIRED if field not in said]
    if absent:
        return BadLine(line, f"{'、'.join(absent)}未填 (not filled in)")
    days: dict[str, date] = {}
    for field in ("valid_from", "valid_to"):
        day = _day(said.pop(field, ""))
        if isinstance(day, str):
            return BadLine(line, f"{HEADINGS[field]}{day}")
        if day is not None:
            days[field] = day
    try:
        return Form(line, Application.model_validate({**said, **days}))
    except ValidationError as error:
        return BadLine(line, "；".join(dict.fromkeys(_told(problem) for problem in error.errors())))


def _day(text: str) -> date | str | None:
    """The day, None for an empty cell, or what is wrong with it."""
    if not text:
        return None
    found = _DAY.fullmatch(unicodedata.normalize("NFKC", text))
    try:
        return date(*(int(part) for part in found.groups() if part)) if found else _NO_DAY
    except ValueError:
        return _NO_DAY


_NO_DAY = "不是日期，写成 2026-03-31 (no day; write it like 2026-03-31)"
_WRONG: Mapping[str, str] = {
    "phone": "应为一个手机号码 (one phone number expected)",
    "unit": "无法识别 (no name)",
    "user": "无法识别 (no name)",
}


def _told(problem: Mapping[str, object]) -> str:
    place = problem["loc"]
    field = str(place[0]) if isinstance(place, tuple) and place else ""
    if not field:
        return "有效期止早于有效期起 (the last day lies before the first)"
    if problem["type"] == "string_too_long":
        return f"{HEADINGS[field]}过长 (too long)"
    return f"{HEADINGS[field]}{_WRONG.get(field, '无法识别 (cannot be read)')}"
