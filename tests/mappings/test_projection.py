from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.projection import MappingProjector
from router import jsontext
from router.errors import MappingFailed
from router.message import Appeal, Contact, Dispatch, Task
from tests.mappings.city import IDENTITY, RECEIVED, read

KEY = IDENTITY.appeal_id
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def dispatch(**appeal: Any) -> Dispatch:
    made = Appeal(
        appeal_id=KEY, source="sst", source_id="A-1", revision=1, channel="测试", received_at=RECEIVED,
        **{"content": "内容", "kind": "complaint", **appeal},
    )  # fmt: skip
    task = Task(task_id=KEY, unit="rsj", role="lead", sequence=3, created_at=WHEN)
    return Dispatch(dispatch_id=KEY, type="task.created", destination="rsj", task=task, appeal=made)


def projector(text: str) -> MappingProjector:
    loaded = read("abstract: true", **{"projections/p": text, "codes/out": 'codes: {complaint: "投诉"}'})
    assert loaded.problems == ()
    return loaded.projectors["p"]


def project(text: str, **appeal: Any) -> Any:
    return jsontext.loads(projector(text).project(dispatch(**appeal)))


def test_names_are_free_and_dots_nest() -> None:
    made = project(
        "fields:\n  F_TITLE: appeal.title\n  body.内容: appeal.content\n  body.n: task.sequence\n", title="题"
    )
    assert made == {"F_TITLE": "题", "body": {"内容": "内容", "n": 3}}


def test_functions_codes_and_constants_work_outward_too() -> None:
    made = project(
        "fields:\n  a: {from: appeal.kind, apply: [{code: out}]}\n  b: {value: 7}\n"
        "  c: {from: appeal.received_at, apply: [{format_time: '%Y年%m月%d日 %H:%M'}]}\n"
        "  d: {from: appeal.contact.phones, apply: [{join: /}]}\n"
        "  e: {from: appeal.mode, apply: [{code: out}], default: 无}\n",
        contact=Contact(phones=("+8613800000001", "+8613800000002")),
    )  # fmt: skip
    assert made == {
        "a": "投诉",
        "b": 7,
        "c": "2026年01月02日 11:04",
        "d": "+8613800000001/+8613800000002",
        "e": "无",
    }


def test_whole_numbers_stay_numbers_of_any_length() -> None:
    assert project("fields:\n  n: appeal.extensions.n\n", extensions={"n": 10**22}) == {"n": 10**22}


def test_what_is_empty_is_left_out_or_null() -> None:
    assert project("fields:\n  t: appeal.title\n  c: appeal.content\n") == {"c": "内容"}
    assert project("keep_empty: true\nfields:\n  t: appeal.title\n") == {"t": None}


def test_a_missing_required_field_is_refused_with_its_line() -> None:
    with pytest.raises(
        MappingFailed, match=r"projections/p\.yaml:2: t is required, and appeal\.title gives nothing"
    ):
        project("fields:\n  t: {from: appeal.title, required: true}\n")


def test_the_fields_of_a_projection_can_be_listed() -> None:
    assert projector("fields:\n  a.b: appeal.title\n").fields == ("a.b",)
