"""Decision tables: which rule takes what, and what it says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from router.decisions.facts import CaseHistory
from router.decisions.rules import MOST_ASSISTING, Rule, RuleSet
from router.directory import Directory, Unit
from router.errors import Unroutable
from router.message import Decision
from tests.decisions.city import CATCH_ALL, DIRECTORY, appeal, load, route, rules

OPEN = CaseHistory()

CONDITIONS: list[tuple[str, str, dict[str, Any], bool]] = [
    ("equals", "kind: complaint", {"kind": "complaint"}, True),
    ("equals another", "kind: complaint", {"kind": "praise"}, False),
    ("a list is: one of", "kind: [complaint, help]", {"kind": "help"}, True),
    ("none of a list", "kind: [complaint, help]", {"kind": "praise"}, False),
    ("a flag", "enterprise.key_enterprise: true", {"enterprise": {"key_enterprise": True}}, True),
    ("a flag that is not set", "enterprise.key_enterprise: true", {}, False),
    ("a list field equals what it holds", "category: 用工", {"category": ["企业", "用工"]}, True),
    ("a list field without it", "category: 用工", {"category": ["企业"]}, False),
    ("a field of a part that is absent", "reporter.way: 走访调研", {}, False),
    ("a field of a part", "reporter.way: 走访调研", {"reporter": {"way": "走访调研"}}, True),
    ("prefix", 'region: {prefix: "3205"}', {"region": "320583"}, True),
    ("another prefix", 'region: {prefix: ["3201", "3202"]}', {"region": "320583"}, False),
    ("prefix of one in a list", "flags: {prefix: unknown_code}", {"flags": ["a", "unknown_code:kind"]}, True),
    ("prefix of none in a list", "flags: {prefix: unknown_code}", {"flags": ["a"]}, False),
    ("present", "region: {present: true}", {"region": "320583"}, True),
    ("an empty text is not present", "region: {present: true}", {}, False),
    ("present: false is absent", "region: {present: false}", {}, True),
    ("absent", "closure: {absent: true}", {}, True),
    ("absent: false is present", "closure: {absent: false}", {}, False),
    ("zero is present", "facts.returns: {present: true}", {}, True),
    ("an extension", "extensions.shop.no: 7", {"extensions": {"shop.no": 7}}, True),
    ("an extension that is absent", "extensions.shop: {absent: true}", {}, True),
    ("an extension of another kind", "extensions.shop: 7", {"extensions": {"shop": "7"}}, False),
    ("count of a list", "proposed_units: {count: 2}", {"proposed_units": ["rsj", "gaj"]}, True),
    ("count between", "proposed_units: {count: {min: 1, max: 2}}", {"proposed_units": ["rsj"]}, True),
    ("count of nothing is none", "proposed_units: {count: {max: 0}}", {}, True),
    ("count of characters", "content: {count: {min: 4}}", {"content": "三个字"}, False),
    ("min", "facts.text_length: {min: 3}", {"content": "三个字"}, True),
    ("max", "facts.text_length: {max: 2}", {"content": "三个字"}, False),
    ("between includes its ends", "facts.text_length: {between: [3, 3]}", {"content": "三个字"}, True),
    ("min on nothing", "closure.satisfaction: {min: 1}", {}, False),
    ("a score", "facts.unit_score: {min: 3}", {"content": "欠薪"}, True),
    ("a candidate's score", "facts.candidates.gaj: {min: 2}", {"content": "诈骗和欠薪"}, True),
    ("any_of", "text: {any_of: [招工, 用工]}", {"content": "用工难"}, True),
    ("any_of in the title", "text: {any_of: [招工, 用工]}", {"title": "用工难"}, True),
    ("any_of, none there", "text: {any_of: [招工, 用工]}", {"content": "用电难"}, False),
    ("one word without its list", "text: {any_of: 用工}", {"content": "用工难"}, True),
    ("none_of spoils", "text: {any_of: [用工], none_of: [招标]}", {"content": "用工招标"}, False),
    ("none_of alone", "text: {none_of: [招标]}", {"content": "用工"}, True),
    ("min_score adds words up", "text: {any_of: [用工, 缺人], min_score: 2}", {"content": "用工缺人"}, True),
    ("once is not twice", "text: {any_of: [用工, 缺人], min_score: 2}", {"content": "用工用工"}, False),
    ("the title weighs double", "text: {any_of: [用工, 缺人], min_score: 2}", {"title": "用工"}, True),
    ("title only", "title: {any_of: [用工]}", {"content": "用工"}, False),
    ("title only, there", "title: {any_of: [用工]}", {"title": "用工"}, True),
    ("content only", "content: {any_of: [用工]}", {"title": "用工", "content": "-"}, False),
    ("not_after", "text: {any_of: [拖欠], not_after: [没有]}", {"content": "没有拖欠"}, False),
    (
        "not_after elsewhere",
        "text: {any_of: [拖欠], not_after: [没有]}",
        {"content": "没有拖欠？拖欠！"},
        True,
    ),
    ("not_before", "text: {any_of: [合同], not_before: [范本]}", {"content": "合同范本"}, False),
    ("not_before at the end", "text: {any_of: [合同], not_before: [范本]}", {"content": "签合同"}, True),
    (
        "a context does not excuse none_of",
        "text: {none_of: [招标], not_after: [非]}",
        {"content": "非招标"},
        False,
    ),
    ("all", "all: [{kind: help}, {region: '320583'}]", {"kind": "help", "region": "320583"}, True),
    ("all but one", "all: [{kind: help}, {region: '320583'}]", {"kind": "help"}, False),
    ("any", "any: [{kind: help}, {region: '320583'}]", {"region": "320583"}, True),
    ("any of none", "any: [{kind: help}, {region: '320583'}]", {}, False),
    ("not a list: none of them", "not: [{kind: help}, {kind: praise}]", {"kind": "praise"}, False),
    ("not a list, none holds", "not: [{kind: help}, {kind: praise}]", {"kind": "report"}, True),
    ("not a block: not all of it", "not: {kind: help, region: '320583'}", {"kind": "help"}, True),
    ("two conditions are both needed", "kind: help, region: '320583'", {"kind": "help"}, False),
    (
        "two matchers on a field are both needed",
        "region: {prefix: '3205', in: ['320583']}",
        {"region": "320509"},
        False,
    ),
    ("groups nest", "any: [{all: [{kind: help}, {not: {region: '320583'}}]}]", {"kind": "help"}, True),
]


@pytest.mark.parametrize(
    ("when", "fields", "is_taken"), [pytest.param(*row[1:], id=row[0]) for row in CONDITIONS]
)
def test_conditions(when: str, fields: dict[str, Any], is_taken: bool) -> None:
    decision = route(rules(f"when: {{{when}}}, to: rsj"), **fields)
    assert decision.lead == ("rsj" if is_taken else "desk")
    assert len(decision.matched if is_taken else decision.passed_over) >= 1


TARGETS: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    ("a unit", "to: rsj", {}, ("rsj",)),
    ("an office by its part", "to: supervision", {}, ("dcs",)),
    ("the first of a list leads", "to: [gaj, rsj]", {}, ("gaj", "rsj")),
    ("assisting", "to: rsj, assisting: [gaj, jyj]", {}, ("rsj", "gaj", "jyj")),
    ("one assisting without its list", "to: rsj, assisting: gaj", {}, ("rsj", "gaj")),
    ("nobody leads and assists", "to: rsj, assisting: [rsj, gaj]", {}, ("rsj", "gaj")),
    (
        "whom the source names",
        "to: {field: proposed_units}",
        {"proposed_units": ["gaj", "rsj"]},
        ("gaj", "rsj"),
    ),
    (
        "assisting from a field",
        "to: rsj, assisting: {field: proposed_units}",
        {"proposed_units": ["gaj"]},
        ("rsj", "gaj"),
    ),
    ("an empty field: the rule does not match", "to: {field: proposed_units}", {}, ("desk",)),
    (
        "a unit that is only informed: nor then",
        "to: {field: proposed_units}",
        {"proposed_units": ["bzb"]},
        ("desk",),
    ),
    (
        "an unknown unit in a field: nor then",
        "to: {field: proposed_units}",
        {"proposed_units": ["gone"]},
        ("desk",),
    ),
    ("whom the text names", "to: {field: facts.unit}", {"content": "欠薪"}, ("rsj",)),
    (
        "an extension with a name",
        "to: {field: extensions.dept}",
        {"extensions": {"dept": "人社局"}},
        ("rsj",),
    ),
    (
        "a source's own number",
        "to: {field: extensions.dept}",
        {"source": "crm", "extensions": {"dept": "1010"}},
        ("rsj",),
    ),
    ("another source's number", "to: {field: extensions.dept}", {"extensions": {"dept": "1010"}}, ("desk",)),
    (
        "an extension that is no text",
        "to: {field: extensions.dept}",
        {"extensions": {"dept": 1010}},
        ("desk",),
    ),
    ("the platform of the place", "to: {platform_of: region}", {"region": "320583"}, ("ksp",)),
    ("of a place by its old code", "to: {platform_of: region}", {"region": "320594"}, ("sipp",)),
    ("of the place that the text names", "to: {platform_of: facts.region}", {"content": "昆山"}, ("ksp",)),
    ("of every place named", "to: {platform_of: facts.places}", {"content": "昆山和园区"}, ("ksp", "sipp")),
    ("a place without a platform", "to: {platform_of: region}", {"region": "320509"}, ("desk",)),
    ("no place", "to: {platform_of: region}", {}, ("desk",)),
    (
        "R6 never back to who reported, by id",
        "to: rsj, except: reporter.unit",
        {"reporter": {"unit": "rsj"}},
        ("desk",),
    ),
    ("by name", "to: [rsj, gaj], except: [reporter.unit]", {"reporter": {"unit": "市人社局"}}, ("gaj",)),
    (
        "who is excepted does not assist either",
        "to: rsj, assisting: gaj, except: reporter.unit",
        {"reporter": {"unit": "gaj"}},
        ("rsj",),
    ),
    ("an excepted field that is empty", "to: rsj, except: [reporter.unit, returned_by]", {}, ("rsj",)),
]


@pytest.mark.parametrize(("to", "fields", "units"), [pytest.param(*row[1:], id=row[0]) for row in TARGETS])
def test_targets(to: str, fields: dict[str, Any], units: tuple[str, ...]) -> None:
    decision = route(rules(f"when: {{standing: open}}, {to}"), **fields)
    assert decision.units == units
    if units == ("desk",):
        assert decision.passed_over[0].failed.saw == "names nobody"


def test_r12_a_unit_that_gave_it_back_does_not_get_it_again() -> None:
    made = rules("to: {field: proposed_units}, except: [returned_by]")
    decision = route(
        made, history=CaseHistory(returns=1, returned_by=("rsj",)), proposed_units=["rsj", "gaj"]
    )
    assert decision.units == ("gaj",)


def test_r12_what_the_desk_cannot_answer_and_nobody_owns_goes_to_the_supervision_office() -> None:
    made = rules(
        "when: {facts.desk_could_not_answer: true, facts.consulted: true}, to: supervision",
        "when: {standing: open}, to: rsj",
    )
    assert route(made, history=CaseHistory(desk_could_not_answer=True, consulted=True)).lead == "dcs"
    assert route(made, history=CaseHistory(consulted=True)).lead == "rsj"


def test_an_id_is_an_id_also_where_a_source_has_the_same_word_for_another() -> None:
    """A source may call one unit what is another one's id."""
    directory = Directory(
        [
            Unit("desk", "台", part="desk"),
            Unit("a", "甲局"),
            Unit("b", "乙局", scoped_aliases={"crm": ("a",)}),
        ]
    )
    text = "routes:\n  - {name: p, to: {field: proposed_units}}\n  - {name: rest, to: desk}\n"
    made, problems = load(text, directory)
    assert made is not None, problems
    assert route(made, source="crm", proposed_units=["a"]).lead == "a"


def test_the_first_match_wins_and_every_earlier_rule_says_why_not() -> None:
    made = rules(
        "when: {kind: praise, region: '320583'}, to: gaj",
        "when: {kind: complaint, text: {any_of: [欠薪, 社保], none_of: [招标]}}, to: gaj",
        "when: {kind: complaint}, to: {platform_of: region}",
        "when: {text: {any_of: [欠薪, 社保]}}, to: rsj",
        "when: {kind: help}, to: gaj",
    )
    decision = route(made, "被欠薪，与招标有关", kind="complaint", title="社保")
    assert decision.rule == "r3"
    assert [(m.condition, m.saw) for m in decision.matched] == [
        ("text any_of 欠薪, 社保", "欠薪, 社保 (title)")
    ]
    assert [(over.rule, over.failed.condition, over.failed.saw) for over in decision.passed_over] == [
        ("r0", "kind = praise", "complaint"),
        ("r1", "text any_of 欠薪, 社保; none_of 招标", "欠薪, 社保 (title), but 招标"),
        ("r2", "to platform of region", "names nobody"),
    ]


def test_explaining_changes_nothing_but_the_explanation() -> None:
    made = rules("when: {kind: praise}, to: gaj", "when: {kind: complaint}, to: rsj")
    plain = made.route(appeal(kind="complaint"), OPEN)
    assert plain.passed_over == ()
    told = made.route(appeal(kind="complaint"), OPEN, explain=True)
    assert told.model_copy(update={"passed_over": ()}) == plain


@pytest.mark.parametrize(
    "when",
    [
        "title: {prefix: 王}",
        "content: {count: {max: 3}}",
        "contact.name: 李女士",
        "contact.phones: {count: 7}",
        "enterprise.name: {prefix: 某}",
        "enterprise.uscc: {absent: true}",
        "address: {absent: true}",
        "reporter.user: 某某",
        "extensions.linkman: x",
        "extensions: {absent: true}",
        "contact: {absent: true}",
        "attachments: {absent: true}",
        "closure.handler: x",
        "closure.result: {prefix: x}",
        "source_id: x",
        "any: [{title: {prefix: 王}}, {contact.name: x}]",
        "not: [{title: {present: true}}]",
        "text: {any_of: [没有这话]}",
        "closure: {absent: true}",
        "reporter: {absent: true}",
    ],
)
def test_p8_a_decision_says_nothing_personal(when: str) -> None:
    """Whether a condition matches or not, what it saw is masked."""
    canary = {
        "source_id": "SN-张三丰",
        "title": "张三丰求助13800001234",
        "content": "张三丰住在某某新村，电话 13800001234",
        "contact": {"name": "张三丰", "phones": ["13800001234"]},
        "enterprise": {"name": "张三丰工作室", "uscc": "9132059400000000XX"},
        "address": "某某新村3幢",
        "reporter": {"user": "张三丰"},
        "closure": {"handler": "张三丰", "result": "已致电张三丰", "handler_phone": "13800001234"},
        "extensions": {"linkman": "张三丰"},
        "attachments": [{"name": "张三丰身份证.jpg", "size": 1, "sha256": "0" * 64}],
    }
    for group in ("", "not: "):
        block = f"{{{when}}}"
        said = route(
            rules(f"when: {{{group}{block}}}, to: rsj" if group else f"when: {block}, to: rsj"), **canary
        )
        for secret in ("三", "13800001234", "新村", "工作室", "9132059400", "身份证"):
            assert secret not in said.model_dump_json()


def test_more_assisting_units_than_a_decision_holds_are_left_out() -> None:
    units = [Unit(f"u{number}", f"第{number}局") for number in range(30)]
    named = ", ".join(unit.id for unit in units)
    text = f"routes:\n  - {{name: all, when: {{kind: other}}, to: [{named}]}}\n{CATCH_ALL}"
    made, problems = load(text, Directory([*units, Unit("desk", "台", part="desk")]))
    assert made is not None, problems
    assert route(made).units == tuple(f"u{number}" for number in range(MOST_ASSISTING + 1))


def test_without_a_catch_all_an_appeal_that_no_rule_takes_is_unroutable() -> None:
    made = rules("when: {kind: praise}, to: rsj")
    bare = RuleSet([rule for rule in made.rules if isinstance(rule, Rule)][:1], made._deriver)
    with pytest.raises(Unroutable, match="no catch-all"):
        bare.route(appeal(), OPEN)


def test_rules_that_wait_for_words_keep_their_place_among_those_that_do_not() -> None:
    made = rules(
        "when: {text: {any_of: [欠薪]}, kind: help}, to: gaj",
        "when: {kind: complaint}, to: jyj",
        "when: {text: {any_of: [欠薪]}}, to: rsj",
        "when: {all: [{text: {any_of: [诈骗]}}]}, to: gaj",
    )
    assert route(made, "欠薪", kind="complaint").lead == "jyj"
    assert route(made, "欠薪", kind="help").lead == "gaj"
    assert route(made, "欠薪诈骗").lead == "rsj"
    assert route(made, "诈骗").lead == "gaj"


def test_a_decision_names_units_of_the_directory_only() -> None:
    decision: Decision = route(rules("to: {field: proposed_units}"), proposed_units=["x", "rsj"])
    assert set(decision.units) <= DIRECTORY.units.keys()
