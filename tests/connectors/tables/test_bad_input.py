"""Files that are broken, or made to break something: a sentence for the sender, and nothing worse."""

from __future__ import annotations

import io
import os
import time
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.tables.reading import LIMITS, Limits, annotate, read_tables
from tests.connectors.tables.making import GOOD, HEADER, archive, old_workbook, patched, text, workbook

PLAIN = [HEADER, GOOD]
SHEET = "xl/worksheets/sheet1.xml"


def problem(content: bytes, limits: Limits = LIMITS) -> str:
    (found,) = read_tables("表.xlsx", content, limits)
    assert found.rows == ()
    return found.problem


def sheet(cells: str) -> bytes:
    names = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return f'<?xml version="1.0"?><worksheet {names}><sheetData>{cells}</sheetData></worksheet>'.encode()


def lying() -> bytes:
    """Its directory says that a part is small; it is not."""
    content = bytearray(archive(("a.csv", b"0" * 30_000_000)))
    size = (30_000_000).to_bytes(4, "little")
    return bytes(content.replace(size, (100).to_bytes(4, "little")))


ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9)
)
BAD = {
    "a cell at XFD1048576": patched(
        workbook(PLAIN),
        SHEET,
        sheet('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
    ),
    "a zip bomb": archive(("a.csv", b"0" * 200_000_000)),
    "a workbook that is a bomb": patched(workbook(PLAIN), SHEET, sheet(" " * 120_000_000)),
    "a lying zip header": lying(),
    "a truncated workbook": workbook(PLAIN)[:-300],
    "a truncated old workbook": old_workbook(PLAIN)[:3000],
    "an encrypted workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    + b"\0" * 500
    + "EncryptedPackage".encode("utf-16-le"),
    "an old Word file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    + b"\0" * 500
    + "WordDocument".encode("utf-16-le"),
    "an entity from outside": patched(workbook(PLAIN), SHEET, ENTITY + sheet("")[21:]),
    "a billion laughs": patched(
        workbook(PLAIN), SHEET, LAUGHS + b"]>" + sheet("<row r='1'><c><v>&j;</v></c></row>")[21:]
    ),
    "a PDF": b"%PDF-1.7 xxxx",
    "a picture": b"\x89PNG\r\n\x1a\n....",
    "a web page named .xls": b"<html><table><tr><td>x</td></tr></table></html>",
    "a rar": b"Rar!\x1a\x07\x00",
    "nothing": b"",
    "blanks": b"  \r\n ",
    "bytes": os.urandom(5000) + b"\0",
    "a million rows": text([HEADER, *[GOOD] * 10]) + text([GOOD]) * 150_000,
    "no header": text([["甲", "乙"], ["1", "2"]]),
    "too many parts": archive(*((f"{n}.csv", b"1") for n in range(2100))),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_told_quickly(name: str) -> None:
    began = time.monotonic()
    found = read_tables("表.xlsx", BAD[name])
    assert all(file.problem and not file.rows for file in found), found
    assert time.monotonic() - began < 30


def test_an_archive_in_an_archive_takes_no_neighbour_along() -> None:
    inner = archive(("x.csv", text(PLAIN)))
    found = read_tables(
        "a.zip",
        archive(("里面.zip", inner), ("坏.xlsx", BAD["a cell at XFD1048576"]), ("好.csv", text(PLAIN))),
    )
    assert [(bool(file.problem), len(file.rows)) for file in found] == [(True, 0), (True, 0), (False, 1)]


def test_a_million_rows_in_a_workbook_end_quickly() -> None:
    cells = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(1, 1_000_001))
    began = time.monotonic()
    assert problem(patched(workbook(PLAIN), SHEET, sheet(cells)))
    assert time.monotonic() - began < 40


def test_limits_are_kept() -> None:
    assert "MB" in problem(b"x" * 2000, Limits(file=1000))
    assert "至多 3 行" in problem(text([HEADER, *[GOOD] * 9]), Limits(rows=3))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_rubbish_never_raises(content: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        read_tables("x", start + content, Limits(seconds=5))


def test_a_workbook_sent_back_holds_text_only() -> None:
    evil = ["1", "2026-08-12", "=cmd|' /C calc'!A0", "+HYPERLINK", *GOOD[4:]]
    files = read_tables("表.csv", text([HEADER, evil]))
    made = annotate(files, lambda file, row: "=1+1")
    with zipfile.ZipFile(io.BytesIO(made)) as book:
        parts = {
            name: book.read(name).decode("utf-8", "replace")
            for name in book.namelist()
            if name.endswith(".xml")
        }
    assert not any("<hyperlink" in part for part in parts.values())
    assert "<f>" not in parts[SHEET]
    assert "=cmd|" in parts["xl/sharedStrings.xml"]
