"""
The quarterly tables of the simulated day: who sends what to the mailbox, made from the seed alone.

Eight mails: workbooks, a csv in gb18030, a Word table, a zip, a nil report, a corrected table that
replaces an earlier one, and one from an address that nobody trusts. Three rows among them are bad.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Literal

from demo.corpus import Text, texts
from demo.corpus.filling import fill

PERIOD = "2025Q2"
PERIOD_WORDS = "2025年第二季度"
COLUMNS = (
    "序号", "诉求时间", "诉求内容", "企业名称", "企业联系人", "企业联系电话", "办理部门", "办理结果",
    "办理部门联系人", "办理部门联系电话", "满意度",
)  # fmt: skip
"""Annex 3."""
RESULTS = ("已电话答复，企业表示清楚。", "已现场协调解决。", "已说明政策，材料补齐后三日内办结。", "已解决。")
SATISFACTION = ("非常满意", "满意", "满意", "基本满意")
FIRST_DAY = date(2025, 4, 1)
Form = Literal["workbook", "two sheets", "carried down", "csv", "word", "zip", "nil"]


@dataclass(frozen=True)
class TableRow:
    """One row as the unit's clerk wrote it."""

    day: str
    """ISO, or what the clerk wrote instead."""
    content: str
    firm: str
    person: str
    phone: str
    result: str
    satisfaction: str
    edition: int = 1
    is_bad: bool = False


@dataclass(frozen=True)
class Mail:
    """One mail with one table."""

    unit: str
    form: Form
    rows: tuple[TableRow, ...] = ()
    is_trusted: bool = True
    is_resend: bool = False
    """It may be sent only when the first was read."""


SHAPES: tuple[tuple[str, Form, int], ...] = (
    ("rsj", "workbook", 9),
    ("sws", "csv", 6),
    ("sjg", "word", 5),
    ("gxj", "zip", 8),
    ("zjj", "carried down", 7),
    ("hbj", "two sheets", 6),
    ("jtj", "nil", 0),
)
"""Unit, form, rows."""
BAD: dict[str, dict[str, Any]] = {"sws": {"day": "上周"}, "gxj": {"content": ""}, "zjj": {"firm": ""}}
"""Unit → what is wrong in the second row of its table."""


def mails(seed: int) -> list[Mail]:
    """In the order in which they are sent."""
    chance = Random(f"{seed}/tables")
    sent = [Mail(unit, form, _rows(chance, unit, count)) for unit, form, count in SHAPES]
    stranger = Mail("rsj", "workbook", _rows(chance, "rsj", 3), is_trusted=False)
    return [*sent, stranger, _corrected(sent[0], chance)]


def _rows(chance: Random, unit: str, count: int) -> tuple[TableRow, ...]:
    own = [text for text in texts() if text.units == (unit,)]
    rows = [_row(chance, chance.choice(own), FIRST_DAY + timedelta(days=7 * n)) for n in range(count)]
    if unit in BAD and rows:
        rows[1] = replace(rows[1], is_bad=True, **BAD[unit])
    return tuple(rows)


def _row(chance: Random, text: Text, day: date) -> TableRow:
    filled = fill(text, chance)
    return TableRow(
        day.isoformat(),
        filled.content,
        filled.firm,
        filled.person,
        filled.mobile,
        chance.choice(RESULTS),
        chance.choice(SATISFACTION),
    )


def _corrected(first: Mail, chance: Random) -> Mail:
    """A wrong cell is right now, the last row is gone, a new one stands at the top."""
    new = _rows(chance, first.unit, 1)[0]
    kept = first.rows[:-1]
    mended = replace(kept[0], result="已解决，并回访企业。", edition=2)
    return replace(first, rows=(replace(new, day="2025-06-28"), mended, *kept[1:]), is_resend=True)


def cells(rows: tuple[TableRow, ...]) -> Iterator[tuple[str, ...]]:
    """The eleven columns of each row."""
    for number, row in enumerate(rows, 1):
        yield (
            str(number), row.day, row.content, row.firm, row.person, row.phone, "", row.result,
            "经办人", "0512-60000000", row.satisfaction,
        )  # fmt: skip
