"""Golden cases beside a mapping, and the trace that explains them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mappings import cases
from mappings.cases import Difference
from mappings.loading import load
from mappings.trace import rows
from router.errors import MalformedEnvelope
from tests.mappings.city import DIRECTORY, ORDER, envelope, fields, translator

MAPPING = translator(name="sst")
GOLDEN = Path(__file__).with_name("golden")


def write(folder: Path, name: str, body: Any, expected: Any) -> None:
    (folder / f"{name}.input.json").write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
    if expected is not None:
        (folder / f"{name}.expected.json").write_text(
            json.dumps(expected, ensure_ascii=False), encoding="utf-8"
        )


def differences(folder: Path, body: Any, expected: Any) -> tuple[Difference, ...]:
    write(folder, "one", body, expected)
    (result,) = cases.run(MAPPING, cases.read(folder))
    return result.differences


@pytest.mark.parametrize("name", ["crm", "excel", "pushed"])
def test_golden_cases(name: str) -> None:
    documents = {
        f"mappings/{p.relative_to(GOLDEN)}": p.read_text(encoding="utf-8") for p in GOLDEN.rglob("*.yaml")
    }
    loaded = load(documents, DIRECTORY)
    assert loaded.problems == ()
    results = cases.run(loaded.translators[name], cases.read(GOLDEN / f"{name}.cases"))
    assert results
    assert [result.differences for result in results] == [()] * len(results)


def test_a_case_that_comes_out_as_expected_has_no_differences(tmp_path: Path) -> None:
    assert differences(tmp_path, {"appealContent": "c"}, {"channel": "苏商通自报", "content": "c"}) == ()


def test_a_models_default_may_stand_in_the_expected_file(tmp_path: Path) -> None:
    expected = {"channel": "苏商通自报", "content": "c", "kind": "other", "contact": {"withheld": False}}
    assert differences(tmp_path, {"appealContent": "c"}, expected) == ()


def test_differences_are_told_per_field(tmp_path: Path) -> None:
    found = differences(
        tmp_path,
        {"appealContent": "c", "appealTitle": "新", "linkman": {"name": "王先生"}},
        {"channel": "苏商通自报", "content": "c", "title": "旧", "address": "某路"},
    )
    assert set(found) == {
        Difference("title", "旧", "新"),
        Difference("address", "某路", ""),
        Difference("contact.name", ..., "王先生"),
    }


def test_a_case_may_expect_a_refusal(tmp_path: Path) -> None:
    assert differences(tmp_path, {}, {"fails": "content is required"}) == ()
    assert differences(tmp_path, {}, {"fails": "title is required"}) != ()
    assert differences(tmp_path, {"appealContent": "c"}, {"fails": "content is required"}) != ()


def test_a_case_without_an_expected_file_is_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "one", ORDER, None)
    (result,) = cases.run(MAPPING, cases.read(tmp_path))
    assert not result.is_as_expected
    (tmp_path / "one.expected.json").write_text(cases.as_expected(result), encoding="utf-8")
    (again,) = cases.run(MAPPING, cases.read(tmp_path))
    assert again.is_as_expected


def test_a_trace_tells_path_raw_value_steps_and_why() -> None:
    order = {**ORDER, "appealType": "99", "linkman": {"mobile": "65220000"}}
    shown = {row.field: row for row in rows(MAPPING.explain(envelope(order)), masked=False)}
    assert shown["channel"].why == "a constant of the mapping"
    assert shown["title"].why == "found at appealTitle"
    assert shown["kind"].why == 'the default, since {"code": "kinds"} made nothing of appealType'
    assert shown["kind"].flags == "unknown_code:kind"
    assert shown["region"].raw == "areaCode = ; address = 苏州市吴中区东吴南路1号"
    assert shown["contact.phones"].steps == "phones = ['+8651265220000']"
    assert shown["contact.name"].why == "empty, since nothing stands at linkman.name"
    assert shown["source_time"].value.startswith("2023-04-04 01:30")
    assert shown["title"].where == "mappings/sst.yaml:6"


def test_a_trace_explains_what_makes_translating_fail() -> None:
    trace = {t.field: t for t in MAPPING.explain(envelope({"createTime": "昨天"}))}
    assert trace["content"].why == "MISSING although required, since nothing stands at appealContent"
    assert "createTime could not be read" in trace["submitted_at"].why
    with pytest.raises(MalformedEnvelope):
        MAPPING.explain(envelope(b"{"))


@pytest.mark.parametrize("canary", ["王小明甲乙", "13812345678", "昆山市某某路八号"])
def test_a_masked_trace_holds_no_personal_value(canary: str) -> None:
    plain = "".join(
        f"  {name}: a\n" for name in ("title", "extensions.x", "kind", "proposed_units", "region")
    )
    mapping = fields(plain + "  contact.name: {from: a, apply: [trim]}\n")
    body = {"a": canary}
    masked = str(rows(mapping.explain(envelope(body))))
    assert canary not in masked
    assert canary in str(rows(mapping.explain(envelope(body)), masked=False))
