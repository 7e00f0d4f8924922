"""Durations: written with their unit, bounded, and read back as they were written."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from router.durations import LONGEST, Duration, parse, spell, within


class Block(BaseModel):
    every: Annotated[Duration, within("1s", "1h")] = timedelta(seconds=30)


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("1h30m", timedelta(minutes=90)),
        ("250ms", timedelta(milliseconds=250)),
        ("0s", timedelta(0)),
        ("PT30S", timedelta(seconds=30)),
        ("PT1.5S", timedelta(seconds=1.5)),
        ("P1DT2H", timedelta(hours=26)),
    ],
)
def test_what_people_write_is_understood(written: str, length: timedelta) -> None:
    assert parse(written) == length


@pytest.mark.parametrize(
    "written",
    [
        30,
        30.0,
        True,
        None,
        "",
        "30",
        "-5s",
        "5 m",
        "1.5h",
        "P",
        "PT",
        "P1DT",
        "30S",
        "s",
        "1s1m",
        "1m\n",
        "３s",
    ],
)
def test_everything_else_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="30s"):
        parse(written)


@pytest.mark.parametrize("written", ["9999d", "9" * 30 + "s", "P9999999999D", "9" * 20 + "ms"])
def test_lengths_without_end_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match="longer than 3660d"):
        parse(written)


@given(st.timedeltas(timedelta(0), LONGEST))
def test_what_is_spelled_is_read_back(length: timedelta) -> None:
    whole = timedelta(milliseconds=round(length.total_seconds() * 1000))
    assert parse(spell(whole)) == whole


def test_bounds_are_told_in_the_words_of_the_file() -> None:
    assert Block.model_validate({"every": "1h"}).every == timedelta(hours=1)
    with pytest.raises(ValidationError, match="must be between 1s and 1h, not 2h"):
        Block.model_validate({"every": "2h"})


def test_a_duration_is_written_as_it_is_read() -> None:
    assert Block(every=timedelta(minutes=90) / 2).model_dump_json() == '{"every":"45m"}'
