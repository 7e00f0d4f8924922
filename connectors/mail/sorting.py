"""Which of a mail's files are tables, which cannot be read, and which only stand beside them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.mail.parts import File, read_contents
from connectors.media_types import media_type_of
from connectors.tables.reading import TableFile, read_tables

_NO_TABLES = ("image/", "audio/", "video/", "application/pdf", "application/ofd")
"""Scans and pictures, often sent beside the table itself: kinds by their bytes."""
_NO_TABLE_ENDINGS = frozenset({"txt", "htm", "html", "p7s", "asc", "sig", "vcf", "ics", "eml"})
"""By their names, since their bytes could be a table's as well."""
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_NO_HEADER = ("(no header of annex 3)", "(nothing in it)")
"""How connectors/tables says that there is no table; a Word file without one is a covering letter."""


class Unreadable(NamedTuple):
    file: File
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is in a mail."""

    problem: str = ""
    """Why nothing of it is taken; the rest is empty then."""
    read: tuple[tuple[File, TableFile], ...] = ()
    """Tables, each with the file it came in."""
    unreadable: tuple[Unreadable, ...] = field(default=())
    beside: tuple[str, ...] = ()
    """Names of files that are no tables and were not looked into."""

    @property
    def tables(self) -> list[TableFile]:
        return [table for _, table in self.read]

    def files_of(self, tables: Collection[str]) -> list[File]:
        """The files that these tables came in: an archive once, however many it holds."""
        by_name = {file.name: file for file, table in self.read if table.name in tables}
        return list(by_name.values())


def look_through(raw: bytes) -> Found:
    """Reads every file that may be a table."""
    contents = read_contents(raw)
    if contents.problem:
        return Found(problem=contents.problem)
    beside = [file for file in contents.files if _is_no_table(file)]
    candidates = [file for file in contents.files if file not in beside]
    looked_at = [(file, read_tables(file.name, file.content)) for file in candidates]
    letters = [file for file, tables in looked_at if _is_letter(file, tables)]
    looked_at = [(file, tables) for file, tables in looked_at if file not in letters]
    shown = [file.name for file in (*beside, *letters) if not file.is_inline]
    if not looked_at:
        return Found(problem=_nothing_there(shown))
    return Found(
        read=tuple((file, table) for file, tables in looked_at for table in tables if not table.problem),
        unreadable=tuple(
            Unreadable(file, reason) for file, tables in looked_at if (reason := _reason(tables))
        ),
        beside=tuple(shown),
    )


def _is_no_table(file: File) -> bool:
    kind = media_type_of(file.content, file.name)
    return kind.startswith(_NO_TABLES) or file.name.rpartition(".")[2].lower() in _NO_TABLE_ENDINGS


def _is_letter(file: File, tables: Sequence[TableFile]) -> bool:
    return media_type_of(file.content, file.name) == _WORD and all(
        table.problem.endswith(_NO_HEADER) for table in tables
    )


def _reason(tables: Sequence[TableFile]) -> str:
    """Why a file cannot be read, or not all that is in it; empty when all can."""
    bad = [table for table in tables if table.problem]
    if not bad:
        return "" if tables else "文件里没有表格"
    if len(tables) == 1:
        return bad[0].problem
    return "；".join(f"{table.name}：{table.problem}" for table in bad[:5])


def _nothing_there(names: Sequence[str]) -> str:
    if not names:
        return "邮件没有附件，没有可读的汇总表"
    return f"附件中没有表格文件（只有{'、'.join(names[:5])}），请用附件3的表格报送"
