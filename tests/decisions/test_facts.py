"""Facts: whom and what a text names, scored; traps of real names; nothing personal."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.decisions.facts import CaseHistory, Deriver, Facts
from router.directory import Directory, Spoken, Unit
from tests.decisions.city import DIRECTORY, appeal, rules

DERIVER = Deriver(DIRECTORY)


def derive(content: str, title: str = "", **fields: Any) -> Facts:
    return DERIVER.derive(appeal(content, title=title, **fields), CaseHistory())


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        pytest.param("请市教育局处理", {"jyj": 5}, id="a bureau named by its name"),
        pytest.param(
            "昆山市教育局不处理", {}, id="a county's own bureau is not the city's, though its name ends so"
        ),
        pytest.param("昆山的教育局不处理", {}, id="nor with a particle between"),
        pytest.param("昆山公安局不处理", {}, id="nor by an alias behind the short name of the place"),
        pytest.param(
            "昆山的企业请市教育局处理", {"jyj": 5}, id="a place elsewhere in the text changes nothing"
        ),
        pytest.param(
            "工商银行苏州市分行拒贷", {"gsyh": 5}, id="the longer name of another swallows the alias"
        ),
        pytest.param("苏州市分行拒贷", {"rmyh": 4}, id="the alias alone weighs what its word says"),
        pytest.param(
            "某某银行苏州市分行拒贷", {}, id="a name of nobody here that ends like an alias: not_after"
        ),
        pytest.param(
            "中国人民银行苏州市分行", {"rmyh": 5}, id="the full name counts once, not with its alias"
        ),
        pytest.param("消防验收没通过", {"zjj": 3}, id="the more specific word wins over the one inside it"),
        pytest.param("消防通道堵塞", {"xfj": 2}, id="which counts alone"),
        pytest.param("社保断缴，社保补缴", {"rsj": 2}, id="a word counts once, however often it stands"),
        pytest.param("社保断缴，又欠薪", {"rsj": 5}, id="different words of one unit add up"),
        pytest.param("属于非工伤", {}, id="a word behind its not_after"),
        pytest.param("不是社保问题", {}, id="what is not meant"),
        pytest.param("是不是社保问题", {"rsj": 2}, id="a question whether it is"),
        pytest.param("不属于人社局职责", {}, id="not their duty"),
        pytest.param("归不归人社局管", {"rsj": 5}, id="a question whether it is theirs"),
        pytest.param("除非人社局同意", {"rsj": 5}, id="unless"),
        pytest.param("与社保无关", {}, id="unrelated"),
        pytest.param("与社保有关", {"rsj": 2}, id="related"),
        pytest.param("不是社保问题，是社保卡", {"rsj": 2}, id="denied once, said once: said"),
        pytest.param("市行政审批局(政务办)", {"spj": 5}, id="brackets of the other width"),
        pytest.param("平台和督查室都不管", {}, id="platforms and offices are never candidates"),
    ],
)
def test_who_is_spoken_of(text: str, candidates: dict[str, float]) -> None:
    assert derive(text).candidates == candidates


@pytest.mark.parametrize(
    ("text", "places"),
    [
        pytest.param("昆山市某公司", ("320583",), id="a place by its name"),
        pytest.param("昆山某公司，昆山市民", ("320583",), id="two names of one place are one"),
        pytest.param("园区的一家公司", ("320571",), id="a short name alone"),
        pytest.param("化工产业园区的公司", (), id="not the end of another name"),
        pytest.param("昆山路88号", (), id="not a street that is named after a city"),
        pytest.param("吴江市的老厂", ("320509",), id="a former name"),
        pytest.param("苏州市的企业", (), id="the city is no place within the city"),
        pytest.param("吴江区和昆山市", ("320509", "320583"), id="two places, in the order of the text"),
    ],
)
def test_which_places_are_named(text: str, places: tuple[str, ...]) -> None:
    assert derive(text).places == places


@pytest.mark.parametrize(
    ("text", "title", "unit", "score"),
    [
        pytest.param("欠薪", "", "rsj", 3, id="one unit, heavy enough"),
        pytest.param("学校门口", "", "", 0, id="one weak word is no ground"),
        pytest.param("学校门口", "学校", "jyj", 2, id="unless it stands in the title"),
        pytest.param("工伤，又遇诈骗", "", "", 0, id="two units equally: nobody leads"),
        pytest.param("工伤，又遇诈骗", "诈骗案", "gaj", 5, id="the title decides"),
        pytest.param("欠薪，又遇诈骗", "", "rsj", 3, id="a small lead is one; rules may ask for more"),
        pytest.param("欠薪，消防", "", "rsj", 3, id="half as much again"),
    ],
)
def test_a_unit_is_a_fact_only_when_it_leads(text: str, title: str, unit: str, score: float) -> None:
    facts = derive(text, title)
    assert (facts.unit, facts.unit_score) == (unit, score)


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        pytest.param("欠薪，又遇诈骗", 1.2, id="a fifth more than the second"),
        pytest.param("欠薪", 100, id="no second"),
        pytest.param("工伤，又遇诈骗", 0, id="nobody leads"),
        pytest.param("今天天气不错", 0, id="nobody at all"),
    ],
)
def test_how_clearly_it_leads(text: str, lead: float) -> None:
    assert derive(text).lead == lead


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        pytest.param("问了人社局，说不归他们管，被诈骗了", {"gaj": 2.5, "rsj": 0.75}, id="what a unit said"),
        pytest.param("人社局说这是诈骗", {"gaj": 2.5, "rsj": 0.75}, id="a unit that only said something"),
        pytest.param("请人社局查处", {"rsj": 5}, id="a unit that is to act"),
        pytest.param("苏州社保通有限公司被诈骗", {"gaj": 2.5, "rsj": 0.4}, id="the name of a firm"),
        pytest.param("社保断缴，有限公司", {"rsj": 2}, id="another clause is not its name"),
    ],
)
def test_what_is_said_in_passing_counts_little(text: str, candidates: dict[str, float]) -> None:
    assert derive(text).candidates == candidates


PAIRS = Deriver(
    Directory(
        [
            Unit("ylj", "园林局", words={"树+招牌": Spoken(2), "树": Spoken(1)}),
            Unit("cgj", "城管局", words={"招牌": Spoken(1)}),
            Unit("nyj", "农业局", words={"鱼+死": Spoken(2)}),
            Unit("spj", "审批局", words={"变更法人": Spoken(5), "法人": Spoken(2), "C++": Spoken(2)}),
        ]
    )
)


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        pytest.param("门口的大树把招牌挡住", {"ylj": 2.6, "cgj": 1}, id="near each other"),
        pytest.param("招牌被树挡住", {"ylj": 2.6, "cgj": 1}, id="in either order"),
        pytest.param(
            "门口有树。" + "另有一事相告，" * 4 + "招牌旧了", {"cgj": 1, "ylj": 1}, id="not far apart"
        ),
        pytest.param("塘里的鱼都死了", {"nyj": 2.6}, id="two single characters, closer"),
        pytest.param("塘里的鱼今年卖得实在是死贵", {}, id="and no farther"),
        pytest.param("要变更法人", {"spj": 5}, id="what spoke once does not speak again"),
        pytest.param("要变更法人，法人在国外", {"spj": 7}, id="said again elsewhere"),
        pytest.param("招C++工程师", {"spj": 2}, id="a plus sign inside a word"),
    ],
)
def test_words_that_speak_together(text: str, candidates: dict[str, float]) -> None:
    assert PAIRS.derive(appeal(text), CaseHistory()).candidates == candidates


@pytest.mark.parametrize(
    ("text", "region", "county"),
    [
        pytest.param("请昆山市教育局处理", "", "320583", id="the bureau of a place"),
        pytest.param("请昆山市政府处理", "", "320583", id="its government"),
        pytest.param("请园区管委会答复", "", "320571", id="its committee"),
        pytest.param("昆山市某镇政府不批", "", "320583", id="a town's"),
        pytest.param("镇政府不批", "320509", "320509", id="a town that is not named, by the appeal's region"),
        pytest.param("镇政府不批", "", "", id="nobody knows whose"),
        pytest.param("昆山市教育局说归市里管", "", "", id="only told what it said"),
        pytest.param("问过昆山市教育局", "", "", id="only a stop on the way"),
        pytest.param("昆山市一家公司请市教育局处理", "", "", id="a firm that lies there"),
        pytest.param("请昆山市教育局处理，也请园区管委会处理", "", "", id="two places"),
    ],
)
def test_the_county_whose_own_office_is_to_act(text: str, region: str, county: str) -> None:
    assert derive(text, region=region).county == county


def test_an_unscreened_appeal_is_screened_once_the_desk_has_tried() -> None:
    fresh = CaseHistory(unscreened=True)
    tried = CaseHistory(unscreened=True, desk_could_not_answer=True)
    assert DERIVER.derive(appeal("-"), fresh).unscreened
    assert not DERIVER.derive(appeal("-"), tried).unscreened


def test_a_class_belongs_to_the_unit_of_its_narrowest_part() -> None:
    classes = {("企业",): "a", ("企业", "用工"): "b"}
    deriver = Deriver(Directory([Unit("a", "甲局"), Unit("b", "乙局")], categories=classes))
    of = {
        path: deriver.derive(appeal("-", category=path), CaseHistory()).category_unit
        for path in [("企业", "用工", "欠薪"), ("企业", "其他"), ("居民",), ()]
    }
    assert list(of.values()) == ["b", "a", "", ""]


def test_the_candidates_come_best_first_and_say_why() -> None:
    facts = derive("人社局，社保，诈骗")
    assert list(facts.candidates.items()) == [("rsj", 7), ("gaj", 2.5)]
    assert facts.because == {"rsj": ("人社局", "社保"), "gaj": ("诈骗",)}
    assert facts.named == ("rsj",)


@pytest.mark.parametrize(
    ("fields", "region"),
    [
        pytest.param({"content": "昆山市", "region": "320509"}, "320509", id="the appeal's own region first"),
        pytest.param({"content": "昆山市"}, "320583", id="else the one place named"),
        pytest.param({"content": "昆山市和吴江区"}, "", id="of two places none"),
    ],
)
def test_the_region(fields: dict[str, str], region: str) -> None:
    assert derive(**fields).region == region


def test_the_history_is_among_the_facts() -> None:
    history = CaseHistory(
        returns=2,
        returned_by=("rsj", "gaj"),
        desk_could_not_answer=True,
        consulted=True,
        previous_rule="by-words",
    )
    facts = DERIVER.derive(appeal("四个字的"), history)
    assert {name: getattr(facts, name) for name in CaseHistory.model_fields} == dict(history)
    assert facts.text_length == 4


def test_p8_facts_hold_nothing_of_the_text_but_words_of_the_configuration() -> None:
    facts = derive(
        "王先生13800001234反映人社局欠薪，联系wang@example.org", "求助王先生", address="昆山市某路1号"
    )
    said = facts.model_dump_json()
    assert "人社局" in said
    for canary in ("王", "1380000", "example", "某路", "求助", "反映"):
        assert canary not in said


TEXTS = st.lists(
    st.sampled_from(
        ["市人社局", "昆山", "市教育局", "不是", "社保", "欠薪", "产业园区", "，", "路", "的", "a"]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=200)
@given(TEXTS, TEXTS.filter(bool))
def test_p6_a_decision_can_be_made_again_from_the_kept_appeal_and_the_kept_facts(
    title: str, content: str
) -> None:
    made = rules(
        "when: {facts.unit: {present: true}}, to: {field: facts.unit}",
        "when: {text: {any_of: [昆山]}}, to: gaj",
    )
    first = made.route(appeal(content, title=title), CaseHistory(), explain=True)
    kept = json.loads(json.dumps(first.model_dump(mode="json")))["facts"]
    assert made.decide(appeal(content, title=title), kept, explain=True) == first


def test_p9_a_text_of_nothing_but_names_costs_little() -> None:
    """Fifty thousand characters, half of them hits with contexts: no square of anything."""
    began = time.perf_counter()
    facts = derive("昆山苏州市分行" * 7000, "社保" * 200)
    assert facts.unit == "rsj"
    assert time.perf_counter() - began < 5
