"""Every function of the closed list, as tables."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from mappings.functions import FUNCTIONS
from mappings.registry import Call, Unreadable
from tests.mappings.city import call


def apply(written: Any, value: Any, at: Call | None = None) -> Any:
    name, given = (written, None) if isinstance(written, str) else next(iter(written.items()))
    function = FUNCTIONS[name]
    return function.bind(function.parse(given))(value, at or call())


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_the_example_of_each_function_is_true(name: str) -> None:
    example = FUNCTIONS[name].example
    assert apply(example.written, example.given) == example.result
    assert FUNCTIONS[name].sentence.endswith(".")


@pytest.mark.parametrize(
    ("written", "value", "result"),
    [
        pytest.param("trim", 13, "13", id="trim turns a number into its text"),
        pytest.param("trim", [" a ", "", "b"], ["a", "b"], id="trim works on each item"),
        pytest.param("trim", True, "true", id="a boolean is the word JSON writes"),
        pytest.param({"concat": {"after": "号"}}, "8", "8号", id="concat takes a single text too"),
        pytest.param({"concat": "-"}, ["a", None, "b"], "a-b", id="concat's bare argument goes between"),
        pytest.param({"join": "/"}, [1, Decimal("1.10")], "1/1.10", id="join keeps a Decimal's spelling"),
        pytest.param({"split": "、"}, "甲、、乙 ", ["甲", "乙"], id="split drops empty pieces"),
        pytest.param({"split": "."}, "a.b", ["a", "b"], id="split knows no patterns"),
        pytest.param("first", "甲", "甲", id="first leaves a text alone"),
        pytest.param("first", [None, " "], None, id="first of nothing is nothing"),
        pytest.param({"replace": {"find": "省"}}, "省市", "市", id="replace by nothing removes"),
        pytest.param("digits", Decimal("13800000001.0"), "13800000001", id="a spreadsheet's .0 is no digit"),
        pytest.param("digits", "无", "", id="no digits give nothing"),
        pytest.param("upper", "aB", "AB", id="upper"),
        pytest.param("lower", "aB", "ab", id="lower"),
        pytest.param({"cut": 2}, "ab", "ab", id="cut leaves what fits"),
        pytest.param("int", Decimal("3.0"), 3, id="int of a whole Decimal"),
        pytest.param("int", "－１２", -12, id="int of full-width text"),
        pytest.param("int", 10**22, 10**22, id="int of 23 digits loses none"),
        pytest.param({"code": "kinds"}, 10, "consultation", id="a code sent as a number"),
        pytest.param({"code": "kinds"}, " 20 ", "complaint", id="a code with blanks around"),
        pytest.param(
            {"code": "kinds"}, ["10", "99", "20"], ["consultation", "complaint"], id="codes in a list"
        ),
        pytest.param("unit", "1010", None, id="another source's number is nobody here"),
        pytest.param("unit", "市 人社局", "rsj", id="blanks inside a name do not matter"),
        pytest.param(
            "unit", ["工会", "市人社局、市公安局"], ["zgh", "rsj", "gaj"], id="units in lists and texts"
        ),
        pytest.param(
            {"unit": {"keep_unknown": True}}, "某街道", "某街道", id="an unknown unit kept on demand"
        ),
        pytest.param("yes_no", "Ｎ", False, id="no in full width"),
        pytest.param("yes_no", True, True, id="a boolean is its own answer"),
        pytest.param("yes_no", 0, False, id="0 is no"),
        pytest.param(
            {"yes_no": {"yes": ["0"], "no": ["1"]}}, "0", True, id="a source that means it the other way"
        ),
        pytest.param({"yes_no": {"yes": ["属实"]}}, "属实", True, id="a source's own word for yes"),
        pytest.param({"has": "03"}, ["01", "03"], True, id="has looks through a list"),
        pytest.param({"has": "03"}, [1, 3], False, id="has compares items, not parts of them"),
        pytest.param({"has": "急"}, "一般", False, id="has says no"),
        pytest.param({"has": ["a"]}, {"a": None}, True, id="has sees the key of an object"),
        pytest.param("uscc", "９１３２0500MA00000010", "91320500MA00000010", id="uscc in full width"),
        pytest.param({"format_time": "epoch_s"}, "2023-04-03T01:30:00Z", 1680485400, id="epoch out"),
        pytest.param(
            {"format_time": "epoch_ms"}, datetime(2023, 4, 3, tzinfo=UTC), 1680480000000, id="ms out"
        ),
        pytest.param(
            {"format_time": "iso"}, "2023-04-03T01:30:00Z", "2023-04-03T09:30:00+08:00", id="iso out"
        ),
        pytest.param({"format_time": "%Y年%m月"}, "2023-04-03T01:30:00Z", "2023年04月", id="Chinese out"),
    ],
)
def test_functions(written: Any, value: Any, result: Any) -> None:
    made = apply(written, value)
    assert made == result
    assert type(made) is type(result)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("int", "3.5", id="a half is no whole number"),
        pytest.param("int", Decimal("1e999999999"), id="a number that would fill the memory"),
        pytest.param("trim", {"a": 1}, id="an object is no text"),
        pytest.param("upper", "a" * 200_001, id="a text beyond all limits"),
        pytest.param("trim", ["a"] * 1001, id="a list beyond all limits"),
        pytest.param("yes_no", "也许", id="neither yes nor no"),
        pytest.param("uscc", "9" * 33, id="longer than any credit code"),
        pytest.param({"to_time": "iso"}, [1], id="a list is no time"),
    ],
)
def test_what_cannot_be_read_is_unreadable(written: Any, value: Any) -> None:
    with pytest.raises(Unreadable) as error:
        apply(written, value)
    assert str(value)[:50] not in str(error.value)


@pytest.mark.parametrize(
    ("written", "value", "flag"),
    [
        pytest.param("uscc", "91320500MA00000011", "uscc_check_digit", id="a wrong check digit"),
        pytest.param("uscc", "无", "uscc_check_digit", id="no code at all"),
        pytest.param("phones", "无", "phone_unreadable", id="no phone at all"),
    ],
)
def test_what_is_odd_is_flagged_and_kept(written: str, value: str, flag: str) -> None:
    at = call()
    made = apply(written, value, at)
    assert value in made
    assert [note.detail for note in at.notes] == [flag]


def test_an_unknown_code_is_noted_with_its_table() -> None:
    at = call()
    assert apply({"code": "kinds"}, 77, at) is None
    assert [(note.kind, note.detail, note.raw) for note in at.notes] == [("unknown_code", "kinds", "77")]


def test_an_alias_of_one_source_is_known_to_that_source_only() -> None:
    assert apply("unit", 1010, call("crm")) == "rsj"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("320506", "320506", id="a code"),
        pytest.param("320503", "320508", id="an old code"),
        pytest.param("320506001002", "320506", id="the code of a community"),
        pytest.param("吴中区", "320506", id="a name"),
        pytest.param("苏州市园区星湖街1号", "320571", id="the short name behind the city's"),
        pytest.param("园区星湖街1号", "320571", id="the short name at the start"),
        pytest.param("某某科技产业园区3幢", None, id="园区 inside 产业园区"),
        pytest.param("企业所在园区停电", None, id="any park is not the park"),
        pytest.param("昆山高新区前进路", "320583", id="another city's 高新区"),
        pytest.param("苏州高新区昆山路", "320505", id="the longest name wins"),
        pytest.param("昆山路100号", None, id="a street named after a city"),
        pytest.param("常熟市昆山路100号", "320581", id="a city before a street"),
        pytest.param("SIP Xinghu Street", "320571", id="Latin letters by themselves"),
        pytest.param("GOSSIP", None, id="Latin letters inside a word"),
        pytest.param("91320506MA00000017", None, id="never from a credit code"),
        pytest.param("南京市", None, id="elsewhere"),
    ],
)
def test_region(text: str, code: str | None) -> None:
    assert apply("region", text) == code


def test_an_unknown_region_code_is_noted_and_a_text_without_a_place_is_not() -> None:
    at = call()
    assert apply("region", "330100", at) is None
    assert apply("region", "某处", at) is None
    assert [(note.kind, note.raw) for note in at.notes] == [("unknown_code", "330100")]
