"""The table as it was sent, with a column that says what became of each row."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import xlsxwriter
from xlsxwriter.format import Format

from connectors.tables.columns import COLUMNS
from connectors.tables.table import Row, TableFile

VERDICT = "处理结果"
LONGEST = 32_767
"""Characters that a cell of a workbook holds."""


def annotate(files: Sequence[TableFile], verdict: Callable[[TableFile, Row], str]) -> bytes:
    """An .xlsx in which every cell is text: nothing that was sent can become a formula or a link."""
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        bold, odd = book.add_format({"bold": True}), book.add_format({"bg_color": "#FFE0E0"})
        for number, file in enumerate(files, 1):
            _sheet(book, f"表{number}", file, verdict, (bold, odd))
        if not files:
            book.add_worksheet("表1")
    return out.getvalue()


def _sheet(
    book: xlsxwriter.Workbook,
    name: str,
    file: TableFile,
    verdict: Callable[[TableFile, Row], str],
    forms: tuple[Format, Format],
) -> None:
    sheet = book.add_worksheet(name)
    bold, odd = forms
    sheet.write_string(0, 0, file.name[:LONGEST], bold)
    headings = ["工作表", "行号", *(names[0] for names in COLUMNS.values()), VERDICT]
    for place, heading in enumerate(headings):
        sheet.write_string(1, place, heading, bold)
    if file.problem:
        sheet.write_string(2, 0, file.problem[:LONGEST], odd)
    for at, row in enumerate(file.rows, 2):
        cells = [row.sheet, str(row.number), *(row.values[name] for name in COLUMNS), verdict(file, row)]
        for place, text in enumerate(cells):
            sheet.write_string(at, place, text[:LONGEST], odd if row.problem else None)
