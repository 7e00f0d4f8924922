"""The quarterly tables as files, in the shapes in which clerks send them."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date

import docx
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from demo.tables import COLUMNS, PERIOD_WORDS, Mail, TableRow, cells

TITLE = f"{PERIOD_WORDS}企业诉求办理情况汇总表"


def attachment(mail: Mail) -> tuple[str, bytes]:
    """File name and content."""
    match mail.form:
        case "csv":
            return f"{TITLE}.csv", _csv(mail.rows)
        case "word":
            return f"{TITLE}.docx", _word(mail.rows)
        case "zip":
            return f"{PERIOD_WORDS}.zip", _zip(mail.rows)
        case _:
            return f"{TITLE}.xlsx", _workbook(mail)


def _workbook(mail: Mail) -> bytes:
    """A title over all columns, then the header. Carried down: one firm's cell spans its two rows."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        half = len(mail.rows) // 2
        is_split = mail.form == "two sheets"
        parts = [mail.rows[:half], mail.rows[half:]] if is_split else [mail.rows]
        bold = book.add_format({"bold": True, "align": "center"})
        days = book.add_format({"num_format": "yyyy/m/d"})
        for number, rows in enumerate(parts, 1):
            sheet = book.add_worksheet(f"第{number}页" if is_split else "汇总表")
            sheet.merge_range(0, 0, 0, len(COLUMNS) - 1, TITLE, bold)
            sheet.write_row(1, 0, COLUMNS, bold)
            for at, row in enumerate(cells(rows), 2):
                sheet.write_row(at, 0, row)
                if rows[at - 2].day.startswith("20"):
                    sheet.write_datetime(at, 1, date.fromisoformat(rows[at - 2].day), days)
                sheet.write_number(at, 5, int(row[5]))
            if mail.form == "nil":
                sheet.write_string(2, 2, "无")
            if mail.form == "carried down":
                _carry_down(sheet, rows)
        book.add_worksheet("填表说明").hide()
    return out.getvalue()


def _carry_down(sheet: Worksheet, rows: tuple[TableRow, ...]) -> None:
    """The result of the third row holds for the fourth too, in a merged cell; below, the clerk wrote 同上."""
    sheet.merge_range(4, 7, 5, 7, rows[2].result)
    sheet.write_string(6, 7, "同上")


def _csv(rows: tuple[TableRow, ...]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(cells(rows))
    return out.getvalue().encode("gb18030")


def _word(rows: tuple[TableRow, ...]) -> bytes:
    document = docx.Document()
    document.add_paragraph(TITLE)
    table = document.add_table(rows=1, cols=len(COLUMNS))
    for cell, text in zip(table.rows[0].cells, COLUMNS, strict=True):
        cell.text = text
    for row in cells(rows):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _zip(rows: tuple[TableRow, ...]) -> bytes:
    """Two files of one quarter, as when each office of a unit keeps its own list."""
    out, half = io.BytesIO(), len(rows) // 2
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{TITLE}（一处）.csv", _csv(rows[:half]))
        archive.writestr(f"{TITLE}（二处）.xlsx", _workbook(Mail("", "workbook", rows[half:])))
    return out.getvalue()
