"""One pass finds every word, however the words lie in each other."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.decisions.words import IN_CONTENT, IN_TITLE, Hit, Words, fold, longest

OVERLAPPING = ["教", "教育", "教育局", "市教育局", "山市教", "局", "局局", "局局局", "市", "育局市"]


def naive(words: list[str], text: str) -> set[tuple[str, int]]:
    """Every word at every place, found the slow way."""
    return {(word, at) for word in words for at in range(len(text)) if text.startswith(word, at)}


@given(st.text(alphabet="山市教育局", max_size=40), st.text(alphabet="山市教育局", max_size=60))
def test_all_overlapping_words_are_found_where_a_slow_search_finds_them(title: str, content: str) -> None:
    reading = Words(OVERLAPPING).read(title, content)
    assert reading.text == f"{title}\n{content}"
    found = {(hit.word, hit.start) for hit in reading.hits}
    assert len(reading.hits) == len(found)
    assert found == naive(OVERLAPPING, reading.text)
    for word in OVERLAPPING:
        expected = (IN_TITLE if word in title else 0) | (IN_CONTENT if word in content else 0)
        assert reading.words.get(word, 0) == expected


def test_a_thousand_words_out_of_three_characters_are_found_where_a_slow_search_finds_them() -> None:
    words = ["".join(letters) for size in (1, 2, 3, 4, 5, 6) for letters in product("甲乙丙", repeat=size)]
    text = "".join(random.Random(7).choices("甲乙丙丁", k=400))
    reading = Words(words).read("", text)
    assert {(hit.word, hit.start) for hit in reading.hits} == naive(words, reading.text)


def test_a_word_never_reaches_from_the_title_into_the_content() -> None:
    assert Words(["拖欠工资"]).read("拖欠", "工资").hits == ()


def test_without_words_nothing_is_found() -> None:
    assert Words([]).read("标题", "正文").words == {}


@pytest.mark.parametrize(
    ("word", "text", "is_found"),
    [
        pytest.param("CA", "请问 CA 证书", True, id="a Latin word alone"),
        pytest.param("CA", "办理ca证书", True, id="between Chinese characters, in small letters"),
        pytest.param("CA", "our carrier", False, id="not inside a longer Latin word"),
        pytest.param("12345", "拨打12345热线", True, id="a number alone"),
        pytest.param("12345", "电话13812345678", False, id="not inside a phone number"),
        pytest.param("4S店", "去了4S店", True, id="digits and characters mixed"),
        pytest.param("4S店", "第14S店", False, id="not behind another digit"),
        pytest.param("VOCs", "ＶＯＣｓ超标", True, id="written wide"),
        pytest.param("（政务办）", "审批局(政务办)", True, id="brackets of the other width"),
        pytest.param("欠薪", "欠\u200b薪", True, id="with an invisible character inside"),
        pytest.param("欠薪", "İ 欠薪 ABC", True, id="beside a letter that grows when made small"),
        pytest.param("abc", "İ 欠薪 ABC", True, id="case is folded beside it, too"),
        pytest.param("人社局", "人 社局", False, id="a blank separates"),
    ],
)
def test_what_counts_as_the_same_word(word: str, text: str, is_found: bool) -> None:
    assert (fold(word) in Words([word]).read("", text).words) is is_found


def test_of_words_inside_each_other_only_the_longest_is_kept() -> None:
    hits = Words(OVERLAPPING).read("", "昆山市教育局市").hits
    assert [hit.word for hit in longest(hits)] == ["山市教", "市教育局", "育局市"]


def test_of_equally_long_reach_the_one_that_begins_first_is_kept() -> None:
    assert longest([Hit("局", 3, 4, False), Hit("市局", 2, 4, False)]) == [Hit("市局", 2, 4, False)]
