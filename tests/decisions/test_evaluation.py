"""How often the rules are right."""

from __future__ import annotations

from typing import Any

import pytest

from router.decisions.evaluation import Confusion, UnitScore, appeal_from, evaluate, shortfalls
from router.decisions.facts import CaseHistory
from router.errors import MappingFailed
from tests.decisions.city import DIRECTORY, rules

RULES = rules(
    "when: {facts.returns: {min: 3}}, to: supervision",
    "when: {facts.unit: {present: true}}, to: {field: facts.unit}",
)


def case(content: str, *expect: str, **more: Any) -> dict[str, Any]:
    return {"appeal": {"content": content}, "expect": list(expect), **more}


def test_shares_and_confusions() -> None:
    result = evaluate(
        RULES,
        [
            case("欠薪", "rsj"),
            case("欠薪", "gaj", "rsj"),
            case("诈骗", "rsj"),
            case("不知道", "desk"),
            case("不知道", "jyj"),
            case("谁都不管", "supervision", history={"returns": 3}),
        ],
        DIRECTORY,
    )
    assert result.cases == 6
    assert result.accuracy == pytest.approx(4 / 6)
    assert result.coverage == pytest.approx(4 / 6)
    assert result.precision == pytest.approx(3 / 4)
    assert result.desk == pytest.approx(2 / 6)
    assert result.supervision == pytest.approx(1 / 6)
    assert set(result.confusions) == {
        Confusion(expected="rsj", actual="gaj", count=1),
        Confusion(expected="jyj", actual="desk", count=1),
    }
    scores = {score.unit: score for score in result.units}
    assert scores["rsj"] == UnitScore(unit="rsj", expected=3, got=2, right=2, precision=1, recall=2 / 3)
    assert (scores["gaj"].precision, scores["jyj"].recall) == (0, 0)
    assert result.rules == {"r1": 3, "everything-else": 2, "r0": 1}


def test_the_result_is_plain_json_with_every_share() -> None:
    told = evaluate(RULES, [case("欠薪", "gaj")], DIRECTORY).model_dump(mode="json")
    assert told["confusions"] == [{"expected": "gaj", "actual": "rsj", "count": 1}]
    assert {unit["unit"]: (unit["precision"], unit["recall"]) for unit in told["units"]} == {
        "gaj": (0, 0),
        "rsj": (0, 0),
    }


def test_what_went_wrong_is_told_by_its_number() -> None:
    result = evaluate(RULES, [case("欠薪", "rsj"), case("欠薪", "gaj")], DIRECTORY)
    assert [(miss.case, miss.expected, miss.actual, miss.rule) for miss in result.wrong] == [
        (2, "gaj", "rsj", "r1")
    ]


def test_what_the_source_tells_is_known_unless_the_case_says_otherwise() -> None:
    made = rules("when: {facts.unscreened: false}, to: rsj")
    found = evaluate(
        made,
        [case("x", "desk"), case("x", "rsj", history={"unscreened": False}), case("x", "desk", history={})],
        DIRECTORY,
        first_look=lambda appeal: CaseHistory(unscreened=appeal.source == "case"),
    )
    assert found.accuracy == 1


def test_every_share_that_falls_short_is_told_in_a_sentence() -> None:
    result = evaluate(RULES, [case("欠薪", "rsj"), case("不知道", "rsj")], DIRECTORY)
    told = shortfalls(
        result, {"accuracy": 0.9, "precision": 1.0, "coverage": None}, {"desk": 0.2, "supervision": 0.0}
    )
    assert told == [
        "accuracy is 50.0%, at least 90.0% is demanded",
        "desk is 50.0%, at most 20.0% is allowed",
    ]


def test_no_cases_make_no_division_by_nothing() -> None:
    result = evaluate(RULES, [], DIRECTORY)
    assert (result.cases, result.accuracy, result.precision, result.units) == (0, 0, 0, ())


def test_a_unit_that_nobody_knows_is_counted_and_named() -> None:
    result = evaluate(RULES, [case("欠薪", "rjs")], DIRECTORY)
    assert (result.accuracy, result.unknown) == (0, ("rjs",))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param({"appeal": {}}, "case 2: expect needs at least one unit", id="nothing expected"),
        pytest.param(case("x"), "case 2: expect needs at least one unit", id="nobody expected"),
        pytest.param({"expect": ["rsj"]}, "case 2: a case is", id="no appeal"),
        pytest.param([], "case 2: a case is", id="a list"),
        pytest.param(
            {"appeal": [], "expect": "rsj"}, "case 2: an appeal is an object", id="a list for an appeal"
        ),
        pytest.param(
            {"appeal": {"kind": "x"}, "expect": "rsj"}, "case 2: these fields .* kind", id="a wrong value"
        ),
        pytest.param({"appeal": {"knd": "x"}, "expect": "rsj"}, "case 2: .* knd", id="an unknown field"),
        pytest.param(
            case("x", "rsj", history={"returns": -1}), "case 2: history: returns", id="a wrong history"
        ),
        pytest.param({"appeal": {}, "expect": [["rsj"]]}, "case 2: expect needs", id="a list in a list"),
    ],
)
def test_a_case_that_is_none_is_named_by_its_number(wrong: Any, says: str) -> None:
    with pytest.raises(MappingFailed, match=says):
        evaluate(RULES, [case("欠薪", "rsj"), wrong], DIRECTORY)


def test_p8_a_wrong_appeal_is_told_without_its_values() -> None:
    with pytest.raises(MappingFailed) as caught:
        appeal_from({"contact": {"phones": "13800001234"}, "region": "张三丰"})
    assert "contact.phones" in str(caught.value)
    assert "region" in str(caught.value)
    assert "1380000" not in str(caught.value)
    assert "三" not in str(caught.value)


def test_an_appeal_can_be_made_of_nothing() -> None:
    assert appeal_from({}).content == "-"
    assert appeal_from({"title": "只有标题"}).content == "只有标题"
