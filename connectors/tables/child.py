"""
Parses one file in a process of its own, with little memory and little time, and writes its cells as JSON.

    python -m connectors.tables.child KIND MEMORY SECONDS MAX_ROWS MAX_COLUMNS MAX_SHEETS < file
"""

from __future__ import annotations

import csv
import io
import json
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectors.tables.grid import Grid, to_plain

BOMB = "too large"


def main() -> None:
    """Exit code 0 and JSON: {"sheets": […]} or {"problem": "…"}; anything else is a death."""
    kind, *numbers = sys.argv[1:]
    memory, seconds, rows, columns, sheets = map(int, numbers)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    content = sys.stdin.buffer.read()
    said: dict[str, Any]
    try:
        found = [_within(grid, rows, columns) for grid in _READERS[kind](content, sheets)]
        said = {"sheets": [to_plain(grid) for grid in found]}
    except TooLarge:
        said = {"problem": BOMB}
    except Exception as error:  # the parser's own words may quote the file
        said = {"problem": type(error).__name__}
    json.dump(said, sys.stdout, ensure_ascii=False)


class TooLarge(Exception):
    """More rows than anybody reports."""


def _within(grid: Grid, most_rows: int, most_columns: int) -> Grid:
    """Without what is empty at the ends; the numbers of rows stay."""
    last = max((n for n, row in enumerate(grid.rows, 1) if any(c not in ("", None) for c in row)), default=0)
    if sum(any(c not in ("", None) for c in row) for row in grid.rows[:last]) > most_rows:
        raise TooLarge
    rows = [list(row[:most_columns]) for row in grid.rows[:last]]
    merges = [merge for merge in grid.merges if merge[0] < last and merge[1] < most_columns]
    return Grid(grid.name, rows, merges[:10_000])


def _workbook(content: bytes, most_sheets: int) -> Iterator[Grid]:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    shown = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
    ]
    for name in shown[:most_sheets]:
        sheet = book.get_sheet_by_name(name)
        merges = [(*first, *last) for first, last in sheet.merged_cell_ranges or ()]
        rows: Any = sheet.to_python(skip_empty_area=False)
        yield Grid(name, rows, merges)


def _word(content: bytes, most_sheets: int) -> Iterator[Grid]:
    """Each table is a sheet; a merged cell stands several times in python-docx and once here."""
    import docx

    document = docx.Document(io.BytesIO(content))
    above = [[p.text.strip()] for p in document.paragraphs[:20] if p.text.strip()]
    if not document.tables:
        yield Grid("", above)
    for number, table in enumerate(document.tables[:most_sheets], 1):
        rows = [*above] if number == 1 else []
        seen: set[object] = set()
        for row in table.rows:
            cells = []
            for cell in row.cells:
                cells.append("" if cell._tc in seen else cell.text.strip())
                seen.add(cell._tc)
            rows.append(cells)
        yield Grid(f"表{number}", rows)


def _text(content: bytes, most_sheets: int) -> Iterator[Grid]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
    csv.field_size_limit(1024 * 1024)
    separator = max(",\t;", key=text[:4096].count)
    yield Grid("", list(csv.reader(io.StringIO(text, newline=""), delimiter=separator)))


_READERS: Mapping[str, Callable[[bytes, int], Iterator[Grid]]] = {
    "xlsx": _workbook,
    "xls": _workbook,
    "ods": _workbook,
    "docx": _word,
    "csv": _text,
}


if __name__ == "__main__":
    main()
