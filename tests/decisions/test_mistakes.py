"""Every mistake in routes.yaml is told with its line, what it is and what to do; none hides another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.decisions.routes import load_rules
from router.directory import Directory, Unit
from router.documents import Document
from router.errors import Problem
from tests.decisions.city import CATCH_ALL, DIRECTORY, load, told


def mistake(*lines: str) -> str:
    """A file with one route of these lines, which begin on line 3, and a catch-all."""
    return "routes:\n  - name: wrong\n" + "".join(f"    {line}\n" for line in lines) + CATCH_ALL


CONDITIONS: list[tuple[str, str, str]] = [
    ("an unknown field", "mood: x", "there is no field mood (did you mean mode?)"),
    (
        "a fact without facts.",
        "unit_score: {min: 1}",
        "there is no field unit_score (did you mean facts.unit_score?)",
    ),
    ("an unknown fact", "facts.unti: rsj", "there is no field facts.unti (did you mean facts.unit?)"),
    ("a field of a text", "title.x: y", "there is no field title.x"),
    ("an unknown matcher", "region: {prefx: '32'}", "unknown matcher prefx (did you mean prefix?)"),
    ("an unknown key of text", "text: {any: [x]}", "text needs any_of or none_of"),
    ("a matcher that text has not", "text: {any_of: [x], presnt: true}", "unknown matcher presnt"),
    (
        "a value that the field never has",
        "kind: complain",
        "kind is never complain (did you mean complaint?)",
    ),
    ("one of several", "kind: [help, complain]", "kind is never complain (did you mean complaint?)"),
    ("a code without quotes", "region: 320583", 'region is never 320583 (put it in quotes: "320583")'),
    ("a place's name for its code", "region: 昆山市", 'region is never 昆山市 (write its code: "320583")'),
    ("a code of five digits", "region: '32058'", "region is never 32058 (six digits)"),
    ("a word for a flag", "facts.consulted: yes", "facts.consulted is never yes (true or false)"),
    ("a flag for a number", "facts.returns: true", "facts.returns is never True (a number)"),
    ("a number for a word", "channel: 12345", 'channel is never 12345 (put it in quotes: "12345")'),
    ("a block for a value", "kind: {equals: {a: 1}}", "kind is never {'a': 1}"),
    ("a block in a list", "channel: {in: [{a: 1}]}", "channel is never {'a': 1}"),
    ("nothing for a value", "channel: null", "channel is never None ({absent: true} asks for nothing)"),
    ("an unknown unit in a condition", "facts.unit: rjs", "unknown unit rjs (did you mean rsj?)"),
    ("an empty list", "kind: []", "in needs a list with at least one value"),
    ("in without a list", "kind: {in: help}", "in needs a list with at least one value"),
    ("no matcher", "region: {}", "no matcher (one of: equals, in, prefix, count, present, absent)"),
    ("min on a text", "title: {min: 3}", "title cannot be asked for min (one of: equals, in, prefix, count"),
    ("prefix of a number", "facts.returns: {prefix: x}", "facts.returns cannot be asked for prefix"),
    ("equals a list of things", "attachments: 3", "attachments cannot be asked for equals (one of: count"),
    ("a time is only there or not", "submitted_at: '2026-01-01'", "submitted_at cannot be asked for equals"),
    ("min above max", "facts.returns: {min: 3, max: 2}", "min 3 is above max 2 (it can never match)"),
    ("between turned round", "facts.returns: {between: [3, 2]}", "min 3 is above max 2"),
    ("between of three", "facts.returns: {between: [1, 2, 3]}", "between needs two numbers"),
    ("count turned round", "flags: {count: {min: 2, max: 1}}", "min 2 is above max 1"),
    ("count with an unknown key", "flags: {count: {mn: 2, max: 3}}", "unknown key mn (did you mean min?)"),
    ("count of nothing", "flags: {count: {}}", "count needs a number"),
    ("a word for a number", "facts.returns: {min: two}", "a number is expected, not two"),
    ("a number that is none", "facts.returns: {min: .nan}", "a number is expected, not nan"),
    ("present: maybe", "region: {present: maybe}", "present is true or false, not maybe"),
    ("an empty any_of", "text: {any_of: []}", "a list of 1 to 2000 words is expected"),
    (
        "a number among words",
        "text: {any_of: [x, 12345]}",
        "a word is expected, not 12345 (put numbers in quotes)",
    ),
    ("a blank word", "text: {none_of: [' ']}", "a word is expected, not  "),
    (
        "a word wanted and unwanted",
        "text: {any_of: [x, y], none_of: [y]}",
        "y stands in any_of and in none_of",
    ),
    ("a word for text", "text: 欠薪", "text needs any_of or none_of"),
    (
        "min_score of nothing",
        "text: {any_of: [x], min_score: 0}",
        "min_score must be a number above 0, 1000 at most",
    ),
    (
        "too high a min_score",
        "text: {any_of: [x], min_score: 1001}",
        "min_score must be a number above 0, 1000 at most",
    ),
    (
        "a min_score out of reach",
        "text: {any_of: [x], min_score: 3}",
        "min_score 3 is never reached (these words make 2",
    ),
    ("min_score without words", "text: {none_of: [x], min_score: 2}", "min_score counts the words of any_of"),
    ("an empty all", "all: []", "all needs a list with at least one block of conditions"),
    ("a word for a group", "any: x", "any needs a list with at least one block of conditions"),
    ("a word in a group", "not: [x]", "conditions are written as FIELD: MATCHER"),
    ("a mistake in a group", "any: [{kind: help}, {knd: x}]", "there is no field knd (did you mean kind?)"),
    ("a field that is no word", "3: x", "there is no field 3"),
    (
        "conditions that shut each other out",
        "kind: help, all: [{kind: praise}]",
        "route wrong can never match",
    ),
    ("present and absent", "region: {present: true, absent: true}", "route wrong can never match"),
    ("a value and its absence", "region: {equals: '320583', absent: true}", "route wrong can never match"),
    ("a number out of its range", "facts.returns: {equals: 1, min: 2}", "route wrong can never match"),
]


@pytest.mark.parametrize(("when", "says"), [pytest.param(*row[1:], id=row[0]) for row in CONDITIONS])
def test_a_mistake_in_a_condition(when: str, says: str) -> None:
    said = told(mistake(f"when: {{{when}}}", "to: rsj"))
    assert len(said) == 1, said
    assert said[0].startswith("routes.yaml:3: ")
    assert says in said[0]


def test_conditions_nested_without_end() -> None:
    nested = "{all: [" * 7 + "{kind: help}" + "]}" * 7
    assert told(mistake(f"when: {nested}", "to: rsj")) == ["routes.yaml:3: conditions nested deeper than 5"]


ROUTES: list[tuple[str, tuple[str, ...], str]] = [
    ("an unknown unit", ("to: rjs",), "3: unknown unit rjs (did you mean rsj?)"),
    ("a unit by its name", ("to: 人社局",), "3: unknown unit 人社局 (write its id: rsj)"),
    ("one that is only informed", ("to: bzb",), "3: bzb is only informed and is given no tasks"),
    ("a question that is no text", ("to: rsj", "asks: [x]"), "4: asks is a text of 100 characters at most"),
    ("one of several", ("to:", "- rsj", "- gja"), "5: unknown unit gja (did you mean gaj?)"),
    ("no unit", ("to: []",), "3: at least one unit is expected"),
    ("nothing", ("to:",), "3: unknown unit None"),
    ("a number", ("to: 3",), "3: unknown unit 3"),
    ("no target", ("when: {kind: help}",), "2: this route goes nowhere (add to: UNIT)"),
    (
        "an unknown reference",
        ("to: {fields: x}",),
        "3: a unit, an office, {field: …} or {platform_of: …} is expected",
    ),
    ("two references", ("to: {field: x, platform_of: y}",), "3: a unit, an office, {field: …}"),
    (
        "an unknown field",
        ("to: {field: facts.unt}",),
        "3: there is no field facts.unt (did you mean facts.unit?)",
    ),
    ("a field that names nobody", ("to: {field: title}",), "3: title never names units"),
    ("a field that names no place", ("to: {platform_of: facts.unit}",), "3: facts.unit never names a place"),
    ("a wrong assistant", ("to: rsj", "assisting: [gja]"), "4: unknown unit gja (did you mean gaj?)"),
    (
        "an unknown except",
        ("to: rsj", "except: [returned_by, reporter.unt]"),
        "4: there is no field reporter.unt",
    ),
    ("a unit for a field", ("to: rsj", "except: [gaj]"), "4: except names fields, and gaj is a unit"),
    ("a field that excepts nobody", ("to: rsj", "except: kind"), "4: kind never names units"),
    ("an unknown key", ("to: {field: facts.unit}", "wenn: {}"), "4: unknown key wenn (did you mean when?)"),
    ("conditions in a list", ("when: [kind]", "to: rsj"), "3: conditions are written as FIELD: MATCHER"),
    ("no conditions", ("when:", "to: rsj"), "3: conditions are written as FIELD: MATCHER"),
]


@pytest.mark.parametrize(("lines", "says"), [pytest.param(*row[1:], id=row[0]) for row in ROUTES])
def test_a_mistake_in_a_route(lines: tuple[str, ...], says: str) -> None:
    said = told(mistake(*lines))
    assert len(said) == 1, said
    assert said[0].startswith(f"routes.yaml:{says}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "1: routes: a list of routes is expected", id="an empty file"),
        pytest.param("- a\n", "1: routes: a list of routes is expected", id="a list"),
        pytest.param("routes: []\n", "1: routes: a list of routes is expected", id="no routes"),
        pytest.param(
            "# a comment\nroute:\n", "2: unknown key route (did you mean routes?)", id="a misspelt key"
        ),
        pytest.param(
            f"routes:\n  - rsj\n{CATCH_ALL}", "2: a route is written as name, when, to", id="a word"
        ),
        pytest.param(
            f"routes:\n  - {{when: {{kind: help}}, to: rsj}}\n{CATCH_ALL}",
            "2: a route needs a name",
            id="no name",
        ),
        pytest.param(
            f"routes:\n  - {{name: 工资, when: {{kind: help}}, to: rsj}}\n{CATCH_ALL}",
            "2: a route needs a name",
            id="a name that no metric can have",
        ),
        pytest.param(
            f"routes:\n  - {{name: {'x' * 65}, when: {{kind: help}}, to: rsj}}\n{CATCH_ALL}",
            "2: a route needs a name",
            id="a name too long",
        ),
        pytest.param(
            f"routes:\n  - {{name: everything-else, when: {{kind: help}}, to: rsj}}\n{CATCH_ALL}",
            "3: two routes are called everything-else (the other: routes.yaml:2)",
            id="a name twice",
        ),
        pytest.param(
            "routes:\n  - {name: a, to: rsj}\n",
            "2: the last route must be a catch-all to the desk",
            id="an end elsewhere",
        ),
        pytest.param(
            "routes:\n  - {name: a, when: {kind: help}, to: desk}\n",
            "2: the last route must be a catch-all",
            id="an end with a condition",
        ),
        pytest.param(
            "routes:\n  - {name: a, to: desk, except: [returned_by]}\n",
            "2: the last route must be a catch-all",
            id="an end with an exception",
        ),
        pytest.param(
            "routes:\n  - {name: a, to: [desk, rsj]}\n",
            "2: the last route must be a catch-all",
            id="an end with company",
        ),
        pytest.param(
            f"routes:\n{CATCH_ALL}reroute_on: kind\n",
            "3: reroute_on is a list of fields",
            id="reroute_on without a list",
        ),
        pytest.param(
            f"routes:\n{CATCH_ALL}reroute_on: [kind, knd]\n",
            "3: there is no field knd (did you mean kind?)",
            id="reroute_on an unknown field",
        ),
        pytest.param(
            f"routes:\n{CATCH_ALL}reroute_on: [facts.unit]\n",
            "3: facts.unit is a fact",
            id="reroute_on a fact",
        ),
    ],
)
def test_a_mistake_in_the_file(text: str, says: str) -> None:
    said = told(text)
    assert any(line.startswith(f"routes.yaml:{says}") for line in said), said
    assert load(text)[0] is None


def test_no_mistake_hides_another() -> None:
    text = """routes:
  - name: one
    when:
      knd: help
      region: 320583
      text: {any_of: [a], none_of: [a]}
    to: rjs
    assisting: [gja]
    except: [returned]
    wenn: {}
  - name: one
    when: {kind: help}
    to: rsj
  - name: two
    when: {kind: help, region: "320583"}
    to: rsj
  - name: three
    to: rsj
"""
    assert [int(line.split(":")[1]) for line in sorted(told(text), key=lambda s: int(s.split(":")[1]))] == [
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        14,
        17,
    ]


def test_an_office_that_units_yaml_does_not_have() -> None:
    bare = Directory([Unit("rsj", "人社局")])
    assert told("routes:\n  - {name: rest, to: desk}\n", bare) == [
        "routes.yaml:2: there is no desk in units.yaml (add a unit with part: desk)"
    ]


KEYS = [
    "kind",
    "text",
    "region",
    "any_of",
    "min",
    "max",
    "in",
    "equals",
    "count",
    "all",
    "any",
    "not",
    "between",
    "field",
    "platform_of",
    "facts.returns",
    "extensions.a",
    "prefix",
    "present",
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["kind", "help", "desk", "rsj", "returned_by", "region", "text", "facts.unit", "all"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(KEYS)
        | st.integers() | st.text(max_size=3),
        inner, max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip
ROUTE = st.dictionaries(
    st.sampled_from(["name", "when", "to", "assisting", "except", "note", "x"]), JUNK, max_size=5
)


FILE = st.fixed_dictionaries({"routes": st.lists(ROUTE | JUNK, max_size=3)}, optional={"reroute_on": JUNK})


@settings(max_examples=400, deadline=None)
@given(
    st.fixed_dictionaries({"routes": st.lists(ROUTE | JUNK, max_size=3)}, optional={"reroute_on": JUNK})
    | JUNK
)
def test_no_file_makes_the_loader_raise(data: Any) -> None:
    made, problems = load_rules(Document("routes.yaml", data, None), DIRECTORY)
    assert (made is None) == bool(problems)
    assert all(isinstance(problem, Problem) for problem in problems)
