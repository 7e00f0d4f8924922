"""The README's table is made from the code, and its example runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from mappings import manual
from mappings.functions import FUNCTIONS
from mappings.loading import Mappings, load
from router import jsontext
from router.message import Dispatch, Task
from tests.mappings.city import DIRECTORY, IDENTITY, appeal

TEXT = manual.README.read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL))


def loaded() -> Mappings:
    return load({path: text for path, text in EXAMPLES.items() if path.endswith(".yaml")}, DIRECTORY)


def test_the_table_of_functions_is_current() -> None:
    assert manual.rewritten(TEXT) == TEXT, "run: python -m mappings.manual"
    assert all(f"| `{name}` |" in TEXT for name in FUNCTIONS)


def test_the_example_has_no_problem_and_gives_what_it_says() -> None:
    assert loaded().problems == ()
    made = appeal(loaded().translators["shop"], EXAMPLES["input"].encode()).model_dump(mode="json")
    expected = jsontext.loads(EXAMPLES["expected"])
    assert len(expected) == 9
    assert {name: _at(made, name) for name in expected} == expected


def test_the_projection_of_the_example_runs() -> None:
    mappings = loaded()
    made = appeal(mappings.translators["shop"], EXAMPLES["input"].encode())
    key = IDENTITY.appeal_id
    task = Task(task_id=key, unit="rsj", role="lead", sequence=1, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    dispatch = Dispatch(dispatch_id=key, type="task.created", destination="rsj", task=task, appeal=made)
    assert jsontext.loads(mappings.projectors["bureau"].project(dispatch)) == {
        "orderNo": "A-1",
        "data": {
            "title": "关于欠薪",
            "phones": "+8651265220000;ext=801",
            "receivedAt": "2026-01-02 11:04:00",
        },
        "role": "lead",
    }


def _at(data: Any, name: str) -> Any:
    for key in name.split("."):
        data = data[key]
    return data
