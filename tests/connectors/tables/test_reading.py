"""Quarterly tables in every shape that clerks send (R8)."""

from __future__ import annotations

from datetime import datetime

import pytest

from connectors.tables.reading import Row, TableFile, read_tables
from tests.connectors.tables.making import (
    GOOD,
    HEADER,
    archive,
    old_workbook,
    open_document,
    text,
    word,
    workbook,
)

PLAIN = [HEADER, GOOD]


def only(content: bytes, name: str = "表.xlsx") -> TableFile:
    (found,) = read_tables(name, content)
    return found


def row(content: bytes) -> Row:
    (found,) = only(content).rows
    return found


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(workbook(PLAIN), id="xlsx"),
        pytest.param(old_workbook(PLAIN), id="xls"),
        pytest.param(open_document(PLAIN), id="ods"),
        pytest.param(word(PLAIN), id="docx"),
        pytest.param(text(PLAIN), id="csv in utf-8"),
        pytest.param(text(PLAIN, "utf-8-sig"), id="csv with a mark"),
        pytest.param(text(PLAIN, "gb18030"), id="csv in gb18030"),
        pytest.param(text(PLAIN, separator="\t"), id="text with tabs"),
    ],
)
@pytest.mark.parametrize("name", ["表.xlsx", "表.et", "表", "表.pdf"])
def test_every_kind_is_read_whatever_it_is_called(content: bytes, name: str) -> None:
    found = only(content, name)
    assert found.problem == ""
    (row,) = found.rows
    assert row.problem == ""
    assert dict(row.values) == {
        "ordinal": "1",
        "time": "2026-08-12T00:00:00+08:00",
        "content": "希望早日通气",
        "enterprise": "苏州示例机械有限公司",
        "contact": "王女士",
        "contact_phone": "13800000001",
        "unit": "住建局",
        "result": "已办",
        "handler": "李工",
        "handler_phone": "60000000",
        "satisfaction": "满意",
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2025-09-11 09:24:15", "2025-09-11T09:24:15+08:00"),
        ("2020/1/6 12:09:38", "2020-01-06T12:09:38+08:00"),
        ("12/31/2016", "2016-12-31T00:00:00+08:00"),
        ("2020-09-03", "2020-09-03T00:00:00+08:00"),
        ("1600000000", "2020-09-13T20:26:40+08:00"),
        (44000, "2020-06-18T00:00:00+08:00"),
        (44000.5, "2020-06-18T12:00:00+08:00"),
        ("2019年5月7日", "2019-05-07T00:00:00+08:00"),
        ("2025.9.3", "2025-09-03T00:00:00+08:00"),
        ("２０２５年９月３日", "2025-09-03T00:00:00+08:00"),
        (20250903, "2025-09-03T00:00:00+08:00"),
        (datetime(2025, 9, 3, 8, 1), "2025-09-03 08:01:00"),
    ],
)
def test_every_form_of_date_is_understood(written: object, meant: str) -> None:
    if isinstance(written, datetime):
        written = written.isoformat(" ")
        meant = meant.replace(" ", "T") + "+08:00"
    assert row(workbook([HEADER, ["1", written, *GOOD[2:]]])).values["time"] == meant


@pytest.mark.parametrize("written", ["上周", "2025-13-45", "昨天下午", "0001-01-01", "-3", "99999999999999"])
def test_what_is_no_date_is_told_and_takes_no_neighbour_along(written: str) -> None:
    found = only(workbook([HEADER, ["1", written, *GOOD[2:]], GOOD]))
    assert [bool(row.problem) for row in found.rows] == [True, False]
    assert "诉求时间" in found.rows[0].problem
    assert written not in found.rows[0].problem


def test_titles_merged_cells_hidden_sheets_and_footers() -> None:
    title = "2026年第三季度企业诉求办理情况汇总表"
    rows = [
        [title],
        [],
        HEADER,
        GOOD,
        HEADER,
        ["2", *GOOD[1:]],
        ["3"],
        [],
        ["合计", "", "2"],
        ["注：按季度报送"],
    ]
    found = only(workbook(rows, merges=[(0, 0, 0, 10, title)], hidden=PLAIN))
    assert [row.number for row in found.rows] == [4, 6]
    assert title in found.titles
    assert "藏" not in found.titles


def test_same_as_above_and_merged_cells_are_carried_down() -> None:
    rows = [HEADER, GOOD, ["2", "同上", "另一件事", "〃", *GOOD[4:]], ["3", "", "第三件", "", *GOOD[4:]]]
    found = only(workbook(rows, merges=[(2, 3, 3, 3, "合并的企业"), (2, 1, 3, 1, "2026-08-20")]))
    assert [(r.values["enterprise"], r.values["time"][:10]) for r in found.rows] == [
        (GOOD[3], "2026-08-12"),
        ("合并的企业", "2026-08-20"),
        ("合并的企业", "2026-08-20"),
    ]


def test_a_header_of_two_lines_under_merged_headings() -> None:
    above = ["序号", "诉求时间", "诉求内容", "企业名称", "企业联系人", "", "办理部门", "办理结果"]
    below = ["", "", "", "", "姓名", "电话", "", ""]
    found = only(workbook([above, below, GOOD[:8]], merges=[(0, 4, 0, 5, "企业联系人")]))
    (row,) = found.rows
    assert (row.values["contact"], row.values["contact_phone"]) == ("王女士", "13800000001")


def test_other_names_and_another_order_of_the_columns() -> None:
    header = ["公司名称", "受 理\n时 间", "问题内容", "满意情况", "联系电话"]
    found = row(workbook([header, ["甲公司", "2026-08-12", "路不通", "满意", 13800000001.0]]))
    assert found.values["enterprise"] == "甲公司"
    assert found.values["contact_phone"] == "13800000001"
    assert found.values["handler"] == ""


@pytest.mark.parametrize("said", ["无", "本季度无", "本季度无诉求", "没有", "零报告"])
def test_a_nil_report_counts(said: str) -> None:
    assert only(workbook([HEADER, ["", "", said]])).is_nil
    assert only(workbook([["2026年第三季度汇总表"], [said]])).is_nil
    assert only(text([HEADER])).is_nil


def test_formulas_are_what_they_show_and_text_stays_text() -> None:
    found = row(workbook([HEADER, ["1", GOOD[1], "'=1+1", *GOOD[3:]]]))
    assert found.values["content"] == "'=1+1"
    found = row(text([HEADER, ["1", GOOD[1], '=HYPERLINK("http://x")', *GOOD[3:]]]))
    assert found.values["content"] == '=HYPERLINK("http://x")'


def test_missing_columns_are_named() -> None:
    header = [name for name in HEADER if name != "企业名称"]
    found = only(workbook([header, GOOD[:10]]))
    assert "企业名称" in found.problem
    assert found.rows == ()


def test_several_sheets_and_files_of_an_archive() -> None:
    files = [
        ("abcd.xlsx", workbook(PLAIN, PLAIN)),
        ("二处.csv", text(PLAIN)),
        ("说明.pdf", b"%PDF-1.7"),
        ("__MACOSX/x", b"x"),
    ]
    # As Chinese systems write names: in GB18030, and saying nothing of it.
    found = read_tables("全部.zip", archive(*files).replace(b"abcd.", "一处.".encode("gb18030")))
    assert [(file.name, len(file.rows), bool(file.problem)) for file in found] == [
        ("全部.zip/一处.xlsx", 2, False),
        ("全部.zip/二处.csv", 1, False),
        ("全部.zip/说明.pdf", 0, True),
    ]
