"""The examples of connectors/README.md that concern the front are configuration that loads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from connectors.http_destination_settings import HttpDestinationSettings
from connectors.push import PushSettings
from connectors.schemes import Scheme
from router.documents import read
from tests.front.rig import settings

README = (Path(__file__).parents[2] / "connectors" / "README.md").read_text("utf-8")


def example(heading: str) -> Any:
    """The first YAML block under a heading."""
    found = re.search(rf"^## {re.escape(heading)}$.*?^```yaml\n(.*?)^```$", README, re.M | re.S)
    assert found is not None
    return read("README.md", found.group(1)).data


def test_the_push_example_is_a_door() -> None:
    push = PushSettings.model_validate(example("Push")["sources"]["sst"]["push"])
    assert (push.scheme.kind, push.items, push.refusal.status) == ("standard_webhooks", "data.rows", 200)


def test_the_destination_example_is_a_destination() -> None:
    wanted = HttpDestinationSettings.model_validate(example("Destination `http`")["destination"])
    assert wanted.signing is not None
    assert wanted.verdict is not None


def test_every_scheme_is_described() -> None:
    schema = TypeAdapter[Any](Scheme).json_schema()
    for kind in schema["discriminator"]["mapping"]:
        assert f"| `{kind}` |" in README


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"path": "a/b"}, "pattern"),
        ({"items": "[[["}, "JMESPath"),
        ({"items": "nosuch(@)"}, "JMESPath"),
        ({"updated_at": {"from": "t", "formats": ["%H:%M"]}}, "year"),
        ({"accepts": []}, "at least 1"),
        ({"accepts": ["xml"]}, "json"),
        ({"max_bytes": 10**9}, "less than or equal"),
        ({"answer": {"body": '{"code":0'}}, "no JSON"),
        ({"answer": {"body": '{"id":"{apeal_id}"}'}}, "unknown {apeal_id}"),
        ({"answer": {"status": 404}}, "less than or equal"),
        ({"refusal": {"body": "{oops}"}}, "unknown {oops}"),
        ({"read_within": "2h"}, "between"),
        ({"read_within": 10}, "with its unit"),
        ({"rate": {"per_minute": 0}}, "greater than or equal"),
        ({"nosuch": 1}, "Extra"),
        ({"scheme": {"kind": "params", "secrets": [{"env": "KEY"}]}}, "parameters only"),
        ({"scheme": {"kind": "none"}}, "standard_webhooks"),
    ],
)
def test_a_mistake_in_a_door_is_found_at_load(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**change)
    assert says in str(caught.value)


@pytest.mark.parametrize("accepts", [["form"], ["form", "json"]])
def test_a_scheme_that_signs_the_body_too_may_accept_json(accepts: list[str]) -> None:
    scheme = {"kind": "params", "secrets": [{"env": "KEY"}], "template": "{params}{body}{secret}"}
    assert settings(scheme=scheme, accepts=accepts).scheme.kind == "params"
