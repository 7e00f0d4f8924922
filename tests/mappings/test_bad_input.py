"""Whatever comes, it is translated or refused: no crash, no hang, and no personal value in an error text."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.recipe import Recipe
from mappings.registry import Call
from router import jsontext
from router.errors import MalformedEnvelope, MappingFailed
from tests.mappings.city import ORDER, appeal, envelope, fields, translator

MAPPING = translator(name="sst")


def changed(**values: Any) -> dict[str, Any]:
    return {**ORDER, **values}


CANARIES = [
    "王小明甲乙丙丁",
    "13812345678",
    "321081199001011234",
    "昆山市某某路八号九栋十零一室",
    "someone@example.org",
]


@pytest.mark.parametrize("canary", CANARIES)
def test_no_error_text_holds_a_whole_personal_value(canary: str) -> None:
    mapping = fields(
        "  title: {from: t, required: true}\n  mode: m\n  region: r\n  proposed_units: u\n"
        "  submitted_at: {from: s, apply: [{to_time: iso}], required: true}\n  kind: join('', [k, null])\n"
    )
    bodies = [
        {"t": canary * 80, "m": canary, "r": canary, "u": [canary], "s": "2023-01-01", "k": canary},
        {"t": {canary: canary}, "s": canary},
        {"t": [canary, {"x": canary}], "s": [canary]},
    ]
    for body in bodies:
        with pytest.raises(MappingFailed) as error:
            appeal(mapping, body)
        assert canary not in str(error.value)
        chain = error.value.__cause__ or error.value.__context__
        assert chain is None or canary not in str(chain)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff\xfe", b"[" * 100 + b"]" * 100, b"9" * 5000],
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        MAPPING.translate(envelope(body))


def test_what_the_connector_could_not_read_is_not_translated() -> None:
    odd = envelope(ORDER).model_copy(update={"problem": "an HTML page instead of JSON"})
    with pytest.raises(MalformedEnvelope, match="HTML page"):
        MAPPING.translate(odd)


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(), max_size=60)
    | st.sampled_from(["\x00", "\ud800", 10**22, "1" * 3000, "2023-13-45 00:00:00", "１３８/、转", "320506"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = [*ORDER, "score"]
PAYLOADS = VALUES | st.dictionaries(st.sampled_from(NAMES), VALUES) | st.builds(
    lambda part: {**ORDER, **part}, st.dictionaries(st.sampled_from(NAMES), VALUES)
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(PAYLOADS)
def test_whatever_json_comes_it_is_translated_or_refused(body: Any) -> None:
    with contextlib.suppress(MalformedEnvelope, MappingFailed):
        appeal(MAPPING, body)


@settings(max_examples=200, deadline=None)
@given(PAYLOADS)
def test_explaining_comes_to_the_same_values_as_translating(body: Any) -> None:
    try:
        data = jsontext.loads(envelope(body).body)
    except MalformedEnvelope:
        return
    for _, recipe in MAPPING.recipes:
        assert _made(recipe, data) == _explained(recipe, data)


def _made(recipe: Recipe, data: Any) -> Any:
    call = Call(MAPPING.around, "sst")
    return recipe.make(data, call), call.notes


def _explained(recipe: Recipe, data: Any) -> Any:
    call = Call(MAPPING.around, "sst")
    return recipe.explain(data, call).value, call.notes


@pytest.mark.parametrize(
    "value",
    [
        ["x"] * 100_000,
        ["13800000001"] * 100_000,
        "x" * 1_000_000,
        "/" * 1_000_000,
        [[["x"]]] * 5000,
        "市人社局 " * 50_000,
    ],
    ids=[
        "a huge list",
        "a huge list of phones",
        "a huge text",
        "only separators",
        "nested lists",
        "one name often",
    ],
)
def test_a_huge_value_anywhere_is_refused_or_survived_quickly(value: Any) -> None:
    started = datetime.now(UTC)
    for name in NAMES:
        with contextlib.suppress(MappingFailed):
            appeal(MAPPING, changed(**{name: value}))
    assert (datetime.now(UTC) - started).total_seconds() < 20


def test_a_deep_payload_is_refused() -> None:
    body: Any = {}
    for _ in range(70):
        body = {"a": body}
    with pytest.raises(MalformedEnvelope):
        appeal(MAPPING, body)
