from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import phones

MOBILE, LANDLINE = "+8613800000001", "+8651265220000"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        pytest.param("13800000001", [MOBILE], id="a mobile"),
        pytest.param("+86 138-0000-0001", [MOBILE], id="with country code and dashes"),
        pytest.param("008613800000001", [MOBILE], id="with 0086"),
        pytest.param("１３８００００００１" + "1", [MOBILE.replace("0001", "0011")], id="full-width digits"),
        pytest.param("65220000", [LANDLINE], id="Suzhou without area code"),
        pytest.param("0512-65220000", [LANDLINE], id="Suzhou with area code"),
        pytest.param("（0512）6522 0000", [LANDLINE], id="area code in brackets"),
        pytest.param("512 65220000", [LANDLINE], id="area code without its zero"),
        pytest.param("65220000转8001", [f"{LANDLINE};ext=8001"], id="an extension after 转"),
        pytest.param("0512-65220000-8001", [f"{LANDLINE};ext=8001"], id="an extension after a dash"),
        pytest.param("65220000 ext. 12", [f"{LANDLINE};ext=12"], id="an extension in English"),
        pytest.param("010-62220000", ["+861062220000"], id="another city"),
        pytest.param("0591-87654321转8", ["+8659187654321;ext=8"], id="another city with extension"),
        pytest.param("400-810-8888", ["+864008108888"], id="a 400 number"),
        pytest.param("13800000001/65220000", [MOBILE, LANDLINE], id="a slash between"),
        pytest.param("13800000001、65220000；13800000001", [MOBILE, LANDLINE], id="each number once"),
        pytest.param("13800000001 65220000", [MOBILE, LANDLINE], id="only a blank between"),
        pytest.param("王先生 13800000001", [MOBILE], id="a name in front"),
        pytest.param("王先生（13800000001）", [MOBILE], id="a number in brackets"),
    ],
)
def test_numbers_as_people_type_them(text: str, numbers: list[str]) -> None:
    found, readable = phones.read(text)
    assert found[: len(numbers)] == numbers
    assert readable


@pytest.mark.parametrize("text", ["12345", "无", "138****0001", "13800", "--", "1" * 30])
def test_what_is_no_number_is_kept_as_it_came(text: str) -> None:
    assert phones.read(text) == ([text], False)


def test_one_bad_number_does_not_lose_its_neighbour() -> None:
    assert phones.read("13800000001/无") == ([MOBILE, "无"], False)


def test_a_number_beside_one_that_was_read_is_not_lost() -> None:
    found, readable = phones.read("王先生13800000001工号7654321")
    assert found == [MOBILE, "王先生13800000001工号7654321"]
    assert not readable


def test_a_text_beyond_the_limit_is_read_no_further() -> None:
    found, readable = phones.read("13800000001/" + "x" * 600)
    assert found[0] == MOBILE
    assert not readable


@given(st.text(max_size=600))
def test_any_text_gives_short_entries_and_no_error(text: str) -> None:
    found, _ = phones.read(text)
    assert all(entry and len(entry) <= 80 for entry in found)
    assert len(found) == len(set(found))


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "+86", "0086", "86 "]))
def test_every_mobile_is_read(number: str, prefix: str) -> None:
    assert phones.read(prefix + number) == ([f"+86{number}"], True)


@given(st.from_regex(r"[2-8][0-9]{7}", fullmatch=True), st.sampled_from(["", "0512", "0512-", "+86 512 "]))
def test_every_suzhou_landline_is_read(number: str, prefix: str) -> None:
    assert phones.read(prefix + number) == ([f"+86512{number}"], True)


@given(st.lists(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), min_size=1, max_size=8, unique=True))
def test_any_separator_will_do(numbers: list[str]) -> None:
    for between in "/、;；,，":
        found, _ = phones.read(between.join(numbers))
        assert found == [f"+86{number}" for number in numbers]
        assert all(re.fullmatch(r"\+[0-9]+", entry) for entry in found)
