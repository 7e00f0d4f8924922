"""What a file is, by its first bytes and its parts; names and declared types are not asked."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Literal

Kind = Literal[
    "xlsx", "xls", "ods", "docx", "csv", "zip", "encrypted", "doc", "pdf", "image", "html", "archive",
    "empty", "unknown",
]  # fmt: skip

REFUSED: Mapping[Kind, str] = {
    "encrypted": "文件设有密码，请去掉密码后再发 (encrypted)",
    "doc": "旧版 Word 文件（.doc）读不了，请另存为 .docx 或 .xlsx 再发 (old Word format)",
    "pdf": "PDF 里的表格读不了，请发 Excel 或 Word 文件 (a PDF)",
    "image": "扫描件、照片里的表格读不了，请发 Excel 或 Word 文件 (a picture)",
    "html": "这是网页，不是表格文件，请另存为 .xlsx 再发 (a web page under another name)",
    "archive": "这种压缩包读不了，请用 .zip 或直接发表格 (not a .zip)",
    "empty": "文件是空的 (an empty file)",
    "unknown": "认不出这是什么文件，请发 Excel、Word 或 CSV 文件 (neither workbook nor text)",
}
"""What is recognised and not read, and what its sender should do."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"%PDF", "pdf"),
    (b"\xff\xd8\xff", "image"),
    (b"\x89PNG", "image"),
    (b"GIF8", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"BM", "image"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x1f\x8b", "archive"),
)
_PAGE = (b"<html", b"<!doctype html", b"<table", b"<?xml")
_HEAD = 4096


def kind_of(content: bytes) -> Kind:
    """Never raises; what nothing is known of is `unknown`."""
    if not content.strip():
        return "empty"
    if content.startswith(b"PK"):
        return _zipped(content)
    if content.startswith(_OLE):
        return _ole(content)
    for start, kind in _STARTS:
        if content.startswith(start):
            return kind
    head = content[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(_PAGE):
        return "html"
    return "unknown" if b"\x00" in content[:_HEAD] else "csv"


def _zipped(content: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except Exception:  # zipfile raises whatever a broken directory makes it stumble over
        return "zip"
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return "xlsx"
    if "word/document.xml" in names:
        return "docx"
    return "ods" if "mimetype" in names and "content.xml" in names else "zip"


def _ole(content: bytes) -> Kind:
    """By the names of its streams, which stand in it as UTF-16."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        return "encrypted"
    if "WordDocument".encode("utf-16-le") in content:
        return "doc"
    is_workbook = any(name.encode("utf-16-le") in content for name in ("Workbook", "Book"))
    return "xls" if is_workbook else "unknown"
