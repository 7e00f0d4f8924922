"""Annex 2 as clerks save it: every bad line named, no neighbour lost, no table half understood."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

import console
from console.approval_forms import MOST_LINES, BadLine, Form, read

HEAD = "单位名称,联系人,联系电话,L1用户姓名,L1用户职务,L1用户手机号码,备注,有效期起,有效期止"
GOOD = "市公安局,李联络,65220000,欧阳测试名,科员,13900007777,首次申请,2026-01-01,2026-12-31"


def table(*lines: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *lines, ""]).encode()


def only(*lines: str, head: str = HEAD) -> Form | BadLine:
    (found,) = read(table(*lines, head=head))
    return found


def test_a_form_is_read_whole() -> None:
    found = only(GOOD)
    assert isinstance(found, Form)
    assert found.line == 2
    assert found.application.model_dump() == {
        "unit": "市公安局",
        "user": "欧阳测试名",
        "phone": "13900007777",
        "post": "科员",
        "contact": "李联络",
        "contact_phone": "65220000",
        "remark": "首次申请",
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2026, 12, 31),
    }


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(table(GOOD).decode().encode("gb18030"), id="GB18030, as Chinese spreadsheets save it"),
        pytest.param(b"\xef\xbb\xbf" + table(GOOD), id="UTF-8 with a mark before it"),
        pytest.param(table(GOOD).replace(b"\n", b"\r\n"), id="lines as Windows ends them"),
        pytest.param(table(",,,,,,,,", GOOD, "", ",,"), id="empty lines around it"),
    ],
)
def test_it_is_read_however_it_was_saved(content: bytes) -> None:
    (found,) = read(content)
    assert isinstance(found, Form)
    assert found.application.user == "欧阳测试名"


def test_the_forms_own_words_for_its_columns_will_do() -> None:
    found = only("1,市公安局,欧阳测试名,13900007777", head="序号,单位名称（盖章）,L1 用户 姓名,手机号码")
    assert isinstance(found, Form)
    assert (found.application.unit, found.application.phone) == ("市公安局", "13900007777")


@pytest.mark.parametrize("day", ["2026/1/1", "2026年1月1日", "２０２６-01-01", "20260101", "2026/1/1 0:00"])
def test_days_as_people_write_them(day: str) -> None:
    found = only(f"市公安局,欧阳测试名,13900007777,{day}", head="单位名称,姓名,手机号码,有效期起")
    assert isinstance(found, Form)
    assert found.application.valid_from == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",,,欧阳测试名,,13900007777,,,", "单位名称未填"),
        ("市公安局,,,,,,,,", "L1用户姓名、L1用户手机号码未填"),
        ("市公安局,,,欧阳测试名,,1.39E+10,,,", "L1用户手机号码应为一个手机号码"),
        ("市公安局,,,欧阳测试名,,13900007777/13900008888,,,", "L1用户手机号码应为一个手机号码"),
        ("市公安局,,,欧阳测试名,,65220000,,,", "L1用户手机号码应为一个手机号码"),
        ("市公安局,,,\u200b,,13900007777,,,", "L1用户姓名无法识别"),
        ("市公安局,,,欧阳测试名,,13900007777,,2026-02-30,", "有效期起不是日期"),
        ("市公安局,,,欧阳测试名,,13900007777,,,明年", "有效期止不是日期"),
        ("市公安局,,,欧阳测试名,,13900007777,,2026-02-02,2026-02-01", "有效期止早于有效期起"),
        ("市公安局,,,欧阳测试名,,13900007777,,,,还有", "单元格多于列"),
        (f"市公安局,,,{'长' * 61},,13900007777,,,", "L1用户姓名过长"),
        (f"市公安局,,,欧阳测试名,,13900007777,{'长' * 501},,", "备注过长"),
        (f"{'ﷺ' * 100},,,欧阳测试名,,13900007777,,,", "单位名称无法识别"),
    ],
)
def test_a_bad_line_is_named_and_takes_no_neighbour_along(line: str, said: str) -> None:
    first, bad, last = read(table(GOOD, line, GOOD))
    assert isinstance(first, Form)
    assert isinstance(last, Form)
    assert isinstance(bad, BadLine)
    assert bad.line == 3
    assert bad.what.startswith(said)
    assert "欧阳" not in bad.what
    assert "1390000" not in bad.what


def test_lines_are_counted_as_the_editor_counts_them() -> None:
    split = GOOD.replace("首次申请", '"两行\n备注"')
    assert [found.line for found in read(table(split, "市公安局", GOOD))] == [2, 4, 5]


def test_a_quote_that_never_ends_costs_only_what_is_behind_it() -> None:
    good, bad = read(table(GOOD, '市公安局,"李', GOOD))
    assert isinstance(good, Form)
    assert isinstance(bad, BadLine)
    assert bad.line == 3
    assert "引号" in bad.what


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "空的"),
        (b"\xff\xff\xff", "GB18030"),
        (table(GOOD, head=HEAD.replace("有效期止", "有效期至")), r"不认识第 9 列（有\*\*至）"),
        (table(GOOD, head=HEAD.replace("L1用户手机号码", "序号")), "缺少列：L1用户手机号码"),
        (table(GOOD, head=HEAD.replace("备注", "姓名")), "重复的列：L1用户姓名"),
        (table(*[GOOD] * (MOST_LINES + 1)), "请分开导入"),
        (b"x" * 2_000_001, "请分开导入"),
    ],
)
def test_what_is_no_such_table_is_refused_whole(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(content)


def test_a_table_without_a_heading_tells_nothing_of_who_stands_in_it() -> None:
    with pytest.raises(ValueError, match="不认识") as caught:
        read(GOOD.encode())
    assert "欧阳测试名" not in str(caught.value)
    assert "13900007777" not in str(caught.value)


def test_the_example_in_the_readme_is_read() -> None:
    page = (Path(console.__file__).parent / "README.md").read_text("utf-8")
    (example,) = re.findall(r"```csv\n(.*?)```", page, re.S)
    (found,) = read(example.encode())
    assert isinstance(found, Form)
    assert found.application.valid_to == date(2026, 12, 31)
