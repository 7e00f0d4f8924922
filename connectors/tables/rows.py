"""A sheet's cells as rows of the table: header, merged cells, 同上, and what is no row at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from connectors.tables.columns import COLUMNS, Header, find_header, is_header
from connectors.tables.grid import Cell, Grid
from connectors.tables.values import text_of, time_of

LONGEST = 50_000
_SAME = frozenset({"同上", "〃", '"', "″", "”", "同前", "同上行"})
_NOTHING = re.compile(
    r"^(?:本季度|本期|该季度|本单位|我单位|我局|\d{4}年)?.{0,12}?(?:无|没有|零报告|零报送)"
    r"(?:企业)?(?:诉求|内容|情况|数据)?[。.]?$"
)
_FOOTER = re.compile(r"^(?:合计|总计|小计|注[:：]|备注[:：]|说明[:：]|填表人|填报人|审核人|联系人[:：])")


class SheetRow(NamedTuple):
    number: int
    values: Mapping[str, str]
    problem: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a sheet turned out to be."""

    name: str
    titles: tuple[str, ...]
    is_table: bool = False
    missing: tuple[str, ...] = ()
    rows: tuple[SheetRow, ...] = ()

    @property
    def says_nothing(self) -> bool:
        """No table, but a sentence that there was nothing."""
        return any(_NOTHING.match(title) and len(title) <= 40 for title in self.titles)


def read_sheet(grid: Grid) -> Sheet:
    header = find_header(grid)
    if header is None:
        return Sheet(grid.name, _texts(grid.rows[:30]))
    titles = _texts(grid.rows[: header.first])
    if header.missing:
        return Sheet(grid.name, titles, True, header.missing)
    return Sheet(grid.name, titles, True, (), tuple(_rows(grid, header)))


def _texts(rows: Sequence[Sequence[Cell]]) -> tuple[str, ...]:
    return tuple(text for row in rows for cell in row if (text := text_of(cell)))[:50]


def _rows(grid: Grid, header: Header) -> Iterator[SheetRow]:
    merged = _merged(grid)
    before: dict[str, Cell] = {}
    for number in range(header.last + 1, len(grid.rows)):
        cells = [merged.get((number, place), cell) for place, cell in enumerate(grid.rows[number])]
        row = {name: _at(cells, place) for name, place in header.columns.items()}
        if _is_no_row(cells, row):
            continue
        row = {name: before.get(name) if text_of(cell) in _SAME else cell for name, cell in row.items()}
        before = row
        yield _finished(number + 1, row)


def _merged(grid: Grid) -> dict[tuple[int, int], Cell]:
    """Every cell of a merged range shows what its first one says."""
    shown: dict[tuple[int, int], Cell] = {}
    for top, left, bottom, right in grid.merges:
        if (bottom - top + 1) * (right - left + 1) > 10_000 or top >= len(grid.rows):
            continue
        value = _at(grid.rows[top], left)
        shown |= {(y, x): value for y in range(top, bottom + 1) for x in range(left, right + 1)}
    return shown


def _at(cells: Sequence[Cell], place: int) -> Cell:
    return cells[place] if place < len(cells) else None


def _is_no_row(cells: Sequence[Cell], row: Mapping[str, Cell]) -> bool:
    """Blank, a number without anything, the header again, a footer, or 无 where the content would be."""
    texts = [text_of(cell) for cell in cells]
    if not any(texts) or is_header(cells) or _FOOTER.match(next(text for text in texts if text)):
        return True
    said = {name: text_of(cell) for name, cell in row.items() if name != "ordinal" and text_of(cell)}
    if not said:
        return True
    return set(said) <= {"content", "time", "enterprise", "result"} and all(
        map(_NOTHING.match, said.values())
    )


def _finished(number: int, row: Mapping[str, Cell]) -> SheetRow:
    values = {name: text_of(row.get(name)) for name in COLUMNS}
    problems = [f"没有{COLUMNS[name][0]}" for name in ("time", "content", "enterprise") if not values[name]]
    if values["time"]:
        moment = time_of(row.get("time"))
        if moment is None:
            problems.append("诉求时间看不懂，应为日期，如 2026-8-12")
        values["time"] = moment or values["time"]
    long = [COLUMNS[name][0] for name, value in values.items() if len(value) > LONGEST]
    problems += [f"{name}超过 {LONGEST} 字" for name in long]
    values |= {name: value[:LONGEST] for name, value in values.items()}
    return SheetRow(number, values, "；".join(problems))
