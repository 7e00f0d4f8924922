"""Two ways to one result, `make` and `explain`: over the city's own mappings and what a field may hold."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import mappings
from mappings.cases import read
from mappings.loading import load
from mappings.plain import MAX_TEXT
from mappings.recipe import Recipe
from mappings.registry import Call
from mappings.translator import MappingTranslator
from router import jsontext
from tests.mappings.city import DIRECTORY, ORDER, fields, translator

SUZHOU = Path(mappings.__file__).parent / "suzhou"
LOADED = load(
    {f"mappings/{p.relative_to(SUZHOU)}": p.read_text(encoding="utf-8") for p in SUZHOU.rglob("*.yaml")},
    DIRECTORY,
)
EACH_SHAPE = fields(
    "  title: v\n  category: {all_of: [v, w]}\n  enterprise.key_project: v\n  closure.satisfaction: v\n"
    "  extensions.v: v\n  extensions.w: {from: v, default: 无}\n  address: {first_of: [v, w], default: 无}\n"
    "  contact.name: {from: v, apply: [first, trim]}\n  mode: {value: quarterly}\n  region: {from: v}\n"
    "  proposed_units: {from: v, apply: [{split: x}, unit]}\n  closure.result: {from: v, apply: [first]}\n"
    "  closure.unit: {from: v, apply: [{replace: {find: x, by: ' '}}]}\n  reporter.user: 'v || w'\n"
    "  reporter.unit: sum(v)\n  closure.closed_at: {from: v, apply: [{to_time: [iso, '%Y']}]}\n"
)
ODD = [
    None, True, False, 0, 5, -1, 10**22, 10**5000, 2**53, Decimal("0"), Decimal("1.10"), Decimal("5.0"), "",
    " ", "\u3000", "\u200b", " a ", "0", "x", "x" * 4001, " " * (MAX_TEXT + 1), "x" * MAX_TEXT,
    "x" * (MAX_TEXT + 1), "320506", "市人社局x工会", "13800000001", "2023-04-03 09:30:00", "20", [], [None],
    ["", " "], ["a", None, " b "], ["x" * (MAX_TEXT + 1)], ["x" * 150_000, "x" * 150_000],
    [" " * (MAX_TEXT + 1)], [1, "a", Decimal("1.0")], [["a"], "b"], [{"a": 1}, "b"], ["a"] * 1001, {},
    {"a": "b"}, {"name": " "},
]  # fmt: skip
PLACES = 3
"""How deep a payload is spoiled: in the suzhou cases no field stands deeper."""


def test_all_of_the_citys_mappings_are_looked_at() -> None:
    assert set(LOADED.translators) == {p.stem for p in SUZHOU.glob("*.yaml")} - {"base"}


@pytest.mark.parametrize("name", LOADED.translators)
def test_the_citys_cases_come_to_the_same(name: str) -> None:
    cases = read(SUZHOU / f"{name}.cases")
    assert cases
    for case in cases:
        data = jsontext.loads(case.body)
        _compare(LOADED.translators[name], data)
        for spoiled in _spoiled(data, PLACES):
            _compare(LOADED.translators[name], spoiled)


@pytest.mark.parametrize("value", ODD, ids=[f"odd value {n}" for n in range(len(ODD))])
def test_each_shape_of_field_comes_to_the_same_for_whatever_stands_there(value: Any) -> None:
    for data in ({"v": value}, {"v": value, "w": "w"}, {"v": None, "w": value}, value):
        _compare(EACH_SHAPE, data)
    whole = translator(name="sst")
    for name in ORDER:
        _compare(whole, {**ORDER, name: value})


def _spoiled(data: Any, depth: int) -> list[Any]:
    """The payload with one value in it replaced, for each value and each odd one that JSON can say."""
    if depth == 0 or not isinstance(data, dict):
        return ODD
    return [{**data, key: odd} for key, value in data.items() for odd in _spoiled(value, depth - 1)]


def _compare(mapping: MappingTranslator, data: Any) -> None:
    extra = [recipe for recipe in (mapping.source_time, mapping.echo) if recipe]
    for recipe in (*(recipe for _, recipe in mapping.recipes), *extra):
        made, explained = _made(recipe, mapping, data), _explained(recipe, mapping, data)
        assert made == explained
        assert type(made[0]) is type(explained[0])


def _made(recipe: Recipe, mapping: MappingTranslator, data: Any) -> tuple[Any, Any]:
    call = Call(mapping.around, "sst")
    return recipe.make(data, call), call.notes


def _explained(recipe: Recipe, mapping: MappingTranslator, data: Any) -> tuple[Any, Any]:
    call = Call(mapping.around, "sst")
    value = recipe.explain(data, call).value
    return value, call.notes
