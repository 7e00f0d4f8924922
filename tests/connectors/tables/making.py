"""Files as clerks and as enemies make them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from typing import Any

import docx
import xlsxwriter
import xlwt

HEADER = (
    "序号", "诉求时间", "诉求内容", "企业名称", "企业联系人", "企业联系电话", "办理部门", "办理结果",
    "办理部门联系人", "办理部门联系电话", "满意度",
)  # fmt: skip
GOOD = (
    "1",
    "2026-08-12",
    "希望早日通气",
    "苏州示例机械有限公司",
    "王女士",
    "13800000001",
    "住建局",
    "已办",
    "李工",
    "60000000",
    "满意",
)
Rows = Sequence[Sequence[Any]]


def workbook(
    *sheets: Rows, merges: Sequence[tuple[int, int, int, int, str]] = (), hidden: Rows = ()
) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for number, rows in enumerate(sheets, 1):
            sheet = book.add_worksheet(f"第{number}页")
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
            if number == 1:
                for merge in merges:
                    sheet.merge_range(*merge)
        if hidden:
            sheet = book.add_worksheet("藏")
            for at, row in enumerate(hidden):
                sheet.write_row(at, 0, row)
            sheet.hide()
    return out.getvalue()


def old_workbook(rows: Rows) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("表")
    for at, row in enumerate(rows):
        for place, value in enumerate(row):
            sheet.write(at, place, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def open_document(rows: Rows) -> bytes:
    lines = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
            for value in row
        )
        + "</table:table-row>"
        for row in rows
    )
    names = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    names += 'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    names += 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    content = (
        f'<?xml version="1.0"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="表">{lines}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    named = 'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
    manifest = f'<?xml version="1.0"?><manifest:manifest {named}/>'
    return archive(
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.encode()),
        ("META-INF/manifest.xml", manifest.encode()),
    )


def text(rows: Rows, encoding: str = "utf-8", separator: str = ",") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator).writerows(rows)
    return out.getvalue().encode(encoding)


def word(rows: Rows, above: str = "2026年第三季度") -> bytes:
    document = docx.Document()
    document.add_paragraph(above)
    table = document.add_table(rows=len(rows), cols=len(rows[0]))
    for at, row in enumerate(rows):
        for place, value in enumerate(row):
            table.cell(at, place).text = str(value)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def archive(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            made.writestr(name, content)
    return out.getvalue()


def patched(content: bytes, name: str, change: bytes) -> bytes:
    """A workbook with one of its parts replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, change if entry == name else old.read(entry))
    return out.getvalue()
