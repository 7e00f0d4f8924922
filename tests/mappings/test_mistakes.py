"""Every single mistake in a mapping, code table or projection file is found at load, with file and line."""

from __future__ import annotations

import pytest

from router.errors import Problem
from tests.mappings.city import read

HEAD = "fields:\n  channel: {value: 测试}\n  content: c\n"  # three lines


def only(problems: tuple[Problem, ...]) -> Problem:
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        pytest.param(
            HEAD + "feilds: {}", 4, 'unknown key "feilds"', 'did you mean "fields"?', id="unknown key"
        ),
        pytest.param(
            HEAD + "  title: {form: t, value: 1}",
            4,
            'unknown key "form"',
            '"from"',
            id="unknown key in a field",
        ),
        pytest.param(HEAD + "  title: a\n  title: b", 5, "duplicate key", "", id="duplicate key"),
        pytest.param(HEAD + "  titel: t", 4, 'no field "titel"', 'did you mean "title"?', id="unknown field"),
        pytest.param(HEAD + "  contact: t", 4, "part by part", "contact.name", id="a field with parts"),
        pytest.param(
            HEAD + "  attachments: t", 4, "cannot be mapped", "envelope", id="a field not for mappings"
        ),
        pytest.param(
            HEAD + "  extensions.%s: t" % ("x" * 41), 4, "longer than 40", "", id="a long extension"
        ),
        pytest.param(HEAD + "  title: 'a..b'", 4, "bad JMESPath at column 3", "", id="bad JMESPath"),
        pytest.param(HEAD + "  title:\n    from: 标题", 5, "bad JMESPath", '"标题"', id="bare Chinese key"),
        pytest.param(
            HEAD + "  title:\n    first_of:\n      - a\n      - b[",
            7,
            "bad JMESPath",
            "",
            id="bad path in a list",
        ),
        pytest.param(
            HEAD + "  title: {from: 'foo(a)'}",
            4,
            "Unknown function: foo()",
            "",
            id="unknown JMESPath function",
        ),
        pytest.param(
            HEAD + "  title:\n    from: t\n    apply:\n      - trim\n      - tirm",
            8,
            'unknown function "tirm"',
            'did you mean "trim"?',
            id="unknown function",
        ),
        pytest.param(
            HEAD + "  title: {from: t, apply: [{cut: 0}]}",
            4,
            "wrong arguments of cut",
            "it takes to",
            id="limit out of range",
        ),
        pytest.param(
            HEAD + "  title: {from: t, apply: [{cut: viele}]}",
            4,
            "wrong arguments of cut",
            "whole number",
            id="wrong type",
        ),
        pytest.param(
            HEAD + "  title: {from: t, apply: [cut]}",
            4,
            "wrong arguments of cut",
            "it takes to",
            id="missing argument",
        ),
        pytest.param(
            HEAD + "  title: {from: t, apply: [{trim: 3}]}",
            4,
            "takes no arguments",
            "write - trim",
            id="needless argument",
        ),
        pytest.param(
            HEAD + "  title: {from: t, apply: [{replace: {find: a, bye: b}}]}",
            4,
            'unknown key "bye"',
            '"by"',
            id="unknown argument",
        ),
        pytest.param(
            HEAD + "  title: {from: t, apply: [{trim: 1, cut: 2}]}",
            4,
            "a step is",
            "",
            id="two functions in one step",
        ),
        pytest.param(
            HEAD + "  title: {from: t, apply: [{code: kind}]}",
            4,
            'unknown code table "kind"',
            'did you mean "kinds"?',
            id="unknown code table",
        ),
        pytest.param(
            HEAD + "  submitted_at: {from: t, apply: [{to_time: ['%Q']}]}",
            4,
            "bad directive",
            "",
            id="bad time format",
        ),
        pytest.param(
            HEAD + "  submitted_at: t", 4, "to_time must come last", "apply:", id="a time without to_time"
        ),
        pytest.param(
            HEAD + "source_time: t", 4, "to_time must come last", "apply:", id="a source time without to_time"
        ),
        pytest.param(
            HEAD + "  kind: {from: k, default: othr}", 4, '"othr" is no value of kind', "", id="bad default"
        ),
        pytest.param(HEAD + "  mode: {value: x}", 4, '"x" is no value of mode', "", id="bad constant"),
        pytest.param(HEAD + "  title: {value: 1.10}", 4, "title.value", "", id="a number with a fraction"),
        pytest.param(
            HEAD + "  proposed_units: {from: u, default: rsjj}",
            4,
            '"rsjj" is unknown',
            '"rsj"',
            id="unknown unit",
        ),
        pytest.param(HEAD + "  region: {value: '999999'}", 4, '"999999" is unknown', "", id="unknown region"),
        pytest.param(HEAD + "  title: {from: a, value: b}", 4, "exactly one of", "", id="two origins"),
        pytest.param(HEAD + "  title: {default: b}", 4, "exactly one of", "", id="no origin"),
        pytest.param(
            HEAD + "  title: {value: b, apply: [trim]}",
            4,
            "a constant value needs neither",
            "",
            id="a constant with functions",
        ),
        pytest.param(
            HEAD + "  title: {from: a, default: b, required: true}",
            4,
            "never missing",
            "",
            id="required with default",
        ),
        pytest.param(HEAD + "  title: {from: %s}" % ("a" * 501), 4, "at most 500", "", id="a path too long"),
        pytest.param(
            "fields:\n  channel: {value: a}\n",
            1,
            '"content" is not mapped',
            "abstract: true",
            id="no content",
        ),
        pytest.param(
            "fields:\n  content: c\n", 1, '"channel" is not mapped', "abstract: true", id="no channel"
        ),
        pytest.param(
            "revision_of: [title, contnet]\n" + HEAD,
            1,
            'no field "contnet"',
            '"content"',
            id="unknown field in revision_of",
        ),
        pytest.param(
            "revision_of: [title]\n" + HEAD + "  standing: s",
            1,
            "would pass unnoticed",
            "add standing",
            id="standing left out",
        ),
        pytest.param("extends: bsae\n" + HEAD, 1, 'unknown mapping "bsae"', "", id="unknown base"),
        pytest.param("extends: m\n" + HEAD, 1, "in a circle: m → m", "", id="extends itself"),
        pytest.param(
            HEAD + "  title: null", 4, "nothing it extends has it", "", id="dropping what is not there"
        ),
        pytest.param("echo: {from: u}\n" + HEAD, 1, '"equals" is missing', "", id="an echo of what"),
        pytest.param("- a", 1, "valid dictionary", "", id="a list instead of a mapping"),
        pytest.param("fields: [", 1, "not YAML", "", id="not YAML"),
    ],
)
def test_a_mistake_is_found_with_its_line(text: str, line: int, what: str, hint: str) -> None:
    loaded = read(text)
    problem = only(loaded.problems)
    assert what in problem.what
    assert hint in problem.hint
    assert problem.where == f"mappings/m.yaml:{line}"
    assert "m" not in loaded.translators
    assert "sst" in loaded.translators


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        pytest.param(
            'codes:\n  "1": help\n  10: help\n', 3, "a code must be text", id="a code that is a number"
        ),
        pytest.param(
            'codes:\n  "1": hlep\n', 2, '"hlep" is no value of kind', id="a word that the field has not"
        ),
        pytest.param('codes:\n  "1": help\n  "1": help\n', 3, "duplicate key", id="a code twice"),
        pytest.param("codes: {}\n", 1, "at least 1", id="an empty table"),
        pytest.param('cods:\n  "1": help\n', 1, 'unknown key "cods"', id="unknown key"),
    ],
)
def test_a_mistake_in_a_code_table_is_found_where_it_stands(text: str, line: int, what: str) -> None:
    loaded = read(HEAD + "  kind: {from: k, apply: [{code: mine}]}", **{"codes/mine": text})
    assert any(p.where == f"mappings/codes/mine.yaml:{line}" and what in p.what for p in loaded.problems)


@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        pytest.param(
            "fields:\n  a: appeal.titel",
            2,
            'no dispatch has "titel"',
            'did you mean "title"?',
            id="a slip in a path",
        ),
        pytest.param(
            "fields:\n  a: appeal.title\n  a.b: appeal.content",
            3,
            "cannot both be there",
            "",
            id="one inside the other",
        ),
        pytest.param("fields:\n  a..b: appeal.title", 2, "an empty part", "", id="an empty name"),
        pytest.param(
            "fields:\n  a: {from: appeal.kind, apply: [{code: out}]}",
            2,
            'unknown code table "out"',
            "",
            id="unknown table",
        ),
        pytest.param("fields: {}", 1, "at least 1", "", id="nothing in it"),
    ],
)
def test_a_mistake_in_a_projection_is_found(text: str, line: int, what: str, hint: str) -> None:
    loaded = read(HEAD, **{"projections/p": text})
    problem = only(loaded.problems)
    assert (problem.where, what in problem.what, hint in problem.hint) == (
        f"mappings/projections/p.yaml:{line}", True, True,
    )  # fmt: skip
    assert loaded.projectors == {}
