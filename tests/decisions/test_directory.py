"""Units and places by what people call them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from router.directory import Directory, Region, Renaming, Unit, fold
from tests.decisions.city import DIRECTORY


@pytest.mark.parametrize(
    ("called", "scope", "unit"),
    [
        pytest.param("rsj", None, "rsj", id="by its id"),
        pytest.param("市人力资源和社会保障局", None, "rsj", id="by its name"),
        pytest.param("人社局", None, "rsj", id="by an alias"),
        pytest.param(" 人 社 局\u200b", None, "rsj", id="blanks and invisible characters do not count"),
        pytest.param("ＲＳＪ", None, "rsj", id="nor does the width of letters, nor case"),
        pytest.param("市行政审批局(政务办)", None, "spj", id="nor the width of brackets"),
        pytest.param("市行政审批局<政务办>", None, "spj", id="a remark in other brackets is left out"),
        pytest.param("人社局【转办】", None, "rsj", id="whatever it says"),
        pytest.param("(人社局)", None, None, id="but a remark alone is no name"),
        pytest.param("1010", "crm", "rsj", id="by a source's own number"),
        pytest.param("1010", "sst", None, id="which is no other source's"),
        pytest.param("1010", None, None, id="nor everybody's"),
        pytest.param("昆山市12345平台", None, "ksp", id="a platform too"),
        pytest.param("民政局", None, None, id="nobody"),
        pytest.param("", None, None, id="nothing"),
    ],
)
def test_a_unit_by_what_it_is_called(called: str, scope: str | None, unit: str | None) -> None:
    assert DIRECTORY.unit(called, scope) == unit


def test_a_source_s_own_word_comes_before_everybody_s() -> None:
    directory = Directory([Unit("a", "甲局"), Unit("b", "乙局", scoped_aliases={"crm": ("甲局",)})])
    assert directory.unit("甲局", "crm") == "b"
    assert directory.unit("甲局") == "a"


def test_a_renamed_unit_is_known_by_all_its_names_and_shown_by_the_one_valid_then() -> None:
    later = (Renaming("市数据局", date(2024, 10, 24)), Renaming("市数字局", date(2026, 1, 1)))
    directory = Directory([Unit("spj", "市行政审批局", renamed=later)])
    assert {directory.unit(name) for name in ("市行政审批局", "市数据局", "市数字局")} == {"spj"}
    shown = {
        moment: directory.name_at("spj", datetime.fromisoformat(moment))
        for moment in (
            "2024-10-23T15:59:59+00:00",
            "2024-10-23T16:00:00+00:00",
            "2025-12-31T23:59:59+08:00",
            "2026-06-01T00:00:00+08:00",
        )
    }
    assert list(shown.values()) == ["市行政审批局", "市数据局", "市数据局", "市数字局"]
    assert directory.name_at("gone", datetime.now(UTC)) == "gone"


def test_who_is_only_informed_never_acts() -> None:
    directory = Directory([Unit("bzb", "市委编办", part="informed"), Unit("rsj", "市人社局")])
    assert [directory.acts(unit) for unit in ("bzb", "rsj", "gone")] == [False, True, False]


def test_a_platform_is_found_by_its_region_s_present_and_old_codes_whichever_it_is_written_with() -> None:
    regions = [Region("320508", "姑苏区", old_codes=("320503", "320504"))]
    directory = Directory([Unit("gs", "姑苏平台", part="platform", region="320503")], regions)
    assert {directory.platform_of(code) for code in ("320508", "320503", "320504")} == {"gs"}
    assert directory.platform_of("320506") is None
    assert directory.platform_of("") is None


def test_a_platform_without_a_region_takes_nobody_s_appeals() -> None:
    assert Directory([Unit("p", "平台", part="platform")]).platform_of("") is None


def test_the_offices_by_their_part() -> None:
    assert [DIRECTORY.office(part) for part in ("desk", "supervision", "archive")] == [
        "desk",
        "dcs",
        "archive",
    ]
    assert Directory([]).office("desk") is None


@pytest.mark.parametrize(
    ("called", "code"),
    [("320583", "320583"), (" 320594 ", "320571"), ("昆山", "320583"), ("sip", "320571"), ("火星", None)],
)
def test_a_region_by_code_old_code_or_name(called: str, code: str | None) -> None:
    assert DIRECTORY.region(called) == code


def test_folding_twice_is_folding_once() -> None:
    for name in ("市局（甲）", "ＡＢＣ １", "ß", "\u200b"):
        assert fold(fold(name)) == fold(name)
