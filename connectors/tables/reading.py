"""
Quarterly tables (annex 3) out of files that anybody may have made: rows, or a sentence that says why not.

What a file is is told by its content, never by its name. It is parsed in a child process with little
memory and little time, since a few kilobytes can make a parser die. Nothing here raises for a file's
sake, and no row's fault touches its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.tables import zips
from connectors.tables.annotating import annotate
from connectors.tables.grid import Grid
from connectors.tables.kinds import REFUSED, Kind, kind_of
from connectors.tables.parsing import CannotParse, grids_of
from connectors.tables.rows import Sheet, read_sheet
from connectors.tables.table import Row, TableFile

__all__ = ["LIMITS", "Limits", "Row", "TableFile", "annotate", "read_tables"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read at most."""

    file: int = 15 * MIB
    rows: int = 10_000
    """Data rows of one file."""
    columns: int = 200
    sheets: int = 50
    entries: int = 2_000
    """Parts of one zip, which workbooks are too."""
    inflated: int = 100 * MIB
    ratio: int = 100
    seconds: float = 15.0
    memory: int = 1536 * MIB


LIMITS = Limits()


def read_tables(name: str, content: bytes, limits: Limits = LIMITS) -> tuple[TableFile, ...]:
    """One for a plain file, several for an archive. Never raises for the content's sake."""
    if len(content) > limits.file:
        return (_refused(name, f"文件超过 {limits.file // MIB} MB，请拆分后再发 (too large)"),)
    try:
        kind = kind_of(content)
        if kind in zips.ZIPPED:
            zips.check(content, limits)
        if kind == "zip":
            return tuple(_members(name, content, limits))
        return (_read(name, kind, content, limits),)
    except (zips.BadZip, CannotParse) as error:
        return (_refused(name, str(error)),)


def _members(name: str, content: bytes, limits: Limits) -> Iterable[TableFile]:
    found = False
    for inner, part in zips.members(content, limits):
        found = True
        yield _member(f"{name}/{inner}", part, limits)
    if not found:
        yield _refused(name, "压缩包里没有文件 (an empty archive)")


def _member(name: str, content: bytes, limits: Limits) -> TableFile:
    try:
        kind = kind_of(content)
        if kind == "zip":
            return _refused(name, "压缩包里又有压缩包，请直接放表格文件 (an archive in an archive)")
        if kind in zips.ZIPPED:
            zips.check(content, limits)
        return _read(name, kind, content, limits)
    except (zips.BadZip, CannotParse) as error:
        return _refused(name, str(error))


def _read(name: str, kind: Kind, content: bytes, limits: Limits) -> TableFile:
    if kind in REFUSED:
        return _refused(name, REFUSED[kind])
    return _assembled(name, grids_of(kind, content, limits), limits)


def _assembled(name: str, grids: list[Grid], limits: Limits) -> TableFile:
    sheets = [read_sheet(grid) for grid in grids]
    tables = [sheet for sheet in sheets if sheet.is_table]
    titles = tuple(dict.fromkeys(title for sheet in sheets for title in (*sheet.titles, sheet.name) if title))
    if not tables:
        if any(sheet.says_nothing for sheet in sheets):
            return TableFile(name, titles=titles, is_nil=True)
        return _refused(name, _why_no_table(sheets), titles)
    rows = tuple(
        Row(sheet.name, row.number, row.values, row.problem) for sheet in tables for row in sheet.rows
    )
    if len(rows) > limits.rows:
        return _refused(name, f"共 {len(rows)} 行，至多 {limits.rows} 行，请拆分再发 (too many)", titles)
    missing = [sheet for sheet in tables if sheet.missing]
    if missing:
        columns = "、".join(missing[0].missing)
        return _refused(name, f"工作表“{missing[0].name}”缺少列：{columns} (columns are missing)", titles)
    return TableFile(name, rows, titles, is_nil=not rows)


def _why_no_table(sheets: list[Sheet]) -> str:
    if not any(sheet.titles for sheet in sheets):
        return "文件里没有内容 (nothing in it)"
    return "没有找到表头（诉求时间、诉求内容、企业名称……），请按附件3填写 (no header of annex 3)"


def _refused(name: str, problem: str, titles: tuple[str, ...] = ()) -> TableFile:
    return TableFile(name, titles=titles, problem=problem)
