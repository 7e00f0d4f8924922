"""The corpus: varied enough to be worth routing, invented throughout, labelled with units that exist."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from config.files import read_folder
from config.loading import Configuration, load
from demo.city import CONFIG
from demo.corpus import texts
from demo.corpus.__main__ import case
from demo.corpus.filling import FORMS, PLACES, PLAYFUL, SURNAMES, fill
from router.decisions.evaluation import evaluate
from router.places import Places

ANY_PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}")


@pytest.fixture(scope="module")
def city() -> Configuration:
    return load(read_folder(CONFIG))


def test_there_are_five_hundred_appeals_and_no_two_alike() -> None:
    assert len(texts()) >= 500
    assert len({text.content for text in texts()}) == len(texts())
    assert len({text.title for text in texts()}) == len(texts())
    assert len({text.id for text in texts()}) == len(texts())


def test_every_appeal_belongs_to_somebody_in_the_city(city: Configuration) -> None:
    owners = {unit for text in texts() for unit in text.units}
    assert owners == {unit.id for unit in city.units.values() if unit.part != "informed"}
    parts = [city.units[owner].part for owner in owners]
    assert parts.count("unit") == 48
    assert parts.count("platform") == 10


def test_every_unit_and_platform_leads_several_appeals(city: Configuration) -> None:
    led = Counter(text.units[0] for text in texts())
    assert {unit: count for unit, count in led.items() if count < 4} == {}


def test_what_plays_in_a_platforms_place_has_that_place(city: Configuration) -> None:
    placed = [(text, city.units[text.units[0]]) for text in texts()]
    wrong = [text.id for text, unit in placed if unit.part == "platform" and text.region != unit.region]
    assert wrong == []


def test_they_are_short_and_long_and_of_every_kind() -> None:
    lengths = sorted(len(text.content) for text in texts())
    assert lengths[0] < 25
    assert lengths[-1] > 75
    kinds = {"consultation", "help", "complaint", "suggestion", "report", "praise"}
    assert {text.kind for text in texts()} == kinds


def test_no_appeal_holds_a_telephone_number_of_its_own() -> None:
    assert [text.id for text in texts() if ANY_PHONE.search(text.title + text.content)] == []


@pytest.mark.parametrize("seed", [1, 2])
def test_people_firms_and_numbers_are_made_up(seed: int) -> None:
    for text in texts():
        filled = fill(text, Random(f"{seed}/{text.id}"))
        assert not re.search(r"[{}]", filled.title + filled.content), text.id
        assert filled.person[:1] in SURNAMES
        assert filled.person[1:] in FORMS
        assert re.fullmatch(r"1380000\d{4}", filled.mobile)
        assert re.fullmatch(r"0512-6000\d{4}", filled.landline)
        assert any(name in filled.firm for name in PLAYFUL)


def test_every_place_lies_in_the_region_that_it_is_listed_under(city: Configuration) -> None:
    places = Places(city.directory)
    wrong = [
        place
        for region, named in PLACES.items()
        for place in named
        if {places.region(f"{place}12号"), places.region(f"江苏省苏州市{place}12号")} != {region}
    ]
    assert wrong == []


def test_the_shipped_rules_find_the_owner_of_nine_appeals_in_ten(city: Configuration) -> None:
    """Rules and texts are from one hand: this shows that they work, not how well they do on others."""
    cases = [case(text, Random(text.id)) for text in texts()]
    found = evaluate(city.rules, cases, city.directory)
    assert found.accuracy > 0.9
    assert found.supervision < 0.05, "R13: only the truly complex ones"
