"""The quarter that a table is about, as clerks write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.periods import named_in, period_of

OCTOBER = datetime(2026, 10, 8, 1, 0, tzinfo=UTC)
SHANGHAI = timezone(timedelta(hours=8))
AUGUST = datetime(2026, 8, 12, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "text",
    [
        "2026年第三季度企业诉求办理情况汇总表",
        "2026年3季度",
        "2026年度第三季度",
        "二〇二六年三季度",
        "26年三季度",
        "２０２６年 第 ３ 季度",
        "人社局2026三季度.xlsx",
        "2026Q3",
        "2026-q3.csv",
        "Q3 2026",
        "2026年7-9月",
        "2026年7月至9月",
        "2026年07月—09月",
        "2026年七月至九月",
        "2026年7月1日至9月30日",
        "2026年7月1日-2026年9月30日",
    ],
)
def test_a_quarter_is_read(text: str) -> None:
    assert named_in(text) == {(2026, 3)}


@pytest.mark.parametrize(
    "text",
    [
        "前三季度",
        "2026年前三季度",
        "2026年1-3季度",
        "一至三季度",
        "2026年一、二季度",
        "12345季度",
        "2026年10月8日填报",
        "2026年1月至9月",
        "上半年",
        "满意度",
        "企业Q3产品线X2026",
        "",
    ],
)
def test_what_is_no_single_quarter_is_none(text: str) -> None:
    assert named_in(text) <= {(None, 3)} if text.startswith("企业") else named_in(text) == set()


SAID = [
    pytest.param(["2026年第二季度", "三季度"], [AUGUST], "2026Q2", id="the weightiest text that says it"),
    pytest.param(["", "三季度"], [], "2026Q3", id="the last third quarter there was"),
    pytest.param(["四季度"], [], "2026Q4", id="or the one that has begun"),
    pytest.param(["三季度", "2025年报表"], [], "2025Q3", id="the year stands elsewhere"),
    pytest.param(["三季度"], [datetime(2025, 7, 1, tzinfo=SHANGHAI)], "2025Q3", id="the year of the rows"),
    pytest.param(["一季度 二季度", "二季度"], [], "2026Q2", id="a text that names two says nothing"),
    pytest.param(["2062年三季度"], [AUGUST], "2026Q3", id="a year to come is a slip"),
    pytest.param(["汇总表"], [AUGUST, AUGUST, OCTOBER], "2026Q3", id="where most rows lie"),
    pytest.param(["汇总表"], [AUGUST, datetime(2026, 5, 1, tzinfo=UTC)], "2026Q3", id="of as many the later"),
    pytest.param(["汇总表"], [datetime(2026, 9, 30, 17, 0, tzinfo=UTC)], "2026Q4", id="days are Shanghai's"),
    pytest.param(["汇总表"], [], "2026Q3", id="else the quarter before the mail came"),
    pytest.param([], [], "2026Q3", id="nothing said at all"),
]


@pytest.mark.parametrize(("said", "times", "period"), SAID)
def test_the_period_of_a_table(said: list[str], times: list[datetime], period: str) -> None:
    assert period_of(said, times, OCTOBER) == period


def test_in_january_the_quarter_before_is_last_years() -> None:
    january = datetime(2027, 1, 5, tzinfo=UTC)
    assert [period_of(said, [], january) for said in ([], ["四季度"])] == ["2026Q4", "2026Q4"]


@given(st.lists(st.text(alphabet="0123456789年第一二三四季度月日至-Qq前 表", max_size=30), max_size=4))
def test_whatever_is_said_a_quarter_that_has_begun_comes_out(said: list[str]) -> None:
    period = period_of(said, [], OCTOBER)
    assert "2000Q1" <= period <= "2026Q4"
    assert period[4] == "Q"
    assert period[5] in "1234"
