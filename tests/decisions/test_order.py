"""Unreachable routes: told when it can be proved, never when it cannot."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from router.decisions.facts import CaseHistory
from router.decisions.routes import load_rules
from router.documents import Document
from tests.decisions.city import CATCH_ALL, DIRECTORY, appeal, told


def unreachable(earlier: str, later: str) -> list[str]:
    said = told(f"routes:\n  - {{name: a, {earlier}}}\n  - {{name: b, {later}}}\n{CATCH_ALL}")
    return [line for line in said if " is never reached" in line]


TAKEN: list[tuple[str, str, str]] = [
    ("the same conditions", "{kind: help}", "{kind: help}"),
    ("more conditions", "{kind: help}", "{kind: help, region: '320583'}"),
    ("fewer values", "{kind: [help, praise]}", "{kind: praise}"),
    ("written otherwise", "{kind: {in: [help]}}", "{kind: {equals: help}}"),
    ("written in a group", "{kind: help}", "{all: [{kind: help}, {mode: quarterly}]}"),
    ("grouped earlier", "{all: [{kind: help}, {mode: quarterly}]}", "{kind: help, mode: quarterly}"),
    ("a value under its prefix", "{region: {prefix: '3205'}}", "{region: ['320583', '320506']}"),
    ("a longer prefix", "{region: {prefix: '32'}}", "{region: {prefix: '3205'}}"),
    ("a value is present", "{region: {present: true}}", "{region: '320583'}"),
    ("a prefix is present", "{region: {present: true}}", "{region: {prefix: '32'}}"),
    ("a narrower range", "{facts.returns: {min: 1}}", "{facts.returns: {between: [2, 3]}}"),
    ("a number in the range", "{facts.returns: {min: 1}}", "{facts.returns: 2}"),
    ("fewer words", "{text: {any_of: [a, b]}}", "{text: {any_of: [b]}}"),
    ("more words to spoil it", "{text: {any_of: [a]}}", "{text: {any_of: [a], none_of: [c]}}"),
    ("a higher score", "{text: {any_of: [a, b]}}", "{text: {any_of: [a, b], min_score: 2}}"),
    (
        "the same group",
        "{any: [{kind: help}, {region: '320583'}]}",
        "{any: [{kind: help}, {region: '320583'}]}",
    ),
    ("the same negation", "{not: {kind: help}}", "{not: {kind: help}, mode: quarterly}"),
    ("a narrower count", "{flags: {count: {min: 1}}}", "{flags: {count: 2}}"),
]
NOT_TAKEN: list[tuple[str, str, str]] = [
    ("another field", "{kind: help}", "{mode: quarterly}"),
    ("fewer conditions", "{kind: help, mode: quarterly}", "{kind: help}"),
    ("more values", "{kind: [help, praise]}", "{kind: [help, report]}"),
    ("a shorter prefix", "{region: {prefix: '3205'}}", "{region: {prefix: '32'}}"),
    ("absent is not present", "{region: {present: true}}", "{region: {absent: true}}"),
    ("an empty value is not present", "{region: {present: true}}", "{region: ''}"),
    ("a wider range", "{facts.returns: {between: [1, 3]}}", "{facts.returns: {min: 2}}"),
    ("more words", "{text: {any_of: [a]}}", "{text: {any_of: [a, b]}}"),
    ("a word that spoils the earlier one", "{text: {any_of: [a], none_of: [c]}}", "{text: {any_of: [a]}}"),
    ("a lower score", "{text: {any_of: [a, b], min_score: 2}}", "{text: {any_of: [a, b]}}"),
    ("no word at all", "{text: {any_of: [a]}}", "{text: {none_of: [a]}}"),
    ("words in another place", "{title: {any_of: [a]}}", "{text: {any_of: [a]}}"),
    ("words in a context", "{text: {any_of: [a], not_after: [x]}}", "{text: {any_of: [a]}}"),
    ("a count is no value", "{facts.text_length: {min: 1}}", "{content: {count: {min: 1}}}"),
]


@pytest.mark.parametrize(("earlier", "later"), [pytest.param(*row[1:], id=row[0]) for row in TAKEN])
def test_what_an_earlier_route_takes_is_told(earlier: str, later: str) -> None:
    assert unreachable(f"when: {earlier}, to: rsj", f"when: {later}, to: gaj") == [
        "routes.yaml:3: route b is never reached: a takes all of it"
        " (move it before routes.yaml:2, or remove it)"
    ]


@pytest.mark.parametrize(("earlier", "later"), [pytest.param(*row[1:], id=row[0]) for row in NOT_TAKEN])
def test_what_it_may_leave_is_not(earlier: str, later: str) -> None:
    assert unreachable(f"when: {earlier}, to: rsj", f"when: {later}, to: gaj") == []


@pytest.mark.parametrize(
    "to",
    ["to: {field: proposed_units}", "to: {platform_of: region}", "to: rsj, except: [returned_by]"],
)
def test_a_route_that_may_name_nobody_takes_nothing_away(to: str) -> None:
    assert unreachable(f"when: {{kind: help}}, {to}", "when: {kind: help}, to: gaj") == []


def test_after_an_unconditional_route_all_is_told() -> None:
    said = told(
        f"routes:\n  - {{name: a, to: rsj}}\n  - {{name: b, when: {{kind: help}}, to: gaj}}\n{CATCH_ALL}"
    )
    assert [line[:14] for line in said] == ["routes.yaml:3:", "routes.yaml:4:"]


MATCHERS = {
    "kind": st.sampled_from([["help"], ["help", "praise"], ["praise", "report"], "report"]),
    "region": st.sampled_from(
        [
            {"prefix": "32"},
            {"prefix": "3205"},
            "320583",
            "",
            {"present": True},
            {"absent": True},
            ["320583", ""],
        ]
    ),
    "facts.returns": st.sampled_from(
        [{"min": 1}, {"max": 1}, {"between": [1, 2]}, 1, [0, 2], {"present": True}]
    ),
    "flags": st.sampled_from([{"count": 1}, {"count": {"max": 1}}, "a", ["a", "b"], {"prefix": "a"}]),
    "text": st.sampled_from(
        [
            {"any_of": ["甲"]},
            {"any_of": ["甲", "乙"]},
            {"any_of": ["甲", "乙"], "min_score": 2},
            {"none_of": ["丙"]},
            {"any_of": ["乙"], "none_of": ["丙"]},
        ]
    ),
}
WHEN = st.fixed_dictionaries({}, optional=MATCHERS)


@settings(max_examples=150, deadline=None)
@given(WHEN, WHEN)
def test_a_route_that_is_told_to_be_unreachable_is_never_reached(
    earlier: dict[str, object], later: dict[str, object]
) -> None:
    routes = [
        {"name": "a", "when": earlier, "to": "rsj"},
        {"name": "b", "when": later, "to": "gaj"},
        {"name": "rest", "to": "desk"},
    ]
    said = [problem.what for problem in load_rules(Document("r", {"routes": routes}, None), DIRECTORY)[1]]
    assume(any("route b is never reached" in what or "route b can never match" in what for what in said))
    alone = [
        load_rules(Document("r", {"routes": [route, routes[2]]}, None), DIRECTORY)[0] for route in routes[:2]
    ]
    if alone[1] is None:
        return  # its conditions shut each other out, and it cannot be loaded to be tried
    for case, returns in CASES:
        if alone[1].route(case, returns).rule == "b":
            assert alone[0] is None or alone[0].route(case, returns).rule == "a"


CASES = [
    (appeal(text, kind=kind, region=region, flags=flags), CaseHistory(returns=returns))
    for text in ("甲", "乙", "甲乙", "乙丙", "丁")
    for kind in ("help", "praise", "report")
    for region in ("", "320583", "320100")
    for flags in ([], ["a"], ["b", "ab"])
    for returns in (0, 1, 3)
]
