"""Mapping files read together: inheritance, circles, many mistakes at once."""

from __future__ import annotations

from mappings.loading import load
from mappings.spec import json_schemas
from router.errors import Problem
from tests.mappings.city import DIRECTORY, FILES, appeal, read

HEAD = "fields:\n  channel: {value: 测试}\n  content: c\n"  # three lines


def only(problems: tuple[Problem, ...]) -> Problem:
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def test_all_mistakes_are_told_at_once() -> None:
    text = HEAD + "  titel: t\n  title: {from: 'a..b', apply: [tirm, {cut: 0}]}\nrevision_of: [nothing]\n"
    lines = [problem.where for problem in read(text).problems]
    assert sorted(lines) == ["mappings/m.yaml:4", *["mappings/m.yaml:5"] * 3, "mappings/m.yaml:6"]


def test_a_mistake_in_a_base_is_told_once_and_at_the_base() -> None:
    base = "abstract: true\nfields:\n  title: 'a..b'\n"
    loaded = read("extends: b\n" + HEAD, b=base, n="extends: b\n" + HEAD)
    assert only(loaded.problems).where == "mappings/b.yaml:3"
    assert set(loaded.translators) == {"sst"}


def test_a_base_that_cannot_be_read_is_no_second_mistake() -> None:
    loaded = read("extends: b\n" + HEAD, b="fields: [")
    assert only(loaded.problems).where == "mappings/b.yaml:1"


def test_a_circle_is_told_at_each_of_its_members() -> None:
    loaded = read("extends: b\n" + HEAD, b="extends: m\n" + HEAD, n="extends: b\n" + HEAD)
    assert sorted(str(problem) for problem in loaded.problems) == [
        "mappings/b.yaml:1: extends goes in a circle: b → m → b",
        "mappings/m.yaml:1: extends goes in a circle: m → b → m",
    ]


def test_what_is_extended_is_inherited_overridden_and_dropped() -> None:
    base = "abstract: true\necho: {from: by, equals: us}\n"
    base += "fields:\n  title: t\n  address: a\n  channel: {value: 基}\n"
    loaded = read("extends: b\nfields:\n  content: c\n  address: null\n  channel: {value: 测}\n", b=base)
    assert loaded.problems == ()
    made = appeal(loaded.translators["m"], {"t": "题", "a": "某路", "c": "容"})
    assert (made.title, made.address, made.channel, made.content) == ("题", "", "测", "容")
    assert loaded.translators["m"].echo is not None
    assert "b" not in loaded.translators
    assert loaded.translators["m"].recipes[0][1].where == "mappings/b.yaml:4"


def test_a_base_can_have_a_base_and_an_heir_can_drop_its_echo() -> None:
    loaded = read("extends: b\necho: null\n", b="extends: sst\n")
    assert loaded.problems == ()
    assert loaded.translators["m"].echo is None
    assert loaded.translators["b"].echo is not None
    assert loaded.translators["m"].revision_of == loaded.translators["sst"].revision_of


def test_the_shipped_form_of_a_mapping_has_no_problem() -> None:
    loaded = load(FILES, DIRECTORY)
    assert loaded.problems == ()
    assert set(loaded.tables) == {"kinds", "standings"}


def test_two_files_of_one_name_are_a_mistake() -> None:
    loaded = load({**FILES, "mappings/sst.yml": HEAD}, DIRECTORY)
    assert only(loaded.problems).where == "mappings/sst.yml:1"


def test_an_empty_folder_is_no_problem() -> None:
    assert load({}, DIRECTORY).problems == ()


def test_no_functions_are_missing_in_the_schema_for_editors() -> None:
    schemas = json_schemas()
    assert set(schemas) == {"mapping", "codes", "projection"}
    assert "to_time" in str(schemas["mapping"])
    assert "contact.phones" in str(schemas["mapping"])
