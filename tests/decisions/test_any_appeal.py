"""Whatever the appeal, there is a decision; and explaining it never changes it."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from router.decisions import fields
from router.decisions.facts import CaseHistory
from router.message import Appeal
from tests.decisions.city import DIRECTORY, rules

WORDS = [
    "欠薪",
    "社保",
    "昆山",
    "市教育局",
    "不是",
    "产业园区",
    "CA",
    "13800001234",
    "\x00",
    "\ud800",
    "İ",
    "（",
    "\n",
    " ",
]
TEXT = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=8).map("".join)
CONTENT = TEXT.filter(lambda text: bool(text.strip()))
NAME = st.text(max_size=10)
UNITS = st.lists(st.sampled_from([*DIRECTORY.units, "gone"]), max_size=4)
APPEALS = st.fixed_dictionaries(
    {
        "appeal_id": st.just("00000000-0000-7000-8000-000000000000"),
        "source": st.sampled_from(["crm", "sst"]),
        "source_id": st.just("1"),
        "revision": st.integers(1, 10**6),
        "channel": NAME,
        "content": CONTENT,
        "received_at": st.just(datetime(2026, 3, 2, tzinfo=UTC)),
    },
    optional={
        "mode": st.sampled_from(["self_report", "direct_report", "quarterly"]),
        "kind": st.sampled_from(["help", "complaint", "praise", "other"]),
        "standing": st.sampled_from(["open", "closed", "withdrawn"]),
        "title": TEXT,
        "category": st.lists(NAME, max_size=3),
        "reporter": st.none()
        | st.fixed_dictionaries({}, optional={"unit": st.sampled_from(["rsj", "人社局", "?"])}),
        "region": st.sampled_from(["", "320583", "320594", "110101"]),
        "proposed_units": UNITS,
        "extensions": st.dictionaries(
            st.sampled_from(["dept", "a.b"]),
            st.none() | NAME | st.integers() | st.booleans() | st.just("1010"),
        ),
        "closure": st.none() | st.fixed_dictionaries({}, optional={"satisfaction": st.integers(1, 5)}),
    },
).map(Appeal.model_validate)
HISTORIES = st.builds(
    CaseHistory,
    returns=st.integers(0, 5),
    returned_by=UNITS.map(tuple),
    desk_could_not_answer=st.booleans(),
    consulted=st.booleans(),
)

PRESENCE = [
    f"when: {{not: [{{{path}: {{absent: true}}}}, {{{path}: {{present: true}}}}]}}, to: rsj"
    for path in fields.known()
]
"""Never true, and every field is read for it."""
RULES = rules(
    *PRESENCE,
    "when: {any: [{facts.unit_score: {min: 3}}, {closure.satisfaction: {max: 2}}]}, to: {field: facts.named}",
    "when: {extensions.dept: {in: [x, 1, true]}}, to: {field: extensions.dept}",
    "when: {extensions.dept: {present: true}}, to: {field: extensions.dept}, except: [reporter.unit]",
    "when: {extensions.a.b: {between: [1, 9]}}, to: {field: extensions.a.b}",
    "when: {category: {prefix: [a, b]}, flags: {count: {min: 1}}}, to: {platform_of: facts.places}",
    "when: {not: [{text: {any_of: [欠薪, CA]}}, {title: {any_of: [社保]}}]}, to: {field: proposed_units}, "
    "assisting: {field: facts.unit}, except: [reporter.unit, returned_by]",
    "when: {text: {any_of: [社保], not_after: [不是], not_before: [卡]}}, to: {field: facts.unit}",
    "when: {text: {any_of: [欠薪, 社保], none_of: [昆山], min_score: 2}}, to: [rsj, gaj]",
)


@settings(max_examples=300, deadline=None)
@given(APPEALS, HISTORIES)
def test_p6_every_valid_appeal_is_decided_and_explained(appeal: Appeal, history: CaseHistory) -> None:
    plain = RULES.route(appeal, history)
    told = RULES.route(appeal, history, explain=True)
    assert told.model_copy(update={"passed_over": ()}) == plain
    assert set(plain.units) <= DIRECTORY.units.keys()
    assert [over.rule for over in told.passed_over] == list(RULES.names[: RULES.names.index(told.rule)])
    assert RULES.decide(appeal, RULES.derive(appeal, history), explain=True) == told


def test_every_field_that_rules_can_name_can_be_read() -> None:
    assert len(PRESENCE) == len(set(PRESENCE)) > 40
