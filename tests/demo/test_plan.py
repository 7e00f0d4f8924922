"""The plan of a day: the same for everyone who makes it, and with everything that goes wrong in it."""

from __future__ import annotations

import time

import pytest

from demo.plan import plan


def test_the_same_seed_is_the_same_day_word_for_word() -> None:
    assert plan(7, 300) == plan(7, 300)
    assert [item.filled for item in plan(7, 300)] == [item.filled for item in plan(7, 300)]


def test_another_seed_is_another_day() -> None:
    assert plan(7, 300) != plan(8, 300)


def test_no_two_appeals_of_a_source_have_the_same_id() -> None:
    items = plan(1, 90_000)
    assert len({(item.source, item.id) for item in items}) == len(items)


def test_a_hundred_thousand_appeals_are_planned_at_once() -> None:
    began = time.monotonic()
    assert len(plan(1, 100_000)) == 100_000
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("seed", range(12))
def test_even_a_small_day_has_repeats_changes_and_things_nobody_can_read(seed: int) -> None:
    items = plan(seed, 200)
    assert {item.fate for item in items} == {"ok", "dead", "rejected", "unapproved"}
    assert any(item.twice for item in items)
    assert any(item.changes for item in items)
    assert {item.way for item in items} == {"pull", "push", "both"}


def test_what_is_signed_wrongly_is_pushed_and_stands_in_no_list() -> None:
    rejected = [item for item in plan(3, 2000) if item.fate == "rejected"]
    assert {(item.source, item.way) for item in rejected} == {("sst", "push")}


def test_what_a_unit_will_refuse_never_changes() -> None:
    """The order gate would rightly hold a change back behind a dead letter."""
    assert not any(item.changes for item in plan(3, 5000) if item.refuse)
