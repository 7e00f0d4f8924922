"""The router's small tools: what is done the quick way means what the slow way means."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import jmespath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router import jsontext
from router.limits import REPLACEMENT, clean
from router.lookups import keys_of, look_up
from router.timeforms import USUAL, by_format

NAMES = st.sampled_from(["a", "b", "no", "企业"])
PLAIN = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
DOCUMENTS = st.recursive(
    PLAIN | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=20,
)
PATHS = ["a", "no", "a.b", "a.b.no", "a[0]", "a[1].b", '"企业"', '"企业".a', 'a."企业"[0]', "a[0][1]"]


@given(DOCUMENTS, st.sampled_from(PATHS))
def test_a_plain_path_finds_what_jmespath_finds(document: Any, path: str) -> None:
    keys = keys_of(path)
    assert keys is not None
    assert look_up(keys)(document) == jmespath.search(path, document)


@pytest.mark.parametrize("path", ["a.b || c", "a[*].b", "length(a)", "@", "a[-1]", "a b", "", "a.", '"a'])
def test_what_is_not_plain_is_left_to_jmespath(path: str) -> None:
    assert keys_of(path) is None


@given(st.datetimes(min_value=datetime(1, 1, 1)), st.text("0123456789 -:+TZ.", max_size=3))
@example(datetime(2026, 11, 24, 9, 5), "")
@example(datetime(2026, 11, 24, 9, 5), "Z")
def test_the_usual_time_is_read_as_strptime_reads_it(moment: datetime, behind: str) -> None:
    text = moment.replace(microsecond=0).isoformat(" ") + behind
    assert read(by_format, text) == read(datetime.strptime, text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30 00:00:00",
        "2026-1-2 3:04:05",
        "2026-01-02T03:04:05",
        "２０２６-01-02 03:04:05",
        "2026-01-02 23:59:60",
        "2026-01-02  3:04:05",
        "2026-01-02 03:04:0５",
        "2026-W01-2 03:04:05",
        "2026-01-02 03:04:5Z",
    ],
)
def test_an_unusual_or_impossible_time_is_read_as_strptime_reads_it(text: str) -> None:
    assert read(by_format, text) == read(datetime.strptime, text)


def read(how: Any, text: str) -> datetime | None:
    try:
        found: datetime = how(text, USUAL)
    except ValueError:
        return None
    return found


@given(DOCUMENTS)
@example({"no": 10**23, "b": Decimal("1.10"), "a": "\ud800\x00"})
def test_what_was_written_is_what_reading_it_again_would_give(document: Any) -> None:
    written = jsontext.written(document)
    assert written == jsontext.dumps(document)
    assert jsontext.loads(written) == jsontext.loads(bytes(written))


@given(st.text())
@example("a\x00b")
@example("\ud800")
@example("\ud83d\ude00")
def test_a_cleaned_text_holds_nothing_that_no_database_stores(text: str) -> None:
    assert clean(text) == re.sub("[\x00\ud800-\udfff]", REPLACEMENT, text)
