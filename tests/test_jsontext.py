"""JSON is read and written exactly; the fast libraries never differ from the exact one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
import simplejson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from router import jsontext
from router.errors import MalformedEnvelope


class Pair(NamedTuple):
    first: int
    second: int


class Text(StrEnum):
    X = "x"
    Y = "y"


@dataclass
class Point:
    x: int


TEXTS = st.text(st.characters(), max_size=20)
NUMBERS = st.integers() | st.integers(10**18, 10**30) | st.decimals(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
NOISE = st.text('{}[]:,"\\ud8eE0019.-+ \t\n\x00\x1f\x7f\u2028\ufeffnulltruefalseNaNInfinity', max_size=30)
ODD = st.binary(max_size=20) | NOISE.map(str.encode)


def exactly_written(value: Any) -> bytes:
    said: str = simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    try:
        return said.encode()
    except UnicodeEncodeError:
        return simplejson.dumps(value, use_decimal=True, separators=(",", ":")).encode()


@settings(max_examples=400)
@given(VALUES)
@example({"a": "\ud800", "b": "税务"})
@example([2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**22])
@example([Decimal("1.50"), Decimal("1E+400"), Decimal("-0"), Decimal("0E-7")])
@example('\u2028\x7f\x1f"\\/\b\f\n\r\t\U0001f600')
def test_what_is_written_is_what_simplejson_writes_and_reads_back(value: Any) -> None:
    said = jsontext.dumps(value)
    assert said == exactly_written(value)
    assert jsontext.loads(said) == value


@settings(max_examples=1000)
@given(ODD)
@example(b'{"a":1,"a":1}')
@example(b'{"a":1,"\\u0061":1}')
@example(b'["\\ud800","\\ude00\\ud83d","\\ud83d\\ude00"]')
@example(b"[1e400,1E5,-0,-0.0,0e-7,1.50,12345678901234567890123]")
@example(b"\xef\xbb\xbf\xef\xbb\xbf1")
@example(b"\xed\xa0\x80")
@example(b'"\xed\xa0\x80"')
@example(b"1 1")
@example(b"01")
@example(b"1" * 4301)
@example(b"[" * 65 + b"]" * 65)
def test_what_is_read_or_refused_is_what_simplejson_reads_or_refuses(raw: bytes) -> None:
    fast = read(raw)
    with patch.object(jsontext.jiter, "from_json", side_effect=ValueError):
        assert read(raw) == fast


def read(raw: bytes) -> str:
    """Told apart to the last digit: 1.5 from 1.50, 1 from true."""
    try:
        return repr(jsontext.loads(raw))
    except MalformedEnvelope as error:
        return str(error)


def nested(depth: int, innermost: str) -> str:
    """Lists and objects in turn, each with neighbours."""
    text = innermost
    for level in range(depth):
        beside = "[]" if level else "null"
        text = f'[0,"]]",{text},{beside}]' if level % 2 else f'{{"a":"{{{{[[","b":{text},"c":{beside}}}'
    return text


@pytest.mark.parametrize("innermost", ["1", "[]", "{}", '"[[["'])
def test_depth_is_counted_in_values_and_not_in_brackets(innermost: str) -> None:
    own = innermost in ("[]", "{}")
    assert jsontext.loads(nested(jsontext.MAX_DEPTH - own, innermost))
    with pytest.raises(MalformedEnvelope, match="deeper"):
        jsontext.loads(nested(jsontext.MAX_DEPTH - own + 1, innermost))
    wide = ",".join([nested(jsontext.MAX_DEPTH - own - 1, innermost)] * 3)
    assert len(jsontext.loads(f"[{wide}]")) == 3
    with pytest.raises(MalformedEnvelope, match="deeper"):
        jsontext.loads(f"[{wide},{nested(jsontext.MAX_DEPTH - own, innermost)}]")


@pytest.mark.parametrize("value", [Pair(1, 2), {1: "a", None: "b"}, (1, [2]), Text.X, {Text.Y: 1}])
def test_unusual_python_values_are_written_as_simplejson_writes_them(value: Any) -> None:
    assert jsontext.dumps(value) == exactly_written(value)


@pytest.mark.parametrize(
    "value",
    [
        Decimal("NaN"),
        Decimal("Infinity"),
        [Decimal("sNaN")],
        datetime(2026, 1, 1, tzinfo=UTC),
        {1, 2},
        Point(1),
    ],
)
def test_what_is_no_json_is_not_written(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        jsontext.dumps(value)


def test_lone_surrogates_in_a_text_that_is_already_decoded_are_kept() -> None:
    assert jsontext.loads('["\ud800", 1.50]') == ["\ud800", Decimal("1.50")]


@pytest.mark.parametrize("number", [1, 10**23])
def test_the_canonical_text_knows_no_order_of_keys(number: int) -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    one = {"b": {"y": number, "x": at}, "a": Decimal("1.50")}
    other = {"a": Decimal("1.50"), "b": {"x": at, "y": number}}
    said = f'{{"a":"1.50","b":{{"x":"2026-01-02 00:00:00+00:00","y":{number}}}}}'
    assert jsontext.canonical(one) == jsontext.canonical(other) == said.encode()
