from __future__ import annotations

from decimal import Decimal
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.paths import BadPath, compile_path
from mappings.registry import Unreadable

DATA = {
    "a": {"b": [{"c": 1}, {"c": 2}], "d.e": "dotted", "n": Decimal("1.10")},
    "企业名称": {"code": "x"},
    "text": "t",
    "files": [{"name": "a", "size": 0}, {"name": "b", "size": Decimal("2.5")}],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("text", "t"),
        ("a.b[1].c", 2),
        ("a.b[9].c", None),
        ("a.b.c", None),
        ("text.x", None),
        ("text[0]", None),
        ("a.n", Decimal("1.10")),
        ('"企业名称".code', "x"),
        ('a."d.e"', "dotted"),
        ('"企业名称"', {"code": "x"}),
        ('"\\u4f01业名称".code', "x"),
    ],
)
def test_a_plain_path_is_looked_up_directly_and_means_what_jmespath_means(path: str, value: Any) -> None:
    compiled = compile_path(path)
    assert compiled.keys is not None
    assert compiled.find(DATA) == value == jmespath.search(path, DATA)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b[*].c", [1, 2]),
        ("a.b[-1].c", 2),
        ("files[?size > `1`].name | [0]", "b"),
        ("files[?size >= `2.5`].name", ["b"]),
        ("nothing || text", "t"),
        ("to_number('1.10')", Decimal("1.10")),
        ("to_number('12345678901234567890123')", 12345678901234567890123),
        ("to_number('NaN')", None),
        ("a.n && to_string(a.n)", "1.10"),
        ("`1.5`", Decimal("1.5")),
        ("max(files[*].size)", Decimal("2.5")),
        ("text && 'closed' || 'open'", "closed"),
    ],
)
def test_everything_else_is_jmespath_without_floats(path: str, value: Any) -> None:
    compiled = compile_path(path)
    assert compiled.keys is None
    assert compiled.find(DATA) == value
    assert not isinstance(compiled.find(DATA), float)


@pytest.mark.parametrize(
    ("path", "what", "hint"),
    [
        pytest.param("企业名称", "bad JMESPath", "'\"企业名称\"'", id="a bare Chinese key"),
        pytest.param("a..b", "bad JMESPath at column 3", "", id="two dots"),
        pytest.param("a[", "bad JMESPath", "", id="an open bracket"),
        pytest.param("trim(a)", "Unknown function: trim()", "", id="a function that JMESPath has not"),
        pytest.param("length()", "Expected 1 argument", "", id="too few arguments"),
        pytest.param("x" * 501, "longer than 500", "", id="too long"),
        pytest.param("[" * 400, "nests too deeply", "", id="nested too deeply"),
    ],
)
def test_a_bad_path_is_found_at_load(path: str, what: str, hint: str) -> None:
    with pytest.raises(BadPath) as error:
        compile_path(path)
    assert what in str(error.value)
    assert hint in error.value.hint


@pytest.mark.parametrize("path", ["join('', a.b)", "sum(text)", "abs(size)", "sort_by(files, &name)[0].name"])
def test_an_expression_that_does_not_fit_the_data_is_unreadable_and_quotes_nothing(path: str) -> None:
    files = [{"name": 1}, {"name": "秘密"}]
    with pytest.raises(Unreadable) as error:
        compile_path(path).find({"a": {"b": ["秘密", None]}, "text": "秘密", "size": "秘密", "files": files})
    assert "秘密" not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize("size", ["1E+999999999", "1E-999999999"])
def test_a_monstrous_number_is_not_counted_with(size: str) -> None:
    with pytest.raises(Unreadable):
        compile_path("ceil(size)").find({"size": Decimal(size)})


@given(st.text(max_size=40))
def test_any_text_is_a_path_or_a_bad_path(text: str) -> None:
    try:
        compiled = compile_path(text)
    except BadPath:
        return
    try:
        compiled.find(DATA)
    except Unreadable:
        return


NESTED = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a", "b"]), inner),
    max_leaves=10,
)


@given(NESTED)
def test_plain_paths_and_jmespath_agree_on_any_data(data: Any) -> None:
    for path in ("a", "a.b", "a[0]", "a[0].b", "a.b[1].a"):
        assert compile_path(path).find(data) == jmespath.search(path, data)
